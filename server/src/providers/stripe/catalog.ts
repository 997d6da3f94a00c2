import type Stripe from 'stripe'
import { canonicalJson, sha256 } from '../../core/canonical.ts'
import type {
  ProviderCatalog,
  ProviderCoupon,
  ProviderPrice,
  ProviderProduct,
  WantedPrice,
} from '../../modules/catalog/index.ts'
import type { Log } from '../../platform/log.ts'
import { asking, orMissing } from './client.ts'

const mark = 'turnpike_catalog'
// Stripe takes at most ten lookup keys in one request.
const keysAtOnce = 10

/** Assumes nothing but Stripe's published protocol. The name of the catalog is our mark on what we made. */
export const createStripeCatalog = (stripe: Stripe, settings: { log: Log; catalog: string }): ProviderCatalog => {
  const { log, catalog } = settings

  const findPrices = async (lookupKeys: readonly string[]): Promise<Stripe.Price[]> => {
    const found: Stripe.Price[] = []
    for (let from = 0; from < lookupKeys.length; from += keysAtOnce) {
      const lookup_keys = lookupKeys.slice(from, from + keysAtOnce)
      found.push(...(await asking(log, 'prices.list', () => all(stripe.prices.list({ lookup_keys, limit: 100 })))))
    }
    return found
  }

  const findProducts = async (ids: readonly string[]): Promise<Stripe.Product[]> => {
    const found: Stripe.Product[] = []
    for (const id of ids) {
      const product = await asking(log, 'products.retrieve', () => orMissing(stripe.products.retrieve(id)))
      if (product && !(product as { deleted?: boolean }).deleted) found.push(product)
    }
    return found
  }

  /** An account has products of other makers too; Stripe's search is a minute behind, so all are looked through. */
  const listMarkedProducts = (): Promise<Stripe.Product[]> =>
    asking(log, 'products.list', async () => {
      const products = await all(stripe.products.list({ active: true, limit: 100 }))
      return products.filter((product) => product.metadata?.[mark] === catalog)
    })

  return {
    read: async ({ productIds, lookupKeys, couponIds }) => {
      const marked = new Map((await listMarkedProducts()).map((product) => [product.id, product]))
      // Archived ones and those without our mark are not among them.
      const others = await findProducts(productIds.filter((id) => !marked.has(id)))
      const products = [...marked.values(), ...others]
      const prices = new Map<string, Stripe.Price>()
      for (const price of await findPrices(lookupKeys)) prices.set(price.id, price)
      for (const product of products) {
        // Prices that others put on a product which is not ours are their business.
        if (product.metadata?.[mark] !== catalog) continue
        const listed = await asking(log, 'prices.list', () =>
          all(stripe.prices.list({ product: product.id, active: true, limit: 100 })),
        )
        for (const price of listed) prices.set(price.id, price)
      }
      const coupons = await asking(log, 'coupons.list', () => all(stripe.coupons.list({ limit: 100 })))
      return {
        products: products.map(productOf),
        prices: [...prices.values()].map(priceOf),
        coupons: coupons
          .filter(({ id, metadata }) => couponIds.includes(id) || metadata?.[mark] === catalog)
          .map(couponOf),
      }
    },

    ensureProduct: async (wanted, found) => {
      if (found && !found.ours) return 'unchanged'
      if (found && found.name === wanted.name && found.description === wanted.description) return 'unchanged'
      // An empty text takes a description away.
      const fields = {
        name: wanted.name,
        ...(wanted.description || found?.description ? { description: wanted.description ?? '' } : {}),
      }
      if (found) {
        await asking(log, 'products.update', () => stripe.products.update(wanted.id, fields))
        return 'updated'
      }
      const parameters = { id: wanted.id, ...fields, metadata: { [mark]: catalog, turnpike_product: wanted.id } }
      await asking(log, 'products.create', () => stripe.products.create(parameters, once(wanted.id, parameters)))
      return 'created'
    },

    createCoupon: async (wanted) => {
      const { percentOff, amountOff, duration, redeemBySeconds, maxRedemptions, productIds } = wanted
      const parameters: Stripe.CouponCreateParams = {
        id: wanted.id,
        name: wanted.name,
        metadata: { [mark]: catalog },
        ...(typeof duration === 'string'
          ? { duration }
          : { duration: 'repeating' as const, duration_in_months: duration.months }),
        ...(percentOff === null ? {} : { percent_off: Number(percentOff) }),
        ...(amountOff === null
          ? {}
          : { amount_off: Number(amountOff.amountMinor), currency: amountOff.currency.toLowerCase() }),
        ...(redeemBySeconds === null ? {} : { redeem_by: redeemBySeconds }),
        ...(maxRedemptions === null ? {} : { max_redemptions: maxRedemptions }),
        ...(productIds === null ? {} : { applies_to: { products: productIds } }),
      }
      await asking(log, 'coupons.create', () => stripe.coupons.create(parameters, once(wanted.id, parameters)))
    },

    createPrice: async (wanted) => {
      const parameters: Stripe.PriceCreateParams = {
        product: wanted.productId,
        currency: wanted.currency.toLowerCase(),
        unit_amount: Number(wanted.amountMinor),
        lookup_key: wanted.lookupKey,
        nickname: wanted.nickname,
        metadata: metadataOf(catalog, wanted),
        ...(wanted.interval
          ? {
              recurring: {
                interval: wanted.interval.unit,
                interval_count: wanted.interval.count,
                usage_type: 'licensed',
              },
            }
          : {}),
      }
      await asking(log, 'prices.create', () => stripe.prices.create(parameters, once(wanted.lookupKey, parameters)))
    },
  }

  function couponOf(coupon: Stripe.Coupon): ProviderCoupon {
    return {
      id: coupon.id,
      name: coupon.name ?? null,
      ours: coupon.metadata?.[mark] === catalog,
      valid: coupon.valid,
      percentOff: coupon.percent_off === null ? null : String(coupon.percent_off),
      amountMinor: coupon.amount_off === null ? null : BigInt(coupon.amount_off),
      currency: coupon.amount_off === null ? null : (coupon.currency?.toUpperCase() ?? null),
      duration: coupon.duration === 'repeating' ? `${coupon.duration_in_months} months` : coupon.duration,
    }
  }

  function productOf(product: Stripe.Product): ProviderProduct {
    const { id, name, active } = product
    return { id, name, active, description: product.description ?? null, ours: product.metadata?.[mark] === catalog }
  }
}

