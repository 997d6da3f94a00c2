import type { CatalogPush } from '@turnpike/contract'
import { fail } from '../core/errors.ts'
import {
  loadCatalog,
  type ProviderCatalog,
  pickPrice,
  wantedAtProvider,
  wantedCoupons,
} from '../modules/catalog/index.ts'
import { type Actor, appendAudit } from '../platform/audit.ts'
import type { Clock } from '../platform/clock.ts'
import { type Db, transact } from '../platform/db.ts'

export type PushCatalogDeps = {
  db: Db
  clock: Clock
  /** Products and prices of the catalog with this name at the provider. */
  providerCatalog(catalogName: string): ProviderCatalog
}

/**
 * Makes at the provider what is missing there, by lookup key (CAT-4), and brings names of products up to date. Prices
 * that exist are never touched: wrong and archived ones are for `diffCatalog` to name. A repeat makes nothing.
 */
export const pushCatalog = async (deps: PushCatalogDeps, actor: Actor): Promise<CatalogPush> => {
  const catalog = await loadCatalog(deps.db)
  if (!catalog) throw fail('not_found')
  const provider = deps.providerCatalog(catalog.file.catalog)
  const wanted = wantedAtProvider(catalog)
  const coupons = wantedCoupons(catalog)
  const state = await provider.read({
    productIds: wanted.products.map(({ id }) => id),
    lookupKeys: wanted.prices.map(({ lookupKey }) => lookupKey),
    couponIds: coupons.map(({ id }) => id),
  })
  const pushed: CatalogPush = { created: [], updated: [], unchanged: 0 }
  for (const product of wanted.products) {
    const outcome = await provider.ensureProduct(
      product,
      state.products.find(({ id }) => id === product.id),
    )
    if (outcome === 'unchanged') pushed.unchanged++
    else pushed[outcome].push(product.id)
  }
  for (const price of wanted.prices) {
    if (pickPrice(state.prices, price.lookupKey)) {
      pushed.unchanged++
      continue
    }
    await provider.createPrice(price)
    pushed.created.push(price.lookupKey)
  }
  for (const coupon of coupons) {
    if (state.coupons.some(({ id }) => id === coupon.id)) {
      pushed.unchanged++
      continue
    }
    await provider.createCoupon(coupon)
    pushed.created.push(coupon.id)
  }
  if (pushed.created.length + pushed.updated.length > 0)
    await transact(deps.db, (tx) =>
      appendAudit(tx, deps.clock, {
        tenantId: null,
        actor,
        action: 'catalog.push',
        object: `catalog ${catalog.version}`,
        after: { created: pushed.created, updated: pushed.updated },
      }),
    )
  return pushed
}
