import type { CatalogProduct, NextAction, SessionCreate } from '@turnpike/contract'
import { canonicalJson, sha256 } from '../../core/canonical.ts'
import { fail } from '../../core/errors.ts'
import { own } from '../../core/own.ts'
import {
  type Catalog,
  couponRefusal,
  findCoupon,
  findPlan,
  lookupKeyOf,
  type PriceRef,
} from '../../modules/catalog/index.ts'
import type { CustomerRecord } from '../../modules/customers/index.ts'
import type { CheckoutRecord, PortalOffer, PriceLine } from '../../modules/payments/index.ts'
import type { SubscriptionRecord } from '../../modules/subscriptions/index.ts'

/** What a customer has chosen, checked against the catalog. Equal selections have equal hashes. */
export type Selection = Pick<
  CheckoutRecord,
  'plan' | 'planVersion' | 'price' | 'product' | 'currency' | 'seats' | 'addOns' | 'gives' | 'coupon' | 'selectionHash'
>

/** The selection against the catalog: active, offered in this currency, complete. */
export const select = (
  catalog: Catalog,
  customer: CustomerRecord,
  request: SessionCreate,
  at: Temporal.Instant,
): Selection => {
  const currency = request.currency ?? customer.currency
  if (request.kind === 'product') {
    const product = request.product === undefined ? undefined : own(catalog.file.products, request.product)
    if (!product || request.product === undefined)
      throw fail('plan_unknown', { errors: [{ field: 'product', message: 'Name a product of the catalog.' }] })
    if (product.status !== 'active' || product.amounts[currency] === undefined) throw fail('plan_not_available')
    return hashed({
      plan: null,
      planVersion: null,
      price: null,
      product: request.product,
      currency,
      seats: null,
      addOns: [],
      gives: creditOf(product, currency),
      coupon: couponFor(catalog, request, { plan: null, product: request.product, currency }, at),
    })
  }
  const plan = request.plan === undefined ? null : findPlan(catalog, request.plan)
  if (!plan) throw fail('plan_unknown', { errors: [{ field: 'plan', message: 'Name a plan of the catalog.' }] })
  const prices = plan.content.prices ?? {}
  const price = request.price ?? Object.keys(prices)[0]
  if (plan.content.status !== 'active' || catalog.file.plans[plan.key]?.status !== 'active' || price === undefined)
    throw fail('plan_not_available')
  if (!Object.hasOwn(prices, price))
    throw fail('plan_unknown', {
      errors: [{ field: 'price', message: `The plan has the prices ${Object.keys(prices).join(', ')}.` }],
    })
  if (prices[price]!.amounts[currency] === undefined)
    throw fail('plan_not_available', {
      errors: [{ field: 'currency', message: `Offered in ${Object.keys(prices[price]!.amounts).join(', ')}.` }],
    })
  const seats = plan.content.seats ? (request.seats ?? Math.max(1, plan.content.seats.included)) : null
  if (request.seats !== undefined && !plan.content.seats)
    throw fail('plan_not_available', { errors: [{ field: 'seats', message: 'The plan has no seats.' }] })
  if (seats !== null && plan.content.seats) {
    const { included, max, perSeat } = plan.content.seats
    if (max !== undefined && max !== null && seats > max)
      throw fail('plan_not_available', { errors: [{ field: 'seats', message: `The plan has at most ${max} seats.` }] })
    if (seats > included && perSeat?.[price]?.[currency] === undefined)
      throw fail('plan_not_available', { errors: [{ field: 'seats', message: 'This price has no further seats.' }] })
  }
  const addOns = [...(request.addOns ?? [])].sort((a, b) => (a.addOn < b.addOn ? -1 : 1))
  for (const { addOn } of addOns) {
    const offered = own(catalog.file.addOns, addOn)
    if (!offered) throw fail('plan_unknown', { errors: [{ field: 'addOns', message: `There is no add-on ${addOn}.` }] })
    if (
      offered.status !== 'active' ||
      !offered.plans.includes(plan.key) ||
      offered.prices[price]?.amounts[currency] === undefined
    )
      throw fail('plan_not_available', {
        errors: [{ field: 'addOns', message: `${addOn} is not offered with this plan and price.` }],
      })
  }
  return hashed({
    plan: plan.key,
    planVersion: plan.version,
    price,
    product: null,
    currency,
    seats,
    addOns,
    gives: null,
    coupon: couponFor(catalog, request, { plan: plan.key, product: null, currency }, at),
  })
}

