import type { Session, SessionCreate } from '@turnpike/contract'
import { canonicalJson, sha256 } from '../core/canonical.ts'
import { fail } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import { own } from '../core/own.ts'
import { type Catalog, findPlan, lookupKeyOf, type PriceRef } from '../modules/catalog/index.ts'
import { type CustomerRecord, findCustomer, lockCustomer } from '../modules/customers/index.ts'
import {
  type CheckoutRecord,
  canStillBePaid,
  findCheckoutById,
  findProviderCustomer,
  findUnfinishedCheckouts,
  insertCheckout,
  isUnderWay,
  nextCheckoutState,
  type PortalOffer,
  type PriceLine,
  saveCheckout,
  saveProviderCustomer,
} from '../modules/payments/index.ts'
import { findSubscriptions, leadingSubscription, type SubscriptionRecord } from '../modules/subscriptions/index.ts'
import { type Actor, appendAudit } from '../platform/audit.ts'
import { transact } from '../platform/db.ts'
import { appendEvents } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'
import { checkoutView } from './steps/views.ts'
import { syncTenant } from './sync-customer.ts'

/**
 * Opens a hosted page (PAY-1): the intent is saved first, then the provider is asked with its id as idempotency key, then
 * the address is saved. A repeat of the same selection answers the same page; another selection is refused while one is
 * open, unless `replaceOpen` ends it. Nothing is bought here: only a validated fact completes an intent.
 */
export const openSession = async (
  deps: Deps,
  actor: Actor,
  tenantId: string,
  request: SessionCreate,
  endedBefore = false,
): Promise<Session> => {
  const customer = await findCustomer(deps.db, tenantId)
  if (!customer) throw fail('not_found')
  const urls = returnUrls(deps, request)
  if (request.kind === 'portal') return openPortal(deps, actor, customer, urls.returnUrl)
  const selection = select(deps.catalog(), customer, request)
  const intent = await saveIntent(deps, actor, customer, selection, urls, request.replaceOpen ?? false)
  if (intent.kind === 'end_first') {
    // Once: a page that cannot be ended was paid, and then it is not ours to open another one over it.
    if (endedBefore) throw fail('checkout_open', { extra: { checkoutId: intent.checkouts[0]?.checkoutId } })
    await endOpenCheckouts(deps, actor, tenantId, intent.checkouts)
    return openSession(deps, actor, tenantId, { ...request, replaceOpen: false }, true)
  }
  const opened = await askProvider(deps, actor, customer, intent.checkout)
  return sessionView(opened)
}

type Selection = Pick<
  CheckoutRecord,
  'plan' | 'planVersion' | 'price' | 'product' | 'currency' | 'seats' | 'addOns' | 'selectionHash'
>

const sessionView = (checkout: CheckoutRecord): Session => ({
  kind: checkout.kind,
  sessionUrl: checkout.sessionUrl!,
  checkoutId: checkout.checkoutId,
  expiresAt: checkout.expiresAt?.toString() ?? null,
})

/** Customers are only sent back to origins that the operator has named (PAY-1). */
const returnUrls = (deps: Deps, request: SessionCreate): { returnUrl: string; cancelUrl: string } => {
  const returnUrl = request.returnUrl ?? `${deps.publicUrl}/billing/return`
  const cancelUrl = request.cancelUrl ?? returnUrl
  for (const url of [returnUrl, cancelUrl]) {
    const parsed = URL.canParse(url) ? new URL(url) : null
    if (parsed?.username !== '' || parsed.password !== '' || !deps.returnOrigins.includes(parsed.origin))
      throw fail('return_url_not_allowed')
  }
  return { returnUrl, cancelUrl }
}

/** The selection against the catalog: active, offered in this currency, complete. */
const select = (catalog: Catalog, customer: CustomerRecord, request: SessionCreate): Selection => {
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
  return hashed({ plan: plan.key, planVersion: plan.version, price, product: null, currency, seats, addOns })
}

const hashed = (selection: Omit<Selection, 'selectionHash'>): Selection => ({
  ...selection,
  selectionHash: sha256(canonicalJson(selection)).toString('hex'),
})

type Intent = { kind: 'go'; checkout: CheckoutRecord } | { kind: 'end_first'; checkouts: CheckoutRecord[] }

