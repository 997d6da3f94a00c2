import type Stripe from 'stripe'
import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { assignSent, mergeMetadata, need, within } from '../objects/common.ts'
import {
  createCoupon,
  createPromotionCode,
  deleteCoupon,
  updateCoupon,
  updatePromotionCode,
} from '../objects/coupon.ts'
import { createPrice, planOf, updatePrice } from '../objects/price.ts'
import { createProduct, deleteProduct, updateProduct } from '../objects/product.ts'
import type { Coupon, Price, Product, PromotionCode, Stored } from '../objects/types.ts'
import { newId } from '../store/ids.ts'
import { save, type Tx } from '../store/transact.ts'
import type { Endpoints } from '../wire/endpoints.ts'
import { page } from '../wire/list.ts'
import { search } from '../wire/search.ts'

export const catalogRoutes: Endpoints = {
  'POST /v1/tax_rates': (tx: Tx, params: Stripe.TaxRateCreateParams) => {
    const rate: Stored = {
      id: newId('txr'),
      object: 'tax_rate',
      active: params.active ?? true,
      country: params.country ?? null,
      created: tx.now,
      description: params.description ?? null,
      display_name: params.display_name,
      effective_percentage: params.percentage,
      flat_amount: null,
      inclusive: params.inclusive,
      jurisdiction: params.jurisdiction ?? null,
      jurisdiction_level: null,
      livemode: false,
      metadata: mergeMetadata({}, params.metadata),
      percentage: params.percentage,
      rate_type: 'percentage',
      state: params.state ?? null,
      tax_type: params.tax_type ?? null,
    }
    save(tx, rate)
    emit(tx, 'tax_rate.created', rate)
    return rate
  },
  'GET /v1/tax_rates': (tx: Tx, params: Stripe.TaxRateListParams) =>
    page<Stored>(
      tx,
      '/v1/tax_rates',
      'tax_rate',
      params,
      (rate) => params.active === undefined || rate.active === params.active,
    ),
  'GET /v1/tax_rates/{id}': (tx: Tx, _params: unknown, id: string) => need<Stored>(tx, 'tax_rate', id),
  'POST /v1/tax_rates/{id}': (tx: Tx, params: Stripe.TaxRateUpdateParams, id: string) => {
    const rate = need<Stored>(tx, 'tax_rate', id)
    const before = snapshot(tx, rate)
    assignSent(rate, params, ['active', 'country', 'description', 'display_name', 'jurisdiction', 'state', 'tax_type'])
    rate.metadata = mergeMetadata(rate.metadata ?? {}, params.metadata)
    save(tx, rate)
    emitUpdate(tx, 'tax_rate.updated', rate, before)
    return rate
  },

  'POST /v1/products': createProduct,
  'GET /v1/products': (tx: Tx, params: Stripe.ProductListParams) =>
    page<Product>(
      tx,
      '/v1/products',
      'product',
      params,
      (product) =>
        (params.active === undefined || product.active === params.active) &&
        (params.ids === undefined || params.ids.includes(product.id)) &&
        (params.url === undefined || product.url === params.url) &&
        within(product.created as number, params.created),
    ),
  'GET /v1/products/search': (tx: Tx, params: Stripe.ProductSearchParams) =>
    search<Product>(tx, '/v1/products/search', 'product', params),
  'GET /v1/products/{id}': (tx: Tx, _params: unknown, id: string) => need<Product>(tx, 'product', id),
  'POST /v1/products/{id}': (tx: Tx, params: Stripe.ProductUpdateParams, id: string) => updateProduct(tx, id, params),
  'DELETE /v1/products/{id}': (tx: Tx, _params: unknown, id: string) => deleteProduct(tx, id),

  'POST /v1/prices': createPrice,
  'GET /v1/prices': (tx: Tx, params: Stripe.PriceListParams) =>
    page<Price>(
      tx,
      '/v1/prices',
      'price',
      params,
      (price) =>
        (params.active === undefined || price.active === params.active) &&
        (params.currency === undefined || price.currency === params.currency) &&
        (params.product === undefined || price.product === params.product) &&
        (params.type === undefined || price.type === params.type) &&
        (params.lookup_keys === undefined ||
          (price.lookup_key !== null && params.lookup_keys.includes(price.lookup_key))) &&
        (params.recurring?.interval === undefined || price.recurring?.interval === params.recurring.interval) &&
        (params.recurring?.usage_type === undefined || price.recurring?.usage_type === params.recurring.usage_type) &&
        within(price.created, params.created),
    ),
  'GET /v1/prices/search': (tx: Tx, params: Stripe.PriceSearchParams) =>
    search<Price>(tx, '/v1/prices/search', 'price', params),
  'GET /v1/prices/{id}': (tx: Tx, _params: unknown, id: string) => need<Price>(tx, 'price', id),
  'POST /v1/prices/{id}': (tx: Tx, params: Stripe.PriceUpdateParams, id: string) => updatePrice(tx, id, params),

  // The older door to recurring prices, which the Stripe CLI's scripts still use.
  'POST /v1/plans': (tx: Tx, params: Stripe.PlanCreateParams) => planOf(createPrice(tx, priceParams(tx, params))),
  'GET /v1/plans/{id}': (tx: Tx, _params: unknown, id: string) => planOf(need<Price>(tx, 'price', id)),
  'POST /v1/plans/{id}': (tx: Tx, params: Stripe.PlanUpdateParams, id: string) => {
    const price = updatePrice(tx, id, { ...params } as Stripe.PriceUpdateParams)
    tx.events.push({ type: 'plan.updated', object: planOf(price), previous: {}, at: tx.now })
    return planOf(price)
  },
  'DELETE /v1/plans/{id}': (tx: Tx, _params: unknown, id: string) => {
    const price = updatePrice(tx, id, { active: false })
    tx.events.push(
      { type: 'plan.deleted', object: planOf(price), at: tx.now },
      { type: 'price.deleted', object: planOf(price), at: tx.now },
    )
    return { id, object: 'plan', deleted: true }
  },

  'POST /v1/coupons': createCoupon,
  'GET /v1/coupons': (tx: Tx, params: Stripe.CouponListParams) =>
    page<Coupon>(tx, '/v1/coupons', 'coupon', params, (coupon) => within(coupon.created as number, params.created)),
  'GET /v1/coupons/{id}': (tx: Tx, _params: unknown, id: string) => need<Coupon>(tx, 'coupon', id),
  'POST /v1/coupons/{id}': (tx: Tx, params: Stripe.CouponUpdateParams, id: string) => updateCoupon(tx, id, params),
  'DELETE /v1/coupons/{id}': (tx: Tx, _params: unknown, id: string) => deleteCoupon(tx, id),

  'POST /v1/promotion_codes': createPromotionCode,
  'GET /v1/promotion_codes': (tx: Tx, params: Stripe.PromotionCodeListParams) =>
    page<PromotionCode>(
      tx,
      '/v1/promotion_codes',
      'promotion_code',
      params,
      (code) =>
        (params.active === undefined || code.active === params.active) &&
        (params.code === undefined || code.code.toLowerCase() === params.code.toLowerCase()) &&
        (params.coupon === undefined || code.promotion.coupon === params.coupon) &&
        (params.customer === undefined || code.customer === params.customer),
    ),
  'GET /v1/promotion_codes/{id}': (tx: Tx, _params: unknown, id: string) =>
    need<PromotionCode>(tx, 'promotion_code', id),
  'POST /v1/promotion_codes/{id}': (tx: Tx, params: Stripe.PromotionCodeUpdateParams, id: string) =>
    updatePromotionCode(tx, id, params),
}

function priceParams(tx: Tx, params: Stripe.PlanCreateParams): Stripe.PriceCreateParams {
  const product =
    typeof params.product === 'object'
      ? createProduct(tx, params.product as Stripe.ProductCreateParams).id
      : params.product
  return {
    currency: params.currency,
    product,
    unit_amount: params.amount === undefined ? undefined : Number(params.amount),
    unit_amount_decimal: params.amount_decimal,
    nickname: params.nickname,
    metadata: params.metadata || undefined,
    recurring: {
      interval: params.interval,
      interval_count: params.interval_count,
      usage_type: params.usage_type,
      trial_period_days: params.trial_period_days,
      meter: params.meter,
    },
  } as Stripe.PriceCreateParams
}
