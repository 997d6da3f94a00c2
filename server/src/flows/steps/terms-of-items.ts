import type { Interval } from '../../core/period.ts'
import { type Catalog, findPlan, resolveLookupKey } from '../../modules/catalog/index.ts'
import type { SubscriptionFact } from '../../modules/payments/index.ts'
import type { SubscriptionRecord } from '../../modules/subscriptions/index.ts'

type ItemTerms = Pick<SubscriptionRecord, 'plan' | 'planVersion' | 'price' | 'currency' | 'seats' | 'addOns'> & {
  interval: Interval | null
}

/**
 * What items of the provider mean in the catalog. Null when none of them is a plan of ours: such a subscription is not
 * guessed to be one. A subscription stays on its version (CAT-3): kept while plan and price stay, else the one that was
 * bought, else the newest with this price.
 */
export const termsOf = (
  catalog: Catalog,
  items: readonly Pick<SubscriptionFact['items'][number], 'lookupKey' | 'quantity' | 'interval'>[],
  before: SubscriptionRecord | null,
  boughtVersion: number | null,
): ItemTerms | null => {
  const resolved = items.map((item) => ({
    item,
    price: item.lookupKey === null ? null : resolveLookupKey(catalog, item.lookupKey),
  }))
  const base = resolved.find(({ price }) => price?.ref.kind === 'plan')
  if (base?.price?.ref.kind !== 'plan') return null
  const { plan, price, currency } = base.price.ref
  const kept =
    before && before.plan === plan && before.price === price && before.currency === currency ? before.planVersion : null
  const bought = !before && boughtVersion !== null && findPlan(catalog, plan, boughtVersion) ? boughtVersion : null
  const version = kept ?? bought ?? base.price.planVersion ?? findPlan(catalog, plan)?.version
  const held = version === undefined ? null : findPlan(catalog, plan, version)
  if (!held) return null
  const extraSeats = resolved.reduce(
    (sum, { item, price: found }) => (found?.ref.kind === 'seat' ? sum + item.quantity : sum),
    0,
  )
  return {
    plan,
    planVersion: held.version,
    price,
    currency,
    interval: base.item.interval,
    seats: (held.content.seats?.included ?? 0) + extraSeats,
    addOns: resolved
      .flatMap(({ item, price: found }) =>
        found?.ref.kind === 'add_on' ? [{ addOn: found.ref.addOn, quantity: item.quantity }] : [],
      )
      .sort((a, b) => (a.addOn < b.addOn ? -1 : 1)),
  }
}
