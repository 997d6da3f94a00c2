import type Stripe from 'stripe'
import type { InvoiceFact } from '../../modules/payments/index.ts'
import { orMissing } from './client.ts'
import { list } from './shape.ts'
import { invoiceFact } from './translate-invoice.ts'

export type InvoiceReader = (invoice: Stripe.Invoice, ask: Ask) => Promise<InvoiceFact>
/** How a request is made: at once, or when it is its turn. */
export type Ask = <T>(what: string, request: () => Promise<T>) => Promise<T>

// The most that Stripe gives in one page.
const limit = 100

/**
 * Reads an invoice as a whole: lines and payments beyond the first page, and the lookup keys of the prices that its lines
 * name by id. A price is asked for once: its lookup key is set when it is made.
 */
export const createInvoiceReader = (stripe: Stripe): InvoiceReader => {
  const lookupKeys = new Map<string, string | null>()

  const linesOf = async (invoice: Stripe.Invoice, ask: Ask): Promise<Stripe.InvoiceLineItem[]> => {
    const lines = invoice.lines === undefined ? [] : list(invoice.lines?.data, 'the lines of an invoice')
    return invoice.lines?.has_more && invoice.id
      ? theRest(lines, (after) =>
          ask('invoices.listLineItems', () =>
            stripe.invoices.listLineItems(invoice.id!, { limit, starting_after: after }),
          ),
        )
      : lines
  }

  const paymentsOf = async (invoice: Stripe.Invoice, ask: Ask): Promise<Stripe.InvoicePayment[]> => {
    const payments = invoice.payments?.data ?? []
    return invoice.payments?.has_more && invoice.id
      ? theRest(payments, (after) =>
          ask('invoicePayments.list', () =>
            stripe.invoicePayments.list({
              invoice: invoice.id!,
              limit,
              starting_after: after,
              expand: ['data.payment.payment_intent'],
            }),
          ),
        )
      : payments
  }

  return async (invoice, ask) => {
    const lines = await linesOf(invoice, ask)
    for (const priceId of lines.flatMap(({ pricing }) => pricing?.price_details?.price ?? [])) {
      if (typeof priceId !== 'string' || lookupKeys.has(priceId)) continue
      const price = await ask('prices.retrieve', () => orMissing(stripe.prices.retrieve(priceId)))
      lookupKeys.set(priceId, price?.lookup_key ?? null)
    }
    return invoiceFact(invoice, {
      lines,
      payments: await paymentsOf(invoice, ask),
      lookupKeyOf: (priceId) => lookupKeys.get(priceId) ?? null,
    })
  }
}

const theRest = async <T extends { id: string }>(
  first: readonly T[],
  ask: (after: string) => Promise<{ data: T[]; has_more: boolean }>,
): Promise<T[]> => {
  const all = [...first]
  for (let more = true; more && all.length > 0; ) {
    const page = await ask(all.at(-1)!.id)
    all.push(...page.data)
    more = page.has_more
  }
  return all
}
