import { fail } from '../../core/errors.ts'
import { applyCatalog, planCatalog } from '../../flows/apply-catalog.ts'
import { diffCatalog } from '../../flows/diff-catalog.ts'
import { pushCatalog } from '../../flows/push-catalog.ts'
import { catalogHistory, parseCatalog } from '../../modules/catalog/index.ts'
import type { Handlers } from '../handler.ts'

export const catalogHandlers: Handlers<
  | 'getCatalog'
  | 'listCatalogHistory'
  | 'validateCatalog'
  | 'planCatalog'
  | 'applyCatalog'
  | 'pushCatalog'
  | 'diffCatalog'
> = {
  getCatalog: async ({ deps }) => {
    const catalog = deps.catalog()
    const version = (await catalogHistory(deps.db)).find((candidate) => candidate.version === catalog.version)
    if (!version) throw fail('catalog_missing')
    return { ...version, content: catalog.file }
  },
  listCatalogHistory: ({ deps }) => catalogHistory(deps.db),
  validateCatalog: ({ body }) => {
    const parsed = parseCatalog(body.source)
    return { valid: parsed.ok, problems: parsed.ok ? [] : parsed.problems }
  },
  planCatalog: ({ deps, body }) => planCatalog(deps, body.source),
  applyCatalog: ({ deps, actor, body }) => applyCatalog(deps, body, actor),
  pushCatalog: ({ deps, actor }) => pushCatalog(deps, actor),
  diffCatalog: ({ deps }) => diffCatalog(deps),
}
