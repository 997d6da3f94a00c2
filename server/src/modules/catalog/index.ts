export { baselinePlan, type Catalog, findPlan, findProduct, nextCatalog, type PlanVersion } from './catalog.ts'
export {
  compareWithProvider,
  type ProviderCoupon,
  type ProviderPrice,
  type ProviderProduct,
  pickPrice,
} from './compare-provider.ts'
export { couponIdOf, couponRefusal, findCoupon, resolveCoupon, type WantedCoupon, wantedCoupons } from './coupon.ts'
export { lookupKeyOf, resolveLookupKey } from './lookup-key.ts'
export { type ParsedCatalog, parseCatalog } from './parse.ts'
export { type CatalogFacts, noCatalogHash, planCatalogChange } from './plan-change.ts'
export { allowancePrice, amountOf, intervalOf, intervalText, isLongerThanMonth, type PriceRef } from './price.ts'
export { type ProviderCatalog, type WantedPrice, wantedAtProvider } from './provider-catalog.ts'
export { catalogHistory, insertCatalog, loadCatalog, lockCatalog } from './store.ts'
export { usagePriceWords } from './usage-price-words.ts'
