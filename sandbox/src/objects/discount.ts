import { addMonths } from '../engine/period.ts'
import { newId } from '../store/ids.ts'
import { listOf, load, save, type Tx } from '../store/transact.ts'
import { invalid } from '../wire/errors.ts'
import { need } from './common.ts'
import type { Coupon, Discount, Invoice, PromotionCode } from './types.ts'

type Wanted = { coupon?: string; promotion_code?: string; discount?: string }
type Owner = Partial<Pick<Discount, 'customer' | 'subscription' | 'invoice' | 'invoice_item' | 'checkout_session'>>

/** Redeems a coupon or promotion code for its owner, refusing what is expired or used up. */
export function grantDiscount(tx: Tx, wanted: Wanted, owner: Owner, param = 'coupon'): Discount {
  if (wanted.discount) return need<Discount>(tx, 'discount', wanted.discount, 'discounts[0][discount]')
  const code = wanted.promotion_code ? usableCode(tx, wanted.promotion_code, owner.customer ?? null) : null
  const coupon = usableCoupon(tx, code ? code.promotion.coupon : wanted.coupon, param)
  coupon.times_redeemed += 1
  if (coupon.max_redemptions !== null && coupon.times_redeemed >= coupon.max_redemptions) coupon.valid = false
  save(tx, coupon)
  if (code) {
    code.times_redeemed += 1
    save(tx, code)
  }
  const discount: Discount = {
    id: newId('di'),
    object: 'discount',
    checkout_session: owner.checkout_session ?? null,
    customer: owner.customer ?? null,
    customer_account: null,
    end: coupon.duration === 'repeating' ? addMonths(tx.now, coupon.duration_in_months ?? 1) : null,
    invoice: owner.invoice ?? null,
    invoice_item: owner.invoice_item ?? null,
    promotion_code: code?.id ?? null,
    source: { coupon: coupon.id, type: 'coupon' },
    start: tx.now,
    subscription: owner.subscription ?? null,
    subscription_item: null,
    _: { used: false },
  }
  return save(tx, discount)
}

export function usableCoupon(tx: Tx, id: unknown, param: string): Coupon {
  const coupon = need<Coupon>(tx, 'coupon', id, param)
  if (!coupon.valid || (coupon.redeem_by !== null && coupon.redeem_by <= tx.now))
    throw invalid(`Coupon expired: ${coupon.id}`, param, 'coupon_expired')
  return coupon
}

export function usableCode(tx: Tx, id: string, customer: string | null): PromotionCode {
  const code = need<PromotionCode>(tx, 'promotion_code', id, 'discounts[0][promotion_code]')
  const spent = code.max_redemptions !== null && code.times_redeemed >= code.max_redemptions
  if (!code.active || spent || (code.expires_at !== null && code.expires_at <= tx.now))
    throw invalid('This promotion code cannot be redeemed because it is expired or inactive.', 'promotion_code')
  if (code.customer !== null && code.customer !== customer)
    throw invalid('This promotion code cannot be redeemed by this customer.', 'promotion_code')
  if (code.restrictions.first_time_transaction && customer !== null && paidBefore(tx, customer))
    throw invalid(
      'This promotion code cannot be redeemed because the associated customer has prior transactions.',
      'promotion_code',
    )
  return code
}

/** The active code that a customer typed, or null. */
export function findCode(tx: Tx, typed: string): PromotionCode | null {
  const wanted = typed.trim().toLowerCase()
  return (
    listOf<PromotionCode>(tx, 'promotion_code').find((code) => code.active && code.code.toLowerCase() === wanted) ??
    null
  )
}

export function couponOf(tx: Tx, discount: Discount): Coupon {
  return load<Coupon>(tx, discount.source.coupon)
}

/** "20% off", "$5.00 off": how a coupon is shown. */
export function couponLabel(coupon: Coupon, money: (amount: number, currency: string) => string): string {
  if (coupon.name) return coupon.name
  return coupon.percent_off !== null
    ? `${coupon.percent_off}% off`
    : `${money(coupon.amount_off ?? 0, coupon.currency ?? 'usd')} off`
}

/** How much a coupon takes off an amount that it applies to. */
export function discountFor(coupon: Coupon, amount: number): number {
  if (coupon.percent_off !== null) return Math.round((amount * coupon.percent_off) / 100)
  return Math.min(amount, coupon.amount_off ?? 0)
}

function paidBefore(tx: Tx, customer: string): boolean {
  return listOf<Invoice>(tx, 'invoice', { customer }).some((invoice) => invoice.amount_paid > 0)
}
