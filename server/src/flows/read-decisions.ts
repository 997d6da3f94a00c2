import type { DecisionDetail, DecisionRecord, Reason } from '@turnpike/contract'
import { fail } from '../core/errors.ts'
import { type Micro, microOfWhole, numberOfMicro } from '../core/quantity.ts'
import { findCustomer } from '../modules/customers/index.ts'
import {
  type CheckDecision,
  carriedIn,
  counterfactual,
  countingOf,
  type DecisionFacts,
  decide,
  entitlementOf,
  explain,
  findCheckDecision,
  findOverrides,
  findSnapshots,
  forgetCheckDecisions,
  listCheckDecisions,
  type Metered,
  newestSnapshot,
  type OverrideRecord,
  overridesAt,
  rememberWindow,
  replay,
  type StoredSnapshot,
} from '../modules/entitlements/index.ts'
import { findSubscriptions } from '../modules/subscriptions/index.ts'
import {
  type DecisionFilter,
  type DecisionPlace,
  findReservedDecision,
  findUsageDecision,
  isLevel,
  listReservedDecisions,
  listUsageDecisions,
  type ReservedDecision,
  type UsageDecision,
} from '../modules/usage/index.ts'
import type { Deps } from './deps.ts'

/** A decision as it is kept, wherever that is. */
type Kept = DecisionFacts & {
  /** As it was asked for; `quantity` is how much further that moved the counter. */
  wanted: Micro
  id: string
  tie: string
  at: Temporal.Instant
  firstAt: Temporal.Instant
  attempts: number
  snapshotVersion: number
  idempotencyKey: string | null
  service: string | null
  correlationId: string | null
}

/** Decisions of a tenant, newest first (ENT-5); `before` is where the next page goes on. */
export const readDecisions = async (
  deps: Deps,
  tenantId: string,
  feature: string | null,
  filter: DecisionFilter,
  limit: number,
): Promise<{ decisions: DecisionRecord[]; before: DecisionPlace | null }> => {
  const newest = await newestSnapshot(deps.db, tenantId)
  if (!newest) throw fail('not_found')
  const asked = newest.content.entitlements.filter((each) => feature === null || each.feature === feature)
  if (asked.length === 0) throw fail('feature_unknown')
  const features = asked.map((each) => each.feature)
  const meters = [...new Set(asked.flatMap((each) => (each.kind === 'metered' ? [each.meter] : [])))]
  const [usage, held, checks] = await Promise.all([
    listUsageDecisions(deps.db, tenantId, { meters, features }, filter, limit),
    listReservedDecisions(deps.db, tenantId, features, filter, limit),
    listCheckDecisions(deps.db, tenantId, features, filter, limit),
  ])
  const rows = [...usage, ...held, ...checks]
    .sort((a, b) => Temporal.Instant.compare(b.at, a.at) || (a.tie < b.tie ? 1 : -1))
    .slice(0, limit)
  const [snapshots, overrides] = await Promise.all([
    findSnapshots(deps.db, tenantId, [...new Set(rows.map((row) => row.snapshotVersion))]),
    findOverrides(deps.db, tenantId),
  ])
  const last = rows.length === limit ? rows.at(-1)! : null
  return {
    decisions: rows.flatMap((row) => {
      const snapshot = snapshots.find(({ version }) => version === row.snapshotVersion)
      const kept = snapshot && keptOf(deps, snapshot, row)
      return kept ? [viewOf(deps, snapshot, kept, overrides)] : []
    }),
    before: last && { at: last.at.toString(), tie: last.tie },
  }
}

