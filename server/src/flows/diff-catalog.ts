import type { CatalogDiff } from '@turnpike/contract'
import { fail } from '../core/errors.ts'
import { compareWithProvider, loadCatalog, wantedAtProvider, wantedCoupons } from '../modules/catalog/index.ts'
import type { PushCatalogDeps } from './push-catalog.ts'

/** Compares the catalog in force with the provider in both directions and names each difference (CAT-4). */
export const diffCatalog = async (deps: Pick<PushCatalogDeps, 'db' | 'providerCatalog'>): Promise<CatalogDiff> => {
  const catalog = await loadCatalog(deps.db)
  if (!catalog) throw fail('not_found')
  const wanted = wantedAtProvider(catalog)
  const state = await deps.providerCatalog(catalog.file.catalog).read({
    productIds: wanted.products.map(({ id }) => id),
    lookupKeys: wanted.prices.map(({ lookupKey }) => lookupKey),
    couponIds: wantedCoupons(catalog).map(({ id }) => id),
  })
  const differences = compareWithProvider(catalog, state)
  return { inSync: differences.length === 0, differences }
}
