import type { CreditNoteFact, RefundFact } from '../../modules/payments/index.ts'
import {
  findMoneyBackOfFact,
  followCreditNote,
  followRefund,
  type MoneyBackRecord,
  moneyBackNews,
  saveMoneyBack,
} from '../../modules/refunds/index.ts'
import { type Actor, appendAudit } from '../../platform/audit.ts'
import type { Tx } from '../../platform/db.ts'
import type { NewEvent } from '../../platform/outbox.ts'
import type { Deps } from '../deps.ts'
import { followCreditNoteOfUsage } from './give-back.ts'
import { moneyBackEvent } from './money-back-views.ts'

export type MoneyBackFacts = { refunds: readonly RefundFact[]; creditNotes: readonly CreditNoteFact[] }

/**
 * Mirrors refunds and credit notes, and ends those of ours that wait for the provider's word (INV-4): each step is told once,
 * also when a refund that had succeeded comes back. The caller holds the customer's row.
 */
export const applyMoneyBack = async (
  tx: Tx,
  deps: Pick<Deps, 'clock' | 'provider'>,
  tenantId: string,
  facts: MoneyBackFacts,
  actor: Actor,
): Promise<NewEvent[]> => {
  const around = { tenantId, provider: deps.provider.name, at: deps.clock.now() }
  const events: NewEvent[] = []
  const follow = async (
    providerId: string,
    ourId: string | null,
    next: (before: MoneyBackRecord | null) => MoneyBackRecord,
  ): Promise<void> => {
    const before = await findMoneyBackOfFact(tx, tenantId, around.provider, providerId, ourId)
    const after = next(before)
    const news = moneyBackNews(before, after)
    if (news === null) return
    await saveMoneyBack(tx, after, around.at)
    await followCreditNoteOfUsage(tx, deps, after, actor)
    events.push(moneyBackEvent(after, news, { wasIssued: before?.providerId != null }))
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: `${after.kind}.${news}`,
      object: after.moneyBackId,
      before: before && { state: before.state },
      after: { state: after.state, amount: String(after.amount), currency: after.currency, providerId },
      reason: after.failure,
    })
  }
  for (const fact of facts.refunds)
    await follow(fact.providerRefundId, fact.refundId, (before) => followRefund(before, fact, around))
  for (const fact of facts.creditNotes)
    await follow(fact.providerCreditNoteId, fact.creditNoteId, (before) => followCreditNote(before, fact, around))
  return events
}
