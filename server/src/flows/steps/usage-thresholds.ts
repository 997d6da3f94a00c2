import { numberOfMicro } from '../../core/quantity.ts'
import { countingWindow, thresholdsCrossed } from '../../modules/entitlements/index.ts'
import type { RaisedCounter } from '../../modules/usage/index.ts'
import type { NewEvent } from '../../platform/outbox.ts'
import type { UsageWork } from './lay-out-usage.ts'

/** A counter as it is now; `before`: the highest that it was in its window, of a sliding one what it was just before. */
export type Moved = RaisedCounter & { before: bigint }

/** Threshold events of each customer whose counters crossed a line, in the order of tenants. One line is told once in a window. */
export const crossings = (
  works: readonly UsageWork[],
  moved: readonly Moved[],
  nowMs: number,
): [UsageWork, NewEvent[]][] => {
  const byTenant = new Map(works.map((work) => [work.tenantId, work]))
  const found = new Map<string, [UsageWork, NewEvent[]]>()
  for (const counter of moved) {
    const work = byTenant.get(counter.tenantId)!
    // Nobody needs a warning about a window that is over.
    if (work.fact && counter.windowEnd <= nowMs) continue
    for (const counting of work.live.limitsOn.get(counter.meter) ?? []) {
      if (counting.span !== counter.span) continue
      const { entitlement, slidingHours } = counting
      const slides = slidingHours === null ? null : countingWindow(work.live, counting, nowMs)
      for (const { percent, limit } of thresholdsCrossed(entitlement, counter.before, counter.used)) {
        const entry = found.get(counter.tenantId) ?? [work, []]
        found.set(counter.tenantId, entry)
        entry[1].push({
          type: 'usage.threshold_reached',
          data: {
            feature: entitlement.feature,
            meter: counter.meter,
            percent,
            used: numberOfMicro(counter.used),
            limit,
            windowStart: isoOf(slides?.startMs ?? counter.windowStart),
            windowEnd: isoOf(slides?.endMs ?? counter.windowEnd),
          },
        })
      }
    }
  }
  return [...found.values()].sort(([a], [b]) => (a.tenantId < b.tenantId ? -1 : a.tenantId > b.tenantId ? 1 : 0))
}

const isoOf = (ms: number): string => Temporal.Instant.fromEpochMilliseconds(ms).toString()
