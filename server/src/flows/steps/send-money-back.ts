import { isBefore } from '../../core/period.ts'
import { findCustomer, lockCustomer } from '../../modules/customers/index.ts'
import type { MoneyBackOutcome, MoneyBackReason } from '../../modules/payments/index.ts'
import { findMoneyBack, type MoneyBackRecord, saveMoneyBack } from '../../modules/refunds/index.ts'
import { type Actor, appendAudit } from '../../platform/audit.ts'
import { type Tx, transact } from '../../platform/db.ts'
import { appendEvents } from '../../platform/outbox.ts'
import type { Deps } from '../deps.ts'
import { syncTenant } from '../sync-customer.ts'
import { isSilence } from './ask-command.ts'
import { followCreditNoteOfUsage } from './give-back.ts'
import { moneyBackEvent } from './money-back-views.ts'

/** The provider remembers keys for a day; nothing is asked again later than that. */
const giveUpAfterHours = 20

/**
 * Sends what was agreed to and lets the provider's word settle it (INV-4). Who sends it again looks first whether it is there
 * already: its id stands on what was made. Without an answer it stays `asking`, and the sweep goes on.
 */
export const sendMoneyBack = async (deps: Deps, actor: Actor, agreed: MoneyBackRecord): Promise<MoneyBackRecord> => {
  const record = await change(deps, agreed, async (tx, current) => {
    const next = { ...current, attempts: current.attempts + 1, askedAt: deps.clock.now() }
    await saveMoneyBack(tx, next, deps.clock.now())
    return next
  })
  if (record.state !== 'asking') return record
  try {
    if (record.attempts > 1) {
      const seen = await lookAgain(deps, actor, record)
      if (seen.state !== 'asking') return seen
      const since = record.decidedAt ?? record.requestedAt
      if (!isBefore(deps.clock.now(), since.add({ hours: giveUpAfterHours })))
        return await failMoneyBack(deps, actor, seen, 'not_executed')
    }
    const outcome = await ask(deps, record)
    const seen = await lookAgain(deps, actor, record)
    if (outcome.kind === 'done' || seen.state !== 'asking') return seen
    deps.log.warn(
      { moneyBackId: record.moneyBackId, reason: outcome.reason },
      'the provider refused to give money back',
    )
    return await failMoneyBack(deps, actor, seen, outcome.reason ?? 'refused')
  } catch (error) {
    if (!isSilence(error)) throw error
    return (await findMoneyBack(deps.db, record.moneyBackId)) ?? record
  }
}

const ask = (deps: Deps, record: MoneyBackRecord): Promise<MoneyBackOutcome> => {
  const { moneyBackId, amount, lines, target } = record
  const reason = record.reason as MoneyBackReason
  return record.kind === 'refund'
    ? deps.provider.sendRefund({
        refundId: moneyBackId,
        providerIntentId: record.providerIntentId!,
        amount,
        reason,
      })
    : deps.provider.issueCreditNote({
        creditNoteId: moneyBackId,
        providerInvoiceId: record.providerInvoiceId!,
        amount,
        lines,
        to: target,
        reason,
        note: record.reasonText ?? '',
      })
}

/** Everything that the provider knows was given back of its invoice. */
export const lookAgain = async (deps: Deps, actor: Actor, record: MoneyBackRecord): Promise<MoneyBackRecord> => {
  const invoiceId = record.providerInvoiceId
  await syncTenant(deps, record.tenantId, actor, {
    providerInvoiceIds: invoiceId === null ? [] : [invoiceId],
    moneyBack: {
      providerIds: record.providerId === null ? [] : [record.providerId],
      ofInvoices: invoiceId === null ? [] : [invoiceId],
    },
  })
  return (await findMoneyBack(deps.db, record.moneyBackId)) ?? record
}

/** It was not and will not be given back: what it held is free again. */
const failMoneyBack = (deps: Deps, actor: Actor, record: MoneyBackRecord, failure: string): Promise<MoneyBackRecord> =>
  change(deps, record, async (tx, current) => {
    const at = deps.clock.now()
    const failed: MoneyBackRecord = { ...current, state: 'failed', failure, settledAt: at }
    await saveMoneyBack(tx, failed, at)
    await followCreditNoteOfUsage(tx, deps, failed, actor)
    await appendAudit(tx, deps.clock, {
      tenantId: failed.tenantId,
      actor,
      action: `${failed.kind}.failed`,
      object: failed.moneyBackId,
      before: { state: current.state },
      after: { state: failed.state, attempts: failed.attempts },
      reason: failure,
    })
    const customer = await findCustomer(tx, failed.tenantId)
    if (customer) await appendEvents(tx, deps.clock, customer, actor.requestId, [moneyBackEvent(failed, 'failed')])
    return failed
  })

/** Under the customer's lock, unless somebody else has settled it meanwhile. */
const change = (
  deps: Deps,
  record: MoneyBackRecord,
  work: (tx: Tx, current: MoneyBackRecord) => Promise<MoneyBackRecord>,
): Promise<MoneyBackRecord> =>
  transact(deps.db, async (tx) => {
    await lockCustomer(tx, record.tenantId)
    const current = (await findMoneyBack(tx, record.moneyBackId)) ?? record
    return current.state === 'asking' ? work(tx, current) : current
  })
