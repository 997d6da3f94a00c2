import type { Role } from '@turnpike/contract'
import { fail } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import { isBefore } from '../core/period.ts'
import { type CustomerRecord, lockCustomer } from '../modules/customers/index.ts'
import {
  boundsOf,
  findMoneyBack,
  lateMoneyBackRequests,
  type MoneyBackRecord,
  saveMoneyBack,
} from '../modules/refunds/index.ts'
import { type Actor, appendAudit, recordDenial, systemActor } from '../platform/audit.ts'
import { type Tx, transact } from '../platform/db.ts'
import { appendEvents } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'
import { eachOf } from './steps/each-of.ts'
import { moneyBackEvent } from './steps/money-back-views.ts'
import { sendMoneyBack } from './steps/send-money-back.ts'

type Decision = 'approved' | 'rejected' | 'expired'

/**
 * Approves or rejects a refund or credit note that waits (INV-4). Who asked for it cannot approve it, whatever they may do
 * otherwise, and nobody approves more than they could give back themselves. Approved, it is sent at once.
 */
export const decideMoneyBackRequest = async (
  deps: Deps,
  actor: Actor,
  role: Role,
  asked: { moneyBackId: string; tenantId: string; decision: 'approved' | 'rejected'; reason: string | null },
): Promise<MoneyBackRecord> => {
  const seen = await findMoneyBack(deps.db, asked.moneyBackId)
  if (asked.decision === 'approved' && seen?.state === 'waiting_for_approval' && seen.actor?.id === actor.id) {
    await recordDenial(deps.db, deps.clock, {
      tenantId: asked.tenantId,
      actor,
      action: `${seen.kind}.approve`,
      object: asked.moneyBackId,
      reason: 'asked for it',
    })
    throw fail('second_person_required')
  }
  const decided = await transact(deps.db, async (tx) => {
    const customer = await lockCustomer(tx, asked.tenantId)
    const record = await findMoneyBack(tx, asked.moneyBackId)
    if (!customer || record?.tenantId !== asked.tenantId) throw fail('not_found')
    // A repeat of the same decision changes nothing; one that was approved is sent on, should the first have died.
    const repeats = record.decidedBy === actor.id && (record.state === 'rejected') === (asked.decision === 'rejected')
    if (record.state !== 'waiting_for_approval' && repeats) return record
    const isLate = record.requestExpiresAt !== null && !isBefore(deps.clock.now(), record.requestExpiresAt)
    if (record.state !== 'waiting_for_approval' || isLate) throw fail('refund_not_waiting')
    const { max } = boundsOf(deps.catalog().file.policies.refunds, role, record.currency)
    if (asked.decision === 'approved' && max !== null && record.amount > max)
      throw fail('refund_above_limit', { extra: { maxMinor: String(max) } })
    return settle(tx, deps, customer, record, actor, asked.decision, asked.reason)
  })
  return decided.state === 'asking' ? sendMoneyBack(deps, actor, decided) : decided
}

/** Ends the requests that nobody decided in time; answers how many it ended. */
export const expireMoneyBackRequests = async (deps: Deps): Promise<number> => {
  const late = await lateMoneyBackRequests(deps.db, deps.clock.now(), 100)
  const actor = systemActor('refund requests', newId('request'))
  return eachOf(deps, 'refund requests', late, ({ tenantId, moneyBackId }) =>
    transact(deps.db, async (tx) => {
      const customer = await lockCustomer(tx, tenantId)
      const record = await findMoneyBack(tx, moneyBackId)
      if (customer && record?.state === 'waiting_for_approval')
        await settle(tx, deps, customer, record, actor, 'expired', null)
    }),
  )
}

const settle = async (
  tx: Tx,
  deps: Deps,
  customer: CustomerRecord,
  before: MoneyBackRecord,
  actor: Actor,
  decision: Decision,
  reason: string | null,
): Promise<MoneyBackRecord> => {
  const at = deps.clock.now()
  const record: MoneyBackRecord = {
    ...before,
    state: decision === 'approved' ? 'asking' : decision,
    decidedBy: actor.id,
    decidedAt: at,
    decisionReason: reason,
    settledAt: decision === 'approved' ? null : at,
  }
  await saveMoneyBack(tx, record, at)
  await appendAudit(tx, deps.clock, {
    tenantId: customer.tenantId,
    actor,
    action: `${record.kind}.${decision === 'approved' ? 'approve' : decision === 'rejected' ? 'reject' : 'expire'}`,
    object: record.moneyBackId,
    before: { state: before.state },
    after: { state: record.state, amount: String(record.amount), currency: record.currency },
    reason,
  })
  await appendEvents(tx, deps.clock, customer, actor.requestId, [moneyBackEvent(record, 'decided', { decision })])
  return record
}
