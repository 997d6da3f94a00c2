import { newId } from '../store/ids.ts'
import { listOf, load, save, type Tx } from '../store/transact.ts'
import { invalid } from '../wire/errors.ts'
import { need } from './common.ts'
import { discountFor } from './discount.ts'
import { amountFor, inlinePrice, productOf } from './price.ts'
import type { CheckoutItem, Coupon, Price } from './types.ts'

export type LineItemParams = {
  price?: string
  price_data?: Parameters<typeof inlinePrice>[1]
  quantity?: number | string
  adjustable_quantity?: { enabled: boolean; maximum?: number; minimum?: number }
}

/** A line of what is offered for sale: by a checkout session, a payment link or a quote. */
export function addLineItem(tx: Tx, owner: string, line: LineItemParams, index: number): CheckoutItem {
  const price = line.price_data
    ? inlinePrice(tx, line.price_data)
    : need<Price>(tx, 'price', line.price, `line_items[${index}][price]`)
  if (!price.active && !line.price_data)
    throw invalid(
      'The price specified is inactive. This field only accepts active prices.',
      `line_items[${index}][price]`,
    )
  const item: CheckoutItem = {
    id: newId('li'),
    object: 'item',
    adjustable_quantity: line.adjustable_quantity?.enabled
      ? {
          enabled: true,
          maximum: line.adjustable_quantity.maximum ?? 99,
          minimum: line.adjustable_quantity.minimum ?? 0,
        }
      : null,
    amount_discount: 0,
    amount_subtotal: 0,
    amount_tax: 0,
    amount_total: 0,
    currency: price.currency,
    description: productOf(tx, price).name,
    metadata: {},
    price: price.id,
    quantity: Number(line.quantity ?? 1),
    _: { session: owner },
  }
  return save(tx, item)
}

export function lineItemsOf(tx: Tx, owner: string): CheckoutItem[] {
  return listOf<CheckoutItem>(tx, 'item', { parent: owner }).reverse()
}

/** Computes every line and sums them; recurring ones are free while a trial lasts. */
export function sumLineItems(
  tx: Tx,
  items: CheckoutItem[],
  { coupon, freeRecurring }: { coupon: Coupon | null; freeRecurring: boolean },
): { subtotal: number; discount: number } {
  let subtotal = 0
  let discount = 0
  for (const item of items) {
    const price = load<Price>(tx, item.price)
    const metered = price.recurring?.usage_type === 'metered'
    item.amount_subtotal = metered || (freeRecurring && price.recurring) ? 0 : amountFor(price, item.quantity)
    subtotal += item.amount_subtotal
    item.amount_discount = 0
  }
  if (coupon) {
    const eligible = items.filter(
      (item) => coupon._.products === null || coupon._.products.includes(load<Price>(tx, item.price).product),
    )
    const base = eligible.reduce((sum, item) => sum + item.amount_subtotal, 0)
    let rest = discountFor(coupon, base)
    let restBase = base
    for (const item of eligible) {
      item.amount_discount = restBase === 0 ? 0 : Math.round((rest * item.amount_subtotal) / restBase)
      restBase -= item.amount_subtotal
      rest -= item.amount_discount
      discount += item.amount_discount
    }
  }
  for (const item of items) {
    item.amount_total = item.amount_subtotal - item.amount_discount
    save(tx, item)
  }
  return { subtotal, discount }
}
