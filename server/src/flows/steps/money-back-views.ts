import type { CreditNote, Refund } from '@turnpike/contract'
import type { MoneyBackRecord } from '../../modules/refunds/index.ts'
import type { NewEvent } from '../../platform/outbox.ts'

const textOrNull = (instant: Temporal.Instant | null): string | null => instant?.toString() ?? null
const money = (record: MoneyBackRecord, amount: bigint) => ({ amountMinor: String(amount), currency: record.currency })

const commonView = (record: MoneyBackRecord) => ({
  tenantId: record.tenantId,
  amount: money(record, record.amount),
  reason: record.reason,
  reasonText: record.reasonText,
  requestedBy: record.actor?.id ?? null,
  requestedAt: record.requestedAt.toString(),
  requestExpiresAt: textOrNull(record.requestExpiresAt),
  decidedBy: record.decidedBy,
  decidedAt: textOrNull(record.decidedAt),
  decisionReason: record.decisionReason,
  settledAt: textOrNull(record.settledAt),
  failure: record.failure,
})

/** A refund as the API and events show it. */
export const refundView = (record: MoneyBackRecord): Refund => ({
  ...commonView(record),
  id: record.moneyBackId,
  invoiceId: record.providerInvoiceId,
  providerRefundId: record.providerId,
  state: record.state as Refund['state'],
})

/** A credit note as the API and events show it. */
export const creditNoteView = (record: MoneyBackRecord): CreditNote => ({
  ...commonView(record),
  id: record.moneyBackId,
  invoiceId: record.providerInvoiceId!,
  providerCreditNoteId: record.providerId,
  number: record.number,
  state: record.state as CreditNote['state'],
  beforePayment: money(record, record.beforePayment),
  afterPayment: money(record, record.afterPayment),
  to: record.target,
  lines: record.lines.map((line) => ({ lineId: line.providerLineId, amountMinor: String(line.amount) })),
  pdfUrl: record.pdfUrl,
})

/** Who of the house asked and decided, and what they said about it, is the house's: customers see how far it has come, and why. */
export const forCustomer = <V extends Refund | CreditNote>(view: V): V => ({
  ...view,
  requestedBy: null,
  decidedBy: null,
  decisionReason: null,
})

type Step = 'requested' | 'decided' | 'issued' | 'updated' | 'failed' | 'voided'

/** The event of a step. `more` is what the step tells besides the record. */
export const moneyBackEvent = (
  record: MoneyBackRecord,
  step: Step,
  more: { decision?: 'approved' | 'rejected' | 'expired'; wasIssued?: boolean } = {},
): NewEvent => {
  const requestExpiresAt = textOrNull(record.requestExpiresAt) ?? record.requestedAt.toString()
  const decision = more.decision ?? 'expired'
  if (record.kind === 'refund') {
    const refund = forCustomer(refundView(record))
    switch (step) {
      case 'requested':
        return { type: 'refund.requested', data: { refund, requestExpiresAt } }
      case 'decided':
        return { type: 'refund.decided', data: { refund, decision } }
      case 'issued':
        return { type: 'refund.issued', data: { refund } }
      case 'failed':
        return { type: 'refund.failed', data: { refund, wasIssued: more.wasIssued ?? false } }
      default:
        return { type: 'refund.updated', data: { refund } }
    }
  }
  const creditNote = forCustomer(creditNoteView(record))
  switch (step) {
    case 'requested':
      return { type: 'credit_note.requested', data: { creditNote, requestExpiresAt } }
    case 'decided':
      return { type: 'credit_note.decided', data: { creditNote, decision } }
    case 'updated':
      return { type: 'credit_note.updated', data: { creditNote } }
    case 'issued':
      return { type: 'credit_note.issued', data: { creditNote } }
    case 'failed':
      return { type: 'credit_note.failed', data: { creditNote } }
    case 'voided':
      return { type: 'credit_note.voided', data: { creditNote } }
  }
}
