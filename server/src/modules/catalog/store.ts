import type { CatalogFile, CatalogPlan, CatalogVersion } from '@turnpike/contract'
import { instantOfRow } from '../../core/period.ts'
import { type Db, query, queryOne, sql, type Tx } from '../../platform/db.ts'
import { type Catalog, hashOf, type PlanVersion } from './catalog.ts'

/** The catalog in force: the one applied last. Null before the first one. */
export const loadCatalog = async (on: Db | Tx): Promise<Catalog | null> => {
  const newest = await queryOne<{ version: number; hash: string; content: CatalogFile }>(
    on,
    sql`select version, hash, content from catalog_versions order by version desc limit 1`,
  )
  if (!newest) return null
  // Another catalog may be applied between the two statements; its plan versions are not part of this one.
  const rows = await query<{ plan_key: string; version: number; content: CatalogPlan }>(
    on,
    sql`select plan_key, version, content from plan_versions where catalog_version <= ${newest.version} order by plan_key, version`,
  )
  const planVersions = new Map<string, PlanVersion[]>()
  for (const row of rows) {
    const versions = planVersions.get(row.plan_key) ?? []
    versions.push({ key: row.plan_key, version: row.version, content: row.content })
    planVersions.set(row.plan_key, versions)
  }
  const earlier = await query<{
    addOns: CatalogFile['addOns'] | null
    products: CatalogFile['products'] | null
    coupons: CatalogFile['coupons'] | null
  }>(
    on,
    sql`select content->'addOns' as "addOns", content->'products' as products, content->'coupons' as coupons from catalog_versions
        where version < ${newest.version} order by version`,
  )
  return {
    version: newest.version,
    hash: newest.hash,
    file: newest.content,
    planVersions,
    earlier: earlier.map((part) => ({
      addOns: part.addOns ?? undefined,
      products: part.products ?? undefined,
      coupons: part.coupons ?? undefined,
    })),
  }
}

type VersionRow = {
  version: number
  hash: string
  applied_at: string
  applied_by: string
  summary: string
  plans: Record<string, number>
}

const versionOfRow = (row: VersionRow): CatalogVersion => ({
  version: row.version,
  hash: row.hash,
  appliedAt: instantOfRow(row.applied_at).toString(),
  appliedBy: row.applied_by,
  summary: row.summary,
  plans: row.plans,
})

/** Every catalog that was applied, newest first. */
export const catalogHistory = async (on: Db | Tx): Promise<CatalogVersion[]> => {
  const rows = await query<VersionRow>(
    on,
    sql`select version, hash, applied_at, applied_by, summary, plans from catalog_versions order by version desc`,
  )
  return rows.map(versionOfRow)
}

/** Until the transaction ends, nobody else applies a catalog. */
export const lockCatalog = async (tx: Tx): Promise<void> => {
  await query(tx, sql`select pg_advisory_xact_lock(hashtext('turnpike catalog'))`)
}

/** Adds a catalog version and the plan versions that are new in it. Needs `lockCatalog`. */
export const insertCatalog = async (
  tx: Tx,
  next: Catalog,
  record: { source: string; summary: string; appliedAt: Temporal.Instant; appliedBy: string; reason: string | null },
): Promise<CatalogVersion> => {
  const plans = Object.fromEntries(
    Object.keys(next.file.plans).map((key) => [key, next.planVersions.get(key)?.at(-1)?.version ?? 0]),
  )
  const row = await queryOne<VersionRow>(
    tx,
    sql`insert into catalog_versions (version, hash, content, source, plans, summary, applied_at, applied_by, reason)
        values (${next.version}, ${next.hash}, ${JSON.stringify(next.file)}, ${record.source}, ${JSON.stringify(plans)},
          ${record.summary}, ${record.appliedAt.toString()}, ${record.appliedBy}, ${record.reason})
        returning version, hash, applied_at, applied_by, summary, plans`,
  )
  const known = await query<{ plan_key: string; version: number }>(tx, sql`select plan_key, version from plan_versions`)
  const kept = new Set(known.map((plan) => `${plan.plan_key} ${plan.version}`))
  for (const plan of [...next.planVersions.values()].flat()) {
    if (kept.has(`${plan.key} ${plan.version}`)) continue
    await query(
      tx,
      sql`insert into plan_versions (plan_key, version, content, content_hash, catalog_version)
          values (${plan.key}, ${plan.version}, ${JSON.stringify(plan.content)}, ${hashOf(plan.content)}, ${next.version})`,
    )
  }
  return versionOfRow(row!)
}
