import type { CatalogFeature, ExcessItem } from '@turnpike/contract'
import { type Micro, microOfWhole, numberOfMicro } from '../../core/quantity.ts'
import type { Catalog, PlanVersion } from '../catalog/index.ts'
import { type OverrideInForce, overridesAt } from '../entitlements/index.ts'

type AddOns = readonly { addOn: string; quantity: number }[]

/** The seats of a subscription are listed beside features. */
const seats = { feature: 'seats', name: 'Seats', kind: 'seats' } as const

/**
 * Of what more is in use than a plan allows (SUB-5): levels, usage against hard limits, seats. `usage` is what each meter says
 * for the window in which the plan would hold; a meter that says nothing is at 0. An override counts instead of the plan's limit.
 */
export const findExcess = (
  catalog: Catalog,
  plan: PlanVersion,
  addOns: AddOns,
  seatsHeld: number,
  usage: ReadonlyMap<string, Micro>,
  at: Temporal.Instant,
  overrides: readonly OverrideInForce[] = [],
): ExcessItem[] => {
  const items = Object.entries(catalog.file.features).flatMap(([feature, definition]): ExcessItem[] => {
    const meter = meterOf(definition)
    if (meter === null) return []
    const limit = limitOf(catalog, plan, addOns, feature, at, overrides)
    const used = usage.get(meter) ?? 0n
    if (limit === null || used <= microOfNumber(limit)) return []
    const kind = definition.kind === 'metered' ? 'usage' : 'level'
    return [{ feature, name: definition.name, kind, ...excess(used, limit) }]
  })
  const most = plan.content.seats?.max ?? null
  if (most !== null && seatsHeld > most) items.push({ ...seats, ...excess(microOfWhole(seatsHeld), most) })
  return items.sort((a, b) => (a.feature < b.feature ? -1 : 1))
}

/** The meter that says how much of a feature is in use; null for features of which nothing is counted. */
export const meterOf = (definition: CatalogFeature | undefined): string | null => {
  if (definition?.kind === 'metered') return definition.meter
  return definition?.kind === 'value' ? (definition.usedBy ?? null) : null
}

const microOfNumber = (value: number): Micro => BigInt(Math.round(value * 1_000_000))

export const excess = (used: Micro, limit: number): Pick<ExcessItem, 'used' | 'limit' | 'reduceBy'> => {
  const over = used - microOfNumber(limit)
  return { used: numberOfMicro(used), limit, reduceBy: numberOfMicro(over > 0n ? over : 0n) }
}

/** How much of a feature a plan with add-ons allows; null for as much as one likes, which a soft limit means too. */
export const limitOf = (
  catalog: Catalog,
  plan: PlanVersion,
  addOns: AddOns,
  feature: string,
  at: Temporal.Instant,
  overrides: readonly OverrideInForce[] = [],
): number | null => {
  if (feature === seats.feature && !catalog.file.features[feature]) return plan.content.seats?.max ?? null
  const override = overridesAt(overrides, at).get(feature)?.set
  if (override && 'limit' in override) return override.limit
  if (override && 'value' in override && typeof override.value === 'number') return override.value
  const grant = plan.content.grants[feature]
  const base = typeof grant === 'number' ? grant : typeof grant === 'object' && !Array.isArray(grant) ? grant : 0
  if (typeof base === 'object' && (base.limit === null || base.enforcement === 'soft')) return null
  // What counts by windows of its own has room again with the next one.
  if (typeof base === 'object' && (base.window ?? 'billing_period') !== 'billing_period') return null
  return addOns.reduce(
    (limit, { addOn, quantity }) => {
      const more = catalog.file.addOns?.[addOn]?.grants[feature]
      if (typeof more !== 'object') return limit
      return limit + ('add' in more ? more.add : 'addLimit' in more ? more.addLimit : 0) * quantity
    },
    typeof base === 'object' ? base.limit! : base,
  )
}
