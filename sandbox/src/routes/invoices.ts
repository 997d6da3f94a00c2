import type Stripe from 'stripe'
import {
  finalizeInvoice,
  markPaid,
  markUncollectible,
  noMethodError,
  payInvoice,
  voidInvoice,
} from '../engine/collect.ts'
import { addLine, draftInvoice, lineOfInvoiceItem, recomputeTotals } from '../engine/draftInvoice.ts'
import { createInvoiceItem } from '../engine/invoiceItem.ts'
import { declinedError } from '../engine/payment.ts'
import { previewInvoice } from '../engine/preview.ts'
import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { assignSent, mergeMetadata, need, textOrNull, within } from '../objects/common.ts'
import { grantDiscount } from '../objects/discount.ts'
import { cardRefused } from '../objects/paymentMethod.ts'
import { amountFor } from '../objects/price.ts'
import { linesOf } from '../objects/render.ts'
import type {
  Customer,
  Invoice,
  InvoiceItem,
  InvoiceLine,
  InvoicePayment,
  PaymentIntent,
  PaymentMethod,
  Price,
  Subscription,
} from '../objects/types.ts'
import { find, listOf, load, remove, save, type Tx } from '../store/transact.ts'
import type { Endpoints } from '../wire/endpoints.ts'
import { invalid } from '../wire/errors.ts'
import { page, pageOf } from '../wire/list.ts'
import { search } from '../wire/search.ts'

