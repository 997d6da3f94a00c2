import { fail } from '../../core/errors.ts'
import { own } from '../../core/own.ts'
import { amountOf, type Catalog, findPlan, lookupKeyOf, type PlanVersion, type PriceRef } from '../catalog/index.ts'
import type { PriceLine } from '../payments/index.ts'
import type { Terms } from './command.ts'

type Choice = {
  plan?: string
  price?: string
  currency?: string
  seats?: number
  addOns?: { addOn: string; quantity: number }[]
}

/**
 * The terms that a choice means, checked against the catalog: what is not named stays as it is held. A plan that stays with
 * its price stays on its version (CAT-3); another one is the newest of its kind.
 */
export const chooseTerms = (catalog: Catalog, held: Terms | null, defaultCurrency: string, choice: Choice): Terms => {
  const currency = choice.currency ?? held?.currency ?? defaultCurrency
  if (held && currency !== held.currency) throw fail('currency_fixed')
  const key = choice.plan ?? held?.plan
  const newest = key === undefined ? null : findPlan(catalog, key)
  if (!newest) throw fail('plan_unknown', { errors: [{ field: 'plan', message: 'Name a plan of the catalog.' }] })
  const price = priceFor(newest, held, choice)
  const stays = held !== null && held.plan === newest.key && held.price === price
  const plan = stays ? (findPlan(catalog, held.plan, held.planVersion) ?? newest) : newest
  if (!stays) refuseUnlessOffered(catalog, plan, price, currency)
  const seats = seatsFor(catalog, plan, price!, currency, held, choice.seats)
  const addOns = [...(choice.addOns ?? held?.addOns ?? [])].sort((a, b) => (a.addOn < b.addOn ? -1 : 1))
  const addOnsStay = choice.addOns === undefined && stays
  if (!addOnsStay) refuseUnlessAddOnsFit(catalog, plan, price!, currency, addOns)
  return { plan: plan.key, planVersion: plan.version, price: price!, currency, seats, addOns }
}

// Another plan keeps the interval's name where it has one.
const priceFor = (plan: PlanVersion, held: Terms | null, choice: Choice): string | undefined => {
  const prices = Object.keys(plan.content.prices ?? {})
  const kept = held && (held.plan === plan.key || prices.includes(held.price)) ? held.price : undefined
  return choice.price ?? kept ?? prices[0]
}

const refuseUnlessOffered = (
  catalog: Catalog,
  plan: PlanVersion,
  price: string | undefined,
  currency: string,
): void => {
  if (price === undefined)
    throw fail('plan_not_available', {
      errors: [{ field: 'plan', message: 'This plan costs nothing: cancel the paid one to go back to it.' }],
    })
  if (plan.content.status !== 'active' || catalog.file.plans[plan.key]?.status !== 'active')
    throw fail('plan_not_available')
  const offered = own(plan.content.prices, price)
  if (!offered)
    throw fail('plan_unknown', {
      errors: [
        { field: 'price', message: `The plan has the prices ${Object.keys(plan.content.prices ?? {}).join(', ')}.` },
      ],
    })
  if (own(offered.amounts, currency) === undefined)
    throw fail('plan_not_available', {
      errors: [{ field: 'currency', message: `Offered in ${Object.keys(offered.amounts).join(', ')}.` }],
    })
}

// Seats that were bought are kept in number; those that only came with a plan go with it.
const seatsFor = (
  catalog: Catalog,
  plan: PlanVersion,
  price: string,
  currency: string,
  held: Terms | null,
  wanted: number | undefined,
): number => {
  const rule = plan.content.seats
  const refuse = (message: string) => fail('plan_not_available', { errors: [{ field: 'seats', message }] })
  if (!rule) {
    if (wanted !== undefined) throw refuse('The plan has no seats.')
    return 0
  }
  const heldIncluded = held ? (findPlan(catalog, held.plan, held.planVersion)?.content.seats?.included ?? 0) : 0
  const kept = held && held.seats > heldIncluded ? held.seats : 0
  const seats = Math.max(wanted ?? kept, rule.included)
  if (rule.max !== undefined && rule.max !== null && seats > rule.max)
    throw refuse(`The plan has at most ${rule.max} seats.`)
  if (seats > rule.included && own(own(rule.perSeat, price), currency) === undefined)
    throw refuse('This price has no further seats.')
  return seats
}

const refuseUnlessAddOnsFit = (
  catalog: Catalog,
  plan: PlanVersion,
  price: string,
  currency: string,
  addOns: Terms['addOns'],
): void => {
  addOns.forEach(({ addOn }, index) => {
    const offered = own(catalog.file.addOns, addOn)
    if (!offered) throw fail('plan_unknown', { errors: [{ field: 'addOns', message: `There is no add-on ${addOn}.` }] })
    if (addOns[index - 1]?.addOn === addOn)
      throw fail('invalid_request', { errors: [{ field: 'addOns', message: `${addOn} is named twice.` }] })
    if (
      offered.status !== 'active' ||
      !offered.plans.includes(plan.key) ||
      own(own(offered.prices, price)?.amounts, currency) === undefined
    )
      throw fail('plan_not_available', {
        errors: [
          { field: 'addOns', message: `${addOn} is not offered with this plan and price: send the add-ons to keep.` },
        ],
      })
  })
}

const refsOf = (catalog: Catalog, terms: Terms): { ref: PriceRef; quantity: number }[] => {
  const { plan, price, currency } = terms
  const included = findPlan(catalog, plan, terms.planVersion)?.content.seats?.included ?? 0
  const extra = Math.max(0, terms.seats - included)
  return [
    { ref: { kind: 'plan', plan, price, currency }, quantity: 1 },
    ...(extra > 0 ? [{ ref: { kind: 'seat' as const, plan, price, currency }, quantity: extra }] : []),
    ...terms.addOns.map(({ addOn, quantity }) => ({
      ref: { kind: 'add_on' as const, addOn, price, currency },
      quantity,
    })),
  ]
}

/** The items at the provider that terms are. */
export const linesOfTerms = (catalog: Catalog, terms: Terms): PriceLine[] =>
  refsOf(catalog, terms).map(({ ref, quantity }) => {
    const lookupKey = lookupKeyOf(catalog, ref, terms.planVersion)
    if (lookupKey === null) throw fail('plan_not_available')
    return { lookupKey, quantity }
  })

/** What terms cost per interval, in minor units. */
export const amountOfTerms = (catalog: Catalog, terms: Terms): bigint =>
  refsOf(catalog, terms).reduce(
    (sum, { ref, quantity }) => sum + (amountOf(catalog, ref, terms.planVersion)?.amountMinor ?? 0n) * BigInt(quantity),
    0n,
  )