const saveIntent = (
  deps: Deps,
  actor: Actor,
  customer: CustomerRecord,
  selection: Selection,
  urls: { returnUrl: string; cancelUrl: string },
  replaceOpen: boolean,
): Promise<Intent> =>
  transact(deps.db, async (tx) => {
    if (!(await lockCustomer(tx, customer.tenantId))) throw fail('not_found')
    const at = deps.clock.now()
    const policy = deps.catalog().file.policies.access
    const held = leadingSubscription(await findSubscriptions(tx, customer.tenantId), policy)
    const buysPlan = selection.plan !== null
    if (buysPlan && held) refuseUnlessChangeable(deps.catalog(), held, selection)
    const unfinished = await findUnfinishedCheckouts(tx, customer.tenantId)
    const live = unfinished.filter((checkout) => canStillBePaid(checkout, at))
    const same = live.find(
      (checkout) =>
        checkout.selectionHash === selection.selectionHash &&
        checkout.returnUrl === urls.returnUrl &&
        checkout.cancelUrl === urls.cancelUrl &&
        checkout.kind === kindOf(selection, held),
    )
    const others = live.filter((checkout) => checkout !== same)
    const open = others.find((checkout) => isUnderWay(checkout.state))
    if (open && !replaceOpen)
      throw fail('checkout_open', { extra: { checkoutId: open.checkoutId, sessionUrl: open.sessionUrl } })
    // A page that the customer left could still be paid: it is ended before another one opens.
    if (others.length > 0) return { kind: 'end_first', checkouts: others }
    if (same) {
      if (same.state !== 'canceled') return { kind: 'go', checkout: same }
      const reopened = { ...same, state: nextCheckoutState(same.state, 'reopened'), returnedAt: null }
      await saveCheckout(tx, reopened)
      return { kind: 'go', checkout: reopened }
    }
    for (const ended of unfinished)
      await saveCheckout(tx, { ...ended, state: nextCheckoutState(ended.state, 'expired') })
    const checkout: CheckoutRecord = {
      ...selection,
      ...urls,
      tenantId: customer.tenantId,
      checkoutId: newId('checkout'),
      kind: kindOf(selection, held),
      state: 'opening',
      provider: deps.provider.name,
      providerSessionId: null,
      sessionUrl: null,
      openedBy: actor.id,
      openedAt: at,
      returnedAt: null,
      completedAt: null,
      expiresAt: null,
      failure: null,
    }
    await insertCheckout(tx, checkout)
    await appendAudit(tx, deps.clock, {
      tenantId: customer.tenantId,
      actor,
      action: 'checkout.open',
      object: checkout.checkoutId,
      after: {
        kind: checkout.kind,
        plan: checkout.plan,
        price: checkout.price,
        product: checkout.product,
        seats: checkout.seats,
      },
    })
    return { kind: 'go', checkout }
  })

const kindOf = (selection: Selection, held: SubscriptionRecord | null): CheckoutRecord['kind'] =>
  selection.product !== null ? 'purchase' : held ? 'plan_change' : 'checkout'

const refuseUnlessChangeable = (catalog: Catalog, held: SubscriptionRecord, selection: Selection): void => {
  if (held.plan === selection.plan && held.price === selection.price) throw fail('plan_already_held')
  const refuse = (field: string, message: string) => fail('plan_not_available', { errors: [{ field, message }] })
  if (held.currency !== selection.currency)
    throw refuse('currency', `The subscription is in ${held.currency}; its currency cannot change.`)
  // Hosted pages exchange the plan of a subscription that holds nothing else.
  const included = findPlan(catalog, held.plan, held.planVersion)?.content.seats?.included ?? 0
  if (held.addOns.length > 0 || held.seats > included)
    throw refuse('plan', 'The hosted page cannot change a plan with further seats or add-ons: give them back first.')
}

/** Ends pages at the provider. One that was paid meanwhile is applied instead, and then decides what is still possible. */
const endOpenCheckouts = async (
  deps: Deps,
  actor: Actor,
  tenantId: string,
  checkouts: readonly CheckoutRecord[],
): Promise<void> => {
  for (const checkout of checkouts) {
    const closed =
      checkout.providerSessionId === null || (await deps.provider.closeCheckout(checkout.providerSessionId))
    if (!closed) {
      await syncTenant(deps, tenantId, actor)
      continue
    }
    await transact(deps.db, async (tx) => {
      const customer = await lockCustomer(tx, tenantId)
      const current = await findCheckoutById(tx, checkout.checkoutId)
      if (!customer || !current) return
      const ended = { ...current, state: nextCheckoutState(current.state, 'expired') }
      if (ended.state === current.state) return
      await saveCheckout(tx, ended)
      await appendAudit(tx, deps.clock, {
        tenantId,
        actor,
        action: 'checkout.expired',
        object: checkout.checkoutId,
        before: { state: current.state },
        after: { state: ended.state },
        reason: 'replaced by another selection',
      })
      await appendEvents(tx, deps.clock, customer, actor.requestId, [
        { type: 'checkout.ended', data: { checkout: checkoutView(deps.catalog(), ended, null, deps.clock.now()) } },
      ])
    })
  }
}

