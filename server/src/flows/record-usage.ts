import { createRemembered, lockCounters, type Remembered } from '../modules/usage/index.ts'
import { createBatcher } from '../platform/batch.ts'
import { isUnexpected, isUniqueViolation, transactUnflushed } from '../platform/db.ts'
import { createFlusher } from '../platform/flush.ts'
import type { Deps } from './deps.ts'
import { countAtOnce, countUsage } from './steps/count-usage.ts'
import { layOut, type UsageWork } from './steps/lay-out-usage.ts'
import { spendOf } from './steps/spend.ts'
import type { UsageResult } from './steps/usage-outcome.ts'

type RecorderDeps = Pick<Deps, 'db' | 'clock' | 'live' | 'catalog'>
export type UsageRecorder = { record(work: UsageWork): Promise<UsageResult[]>; idle(): Promise<void> }

const recordsPerCommit = 4_000
/** So many commits are careful after a repeat was met, and hold their counters after one was not as it was left. */
const commitsAfterwards = 50
/** So many counters are remembered, about 500 bytes each. */
const countersRemembered = 50_000

/**
 * The one way in which usage is counted (USE-2): requests that arrive together share a transaction. Records are decided in
 * the order of arrival against their counters, accepted ones inserted, counters raised, thresholds announced, all durable
 * before anybody is answered. `onCounted` hears that counters moved.
 */
export const createUsageRecorder = (deps: RecorderDeps, onCounted: () => void): UsageRecorder => {
  const remembered = createRemembered(countersRemembered)
  let careful = 0
  let holding = 0
  /**
   * Mostly counters are as this process left them, keys are new and nobody was refused anything: then one statement does all,
   * and fails where it was not so. Then all is decided again with the counters held and with what is there, and so for a
   * while: repeats come in flocks, when a sender tries again, and whoever shares a counter does so more than once. The
   * constraint that finds repeats catches also one key for records of two counters at the same time, which no lock keeps apart.
   */
  const commit = async (works: readonly UsageWork[]): Promise<UsageResult[][]> => {
    const laidOut = layOut(works, (live) => (live.content.spendCap ? spendOf(deps.catalog(), live) : null))
    for (let attempt = 1; ; attempt++) {
      try {
        const how = careful > 0 ? 'careful' : holding > 0 ? 'holding' : 'at_once'
        return await commitOnce(deps, works, laidOut, onCounted, remembered, how)
      } catch (error) {
        if (attempt === 4) throw error
        if (isUniqueViolation(error)) careful = commitsAfterwards
        else if (isUnexpected(error)) holding = commitsAfterwards
        else throw error
      } finally {
        if (careful > 0) careful--
        if (holding > 0) holding--
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
  laidOut: ReturnType<typeof layOut>,
  onCounted: () => void,
  remembered: Remembered,
  how: 'at_once' | 'holding' | 'careful',
): Promise<UsageResult[][]> => {
  const { items, groups, refs } = laidOut
  const { decisions, moved } = await remembered.workOn(
    refs,
    async (known) =>
      (known && how === 'at_once' ? await countAtOnce(deps.db, deps, works, laidOut, known) : null) ??
      (await transactUnflushed(deps.db, async (tx) =>
        countUsage(tx, deps, works, laidOut, await lockCounters(tx, refs), how === 'careful'),
      )),
  )
  for (const { tenantId, meter, windowStart, span, used, reserved, version } of moved) {
    deps.live.counterMoved(tenantId, meter, windowStart, span, { used, reserved, version })
  }
  if (moved.length > 0) onCounted()
  return groups.map(({ from, to }) =>
    items.slice(from, to).map(({ limit }, offset) => ({ decision: decisions[from + offset]!, limit })),
  )
}
