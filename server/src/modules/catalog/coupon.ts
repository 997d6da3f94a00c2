import type { CatalogCoupon } from '@turnpike/contract'
import { own } from '../../core/own.ts'
import { type Catalog, hashOf } from './catalog.ts'
import { productIdOf } from './product-id.ts'

/** A coupon as the provider should have it. What is fixed is one for each currency, as amounts are. */
export type WantedCoupon = {
  id: string
  name: string
  /** Exactly one of the two. */
  percentOff: string | null
  amountOff: { amountMinor: bigint; currency: string } | null
  duration: 'once' | 'forever' | { months: number }
  /** Seconds of the epoch, as the provider counts. */
  redeemBySeconds: number | null
  maxRedemptions: number | null
  /** What it takes something off; null: everything. */
  productIds: string[] | null
}

/** Every coupon that can be redeemed now. */
export const wantedCoupons = (catalog: Catalog): WantedCoupon[] =>
  Object.entries(catalog.file.coupons ?? {})
    .filter(([, coupon]) => coupon.status === 'active')
    .flatMap(([key, coupon]) => couponsOf(catalog.file.catalog, key, coupon))

/** The provider's coupon for a purchase in a currency; null when the catalog has none for it. */
export const couponIdOf = (catalog: Catalog, key: string, currency: string): string | null => {
  const coupon = own(catalog.file.coupons, key)
  if (!coupon) return null
  return (
    couponsOf(catalog.file.catalog, key, coupon).find(
      ({ amountOff }) => amountOff === null || amountOff.currency === currency,
    )?.id ?? null
  )
}

/** A coupon by its name, or by the code that people type, whatever its case. */
export const findCoupon = (catalog: Catalog, named: string): { key: string; coupon: CatalogCoupon } | null => {
  const typed = named.trim().toUpperCase()
  const [key, coupon] =
    Object.entries(catalog.file.coupons ?? {}).find(
      ([name, { code }]) => name.toUpperCase() === typed || code?.toUpperCase() === typed,
    ) ?? []
  return key !== undefined && coupon ? { key, coupon } : null
}

/** The catalog's coupon behind one of the provider, over every catalog that was ever applied; null for those of others. */
export const resolveCoupon = (catalog: Catalog, couponId: string): (WantedCoupon & { key: string }) | null => {
  for (const part of [catalog.file, ...catalog.earlier.toReversed()])
    for (const [key, coupon] of Object.entries(part.coupons ?? {})) {
      const wanted = couponsOf(catalog.file.catalog, key, coupon).find(({ id }) => id === couponId)
      if (wanted) return { key, ...wanted }
    }
  return null
}

// A coupon is never changed at the provider: with other content it is another one, and discounts that were granted stay.
const couponsOf = (catalogName: string, key: string, coupon: CatalogCoupon): WantedCoupon[] => {
  const base = {
    name: coupon.name,
    duration: coupon.duration,
    redeemBySeconds: coupon.redeemBy
      ? Math.floor(Temporal.Instant.from(coupon.redeemBy).epochMilliseconds / 1_000)
      : null,
    maxRedemptions: coupon.maxRedemptions ?? null,
    productIds: productsOf(catalogName, coupon),
  }
  const named = (content: Omit<WantedCoupon, 'id'>): WantedCoupon => {
    const { name: _, ...what } = content
    const print = hashOf({
      ...what,
      amountOff: content.amountOff && { ...content.amountOff, amountMinor: String(content.amountOff.amountMinor) },
    })
    const currency = content.amountOff ? `_${content.amountOff.currency.toLowerCase()}` : ''
    return { ...content, id: `${catalogName}_coupon_${key}${currency}_${print.slice(0, 10)}` }
  }
  return coupon.percentOff !== undefined
    ? [named({ ...base, percentOff: coupon.percentOff, amountOff: null })]
    : Object.entries(coupon.amountsOff ?? {}).map(([currency, amount]) =>
        named({ ...base, percentOff: null, amountOff: { amountMinor: BigInt(amount), currency } }),
      )
}

const productsOf = (catalogName: string, { plans, products }: CatalogCoupon): string[] | null =>
  plans === undefined && products === undefined
    ? null
    : [
        ...(plans ?? []).map((plan) => productIdOf(catalogName, { kind: 'plan', plan })),
        ...(products ?? []).map((product) => productIdOf(catalogName, { kind: 'product', product })),
      ]

/** Why a coupon cannot be used for a plan or product now; null when it can. */
export const couponRefusal = (
  coupon: CatalogCoupon,
  chosen: { plan: string | null; product: string | null; currency: string },
  at: Temporal.Instant,
): string | null => {
  if (coupon.status !== 'active') return 'The coupon is not on offer.'
  if (coupon.redeemBy && Temporal.Instant.compare(at, coupon.redeemBy) >= 0) return 'The coupon has ended.'
  if (coupon.amountsOff && own(coupon.amountsOff, chosen.currency) === undefined)
    return `The coupon has no amount in ${chosen.currency}.`
  if (coupon.plans === undefined && coupon.products === undefined) return null
  const fits =
    (chosen.plan !== null && coupon.plans?.includes(chosen.plan)) ||
    (chosen.product !== null && coupon.products?.includes(chosen.product))
  return fits ? null : 'The coupon is not for this.'
}
