import type { bucketSizes, ratingAggregations } from '@turnpike/contract'
import type { Period } from '../../core/period.ts'
import type { Exact } from './exact.ts'
import type { RoundingMode } from './round.ts'
import type { Remainder } from './spread.ts'

/** Amounts are in minor units and may be fractions of one. `percent` tiers hold their rate as an amount per minor unit. */
export type PackageRounding = 'up' | 'down' | 'fraction'
/** `packageSize`: the unit amount is that of so many units. `isRate`: it is a share of the quantity, which is an amount. */
export type Tier = {
  upTo: Exact | null
  unitAmount: Exact
  isRate: boolean
  flatAmount: Exact
  packageSize: Exact | null
}

export type PriceModel =
  | { model: 'flat' | 'one_time' | 'per_unit'; unitAmount: Exact }
  | {
      model: 'graduated' | 'volume'
      tiers: readonly Tier[]
      tierBounds: 'inclusive' | 'exclusive'
      flatAtZero: 'due' | 'not_due'
      packageRounding: PackageRounding
      flatProrated: boolean
    }
  | { model: 'package'; unitAmount: Exact; size: Exact; rounding: PackageRounding }
  | {
      model: 'percentage'
      rate: Exact
      fixedFee: Exact
      transactionMinimum: Exact | null
      transactionMaximum: Exact | null
      includedTransactions: number | null
    }
export type Price = PriceModel & {
  quantityRounding: 'exact' | 'up' | 'down'
  minimum: Exact | null
  maximum: Exact | null
  prorateBounds: boolean
}

export type IncludedMode = 'before' | 'inside' | 'reprice_all'
export type Lot = { quantity: Exact; periodsAgo: number }
export type Rollover = {
  lots: readonly Lot[]
  capUnits: Exact | null
  capPercent: Exact | null
  expiresAfterPeriods: number
  order: 'oldest_first' | 'new_first'
}
export type Included = { quantity: Exact; mode: IncludedMode; prorated: boolean; rollover: Rollover | null }

/** Which usage a charge rates, and how records become a quantity. */
export type Source = {
  meter: string
  filter: Readonly<Record<string, string>>
  aggregation: (typeof ratingAggregations)[number]
  property: string | null
  valueBefore: Exact
  levelBy: 'set' | 'add'
  changesInDay: 'exact' | 'last' | 'max'
  bucket: { size: (typeof bucketSizes)[number]; priced: 'per_bucket' | 'on_sum'; maximumQuantity: Exact | null } | null
  alreadyBilled: Exact | null
}

/** `basis` is what a charge rates: units held over time, or usage. */
export type Charge = {
  key: string
  name: string
  basis: { kind: 'held'; quantity: Exact } | ({ kind: 'usage' } & Source)
  price: Price
  ramp: readonly { fromMonth: number; price: Price }[]
  included: Included | null
  /** A start or end by itself, or the one half of a change of plan: the day of it is owned by different rules. */
  from: { at: Temporal.Instant; by: 'start' | 'change' } | null
  until: { at: Temporal.Instant; by: 'end' | 'change' } | null
}

export type UsageRecord = {
  at: Temporal.Instant
  quantity: Exact
  id: string | null
  properties: Readonly<Record<string, string>>
}
/** What was measured from a start until the next one, which is a part of the period that holds no change of price or plan. */
export type UsagePart = { start: Temporal.Instant; quantity: Exact; transactions: number | null }
export type Usage =
  | { meter: string; kind: 'total'; quantity: Exact; transactions: number | null }
  | { meter: string; kind: 'parts'; parts: readonly UsagePart[] }
  | { meter: string; kind: 'records'; records: readonly UsageRecord[] }

/** What one charge becomes at an instant; a null stays as it was. */
export type Change = { at: Temporal.Instant; charge: string; quantity: Exact | null; price: Price | null }

export type Coupon = {
  key: string
  off: { percent: Exact; onCredits: boolean } | { amountMinor: bigint; unused: 'lost' | 'kept' }
  charges: readonly string[] | null
  startsAt: Temporal.Instant | null
  lasts: { months: number; countedBy: 'calendar' | 'invoices'; invoicesSoFar: number } | null
}
export type Credit = {
  key: string
  amountMinor: bigint
  priority: number
  expiresAt: Temporal.Instant | null
  grantedAt: Temporal.Instant | null
  category: 'promotional' | 'paid'
  paidMinor: bigint
  charges: readonly string[] | null
}
export type Bound = { amountMinor: bigint; prorated: boolean; charges: readonly string[] | null }
export type Commitment = Bound & { spentBeforeMinor: bigint; trueUp: 'now' | 'later' }

export type ProrationRules = {
  basis: 'second' | 'day' | 'thirtieths' | 'none'
  denominator: 'old_period' | 'new_period' | 'standard_month'
  dayOfChange: 'old' | 'new' | 'both' | 'neither'
  dayOfEnd: 'counted' | 'not_counted'
  atEnd: 'prorate' | 'whole'
  style: 'segments' | 'credit_and_charge'
}
export type BurnKey = 'priority' | 'expiry' | 'category' | 'age'
export type AdjustmentKind = 'minimum' | 'maximum' | 'discount' | 'credit' | 'tax'
export type Settings = {
  roundAt: 'unit' | 'step' | 'line' | 'invoice'
  rounding: RoundingMode
  remainder: Remainder
  proration: ProrationRules
  onSplit: 'anew' | 'cumulative'
  order: readonly AdjustmentKind[]
  stacking: 'sequential' | 'additive'
  discountOn: 'sum' | 'lines'
  taxOn: 'sum' | 'lines'
  burnOrder: readonly BurnKey[]
  creditAtExpiry: 'expired' | 'usable'
  minimumChargeMinor: bigint
  chargeStepMinor: bigint
}

export type Trial = { endsAt: Temporal.Instant; usage: 'free' | 'charged'; firstPeriod: 'prorate' | 'whole' }

/** Everything that rating may look at: nothing else changes a line (RAT-2). */
export type RatingInput = {
  currency: string
  period: Period
  regularPeriod: Period
  newRegularPeriod: Period
  timeZone: string
  subscriptionStart: Temporal.Instant
  at: Temporal.Instant
  trial: Trial | null
  charges: readonly Charge[]
  usage: readonly Usage[]
  changes: readonly Change[]
  coupons: readonly Coupon[]
  credits: readonly Credit[]
  minimum: Commitment | null
  maximum: Bound | null
  taxPercent: Exact | null
  settings: Settings
}
