import type { InvoiceFact } from '../payments/index.ts'
import type { Difference } from './finding.ts'

/** A line of ours that is said to be on an invoice. */
type PlacedLine = { lineId: string; name: string; amountMinor: bigint; providerInvoiceId: string }

/**
 * Our lines on invoices against what the invoices have (INV-1): one that is not there, is there twice, or is of another
 * amount. Only invoices that were seen whole are looked at; a person decides, because money hangs on it.
 */
export const compareChargeLines = (
  ours: readonly PlacedLine[],
  theirs: ReadonlyMap<string, Pick<InvoiceFact, 'lines' | 'status'>>,
): Difference[] =>
  ours.flatMap(({ lineId, name, amountMinor, providerInvoiceId }): Difference[] => {
    const invoice = theirs.get(providerInvoiceId)
    if (!invoice) return []
    const found = invoice.lines.filter((line) => line.lineId === lineId)
    if (found.length === 1 && found[0]!.amount === amountMinor) return []
    return [
      {
        kind: 'charge_line_differs',
        object: lineId,
        here: { name, amountMinor: String(amountMinor), invoice: providerInvoiceId },
        there: { lines: found.map(({ amount }) => String(amount)), status: invoice.status },
        repair: 'by_hand',
      },
    ]
  })
