import { idFor } from '../../core/ids.ts'
import type { CreditNoteFact, CreditTarget, RefundFact } from '../payments/index.ts'
import type { MoneyBackRecord, MoneyBackState } from './money-back.ts'

/** Whose record a fact is about, and when it was seen. */
export type Around = { tenantId: string; provider: string; at: Temporal.Instant }

const settled: ReadonlySet<MoneyBackState> = new Set(['succeeded', 'failed', 'canceled', 'issued', 'void'])

const settledAt = (before: MoneyBackRecord | null, state: MoneyBackState, at: Temporal.Instant) =>
  settled.has(state) ? (before?.state === state && before.settledAt ? before.settledAt : at) : null

/** The record of what was made at the provider; the same for every look at it. */
const ofProvider = (
  kind: MoneyBackRecord['kind'],
  providerId: string,
  createdAt: Temporal.Instant,
  { tenantId, provider }: Around,
): Omit<MoneyBackRecord, 'amount' | 'currency' | 'state' | 'providerInvoiceId'> => ({
  tenantId,
  moneyBackId: idFor(kind, `${provider} ${providerId}`),
  kind,
  provider,
  providerId,
  providerIntentId: null,
  beforePayment: 0n,
  afterPayment: 0n,
  refunded: 0n,
  target: null,
  lines: [],
  number: null,
  pdfUrl: null,
  askedHere: false,
  reason: null,
  reasonText: null,
  actor: null,
  requestedAt: createdAt,
  requestExpiresAt: null,
  decidedBy: null,
  decidedAt: null,
  decisionReason: null,
  attempts: 0,
  askedAt: null,
  settledAt: null,
  failure: null,
})

/** A refund as the provider says that it is now. */
export const followRefund = (before: MoneyBackRecord | null, fact: RefundFact, around: Around): MoneyBackRecord => {
  const known = before ?? ofProvider('refund', fact.providerRefundId, fact.createdAt, around)
  return {
    ...known,
    providerId: fact.providerRefundId,
    // A list does not tell of which invoice it is.
    providerInvoiceId: fact.providerInvoiceId ?? before?.providerInvoiceId ?? null,
    providerIntentId: fact.providerIntentId,
    state: fact.state,
    amount: fact.amount,
    afterPayment: fact.amount,
    currency: fact.currency,
    reason: known.reason ?? fact.reason,
    failure: fact.state === 'failed' || fact.state === 'canceled' ? (fact.failure ?? fact.state) : null,
    settledAt: settledAt(before, fact.state, around.at),
  }
}

/** A credit note as the provider says that it is now. */
export const followCreditNote = (
  before: MoneyBackRecord | null,
  fact: CreditNoteFact,
  around: Around,
): MoneyBackRecord => {
  const known = before ?? ofProvider('credit_note', fact.providerCreditNoteId, fact.createdAt, around)
  return {
    ...known,
    providerId: fact.providerCreditNoteId,
    providerInvoiceId: fact.providerInvoiceId,
    state: fact.state,
    amount: fact.amount,
    beforePayment: fact.beforePayment,
    afterPayment: fact.afterPayment,
    refunded: refundedBy(fact),
    currency: fact.currency,
    target: before?.target ?? targetOf(fact),
    number: fact.number,
    pdfUrl: fact.pdfUrl,
    reason: known.reason ?? fact.reason,
    failure: null,
    settledAt: settledAt(before, fact.state, around.at),
  }
}

const refundedBy = ({ refunds }: CreditNoteFact): bigint => refunds.reduce((sum, { amount }) => sum + amount, 0n)

/** Null where there is nothing after payment, or where it went several ways. */
const targetOf = (fact: CreditNoteFact): CreditTarget | null => {
  const refunded = refundedBy(fact)
  if (fact.afterPayment === 0n) return null
  if (refunded === fact.afterPayment) return 'payment'
  if (fact.outside === fact.afterPayment) return 'outside'
  return refunded === 0n && fact.outside === 0n ? 'balance' : null
}

export type MoneyBackNews = 'issued' | 'updated' | 'failed' | 'voided'

/** What is new about it; null when nothing is. */
export const moneyBackNews = (before: MoneyBackRecord | null, after: MoneyBackRecord): MoneyBackNews | null => {
  if (before !== null && moneyBackDifferences(before, after).length === 0) return null
  const wasThere = before?.providerId !== null && before !== null && !isFailed(before.state)
  if (isFailed(after.state)) return before !== null && before.state === after.state ? 'updated' : 'failed'
  if (after.state === 'void') return before?.state === 'void' ? 'updated' : 'voided'
  return wasThere ? 'updated' : 'issued'
}

const isFailed = (state: MoneyBackState): boolean => state === 'failed' || state === 'canceled'

const told = [
  'providerId',
  'state',
  'amount',
  'currency',
  'beforePayment',
  'afterPayment',
  'refunded',
  'number',
  'pdfUrl',
  'providerIntentId',
  'providerInvoiceId',
  'failure',
] as const

/** The names of what the provider tells and what differs. */
export const moneyBackDifferences = (ours: MoneyBackRecord, theirs: MoneyBackRecord): string[] =>
  told.filter((field) => ours[field] !== theirs[field])
