import type { Micro } from '../../core/quantity.ts'
import { type SnapshotContent, windowAt } from '../../modules/entitlements/index.ts'
import type { SubscriptionRecord } from '../../modules/subscriptions/index.ts'
import { currentCounters, lifetime } from '../../modules/usage/index.ts'
import type { Db, Tx } from '../../platform/db.ts'

/** How much each meter says for the window that holds a time: levels as they are, sums of that window only. */
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

/** The counting windows of one subscription. */
export const windowOf = (held: SubscriptionRecord): SnapshotContent['window'] => ({
  kind: 'billing_period',
  start: held.period.start.toString(),
  end: held.period.end.toString(),
  anchor: held.anchor.toString(),
  interval: held.interval,
})