/** One decision with its derivation, and the same rule run again with the snapshot and the counter of its time. */
export const readDecision = async (deps: Deps, tenantId: string, decisionId: string): Promise<DecisionDetail> => {
  if (!(await findCustomer(deps.db, tenantId))) throw fail('not_found')
  const row = await findRow(deps, tenantId, decisionId)
  if (!row) throw fail('not_found')
  const [[snapshot], overrides, subscriptions] = await Promise.all([
    findSnapshots(deps.db, tenantId, [row.snapshotVersion]),
    findOverrides(deps.db, tenantId),
    findSubscriptions(deps.db, tenantId),
  ])
  const kept = snapshot && keptOf(deps, snapshot, { ...row, tie: '' })
  if (!kept) throw fail('not_found')
  const { content, effectiveFrom } = snapshot
  const entitlement = entitlementOf(content, kept)!
  const counting = entitlement.kind === 'metered' ? countingOf(entitlement).windowAt : null
  const { resetsAt } = (counting ?? rememberWindow(content.window))(kept.at.epochMilliseconds)
  const counter = kept.used === null ? null : { used: kept.used, reserved: kept.reserved, resetsAt }
  const decision = { ...decide(content, entitlement, counter, kept.quantity), allowed: kept.allowed }
  return {
    ...viewOf(deps, snapshot, kept, overrides),
    replay: replay(content, kept),
    ...explain(deps.catalog(), content, entitlement, decision, overrides, subscriptions, effectiveFrom),
  }
}

/** Forgets refused checks when their time is over; what used something up stays with its record. */
export const forgetDecisions = async (deps: Deps): Promise<number> => {
  const days = deps.catalog().file.policies.usage.keepDecisionsDays ?? 90
  const before = deps.clock.now().subtract({ hours: days * 24 })
  let forgotten = 0
  for (;;) {
    const some = await forgetCheckDecisions(deps.db, before, forgottenAtOnce)
    forgotten += some
    if (some < forgottenAtOnce) return forgotten
  }
}
const forgottenAtOnce = 5_000

type Found = UsageDecision | ReservedDecision | CheckDecision
type Row = Found & { tie: string }

const letters = { accepted: 'a', refused: 'r', reserved: 'h' } as const

/** Public ids say in which table a decision stands and under which key; the tenant is asked for beside it. */
const idOf = (row: Row): string =>
  `decision_${'source' in row ? letters[row.source] : 'c'}${Buffer.from(row.key).toString('base64url')}`

const findRow = (deps: Deps, tenantId: string, decisionId: string): Promise<Found | null> => {
  const name = decisionId.slice('decision_'.length)
  const key = Buffer.from(name.slice(1), 'base64url').toString()
  // Only visible characters are in keys, and the database takes no zero byte.
  if (!/^[\x21-\x7e]+$/.test(key)) return Promise.resolve(null)
  if (name.startsWith('c')) return findCheckDecision(deps.db, tenantId, key)
  if (name.startsWith('h')) return findReservedDecision(deps.db, tenantId, key)
  if (name.startsWith('a')) return findUsageDecision(deps.db, tenantId, 'accepted', key)
  return name.startsWith('r') ? findUsageDecision(deps.db, tenantId, 'refused', key) : Promise.resolve(null)
}

