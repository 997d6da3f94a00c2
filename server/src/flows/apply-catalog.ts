import type { CatalogPlanArtifact, CatalogVersion } from '@turnpike/contract'
import { type Failure, fail } from '../core/errors.ts'
import {
  type CatalogFacts,
  catalogHistory,
  insertCatalog,
  loadCatalog,
  lockCatalog,
  nextCatalog,
  type ParsedCatalog,
  parseCatalog,
  planCatalogChange,
} from '../modules/catalog/index.ts'
import { type Actor, appendAudit } from '../platform/audit.ts'
import type { Clock } from '../platform/clock.ts'
import { type Db, type Tx, transact } from '../platform/db.ts'
import { notify } from '../platform/notify.ts'

export type CatalogChangeDeps = {
  db: Db
  clock: Clock
  /** Who has which plan version now. */
  catalogFacts(tx: Tx): Promise<CatalogFacts>
}

/** What applying the file would do; saves nothing. Fails with `catalog_invalid`, each mistake with its line (CAT-2). */
export const planCatalog = async (
  deps: Pick<CatalogChangeDeps, 'db' | 'catalogFacts'>,
  source: string,
): Promise<CatalogPlanArtifact> => {
  const { file } = validOf(parseCatalog(source))
  return transact(deps.db, async (tx) => planCatalogChange(await loadCatalog(tx), file, await deps.catalogFacts(tx)))
}

export type ApplyCatalogRequest = { source: string; artifact: CatalogPlanArtifact; reason?: string | null }

/**
 * Applies a planned file as the next catalog version. Fails with `catalog_stale` when the catalog or the file is not the
 * one that was planned, and with `catalog_invalid` for mistakes and blocked changes. Applying what is in force already
 * answers the version in force and changes nothing, so a repeat is harmless.
 */
export const applyCatalog = async (
  deps: CatalogChangeDeps,
  request: ApplyCatalogRequest,
  actor: Actor,
): Promise<CatalogVersion> => {
  const { file, hash } = validOf(parseCatalog(request.source))
  if (request.artifact.targetHash !== hash) throw fail('catalog_stale')
  return transact(deps.db, async (tx) => {
    await lockCatalog(tx)
    const current = await loadCatalog(tx)
    if (current?.hash === hash) return (await catalogHistory(tx))[0]!
    const artifact = planCatalogChange(current, file, await deps.catalogFacts(tx))
    if (artifact.baseHash !== request.artifact.baseHash) throw fail('catalog_stale')
    if (artifact.blocked) throw blocked(artifact)
    const next = nextCatalog(current, file)
    const applied = await insertCatalog(tx, next, {
      source: request.source,
      summary: summaryOf(artifact),
      appliedAt: deps.clock.now(),
      appliedBy: actor.id,
      reason: request.reason ?? null,
    })
    await appendAudit(tx, deps.clock, {
      tenantId: null,
      actor,
      action: 'catalog.apply',
      object: `catalog ${next.version}`,
      before: current ? { version: current.version, hash: current.hash } : null,
      after: { version: next.version, hash: next.hash, plans: applied.plans },
      reason: request.reason ?? null,
    })
    await notify(tx, { kind: 'catalog' })
    return applied
  })
}

const validOf = (parsed: ParsedCatalog): Extract<ParsedCatalog, { ok: true }> => {
  if (parsed.ok) return parsed
  throw fail('catalog_invalid', {
    errors: parsed.problems.map(({ line, column, path, message }) => ({
      field: `${line}:${column}${path === '' ? '' : ` ${path}`}`,
      message,
    })),
  })
}

const blocked = (artifact: CatalogPlanArtifact): Failure =>
  fail('catalog_invalid', {
    errors: artifact.changes
      .filter((change) => change.kind === 'blocked')
      .map((change) => ({ field: `${change.object} ${change.key}`, message: change.sentence })),
  })

const verbs = { add: 'added', update: 'changed', archive: 'archived', remove: 'removed', blocked: 'blocked' } as const

/** `2 added, 1 changed` */
const summaryOf = (artifact: CatalogPlanArtifact): string =>
  Object.entries(verbs)
    .map(([kind, verb]) => ({ verb, count: artifact.changes.filter((change) => change.kind === kind).length }))
    .filter(({ count }) => count > 0)
    .map(({ verb, count }) => `${count} ${verb}`)
    .join(', ')
