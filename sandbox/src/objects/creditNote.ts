import type Stripe from 'stripe'
import { markPaid } from '../engine/collect.ts'
import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { newId } from '../store/ids.ts'
import { find, listOf, load, save, type Tx } from '../store/transact.ts'
import { invalid } from '../wire/errors.ts'
import { mergeMetadata, need, textOrNull } from './common.ts'
import { createRefund } from './refund.ts'
import { listObject } from './render.ts'
import type { Customer, Invoice, InvoiceLine, PaymentIntent, Refund, Stored } from './types.ts'

/** Takes back part of a finalised invoice: from what is still owed, or to card, balance or outside for what was paid. */
export function createCreditNote(tx: Tx, params: Stripe.CreditNoteCreateParams): Stored {
  const invoice = need<Invoice>(tx, 'invoice', params.invoice, 'invoice')
  if (invoice.status !== 'open' && invoice.status !== 'paid')
    throw invalid(
      `Credit notes can only be created for open or paid invoices; this one is ${invoice.status}.`,
      'invoice',
    )
  const id = newId('cn')
  const lines = (params.lines ?? []).map((line) => lineOf(tx, line as Stripe.CreditNoteCreateParams.Line))
  const paidBack =
    (params.refund_amount ?? 0) +
    (params.credit_amount ?? 0) +
    (params.out_of_band_amount ?? 0) +
    (params.refunds ?? []).reduce((sum, each) => sum + (each.amount_refunded ?? 0), 0)
  const amount = params.amount ?? (lines.length > 0 ? lines.reduce((sum, line) => sum + line.amount, 0) : paidBack)
  if (amount <= 0)
    throw invalid('You must specify one of `amount`, `lines`, or `shipping_cost`.', 'amount', 'parameter_missing')
  const noted = invoice.pre_payment_credit_notes_amount + invoice.post_payment_credit_notes_amount
  // What was refunded without a note lowers what can still be noted.
  const refunded = refundedWithoutNote(tx, invoice, params)
  if (amount > invoice.total - noted - refunded)
    throw invalid(
      `The sum of credit notes and refunds (${noted + refunded + amount}) cannot be greater than the invoice total (${invoice.total}).`,
      'amount',
    )
  const before = snapshot(tx, invoice)
  const prePayment = invoice.status === 'open' ? Math.min(amount, invoice.amount_remaining) : 0
  const postPayment = amount - prePayment
  if (postPayment > 0 && paidBack !== postPayment)
    throw invalid(
      'The sum of credit amount, refund amount and out of band amount must equal the post payment credit note amount.',
      'amount',
    )
  const refunds = refundsOf(tx, invoice, params)
  if (postPayment > 0 && params.refund_amount && refunds.length === 0)
    throw invalid('This invoice has no payment that could be refunded.', 'refund_amount')
  const toBalance = params.credit_amount ? creditBalance(tx, invoice, id, params.credit_amount) : null
  const count = listOf(tx, 'credit_note', { parent: invoice.id }).length + 1
  const note: Stored = {
    id,
    object: 'credit_note',
    amount,
    amount_shipping: 0,
    created: tx.now,
    currency: invoice.currency,
    customer: invoice.customer,
    customer_account: null,
    customer_balance_transaction: toBalance,
    discount_amount: 0,
    discount_amounts: [],
    effective_at: params.effective_at ?? tx.now,
    invoice: invoice.id,
    lines: listObject(`/v1/credit_notes/${id}/lines`, lines),
    livemode: false,
    memo: textOrNull(params.memo),
    metadata: mergeMetadata({}, params.metadata),
    number: `${invoice.number}-CN-${String(count).padStart(2, '0')}`,
    out_of_band_amount: params.out_of_band_amount ?? null,
    pdf: `${tx.world.url}/i/${invoice._.token}/pdf`,
    post_payment_amount: postPayment,
    pre_payment_amount: prePayment,
    pretax_credit_amounts: [],
    reason: params.reason ?? null,
    refunds,
    shipping_cost: null,
    status: 'issued',
    subtotal: amount,
    subtotal_excluding_tax: amount,
    total: amount,
    total_excluding_tax: amount,
    total_taxes: [],
    type: postPayment === 0 ? 'pre_payment' : prePayment === 0 ? 'post_payment' : 'mixed',
    voided_at: null,
  }
  save(tx, note)
  invoice.pre_payment_credit_notes_amount += prePayment
  invoice.post_payment_credit_notes_amount += postPayment
  if (prePayment > 0) lowerAmount(tx, invoice, -prePayment)
  save(tx, invoice)
  emit(tx, 'credit_note.created', note)
  emitUpdate(tx, 'invoice.updated', invoice, before)
  if (invoice.status === 'open' && invoice.amount_remaining === 0) markPaid(tx, invoice, 0)
  return note
}

