import {
  type CounterRow,
  type CounterState,
  decideBatch,
  findEarlier,
  hourNumber,
  insertRecords,
  insertRefusals,
  type NewRecord,
  type NewRefusal,
  peakAt,
  type RecordDecision,
  type Sliding,
  tenantsRefused,
} from '../../modules/usage/index.ts'
import { type Db, type Tx, transactAtOnceUnflushed } from '../../platform/db.ts'
import { type MovedCounter, type Notice, noticeBytesMax } from '../../platform/notify.ts'
import { appendEvents } from '../../platform/outbox.ts'
import type { Deps } from '../deps.ts'
import type { LaidOut, layOut, UsageWork } from './lay-out-usage.ts'
import { type Behind, insertNewValues, isSpecial, lookInto, nothingBehind, statesOf } from './look-into-counters.ts'
import { crossings, type Moved } from './usage-thresholds.ts'

export type Counted = {
  decisions: RecordDecision[]
  /** What memory keeps of the counters that moved. */
  moved: CounterRow[]
  /** Counters as the batch leaves them, those of tenants of which no key needs to be looked up. */
  left: CounterRow[]
}

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
): Promise<Counted> => {
  const nowMs = deps.clock.nowMs()
  const behind = await lookInto(tx, laidOut.items, counters)
  const { decisions, states, refusedBefore } = await decideKnown(tx, works, laidOut, counters, behind, careful)
  const { accepted, refused, moved, told } = changesOf(works, laidOut, counters, decisions, states, behind, nowMs)
  if (accepted.length > 0) await insertRecords(tx, accepted, moved, [], movedNotices(told), nowMs)
  if (refused.length > 0) await insertRefusals(tx, refused, nowMs)
  await insertNewValues(tx, counters, states)
  // Event streams last: nothing may be waited for while holding one.
  for (const [work, events] of crossings(works, told, nowMs))
    await appendEvents(tx, deps.clock, work, work.correlationId, events)
  const isLookedUp = new Set([...(refusedBefore ?? []), ...refused.map(({ tenantId }) => tenantId)])
  const left = refusedBefore === null ? [] : moved.filter(({ tenantId }) => !isLookedUp.has(tenantId)).map(leftBy)
  return { decisions, moved: told, left }
}

/**
 * The same in one way to the database, for counters as this process remembers them: nothing is held and nothing looked up
 * before. The statement fails as a whole where a counter is not as it was taken to be, a key is there already or a tenant was
 * refused something before. Null, with nothing done, where it takes more than that: a refusal, a key twice, values that were
 * seen, a threshold to announce, a counter that is looked at and not raised.
 */
export const countAtOnce = async (
  db: Db,
  deps: Pick<Deps, 'clock'>,
  works: readonly UsageWork[],
  laidOut: ReturnType<typeof layOut>,
  counters: readonly CounterRow[],
): Promise<Counted | null> => {
  if (counters.some(isSpecial)) return null
  const nowMs = deps.clock.nowMs()
  const { items, groups, keyOf } = laidOut
  const states = statesOf(counters, nothingBehind)
  const decisions = decideBatch(items, groups, states, new Map(), keyOf)
  if (!decisions.every(({ kind }) => kind === 'accepted')) return null
  const { accepted, moved, told } = changesOf(works, laidOut, counters, decisions, states, nothingBehind, nowMs)
  if (moved.length < counters.length || crossings(works, told, nowMs).length > 0) return null
  const tenantIds = [...new Set(works.map(({ tenantId }) => tenantId))]
  await transactAtOnceUnflushed(db, (on) => insertRecords(on, accepted, moved, tenantIds, movedNotices(told), nowMs))
  return { decisions, moved: told, left: moved.map(leftBy) }
}

/** What decisions come to: rows to insert, counters as they are left, and those of them that memory keeps. */
const changesOf = (
  works: readonly UsageWork[],
  { items }: ReturnType<typeof layOut>,
  counters: readonly CounterRow[],
  decisions: readonly RecordDecision[],
  states: readonly CounterState[],
  { sliding }: Behind,
  nowMs: number,
) => {
  const accepted: NewRecord[] = []
  const refused: NewRefusal[] = []
  items.forEach((item, index) => {
    const decision = decisions[index]!
    if (decision.kind === 'accepted') accepted.push(acceptedRow(item, decision, counters))
    if (decision.kind === 'refused') refused.push(refusedRow(item, decision, counters))
  })
  const moved = counters.flatMap((counter, index) => movedBy(counter, states[index]!, sliding.get(index), nowMs))
  return { accepted, refused, moved, told: moved.filter(isTold(works)) }
}

