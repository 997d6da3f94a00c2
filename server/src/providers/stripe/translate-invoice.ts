import type Stripe from 'stripe'
import type { Period } from '../../core/period.ts'
import type { InvoiceFact, InvoiceLineFact, PaymentFact } from '../../modules/payments/index.ts'
import { currency, decimal, idOf, instant, instantOrNull, list, name, signed, unusable, whole } from './shape.ts'

const invoiceStatuses = ['draft', 'open', 'paid', 'uncollectible', 'void'] as const

/** What an invoice itself shows only the beginning of. */
export type InvoiceDetails = {
  lines: Stripe.InvoiceLineItem[]
  payments: Stripe.InvoicePayment[]
  lookupKeyOf(priceId: string): string | null
}

const ofItself = (invoice: Stripe.Invoice): InvoiceDetails => ({
  lines: invoice.lines === undefined ? [] : list(invoice.lines?.data, 'the lines of an invoice'),
  payments: invoice.payments?.data ?? [],
  lookupKeyOf: () => null,
})

type InvoiceShapes = Stripe.Invoice & {
  tax?: number | null
  subscription?: string | { id: string } | null
  parent?: { subscription_details?: { subscription?: string | { id: string } } | null } | null
}

/** Stripe's invoice in our words: both shapes of its subscription reference, the service period from the lines. */
export const invoiceFact = (invoice: Stripe.Invoice, more: InvoiceDetails = ofItself(invoice)): InvoiceFact => {
  const shaped = invoice as InvoiceShapes
  const customer = idOf(invoice.customer as string | { id: string } | null)
  const status = invoiceStatuses.find((known) => known === invoice.status)
  if (customer === null || !status) throw unusable(`an invoice of ${customer} in status ${invoice.status}`)
  const subscription = idOf(shaped.parent?.subscription_details?.subscription) ?? idOf(shaped.subscription)
  return {
    providerInvoiceId: name(invoice.id, 'the id of an invoice'),
    providerCustomerId: customer,
    providerSubscriptionId: subscription,
    number: invoice.number ?? null,
    status,
    billingReason: invoice.billing_reason ?? 'manual',
    amountDue: BigInt(whole(invoice.amount_due, 'the amount due')),
    amountPaid: BigInt(whole(invoice.amount_paid, 'the amount paid')),
    currency: currency(invoice.currency, 'the currency of an invoice'),
    attemptCount: whole(invoice.attempt_count ?? 0, 'the count of attempts'),
    nextAttemptAt: instantOrNull(invoice.next_payment_attempt, 'the next attempt'),
    actionRequired: invoice.status === 'open' && invoice.attempted && waitsForCustomer(invoice, more.payments),
    hostedInvoiceUrl: invoice.hosted_invoice_url ?? null,
    period: servicePeriod(more.lines),
    createdAt: instant(invoice.created, 'the time of an invoice'),
    finalizedAt: instantOrNull(invoice.status_transitions?.finalized_at, 'when an invoice was finalized'),
    ...amountsOf(shaped),
    pdfUrl: invoice.invoice_pdf ?? null,
    lines: more.lines.map((line) => lineFact(line, more.lookupKeyOf)),
    payments: more.payments.map(paymentFact),
  }
}

type IntentShape = { status?: string; last_payment_error?: { code?: string; decline_code?: string } | null }

/**
 * The bank asks for the customer: nothing counted as an attempt though one was made, or a payment says so. Payments are
 * there when an invoice was fetched on its own.
 */
const waitsForCustomer = (invoice: Stripe.Invoice, payments: readonly Stripe.InvoicePayment[]): boolean => {
  const intents = payments.flatMap(({ payment }) =>
    typeof payment?.payment_intent === 'object' && payment.payment_intent !== null
      ? [payment.payment_intent as unknown as IntentShape]
      : [],
  )
  return (
    invoice.attempt_count === 0 ||
    intents.some(
      ({ status, last_payment_error: error }) =>
        status === 'requires_action' ||
        error?.code === 'authentication_required' ||
        error?.decline_code === 'authentication_required',
    )
  )
}

