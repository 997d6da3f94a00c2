import { countingOf, rememberWindow, type SnapshotContent } from '../../modules/entitlements/index.ts'
import { type CounterRef, lockCounters, meterRules } from '../../modules/usage/index.ts'
import type { Tx } from '../../platform/db.ts'
import type { Deps } from '../deps.ts'

/**
 * Makes the counters of windows that a snapshot asks for and the one before did not, such as days of another time zone, from
 * what was recorded in them: a check from memory would take them for empty, and a limit could be used up twice.
 */
export const beginWindows = async (
  tx: Tx,
  deps: Pick<Deps, 'catalog'>,
  tenantId: string,
  before: SnapshotContent | null,
  content: SnapshotContent,
  at: Temporal.Instant,
): Promise<void> => {
  const known = new Set(before ? countingsOf(before).map(nameOf) : [])
  const rules = meterRules(deps.catalog().file.meters)
  const period = rememberWindow(content.window)(at.epochMilliseconds)
  const refs = countingsOf(content).flatMap((counting): CounterRef[] => {
    const effect = rules.get(counting.entitlement.meter)?.effects[0]
    if (!counting.windowAt || counting.slidingHours !== null || known.has(nameOf(counting)) || !effect) return []
    const window = counting.windowAt(at.epochMilliseconds)
    const common = { tenantId, meter: effect.meter, aggregation: effect.counted }
    return [
      { ...common, span: counting.span, windowStart: window.startMs, windowEnd: window.endMs },
      // Held meanwhile, so that no record of now is on its way.
      { ...common, span: 'period', windowStart: period.startMs, windowEnd: period.endMs },
    ]
  })
  if (refs.length > 0) await lockCounters(tx, refs)
}

const countingsOf = (content: SnapshotContent) =>
  content.entitlements.flatMap((entitlement) => (entitlement.kind === 'metered' ? [countingOf(entitlement)] : []))

const nameOf = ({ entitlement, span }: ReturnType<typeof countingOf>): string => `${entitlement.meter} ${span}`
