import { findingKinds } from '@turnpike/contract'
import { type InvoiceRecord, invoiceDifferences } from '../invoices/index.ts'
import type { InvoiceFact, ListedInvoice } from '../payments/index.ts'
import type { Difference } from './finding.ts'

/** One invoice here against the same one there (REC-2). `theirs` is null when the provider positively does not have it. */
export const compareInvoice = (ours: InvoiceRecord | null, theirs: ListedInvoice | null): Difference[] => {
  if (theirs === null)
    // A void mirror of what is gone says the same.
    return ours && ours.status !== 'void'
      ? [difference('invoice_missing_at_provider', ours.providerInvoiceId, summary(ours), null)]
      : []
  if (theirs.fact === null) return []
  if (ours === null) return [difference('invoice_missing_here', theirs.providerInvoiceId, null, summary(theirs.fact))]
  // Addresses of hosted pages are made anew from time to time.
  const fields = invoiceDifferences(ours, theirs.fact).filter((field) => field !== 'hostedInvoiceUrl')
  return fields.length === 0
    ? []
    : [difference('invoice_differs', ours.providerInvoiceId, pick(ours, fields), pick(theirs.fact, fields))]
}

const difference = (
  kind: 'invoice_missing_here' | 'invoice_differs' | 'invoice_missing_at_provider',
  object: string,
  here: Difference['here'],
  there: Difference['there'],
): Difference => ({ kind, object, here, there, repair: findingKinds[kind].repair })

const pick = (invoice: InvoiceFact, fields: readonly string[]): Record<string, unknown> =>
  JSON.parse(
    JSON.stringify(
      Object.fromEntries(fields.map((field) => [field, invoice[field as keyof InvoiceFact]])),
      (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
    ),
  ) as Record<string, unknown>

const summary = (invoice: InvoiceFact): Record<string, unknown> =>
  pick(invoice, ['number', 'status', 'amountDue', 'amountPaid', 'currency'])
