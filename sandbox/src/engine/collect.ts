import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { createIntent } from '../objects/paymentIntent.ts'
import type { Customer, Invoice, InvoicePayment, PaymentIntent, PaymentMethod, Subscription } from '../objects/types.ts'
import { newId } from '../store/ids.ts'
import { find, listOf, load, save, type Tx } from '../store/transact.ts'
import { invalid, type StripeError } from '../wire/errors.ts'
import { recomputeTotals } from './draftInvoice.ts'
import { cancelIntent, confirmIntent, type Outcome } from './payment.ts'
import {
  afterInvoiceClosed,
  afterInvoiceFailed,
  afterInvoicePaid,
  afterInvoiceProcessing,
  afterInvoiceRequiresAction,
} from './settle.ts'

/** Stripe does not charge less than this; such an amount waits on the customer's balance. */
const minimumCharge = 50

/** Draft → open: number, copied customer data, payment intent, pages. What is not due is paid at once. */
export function finalizeInvoice(tx: Tx, invoice: Invoice): Invoice {
  if (invoice.status !== 'draft')
    throw invalid(
      "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
      undefined,
      'invoice_not_editable',
    )
  recomputeTotals(tx, invoice)
  const customer = load<Customer>(tx, invoice.customer)
  const customerBefore = snapshot(tx, customer)
  const before = snapshot(tx, invoice)
  invoice.status = 'open'
  invoice.number = `${customer.invoice_prefix}-${String(customer.next_invoice_sequence).padStart(4, '0')}`
  customer.next_invoice_sequence += 1
  customer.currency ??= invoice.currency
  invoice.automatically_finalizes_at = null
  invoice.next_payment_attempt = null
  invoice.effective_at = tx.now
  invoice.status_transitions.finalized_at = tx.now
  invoice.webhooks_delivered_at ??= tx.now
  invoice.customer_email = customer.email
  invoice.customer_name = customer.name
  invoice.customer_address = customer.address
  invoice.hosted_invoice_url = `${tx.world.url}/i/${invoice._.token}`
  invoice.invoice_pdf = `${tx.world.url}/i/${invoice._.token}/pdf`
  const owed = invoice.total + customer.balance
  const tooSmall = owed > 0 && owed < minimumCharge
  invoice.starting_balance = customer.balance
  customer.balance = owed < 0 || tooSmall ? owed : 0
  invoice.ending_balance = customer.balance
  invoice.amount_due = owed < minimumCharge ? 0 : owed
  invoice.amount_remaining = invoice.amount_due
  save(tx, customer)
  save(tx, invoice)
  emitUpdate(tx, 'invoice.finalized', invoice, before)
  if (invoice.amount_due > 0) {
    const intent = createIntent(tx, {
      amount: invoice.amount_due,
      currency: invoice.currency,
      customer: customer.id,
      description: intentDescription(invoice),
      setup_future_usage: invoice._.subscription ? 'off_session' : null,
      invoice: invoice.id,
    })
    invoice._.intent = intent.id
    save(tx, invoice)
    save(tx, {
      id: newId('inpay'),
      object: 'invoice_payment',
      amount_paid: null,
      amount_requested: invoice.amount_due,
      created: tx.now,
      currency: invoice.currency,
      invoice: invoice.id,
      is_default: true,
      livemode: false,
      payment: { payment_intent: intent.id, type: 'payment_intent' },
      status: 'open',
      status_transitions: { canceled_at: null, paid_at: null },
    })
  }
  if (customer.balance !== customerBefore.balance) emitUpdate(tx, 'customer.updated', customer, customerBefore)
  if (invoice.amount_due === 0) markPaid(tx, invoice, 0)
  return invoice
}

export type Paying = {
  method?: PaymentMethod | null
  offSession: boolean
  authentication?: 'approved' | 'failed'
  returnUrl?: string | null
  session?: string | null
  /** Retries of dunning go on; a payment tried by hand does not move their plan. */
  scheduled?: boolean
}

/** One attempt to collect an open invoice. */
export function payInvoice(tx: Tx, invoice: Invoice, paying: Paying): Outcome {
  if (invoice.amount_remaining === 0) {
    markPaid(tx, invoice, 0)
    return { kind: 'succeeded' }
  }
  const method = paying.method ?? methodFor(tx, invoice)
  const intent = load<PaymentIntent>(tx, invoice._.intent!)
  const before = snapshot(tx, invoice)
  invoice.attempted = true
  if (!method) {
    invoice.attempt_count += 1
    afterInvoiceFailed(tx, invoice, before, paying.scheduled ?? false, false)
    return { kind: 'declined', code: 'resource_missing', declineCode: null, message: noMethod, charge: null }
  }
  const outcome = confirmIntent(tx, intent, { ...paying, method })
  if (outcome.kind === 'succeeded') {
    invoice.attempt_count += 1
    markPaid(tx, invoice, invoice.amount_remaining, before)
  } else if (outcome.kind === 'requires_action') {
    afterInvoiceRequiresAction(tx, invoice, before, paying)
  } else if (outcome.kind === 'processing') {
    afterInvoiceProcessing(tx, invoice, before)
  } else {
    invoice.attempt_count += 1
    afterInvoiceFailed(tx, invoice, before, paying.scheduled ?? false)
  }
  return outcome
}

const noMethod =
  'This customer has no attached payment source or default payment method. Please consider adding a default payment method. For more information, visit https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.'

export function noMethodError(): StripeError {
  return invalid(noMethod, undefined, 'resource_missing')
}

