import type { CatalogFile, CatalogPlan, CatalogProduct } from '@turnpike/contract'
import { canonicalJson, sha256 } from '../../core/canonical.ts'
import { assert } from '../../core/errors.ts'
import { own } from '../../core/own.ts'

/** What a plan was at one of its versions: it never changes again (CAT-3). */
export type PlanVersion = { key: string; version: number; content: CatalogPlan }

/** The catalog in force, with every plan version that a subscription may still be pinned to. Never changed in place. */
export type Catalog = {
  version: number
  hash: string
  file: CatalogFile
  /** By plan key, ascending by version; the last is the one on offer. */
  planVersions: ReadonlyMap<string, readonly PlanVersion[]>
  /** Add-ons, products and coupons of earlier catalogs, oldest first: their prices may still be billed. */
  earlier: readonly Pick<CatalogFile, 'addOns' | 'products' | 'coupons'>[]
}

/** The plan at `version`, or its newest version; null when there is no such plan or version. */
export const findPlan = (catalog: Catalog, key: string, version?: number): PlanVersion | null => {
  const versions = catalog.planVersions.get(key) ?? []
  return (version === undefined ? versions.at(-1) : versions.find((plan) => plan.version === version)) ?? null
}

/** A product that is or was sold once, as the newest catalog that has it describes it. */
export const findProduct = (catalog: Catalog, key: string): CatalogProduct | null =>
  own(catalog.file.products, key) ??
  catalog.earlier.findLast(({ products }) => own(products, key) !== undefined)?.products?.[key] ??
  null

/** What a customer without a live subscription has: always the newest version of the baseline plan. */
export const baselinePlan = (catalog: Catalog): PlanVersion => {
  const plan = findPlan(catalog, catalog.file.baseline)
  assert(plan, `the catalog has no baseline plan ${catalog.file.baseline}`)
  return plan
}

/** Hex of what a file says; its order, spacing and comments do not count. */
export const hashOf = (content: unknown): string => sha256(canonicalJson(content)).toString('hex')

/**
 * The catalog after applying `file` to `current`: a plan whose content changed gets its next version, every other plan
 * keeps its own. Plans that are not in the file keep their history.
 */
export const nextCatalog = (current: Catalog | null, file: CatalogFile): Catalog => {
  const planVersions = new Map(current?.planVersions ?? [])
  for (const [key, content] of Object.entries(file.plans)) {
    const kept = planVersions.get(key) ?? []
    const newest = kept.at(-1)
    if (newest && hashOf(newest.content) === hashOf(content)) continue
    planVersions.set(key, [...kept, { key, version: (newest?.version ?? 0) + 1, content }])
  }
  return {
    version: (current?.version ?? 0) + 1,
    hash: hashOf(file),
    file,
    planVersions,
    earlier: current
      ? [
          ...current.earlier,
          { addOns: current.file.addOns, products: current.file.products, coupons: current.file.coupons },
        ]
      : [],
  }
}
