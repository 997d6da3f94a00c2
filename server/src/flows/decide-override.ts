import { fail } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import { isBefore } from '../core/period.ts'
import { type CustomerRecord, lockCustomer } from '../modules/customers/index.ts'
import { findOverrideById, lateRequests, type OverrideRecord, saveDecision } from '../modules/entitlements/index.ts'
import { type Actor, appendAudit, recordDenial, systemActor } from '../platform/audit.ts'
import { type Tx, transact } from '../platform/db.ts'
import { appendEvents } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'
import { eachOf } from './steps/each-of.ts'
import { refreshEntitlements } from './steps/refresh-entitlements.ts'
import { overrideView } from './steps/views.ts'

type Decision = 'approved' | 'rejected' | 'expired'

/**
 * Approves or rejects an override that waits (ENT-2). Who asked for it cannot approve it, whatever they may do otherwise.
 * Approved, it is in force from this moment on.
 */
export const decideOverride = async (
  deps: Deps,
  actor: Actor,
  asked: { tenantId: string; overrideId: string; decision: 'approved' | 'rejected'; reason: string | null },
): Promise<OverrideRecord> => {
  const seen = await findOverrideById(deps.db, asked.overrideId)
  if (asked.decision === 'approved' && seen?.state === 'waiting_for_approval' && seen.actor === actor.id) {
    await recordDenial(deps.db, deps.clock, {
      tenantId: asked.tenantId,
      actor,
      action: 'override.approve',
      object: asked.overrideId,
      reason: 'asked for it',
    })
    throw fail('second_person_required')
  }
  return transact(deps.db, async (tx) => {
    const customer = await lockCustomer(tx, asked.tenantId)
    const override = await findOverrideById(tx, asked.overrideId)
    if (!customer || override?.tenantId !== asked.tenantId) throw fail('not_found')
    // A repeat of the same decision changes nothing.
    if (override.state === asked.decision && override.decidedBy === actor.id) return override
    const at = deps.clock.now()
    const isLate =
      (override.requestExpiresAt !== null && !isBefore(at, override.requestExpiresAt)) ||
      (override.expiresAt !== null && !isBefore(at, override.expiresAt))
    if (override.state !== 'waiting_for_approval' || override.withdrawnAt || isLate) throw fail('override_not_waiting')
    return settle(tx, deps, customer, override, actor, asked.decision, asked.reason)
  })
}

/** Ends the requests that nobody decided in time; answers how many it ended. */
export const expireOverrideRequests = async (deps: Deps): Promise<number> => {
  const late = await lateRequests(deps.db, deps.clock.now(), 100)
  const actor = systemActor('override requests', newId('request'))
  return eachOf(
    deps,
    'override requests',
    late.map(({ tenantId, overrideId }) => ({ tenantId, overrideId })),
    ({ tenantId, overrideId }) =>
      transact(deps.db, async (tx) => {
        const customer = await lockCustomer(tx, tenantId)
        const override = await findOverrideById(tx, overrideId)
        if (customer && override?.state === 'waiting_for_approval' && !override.withdrawnAt)
          await settle(tx, deps, customer, override, actor, 'expired', null)
      }),
  )
}

const settle = async (
  tx: Tx,
  deps: Deps,
  customer: CustomerRecord,
  before: OverrideRecord,
  actor: Actor,
  decision: Decision,
  reason: string | null,
): Promise<OverrideRecord> => {
  const at = deps.clock.now()
  const override: OverrideRecord = {
    ...before,
    state: decision,
    decidedBy: actor.id,
    decidedAt: at,
    decisionReason: reason,
  }
  await saveDecision(tx, override)
  await appendAudit(tx, deps.clock, {
    tenantId: customer.tenantId,
    actor,
    action: `override.${decision === 'approved' ? 'approve' : decision === 'rejected' ? 'reject' : 'expire'}`,
    object: override.overrideId,
    before: { state: before.state },
    after: { state: override.state, feature: override.feature, set: override.set },
    reason,
  })
  const cause = `override ${decision}: ${override.feature}`
  const { events, budgetNow } = await refreshEntitlements(tx, deps, customer, at, cause, actor.requestId)
  await appendEvents(
    tx,
    deps.clock,
    customer,
    actor.requestId,
    [{ type: 'override.decided', data: { override: overrideView(override), decision } }, ...events],
    budgetNow,
  )
  return override
}
