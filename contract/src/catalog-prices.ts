import { type Static, Type } from 'typebox'
import { Currency, Key, Nullable, strict } from './schemas/common.ts'
import { bucketSizes, bucketWords, RatingSettings, roundingOf } from './schemas/rating.ts'

/** Prices of the catalog file: the words of `POST /rating/preview`, with an amount for each currency (RAT-1). */

const Minor = Type.Integer({
  minimum: 0,
  maximum: 1_000_000_000_000,
  description: 'Minor units of the currency (cents).',
})
/** Minor units per currency: `{ USD: 4900, EUR: 4500 }`. */
export const Amounts = Type.Record(Currency, Minor, { minProperties: 1 })
const Decimal = Type.String({ pattern: '^[0-9]{1,12}(\\.[0-9]{1,12})?$' })
/** Unit prices may be fractions of a minor unit, written as text so that nothing is rounded. */
const UnitAmounts = Type.Record(Currency, Decimal, { minProperties: 1 })
/** Amounts that are whole most of the time; fractions of a minor unit are written as text. */
const PartAmounts = Type.Record(Currency, Type.Union([Minor, Decimal]), { minProperties: 1 })
const Percent = Type.Union([Type.Number({ minimum: 0, maximum: 1_000 }), Decimal], {
  description: '`2.9` is 2.9 %.',
})
/** Whole units, or a decimal as text for meters that count fractions. */
const Units = Type.Union([Type.Integer({ minimum: 1 }), Decimal])
const Whole = Type.Integer({ minimum: 0 })

const usagePriceModels = ['flat', 'per_unit', 'graduated', 'volume', 'package', 'percentage'] as const
const Tier = strict({
  upTo: Nullable(Units),
  unitAmounts: Type.Optional(UnitAmounts),
  /** Due as soon as anything stands in this tier. */
  flatAmounts: Type.Optional(PartAmounts),
  /** Instead of `unitAmounts`, of quantities that are amounts. */
  percent: Type.Optional(Percent),
  /** `unitAmounts` are those of a package of so many units. */
  packageSize: Type.Optional(Units),
})
const priceFields = {
  model: Type.Enum(usagePriceModels),
  /** flat: the price of a usage period. per_unit: of one unit. package: of one package. */
  unitAmounts: Type.Optional(UnitAmounts),
  tiers: Type.Optional(Type.Array(Tier, { minItems: 1, maxItems: 100 })),
  tierBounds: Type.Optional(roundingOf.tierBounds),
  flatAtZero: Type.Optional(roundingOf.flatAtZero),
  packageSize: Type.Optional(Units),
  packageRounding: Type.Optional(roundingOf.packageRounding),
  percent: Type.Optional(Percent),
  /** percentage: for each transaction besides its percentage, and the least and most for one. */
  fixedFees: Type.Optional(PartAmounts),
  transactionMinimums: Type.Optional(PartAmounts),
  transactionMaximums: Type.Optional(PartAmounts),
  includedTransactions: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000 })),
  quantityRounding: Type.Optional(roundingOf.quantityRounding),
  /** Least and most for the whole line; they shrink with a part of a period when `prorateBounds` says so. */
  minimums: Type.Optional(PartAmounts),
  maximums: Type.Optional(PartAmounts),
  prorateBounds: Type.Optional(Type.Boolean()),
}
/** Rated by Turnpike from its own counters; the provider only sees the resulting lines (INV-1). */
export const UsagePrice = strict({
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
  /** Whose usage is rated; the price's own name where left out. Several prices may rate one meter. */
  meter: Type.Optional(Key),
  ...priceFields,
  bucket: Type.Optional(
    strict({
      size: Type.Enum(bucketSizes, { description: bucketWords }),
      priced: Type.Optional(Type.Enum(['per_bucket', 'on_sum'])),
      maximumQuantity: Type.Optional(Units),
    }),
  ),
  /** Of a meter that is weighted by time. */
  changesInDay: Type.Optional(Type.Enum(['exact', 'last', 'max'])),
  /** Free of charge in each usage period; what the plan grants as included where left out. */
  included: Type.Optional(Whole),
  includedMode: Type.Optional(Type.Enum(['before', 'inside', 'reprice_all'])),
  includedProrated: Type.Optional(Type.Boolean()),
  /** What is left of the included quantity is carried on. */
  rollover: Type.Optional(
    strict({
      capUnits: Type.Optional(Whole),
      capPercent: Type.Optional(Percent),
      expiresAfterPeriods: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
      order: Type.Optional(Type.Enum(['oldest_first', 'new_first'])),
    }),
  ),
  /** Price by the age of the subscription in months. */
  ramp: Type.Optional(
    Type.Array(strict({ fromMonth: Type.Integer({ minimum: 1, maximum: 1_200 }), ...priceFields }), {
      minItems: 1,
      maxItems: 60,
    }),
  ),
})

const { minimumCharge: _, chargeStep: __, ...settingsOfAll } = RatingSettings.properties
/** The conventions of `docs/policies/rounding-and-proration.md`, under the names that the preview has for them. */
export const BillingSettings = strict({
  ...settingsOfAll,
  /** By currency: below it nothing is collected, and the amount waits for the next invoice. */
  minimumCharges: Type.Optional(Amounts),
  /** By currency: what can be collected is a multiple of this. */
  chargeSteps: Type.Optional(Type.Record(Currency, Type.Integer({ minimum: 1, maximum: 1_000 }), { minProperties: 1 })),
})
/** Usage in a trial, and the period that holds the trial's end. */
export const TrialBilling = strict({
  usage: Type.Optional(Type.Enum(['free', 'charged'])),
  firstPeriod: Type.Optional(Type.Enum(['prorate', 'whole'])),
})

const bound = {
  amounts: Amounts,
  prorated: Type.Optional(Type.Boolean()),
  /** The usage prices that count towards it; all of them where left out. */
  charges: Type.Optional(Type.Array(Key, { minItems: 1, maxItems: 50, uniqueItems: true })),
}
/** Least and most for the usage prices of a plan together, and the plan's own answers to the conventions. */
export const PlanBilling = strict({
  /** In each usage period. */
  minimum: Type.Optional(strict(bound)),
  /** Over several usage periods; what is missing is charged with the last of them. */
  commitment: Type.Optional(strict({ ...bound, periods: Type.Integer({ minimum: 2, maximum: 120 }) })),
  maximum: Type.Optional(strict(bound)),
  trial: Type.Optional(TrialBilling),
  /** Each instead of the same one of the policies. */
  settings: Type.Optional(BillingSettings),
})

export type CatalogUsagePrice = Static<typeof UsagePrice>
export type CatalogRampStep = NonNullable<CatalogUsagePrice['ramp']>[number]
export type CatalogPlanBilling = Static<typeof PlanBilling>
export type CatalogBillingSettings = Static<typeof BillingSettings>
