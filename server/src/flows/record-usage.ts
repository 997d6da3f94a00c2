import { lockCounters } from '../modules/usage/index.ts'
import { createBatcher } from '../platform/batch.ts'
import { isUniqueViolation, transactUnflushed } from '../platform/db.ts'
import { createFlusher } from '../platform/flush.ts'
import type { Deps } from './deps.ts'
import { countUsage } from './steps/count-usage.ts'
import { layOut, type UsageWork } from './steps/lay-out-usage.ts'
import { spendOf } from './steps/spend.ts'
import type { UsageResult } from './steps/usage-outcome.ts'

type RecorderDeps = Pick<Deps, 'db' | 'clock' | 'live' | 'catalog'>
export type UsageRecorder = { record(work: UsageWork): Promise<UsageResult[]>; idle(): Promise<void> }

const recordsPerCommit = 4_000
/** So many commits are careful after a repeat was met: repeats come in flocks, when a sender tries again. */
const carefulCommits = 50

/**
 * The one way in which usage is counted (USE-2): requests that arrive together share a transaction. Counters are locked in
 * order, records decided in the order of arrival against them, accepted ones inserted, counters raised, thresholds
 * announced, all durable before anybody is answered. `onCounted` hears that counters moved.
 */
export const createUsageRecorder = (deps: RecorderDeps, onCounted: () => void): UsageRecorder => {
  let careful = 0
  /**
   * Repeats are rare, so their keys are not looked for first: the constraint finds them at the insert. Then all is undone
   * and decided again with what is there, and for a while looking comes first. The same constraint catches one key for
   * records of two counters at the same time, which no counter's lock keeps apart.
   */
  const commit = async (works: readonly UsageWork[]): Promise<UsageResult[][]> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await commitOnce(deps, works, onCounted, careful > 0)
      } catch (error) {
        if (!isUniqueViolation(error) || attempt === 3) throw error
        careful = carefulCommits
      } finally {
        if (careful > 0) careful--
      }
    }
  }
  const batcher = createBatcher<UsageWork, UsageResult[]>({
    weightMax: recordsPerCommit,
    concurrency: 2,
    // Few records are done sooner together: each commit waits for the disk, and one counter is in one hand only.
    alongsideFrom: 500,
    weigh: (work) => work.records.length,
    // Many records of many customers: one half is decided while the other is inserted, and neither waits for the other's counters.
    lanes: { count: 2, of: ({ tenantId }) => laneOf(tenantId) },
    work: commit,
    beforeTold: createFlusher(deps.db).flushed,
  })
  return { record: batcher.add, idle: batcher.idle }
}

/** Half of the tenants are in each lane, whatever their ids look like. */
const laneOf = (tenantId: string): number => {
  let sum = 0
  for (let index = 0; index < tenantId.length; index++) sum = (sum * 31 + tenantId.charCodeAt(index)) | 0
  return (sum >>> 16) & 1
}

const commitOnce = async (
  deps: RecorderDeps,
  works: readonly UsageWork[],
  onCounted: () => void,
  careful: boolean,
): Promise<UsageResult[][]> => {
  const laidOut = layOut(works, (live) => (live.content.spendCap ? spendOf(deps.catalog(), live) : null))
  const { items, groups } = laidOut
  const { decisions, moved } = await transactUnflushed(deps.db, async (tx) => {
    const counters = await lockCounters(tx, laidOut.refs)
    return countUsage(tx, deps, works, laidOut, counters, careful)
  })
  for (const { tenantId, meter, windowStart, span, used, reserved, version } of moved) {
    deps.live.counterMoved(tenantId, meter, windowStart, span, { used, reserved, version })
  }
  if (moved.length > 0) onCounted()
  return groups.map(({ from, to }) =>
    items.slice(from, to).map(({ limit }, offset) => ({ decision: decisions[from + offset]!, limit })),
  )
}
