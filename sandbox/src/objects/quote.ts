import type Stripe from 'stripe'
import { draftInvoice } from '../engine/draftInvoice.ts'
import { createInvoiceItem } from '../engine/invoiceItem.ts'
import { subscribe } from '../engine/subscribe.ts'
import { emit } from '../events/emit.ts'
import { newId } from '../store/ids.ts'
import { load, remove, save, type Tx } from '../store/transact.ts'
import { invalid } from '../wire/errors.ts'
import { mergeMetadata, need, textOrNull } from './common.ts'
import { grantDiscount, usableCode, usableCoupon } from './discount.ts'
import { addLineItem, type LineItemParams, lineItemsOf, sumLineItems } from './lineItems.ts'
import type { CheckoutItem, Coupon, Customer, Price, Quote } from './types.ts'

const lifetime = 30 * 86_400

export function createQuote(tx: Tx, params: Stripe.QuoteCreateParams): Quote {
  const customer = params.customer ? need<Customer>(tx, 'customer', params.customer, 'customer') : null
  const quote: Quote = {
    id: newId('qt'),
    object: 'quote',
    amount_subtotal: 0,
    amount_total: 0,
    application: null,
    application_fee_amount: null,
    application_fee_percent: null,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    collection_method: 'charge_automatically',
    computed: null,
    created: tx.now,
    currency: null,
    customer: customer?.id ?? null,
    customer_account: null,
    default_tax_rates: [],
    description: null,
    discounts: [],
    expires_at: tx.now + lifetime,
    footer: null,
    from_quote: null,
    header: null,
    invoice: null,
    invoice_settings: {
      custom_fields: null,
      days_until_due: null,
      description: null,
      footer: null,
      issuer: { type: 'self' },
    },
    livemode: false,
    metadata: {},
    number: null,
    on_behalf_of: null,
    status: 'draft',
    status_transitions: { accepted_at: null, canceled_at: null, finalized_at: null },
    subscription: null,
    subscription_data: {
      billing_mode: { type: 'flexible' },
      description: null,
      effective_date: null,
      metadata: {},
      trial_period_days: null,
    },
    subscription_schedule: null,
    test_clock: customer?.test_clock ?? null,
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    transfer_data: null,
    _: { coupon: null, promotionCode: null },
  }
  apply(tx, quote, params)
  emit(tx, 'quote.created', quote)
  return quote
}

/** Only a draft can change. Stripe tells nobody of it. */
export function updateQuote(tx: Tx, id: string, params: Stripe.QuoteUpdateParams): Quote {
  const quote = need<Quote>(tx, 'quote', id)
  if (quote.status !== 'draft' && Object.keys(params).some((name) => name !== 'metadata' && name !== 'expand'))
    throw unfit(quote, 'update', ['draft'])
  if (params.customer) quote.customer = need<Customer>(tx, 'customer', params.customer, 'customer').id
  apply(tx, quote, params)
  return quote
}

export function finalizeQuote(tx: Tx, id: string, params: Stripe.QuoteFinalizeQuoteParams): Quote {
  const quote = need<Quote>(tx, 'quote', id)
  if (quote.status !== 'draft') throw unfit(quote, 'finalize', ['draft'])
  if (!quote.customer) throw invalid('You must set a customer before finalizing a quote.', 'customer')
  if (lineItemsOf(tx, id).length === 0)
    throw invalid('You must add line items before finalizing a quote.', 'line_items', 'parameter_missing')
  const customer = load<Customer>(tx, quote.customer)
  quote.status = 'open'
  quote.number = `QT-${customer.invoice_prefix}-${String(finalizedBefore(customer)).padStart(4, '0')}-1`
  quote.status_transitions.finalized_at = tx.now
  if (params.expires_at) quote.expires_at = params.expires_at
  save(tx, { ...customer, _: { ...customer._, quotes: finalizedBefore(customer) } })
  save(tx, quote)
  emit(tx, 'quote.finalized', quote)
  return quote
}

/** What was offered comes into being: a subscription, whose first invoice stays a draft for its hour, or an invoice. */
export function acceptQuote(tx: Tx, id: string): Quote {
  const quote = need<Quote>(tx, 'quote', id)
  if (quote.status !== 'open') throw unfit(quote, 'accept', ['open'])
  const items = lineItemsOf(tx, id)
  if (items.some((item) => load<Price>(tx, item.price).recurring)) startSubscription(tx, quote, items)
  else startInvoice(tx, quote, items)
  quote.status = 'accepted'
  quote.status_transitions.accepted_at = tx.now
  save(tx, quote)
  emit(tx, 'quote.accepted', quote)
  return quote
}

export function cancelQuote(tx: Tx, id: string): Quote {
  const quote = need<Quote>(tx, 'quote', id)
  if (quote.status !== 'draft' && quote.status !== 'open') throw unfit(quote, 'cancel', ['draft', 'open'])
  quote.status = 'canceled'
  quote.status_transitions.canceled_at = tx.now
  save(tx, quote)
  emit(tx, 'quote.canceled', quote)
  return quote
}

/** The lines that are due when the quote is accepted: all of them, unless a trial makes the recurring ones wait. */
export function upfrontItems(tx: Tx, quote: Quote): CheckoutItem[] {
  const trial = quote.subscription_data.trial_period_days !== null
  return lineItemsOf(tx, quote.id).filter((item) => !trial || !load<Price>(tx, item.price).recurring)
}