/** The coupon that was named, if it can be used for this now. Whether it was used up is for the provider to say. */
const couponFor = (
  catalog: Catalog,
  { coupon: named }: SessionCreate,
  chosen: Parameters<typeof couponRefusal>[1],
  at: Temporal.Instant,
): string | null => {
  if (named === undefined) return null
  const found = findCoupon(catalog, named)
  const refusal = found ? couponRefusal(found.coupon, chosen, at) : 'There is no such coupon.'
  if (!found || refusal) throw fail('coupon_not_usable', { errors: [{ field: 'coupon', message: refusal! }] })
  return found.key
}

const creditOf = ({ credits }: CatalogProduct, currency: string): CheckoutRecord['gives'] => {
  const amount = own(credits?.amounts, currency)
  if (!credits || amount === undefined || amount === 0) return null
  const { expiresAfterDays = null, priority = 50, charges = null } = credits
  return { amountMinor: String(amount), expiresAfterDays, priority, charges }
}

const hashed = (selection: Omit<Selection, 'selectionHash'>): Selection => ({
  ...selection,
  selectionHash: sha256(canonicalJson(selection)).toString('hex'),
})

/** Refuses what the subscription that is held makes impossible. */
export const refuseUnlessChangeable = (catalog: Catalog, held: SubscriptionRecord, selection: Selection): void => {
  if (held.plan === selection.plan && held.price === selection.price) throw fail('plan_already_held')
  const refuse = (field: string, message: string) => fail('plan_not_available', { errors: [{ field, message }] })
  if (held.currency !== selection.currency)
    throw refuse('currency', `The subscription is in ${held.currency}; its currency cannot change.`)
  // The hosted page of a change takes no coupon.
  if (selection.coupon !== null)
    throw fail('coupon_not_usable', {
      errors: [{ field: 'coupon', message: 'A coupon is for a new subscription or a purchase.' }],
    })
  // Hosted pages exchange the plan of a subscription that holds nothing else.
  const included = findPlan(catalog, held.plan, held.planVersion)?.content.seats?.included ?? 0
  if (held.addOns.length > 0 || held.seats > included)
    throw fail('plan_not_available', {
      errors: [{ field: 'plan', message: 'The hosted page cannot change a plan with further seats or add-ons.' }],
      extra: {
        subscriptionId: held.subscriptionId,
        nextActions: [
          {
            action: 'preview_change',
            sentence: 'Preview the change and apply it here: it keeps the payment method on file.',
            url: null,
          } satisfies NextAction,
        ],
      },
    })
}

/** What is bought, as lines for the provider. */
export const linesOf = (catalog: Catalog, checkout: CheckoutRecord): PriceLine[] => {
  const key = (ref: PriceRef): string => {
    const lookupKey = lookupKeyOf(catalog, ref, checkout.planVersion ?? undefined)
    if (lookupKey === null) throw fail('plan_not_available')
    return lookupKey
  }
  const { plan, price, product, currency } = checkout
  if (product !== null) return [{ lookupKey: key({ kind: 'product', product, currency }), quantity: 1 }]
  const included = findPlan(catalog, plan!, checkout.planVersion ?? undefined)?.content.seats?.included ?? 0
  const extraSeats = Math.max(0, (checkout.seats ?? 0) - included)
  return [
    { lookupKey: key({ kind: 'plan', plan: plan!, price: price!, currency }), quantity: 1 },
    ...(extraSeats > 0
      ? [{ lookupKey: key({ kind: 'seat', plan: plan!, price: price!, currency }), quantity: extraSeats }]
      : []),
    ...checkout.addOns.map(({ addOn, quantity }) => ({
      lookupKey: key({ kind: 'add_on', addOn, price: price!, currency }),
      quantity,
    })),
  ]
}

/** What the portal may offer: the prices of every active plan, changed as the catalog says (SUB-4). */
export const portalOffer = (catalog: Catalog): PortalOffer => {
  const { changes, cancellation } = catalog.file.policies
  const lookupKeys = Object.entries(catalog.file.plans)
    .filter(([, plan]) => plan.status === 'active')
    .flatMap(([key, plan]) =>
      Object.entries(plan.prices ?? {}).flatMap(([price, { amounts }]) =>
        Object.keys(amounts).map((currency) => lookupKeyOf(catalog, { kind: 'plan', plan: key, price, currency })),
      ),
    )
    .filter((key): key is string => key !== null)
  return { lookupKeys, proration: changes.proration, downgradeAt: changes.downgrade, cancelAt: cancellation.timing }
}
