import { Decimal } from 'decimal.js'
import type Stripe from 'stripe'
import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { newId } from '../store/ids.ts'
import { listOf, load, save, type Tx } from '../store/transact.ts'
import { invalid } from '../wire/errors.ts'
import { mergeMetadata, need, textOrNull } from './common.ts'
import { createProduct } from './product.ts'
import type { Price, Product, Tier } from './types.ts'

type Amounts = { unit_amount?: number; unit_amount_decimal?: unknown }

export function createPrice(tx: Tx, params: Stripe.PriceCreateParams): Price {
  const product = params.product_data
    ? createProduct(tx, params.product_data as Stripe.ProductCreateParams).id
    : need<Product>(tx, 'product', params.product, 'product').id
  const tiered = params.billing_scheme === 'tiered'
  if (
    !tiered &&
    params.unit_amount === undefined &&
    params.unit_amount_decimal === undefined &&
    !params.custom_unit_amount
  )
    throw invalid(
      'Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.',
      'unit_amount',
      'parameter_missing',
    )
  if (tiered && (!params.tiers || !params.tiers_mode))
    throw invalid(
      '`tiers` and `tiers_mode` must be set when `billing_scheme` is `tiered`.',
      'tiers',
      'parameter_missing',
    )
  if (params.unit_amount !== undefined && params.unit_amount < 0)
    throw invalid('This value must be greater than or equal to 0.', 'unit_amount', 'parameter_invalid_integer')
  const lookupKey = textOrNull(params.lookup_key)
  if (lookupKey) claimLookupKey(tx, lookupKey, params.transfer_lookup_key ?? false)
  const { recurring } = params
  const price: Price = {
    id: newId('price'),
    object: 'price',
    active: params.active ?? true,
    billing_scheme: tiered ? 'tiered' : 'per_unit',
    created: tx.now,
    currency: params.currency.toLowerCase(),
    custom_unit_amount: null,
    livemode: false,
    lookup_key: lookupKey,
    metadata: mergeMetadata({}, params.metadata),
    nickname: textOrNull(params.nickname),
    product,
    recurring: recurring
      ? {
          interval: recurring.interval as 'month',
          interval_count: recurring.interval_count ?? 1,
          meter: recurring.meter ?? null,
          trial_period_days: recurring.trial_period_days ?? null,
          usage_type: (recurring.usage_type ?? 'licensed') as 'licensed',
        }
      : null,
    tax_behavior: params.tax_behavior ?? 'unspecified',
    tiers_mode: tiered ? (params.tiers_mode as 'graduated') : null,
    transform_quantity: params.transform_quantity
      ? { divide_by: params.transform_quantity.divide_by, round: params.transform_quantity.round as 'up' }
      : null,
    type: recurring ? 'recurring' : 'one_time',
    ...(tiered ? { unit_amount: null, unit_amount_decimal: null } : amountsOf(params)),
    _: { tiers: params.tiers ? params.tiers.map(tierOf) : null, currency_options: currencyOptions(params) },
  }
  save(tx, price)
  emit(tx, 'price.created', price)
  // The older twin of the same fact, which Stripe still sends.
  if (price.recurring) tx.events.push({ type: 'plan.created', object: planOf(price), at: tx.now })
  return price
}

export function updatePrice(tx: Tx, id: string, params: Stripe.PriceUpdateParams): Price {
  const price = need<Price>(tx, 'price', id)
  const before = snapshot(tx, price)
  if (params.active !== undefined) price.active = params.active
  if (params.nickname !== undefined) price.nickname = textOrNull(params.nickname)
  if (params.tax_behavior !== undefined) price.tax_behavior = params.tax_behavior
  if (params.lookup_key !== undefined) {
    const lookupKey = textOrNull(params.lookup_key)
    if (lookupKey && lookupKey !== price.lookup_key) claimLookupKey(tx, lookupKey, params.transfer_lookup_key ?? false)
    price.lookup_key = lookupKey
  }
  price.metadata = mergeMetadata(price.metadata ?? {}, params.metadata)
  save(tx, price)
  emitUpdate(tx, 'price.updated', price, before)
  return price
}

/** A price made inline for one item: active at once, never offered elsewhere. */
export function inlinePrice(
  tx: Tx,
  data: Stripe.Checkout.SessionCreateParams.LineItem.PriceData | { currency: string; product: string },
): Price {
  const price = createPrice(tx, data as Stripe.PriceCreateParams)
  price.active = false
  return save(tx, price)
}