/** The facts of a row; null when it was about no feature that the snapshot knows, or about a level, which is a fact. */
const keptOf = (deps: Deps, { content }: StoredSnapshot, row: Row): Kept | null => {
  const { tie, at, snapshotVersion } = row
  const id = idOf(row)
  if (!('source' in row)) {
    const { feature, reason, quantity, used, reserved, because, firstAt, attempts, windowStart } = row
    const ours = { idempotencyKey: null, service: null, correlationId: null, allowed: false, wanted: quantity } as const
    const facts = { kind: 'check', feature, reason, quantity, used, reserved, windowStart, because } as const
    return { id, tie, at, snapshotVersion, firstAt, attempts, ...facts, ...ours }
  }
  if (row.source === 'reserved') {
    const { feature, reason, quantity, used, reserved, because, windowStart, allowed } = row
    const { idempotencyKey, service, correlationId } = row
    const facts = { kind: 'reserve', feature, reason, quantity, used, reserved, windowStart, because, allowed } as const
    const ours = { idempotencyKey, service, correlationId, firstAt: at, attempts: 1, wanted: quantity }
    return { id, tie, at, snapshotVersion, ...facts, ...ours }
  }
  const entitlement = content.entitlements.find((each) =>
    row.feature === null ? each.kind === 'metered' && each.meter === row.meter : each.feature === row.feature,
  )
  if (entitlement?.kind !== 'metered') return null
  const { feature } = entitlement
  const step = stepOf(deps, entitlement, row)
  if (step === null) return null
  const { key: idempotencyKey, service, correlationId, reserved, code } = row
  const kind = idempotencyKey.startsWith('check:') && idempotencyKey.endsWith(`:${feature}`) ? 'consume' : 'report'
  const allowed = row.source === 'accepted'
  const used = allowed ? row.used - step : row.used
  // A record names the usage period that takes it in; the feature may count by another window.
  const own = countingOf(entitlement).windowAt?.(at.epochMilliseconds)
  const windowStart = own ? Temporal.Instant.fromEpochMilliseconds(own.startMs) : row.windowStart
  const facts = {
    kind,
    feature,
    reason: code,
    quantity: step,
    used,
    reserved,
    windowStart,
    allowed,
    because: null,
  } as const
  const ours = { idempotencyKey, service, correlationId, firstAt: at, attempts: 1, wanted: row.quantity }
  return { id, tie, at, snapshotVersion, ...facts, ...ours }
}

/** How much further a record moved, or would have moved, the counter that decided; null where none decides. */
const stepOf = (deps: Deps, { meter }: Metered, { quantity, source }: UsageDecision): Micro | null => {
  const aggregation = deps.catalog().file.meters[meter]?.aggregation ?? 'sum'
  if (isLevel(aggregation)) return source === 'accepted' ? null : quantity
  if (aggregation === 'count') return microOfWhole(1)
  if (aggregation === 'sum') return quantity
  // The highest and unique values may have moved by less. The record says where the counter stood afterwards: that was allowed.
  if (source === 'accepted') return 0n
  return aggregation === 'unique' ? microOfWhole(1) : quantity
}

const viewOf = (
  deps: Deps,
  { content, version, effectiveFrom, tenantId }: StoredSnapshot,
  kept: Kept,
  overrides: readonly OverrideRecord[],
): DecisionRecord => {
  const entitlement = entitlementOf(content, kept)!
  const { used, reserved, quantity, allowed } = kept
  const isMetered = entitlement.kind === 'metered'
  return {
    id: kept.id,
    tenantId,
    kind: kept.kind,
    feature: kept.feature,
    at: kept.at.toString(),
    firstAt: kept.firstAt.toString(),
    attempts: kept.attempts,
    quantity: numberOfMicro(kept.wanted),
    allowed,
    reason: (kept.reason as Reason | null) ?? replay(content, kept).reason ?? 'within_limit',
    because: kept.because,
    snapshotVersion: version,
    plan: content.plan,
    planVersion: content.planVersion,
    overrideId:
      entitlement.origin === 'override'
        ? (overridesAt(overrides, effectiveFrom).get(kept.feature)?.overrideId ?? null)
        : null,
    policy: {
      enforcement: isMetered ? entitlement.enforcement : null,
      windowStart: kept.windowStart?.toString() ?? null,
    },
    counter:
      used === null
        ? null
        : {
            used: numberOfMicro(used),
            reserved: numberOfMicro(reserved),
            limit: isMetered ? entitlement.limit : typeof entitlement.value === 'number' ? entitlement.value : null,
            carried: isMetered && startsWith(entitlement, kept) ? carriedIn(entitlement) : 0,
          },
    counterfactual: counterfactual(deps.catalog(), content, entitlement, { used, reserved }, quantity, allowed),
    idempotencyKey: kept.idempotencyKey,
    service: kept.service,
    correlationId: kept.correlationId,
  }
}

/** Whether what was carried was carried into the window of the decision. */
const startsWith = ({ carried }: Metered, { windowStart }: Kept): boolean =>
  carried !== undefined && windowStart !== null && Temporal.Instant.from(carried.windowStart).equals(windowStart)
