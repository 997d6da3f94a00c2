import type { CreditNoteFact, RefundFact } from '../payments/index.ts'
import { followCreditNote, followRefund, type MoneyBackRecord, moneyBackDifferences } from '../refunds/index.ts'
import type { Difference } from './finding.ts'

type Around = Parameters<typeof followRefund>[2]

/** A refund there against the one here (INV-2). */
export const compareRefund = (ours: MoneyBackRecord | null, fact: RefundFact, around: Around): Difference[] =>
  differences('refund_differs', ours, followRefund(ours, fact, around))

/** A credit note there against the one here (INV-2). */
export const compareCreditNote = (ours: MoneyBackRecord | null, fact: CreditNoteFact, around: Around): Difference[] =>
  differences('credit_note_differs', ours, followCreditNote(ours, fact, around))

/** What was agreed to, and after a long time the provider still does not know of it. */
export const compareStuckMoneyBack = (stuck: readonly MoneyBackRecord[]): Difference[] =>
  stuck.map((record) => ({
    kind: 'money_back_stuck',
    object: record.moneyBackId,
    here: { state: record.state, attempts: record.attempts, askedAt: record.askedAt?.toString() ?? null },
    there: null,
    repair: 'mirror_money_back',
  }))

const differences = (
  kind: 'refund_differs' | 'credit_note_differs',
  ours: MoneyBackRecord | null,
  theirs: MoneyBackRecord,
): Difference[] => {
  const fields = ours === null ? (['state', 'amount', 'currency'] as const) : moneyBackDifferences(ours, theirs)
  if (fields.length === 0) return []
  const pick = (record: MoneyBackRecord) =>
    Object.fromEntries(
      fields.map((field) => {
        const value = record[field as keyof MoneyBackRecord]
        return [field, typeof value === 'bigint' ? String(value) : value]
      }),
    )
  // By the provider's id: what is not here has none of ours yet.
  return [
    { kind, object: theirs.providerId!, here: ours && pick(ours), there: pick(theirs), repair: 'mirror_money_back' },
  ]
}