const all = async <T>(list: AsyncIterable<T>): Promise<T[]> => {
  const items: T[] = []
  for await (const item of list) items.push(item)
  return items
}

/** A repeat of the very same request makes nothing twice; a request with other content is another one. */
const once = (name: string, parameters: unknown) => ({
  idempotencyKey: `turnpike-${name}-${sha256(canonicalJson(parameters)).toString('hex').slice(0, 16)}`,
})

const metadataOf = (catalog: string, { ref }: WantedPrice): Record<string, string> => ({
  [mark]: catalog,
  turnpike_kind: ref.kind,
  ...(ref.kind === 'plan' || ref.kind === 'seat' ? { turnpike_plan: ref.plan } : {}),
  ...(ref.kind === 'add_on' ? { turnpike_add_on: ref.addOn } : {}),
  ...(ref.kind === 'product' ? { turnpike_product: ref.product } : { turnpike_price: ref.price }),
})

const units = ['day', 'week', 'month', 'year'] as const

const priceOf = (price: Stripe.Price): ProviderPrice => {
  const unit = units.find((known) => known === price.recurring?.interval)
  return {
    id: price.id,
    lookupKey: price.lookup_key ?? null,
    productId: typeof price.product === 'string' ? price.product : price.product.id,
    active: price.active,
    amountMinor: price.billing_scheme === 'tiered' || price.unit_amount === null ? null : BigInt(price.unit_amount),
    currency: price.currency.toUpperCase(),
    interval: price.recurring && unit ? { unit, count: price.recurring.interval_count } : null,
  }
}