export const invoiceRoutes: Endpoints = {
  'POST /v1/invoices': createInvoice,
  'GET /v1/invoices': (tx: Tx, params: Stripe.InvoiceListParams) =>
    page<Invoice>(
      tx,
      '/v1/invoices',
      'invoice',
      params,
      (invoice) =>
        (params.customer === undefined || invoice.customer === params.customer) &&
        (params.subscription === undefined || invoice._.subscription === params.subscription) &&
        (params.status === undefined || invoice.status === params.status) &&
        (params.collection_method === undefined || invoice.collection_method === params.collection_method) &&
        within(invoice.created, params.created) &&
        within(invoice.due_date, params.due_date),
    ),
  'GET /v1/invoices/search': (tx: Tx, params: Stripe.InvoiceSearchParams) =>
    search<Invoice>(tx, '/v1/invoices/search', 'invoice', params),
  'POST /v1/invoices/create_preview': previewInvoice,
  'GET /v1/invoices/{id}': (tx: Tx, _params: unknown, id: string) => need<Invoice>(tx, 'invoice', id),
  'POST /v1/invoices/{id}': updateInvoice,
  'DELETE /v1/invoices/{id}': (tx: Tx, _params: unknown, id: string) => {
    const invoice = need<Invoice>(tx, 'invoice', id)
    if (invoice.status !== 'draft')
      throw invalid(
        'You can only delete draft invoices. You can void an open or uncollectible invoice instead.',
        undefined,
        'invoice_not_editable',
      )
    if (invoice._.subscription) throw invalid('You cannot delete an invoice that belongs to a subscription.')
    for (const item of listOf<InvoiceItem>(tx, 'invoiceitem', { customer: invoice.customer }))
      if (item.invoice === id) remove(tx, item.id)
    emit(tx, 'invoice.deleted', invoice)
    remove(tx, id)
    return { id, object: 'invoice', deleted: true }
  },
  'POST /v1/invoices/{id}/finalize': (tx: Tx, params: Stripe.InvoiceFinalizeInvoiceParams, id: string) => {
    const invoice = need<Invoice>(tx, 'invoice', id)
    if (params.auto_advance !== undefined) invoice.auto_advance = params.auto_advance
    finalizeInvoice(tx, invoice)
    const open = load<Invoice>(tx, id)
    // With auto_advance an hour passes before the first attempt, as after an automatic finalisation.
    if (open.status === 'open' && open.auto_advance && open.collection_method === 'charge_automatically') {
      open.next_payment_attempt = tx.now + tx.world.settings.draftSeconds
      save(tx, open)
    }
    return open
  },
  'POST /v1/invoices/{id}/pay': pay,
  'POST /v1/invoices/{id}/void': (tx: Tx, _params: unknown, id: string) =>
    voidInvoice(tx, need<Invoice>(tx, 'invoice', id)),
  'POST /v1/invoices/{id}/mark_uncollectible': (tx: Tx, _params: unknown, id: string) =>
    markUncollectible(tx, need<Invoice>(tx, 'invoice', id)),
  'POST /v1/invoices/{id}/send': (tx: Tx, _params: unknown, id: string) => {
    const invoice = need<Invoice>(tx, 'invoice', id)
    if (invoice.status === 'draft') finalizeInvoice(tx, invoice)
    const sent = load<Invoice>(tx, id)
    emit(tx, 'invoice.sent', sent)
    return sent
  },
  'GET /v1/invoices/{id}/lines': (tx: Tx, params: Stripe.InvoiceListLineItemsParams, id: string) =>
    pageOf(tx, `/v1/invoices/${id}/lines`, linesOf(tx, need<Invoice>(tx, 'invoice', id)), params),
  'POST /v1/invoices/{id}/add_lines': (tx: Tx, params: Stripe.InvoiceAddLinesParams, id: string) => {
    const invoice = draftOf(tx, id)
    const before = snapshot(tx, invoice)
    for (const line of params.lines) {
      if (line.invoice_item) {
        const item = need<InvoiceItem>(tx, 'invoiceitem', line.invoice_item, 'lines[0][invoice_item]')
        item.invoice = id
        save(tx, item)
        addLine(tx, invoice, lineOfInvoiceItem(tx, item))
      } else
        createInvoiceItem(tx, {
          invoice: id,
          ...(line.amount === undefined ? {} : { amount: line.amount, currency: invoice.currency }),
          ...(line.pricing?.price ? { pricing: { price: line.pricing.price } } : {}),
          ...(line.price_data ? { price_data: line.price_data as { currency: string; product: string } } : {}),
          ...(line.description === undefined ? {} : { description: line.description }),
          ...(line.quantity === undefined ? {} : { quantity: line.quantity }),
          ...(line.period ? { period: line.period } : {}),
          ...(line.metadata ? { metadata: line.metadata } : {}),
          ...(line.discountable === undefined ? {} : { discountable: line.discountable }),
        })
    }
    const changed = recomputeTotals(tx, load<Invoice>(tx, id))
    emitUpdate(tx, 'invoice.updated', changed, before)
    return changed
  },
  'POST /v1/invoices/{id}/remove_lines': (tx: Tx, params: Stripe.InvoiceRemoveLinesParams, id: string) => {
    const invoice = draftOf(tx, id)
    const before = snapshot(tx, invoice)
    for (const { id: lineId, behavior } of params.lines) {
      const line = need<InvoiceLine>(tx, 'line_item', lineId, 'lines[0][id]')
      remove(tx, line.id)
      const item = line._.invoiceItem ? find<InvoiceItem>(tx, line._.invoiceItem) : undefined
      if (item && behavior === 'delete') remove(tx, item.id)
      else if (item) save(tx, { ...item, invoice: null })
    }
    const changed = recomputeTotals(tx, invoice)
    emitUpdate(tx, 'invoice.updated', changed, before)
    return changed
  },
  'POST /v1/invoices/{invoiceId}/lines/{id}': (
    tx: Tx,
    params: Stripe.InvoiceUpdateLineItemParams,
    invoiceId: string,
    id: string,
  ) => {
    const invoice = draftOf(tx, invoiceId)
    const line = need<InvoiceLine>(tx, 'line_item', id)
    changeLine(tx, line, params)
    recomputeTotals(tx, invoice)
    return load<InvoiceLine>(tx, id)
  },
  'POST /v1/invoices/{id}/update_lines': (tx: Tx, params: Stripe.InvoiceUpdateLinesParams, id: string) => {
    const invoice = draftOf(tx, id)
    const before = snapshot(tx, invoice)
    for (const { id: lineId, ...change } of params.lines)
      changeLine(
        tx,
        need<InvoiceLine>(tx, 'line_item', lineId, 'lines[0][id]'),
        change as Stripe.InvoiceUpdateLineItemParams,
      )
    const changed = recomputeTotals(tx, invoice)
    emitUpdate(tx, 'invoice.updated', changed, before)
    return changed
  },

  'POST /v1/invoiceitems': (tx: Tx, params: Stripe.InvoiceItemCreateParams) => createInvoiceItem(tx, params),
  'GET /v1/invoiceitems': (tx: Tx, params: Stripe.InvoiceItemListParams) =>
    page<InvoiceItem>(
      tx,
      '/v1/invoiceitems',
      'invoiceitem',
      params,
      (item) =>
        (params.customer === undefined || item.customer === params.customer) &&
        (params.invoice === undefined || item.invoice === params.invoice) &&
        (params.pending === undefined || (item.invoice === null) === params.pending) &&
        within(item.date, params.created),
    ),
  'GET /v1/invoiceitems/{id}': (tx: Tx, _params: unknown, id: string) => need<InvoiceItem>(tx, 'invoiceitem', id),
  'POST /v1/invoiceitems/{id}': (tx: Tx, params: Stripe.InvoiceItemUpdateParams, id: string) => {
    const item = openItem(tx, id)
    assignSent(item, params, ['amount', 'description', 'discountable', 'period', 'quantity'])
    if (params.quantity !== undefined) {
      item.quantity_decimal = String(params.quantity)
      if (params.amount === undefined && item.pricing)
        item.amount = amountFor(load<Price>(tx, item.pricing.price_details.price), params.quantity)
    }
    item.net_amount = item.amount
    item.metadata = mergeMetadata(item.metadata ?? {}, params.metadata)
    save(tx, item)
    if (item.invoice) {
      const line = linesOf(tx, load<Invoice>(tx, item.invoice)).find((each) => each._.invoiceItem === id)
      if (line) save(tx, { ...line, amount: item.amount, description: item.description, quantity: item.quantity })
      recomputeTotals(tx, load<Invoice>(tx, item.invoice))
    }
    return item
  },
  'DELETE /v1/invoiceitems/{id}': (tx: Tx, _params: unknown, id: string) => {
    const item = openItem(tx, id)
    remove(tx, id)
    if (item.invoice) {
      const invoice = load<Invoice>(tx, item.invoice)
      for (const line of linesOf(tx, invoice)) if (line._.invoiceItem === id) remove(tx, line.id)
      recomputeTotals(tx, invoice)
    }
    emit(tx, 'invoiceitem.deleted', item)
    return { id, object: 'invoiceitem', deleted: true }
  },

  'GET /v1/invoice_payments': (tx: Tx, params: Stripe.InvoicePaymentListParams) =>
    page<InvoicePayment>(
      tx,
      '/v1/invoice_payments',
      'invoice_payment',
      params,
      (payment) =>
        (params.invoice === undefined || payment.invoice === params.invoice) &&
        (params.status === undefined || payment.status === params.status) &&
        (params.payment?.payment_intent === undefined ||
          payment.payment.payment_intent === params.payment.payment_intent),
    ),
  'GET /v1/invoice_payments/{id}': (tx: Tx, _params: unknown, id: string) =>
    need<InvoicePayment>(tx, 'invoice_payment', id),
}

