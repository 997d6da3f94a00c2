import type { ProviderDifference } from '@turnpike/contract'
import type { Interval } from '../../core/period.ts'
import type { Catalog } from './catalog.ts'
import { resolveCoupon, type WantedCoupon, wantedCoupons } from './coupon.ts'
import { resolveLookupKey } from './lookup-key.ts'
import { intervalText } from './price.ts'
import { type WantedPrice, type WantedProduct, wantedAtProvider } from './provider-catalog.ts'

/** A product at the provider. `ours`: it carries our mark, so we may change it. */
export type ProviderProduct = { id: string; name: string; description: string | null; active: boolean; ours: boolean }
/** A price at the provider. `amountMinor: null`: it has no single whole amount, such as one with tiers. */
export type ProviderPrice = {
  id: string
  lookupKey: string | null
  productId: string
  active: boolean
  amountMinor: bigint | null
  currency: string
  interval: Interval | null
}

/** A coupon at the provider. `ours`: it carries our mark. */
export type ProviderCoupon = {
  id: string
  name: string | null
  ours: boolean
  /** It can still be redeemed. */
  valid: boolean
  percentOff: string | null
  amountMinor: bigint | null
  currency: string | null
  duration: string
}

export type ProviderState = {
  /** Coupons with an id of ours or with our mark. */
  coupons: readonly ProviderCoupon[]
  /** Products with an id of ours or with our mark. */
  products: readonly ProviderProduct[]
  /** Prices with a lookup key of ours, and every active price of these products. */
  prices: readonly ProviderPrice[]
}

/**
 * Compares what can be bought with what the provider would charge, in both directions (CAT-4). A price of an older version
 * is expected there: subscriptions may be on it.
 */
export const compareWithProvider = (catalog: Catalog, state: ProviderState): ProviderDifference[] => {
  const wanted = wantedAtProvider(catalog)
  return [
    ...wanted.products.flatMap((product) =>
      compareProduct(
        product,
        state.products.find(({ id }) => id === product.id),
      ),
    ),
    ...wanted.prices.flatMap((price) => comparePrice(price, pickPrice(state.prices, price.lookupKey))),
    ...wantedCoupons(catalog).flatMap((coupon) =>
      compareCoupon(
        coupon,
        state.coupons.find(({ id }) => id === coupon.id),
      ),
    ),
    ...unknownCoupons(catalog, state),
    ...unknownProducts(catalog, wanted.products, state),
    ...unknownPrices(catalog, state),
  ]
}

/** Several prices can have carried one lookup key; the active one has it now. */
export const pickPrice = (prices: readonly ProviderPrice[], lookupKey: string): ProviderPrice | undefined => {
  const carrying = prices.filter((price) => price.lookupKey === lookupKey)
  return carrying.find((price) => price.active) ?? carrying[0]
}

const compareProduct = (wanted: WantedProduct, found: ProviderProduct | undefined): ProviderDifference[] => {
  const at = { object: 'product', key: wanted.id } as const
  if (!found) return [missing(at, `The provider has no product "${wanted.id}": push the catalog.`)]
  if (!found.active)
    return [inactive(at, `Product "${wanted.id}" is archived at the provider, so it cannot be bought.`)]
  if (!found.ours)
    return [
      differs(
        at,
        'metadata',
        'turnpike_catalog',
        null,
        `Product "${wanted.id}" at the provider was not made by this catalog.`,
      ),
    ]
  return [
    ...(found.name === wanted.name ? [] : [differs(at, 'name', wanted.name, found.name)]),
    ...(found.description === wanted.description
      ? []
      : [differs(at, 'description', wanted.description, found.description)]),
  ]
}

const comparePrice = (wanted: WantedPrice, found: ProviderPrice | undefined): ProviderDifference[] => {
  const at = { object: 'price', key: wanted.lookupKey } as const
  if (!found) return [missing(at, `The provider has no price "${wanted.lookupKey}": push the catalog.`)]
  if (!found.active)
    return [inactive(at, `Price "${wanted.lookupKey}" is archived at the provider, so it cannot be bought.`)]
  const interval = (price: { interval: Interval | null }) => (price.interval ? intervalText(price.interval) : 'once')
  const fields = [
    ['amountMinor', String(wanted.amountMinor), found.amountMinor === null ? null : String(found.amountMinor)],
    ['currency', wanted.currency, found.currency],
    ['interval', interval(wanted), interval(found)],
    ['product', wanted.productId, found.productId],
  ] as const
  return fields.flatMap(([field, ours, theirs]) => (ours === theirs ? [] : [differs(at, field, ours, theirs)]))
}

