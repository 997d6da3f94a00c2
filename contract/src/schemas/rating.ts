import { type Static, Type } from 'typebox'
import { Currency, Instant, Key, Money, Nullable, Period, strict, Text } from './common.ts'

/** A price to try and what it gives (RAT-1, RAT-2): the request and answer of `POST /rating/preview`, which keeps nothing. */

const Decimal = (description: string) =>
  Type.Unsafe<string | number>({
    type: ['string', 'number'],
    pattern: '^-?[0-9]{1,18}(\\.[0-9]{1,18})?$',
    maxLength: 38,
    description: `${description} As text, every digit counts: at most 18 before and 18 after the point.`,
  })
const UnitAmount = Decimal('Minor units of the currency, fractions allowed.')
const Quantity = Decimal('A quantity.')
const Percent = Decimal('Percent: `2.9` is 2.9 %.')
const Minor = Decimal('Whole minor units of the currency.')
const Exact = Type.String({ description: 'Exact: a decimal, or a fraction `n/d` where no decimal is exact.' })
const Count = (maximum: number) => Type.Integer({ minimum: 0, maximum })

export const priceModels = ['flat', 'one_time', 'per_unit', 'graduated', 'volume', 'package', 'percentage'] as const
const roundingPlaces = ['unit', 'step', 'line', 'invoice'] as const
export const roundingModes = ['half_up', 'half_even', 'down', 'up'] as const

const Tier = strict({
  /** `null`: without end, for the last. */
  upTo: Nullable(Quantity),
  unitAmount: Type.Optional(UnitAmount),
  /** Due as soon as anything stands in this tier. */
  flatAmount: Type.Optional(UnitAmount),
  /** Instead of `unitAmount`, of quantities that are amounts. */
  percent: Type.Optional(Percent),
  /** `unitAmount` is that of a package of so many units; packages count anew in each tier. */
  packageSize: Type.Optional(Quantity),
})

/** Of a price, here and in the catalog. */
export const roundingOf = {
  tierBounds: Type.Enum(['inclusive', 'exclusive']),
  flatAtZero: Type.Enum(['due', 'not_due']),
  packageRounding: Type.Enum(['up', 'down', 'fraction']),
  quantityRounding: Type.Enum(['exact', 'up', 'down']),
}
const RatingPrice = strict({
  model: Type.Enum(priceModels),
  /** flat, one_time: the price. per_unit: of one unit. package: of one package. */
  unitAmount: Type.Optional(UnitAmount),
  tiers: Type.Optional(Type.Array(Tier, { minItems: 1, maxItems: 100 })),
  /** Who owns a quantity that is exactly a bound: `inclusive` the tier below (default), `exclusive` the one above. */
  tierBounds: Type.Optional(roundingOf.tierBounds),
  /** Whether the first tier's flat part is due when nothing was used; `due` where left out. */
  flatAtZero: Type.Optional(roundingOf.flatAtZero),
  packageSize: Type.Optional(Quantity),
  /** Also of tiers with packages. `up` where left out; `fraction` bills parts of packages. */
  packageRounding: Type.Optional(roundingOf.packageRounding),
  percent: Type.Optional(Percent),
  /** percentage: for each transaction besides its percentage. */
  fixedFee: Type.Optional(UnitAmount),
  /** percentage: least and most for one transaction. */
  transactionMinimum: Type.Optional(UnitAmount),
  transactionMaximum: Type.Optional(UnitAmount),
  /** percentage: transactions that are free of charge. */
  includedTransactions: Type.Optional(Count(1_000_000_000)),
  /** Quantities with decimals before they are priced; `exact` where left out. */
  quantityRounding: Type.Optional(roundingOf.quantityRounding),
  /** Least and most for the whole line of this charge. */
  minimum: Type.Optional(UnitAmount),
  maximum: Type.Optional(UnitAmount),
  /** Whether that least and most shrink with a part of a period; no where left out. */
  prorateBounds: Type.Optional(Type.Boolean()),
})
export type RatingPrice = Static<typeof RatingPrice>