const servicePeriod = (lines: readonly Stripe.InvoiceLineItem[]): Period | null => {
  const periods = lines.map((line) => line.period)
  if (periods.length === 0) return null
  const start = Math.min(...periods.map((period) => whole(period?.start, 'the start of a line')))
  const end = Math.max(...periods.map((period) => whole(period?.end, 'the end of a line')))
  return { start: instant(start, 'the start of a line'), end: instant(end, 'the end of a line') }
}

const amountsOf = (invoice: InvoiceShapes) => {
  const sum = (parts: { amount?: number }[] | null | undefined, what: string): bigint =>
    (parts ?? []).reduce((total, part) => total + BigInt(whole(part.amount, what)), 0n)
  return {
    subtotal: BigInt(signed(invoice.subtotal ?? 0, 'a subtotal')),
    discount: sum(invoice.total_discount_amounts, 'a discount'),
    // One number until basil, one entry for each rate since.
    tax: invoice.total_taxes
      ? invoice.total_taxes.reduce((total, { amount }) => total + BigInt(signed(amount, 'a tax')), 0n)
      : BigInt(signed(invoice.tax ?? 0, 'a tax')),
    total: BigInt(signed(invoice.total ?? invoice.amount_due, 'a total')),
    amountRemaining: BigInt(whole(invoice.amount_remaining ?? 0, 'what remains to be paid')),
    creditedBeforePayment: BigInt(whole(invoice.pre_payment_credit_notes_amount ?? 0, 'what was credited')),
    creditedAfterPayment: BigInt(whole(invoice.post_payment_credit_notes_amount ?? 0, 'what was credited')),
  }
}

type LineShapes = Stripe.InvoiceLineItem & {
  price?: { lookup_key?: string | null } | null
  proration?: boolean
  parent?: Record<string, { proration?: boolean } | unknown> | null
}

const lineFact = (line: Stripe.InvoiceLineItem, lookupKeyOf: InvoiceDetails['lookupKeyOf']): InvoiceLineFact => {
  const shaped = line as LineShapes
  const parents = Object.values(shaped.parent ?? {}) as ({ proration?: boolean } | string | null)[]
  const price = line.pricing?.price_details?.price
  const quantity = line.quantity_decimal ?? line.quantity
  return {
    providerLineId: name(line.id, 'the id of a line'),
    description: line.description ?? null,
    amount: BigInt(signed(line.amount, 'the amount of a line')),
    quantity: quantity === null || quantity === undefined ? null : decimal(String(quantity), 'the quantity of a line'),
    period: {
      start: instant(line.period?.start, 'the start of a line'),
      end: instant(line.period?.end, 'the end of a line'),
    },
    proration:
      shaped.proration === true ||
      parents.some((parent) => typeof parent === 'object' && parent !== null && parent.proration === true),
    lookupKey:
      typeof price === 'string'
        ? lookupKeyOf(price)
        : ((price as { lookup_key?: string | null } | undefined)?.lookup_key ?? shaped.price?.lookup_key ?? null),
    lineId: line.metadata?.turnpike_line ?? null,
  }
}

const paymentStatuses = ['open', 'paid', 'canceled'] as const

const paymentFact = (payment: Stripe.InvoicePayment): PaymentFact => {
  const status = paymentStatuses.find((known) => known === payment.status)
  if (!status) throw unusable(`a payment in status ${payment.status}`)
  const intent = payment.payment?.payment_intent
  return {
    providerPaymentId: name(payment.id, 'the id of a payment'),
    status,
    amount: BigInt(whole(payment.amount_paid ?? payment.amount_requested, 'the amount of a payment')),
    providerIntentId: idOf(intent),
    providerMethodId: typeof intent === 'object' && intent !== null ? idOf(intent.payment_method) : null,
    paidAt: instantOrNull(payment.status_transitions?.paid_at, 'the time of a payment'),
    createdAt: instant(payment.created, 'the time of a payment'),
  }
}