function apply(tx: Tx, quote: Quote, params: Stripe.QuoteUpdateParams): void {
  if (params.collection_method) quote.collection_method = params.collection_method as 'send_invoice'
  if (params.description !== undefined) quote.description = textOrNull(params.description)
  if (params.header !== undefined) quote.header = textOrNull(params.header)
  if (params.footer !== undefined) quote.footer = textOrNull(params.footer)
  if (params.expires_at !== undefined) quote.expires_at = params.expires_at
  if (params.invoice_settings?.days_until_due !== undefined)
    quote.invoice_settings.days_until_due = params.invoice_settings.days_until_due
  const data = params.subscription_data
  if (data?.description !== undefined) quote.subscription_data.description = textOrNull(data.description)
  if (data?.metadata !== undefined) quote.subscription_data.metadata = mergeMetadata({}, data.metadata)
  if (data?.trial_period_days !== undefined) quote.subscription_data.trial_period_days = data.trial_period_days || null
  quote.metadata = mergeMetadata(quote.metadata, params.metadata)
  if (params.line_items) {
    for (const item of lineItemsOf(tx, quote.id)) remove(tx, item.id)
    for (const [index, line] of params.line_items.entries()) addLineItem(tx, quote.id, line as LineItemParams, index)
  }
  const [wanted] = Array.isArray(params.discounts) ? params.discounts : []
  if (wanted) {
    const code = wanted.promotion_code ? usableCode(tx, wanted.promotion_code, quote.customer) : null
    const coupon = usableCoupon(tx, code?.promotion.coupon ?? wanted.coupon, 'discounts[0][coupon]')
    quote._ = { coupon: coupon.id, promotionCode: code?.id ?? null }
  } else if (params.discounts !== undefined) quote._ = { coupon: null, promotionCode: null }
  compute(tx, quote)
  save(tx, quote)
}

function compute(tx: Tx, quote: Quote): void {
  const items = lineItemsOf(tx, quote.id)
  const coupon = quote._.coupon ? load<Coupon>(tx, quote._.coupon) : null
  const trial = quote.subscription_data.trial_period_days !== null
  const whole = sumLineItems(tx, items, { coupon, freeRecurring: false })
  const recurring = items.filter((item) => load<Price>(tx, item.price).recurring)
  const upfront = sumOf(items.filter((item) => !trial || !recurring.includes(item)))
  const cycle = recurring[0] ? load<Price>(tx, recurring[0].price).recurring! : null
  quote.currency = (items[0]?.currency as string | undefined) ?? null
  quote.amount_subtotal = whole.subtotal
  quote.amount_total = whole.subtotal - whole.discount
  quote.total_details = { amount_discount: whole.discount, amount_shipping: 0, amount_tax: 0 }
  quote.computed = {
    recurring: cycle ? { ...sumOf(recurring), interval: cycle.interval, interval_count: cycle.interval_count } : null,
    upfront,
  }
}

function sumOf(items: CheckoutItem[]): Record<string, unknown> {
  const discount = items.reduce((sum, item) => sum + item.amount_discount, 0)
  const subtotal = items.reduce((sum, item) => sum + item.amount_subtotal, 0)
  return {
    amount_subtotal: subtotal,
    amount_total: subtotal - discount,
    total_details: { amount_discount: discount, amount_shipping: 0, amount_tax: 0 },
  }
}

function startSubscription(tx: Tx, quote: Quote, items: CheckoutItem[]): void {
  const recurring = items.filter((item) => load<Price>(tx, item.price).recurring)
  const once = items.filter((item) => !recurring.includes(item))
  const of = (item: CheckoutItem) => ({ price: item.price, quantity: item.quantity })
  const { subscription, invoice } = subscribe(
    tx,
    {
      customer: quote.customer!,
      items: recurring.map(of),
      ...(once.length > 0 ? { add_invoice_items: once.map(of) } : {}),
      ...(quote._.coupon ? { discounts: [discountOf(quote)] } : {}),
      ...(quote.collection_method === 'send_invoice'
        ? { collection_method: 'send_invoice', days_until_due: quote.invoice_settings.days_until_due ?? 30 }
        : {}),
      ...(quote.subscription_data.description ? { description: quote.subscription_data.description } : {}),
      ...(quote.subscription_data.trial_period_days
        ? { trial_period_days: quote.subscription_data.trial_period_days }
        : {}),
      metadata: quote.subscription_data.metadata ?? {},
    },
    { onSession: false, later: true },
  )
  quote.subscription = subscription.id
  quote.invoice = invoice?.id ?? null
}

function startInvoice(tx: Tx, quote: Quote, items: CheckoutItem[]): void {
  const customer = load<Customer>(tx, quote.customer!)
  const invoice = draftInvoice(tx, {
    customer,
    subscription: null,
    reason: 'quote_accept',
    currency: quote.currency!,
    collectionMethod: quote.collection_method,
    daysUntilDue: quote.invoice_settings.days_until_due,
    autoAdvance: false,
    finalizesAt: null,
    period: { start: tx.now, end: tx.now },
    lines: [],
    discounts: quote._.coupon ? [grantDiscount(tx, discountOf(quote), { customer: customer.id }).id] : [],
  })
  for (const item of items) createInvoiceItem(tx, { invoice: invoice.id, price: item.price, quantity: item.quantity })
  quote.invoice = invoice.id
}

function discountOf(quote: Quote): { promotion_code: string } | { coupon: string } {
  return quote._.promotionCode ? { promotion_code: quote._.promotionCode } : { coupon: quote._.coupon! }
}

function finalizedBefore(customer: Customer): number {
  return Number(customer._?.quotes ?? 0) + 1
}

function unfit(quote: Quote, verb: string, fit: string[]) {
  return invalid(
    `You can't ${verb} a quote with a status of \`${quote.status}\`. It must be one of: ${fit.join(', ')}.`,
    undefined,
    'quote_unexpected_state',
  )
}
