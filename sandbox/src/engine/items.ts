import type Stripe from 'stripe'
import { mergeMetadata, need } from '../objects/common.ts'
import { aggregate } from '../objects/meter.ts'
import { amountFor, inlinePrice, productOf } from '../objects/price.ts'
import { itemsOf } from '../objects/render.ts'
import type { Meter, Price, Subscription, SubscriptionItem } from '../objects/types.ts'
import { newId } from '../store/ids.ts'
import { find, load, save, type Tx } from '../store/transact.ts'
import { invalid } from '../wire/errors.ts'
import type { LineDraft } from './draftInvoice.ts'
import { lineDescription } from './money.ts'

export type WantedItem = {
  price?: string
  plan?: string
  price_data?: Stripe.SubscriptionCreateParams.Item.PriceData
  quantity?: number
  metadata?: unknown
}

/** The price that an item names, however it names it. */
export function wantedPrice(tx: Tx, wanted: WantedItem, param: string): Price {
  if (wanted.price_data) return inlinePrice(tx, wanted.price_data)
  const price = need<Price>(tx, 'price', wanted.price ?? wanted.plan, `${param}[price]`)
  if (!price.recurring)
    throw invalid(
      `The price specified is set to \`type=one_time\` but this field only accepts prices with \`type=recurring\`.`,
      `${param}[price]`,
    )
  if (!price.active && wanted.price)
    throw invalid(`The price specified is inactive. This field only accepts active prices.`, `${param}[price]`)
  return price
}

export function addItem(
  tx: Tx,
  subscription: string,
  price: Price,
  wanted: { quantity?: number; metadata?: unknown },
  period: { start: number; end: number },
): SubscriptionItem {
  const item: SubscriptionItem = {
    id: newId('si', 14),
    object: 'subscription_item',
    billing_thresholds: null,
    created: tx.now,
    current_period_end: period.end,
    current_period_start: period.start,
    current_trial: null,
    discounts: [],
    metadata: mergeMetadata({}, wanted.metadata),
    price: price.id,
    ...(price.recurring?.usage_type === 'metered' ? {} : { quantity: wanted.quantity ?? 1 }),
    subscription,
    tax_rates: [],
  }
  return save(tx, item)
}

/** The regular line of an item for a period; null for metered items, which are billed when it is over. */
export function periodLine(tx: Tx, item: SubscriptionItem, period: { start: number; end: number }): LineDraft | null {
  const price = load<Price>(tx, item.price)
  if (item.quantity === undefined) return null
  return {
    amount: amountFor(price, item.quantity),
    description: lineDescription(price, productOf(tx, price), item.quantity),
    discountable: true,
    period,
    price,
    unitAmountDecimal: price.unit_amount_decimal,
    quantity: item.quantity,
    subscription: item.subscription,
    item: item.id,
    invoiceItem: null,
    proration: false,
    creditedItems: null,
    metadata: item.metadata,
    discounts: [],
  }
}

/** During a trial an item is billed for nothing, but it is billed. */
export function trialLine(tx: Tx, item: SubscriptionItem, period: { start: number; end: number }): LineDraft | null {
  const line = periodLine(tx, item, period)
  if (!line) return null
  const product = productOf(tx, line.price!)
  const unit = product.unit_label ? ` ${product.unit_label}` : ''
  return {
    ...line,
    amount: 0,
    unitAmountDecimal: '0',
    description: `Free trial for ${item.quantity}${unit} × ${product.name}`,
  }
}

/** Keeps the earliest end among the items where the engine looks for the next thing to do. */
export function notePeriodEnd(tx: Tx, subscription: Subscription): void {
  const ends = itemsOf(tx, subscription.id).map((item) => item.current_period_end)
  if (ends.length > 0) subscription._.nextPeriodEnd = Math.min(...ends)
}

/** What a metered item used in the period that ended; null when no meter counts it. */
export function usageLine(
  tx: Tx,
  item: SubscriptionItem,
  customer: string,
  ended: { start: number; end: number },
): LineDraft | null {
  const price = load<Price>(tx, item.price)
  const meter = price.recurring?.meter ? find<Meter>(tx, price.recurring.meter) : undefined
  if (!meter) return null
  const quantity = aggregate(tx, meter, customer, ended.start, ended.end)
  return {
    amount: amountFor(price, quantity),
    description: lineDescription(price, productOf(tx, price), quantity),
    discountable: true,
    period: ended,
    price,
    unitAmountDecimal: price.unit_amount_decimal,
    quantity,
    subscription: item.subscription,
    item: item.id,
    invoiceItem: null,
    proration: false,
    creditedItems: null,
    metadata: item.metadata,
    discounts: [],
  }
}
