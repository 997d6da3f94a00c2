import type Stripe from 'stripe'
import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { mergeMetadata, need, textOrNull } from '../objects/common.ts'
import { grantDiscount } from '../objects/discount.ts'
import { amountFor, inlinePrice, productOf } from '../objects/price.ts'
import type { Customer, Invoice, InvoiceItem, Price, Subscription } from '../objects/types.ts'
import { newId } from '../store/ids.ts'
import { load, save, type Tx } from '../store/transact.ts'
import { invalid } from '../wire/errors.ts'
import { addLine, lineOfInvoiceItem, recomputeTotals } from './draftInvoice.ts'

type Params = Omit<Stripe.InvoiceItemCreateParams, 'customer'> & {
  customer?: string
  /** Older versions named the price here. */
  price?: string
  proration?: { item: string; creditedItems: { invoice: string; invoice_line_items: string[] } | null; price: Price }
}

/** An extra for the next invoice, or for the draft that it names. */
export function createInvoiceItem(tx: Tx, params: Params): InvoiceItem {
  const draft = params.invoice ? need<Invoice>(tx, 'invoice', params.invoice, 'invoice') : null
  const customer = need<Customer>(tx, 'customer', params.customer ?? draft?.customer, 'customer')
  if (draft && draft.status !== 'draft')
    throw invalid(
      `The invoice you've provided cannot be modified since it is ${draft.status}.`,
      'invoice',
      'invoice_not_editable',
    )
  const subscription = params.subscription
    ? need<Subscription>(tx, 'subscription', params.subscription, 'subscription')
    : null
  if (subscription && subscription.customer !== customer.id)
    throw invalid('The subscription does not belong to this customer.', 'subscription')
  const priceId = params.pricing?.price ?? params.price
  const price =
    params.proration?.price ??
    (params.price_data
      ? inlinePrice(tx, params.price_data as { currency: string; product: string })
      : priceId
        ? need<Price>(tx, 'price', priceId, params.price ? 'price' : 'pricing[price]')
        : null)
  const quantity = params.quantity ?? 1
  if (!price && params.amount === undefined)
    throw invalid('You must provide either an amount or a price.', 'amount', 'parameter_missing')
  const amount = params.amount ?? amountFor(price!, quantity)
  const currency =
    params.currency ?? price?.currency ?? draft?.currency ?? subscription?.currency ?? customer.currency ?? 'usd'
  const item: InvoiceItem = {
    id: newId('ii'),
    object: 'invoiceitem',
    amount,
    currency: currency.toLowerCase(),
    customer: customer.id,
    customer_account: null,
    date: tx.now,
    description:
      params.description === undefined ? (price ? productOf(tx, price).name : null) : textOrNull(params.description),
    discountable: params.discountable ?? (!params.proration && amount >= 0),
    discounts: [],
    invoice: draft?.id ?? null,
    livemode: false,
    metadata: mergeMetadata({}, params.metadata),
    net_amount: amount,
    parent: subscription
      ? {
          subscription_details: {
            subscription: subscription.id,
            ...(params.proration ? { subscription_item: params.proration.item } : {}),
          },
          type: 'subscription_details',
        }
      : null,
    period: params.period ?? { start: tx.now, end: tx.now },
    pricing: price
      ? {
          price_details: { price: price.id, product: price.product },
          type: 'price_details',
          unit_amount_decimal: params.proration ? null : price.unit_amount_decimal,
        }
      : null,
    proration: params.proration !== undefined,
    quantity,
    quantity_decimal: String(quantity),
    tax_rates: [],
    test_clock: customer.test_clock,
    _: {
      subscription: subscription?.id ?? null,
      item: params.proration?.item ?? null,
      creditedItems: params.proration?.creditedItems ?? null,
    },
  }
  if (Array.isArray(params.discounts))
    item.discounts = params.discounts.map(
      (each, index) =>
        grantDiscount(tx, each, { customer: customer.id, invoice_item: item.id }, `discounts[${index}][coupon]`).id,
    )
  save(tx, item)
  emit(tx, 'invoiceitem.created', item)
  if (draft) {
    const before = snapshot(tx, draft)
    addLine(tx, draft, lineOfInvoiceItem(tx, item))
    emitUpdate(tx, 'invoice.updated', recomputeTotals(tx, load<Invoice>(tx, draft.id)), before)
  }
  return item
}