/** The decisions, knowing of earlier answers where one may matter. `refusedBefore`: null when nobody has looked. */
const decideKnown = async (
  tx: Tx,
  works: readonly UsageWork[],
  { items, groups, keyOf }: ReturnType<typeof layOut>,
  counters: readonly CounterRow[],
  behind: Behind,
  careful: boolean,
): Promise<{ decisions: RecordDecision[]; states: CounterState[]; refusedBefore: Set<string> | null }> => {
  const decideKnowing = async (isLookedUp: (tenantId: string) => boolean) => {
    const keys = items.flatMap(({ work: { tenantId }, record: { idempotencyKey } }) =>
      isLookedUp(tenantId) ? [{ tenantId, idempotencyKey }] : [],
    )
    const earlier = await findEarlier(tx, keys)
    const states = statesOf(counters, behind)
    return { decisions: decideBatch(items, groups, states, earlier, keyOf), states, refusedBefore }
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
  { used, reserved, place }: Extract<RecordDecision, { kind: 'accepted' }>,
  counters: readonly CounterRow[],
): NewRecord => ({
  ...rowOf(item),
  usedAfter: used,
  // What is a fact was counted without a decision.
  reserved: item.work.fact ? null : reserved,
  ordinal: item.isLevel ? counters[item.place.targets[0]!.counters[0]!]!.records + BigInt(place) : null,
  also: item.also,
})

/** The counter of the feature that refused: a record may raise several. */
const deciding = ({ work, place }: LaidOut, feature: string, counters: readonly CounterRow[]): CounterRow => {
  const entitlement = work.live.byFeature.get(feature)
  const meter = entitlement?.kind === 'metered' ? entitlement.meter : null
  const target = place.targets.find(({ limit }) => limit && counters[limit.counter]!.meter === meter)
  return counters[target?.limit?.counter ?? place.shown]!
}

const refusedRow = (
  item: LaidOut,
  { feature, used, limit, code }: Extract<RecordDecision, { kind: 'refused' }>,
  counters: readonly CounterRow[],
): NewRefusal => ({
  ...rowOf(item),
  feature,
  used,
  reserved: deciding(item, feature, counters).reserved,
  limit,
  code,
})

/** A counter as the batch leaves it, when it moved. Of a sliding window that is what is in it now. */
const movedBy = (
  counter: CounterRow,
  { used, records, levelAt, sliding }: CounterState,
  slidBefore: Sliding | undefined,
  nowMs: number,
): Moved[] => {
  if (records === 0) return []
  const hour = hourNumber(nowMs)
  return [
    {
      ...counter,
      was: counter,
      before: slidBefore ? peakAt(slidBefore, hour) : counter.peak,
      used: sliding ? peakAt(sliding, hour) : used,
      levelAt,
      records: counter.records + BigInt(records),
      version: counter.version + 1,
    },
  ]
}

/** A counter as its row is after the batch. */
const leftBy = ({ was: _was, before: _before, ...counter }: Moved): CounterRow =>
  counter.used > counter.peak ? { ...counter, peak: counter.used } : counter

/**
 * What memory keeps: every counter but the hours, and of those the ones that a sliding window is made of. A sliding window's
 * own counter is told too, for what is reserved in it.
 */
const isTold = (works: readonly UsageWork[]) => {
  const byTenant = new Map(works.map((work) => [work.tenantId, work.live]))
  return ({ tenantId, meter, span }: CounterRow): boolean =>
    span !== 'hour' ||
    (byTenant.get(tenantId)!.limitsOn.get(meter) ?? []).some(({ slidingHours }) => slidingHours !== null)
}

/** What other processes hear: the counters that moved, in as many notices as they need. */
export const movedNotices = (moved: readonly CounterRow[]): Notice[] => {
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
