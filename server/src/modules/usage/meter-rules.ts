import type { CatalogFile, CatalogMeter } from '@turnpike/contract'

export type Aggregation = CatalogMeter['aggregation']

/** What a record does to one meter: to its own, or to one that is derived from it. */
export type Effect = {
  meter: string
  aggregation: Aggregation
  /** As counters keep it, with the property whose values are counted. */
  counted: string
}

/** A meter of the catalog as the hot path needs it. */
export type MeterRules = {
  key: string
  meter: CatalogMeter
  /** What every record of the meter does; shared by all of them. */
  effects: readonly Effect[]
}

/** A level is set, not added to, and stays until it is set again. */
export const isLevel = (aggregation: Aggregation): boolean => aggregation === 'latest'

const rulesByFile = new WeakMap<CatalogFile['meters'], ReadonlyMap<string, MeterRules>>()

/** The meters of a catalog file, worked out once for it. */
export const meterRules = (meters: CatalogFile['meters']): ReadonlyMap<string, MeterRules> => {
  const known = rulesByFile.get(meters)
  if (known) return known
  const rules = new Map(
    Object.entries(meters).map(([key, meter]): [string, MeterRules] => [
      key,
      { key, meter, effects: [{ meter: key, aggregation: meter.aggregation, counted: meter.aggregation }] },
    ]),
  )
  rulesByFile.set(meters, rules)
  return rules
}
