import type { UsageOutcome } from '@turnpike/contract'
import { type Micro, numberOfMicro } from '../core/quantity.ts'
import { decideMetered, type LiveCustomer, thresholdsCrossed } from '../modules/entitlements/index.ts'
import {
  type BatchItem,
  type CounterRef,
  type CounterRow,
  type CounterState,
  decideBatch,
  findEarlier,
  insertRecords,
  insertRefusals,
  type LimitRule,
  lifetime,
  lockCounters,
  type NewRecord,
  type NewRefusal,
  type PreparedRecord,
  type RecordDecision,
  tenantsRefused,
} from '../modules/usage/index.ts'
import { createBatcher } from '../platform/batch.ts'
import { isUniqueViolation, transact } from '../platform/db.ts'
import { type Notice, noticeBytesMax, notifyAll } from '../platform/notify.ts'
import { appendEvents, type NewEvent } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'

/** Records of one customer that came in one request. `atomic`: all or nothing, which is what consuming means. */
export type UsageWork = {
  tenantId: string
  customerId: string
  live: LiveCustomer
  records: PreparedRecord[]
  atomic: boolean
  correlationId: string
}
export type UsageResult = { decision: RecordDecision; limit: number | null }

export type UsageRecorder = { record(work: UsageWork): Promise<UsageResult[]>; idle(): Promise<void> }

const recordsPerCommit = 4_000
/** So many commits are careful after a repeat was met: repeats come in flocks, when a sender tries again. */
const carefulCommits = 50

/**
 * The one way in which usage is counted (USE-2): requests that arrive together share a transaction. Counters are locked in
 * order, records decided in the order of arrival against them, accepted ones inserted, counters raised, thresholds
 * announced, all durable before anybody is answered. `onCounted` hears which tenants' counters moved.
 */
export const createUsageRecorder = (
  deps: Pick<Deps, 'db' | 'clock' | 'live'>,
  onCounted: (tenantId: string) => void,
): UsageRecorder => {
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
    work: commit,
  })
  return { record: batcher.add, idle: batcher.idle }
}

const commitOnce = async (
  deps: Pick<Deps, 'db' | 'clock' | 'live'>,
  works: readonly UsageWork[],
  onCounted: (tenantId: string) => void,
  careful: boolean,
): Promise<UsageResult[][]> => {
  const { items, groups, refs, keyOf } = layOut(works)
  const recordedAt = deps.clock.nowMs()
  const result = await transact(deps.db, async (tx) => {
    const counters = await lockCounters(tx, refs)
    const before = new Map(counters.map((counter) => [nameOf(counter), counter]))
    const decideKnowing = async (isLookedUp: (tenantId: string) => boolean) => {
      const keys = items.flatMap(({ work: { tenantId }, record: { idempotencyKey } }) =>
        isLookedUp(tenantId) ? [{ tenantId, idempotencyKey }] : [],
      )
      const earlier = await findEarlier(tx, keys)
      const states = new Map<string, CounterState>(
        counters.map((counter) => [
          nameOf(counter),
          { used: counter.used, records: 0, levelAt: counter.levelAt ?? null },
        ]),
      )
      return { decisions: decideBatch(items, groups, states, earlier, keyOf), states }
    }
    // A refusal has no constraint that would find its repeat, so tenants with refusals are always looked up.
    const refusedBefore = careful ? null : await tenantsRefused(tx, [...new Set(works.map((work) => work.tenantId))])
    const isLookedUp = (tenantId: string) => refusedBefore === null || refusedBefore.has(tenantId)
    let decided = await decideKnowing(isLookedUp)
    const isOpen = (decision: RecordDecision, index: number) =>
      (decision.kind === 'refused' || decision.kind === 'withdrawn') && !isLookedUp(items[index]!.work.tenantId)
    // What would be refused now may be the repeat of what was accepted.
    if (decided.decisions.some(isOpen)) decided = await decideKnowing(() => true)
    const { decisions, states } = decided

    const accepted: NewRecord[] = []
    const refused: NewRefusal[] = []
    items.forEach(({ work, record, ref }, index) => {
      const decision = decisions[index]!
      const { idempotencyKey, meter, quantity, at, service, properties } = record
      const row = {
        tenantId: work.tenantId,
        idempotencyKey,
        meter,
        quantity,
        at,
        windowStart: ref.windowStart,
        service,
        correlationId: record.correlationId ?? work.correlationId,
        properties,
      }
      if (decision.kind === 'accepted') {
        const ordinal = decision.place === undefined ? null : before.get(nameOf(ref))!.records + BigInt(decision.place)
        accepted.push({ ...row, usedAfter: decision.used, ordinal })
      }
      if (decision.kind === 'refused')
        refused.push({
          ...row,
          feature: decision.feature,
          used: decision.used,
          limit: decision.limit,
          code: decision.code,
          snapshotVersion: work.live.version,
        })
    })
    const moved: CounterRow[] = [...states].flatMap(([name, state]) => {
      const counter = before.get(name)!
      return state.records === 0
        ? []
        : [
            {
              ...counter,
              used: state.used,
              levelAt: state.levelAt ?? null,
              records: counter.records + BigInt(state.records),
              version: counter.version + 1,
            },
          ]
    })
    if (accepted.length > 0) await insertRecords(tx, accepted, moved, recordedAt)
    if (refused.length > 0) await insertRefusals(tx, refused, recordedAt)
    if (moved.length > 0) await notifyAll(tx, movedNotices(moved))
    // Event streams last: nothing may be waited for while holding one.
    for (const [work, events] of crossings(works, before, moved))
      await appendEvents(tx, deps.clock, work, work.correlationId, events)
    return { decisions, moved }
  })
  for (const counter of result.moved) {
    deps.live.counterMoved(counter.tenantId, counter.meter, counter.windowStart, counter.used, counter.version)
    onCounted(counter.tenantId)
  }
  return groups.map(({ from, to }) =>
    items.slice(from, to).map((item, offset) => ({ decision: result.decisions[from + offset]!, limit: item.limit })),
  )
}