/** The same price in the shape that the API had before prices. */
export function planOf(price: Price) {
  return {
    id: price.id,
    object: 'plan',
    active: price.active,
    amount: price.unit_amount,
    amount_decimal: price.unit_amount_decimal,
    billing_scheme: price.billing_scheme,
    created: price.created,
    currency: price.currency,
    interval: price.recurring?.interval ?? 'month',
    interval_count: price.recurring?.interval_count ?? 1,
    livemode: false,
    metadata: price.metadata ?? {},
    meter: price.recurring?.meter ?? null,
    nickname: price.nickname,
    product: price.product,
    tiers_mode: price.tiers_mode,
    transform_usage: price.transform_quantity,
    trial_period_days: price.recurring?.trial_period_days ?? null,
    usage_type: price.recurring?.usage_type ?? 'licensed',
  }
}

/** What a quantity costs for one period, in minor units, rounded half up once at the end. */
export function amountFor(price: Price, quantity: number): number {
  const units = transformed(price, quantity)
  if (price.billing_scheme === 'per_unit') return rounded(new Decimal(price.unit_amount_decimal ?? 0).times(units))
  const tiers = price._.tiers ?? []
  if (price.tiers_mode === 'volume') {
    const tier = tiers.find((candidate) => candidate.up_to === null || units <= candidate.up_to)
    return tier ? rounded(tierAmount(tier, units)) : 0
  }
  let total = new Decimal(0)
  let below = 0
  for (const tier of tiers) {
    const inTier = Math.min(units, tier.up_to ?? units) - below
    if (inTier <= 0 && !(units === 0 && below === 0)) break
    total = total.plus(tierAmount(tier, Math.max(0, inTier)))
    if (tier.up_to === null || units <= tier.up_to) break
    below = tier.up_to
  }
  return rounded(total)
}

export function productOf(tx: Tx, price: Price): Product {
  return load<Product>(tx, price.product)
}

function tierAmount(tier: Tier, units: number): Decimal {
  return new Decimal(tier.unit_amount_decimal ?? 0).times(units).plus(tier.flat_amount_decimal ?? 0)
}

function transformed(price: Price, quantity: number): number {
  const change = price.transform_quantity
  if (!change) return quantity
  const divided = quantity / change.divide_by
  return change.round === 'up' ? Math.ceil(divided) : Math.floor(divided)
}

function rounded(amount: Decimal): number {
  return amount.toDecimalPlaces(0, Decimal.ROUND_HALF_UP).toNumber()
}

function amountsOf(params: Amounts): { unit_amount: number | null; unit_amount_decimal: string | null } {
  if (params.unit_amount !== undefined)
    return { unit_amount: params.unit_amount, unit_amount_decimal: String(params.unit_amount) }
  if (params.unit_amount_decimal === undefined) return { unit_amount: null, unit_amount_decimal: null }
  const decimal = new Decimal(String(params.unit_amount_decimal))
  return { unit_amount: decimal.isInteger() ? decimal.toNumber() : null, unit_amount_decimal: decimal.toFixed() }
}

function tierOf(tier: Stripe.PriceCreateParams.Tier): Tier {
  const unit = amountsOf(tier)
  const flat = amountsOf({ unit_amount: tier.flat_amount, unit_amount_decimal: tier.flat_amount_decimal })
  return {
    flat_amount: flat.unit_amount,
    flat_amount_decimal: flat.unit_amount_decimal,
    unit_amount: unit.unit_amount,
    unit_amount_decimal: unit.unit_amount_decimal,
    up_to: tier.up_to === 'inf' ? null : Number(tier.up_to),
  }
}

function currencyOptions(params: Stripe.PriceCreateParams): Record<string, unknown> | null {
  if (!params.currency_options) return null
  return Object.fromEntries(
    Object.entries(params.currency_options).map(([currency, option]) => [
      currency,
      { custom_unit_amount: null, tax_behavior: option.tax_behavior ?? 'unspecified', ...amountsOf(option) },
    ]),
  )
}

function claimLookupKey(tx: Tx, key: string, transfer: boolean): void {
  const holder = listOf<Price>(tx, 'price').find((price) => price.active && price.lookup_key === key)
  if (!holder) return
  if (!transfer)
    throw invalid(`A price (\`${holder.id}\`) already uses that lookup key.`, 'lookup_key', 'resource_already_exists')
  const before = snapshot(tx, holder)
  holder.lookup_key = null
  save(tx, holder)
  emitUpdate(tx, 'price.updated', holder, before)
}