const AllowanceLot = strict({
  quantity: Quantity,
  /** How many periods ago it was granted: 1 is the period before. */
  periodsAgo: Type.Integer({ minimum: 1, maximum: 1_000 }),
})
const Included = strict({
  quantity: Quantity,
  /**
   * `before` the tiers, which count from the first unit above (default); `inside` them, so that included units use up the
   * first tiers; `reprice_all`: free up to the included quantity, above it every unit is charged.
   */
  mode: Type.Optional(Type.Enum(['before', 'inside', 'reprice_all'])),
  /** Whether the included quantity shrinks with a part of a period; no where left out. */
  prorated: Type.Optional(Type.Boolean()),
  rollover: Type.Optional(
    strict({
      lots: Type.Array(AllowanceLot, { maxItems: 100 }),
      /** At most so many units, or so many percent of the included quantity, are carried on. */
      capUnits: Type.Optional(Quantity),
      capPercent: Type.Optional(Percent),
      /** An allowance may be used so many periods after its own; 1 where left out. */
      expiresAfterPeriods: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
      /** `oldest_first` where left out. */
      order: Type.Optional(Type.Enum(['oldest_first', 'new_first'])),
    }),
  ),
})

export const ratingAggregations = ['sum', 'count', 'max', 'unique', 'latest', 'time_weighted'] as const
const Charge = strict({
  key: Key,
  name: Type.Optional(Text(100)),
  price: RatingPrice,
  /** Units that are held, such as seats: charged for the time that they are held. Without it the charge rates usage. */
  quantity: Type.Optional(Quantity),
  /** Whose usage is rated; the charge's own key where left out. */
  meter: Type.Optional(Key),
  /** Only records with these properties. */
  filter: Type.Optional(Type.Record(Key, Text(200), { maxProperties: 10 })),
  /** How records become a quantity; `sum` where left out. */
  aggregation: Type.Optional(Type.Enum(ratingAggregations)),
  /** unique: the property that is counted. */
  property: Type.Optional(Key),
  /** time_weighted, latest: what the meter stood at before the first record; 0 where left out. */
  valueBefore: Type.Optional(Quantity),
  /** time_weighted, latest: whether a record sets the level (default) or adds to it. */
  levelBy: Type.Optional(Type.Enum(['set', 'add'])),
  /** time_weighted: what counts of several changes in one day; `exact` to the second where left out. */
  changesInDay: Type.Optional(Type.Enum(['exact', 'last', 'max'])),
  bucket: Type.Optional(
    strict({
      size: Type.Enum(['hour', 'day', 'month']),
      /** `per_bucket` where left out: the price applies anew in each bucket; `on_sum`: once, to the sum of all buckets. */
      priced: Type.Optional(Type.Enum(['per_bucket', 'on_sum'])),
      /** The most that one bucket counts. */
      maximumQuantity: Type.Optional(Quantity),
    }),
  ),
  included: Type.Optional(Included),
  /** Price by the age of the subscription in months; `price` is that of the beginning. */
  ramp: Type.Optional(
    Type.Array(strict({ fromMonth: Type.Integer({ minimum: 1, maximum: 1_200 }), price: RatingPrice }), {
      maxItems: 60,
    }),
  ),
  /** Usage rated on an earlier invoice: this charge is for what came late. */
  alreadyBilled: Type.Optional(Quantity),
  /** Of a charge that came or went in mid-period. */
  from: Type.Optional(Instant),
  until: Type.Optional(Instant),
})
export type RatingCharge = Static<typeof Charge>

const UsageRecord = strict({
  at: Instant,
  /** 1 where left out. */
  quantity: Type.Optional(Quantity),
  /** Records with one id count once; refused when they differ. */
  id: Type.Optional(Text(200)),
  properties: Type.Optional(Type.Record(Key, Text(200), { maxProperties: 10 })),
})
const Usage = strict({
  meter: Key,
  /** The whole of the period, or `records`. */
  quantity: Type.Optional(Quantity),
  /** percentage: how many transactions the quantity is made of. */
  transactions: Type.Optional(Count(1_000_000_000)),
  records: Type.Optional(Type.Array(UsageRecord, { maxItems: 5_000 })),
})

