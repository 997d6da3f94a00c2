import type { CatalogGrant, CatalogMeteredGrant, CatalogPlan } from '@turnpike/contract'
import { canonicalJson } from '../../core/canonical.ts'
import { isRecord } from './explain-shape.ts'

/** What a customer would have less of under `next` than under `before`: a sentence for each feature. */
export const lossesBetween = (before: CatalogPlan, next: CatalogPlan): { feature: string; sentence: string }[] =>
  Object.entries(before.grants).flatMap(([feature, grant]) => {
    const loss = lossOf(grant, Object.hasOwn(next.grants, feature) ? next.grants[feature] : undefined)
    return loss === null ? [] : [{ feature, sentence: loss }]
  })

const lossOf = (before: CatalogGrant, next: CatalogGrant | undefined): string | null => {
  if (before === false || canonicalJson(before) === canonicalJson(next ?? null)) return null
  if (next === undefined || next === false) return 'is not granted any more'
  if (typeof before === 'number' && typeof next === 'number')
    return next < before ? `falls from ${before} to ${next}` : null
  if (Array.isArray(before) && Array.isArray(next)) {
    const gone = before.filter((member) => !next.includes(member))
    return gone.length > 0 ? `loses ${gone.join(', ')}` : null
  }
  if (isLimit(before) && isLimit(next)) return limitLoss(before, next)
  return `changes from ${JSON.stringify(before)} to ${JSON.stringify(next)}`
}

const isLimit = (grant: CatalogGrant): grant is CatalogMeteredGrant => isRecord(grant)

const limitLoss = (before: CatalogMeteredGrant, next: CatalogMeteredGrant): string | null => {
  if (isLess(next.limit, before.limit)) return `has a limit of ${next.limit}, no longer ${before.limit ?? 'unlimited'}`
  const included = (grant: CatalogMeteredGrant) => (grant.included === undefined ? grant.limit : grant.included)
  if (isLess(included(next), included(before)))
    return `has ${included(next)} included, no longer ${included(before) ?? 'everything'}`
  if (next.limit !== null && before.enforcement === 'soft' && next.enforcement === 'hard')
    return 'is refused above its limit, no longer only warned about'
  return null
}

// Null is unlimited.
const isLess = (a: number | null, b: number | null): boolean => a !== null && (b === null || a < b)
