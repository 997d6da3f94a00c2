import type { CatalogPlanArtifact } from '@turnpike/contract'
import type { Interval } from '../../core/period.ts'
import { type Catalog, findPlan } from './catalog.ts'
import type { CatalogFacts } from './plan-change.ts'
import { amountOf, type PriceAmount } from './price.ts'

// Months of one unit as a fraction: a year of the Gregorian calendar has 365.2425 days.
const monthsPer: Record<Interval['unit'], { n: bigint; d: bigint }> = {
  day: { n: 120_000n, d: 3_652_425n },
  week: { n: 840_000n, d: 3_652_425n },
  month: { n: 1n, d: 1n },
  year: { n: 12n, d: 1n },
}

/**
 * By how much recurring revenue per month would change in each currency, were every subscription moved to the newest
 * version of its plan at the same price key, with the seats that it holds. Prices that are gone are left out, because
 * nobody can be moved to them. Add-ons are not part of it.
 */
export const recurringDelta = (
  current: Catalog | null,
  next: Catalog,
  facts: CatalogFacts,
): CatalogPlanArtifact['recurringRevenueDelta'] => {
  const deltas = new Map<string, { n: bigint; d: bigint }>()
  for (const group of current ? facts.subscriptions : []) {
    if (findPlan(current!, group.plan)?.version === findPlan(next, group.plan)?.version) continue
    const before = perMonth(current!, group, group.version)
    const after = perMonth(next, group)
    if (!before || !after) continue
    const customers = BigInt(group.customers)
    const sum = deltas.get(group.currency) ?? { n: 0n, d: 1n }
    const change = { n: (after.n * before.d - before.n * after.d) * customers, d: before.d * after.d }
    deltas.set(group.currency, { n: sum.n * change.d + change.n * sum.d, d: sum.d * change.d })
  }
  return [...deltas]
    .map(([currency, { n, d }]) => ({ currency, amountMinor: String(roundHalfAway(n, d)) }))
    .filter(({ amountMinor }) => amountMinor !== '0')
    .sort((a, b) => (a.currency < b.currency ? -1 : 1))
}

type Group = CatalogFacts['subscriptions'][number]

const perMonth = (catalog: Catalog, group: Group, version?: number): { n: bigint; d: bigint } | null => {
  const { plan, price, currency } = group
  const base = amountOf(catalog, { kind: 'plan', plan, price, currency }, version)
  if (!base?.interval) return null
  const seat: PriceAmount | null = amountOf(catalog, { kind: 'seat', plan, price, currency }, version)
  const included = findPlan(catalog, plan, version)?.content.seats?.included ?? 0
  const more = BigInt(Math.max(0, group.seats - included))
  const months = monthsPer[base.interval.unit]
  return {
    n: (base.amountMinor + (seat?.amountMinor ?? 0n) * more) * months.d,
    d: months.n * BigInt(base.interval.count),
  }
}

/** The one division, at the end: to the nearest minor unit, halves away from zero. */
const roundHalfAway = (n: bigint, d: bigint): bigint => (n < 0n ? -((-n * 2n + d) / (2n * d)) : (n * 2n + d) / (2n * d))