const Change = strict({
  at: Instant,
  charge: Key,
  quantity: Type.Optional(Quantity),
  price: Type.Optional(RatingPrice),
})
const PlanChoice = {
  plan: Key,
  version: Type.Optional(Type.Integer({ minimum: 1 })),
  /** The plan's price, such as `monthly`; without it only its usage prices. */
  price: Type.Optional(Key),
  seats: Type.Optional(Count(1_000_000)),
  /** How many of each add-on; they raise what is included, and are charged with a price. */
  addOns: Type.Optional(Type.Record(Key, Type.Integer({ minimum: 1, maximum: 1_000_000 }), { maxProperties: 50 })),
  /** By usage price: what earlier periods left of its included quantity. */
  carried: Type.Optional(Type.Record(Key, Type.Array(AllowanceLot, { maxItems: 100 }), { maxProperties: 50 })),
}
const PlanChange = strict({ at: Instant, ...PlanChoice })

const Coupon = strict({
  key: Key,
  percentOff: Type.Optional(Percent),
  amountOff: Type.Optional(Minor),
  /** Only these charges; all where left out. */
  charges: Type.Optional(Type.Array(Key, { minItems: 1, maxItems: 50 })),
  /** amountOff: what is left unused is lost (default) or kept for the next invoice. */
  unused: Type.Optional(Type.Enum(['lost', 'kept'])),
  /** How long it lasts, counted from `startsAt` by the calendar (default) or in invoices. */
  months: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_200 })),
  startsAt: Type.Optional(Instant),
  countedBy: Type.Optional(Type.Enum(['calendar', 'invoices'])),
  /** On how many invoices it was used already. */
  invoicesSoFar: Type.Optional(Count(10_000)),
})
const Credit = strict({
  key: Key,
  amount: Minor,
  /** A lower number is burnt first; 50 where left out. */
  priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
  expiresAt: Type.Optional(Nullable(Instant)),
  grantedAt: Type.Optional(Instant),
  category: Type.Optional(Type.Enum(['promotional', 'paid'])),
  /** What the customer paid for it: the unused share may be refunded. */
  paid: Type.Optional(Minor),
  charges: Type.Optional(Type.Array(Key, { minItems: 1, maxItems: 50 })),
})
const Bound = strict({
  amount: Minor,
  /** Whether it shrinks with a part of a period; no where left out. */
  prorated: Type.Optional(Type.Boolean()),
  /** The charges that count towards it; all but one-time charges where left out. */
  charges: Type.Optional(Type.Array(Key, { minItems: 1, maxItems: 50 })),
})
const Commitment = strict({
  ...Bound.properties,
  /** Spent in earlier periods of the same commitment. */
  spentBefore: Type.Optional(Minor),
  /** Whether what is missing is charged now (default) or only at the end of the commitment. */
  trueUp: Type.Optional(Type.Enum(['now', 'later'])),
})