// A coupon that has been used up or has run out there did what it was made for, so that is no difference.
const compareCoupon = (wanted: WantedCoupon, found: ProviderCoupon | undefined): ProviderDifference[] => {
  const at = { object: 'coupon', key: wanted.id } as const
  if (!found) return [missing(at, `The provider has no coupon "${wanted.id}": push the catalog.`)]
  const fields = [
    ['name', wanted.name, found.name],
    ['percentOff', wanted.percentOff && trimmed(wanted.percentOff), found.percentOff],
    ['amountMinor', text(wanted.amountOff?.amountMinor), text(found.amountMinor)],
    ['currency', wanted.amountOff?.currency ?? null, found.currency],
    ['duration', durationText(wanted.duration), found.duration],
  ] as const
  return fields.flatMap(([field, ours, theirs]) => (ours === theirs ? [] : [differs(at, field, ours, theirs)]))
}
const text = (amount: bigint | null | undefined): string | null => (amount == null ? null : String(amount))
const trimmed = (percent: string): string => String(Number(percent))
export const durationText = (duration: WantedCoupon['duration']): string =>
  typeof duration === 'string' ? duration : `${duration.months} months`

/** Coupons of earlier catalogs stay there while their discounts run; they are not unknown. */
const unknownCoupons = (catalog: Catalog, { coupons }: ProviderState): ProviderDifference[] =>
  coupons
    .filter(({ id, ours, valid }) => ours && valid && resolveCoupon(catalog, id) === null)
    .map(({ id, name }) =>
      unknown(
        { object: 'coupon', key: id },
        name,
        `The provider redeems coupon "${id}", which the catalog does not have.`,
      ),
    )

const unknownProducts = (
  catalog: Catalog,
  wanted: WantedProduct[],
  { products }: ProviderState,
): ProviderDifference[] => {
  const known = new Set(wanted.map(({ id }) => id))
  const { plans, addOns = {}, products: oneTime = {} } = catalog.file
  // What is archived here may stay there while subscriptions run out.
  for (const key of Object.keys(plans)) known.add(`${catalog.file.catalog}_${key}`)
  for (const key of Object.keys(addOns)) known.add(`${catalog.file.catalog}_addon_${key}`)
  for (const key of Object.keys(oneTime)) known.add(`${catalog.file.catalog}_product_${key}`)
  return products
    .filter((product) => product.active && product.ours && !known.has(product.id))
    .map(({ id, name }) =>
      unknown(
        { object: 'product', key: id },
        name,
        `The provider sells product "${id}", which the catalog does not have.`,
      ),
    )
}

const unknownPrices = (catalog: Catalog, { prices }: ProviderState): ProviderDifference[] =>
  prices
    .filter((price) => price.active && !(price.lookupKey && resolveLookupKey(catalog, price.lookupKey)))
    .map((price) =>
      unknown(
        { object: 'price', key: price.lookupKey ?? price.id },
        price.amountMinor === null ? null : `${price.amountMinor} ${price.currency}`,
        `The provider has price "${price.lookupKey ?? price.id}" on product "${price.productId}", which the catalog does not have.`,
      ),
    )

type At = Pick<ProviderDifference, 'object' | 'key'>

const missing = (at: At, sentence: string): ProviderDifference => ({
  ...at,
  kind: 'missing_at_provider',
  field: null,
  ours: at.key,
  theirs: null,
  sentence,
})
const inactive = (at: At, sentence: string): ProviderDifference => ({
  ...at,
  kind: 'inactive_at_provider',
  field: 'active',
  ours: 'true',
  theirs: 'false',
  sentence,
})
const unknown = (at: At, theirs: string | null, sentence: string): ProviderDifference => ({
  ...at,
  kind: 'unknown_to_catalog',
  field: null,
  ours: null,
  theirs,
  sentence,
})
const differs = (
  at: At,
  field: string,
  ours: string | null,
  theirs: string | null,
  sentence?: string,
): ProviderDifference => ({
  ...at,
  kind: 'differs',
  field,
  ours,
  theirs,
  sentence:
    sentence ??
    `${objects[at.object]} "${at.key}" differs in ${field}: ${ours ?? 'nothing'} here, ${theirs ?? 'nothing'} at the provider.`,
})

const objects = { price: 'Price', product: 'Product', coupon: 'Coupon' } as const