/** Money arrived for an invoice whose intent was confirmed outside of it, by the browser or by the bank's answer. */
export function settleIntent(tx: Tx, intent: PaymentIntent, outcome: Outcome, scheduled = false): void {
  const invoice = intent._.invoice ? find<Invoice>(tx, intent._.invoice) : undefined
  if (!invoice || (invoice.status !== 'open' && invoice.status !== 'uncollectible')) return
  const before = snapshot(tx, invoice)
  invoice.attempted = true
  if (outcome.kind === 'succeeded') {
    invoice.attempt_count += 1
    markPaid(tx, invoice, invoice.amount_remaining, before)
  } else if (outcome.kind === 'declined') {
    invoice.attempt_count += 1
    afterInvoiceFailed(tx, invoice, before, scheduled)
  }
}

export function markPaid(
  tx: Tx,
  invoice: Invoice,
  amount: number,
  before = snapshot(tx, invoice),
  outOfBand = false,
): void {
  invoice.status = 'paid'
  invoice.amount_paid += amount
  invoice.amount_remaining = 0
  invoice.auto_advance = false
  invoice.next_payment_attempt = null
  invoice.status_transitions.paid_at = tx.now
  const payments = listOf<InvoicePayment>(tx, 'invoice_payment', { parent: invoice.id })
  for (const payment of payments) {
    if (payment.status !== 'open') continue
    payment.status = outOfBand || amount === 0 ? 'canceled' : 'paid'
    if (payment.status === 'paid') {
      payment.amount_paid = payment.amount_requested
      payment.status_transitions.paid_at = tx.now
    } else payment.status_transitions.canceled_at = tx.now
    save(tx, payment)
  }
  if (outOfBand && invoice._.intent) cancelIntent(tx, load<PaymentIntent>(tx, invoice._.intent), 'automatic')
  save(tx, invoice)
  if (amount > 0 && invoice.billing_reason !== 'subscription_create') emitUpdate(tx, 'invoice.updated', invoice, before)
  emit(tx, 'invoice.paid', invoice)
  if (!outOfBand) emit(tx, 'invoice.payment_succeeded', invoice)
  afterInvoicePaid(tx, invoice)
  for (const payment of payments) if (payment.status === 'paid') emit(tx, 'invoice_payment.paid', payment)
}

export function voidInvoice(tx: Tx, invoice: Invoice): Invoice {
  if (invoice.status !== 'open' && invoice.status !== 'uncollectible')
    throw invalid(
      "You can only pass in open or uncollectible invoices. This invoice isn't open.",
      undefined,
      'invoice_not_editable',
    )
  closePayments(tx, invoice, 'void_invoice')
  invoice.status = 'void'
  invoice.status_transitions.voided_at = tx.now
  // A voided invoice takes back what it took from the customer's balance.
  const customer = load<Customer>(tx, invoice.customer)
  const applied = invoice.starting_balance - (invoice.ending_balance ?? invoice.starting_balance)
  if (applied !== 0) {
    const before = snapshot(tx, customer)
    customer.balance += applied
    save(tx, customer)
    emitUpdate(tx, 'customer.updated', customer, before)
  }
  save(tx, invoice)
  emit(tx, 'invoice.voided', invoice)
  afterInvoiceClosed(tx, invoice)
  return invoice
}

export function markUncollectible(tx: Tx, invoice: Invoice): Invoice {
  if (invoice.status !== 'open')
    throw invalid("You can only pass in open invoices. This invoice isn't open.", undefined, 'invoice_not_editable')
  invoice.status = 'uncollectible'
  invoice.status_transitions.marked_uncollectible_at = tx.now
  invoice.next_payment_attempt = null
  invoice.auto_advance = false
  save(tx, invoice)
  emit(tx, 'invoice.marked_uncollectible', invoice)
  afterInvoiceClosed(tx, invoice)
  return invoice
}

/** The invoice's own method first, then the subscription's, then the customer's. */
export function methodFor(tx: Tx, invoice: Invoice): PaymentMethod | null {
  const subscription = invoice._.subscription ? find<Subscription>(tx, invoice._.subscription) : undefined
  return methodOf(tx, invoice.customer, [invoice.default_payment_method, subscription?.default_payment_method ?? null])
}

export function methodOf(tx: Tx, customerId: string, preferred: (string | null)[]): PaymentMethod | null {
  const customer = load<Customer>(tx, customerId)
  for (const id of [...preferred, customer.invoice_settings.default_payment_method]) {
    const method = id ? find<PaymentMethod>(tx, id) : undefined
    if (method?.customer === customerId) return method
  }
  return null
}

function closePayments(tx: Tx, invoice: Invoice, reason: string): void {
  if (invoice._.intent) cancelIntent(tx, load<PaymentIntent>(tx, invoice._.intent), reason)
  for (const payment of listOf<InvoicePayment>(tx, 'invoice_payment', { parent: invoice.id })) {
    if (payment.status !== 'open') continue
    payment.status = 'canceled'
    payment.status_transitions.canceled_at = tx.now
    save(tx, payment)
  }
  invoice.next_payment_attempt = null
  invoice.auto_advance = false
}

function intentDescription(invoice: Invoice): string | null {
  const known: Record<string, string> = {
    subscription_create: 'Subscription creation',
    subscription_update: 'Subscription update',
    subscription_cycle: 'Subscription update',
  }
  const ownWords = typeof invoice.description === 'string' ? invoice.description : null
  return (
    known[invoice.billing_reason] ?? ownWords ?? (invoice.billing_reason === 'manual' ? 'Payment for Invoice' : null)
  )
}
