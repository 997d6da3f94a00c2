import { attachPaymentMethod } from '../objects/paymentMethod.ts'
import { linesOf } from '../objects/render.ts'
import type { Invoice, PaymentIntent, PaymentMethod } from '../objects/types.ts'
import { find, load, type Tx, transact } from '../store/transact.ts'
import { StripeError } from '../wire/errors.ts'
import type { World } from '../world.ts'
import { methodFor, payInvoice } from './collect.ts'
import { merchantName } from './draftInvoice.ts'
import type { CardInput, HostedInvoiceView, SubmitResult } from './hosted.ts'
import { cardMethod } from './hostedCheckout.ts'
import { savedCard } from './hostedPortal.ts'

export function viewHostedInvoice(world: World, token: string): HostedInvoiceView {
  return transact(world, null, (tx): HostedInvoiceView => {
    const invoice = byToken(tx, token)
    if (!invoice) return { state: 'not_found' }
    const intent = invoice._.intent ? load<PaymentIntent>(tx, invoice._.intent) : null
    const method = methodFor(tx, invoice)
    return {
      state: 'found',
      id: invoice.id,
      number: invoice.number,
      status: invoice.status,
      merchantName,
      customer: { name: invoice.customer_name as string | null, email: invoice.customer_email as string | null },
      createdAt: invoice.created,
      dueAt: invoice.due_date,
      paidAt: invoice.status_transitions.paid_at,
      lines: linesOf(tx, invoice).map((line) => ({
        description: line.description ?? '',
        quantity: line.quantity,
        amount: line.amount,
        period: line.period.start === line.period.end ? null : line.period,
      })),
      subtotal: invoice.subtotal,
      discount: invoice.total_discount_amounts.reduce((sum, each) => sum + each.amount, 0),
      tax: 0,
      total: invoice.total,
      amountPaid: invoice.amount_paid,
      amountDue: invoice.amount_due,
      amountRemaining: invoice.amount_remaining,
      currency: invoice.currency,
      savedCard: method ? savedCard(method, true) : null,
      lastError: (intent?.last_payment_error?.message as string | undefined) ?? null,
    }
  })
}

/** `card: null` pays with the saved card. Success redirects back to the invoice's page. */
export async function payHostedInvoice(world: World, token: string, card: CardInput | null): Promise<SubmitResult> {
  const redirectUrl = `${world.url}/i/${token}`
  return transact(world, null, (tx): SubmitResult => {
    const invoice = byToken(tx, token)
    if (!invoice) return { kind: 'declined', code: 'resource_missing', message: 'There is no such invoice.' }
    if (invoice.status === 'paid') return { kind: 'complete', redirectUrl }
    if (invoice.status !== 'open' && invoice.status !== 'uncollectible')
      return { kind: 'declined', code: 'invoice_not_payable', message: `This invoice is ${invoice.status}.` }
    let method: PaymentMethod | null = null
    if (card) {
      const typed = cardMethod(tx, card)
      if ('kind' in typed) return typed
      try {
        // A new card stays with the customer, so that later invoices can use it.
        method = attachPaymentMethod(tx, typed.id, invoice.customer)
      } catch (error) {
        if (!(error instanceof StripeError)) throw error
        // Cards that refuse to be saved are still tried once, so that the failed attempt is on record.
        method = load<PaymentMethod>(tx, typed.id)
      }
    }
    const outcome = payInvoice(tx, invoice, { method, offSession: false, returnUrl: redirectUrl })
    if (outcome.kind === 'requires_action')
      return { kind: 'requires_action', authenticationId: outcome.authenticationId }
    if (outcome.kind === 'declined')
      return { kind: 'declined', code: outcome.declineCode ?? outcome.code, message: outcome.message }
    return { kind: 'complete', redirectUrl }
  })
}

function byToken(tx: Tx, token: string): Invoice | null {
  const link = find(tx, token)
  return link?.object === 'token.invoice' ? (find<Invoice>(tx, link.invoice as string) ?? null) : null
}
