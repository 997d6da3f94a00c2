import type { Explanation, Snapshot } from '@turnpike/contract'
import { fail } from '../core/errors.ts'
import { instantOf, instantOrNull, type Period } from '../core/period.ts'
import { type Micro, microOfWhole } from '../core/quantity.ts'
import { findCustomer } from '../modules/customers/index.ts'
import {
  type Counting,
  countingOf,
  decide,
  explain,
  findOverrides,
  type LiveWindow,
  newestSnapshot,
  type ResolvedEntitlement,
  rememberWindow,
  type StoredSnapshot,
  snapshotAt,
} from '../modules/entitlements/index.ts'
import { findSubscriptions } from '../modules/subscriptions/index.ts'
import { hourCounters, lifetime, meterRules, readCounter, usedAsOf } from '../modules/usage/index.ts'
import { liveCustomer } from './check-entitlements.ts'
import type { Deps } from './deps.ts'
import { entitlementView } from './steps/entitlement-view.ts'

/** The snapshot that was in force at a time, or is now (ENT-3). */
export const readSnapshot = async (deps: Deps, tenantId: string, atText: string | undefined): Promise<Snapshot> => {
  const { snapshot, at, customerId } = await snapshotFor(deps, tenantId, atText)
  const { content } = snapshot
  return {
    tenantId,
    customerId,
    version: snapshot.version,
    accessLevel: content.accessLevel,
    plan: content.plan,
    planVersion: content.planVersion,
    effectiveFrom: snapshot.effectiveFrom.toString(),
    validUntil: content.validUntil,
    cause: snapshot.cause,
    entitlements: content.entitlements.map((entitlement) => entitlementView(content, entitlement, at)),
  }
}

const snapshotFor = async (
  deps: Deps,
  tenantId: string,
  atText: string | undefined,
): Promise<{ snapshot: StoredSnapshot; at: Temporal.Instant; customerId: string }> => {
  const now = deps.clock.now()
  const at = atText === undefined ? now : instantOrNull(atText)
  if (at === null)
    throw fail('time_out_of_range', { errors: [{ field: 'at', message: 'The year is not from 1 to 9999.' }] })
  const customer = await findCustomer(deps.db, tenantId)
  if (!customer) throw fail('not_found')
  if (Temporal.Instant.compare(at, now) > 0)
    throw fail('time_out_of_range', {
      errors: [{ field: 'at', message: 'What will be in force later is not known yet.' }],
    })
  // Whatever has run out by time is replaced before it is shown.
  if (atText === undefined) await liveCustomer(deps, tenantId, now.epochMilliseconds)
  const snapshot =
    atText === undefined ? await newestSnapshot(deps.db, tenantId) : await snapshotAt(deps.db, tenantId, at)
  if (!snapshot)
    throw fail('time_out_of_range', { errors: [{ field: 'at', message: 'The customer did not exist then.' }] })
  return { snapshot, at, customerId: customer.customerId }
}

/** Where the counter of a feature stands, or stood at a past time. A sliding window is the sum of its hours. */
const usedBy = async (
  deps: Deps,
  tenantId: string,
  entitlement: ResolvedEntitlement,
  counting: Counting | null,
  live: LiveWindow,
  asOf: Temporal.Instant | null,
): Promise<Micro> => {
  if (counting?.slidingHours && asOf === null) {
    const asked = { tenantId, meter: counting.entitlement.meter, fromMs: live.startMs, untilMs: live.endMs - 1 }
    return (await hourCounters(deps.db, [asked])).reduce((sum, hour) => sum + hour.used, 0n)
  }
  const meter =
    entitlement.kind === 'metered' ? entitlement.meter : entitlement.kind === 'value' ? entitlement.usedBy : undefined
  if (meter === undefined) return 0n
  const window: Period =
    counting === null
      ? { start: instantOf(lifetime.start), end: instantOf(lifetime.end) }
      : { start: Temporal.Instant.fromEpochMilliseconds(live.startMs), end: instantOf(live.resetsAt) }
  const span = counting?.span ?? 'period'
  if (asOf === null) return readCounter(deps.db, tenantId, meter, window.start, span)
  const counted = meterRules(deps.catalog().file.meters).get(meter)?.effects[0]?.counted ?? 'sum'
  return usedAsOf(deps.db, tenantId, meter, { span, window, counted }, asOf)
}

/** The whole derivation of a decision about one more unit (ENT-5). */
export const explainEntitlement = async (
  deps: Deps,
  tenantId: string,
  feature: string,
  atText: string | undefined,
): Promise<Explanation> => {
  const { snapshot, at } = await snapshotFor(deps, tenantId, atText)
  const { content } = snapshot
  const entitlement = content.entitlements.find((candidate) => candidate.feature === feature)
  if (!entitlement) throw fail('feature_unknown')
  const counting = entitlement.kind === 'metered' ? countingOf(entitlement) : null
  const window = (counting?.windowAt ?? rememberWindow(content.window))(at.epochMilliseconds)
  const used = await usedBy(deps, tenantId, entitlement, counting, window, atText === undefined ? null : at)
  const decision = decide(content, entitlement, { used, resetsAt: window.resetsAt }, microOfWhole(1))
  const [overrides, subscriptions] = await Promise.all([
    findOverrides(deps.db, tenantId),
    findSubscriptions(deps.db, tenantId),
  ])
  return {
    tenantId,
    feature,
    at: at.toString(),
    decision,
    snapshotVersion: snapshot.version,
    accessLevel: content.accessLevel,
    ...explain(deps.catalog(), content, entitlement, decision, overrides, subscriptions, at),
  }
}
