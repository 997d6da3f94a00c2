import { createHash } from 'node:crypto'
import type { CatalogFile, CatalogMeter, UsageRecord } from '@turnpike/contract'
import { own } from '../../core/own.ts'

export type Aggregation = CatalogMeter['aggregation']

/** What a record does to one meter: to its own, or to one that is derived from it. */
export type Effect = {
  meter: string
  aggregation: Aggregation
  /** As counters keep it, with the property whose values are counted: `unique:user`. */
  counted: string
  /** The hash of the value that a meter of unique ones counts. */
  value?: string
}

type Properties = NonNullable<UsageRecord['properties']>
type Derived = { effect: Effect; filter: [string, readonly unknown[]][]; property: string | undefined }

/** A meter of the catalog as the hot path needs it. */
export type MeterRules = {
  key: string
  meter: CatalogMeter
  /** What every record of the meter does; shared by all of them. */
  effects: readonly Effect[]
  derived: readonly Derived[]
}

/** A level is set, not added to, and stays until it is set again. */
export const isLevel = (aggregation: Aggregation): boolean =>
  aggregation === 'latest' || aggregation === 'time_weighted'

const effectOn = (key: string, { aggregation, property }: CatalogMeter): Effect => ({
  meter: key,
  aggregation,
  counted: property === undefined ? aggregation : `${aggregation}:${property}`,
})

const rulesByFile = new WeakMap<CatalogFile['meters'], ReadonlyMap<string, MeterRules>>()

/** The meters of a catalog file, worked out once for it. */
export const meterRules = (meters: CatalogFile['meters']): ReadonlyMap<string, MeterRules> => {
  const known = rulesByFile.get(meters)
  if (known) return known
  const all = Object.entries(meters)
  const rules = new Map(
    all.map(([key, meter]): [string, MeterRules] => [
      key,
      {
        key,
        meter,
        effects: [effectOn(key, meter)],
        derived: all.flatMap(([other, definition]) =>
          definition.of === key
            ? [
                {
                  effect: effectOn(other, definition),
                  filter: Object.entries(definition.filter ?? {}),
                  property: definition.property,
                },
              ]
            : [],
        ),
      },
    ]),
  )
  rulesByFile.set(meters, rules)
  return rules
}

/** What one record does, its own meter first; null when its meter counts a property that it does not have. */
export const effectsOf = (
  { meter, effects, derived }: MeterRules,
  properties: Properties | undefined,
): readonly Effect[] | null => {
  if (meter.property === undefined && derived.length === 0) return effects
  const first = valued(effects[0]!, meter.property, properties)
  if (first === null) return null
  return [
    first,
    ...derived.flatMap(({ effect, filter, property }) => {
      if (!filter.every(([name, values]) => values.includes(own(properties, name)))) return []
      return valued(effect, property, properties) ?? []
    }),
  ]
}

const valued = (effect: Effect, property: string | undefined, properties: Properties | undefined): Effect | null => {
  if (property === undefined) return effect
  const value = own(properties, property)
  // A number with decimals or beyond exactness is written in more than one way.
  if (value === undefined || (typeof value === 'number' && !Number.isSafeInteger(value))) return null
  return { ...effect, value: hashOf(String(value)) }
}

const hashOf = (value: string): string => createHash('sha256').update(value).digest('hex').slice(0, 32)
