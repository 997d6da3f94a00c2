import type { Micro } from '../../core/quantity.ts'
import { type Catalog, findPlan } from '../../modules/catalog/index.ts'
import { type SnapshotContent, usagePeriodOf, windowAt } from '../../modules/entitlements/index.ts'
import type { SubscriptionRecord } from '../../modules/subscriptions/index.ts'
import { currentCounters, lifetime } from '../../modules/usage/index.ts'
import type { Db, Tx } from '../../platform/db.ts'

/** How much each meter says for the usage period that holds a time: levels as they are, sums of that period only. */
export const usageAt = async (
  on: Db | Tx,
  tenantId: string,
  window: SnapshotContent['window'],
  now: Temporal.Instant,
  at: Temporal.Instant,
): Promise<Map<string, Micro>> => {
  const start = windowAt(window, at).start.epochMilliseconds
  const counters = await currentCounters(on, [tenantId], now.epochMilliseconds)
  return new Map(
    counters
      .filter(
        ({ span, windowStart, windowEnd }) =>
          span === 'period' && (windowStart === start || windowEnd === lifetime.endMs),
      )
      .map(({ meter, used }) => [meter, used]),
  )
}

/** By what usage of one subscription is counted. */
export const windowOf = (catalog: Catalog, held: SubscriptionRecord): SnapshotContent['window'] =>
  usagePeriodOf(held, findPlan(catalog, held.plan, held.planVersion))