export const adjustmentKinds = ['minimum', 'maximum', 'discount', 'credit', 'tax'] as const
export const RatingSettings = strict({
  /**
   * `line` where left out. `unit`: each unit price or transaction; `step`: each multiplication, such as a tier or a part of the
   * period; `invoice`: once, on the sum of the lines.
   */
  roundAt: Type.Optional(Type.Enum(roundingPlaces)),
  rounding: Type.Optional(Type.Enum(roundingModes)),
  /** Who gets the minor units left over when an amount is spread over lines; `largest_remainder` where left out. */
  remainder: Type.Optional(Type.Enum(['largest_remainder', 'first_line', 'last_line'])),
  proration: Type.Optional(
    strict({
      /** `second` where left out; `none`: what stood at the beginning is charged for the whole period. */
      basis: Type.Optional(Type.Enum(['second', 'day', 'thirtieths', 'none'])),
      /** The length that a part is a share of: the regular period before (default) or after the billing day moved, or months of 30 days. */
      denominator: Type.Optional(Type.Enum(['old_period', 'new_period', 'standard_month'])),
      /** day, thirtieths: who pays for the day of a change; `new` where left out. */
      dayOfChange: Type.Optional(Type.Enum(['old', 'new', 'both', 'neither'])),
      /** day, thirtieths: whether the day on which a charge ends is paid; `not_counted` where left out. */
      dayOfEnd: Type.Optional(Type.Enum(['counted', 'not_counted'])),
      /** Whether a charge that ends in mid-period pays for its part (default) or for the whole period. */
      atEnd: Type.Optional(Type.Enum(['prorate', 'whole'])),
      /** `segments`: one line per charge (default); `credit_and_charge`: the period was paid in advance, each change gives a credit and a charge. */
      style: Type.Optional(Type.Enum(['segments', 'credit_and_charge'])),
    }),
  ),
  /** Whether tiers and packages count anew when a price changes in mid-period (default) or go on. */
  onSplit: Type.Optional(Type.Enum(['anew', 'cumulative'])),
  /** In which order the sum of the lines becomes the total; what is left out is not applied. */
  order: Type.Optional(Type.Array(Type.Enum(adjustmentKinds), { maxItems: 5, uniqueItems: true })),
  /** Several percentages: each of what the one before left (default), or all of the whole. */
  stacking: Type.Optional(Type.Enum(['sequential', 'additive'])),
  /** Where percentages off and taxes are rounded: once on the sum (default for discounts) or on each line. */
  discountOn: Type.Optional(Type.Enum(['sum', 'lines'])),
  taxOn: Type.Optional(Type.Enum(['sum', 'lines'])),
  burnOrder: Type.Optional(
    Type.Array(Type.Enum(['priority', 'expiry', 'category', 'age']), { minItems: 1, maxItems: 4, uniqueItems: true }),
  ),
  /** A credit that expires at the very instant of rating: `expired` where left out. */
  creditAtExpiry: Type.Optional(Type.Enum(['expired', 'usable'])),
  /** Below it nothing is collected and the amount is carried to the next invoice; 0 where left out. */
  minimumCharge: Type.Optional(Minor),
  /** A total that can be collected is a multiple of this; where left out 10 for currencies of three decimals, else 1. */
  chargeStep: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
})
export type RatingSettings = Static<typeof RatingSettings>

const Grid = strict({
  anchor: Instant,
  interval: Type.Enum(['day', 'week', 'month', 'year']),
  count: Type.Optional(Type.Integer({ minimum: 1, maximum: 36 })),
  /** The period that holds this instant. */
  at: Instant,
  /** `grid`: periods count from the anchor (default); `day_of_month`: a month or year has its own day, and the first is short. */
  fixes: Type.Optional(Type.Enum(['grid', 'day_of_month'])),
  /** day_of_month: 1 to 31, in short months their last. */
  day: Type.Optional(Type.Integer({ minimum: 1, maximum: 31 })),
})

export const RatingPreviewRequest = strict({
  currency: Currency,
  /** What is charged, or `grid` to have it computed. */
  period: Type.Optional(Period),
  grid: Type.Optional(Grid),
  /** The whole period that prices are for, when `period` is a part of it; `period` where left out. */
  regularPeriod: Type.Optional(Period),
  /** The regular period after a move of the billing day. */
  newRegularPeriod: Type.Optional(Period),
  /** For days, months and buckets; `UTC` where left out. */
  timeZone: Type.Optional(Text(60)),
  /** For ramps; the start of the period where left out. */
  subscriptionStart: Type.Optional(Instant),
  /** When it is rated: which credits and coupons are alive; the end of the period where left out. */
  at: Type.Optional(Instant),
  trial: Type.Optional(
    strict({
      endsAt: Instant,
      /** Usage during the trial; `free` where left out. */
      usage: Type.Optional(Type.Enum(['free', 'charged'])),
      /** The period that holds the trial's end: `prorate` from then on (default) or charged `whole`. */
      firstPeriod: Type.Optional(Type.Enum(['prorate', 'whole'])),
    }),
  ),
  plan: Type.Optional(strict(PlanChoice)),
  planChanges: Type.Optional(Type.Array(PlanChange, { maxItems: 20 })),
  charges: Type.Optional(Type.Array(Charge, { maxItems: 50 })),
  usage: Type.Optional(Type.Array(Usage, { maxItems: 50 })),
  changes: Type.Optional(Type.Array(Change, { maxItems: 100 })),
  coupons: Type.Optional(Type.Array(Coupon, { maxItems: 20 })),
  credits: Type.Optional(Type.Array(Credit, { maxItems: 100 })),
  minimum: Type.Optional(Commitment),
  maximum: Type.Optional(Bound),
  taxPercent: Type.Optional(Percent),
  settings: Type.Optional(RatingSettings),
})
export type RatingPreviewRequest = Static<typeof RatingPreviewRequest>

