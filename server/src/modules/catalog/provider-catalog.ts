import type { Interval } from '../../core/period.ts'
import { type Catalog, findPlan } from './catalog.ts'
import type { ProviderProduct, ProviderState } from './compare-provider.ts'
import type { WantedCoupon } from './coupon.ts'
import { addOnRefs, lookupKeyOf, planRefs, productRefs } from './lookup-key.ts'
import { amountOf, intervalText, type PriceAmount, type PriceRef } from './price.ts'
import { productIdOf } from './product-id.ts'

/** A thing sold, as the provider should have it. `id` is ours and the same in every environment. */
export type WantedProduct = { id: string; name: string; description: string | null }
/** A price as the provider should have it: one currency each. */
export type WantedPrice = PriceAmount & { lookupKey: string; productId: string; nickname: string; ref: PriceRef }

/** Products and prices at the provider, by our names. Reading and writing, nothing decided. */
export type ProviderCatalog = {
  /** What is there of our lookup keys and of our products, active or not. */
  read(wanted: {
    productIds: readonly string[]
    lookupKeys: readonly string[]
    couponIds: readonly string[]
  }): Promise<ProviderState>
  /** Makes the product, or brings name and description of ours up to date. A product that is not ours is left alone. */
  ensureProduct(wanted: WantedProduct, found: ProviderProduct | undefined): Promise<'created' | 'updated' | 'unchanged'>
  /** Makes the coupon. Coupons are never changed there. */
  createCoupon(coupon: WantedCoupon): Promise<void>
  /** Makes the price. Prices are never changed there. */
  createPrice(wanted: WantedPrice): Promise<void>
}

/**
 * What can be bought now, as products and prices of the provider: the newest versions, without what is archived. Prices
 * of older versions stay at the provider as they were made.
 */
export const wantedAtProvider = (catalog: Catalog): { products: WantedProduct[]; prices: WantedPrice[] } => {
  const { file } = catalog
  const products: WantedProduct[] = []
  const prices: WantedPrice[] = []
  const add = (id: string, sold: { name: string; description?: string }, refs: PriceRef[]) => {
    // What costs nothing needs no product there.
    if (refs.length === 0) return
    products.push({ id, name: sold.name, description: sold.description ?? null })
    for (const ref of refs) {
      const amount = amountOf(catalog, ref)
      const lookupKey = lookupKeyOf(catalog, ref)
      if (amount && lookupKey)
        prices.push({ ...amount, ref, lookupKey, productId: id, nickname: nicknameOf(sold.name, ref, amount.interval) })
    }
  }
  for (const [key, { status }] of Object.entries(file.plans)) {
    const plan = findPlan(catalog, key)
    if (plan && status !== 'archived')
      add(productIdOf(file.catalog, { kind: 'plan', plan: key }), plan.content, planRefs(key, plan.content))
  }
  for (const [key, addOn] of Object.entries(file.addOns ?? {}))
    if (addOn.status !== 'archived')
      add(productIdOf(file.catalog, { kind: 'add_on', addOn: key }), addOn, addOnRefs({ addOns: { [key]: addOn } }))
  for (const [key, product] of Object.entries(file.products ?? {}))
    if (product.status !== 'archived')
      add(
        productIdOf(file.catalog, { kind: 'product', product: key }),
        product,
        productRefs({ products: { [key]: product } }),
      )
  return { products, prices }
}

const nicknameOf = (name: string, ref: PriceRef, interval: Interval | null): string => {
  const rhythm = interval ? ` per ${intervalText(interval)}` : ''
  return ref.kind === 'seat' ? `${name}: seat${rhythm}` : `${name}${rhythm}`
}
