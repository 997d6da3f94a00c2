import { numberOfMicro } from '../../core/quantity.ts'
import { thresholdsCrossed } from '../../modules/entitlements/index.ts'
import {
  type CounterRow,
  type CounterState,
  decideBatch,
  findEarlier,
  insertRecords,
  insertRefusals,
  type NewRecord,
  type NewRefusal,
  type RecordDecision,
  tenantsRefused,
} from '../../modules/usage/index.ts'
import type { Tx } from '../../platform/db.ts'
import { type MovedCounter, type Notice, noticeBytesMax, notifyAll } from '../../platform/notify.ts'
import { appendEvents, type NewEvent } from '../../platform/outbox.ts'
import type { Deps } from '../deps.ts'
import type { LaidOut, layOut, UsageWork } from './lay-out-usage.ts'

/**
 * Decides records against counters that are locked, inserts those that are accepted, raises the counters and announces
 * thresholds (USE-2). `careful`: keys are looked for before anything is decided.
 */
export const countUsage = async (
  tx: Tx,
  deps: Pick<Deps, 'clock'>,
  works: readonly UsageWork[],
  laidOut: ReturnType<typeof layOut>,
  counters: readonly CounterRow[],
  careful: boolean,
): Promise<{ decisions: RecordDecision[]; moved: CounterRow[] }> => {
  const { items } = laidOut
  const { decisions, states } = await decideKnown(tx, works, laidOut, counters, careful)
  const accepted: NewRecord[] = []
  const refused: NewRefusal[] = []
  items.forEach((item, index) => {
    const decision = decisions[index]!
    if (decision.kind === 'accepted') accepted.push(acceptedRow(item, decision, counters))
    if (decision.kind === 'refused') refused.push(refusedRow(item, decision, counters))
  })
  const moved = counters.flatMap((counter, index) => {
    const { used, records, levelAt } = states[index]!
    if (records === 0) return []
    const version = counter.version + 1
    return [{ ...counter, used, levelAt, records: counter.records + BigInt(records), version }]
  })
  const recordedAt = deps.clock.nowMs()
  if (accepted.length > 0) await insertRecords(tx, accepted, moved, recordedAt)
  if (refused.length > 0) await insertRefusals(tx, refused, recordedAt)
  const told = moved.filter(({ span }) => span !== 'hour')
  if (told.length > 0) await notifyAll(tx, movedNotices(told))
  // Event streams last: nothing may be waited for while holding one.
  for (const [work, events] of crossings(works, told, recordedAt))
    await appendEvents(tx, deps.clock, work, work.correlationId, events)
  return { decisions, moved: told }
}

/** The decisions, knowing of earlier answers where one may matter. */
const decideKnown = async (
  tx: Tx,
  works: readonly UsageWork[],
  { items, groups, keyOf }: ReturnType<typeof layOut>,
  counters: readonly CounterRow[],
  careful: boolean,
): Promise<{ decisions: RecordDecision[]; states: CounterState[] }> => {
  const decideKnowing = async (isLookedUp: (tenantId: string) => boolean) => {
    const keys = items.flatMap(({ work: { tenantId }, record: { idempotencyKey } }) =>
      isLookedUp(tenantId) ? [{ tenantId, idempotencyKey }] : [],
    )
    const earlier = await findEarlier(tx, keys)
    const states = counters.map(({ used, reserved, levelAt }) => ({ used, reserved, records: 0, levelAt }))
    return { decisions: decideBatch(items, groups, states, earlier, keyOf), states }
  }
  // A refusal has no constraint that would find its repeat, so tenants with refusals are always looked up.
  const refusedBefore = careful ? null : await tenantsRefused(tx, [...new Set(works.map((work) => work.tenantId))])
  const isLookedUp = (tenantId: string) => refusedBefore === null || refusedBefore.has(tenantId)
  const decided = await decideKnowing(isLookedUp)
  const isOpen = (decision: RecordDecision, index: number) =>
    (decision.kind === 'refused' || decision.kind === 'withdrawn') && !isLookedUp(items[index]!.work.tenantId)
  // What would be refused now may be the repeat of what was accepted.
  return decided.decisions.some(isOpen) ? decideKnowing(() => true) : decided
}

const rowOf = ({ work, record, windowStart }: LaidOut) => ({
  tenantId: work.tenantId,
  idempotencyKey: record.idempotencyKey,
  meter: record.meter,
  quantity: record.quantity,
  at: record.at,
  windowStart,
  service: record.service,
  correlationId: record.correlationId ?? work.correlationId,
  properties: record.properties,
  snapshotVersion: work.live.version,
})

const acceptedRow = (
  item: LaidOut,
  { used, place }: Extract<RecordDecision, { kind: 'accepted' }>,
  counters: readonly CounterRow[],
): NewRecord => ({
  ...rowOf(item),
  usedAfter: used,
  // What is a fact was counted without a decision.
  reserved: item.work.fact ? null : counters[item.place.shown]!.reserved,
  ordinal: item.isLevel ? counters[item.place.targets[0]!.counters[0]!]!.records + BigInt(place) : null,
  also: item.also,
})

const refusedRow = (
  item: LaidOut,
  { feature, used, limit, code }: Extract<RecordDecision, { kind: 'refused' }>,
  counters: readonly CounterRow[],
): NewRefusal => ({
  ...rowOf(item),
  feature,
  used,
  reserved: counters[item.place.shown]!.reserved,
  limit,
  code,
})

/** Threshold events of each customer whose counters crossed a line, in the order of tenants. */
const crossings = (
  works: readonly UsageWork[],
  moved: readonly CounterRow[],
  nowMs: number,
): [UsageWork, NewEvent[]][] => {
  const byTenant = new Map(works.map((work) => [work.tenantId, work]))
  const found = new Map<string, [UsageWork, NewEvent[]]>()
  for (const counter of moved) {
    const work = byTenant.get(counter.tenantId)!
    // Nobody needs a warning about a window that is over.
    if (work.fact && counter.windowEnd <= nowMs) continue
    for (const entitlement of work.live.content.entitlements) {
      if (entitlement.kind !== 'metered' || entitlement.meter !== counter.meter) continue
      // The highest that was seen before, so that one line is told once in a window.
      for (const { percent, limit } of thresholdsCrossed(entitlement, counter.peak, counter.used)) {
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
            windowStart: isoOf(counter.windowStart),
            windowEnd: isoOf(counter.windowEnd),
          },
        })
      }
    }
  }
  return [...found.values()].sort(([a], [b]) => (a.tenantId < b.tenantId ? -1 : a.tenantId > b.tenantId ? 1 : 0))
}

const isoOf = (ms: number): string => Temporal.Instant.fromEpochMilliseconds(ms).toString()

/** What other processes hear: the counters that moved, in as many notices as they need. */
const movedNotices = (moved: readonly CounterRow[]): Notice[] => {
  const notices: Extract<Notice, { kind: 'counters' }>[] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const counter of moved) {
    const entry: MovedCounter = [
      counter.tenantId,
      counter.meter,
      counter.span,
      counter.windowStart,
      String(counter.used),
      String(counter.reserved),
      counter.version,
    ]
    const size = JSON.stringify(entry).length + 1
    if (bytes + size > noticeBytesMax) {
      notices.push({ kind: 'counters', moved: [] })
      bytes = 40
    }
    notices.at(-1)!.moved.push(entry)
    bytes += size
  }
  return notices
}
