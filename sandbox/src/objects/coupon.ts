import type Stripe from 'stripe'
import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { newId, randomText } from '../store/ids.ts'
import { find, listOf, save, type Tx } from '../store/transact.ts'
import { invalid } from '../wire/errors.ts'
import { mergeMetadata, need, textOrNull } from './common.ts'
import type { Coupon, PromotionCode } from './types.ts'

export function createCoupon(tx: Tx, params: Stripe.CouponCreateParams): Coupon {
  const id = params.id ?? randomText(8)
  if (find(tx, id)) throw invalid('Coupon already exists.', 'id', 'resource_already_exists')
  if (params.percent_off === undefined && params.amount_off === undefined)
    throw invalid('You must pass either `percent_off` or `amount_off`.', undefined, 'parameter_missing')
  if (params.amount_off !== undefined && !params.currency)
    throw invalid('You must pass currency when passing amount_off', 'currency', 'parameter_missing')
  const coupon: Coupon = {
    id,
    object: 'coupon',
    amount_off: params.amount_off ?? null,
    created: tx.now,
    currency: params.amount_off === undefined ? null : (params.currency ?? null),
    duration: (params.duration ?? 'once') as 'once',
    duration_in_months: params.duration_in_months ?? null,
    livemode: false,
    max_redemptions: params.max_redemptions ?? null,
    metadata: mergeMetadata({}, params.metadata),
    name: textOrNull(params.name),
    percent_off: params.percent_off ?? null,
    redeem_by: params.redeem_by ?? null,
    times_redeemed: 0,
    valid: true,
    _: { products: params.applies_to?.products ?? null },
  }
  save(tx, coupon)
  emit(tx, 'coupon.created', coupon)
  return coupon
}

export function updateCoupon(tx: Tx, id: string, params: Stripe.CouponUpdateParams): Coupon {
  const coupon = need<Coupon>(tx, 'coupon', id)
  const before = snapshot(tx, coupon)
  if (params.name !== undefined) coupon.name = textOrNull(params.name)
  coupon.metadata = mergeMetadata(coupon.metadata ?? {}, params.metadata)
  save(tx, coupon)
  emitUpdate(tx, 'coupon.updated', coupon, before)
  return coupon
}

/** Discounts that were granted keep working, so the coupon stays stored. */
export function deleteCoupon(tx: Tx, id: string) {
  const coupon = need<Coupon>(tx, 'coupon', id)
  coupon.valid = false
  emit(tx, 'coupon.deleted', coupon)
  save(tx, { ...coupon, _: { ...coupon._, deleted: true } })
  return { id, object: 'coupon', deleted: true }
}

/** Older versions named the coupon directly. */
type Older = { coupon?: string }

export function createPromotionCode(tx: Tx, params: Stripe.PromotionCodeCreateParams & Older): PromotionCode {
  const coupon = need<Coupon>(tx, 'coupon', params.promotion?.coupon ?? params.coupon, 'promotion[coupon]')
  const code = params.code ?? randomText(8).toUpperCase()
  const taken = listOf<PromotionCode>(tx, 'promotion_code').some(
    (other) => other.active && other.code.toLowerCase() === code.toLowerCase(),
  )
  if (taken)
    throw invalid(`An active promotion code with \`code: ${code}\` already exists.`, 'code', 'resource_already_exists')
  const promotion: PromotionCode = {
    id: newId('promo'),
    object: 'promotion_code',
    active: params.active ?? true,
    code,
    created: tx.now,
    customer: params.customer ?? null,
    customer_account: null,
    expires_at: params.expires_at ?? null,
    livemode: false,
    max_redemptions: params.max_redemptions ?? null,
    metadata: mergeMetadata({}, params.metadata),
    promotion: { coupon: coupon.id, type: 'coupon' },
    restrictions: {
      first_time_transaction: params.restrictions?.first_time_transaction ?? false,
      minimum_amount: params.restrictions?.minimum_amount ?? null,
      minimum_amount_currency: params.restrictions?.minimum_amount_currency ?? null,
    },
    times_redeemed: 0,
    _: { coupon: coupon.id },
  }
  save(tx, promotion)
  emit(tx, 'promotion_code.created', promotion)
  return promotion
}

export function updatePromotionCode(tx: Tx, id: string, params: Stripe.PromotionCodeUpdateParams): PromotionCode {
  const code = need<PromotionCode>(tx, 'promotion_code', id)
  const before = snapshot(tx, code)
  if (params.active !== undefined) code.active = params.active
  code.metadata = mergeMetadata(code.metadata ?? {}, params.metadata)
  save(tx, code)
  emitUpdate(tx, 'promotion_code.updated', code, before)
  return code
}
