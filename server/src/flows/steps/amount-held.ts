import type { BillingStatus } from '@turnpike/contract'
import { amountOf, type Catalog, findPlan } from '../../modules/catalog/index.ts'
import type { SubscriptionRecord } from '../../modules/subscriptions/index.ts'

/** What is charged per interval: base price and seats above those included, not a normalised figure. */
export const amountHeld = (catalog: Catalog, held: SubscriptionRecord): BillingStatus['amount'] => {
  const base = amountOf(
    catalog,
    { kind: 'plan', plan: held.plan, price: held.price, currency: held.currency },
    held.planVersion,
  )
  if (!base) return null
  const seat = amountOf(
    catalog,
    { kind: 'seat', plan: held.plan, price: held.price, currency: held.currency },
    held.planVersion,
  )
  const extraSeats = BigInt(
    Math.max(0, held.seats - (findPlan(catalog, held.plan, held.planVersion)?.content.seats?.included ?? held.seats)),
  )
  const addOns = held.addOns.reduce(
    (sum, { addOn, quantity }) =>
      sum +
      (amountOf(catalog, { kind: 'add_on', addOn, price: held.price, currency: held.currency })?.amountMinor ?? 0n) *
        BigInt(quantity),
    0n,
  )
  return {
    amountMinor: String(base.amountMinor + (seat?.amountMinor ?? 0n) * extraSeats + addOns),
    currency: held.currency,
  }
}
