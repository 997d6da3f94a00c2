import type { InvoiceFact } from '../payments/index.ts'
import type { Terms } from './terms.ts'

/**
 * How much of what was billed for usage an invoice lets the house give back by a credit note without asking anybody: no more
 * than is paid or owed of it, nor than that usage still comes to on it. Nothing where a tax or a discount fell on the lines:
 * what of it goes back with a part of a line is the provider's to say, and it does with the next invoice.
 */
export const creditableBy = (invoice: InvoiceFact, terms: Terms, billedMinor: bigint): bigint => {
  if (invoice.tax !== 0n || invoice.discount !== 0n) return 0n
  const { available } = invoice.status === 'open' ? terms.creditOwed : terms.creditPaid
  const most = available < billedMinor ? available : billedMinor
  return most > 0n ? most : 0n
}
