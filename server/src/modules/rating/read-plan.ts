import type { CatalogPlan, CatalogUsagePrice, RatingSettings } from '@turnpike/contract'
import type { FieldError } from '../../core/errors.ts'
import { own } from '../../core/own.ts'
import type { PlanTerms } from './charge-plan.ts'
import { zero } from './exact.ts'
import { type PlanBounds, planBounds, planSettings } from './plan-billing.ts'
import type { Charge, Price, Settings, Source } from './price.ts'
import { priceInCurrency } from './price-in-currency.ts'
import { newReader, type Reader } from './read-numbers.ts'
import { settingsOf } from './settings.ts'

/** A usage price as numbers; `source: null` is charged for each period, whatever was used. */
export type ReadPrice = { price: Price; ramp: Charge['ramp']; source: Source | null }
type ReadPlan = PlanBounds & {
  prices: readonly [key: string, price: CatalogUsagePrice, read: ReadPrice][]
  settings: Settings
  chosen: RatingSettings
  errors: readonly FieldError[]
}
type Terms = Pick<PlanTerms, 'file' | 'plan' | 'currency'>

const known = new WeakMap<Terms['file'], WeakMap<CatalogPlan, Map<string, ReadPlan>>>()

/**
 * The texts of a plan version in one currency, read once: a catalog in force is never changed in place, and a period close rates
 * thousands of subscriptions a second with the same few plans.
 */
export const readPlan = (terms: Terms): ReadPlan => {
  const ofFile = known.get(terms.file) ?? new WeakMap<CatalogPlan, Map<string, ReadPlan>>()
  known.set(terms.file, ofFile)
  const ofPlan = ofFile.get(terms.plan) ?? new Map<string, ReadPlan>()
  ofFile.set(terms.plan, ofPlan)
  const plan = ofPlan.get(terms.currency) ?? readAnew(terms)
  // A currency that is not sold may be any text that somebody sends.
  if (plan.errors.length === 0) ofPlan.set(terms.currency, plan)
  return plan
}

const readAnew = (terms: Terms): ReadPlan => {
  const reader = newReader()
  const chosen = planSettings(terms)
  return {
    prices: Object.entries(terms.plan.usagePrices ?? {}).flatMap(([key, price]) => {
      const priced = priceInCurrency(reader, 'plan', price, terms.currency)
      if (priced === null) reader.report('plan', `has no price of ${key} in ${terms.currency}`)
      const source = price.model === 'flat' ? null : sourceOf(reader, terms, price.meter ?? key, price)
      return priced ? [[key, price, { ...priced, source }]] : []
    }),
    ...planBounds(reader, terms),
    settings: settingsOf(reader, chosen, terms.currency),
    chosen,
    errors: reader.errors,
  }
}

const sourceOf = (reader: Reader, { file }: Terms, meter: string, price: CatalogUsagePrice): Source => {
  const definition: { aggregation?: Source['aggregation']; property?: string } = own(file.meters, meter) ?? {}
  return {
    meter,
    // A meter that counts only some records is a meter of its own, so that its counter says what is billed.
    filter: {},
    aggregation: definition.aggregation ?? 'sum',
    property: definition.property ?? null,
    valueBefore: zero,
    levelBy: 'set',
    changesInDay: price.changesInDay ?? 'exact',
    bucket: price.bucket
      ? {
          size: price.bucket.size,
          priced: price.bucket.priced ?? 'per_bucket',
          maximumQuantity: reader.exactOrNull('plan', price.bucket.maximumQuantity),
        }
      : null,
    alreadyBilled: null,
  }
}
