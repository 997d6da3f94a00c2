import type { CatalogFeature, CatalogMeter } from '@turnpike/contract'
import { canonicalJson } from '../../core/canonical.ts'
import type { Catalog } from './catalog.ts'
import type { CatalogChange } from './compare.ts'
import { rates } from './price.ts'

/**
 * Marks the changes that would give a kept plan version another meaning: somebody agreed to it, and snapshots, usage and
 * provider prices refer to it (CAT-3).
 */
export const blockChanges = (current: Catalog | null, changes: readonly CatalogChange[]): CatalogChange[] =>
  changes.map((change) => {
    const why = current ? objection(current, change) : null
    return why === null ? change : { ...change, kind: 'blocked', sentence: why }
  })

const objection = (current: Catalog, change: CatalogChange): string | null => {
  const { object, key, kind } = change
  if (object === 'catalog' && key === 'catalog')
    return 'The name of the catalog is part of every key at the payment provider, so it cannot change.'
  if (object === 'plan' && kind === 'remove')
    return `Plan "${key}" cannot be removed, because its versions are kept: set its status to "archived".`
  if (object === 'add_on' && kind === 'remove')
    return `Add-on "${key}" cannot be removed, because subscriptions may hold it: set its status to "archived".`
  if (object === 'feature') return featureObjection(current, change)
  if (object === 'meter') return meterObjection(current, change)
  return null
}

const featureObjection = (current: Catalog, { key, kind, before, after }: CatalogChange): string | null => {
  const user = userOf(current, key)
  if (user === null) return null
  if (kind === 'remove') return `Feature "${key}" cannot be removed, because ${user} grants it.`
  const old = before as CatalogFeature | null
  const next = after as CatalogFeature | null
  if (!old || !next) return null
  if (old.kind !== next.kind)
    return `Feature "${key}" cannot become ${next.kind}, because ${user} grants it as ${old.kind}.`
  if (old.kind === 'value' && next.kind === 'value' && old.type !== next.type)
    return `Feature "${key}" cannot become a ${next.type}, because ${user} grants it as a ${old.type}.`
  if (old.kind === 'metered' && next.kind === 'metered' && old.meter !== next.meter)
    return `Feature "${key}" cannot move to meter "${next.meter}", because ${user} limits it on "${old.meter}".`
  return null
}

const meterObjection = (current: Catalog, { key, kind, before, after }: CatalogChange): string | null => {
  const user = meterUserOf(current, key)
  if (user === null) return null
  if (kind === 'remove') return `Meter "${key}" cannot be removed, because ${user} uses it.`
  const old = before as CatalogMeter | null
  const next = after as CatalogMeter | null
  if (!old || !next) return null
  if (old.aggregation !== next.aggregation)
    return `Meter "${key}" cannot change from ${old.aggregation} to ${next.aggregation}: what was counted has the old meaning. Add another meter.`
  for (const part of ['property', 'of', 'filter'] as const)
    if (canonicalJson(old[part] ?? null) !== canonicalJson(next[part] ?? null))
      return `Meter "${key}" cannot change its ${part === 'of' ? 'source' : part}: what was counted has the old meaning. Add another meter.`
  if (old.fractional && !next.fractional)
    return `Meter "${key}" cannot become whole: it may have counted fractions. Add another meter.`
  return null
}

/** A kept plan version or an add-on that grants the feature, as words; null when none does. */
const userOf = (current: Catalog, feature: string): string | null => {
  for (const versions of current.planVersions.values())
    for (const plan of versions.toReversed())
      if (Object.hasOwn(plan.content.grants, feature)) return `version ${plan.version} of plan "${plan.key}"`
  for (const [key, addOn] of Object.entries(current.file.addOns ?? {}))
    if (Object.hasOwn(addOn.grants, feature)) return `add-on "${key}"`
  return null
}

const meterUserOf = (current: Catalog, meter: string): string | null => {
  for (const versions of current.planVersions.values())
    for (const plan of versions.toReversed())
      if (Object.entries(plan.content.usagePrices ?? {}).some(([key, price]) => rates(key, price, meter)))
        return `version ${plan.version} of plan "${plan.key}"`
  for (const [key, feature] of Object.entries(current.file.features))
    if (feature.kind === 'metered' && feature.meter === meter && userOf(current, key)) return `feature "${key}"`
  return null
}
