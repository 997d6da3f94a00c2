import { canonicalJson } from '../../core/canonical.ts'
import type { InvoiceFact } from '../payments/index.ts'

export type InvoiceNews = 'paid' | 'payment_failed' | 'updated'

/** Terminal for a mirror: a later, slower look at the invoice cannot take a payment back. */
const isFinal = (status: InvoiceFact['status']): boolean => status === 'paid' || status === 'void'

/**
 * What is new about an invoice: each attempt that failed once, the payment once, other differences as an update; null when
 * the fact brings nothing new or would move a final invoice backwards.
 */
export const invoiceNews = (before: InvoiceFact | null, after: InvoiceFact): InvoiceNews | null => {
  if (before && isFinal(before.status) && !isFinal(after.status)) return null
  if (after.status === 'paid') return before?.status === 'paid' ? (isEqual(before, after) ? null : 'updated') : 'paid'
  const failed = after.attemptCount > (before?.attemptCount ?? 0) || (after.actionRequired && !before?.actionRequired)
  if (after.status === 'open' && failed) return 'payment_failed'
  return before && isEqual(before, after) ? null : 'updated'
}

const told = [
  'number',
  'status',
  'amountDue',
  'amountPaid',
  'attemptCount',
  'nextAttemptAt',
  'actionRequired',
  'hostedInvoiceUrl',
  'period',
  'finalizedAt',
  'subtotal',
  'discount',
  'tax',
  'total',
  'amountRemaining',
  'creditedBeforePayment',
  'creditedAfterPayment',
  'pdfUrl',
  'lines',
  'payments',
] as const satisfies readonly (keyof InvoiceFact)[]

const textOf = (value: unknown): string =>
  canonicalJson(JSON.parse(JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? String(inner) : inner))))

/** Which fields differ. By what a payment was made is not always told; that it is not told is no difference. */
const differences = (before: InvoiceFact, after: InvoiceFact): (typeof told)[number][] => {
  const methods = new Map(before.payments.map((payment) => [payment.providerPaymentId, payment.providerMethodId]))
  const inOrder = (payments: InvoiceFact['payments']) =>
    payments.toSorted((a, b) => (a.providerPaymentId < b.providerPaymentId ? -1 : 1))
  const filled = {
    ...after,
    payments: inOrder(
      after.payments.map((payment) => ({
        ...payment,
        providerMethodId: payment.providerMethodId ?? methods.get(payment.providerPaymentId) ?? null,
      })),
    ),
  }
  const known = { ...before, payments: inOrder(before.payments) }
  return told.filter((field) => textOf(known[field] ?? null) !== textOf(filled[field] ?? null))
}
const isEqual = (a: InvoiceFact, b: InvoiceFact): boolean => differences(a, b).length === 0

/** The names of what differs between a mirror and its invoice, whichever is newer. */
export const invoiceDifferences = (ours: InvoiceFact, theirs: InvoiceFact): string[] =>
  // What a payment waits for is told by an invoice fetched on its own, not by a list.
  differences(ours, theirs).filter((field) => field !== 'actionRequired')