export function voidCreditNote(tx: Tx, id: string): Stored {
  const note = need<Stored>(tx, 'credit_note', id)
  if (note.status === 'void') throw invalid('This credit note is already void.')
  const invoice = load<Invoice>(tx, note.invoice as string)
  if (invoice.status !== 'open') throw invalid('You can only void a credit note of an open invoice.')
  note.status = 'void'
  note.voided_at = tx.now
  save(tx, note)
  const amount = note.pre_payment_amount as number
  const before = snapshot(tx, invoice)
  invoice.pre_payment_credit_notes_amount -= amount
  lowerAmount(tx, invoice, amount)
  save(tx, invoice)
  emit(tx, 'credit_note.voided', note)
  emitUpdate(tx, 'invoice.updated', invoice, before)
  return note
}

/** Refunds of its payment that no credit note has made or names. */
function refundedWithoutNote(tx: Tx, invoice: Invoice, params: Stripe.CreditNoteCreateParams): number {
  const intent = invoice._.intent ? find<PaymentIntent>(tx, invoice._.intent) : undefined
  if (!intent?.latest_charge) return 0
  const named = new Set([
    ...(params.refunds ?? []).map((each) => each.refund),
    ...listOf<Stored>(tx, 'credit_note', { parent: invoice.id }).flatMap((note) =>
      (note.refunds as { refund: string }[]).map((each) => each.refund),
    ),
  ])
  return listOf<Refund>(tx, 'refund', { parent: intent.latest_charge })
    .filter((refund) => !named.has(refund.id) && refund.status !== 'failed' && refund.status !== 'canceled')
    .reduce((sum, refund) => sum + refund.amount, 0)
}

function creditBalance(tx: Tx, invoice: Invoice, note: string, amount: number): string {
  const customer = load<Customer>(tx, invoice.customer)
  const before = snapshot(tx, customer)
  customer.balance -= amount
  save(tx, customer)
  emitUpdate(tx, 'customer.updated', customer, before)
  return save(tx, {
    id: newId('cbtxn'),
    object: 'customer_balance_transaction',
    amount: -amount,
    checkout_session: null,
    created: tx.now,
    credit_note: note,
    currency: invoice.currency,
    customer: customer.id,
    customer_account: null,
    description: null,
    ending_balance: customer.balance,
    invoice: invoice.id,
    livemode: false,
    metadata: {},
    type: 'credit_note',
  }).id
}

function lowerAmount(tx: Tx, invoice: Invoice, change: number): void {
  invoice.amount_due += change
  invoice.amount_remaining += change
  const intent = invoice._.intent ? find<PaymentIntent>(tx, invoice._.intent) : undefined
  if (intent && intent.status !== 'succeeded' && intent.status !== 'canceled')
    save(tx, { ...intent, amount: invoice.amount_remaining })
  for (const payment of listOf<Stored>(tx, 'invoice_payment', { parent: invoice.id }))
    if (payment.status === 'open') save(tx, { ...payment, amount_requested: invoice.amount_remaining })
}

function refundsOf(tx: Tx, invoice: Invoice, params: Stripe.CreditNoteCreateParams): Record<string, unknown>[] {
  const given = (params.refunds ?? []).map((each) => ({
    amount_refunded: each.amount_refunded ?? 0,
    payment_record_refund: null,
    refund: each.refund ?? null,
    type: 'refund',
  }))
  if (!params.refund_amount || !invoice._.intent) return given
  const refund = createRefund(tx, { payment_intent: invoice._.intent, amount: params.refund_amount })
  return [
    ...given,
    { amount_refunded: params.refund_amount, payment_record_refund: null, refund: refund.id, type: 'refund' },
  ]
}

function lineOf(tx: Tx, line: Stripe.CreditNoteCreateParams.Line) {
  const billed = line.invoice_line_item
    ? need<InvoiceLine>(tx, 'line_item', line.invoice_line_item, 'lines[0][invoice_line_item]')
    : null
  const quantity = line.quantity ?? (billed ? billed.quantity : 1)
  const unit = line.unit_amount ?? null
  if (line.amount !== undefined && billed && line.amount > billed.amount)
    throw invalid(
      `The amount of the line (${line.amount}) cannot be greater than the amount of the invoice line item (${billed.amount}).`,
      'lines[0][amount]',
    )
  const amount = line.amount ?? (unit !== null ? unit * (quantity ?? 1) : (billed?.amount ?? 0))
  return {
    id: newId('cnli'),
    object: 'credit_note_line_item',
    amount,
    description: line.description ?? billed?.description ?? null,
    discount_amount: 0,
    discount_amounts: [],
    ...(billed ? { invoice_line_item: billed.id } : {}),
    livemode: false,
    metadata: {},
    pretax_credit_amounts: [],
    quantity,
    tax_rates: [],
    taxes: [],
    type: line.type,
    unit_amount: unit,
    unit_amount_decimal: unit === null ? null : String(unit),
  }
}
