import { couponOf, discountFor } from '../objects/discount.ts'
import { amountFor, productOf } from '../objects/price.ts'
import { linesOf } from '../objects/render.ts'
import type { Discount, Invoice, InvoiceLine, Price, Subscription, SubscriptionItem } from '../objects/types.ts'
import { listOf, load, type Tx } from '../store/transact.ts'
import { dateText, share } from './money.ts'

export type Proration = {
  amount: number
  description: string
  period: { start: number; end: number }
  price: Price
  creditedItems: { invoice: string; invoice_line_items: string[] } | null
}

/** What comes back for the unused rest of an item's period, to the second; null when nothing was charged for it. */
export function creditForItem(
  tx: Tx,
  subscription: Subscription,
  item: SubscriptionItem,
  at: number,
): Proration | null {
  const price = load<Price>(tx, item.price)
  if (item.quantity === undefined || at >= item.current_period_end) return null
  const whole = amountFor(price, item.quantity)
  if (whole === 0) return null
  const length = item.current_period_end - item.current_period_start
  const billed = billedLine(tx, subscription, item)
  const net =
    billed && !billed.line._.proration ? netOf(whole, billed.line) : discounted(tx, subscription, price, whole)
  return {
    amount: -share(net, item.current_period_end - at, length),
    description: `Unused time on ${nameOf(tx, price, item.quantity)} after ${dateText(at)}`,
    period: { start: at, end: item.current_period_end },
    price,
    creditedItems: billed ? { invoice: billed.invoice, invoice_line_items: [billed.line.id] } : null,
  }
}

/** What the rest of a period costs at a new price or quantity, with the discounts that the subscription still has. */
export function debitForItem(
  tx: Tx,
  subscription: Subscription,
  item: { id: string; quantity: number; price: Price },
  period: { start: number; end: number },
  at: number,
): Proration | null {
  const whole = amountFor(item.price, item.quantity)
  if (at >= period.end) return null
  const net = discounted(tx, subscription, item.price, whole)
  return {
    amount: share(net, period.end - at, period.end - period.start),
    description: `Remaining time on ${nameOf(tx, item.price, item.quantity)} after ${dateText(at)}`,
    period: { start: at, end: period.end },
    price: item.price,
    creditedItems: null,
  }
}

function nameOf(tx: Tx, price: Price, quantity: number): string {
  const { name } = productOf(tx, price)
  return quantity === 1 ? name : `${quantity} × ${name}`
}

function netOf(whole: number, line: InvoiceLine): number {
  const off = line.discount_amounts.reduce((sum, each) => sum + each.amount, 0)
  return line.amount > 0 ? share(whole, line.amount - off, line.amount) : whole
}

function discounted(tx: Tx, subscription: Subscription, price: Price, whole: number): number {
  return subscription.discounts.reduce((left, id) => {
    const coupon = couponOf(tx, load<Discount>(tx, id))
    const applies = coupon._.products === null || coupon._.products.includes(price.product)
    return applies ? left - discountFor(coupon, left) : left
  }, whole)
}

// The newest line that charged this item for the running period.
function billedLine(
  tx: Tx,
  subscription: Subscription,
  item: { id: string },
): { invoice: string; line: InvoiceLine } | null {
  for (const invoice of listOf<Invoice>(tx, 'invoice', { parent: subscription.id })) {
    if (invoice.status === 'void') continue
    const line = linesOf(tx, invoice).find((each) => each._.item === item.id && each.amount > 0)
    if (line) return { invoice: invoice.id, line }
  }
  return null
}