export const lineKinds = [
  'usage',
  'recurring',
  'one_time',
  'proration_charge',
  'proration_credit',
  'late_usage',
  'minimum',
] as const
export const RatingStep = strict({
  kind: Type.Enum(['included', 'units', 'flat', 'package', 'percent', 'fee', 'bound', 'already_billed']),
  text: Type.String(),
  tier: Nullable(Type.Integer()),
  quantity: Exact,
  unitAmount: Exact,
  /** The share of the period, when less than all of it is charged. */
  share: Nullable(Exact),
  /** Where each unit price is rounded: what was multiplied instead. */
  roundedUnitAmount: Nullable(Exact),
  amount: Exact,
  period: Period,
})
const Line = strict({
  charge: Nullable(Key),
  name: Type.String(),
  kind: Type.Enum(lineKinds),
  period: Period,
  quantity: Exact,
  amount: Money,
  /** What the calculation gives before it is rounded, in minor units. */
  exactAmount: Exact,
  rounding: strict({ mode: Type.Enum(roundingModes), at: Type.Enum(roundingPlaces), difference: Exact }),
  calculation: Type.Array(RatingStep),
  /** Which usage it is of; null for what is held or due without usage. */
  source: Nullable(
    strict({
      meter: Key,
      window: Period,
      filter: Type.Record(Type.String(), Type.String()),
      aggregation: Type.Enum(ratingAggregations),
      records: Nullable(Type.Integer()),
    }),
  ),
  /** After discounts, maximum and credits, before tax. */
  net: Money,
})
export const RatingPreview = strict({
  currency: Currency,
  period: Period,
  lines: Type.Array(Line),
  subtotal: Money,
  /** In the order in which they were applied; negative where they take off. */
  adjustments: Type.Array(
    strict({
      kind: Type.Enum(adjustmentKinds),
      key: Nullable(Key),
      text: Type.String(),
      amount: Money,
      spread: Type.Array(strict({ line: Type.Integer(), amount: Money })),
    }),
  ),
  discount: Money,
  creditsBurnt: Money,
  tax: Money,
  total: Money,
  /** What can be collected now, and what waits for the next invoice because it is too small. */
  due: Money,
  carried: Money,
  credits: Type.Array(
    strict({
      key: Key,
      burnt: Money,
      left: Money,
      refundable: Money,
      state: Type.Enum(['usable', 'expired', 'not_yet']),
    }),
  ),
  coupons: Type.Array(
    strict({ key: Key, taken: Money, left: Nullable(Money), state: Type.Enum(['applied', 'over', 'not_yet']) }),
  ),
  /** What is left of included quantities and may be used in the next period. */
  allowances: Type.Array(
    strict({
      charge: Key,
      used: Exact,
      carriedOn: Type.Array(strict({ quantity: Exact, periodsAgo: Type.Integer() })),
      lapsed: Exact,
    }),
  ),
  /** How far the lines can be from their exact sum: at most this many minor units. */
  roundingBound: Exact,
})
export type RatingPreview = Static<typeof RatingPreview>
