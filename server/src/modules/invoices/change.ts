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

const substance = ({
  number,
  status,
  amountDue,
  amountPaid,
  attemptCount,
  nextAttemptAt,
  actionRequired,
  hostedInvoiceUrl,
  period,
  finalizedAt,
}: InvoiceFact) => ({
  number,
  status,
  amountDue: String(amountDue),
  amountPaid: String(amountPaid),
  attemptCount,
  nextAttemptAt,
  actionRequired,
  hostedInvoiceUrl,
  period,
  finalizedAt,
})
const isEqual = (a: InvoiceFact, b: InvoiceFact): boolean => canonicalJson(substance(a)) === canonicalJson(substance(b))

/** The names of what differs between a mirror and its invoice, whichever is newer. */
export const invoiceDifferences = (ours: InvoiceFact, theirs: InvoiceFact): string[] => {
  const [mine, yours] = [substance(ours), substance(theirs)]
  // What a payment waits for is told by an invoice fetched on its own, not by a list.
  return (Object.keys(mine) as (keyof typeof mine)[]).filter(
    (field) => field !== 'actionRequired' && canonicalJson(mine[field]) !== canonicalJson(yours[field]),
  )
}