function createInvoice(tx: Tx, params: Stripe.InvoiceCreateParams): Invoice {
  const customer = need<Customer>(tx, 'customer', params.customer, 'customer')
  const subscription = params.subscription
    ? need<Subscription>(tx, 'subscription', params.subscription, 'subscription')
    : null
  const currency = params.currency ?? subscription?.currency ?? customer.currency ?? 'usd'
  // Without `include` only what names this invoice becomes a line; older callers expect the same since 2022.
  const includes = params.pending_invoice_items_behavior === 'include' || subscription !== null
  const pending = includes
    ? listOf<InvoiceItem>(tx, 'invoiceitem', { customer: customer.id })
        .filter(
          (item) =>
            item.invoice === null &&
            item.currency === currency &&
            (subscription ? item._.subscription === subscription.id : item._.subscription === null),
        )
        .reverse()
    : []
  if (subscription && pending.length === 0)
    throw invalid('Nothing to invoice for subscription', undefined, 'invoice_no_subscription_line_items')
  const automatic = params.collection_method !== 'send_invoice'
  const wanted = Array.isArray(params.discounts) ? params.discounts : []
  const advances = params.auto_advance ?? false
  const invoice = draftInvoice(tx, {
    customer,
    subscription: subscription ? { id: subscription.id, metadata: subscription.metadata } : null,
    reason: 'manual',
    currency,
    collectionMethod: automatic ? 'charge_automatically' : 'send_invoice',
    daysUntilDue: params.days_until_due ?? null,
    autoAdvance: advances,
    finalizesAt: params.automatically_finalizes_at ?? tx.now + tx.world.settings.draftSeconds,
    period: { start: tx.now, end: tx.now },
    lines: pending.map((item) => lineOfInvoiceItem(tx, item)),
    discounts: wanted.map((each) => grantDiscount(tx, each, { customer: customer.id }).id),
    defaultPaymentMethod: textOrNull(params.default_payment_method),
    description: textOrNull(params.description),
    metadata: mergeMetadata({}, params.metadata),
    footer: textOrNull(params.footer),
    dueDate: params.due_date ?? null,
  })
  for (const item of pending) save(tx, { ...item, invoice: invoice.id })
  return invoice
}