/** Asks for the hosted page of a saved intent and saves its address. Repeats reach the same page: the id is the key. */
export const askProvider = async (
  deps: Deps,
  actor: Actor,
  customer: CustomerRecord,
  checkout: CheckoutRecord,
): Promise<CheckoutRecord> => {
  if (checkout.sessionUrl !== null) return checkout
  const providerCustomerId = await ensureProviderCustomer(deps, customer)
  const catalog = deps.catalog()
  const back = (outcome: 'returned' | 'canceled', url: string) => {
    const target = new URL(url)
    target.searchParams.set('checkout', checkout.checkoutId)
    target.searchParams.set('outcome', outcome)
    return target.href
  }
  const opened =
    checkout.kind === 'plan_change'
      ? await openPlanChange(deps, catalog, checkout, providerCustomerId, back('returned', checkout.returnUrl))
      : await deps.provider.openCheckout({
          checkoutId: checkout.checkoutId,
          tenantId: checkout.tenantId,
          providerCustomerId,
          mode: checkout.kind === 'purchase' ? 'payment' : 'subscription',
          lines: linesOf(catalog, checkout),
          trialDays:
            (checkout.plan === null ? null : findPlan(catalog, checkout.plan, checkout.planVersion ?? undefined))
              ?.content.trial?.days ?? 0,
          planVersion: checkout.planVersion,
          successUrl: back('returned', checkout.returnUrl),
          cancelUrl: back('canceled', checkout.cancelUrl),
        })
  return transact(deps.db, async (tx) => {
    await lockCustomer(tx, checkout.tenantId)
    const current = (await findCheckoutById(tx, checkout.checkoutId)) ?? checkout
    if (current.sessionUrl !== null) return current
    // A portal page says no end of its own; an hour is what one lives.
    const expiresAt = opened.expiresAt ?? deps.clock.now().add({ hours: 1 })
    const after: CheckoutRecord = {
      ...current,
      state: nextCheckoutState(current.state, 'opened'),
      providerSessionId: opened.providerSessionId,
      sessionUrl: opened.url,
      expiresAt,
    }
    await saveCheckout(tx, after)
    await appendEvents(tx, deps.clock, customer, actor.requestId, [
      { type: 'checkout.opened', data: { checkout: checkoutView(catalog, after, null, deps.clock.now()) } },
    ])
    return after
  })
}

const openPlanChange = async (
  deps: Deps,
  catalog: Catalog,
  checkout: CheckoutRecord,
  providerCustomerId: string,
  returnUrl: string,
) => {
  const held = leadingSubscription(await findSubscriptions(deps.db, checkout.tenantId), catalog.file.policies.access)
  const lookupKey = lookupKeyOf(
    catalog,
    { kind: 'plan', plan: checkout.plan!, price: checkout.price!, currency: checkout.currency },
    checkout.planVersion ?? undefined,
  )
  const fromLookupKey =
    held &&
    lookupKeyOf(
      catalog,
      { kind: 'plan', plan: held.plan, price: held.price, currency: held.currency },
      held.planVersion,
    )
  if (!held || !fromLookupKey || lookupKey === null) throw fail('plan_not_available')
  return deps.provider.openPlanChange({
    checkoutId: checkout.checkoutId,
    providerCustomerId,
    providerSubscriptionId: held.providerSubscriptionId,
    fromLookupKey,
    lookupKey,
    quantity: 1,
    returnUrl,
    offer: portalOffer(catalog),
  })
}

const linesOf = (catalog: Catalog, checkout: CheckoutRecord): PriceLine[] => {
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
const portalOffer = (catalog: Catalog): PortalOffer => {
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

const openPortal = async (deps: Deps, actor: Actor, customer: CustomerRecord, returnUrl: string): Promise<Session> => {
  const providerCustomerId = await ensureProviderCustomer(deps, customer)
  // Each visit is its own page, so that an old link cannot be used for a new one.
  const visit = newId('checkout')
  const opened = await deps.provider.openPortal({
    checkoutId: visit,
    providerCustomerId,
    returnUrl,
    offer: portalOffer(deps.catalog()),
  })
  await transact(deps.db, (tx) =>
    appendAudit(tx, deps.clock, {
      tenantId: customer.tenantId,
      actor,
      action: 'portal.open',
      object: customer.customerId,
    }),
  )
  return { kind: 'portal', sessionUrl: opened.url, checkoutId: null, expiresAt: opened.expiresAt?.toString() ?? null }
}

/** The provider's customer, made once and remembered before anything is bought on it. */
const ensureProviderCustomer = async (deps: Deps, customer: CustomerRecord): Promise<string> => {
  const known = await findProviderCustomer(deps.db, customer.tenantId, deps.provider.name)
  if (known !== null) return known
  const { providerCustomerId } = await deps.provider.createCustomer(customer)
  await transact(deps.db, (tx) => saveProviderCustomer(tx, customer.tenantId, deps.provider.name, providerCustomerId))
  return (await findProviderCustomer(deps.db, customer.tenantId, deps.provider.name)) ?? providerCustomerId
}
