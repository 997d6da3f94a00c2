import type { CatalogGrant, Counterfactual } from '@turnpike/contract'
import { type Micro, microOfWhole, numberOfMicro } from '../../core/quantity.ts'
import type { Catalog } from '../catalog/index.ts'
import type { ResolvedEntitlement, SnapshotContent } from './resolve.ts'

type Position = { used: Micro | null; reserved: Micro }

/**
 * What would have made a decision another one (ENT-5): how much would have been allowed, the lowest plan on sale that allows
 * what was asked for on top of what was used, and the smallest override that does.
 */
export const counterfactual = (
  catalog: Catalog,
  content: SnapshotContent,
  entitlement: ResolvedEntitlement,
  { used, reserved }: Position,
  quantity: Micro,
  allowed: boolean,
): Counterfactual => {
  const taken = (used ?? 0n) + reserved
  const needed = numberOfMicro(taken + quantity)
  return {
    allowedQuantity: mostOf(entitlement, taken),
    plan: allowed ? null : lowestPlan(catalog, content, entitlement, needed),
    override: allowed ? null : smallestOverride(entitlement, needed),
  }
}

const mostOf = (entitlement: ResolvedEntitlement, taken: Micro): number | null => {
  if (entitlement.kind === 'boolean') return entitlement.value ? null : 0
  if (entitlement.kind === 'value') {
    if (typeof entitlement.value === 'number') return above(BigInt(Math.round(entitlement.value * 1_000_000)), taken)
    const { value } = entitlement
    return value === true || (value !== false && value.length > 0) ? null : 0
  }
  if (entitlement.origin === 'none') return 0
  if (entitlement.limit === null || entitlement.enforcement === 'soft') return null
  return above(microOfWhole(entitlement.limit), taken)
}

const above = (limit: Micro, taken: Micro): number => numberOfMicro(limit > taken ? limit - taken : 0n)

const lowestPlan = (
  catalog: Catalog,
  content: SnapshotContent,
  { feature, kind }: ResolvedEntitlement,
  needed: number,
): string | null =>
  Object.entries(catalog.file.plans)
    .filter(([key, plan]) => plan.status === 'active' && (key !== content.plan || content.withheld))
    .sort(([, a], [, b]) => a.rank - b.rank)
    .find(([, plan]) => allows(plan.grants[feature], kind, needed))?.[0] ?? null

const allows = (grant: CatalogGrant | undefined, kind: ResolvedEntitlement['kind'], needed: number): boolean => {
  if (grant === undefined || grant === false || grant === '') return false
  if (typeof grant === 'number') return grant >= needed
  if (Array.isArray(grant)) return grant.length > 0
  if (typeof grant === 'object') return grant.limit === null || grant.enforcement === 'soft' || grant.limit >= needed
  return kind !== 'metered'
}

const smallestOverride = (entitlement: ResolvedEntitlement, needed: number): Counterfactual['override'] => {
  if (entitlement.kind === 'metered') return { limit: Math.ceil(needed) }
  if (entitlement.kind === 'boolean') return { enabled: true }
  return typeof entitlement.value === 'number' ? { value: needed } : null
}