function updateInvoice(tx: Tx, params: Stripe.InvoiceUpdateParams, id: string): Invoice {
  const invoice = need<Invoice>(tx, 'invoice', id)
  const before = snapshot(tx, invoice)
  const always = new Set(['metadata', 'auto_advance', 'default_payment_method', 'expand', 'description', 'footer'])
  if (invoice.status !== 'draft' && Object.keys(params).some((name) => !always.has(name)))
    throw invalid("Finalized invoices can't be updated in this way", undefined, 'invoice_not_editable')
  assignSent(invoice, params, [
    'auto_advance',
    'collection_method',
    'default_payment_method',
    'description',
    'due_date',
    'footer',
    'custom_fields',
    'automatically_finalizes_at',
  ])
  if (params.auto_advance && invoice.status === 'draft' && invoice.automatically_finalizes_at === null)
    invoice.automatically_finalizes_at = tx.now + tx.world.settings.draftSeconds
  if (params.auto_advance === false) {
    invoice.automatically_finalizes_at = null
    invoice.next_payment_attempt = null
  }
  if (params.days_until_due !== undefined) invoice.due_date = tx.now + params.days_until_due * 86_400
  if (params.discounts !== undefined)
    invoice.discounts = (params.discounts || []).map(
      (each) => grantDiscount(tx, each, { customer: invoice.customer }).id,
    )
  invoice.metadata = mergeMetadata(invoice.metadata, params.metadata)
  save(tx, invoice)
  if (invoice.status === 'draft') recomputeTotals(tx, invoice)
  emitUpdate(tx, 'invoice.updated', invoice, before)
  return invoice
}

function pay(tx: Tx, params: Stripe.InvoicePayParams & { source?: string }, id: string): Invoice {
  const invoice = need<Invoice>(tx, 'invoice', id)
  if (invoice.status === 'paid') throw invalid('Invoice is already paid', undefined, 'invoice_already_paid')
  if (invoice.status === 'void')
    throw invalid('You cannot pay an invoice that has been voided.', undefined, 'invoice_not_editable')
  if (invoice.status === 'draft') finalizeInvoice(tx, invoice)
  const open = load<Invoice>(tx, id)
  if (open.status === 'paid') return open
  if (params.paid_out_of_band) {
    markPaid(tx, open, open.amount_remaining, undefined, true)
    return load<Invoice>(tx, id)
  }
  const method = params.payment_method
    ? need<PaymentMethod>(tx, 'payment_method', params.payment_method, 'payment_method')
    : null
  const outcome = payInvoice(tx, open, { method, offSession: params.off_session ?? true })
  if (outcome.kind === 'declined') {
    if (outcome.code === 'resource_missing') throw noMethodError()
    throw declinedError(tx, outcome, load<PaymentIntent>(tx, open._.intent!))
  }
  if (outcome.kind === 'requires_action')
    throw Object.assign(
      cardRefused(
        'invoice_payment_intent_requires_action',
        null,
        'This payment requires additional user action before it can be completed successfully. Payment can be completed using the PaymentIntent associated with the invoice.',
      ),
      { keep: true },
    )
  return load<Invoice>(tx, id)
}

function draftOf(tx: Tx, id: string): Invoice {
  const invoice = need<Invoice>(tx, 'invoice', id)
  if (invoice.status !== 'draft') throw invalid('This invoice is no longer editable', undefined, 'invoice_not_editable')
  return invoice
}

function openItem(tx: Tx, id: string): InvoiceItem {
  const item = need<InvoiceItem>(tx, 'invoiceitem', id)
  const invoice = item.invoice ? find<Invoice>(tx, item.invoice) : undefined
  if (invoice && invoice.status !== 'draft')
    throw invalid(
      'This invoice item is attached to an invoice that is no longer editable.',
      undefined,
      'invoice_not_editable',
    )
  return item
}

function changeLine(tx: Tx, line: InvoiceLine, params: Stripe.InvoiceUpdateLineItemParams): void {
  assignSent(line, params, ['amount', 'description', 'discountable', 'period', 'quantity'])
  if (params.quantity !== undefined) line.quantity_decimal = String(params.quantity)
  line.metadata = mergeMetadata(line.metadata ?? {}, params.metadata)
  save(tx, line)
}
