export { baselinePlan, type Catalog, findPlan, nextCatalog, type PlanVersion } from './catalog.ts'
export { lookupKeyOf, type ResolvedPrice, resolveLookupKey } from './lookup-key.ts'
export { amountOf, intervalOf, intervalText, type PriceAmount, type PriceRef } from './price.ts'
export { catalogHistory, insertCatalog, loadCatalog, lockCatalog } from './store.ts'
