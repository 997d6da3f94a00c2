import { fail } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import { isBefore } from '../core/period.ts'
import { type CustomerRecord, lockCustomer } from '../modules/customers/index.ts'
import {
  findGrantById,
  type GrantBalance,
  type GrantRecord,
  hasEnded,
  lateGrantRequests,
  saveGrant,
} from '../modules/ledger/index.ts'
import { type Actor, appendAudit, recordDenial, systemActor } from '../platform/audit.ts'
import { type Tx, transact } from '../platform/db.ts'
import { appendEvents } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'
import { creditView } from './steps/credit-views.ts'
import { eachOf } from './steps/each-of.ts'
import { giveCredit } from './steps/give-credit.ts'

type Decision = 'approved' | 'rejected' | 'lapsed'

/**
 * Approves or rejects credit that waits (INV-4). Who asked for it cannot approve it, whatever they may do otherwise. Approved,
 * it is usable from this moment on.
 */
export const decideCredit = async (
  deps: Deps,
  actor: Actor,
  asked: { tenantId: string; grantId: string; decision: 'approved' | 'rejected'; reason: string | null },
): Promise<GrantBalance> => {
  const seen = await findGrantById(deps.db, asked.grantId)
  if (asked.decision === 'approved' && seen?.state === 'waiting_for_approval' && seen.grantedBy === actor.id) {
    await recordDenial(deps.db, deps.clock, {
      tenantId: asked.tenantId,
      actor,
      action: 'credit.approve',
      object: asked.grantId,
      reason: 'asked for it',
    })
    throw fail('second_person_required')
  }
  return transact(deps.db, async function decideCreditOnce(tx) {
    const customer = await lockCustomer(tx, asked.tenantId)
    const grant = await findGrantById(tx, asked.grantId)
    if (!customer || grant?.tenantId !== asked.tenantId) throw fail('not_found')
    // A repeat of the same decision changes nothing.
    if (grant.state === stateAfter[asked.decision] && grant.decidedBy === actor.id) return grant
    const at = deps.clock.now()
    const isLate = grant.requestExpiresAt !== null && !isBefore(at, grant.requestExpiresAt)
    if (grant.state !== 'waiting_for_approval' || grant.voidedAt || isLate || hasEnded(grant, at))
      throw fail('credit_not_waiting')
    return settle(tx, deps, customer, grant, actor, asked.decision, asked.reason)
  })
}

const stateAfter = { approved: 'active', rejected: 'rejected', lapsed: 'lapsed' } as const

/** Ends the requests that nobody decided in time; answers how many it ended. */
export const lapseCreditRequests = async (deps: Deps): Promise<number> => {
  const late = await lateGrantRequests(deps.db, deps.clock.now(), 100)
  const actor = systemActor('credit requests', newId('request'))
  return eachOf(deps, 'credit requests', late, ({ tenantId, grantId }) =>
    transact(deps.db, async function lapseCreditRequest(tx) {
      const customer = await lockCustomer(tx, tenantId)
      const grant = await findGrantById(tx, grantId)
      if (customer && grant?.state === 'waiting_for_approval' && !grant.voidedAt)
        await settle(tx, deps, customer, grant, actor, 'lapsed', null)
    }),
  )
}

const settle = async (
  tx: Tx,
  deps: Deps,
  customer: CustomerRecord,
  before: GrantBalance,
  actor: Actor,
  decision: Decision,
  reason: string | null,
): Promise<GrantBalance> => {
  const at = deps.clock.now()
  const grant: GrantRecord = {
    ...before,
    state: stateAfter[decision],
    grantedAt: decision === 'approved' ? at : before.grantedAt,
    decidedBy: actor.id,
    decidedAt: at,
    decisionReason: reason,
  }
  await saveGrant(tx, grant)
  await appendAudit(tx, deps.clock, {
    tenantId: grant.tenantId,
    actor,
    action: `credit.${{ approved: 'approve', rejected: 'reject', lapsed: 'lapse' }[decision]}`,
    object: grant.grantId,
    before: { state: before.state },
    after: { state: grant.state, amountMinor: String(grant.amountMinor), currency: grant.currency },
    reason,
  })
  const after = decision === 'approved' ? await giveCredit(tx, deps, grant, actor) : { ...grant, leftMinor: 0n }
  const view = creditView(after, at)
  await appendEvents(tx, deps.clock, customer, actor.requestId, [
    { type: 'credit.decided', data: { grant: view, decision } },
    ...(decision === 'approved' ? [{ type: 'credit.granted' as const, data: { grant: view } }] : []),
  ])
  return after
}