type LaidOut = BatchItem & { work: UsageWork; ref: CounterRef; limit: number | null }

/** Puts the records of all requests in one row, each with its counter and the limits that apply to it. */
const layOut = (works: readonly UsageWork[]) => {
  const items: LaidOut[] = []
  const groups: { from: number; to: number; atomic: boolean }[] = []
  const refs = new Map<string, CounterRef>()
  for (const work of works) {
    const from = items.length
    const rules = new Map<string, { rule: LimitRule | null; limit: number | null }>()
    let known: CounterRef | null = null
    for (const record of work.records) {
      let ref: CounterRef | undefined
      // Records of a request mostly fall into one window: it is worked out once.
      if (known && known.meter === record.meter && record.at >= known.windowStart && record.at < known.windowEnd)
        ref = known
      else {
        const { startMs, endMs } = record.level ? lifetime : work.live.windowAt(record.at)
        ref = { tenantId: work.tenantId, meter: record.meter, windowStart: startMs, windowEnd: endMs }
      }
      known = ref
      const name = nameOf(ref)
      if (!refs.has(name)) refs.set(name, ref)
      const limits = rules.get(record.meter) ?? limitsOf(work.live, record.meter)
      rules.set(record.meter, limits)
      items.push({ work, record, ref, counter: name, ...limits })
    }
    groups.push({ from, to: items.length, atomic: work.atomic })
  }
  const ordered = [...refs.values()].sort(
    (a, b) => compareText(a.tenantId, b.tenantId) || compareText(a.meter, b.meter) || a.windowStart - b.windowStart,
  )
  return {
    items,
    groups,
    refs: ordered,
    keyOf: (index: number) => `${items[index]!.work.tenantId}\n${items[index]!.record.idempotencyKey}`,
  }
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const nameOf = (ref: CounterRef): string => `${ref.tenantId}\n${ref.meter}\n${ref.windowStart}`

/** Every metered feature on the meter must allow it; the tightest limit is the one that answers name. */
const limitsOf = (live: LiveCustomer, meter: string): { rule: LimitRule | null; limit: number | null } => {
  const features = live.content.entitlements.flatMap((entitlement) =>
    entitlement.kind === 'metered' && entitlement.meter === meter ? [entitlement] : [],
  )
  if (features.length === 0) return { rule: null, limit: null }
  const limits = features.flatMap((feature) =>
    feature.limit === null || feature.enforcement === 'soft' ? [] : [feature.limit],
  )
  return {
    limit: limits.length === 0 ? null : Math.min(...limits),
    rule: (used: Micro, quantity: Micro) => {
      for (const feature of features) {
        const { allowed, reason } = decideMetered(feature, live.content.withheld, used, quantity)
        if (!allowed)
          return {
            feature: feature.feature,
            code:
              reason === 'access_restricted'
                ? reason
                : reason === 'limit_reached' || reason === 'over_limit_after_downgrade'
                  ? 'limit_reached'
                  : 'not_included',
            limit: feature.limit,
          }
      }
      return null
    },
  }
}

/** Threshold events of each customer whose counters crossed a line, in the order of tenants. */
const crossings = (
  works: readonly UsageWork[],
  before: ReadonlyMap<string, CounterRow>,
  moved: readonly CounterRow[],
): [UsageWork, NewEvent[]][] => {
  const byTenant = new Map(works.map((work) => [work.tenantId, work]))
  const found = new Map<string, [UsageWork, NewEvent[]]>()
  for (const counter of moved) {
    const work = byTenant.get(counter.tenantId)!
    for (const entitlement of work.live.content.entitlements) {
      if (entitlement.kind !== 'metered' || entitlement.meter !== counter.meter) continue
      for (const { percent, limit } of thresholdsCrossed(
        entitlement,
        before.get(nameOf(counter))!.used,
        counter.used,
      )) {
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
  return [...found.values()].sort(([a], [b]) => compareText(a.tenantId, b.tenantId))
}

const isoOf = (ms: number): string => Temporal.Instant.fromEpochMilliseconds(ms).toString()

/** What other processes hear: the counters that moved, in as many notices as they need. */
const movedNotices = (moved: readonly CounterRow[]): Notice[] => {
  const notices: Extract<Notice, { kind: 'counters' }>[] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const counter of moved) {
    const entry: Extract<Notice, { kind: 'counters' }>['moved'][number] = [
      counter.tenantId,
      counter.meter,
      counter.windowStart,
      String(counter.used),
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

/** One outcome of the API from one decision. */
export const outcomeOf = (index: number, idempotencyKey: string, { decision, limit }: UsageResult): UsageOutcome => {
  const base = { index, idempotencyKey }
  switch (decision.kind) {
    case 'accepted':
      return {
        ...base,
        status: 'accepted',
        allowed: true,
        code: null,
        detail: null,
        used: numberOfMicro(decision.used),
        limit,
      }
    case 'duplicate':
      return decision.earlier.outcome === 'accepted'
        ? {
            ...base,
            status: 'duplicate',
            allowed: true,
            code: null,
            detail: 'Reported before; counted once.',
            used: numberOfMicro(decision.earlier.used),
            limit,
          }
        : {
            ...base,
            status: 'refused',
            allowed: false,
            code: decision.earlier.code as UsageOutcome['code'],
            detail: 'Refused before; the answer to a key stays the same.',
            used: numberOfMicro(decision.earlier.used),
            limit: decision.earlier.limit,
          }
    case 'refused':
      return {
        ...base,
        status: 'refused',
        allowed: false,
        code: decision.code,
        detail: refusalText[decision.code],
        used: numberOfMicro(decision.used),
        limit: decision.limit,
      }
    case 'withdrawn':
      return {
        ...base,
        status: 'refused',
        allowed: false,
        code: 'limit_reached',
        detail: 'Another record of the same all-or-nothing request was refused.',
        used: numberOfMicro(decision.used),
        limit,
      }
    case 'reused':
      return {
        ...base,
        status: 'invalid',
        allowed: false,
        code: 'idempotency_key_reused',
        detail: 'This key was used for a record with another content.',
        used: null,
        limit: null,
      }
  }
}

const refusalText = {
  limit_reached: 'The hard limit would be exceeded; nothing was counted.',
  not_included: 'The feature is not included; nothing was counted.',
  access_restricted: 'Access is restricted; nothing was counted.',
}
