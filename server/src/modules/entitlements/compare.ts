import { canonicalJson } from '../../core/canonical.ts'
import type { ResolvedEntitlement, SnapshotContent } from './resolve.ts'

export type SnapshotDifference = { gained: string[]; lost: string[]; changed: string[] }

const amount = (entitlement: ResolvedEntitlement | undefined): boolean | number => {
  if (!entitlement) return false
  if (entitlement.kind === 'metered') return entitlement.limit ?? Number.POSITIVE_INFINITY
  if (typeof entitlement.value === 'boolean' || typeof entitlement.value === 'number') return entitlement.value
  // Words have no order: one is neither more nor less than another, only something or nothing.
  return typeof entitlement.value === 'string' ? entitlement.value !== '' : entitlement.value.length
}

/** What a new snapshot changes for the customer, feature by feature. */
export const compareSnapshots = (before: SnapshotContent | null, after: SnapshotContent): SnapshotDifference => {
  const old = new Map(before?.entitlements.map((entitlement) => [entitlement.feature, entitlement]))
  const difference: SnapshotDifference = { gained: [], lost: [], changed: [] }
  for (const entitlement of after.entitlements) {
    const known = old.get(entitlement.feature)
    old.delete(entitlement.feature)
    const [was, is] = [amount(known), amount(entitlement)]
    if (is > was) difference.gained.push(entitlement.feature)
    else if (is < was) difference.lost.push(entitlement.feature)
    else if (known && canonicalJson(substance(known)) !== canonicalJson(substance(entitlement)))
      difference.changed.push(entitlement.feature)
  }
  difference.lost.push(...old.keys())
  return difference
}

// Which plan would give more is advice, not part of the entitlement.
const substance = (entitlement: ResolvedEntitlement) => ({ ...entitlement, upgradePlan: null })
