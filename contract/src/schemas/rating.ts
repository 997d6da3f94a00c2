import { type Static, type TSchema, Type } from 'typebox'
import { Currency, described, formed, Instant, Key, Money, Nullable, Period, strict, Text } from './common.ts'

/** A price to try and what it gives (RAT-1, RAT-2): the request and answer of `POST /rating/preview`, which keeps nothing. */

/** A field that may be left out, with what it means and what holds then. */
const optional = <S extends TSchema>(schema: S, description: string, ...examples: unknown[]) =>
  Type.Optional(described(schema, description, ...examples))
const Decimal = (description: string) =>
  Type.Unsafe<string | number>({
    type: ['string', 'number'],
    pattern: formed(
      '^-?[0-9]{1,18}(\\.[0-9]{1,18})?$',
      'a decimal such as 1200 or 0.035 of at most 18 digits before and after the point, without a currency sign, separators or an exponent',
    ),
    maxLength: 38,
    description: `${description} As text, every digit counts: at most 18 before and 18 after the point.`,
  })
const UnitAmount = (description: string) => Decimal(`${description} Minor units of the currency, fractions allowed.`)
const Quantity = (description: string) => Decimal(`${description} Units of the meter, or of what is held.`)
const Percent = (description: string) => Decimal(`${description} Percent: \`2.9\` is 2.9 %.`)
const Minor = (description: string) => Decimal(`${description} Whole minor units of the currency.`)
const Time = (description: string) => described(Instant, `${description} RFC 3339 instant with offset.`)
const exact = (description: string) =>
  Type.String({ description: `${description} Exact: a decimal, or a fraction \`n/d\` where no decimal is exact.` })
const Count = (maximum: number) => Type.Integer({ minimum: 0, maximum })
const ChargeKeys = Type.Array(Key, { minItems: 1, maxItems: 50 })

export const priceModels = ['flat', 'one_time', 'per_unit', 'graduated', 'volume', 'package', 'percentage'] as const
const roundingPlaces = ['unit', 'step', 'line', 'invoice'] as const
export const roundingModes = ['half_up', 'half_even', 'down', 'up'] as const

const Tier = strict({
  upTo: described(
    Nullable(Quantity('A bound.')),
    'The upper bound of the tier, counted from 0 and not from the tier before. `null`: without end, for the last tier and only there.',
    100,
    '2.5',
    null,
  ),
  unitAmount: Type.Optional(UnitAmount('Of each unit in this tier, or of each package of `packageSize`.')),
  flatAmount: Type.Optional(
    UnitAmount('Once and whole, as soon as anything stands in this tier; alone it makes a stairstep price.'),
  ),
  percent: Type.Optional(
    Percent('Instead of `unitAmount`, of quantities that are amounts: bound and quantity are in minor units.'),
  ),
  packageSize: Type.Optional(
    Quantity('`unitAmount` is that of a package of so many units; packages count anew in each tier.'),
  ),
})

/** Of a price, here and in the catalog. */
export const roundingOf = {
  tierBounds: Type.Enum(['inclusive', 'exclusive'], {
    description:
      'graduated, volume: who owns a quantity that is exactly a bound. `inclusive` (default): the tier below, so that `upTo: 10` holds 10; `exclusive`: the tier above.',
  }),
  flatAtZero: Type.Enum(['due', 'not_due'], {
    description:
      "graduated, volume: whether the first tier's `flatAmount` is charged when nothing was used. `due` (default): it is; `not_due`: it is not.",
  }),
  packageRounding: Type.Enum(['up', 'down', 'fraction'], {
    description:
      'package, and tiers with `packageSize`: what a package that is begun counts. `up` (default): a whole one; `down`: nothing; `fraction`: its part.',
  }),
  quantityRounding: Type.Enum(['exact', 'up', 'down'], {
    description:
      'To whole units, before included units are taken off and the rest is priced. It rounds what the charge counts: the sum of the records (each bucket where they are priced by themselves), not each record. Default `exact`: no rounding.',
  }),
}
const RatingPrice = strict({
  model: Type.Enum(priceModels, {
    description:
      '`flat`: one price for the period. `one_time`: once, never by time. `per_unit`: each unit the same. `graduated`: each unit at the price of its own tier. `volume`: all units at the price of the tier that holds the whole quantity. `package`: a price for each package. `percentage`: a share of amounts moved.',
  }),
  unitAmount: Type.Optional(
    UnitAmount(
      'flat, one_time: the price for the whole regular period, or once. per_unit: of one unit. package: of one package.',
    ),
  ),
  tiers: optional(
    Type.Array(Tier, { minItems: 1, maxItems: 100 }),
    'graduated, volume: the tiers in rising order; the last one has `upTo: null`.',
    [
      { upTo: 10, unitAmount: 500 },
      { upTo: null, unitAmount: '449.5', flatAmount: 1000 },
    ],
  ),
  tierBounds: Type.Optional(roundingOf.tierBounds),
  flatAtZero: Type.Optional(roundingOf.flatAtZero),
  flatProrated: Type.Optional(
    Type.Boolean({
      description:
        'Whether flat parts of tiers shrink with the time that something is held; yes where left out. No: each is due in full, once for each tier that is reached.',
    }),
  ),
  packageSize: Type.Optional(Quantity('package: how many units one package holds.')),
  packageRounding: Type.Optional(roundingOf.packageRounding),
  percent: Type.Optional(
    Percent('percentage: the share of the quantity, which is an amount in minor units; at most 1000.'),
  ),
  fixedFee: Type.Optional(UnitAmount('percentage: for each transaction besides its percentage. Default 0.')),
  transactionMinimum: Type.Optional(UnitAmount('percentage: the least for one transaction, its fee included.')),
  transactionMaximum: Type.Optional(UnitAmount('percentage: the most for one transaction, its fee included.')),
  includedTransactions: optional(
    Count(1_000_000_000),
    'percentage: how many transactions of the period are free, the first ones in the order of time.',
  ),
  quantityRounding: Type.Optional(roundingOf.quantityRounding),
  minimum: Type.Optional(
    UnitAmount('The least for the whole line of this charge. It raises that line; no second one is made.'),
  ),
  maximum: Type.Optional(UnitAmount('The most for the whole line of this charge. It wins over the least.')),
  prorateBounds: optional(
    Type.Boolean(),
    'Whether `minimum` and `maximum` shrink with the share of the regular period that is charged. Default false.',
  ),
})
export type RatingPrice = Static<typeof RatingPrice>

const AllowanceLot = strict({
  quantity: Quantity('What that period left over.'),
  periodsAgo: Type.Integer({
    minimum: 1,
    maximum: 1_000,
    description: 'How many periods ago it was granted: 1 is the period before.',
  }),
})
const Lots = Type.Array(AllowanceLot, { maxItems: 100 })
const Included = strict({
  quantity: Quantity('Free of charge in each period.'),
  mode: optional(
    Type.Enum(['before', 'inside', 'reprice_all']),
    '`before` (default): included units stand before the tiers, which count from the first unit above. `inside`: they use up the first tiers, and a volume tier is picked by the quantity with them. `reprice_all`: free up to the included quantity, above it every unit is charged.',
  ),
  prorated: optional(
    Type.Boolean(),
    'Usage: whether the included quantity shrinks with the share of the regular period that is charged. Default false.',
  ),
  rollover: optional(
    strict({
      lots: described(Lots, 'What earlier periods left over.', [{ quantity: 30, periodsAgo: 1 }]),
      capUnits: Type.Optional(Quantity('At most so many units are carried on to the next period.')),
      capPercent: Type.Optional(
        Percent('At most such a share of the included quantity is carried on to the next period.'),
      ),
      expiresAfterPeriods: optional(
        Type.Integer({ minimum: 1, maximum: 1_000 }),
        'For how many periods after its own an allowance may be used. Default 1.',
      ),
      order: optional(
        Type.Enum(['oldest_first', 'new_first']),
        'Which allowance is used first. Default `oldest_first`: what was carried over before what is new.',
      ),
    }),
    'Usage: what is left of the included quantity is carried on. The next `lots` are `allowances[].carriedOn` of the answer.',
  ),
})

export const ratingAggregations = ['sum', 'count', 'max', 'unique', 'latest', 'time_weighted'] as const
/** Of a charge, here and in the catalog. */
export const bucketSizes = ['hour', 'day', 'month', 'record'] as const
export const bucketWords =
  '`record`: each record is rated by itself, with tiers, packages, included units and whole units of its own (sums and counts only).'
const Charge = strict({
  key: described(Key, 'A name for the charge, once in a request; its line bears it.'),
  name: optional(Text(100), 'The words of its line. Default: `key`.'),
  price: described(RatingPrice, 'The price at the beginning of the period.', { model: 'per_unit', unitAmount: '0.25' }),
  quantity: Type.Optional(
    Quantity(
      'Units that are held, such as seats: charged for the time that they are held. Without it the charge rates usage (flat and one_time: 1).',
    ),
  ),
  meter: optional(Key, 'The entry of `usage` that is rated. Default: `key`.'),
  filter: optional(
    Type.Record(Key, Text(200), { maxProperties: 10 }),
    'Only records that have all of these properties with these values.',
    { region: 'eu' },
  ),
  aggregation: optional(
    Type.Enum(ratingAggregations),
    'How the records of the period become one quantity. `sum` (default) of their quantities; `count` of records; `max`: the highest; `unique`: how many values `property` has; `latest`: the last level; `time_weighted`: the mean level over the regular period.',
  ),
  property: optional(Key, 'unique: the property of the records whose different values are counted.'),
  valueBefore: Type.Optional(
    Quantity('time_weighted, latest: the level before the first record of the period. Default 0.'),
  ),
  levelBy: optional(
    Type.Enum(['set', 'add']),
    "time_weighted, latest: whether a record's quantity is the new level (`set`, default) or what is added to it (`add`; below zero it takes away).",
  ),
  changesInDay: optional(
    Type.Enum(['exact', 'last', 'max']),
    'time_weighted: what counts of several changes in one day of `timeZone`. `exact` (default): each to the second; `last`, `max`: the last or highest level of the day for all of it.',
  ),
  bucket: optional(
    strict({
      size: Type.Enum(bucketSizes, { description: bucketWords }),
      priced: optional(
        Type.Enum(['per_bucket', 'on_sum']),
        '`per_bucket` (default): tiers, packages and included units apply anew in each bucket; `on_sum`: once, to the sum of what the buckets count.',
      ),
      maximumQuantity: Type.Optional(Quantity('The most that one bucket counts.')),
    }),
    'Records are put together by hour, day or month first, each by `aggregation`, or stand each by itself. Buckets without a record cost nothing.',
    { size: 'hour', priced: 'per_bucket' },
  ),
  included: optional(Included, 'Units that are free of charge.', { quantity: 1000 }),
  ramp: optional(
    Type.Array(
      strict({
        fromMonth: Type.Integer({
          minimum: 1,
          maximum: 1_200,
          description:
            'So many months after `subscriptionStart` this price takes over: 12 is the start of the second year.',
        }),
        price: described(RatingPrice, 'The price from then on.'),
      }),
      { maxItems: 60 },
    ),
    'Other prices by the age of the subscription; `price` is that of the beginning.',
    [{ fromMonth: 12, price: { model: 'flat', unitAmount: 12000 } }],
  ),
  alreadyBilled: Type.Optional(
    Quantity(
      'Usage that was billed before and counts towards the same tiers, packages and included units: this charge pays what `usage` adds to it. For late records, and for tiers over several periods.',
    ),
  ),
  from: Type.Optional(
    Time(
      'When the charge begins, where later than the period: held units pay their share of it, usage counts from then on.',
    ),
  ),
  until: Type.Optional(
    Time(
      'When the charge ends, where earlier than the period; that instant is not part of it (see also `settings.proration.atEnd`).',
    ),
  ),
})
export type RatingCharge = Static<typeof Charge>

const UsageRecord = strict({
  at: Time('When it was used. A record outside the period does not count.'),
  quantity: Type.Optional(Quantity('Default 1. May be below zero, as a correction.')),
  id: optional(Text(200), 'Records with one id count once; they are refused when they differ.'),
  properties: optional(
    Type.Record(Key, Text(200), { maxProperties: 10 }),
    'What `filter` and `unique` of a charge look at.',
    { region: 'eu' },
  ),
})
const Usage = strict({
  meter: described(Key, 'The `meter` of charges, or the `key` of a charge that names none; once in a request.'),
  quantity: Type.Optional(
    Quantity(
      'What the whole period comes to, aggregated already; of a percentage, the amount moved in minor units. Exactly one of `quantity` and `records`.',
    ),
  ),
  transactions: optional(
    Count(1_000_000_000),
    'percentage: how many transactions `quantity` is made of, each with its `fixedFee`. With `records` each record is one.',
  ),
  records: optional(
    Type.Array(UsageRecord, { maxItems: 5_000 }),
    'Single records, where time, properties or single transactions matter: buckets, filters, levels, a price that changes or a charge that lives in a part of the period. Their order does not matter.',
    [{ at: '2026-04-03T10:00:00Z', quantity: 12 }],
  ),
})

const Change = strict({
  at: Time('When it takes effect: inside the period.'),
  charge: described(Key, 'The `key` of the charge that changes.'),
  quantity: Type.Optional(Quantity('The number that is held from then on, not the difference.')),
  price: optional(
    RatingPrice,
    'The price from then on, of the same kind: flat stays flat, percentage stays percentage.',
  ),
})
const PlanChoice = {
  plan: described(Key, 'A plan of the catalog.'),
  version: optional(Type.Integer({ minimum: 1 }), 'Default: the newest version of the plan.'),
  price: optional(Key, "The plan's price, such as `monthly`. Without it only its usage prices are rated."),
  seats: optional(Count(1_000_000), 'How many seats are held, those included in the plan among them.'),
  addOns: optional(
    Type.Record(Key, Type.Integer({ minimum: 1, maximum: 1_000_000 }), { maxProperties: 50 }),
    'How many of each add-on. They raise what is included, and are charged with a price.',
    { extra_calls: 2 },
  ),
  carried: optional(
    Type.Record(Key, Lots, { maxProperties: 50 }),
    'By usage price: what earlier periods left of its included quantity.',
    { api_calls: [{ quantity: 500, periodsAgo: 1 }] },
  ),
}
const PlanChange = strict({
  at: Time('When the plan takes over. Changes stand in the order of time.'),
  ...PlanChoice,
})

const Coupon = strict({
  key: described(Key, 'A name for the coupon, once in a request.'),
  percentOff: Type.Optional(Percent('At most 100. Exactly one of `percentOff` and `amountOff`.')),
  amountOff: Type.Optional(Minor('Never more than there is to pay. Exactly one of `percentOff` and `amountOff`.')),
  charges: optional(ChargeKeys, 'Only these charges. Default: all lines.', ['seats']),
  unused: optional(
    Type.Enum(['lost', 'kept']),
    'amountOff: what is left unused is `lost` (default) or `kept` for the next invoice.',
  ),
  months: optional(
    Type.Integer({ minimum: 1, maximum: 1_200 }),
    'How long it lasts: months, or invoices where `countedBy` says so. Default: without end.',
  ),
  startsAt: Type.Optional(
    Time(
      'From when on it takes something off, compared with `at` of the request; the months of the calendar count from it.',
    ),
  ),
  countedBy: optional(
    Type.Enum(['calendar', 'invoices']),
    'Whether `months` are months of the `calendar` from `startsAt` on (default) or a number of `invoices`.',
  ),
  invoicesSoFar: optional(Count(10_000), 'invoices: on how many it was used already. Default 0.'),
  onCredits: Type.Optional(
    Type.Boolean({
      description:
        'percentOff: whether lines below zero are lowered as well, because what they give back was paid with this coupon; no where left out.',
    }),
  ),
})
const Credit = strict({
  key: described(Key, 'A name for the credit, once in a request.'),
  amount: Minor('What is left of it before this invoice.'),
  priority: optional(Type.Integer({ minimum: 0, maximum: 1_000_000 }), 'A lower number is burnt first. Default 50.'),
  expiresAt: optional(
    Nullable(Instant),
    'The instant from which on it cannot be burnt, compared with `at` of the request. `null`, the default: never.',
  ),
  grantedAt: Type.Optional(
    Time('From when on it can be burnt, compared with `at` of the request. Default: it always could.'),
  ),
  category: optional(
    Type.Enum(['promotional', 'paid']),
    'Whether it was a gift or was `paid` for (default); only what was paid for can be refunded.',
  ),
  paid: Type.Optional(
    Minor('paid: what the customer paid for `amount`; the unused share may be refunded. Default: `amount`.'),
  ),
  charges: optional(
    ChargeKeys,
    'It pays for these charges only. Default: for all lines, and tax that is added before.',
    ['calls'],
  ),
})
const bound = {
  prorated: optional(
    Type.Boolean(),
    'Whether `amount` shrinks with the share of the regular period that is charged. Default false.',
  ),
  charges: optional(ChargeKeys, 'The charges that count towards it. Default: all but one-time charges.', ['calls']),
}
const Bound = strict({ amount: Minor('The most for the charges that count, together.'), ...bound })
const Commitment = strict({
  amount: Minor('The least for the charges that count, together.'),
  ...bound,
  spentBefore: Type.Optional(Minor('Spent in earlier periods of the same commitment; counts towards it. Default 0.')),
  trueUp: optional(
    Type.Enum(['now', 'later']),
    'Whether what is missing is charged with this period (`now`, default) or only at the end of the commitment (`later`).',
  ),
})

export const adjustmentKinds = ['minimum', 'maximum', 'discount', 'credit', 'tax'] as const
export const RatingSettings = strict({
  roundAt: optional(
    Type.Enum(roundingPlaces),
    'What is rounded to whole minor units. `line` (default); `unit`: each unit price or transaction, and the line; `step`: each multiplication, such as a tier or a part of the period; `invoice`: once, the sum of the lines.',
  ),
  rounding: optional(
    Type.Enum(roundingModes),
    'How it is rounded. Default `half_up`: a half goes away from zero. `half_even`: a half goes to the even neighbour; `down`: towards zero; `up`: away from it.',
  ),
  remainder: optional(
    Type.Enum(['largest_remainder', 'first_line', 'last_line']),
    'Who gets the minor units left over when an amount is spread over lines. Default `largest_remainder`.',
  ),
  proration: optional(
    strict({
      basis: optional(
        Type.Enum(['second', 'day', 'thirtieths', 'none']),
        'In what a part of a period is counted. `second` (default); `day`: days of `timeZone`; `thirtieths`: days of months of 30; `none`: what stood at the beginning is charged for the whole period.',
      ),
      denominator: optional(
        Type.Enum(['old_period', 'new_period', 'standard_month']),
        'The length that a part is a share of. `old_period` (default): `regularPeriod`; `new_period`: `newRegularPeriod`, after the billing day moved; `standard_month`: months of 30 days.',
      ),
      dayOfChange: optional(
        Type.Enum(['old', 'new', 'both', 'neither']),
        'day, thirtieths: which price or quantity is charged for the day of a change. Default `new`.',
      ),
      dayOfEnd: optional(
        Type.Enum(['counted', 'not_counted']),
        'day, thirtieths: whether the day on which a charge ends (`until`) is charged. Default `not_counted`.',
      ),
      atEnd: optional(
        Type.Enum(['prorate', 'whole']),
        'Whether a charge that ends in mid-period pays for its part (`prorate`, default) or for all of the period (`whole`).',
      ),
      style: optional(
        Type.Enum(['segments', 'credit_and_charge']),
        '`segments` (default): one line for each charge, with a step for each part of the period. `credit_and_charge`: the period was paid in advance, so that each change gives a line that gives back the rest of the old and one that charges the rest of the new.',
      ),
    }),
    'What is held is charged for a part of a period by these rules. Usage is never prorated.',
  ),
  onSplit: optional(
    Type.Enum(['anew', 'cumulative']),
    'Usage whose price changes in mid-period: tiers and packages count `anew` (default) or go on from what was used before (`cumulative`).',
  ),
  order: optional(
    Type.Array(Type.Enum(adjustmentKinds), { maxItems: 5, uniqueItems: true }),
    'In which order the sum of the lines becomes the total; what is not named is not applied. Default: minimum, maximum, discount, credit, tax.',
    ['discount', 'minimum', 'tax'],
  ),
  stacking: optional(
    Type.Enum(['sequential', 'additive']),
    'Several coupons in percent: each of what the one before left (`sequential`, default), or all of the whole (`additive`).',
  ),
  discountOn: optional(
    Type.Enum(['sum', 'lines']),
    'Where a percentage off is rounded: once on the `sum` (default) or on each of the `lines`.',
  ),
  taxOn: optional(
    Type.Enum(['sum', 'lines']),
    'Where tax is rounded: once on the `sum` (default) or on each of the `lines`.',
  ),
  burnOrder: optional(
    Type.Array(Type.Enum(['priority', 'expiry', 'category', 'age']), { minItems: 1, maxItems: 4, uniqueItems: true }),
    'Which credit is burnt first: the lowest priority, the first to expire, gifts before paid ones, the oldest. Default: in this order.',
    ['expiry', 'priority'],
  ),
  creditAtExpiry: optional(
    Type.Enum(['expired', 'usable']),
    'What a credit is at the very instant of `expiresAt`. Default `expired`.',
  ),
  minimumCharge: Type.Optional(
    Minor('A total below it is not collected and waits for the next invoice (`carried`). Default 0.'),
  ),
  chargeStep: optional(
    Type.Integer({ minimum: 1, maximum: 1_000 }),
    'A total that can be collected is a multiple of so many minor units. Default 10 for currencies of three decimals, else 1.',
  ),
})
export type RatingSettings = Static<typeof RatingSettings>

const Grid = strict({
  anchor: Time('Where the first period begins.'),
  interval: Type.Enum(['day', 'week', 'month', 'year'], {
    description:
      'By the calendar of `timeZone`; where a month lacks the day of the anchor, its last day stands for it.',
  }),
  count: optional(Type.Integer({ minimum: 1, maximum: 36 }), 'How many intervals make one period. Default 1.'),
  at: Time('The period that holds this instant is rated; not before the anchor.'),
  fixes: optional(
    Type.Enum(['grid', 'day_of_month']),
    '`grid` (default): periods count from the anchor; `day_of_month`: they begin on `day`, and a short first one leads there.',
  ),
  day: optional(
    Type.Integer({ minimum: 1, maximum: 31 }),
    'day_of_month: the day on which periods begin, in short months their last.',
  ),
})

export const RatingPreviewRequest = strict({
  currency: described(
    Currency,
    'Of all amounts: an ISO 4217 code in capitals. Its decimals say what a minor unit is.',
    'USD',
  ),
  period: optional(
    Period,
    'What is charged, half-open: the end belongs to the next period. Exactly one of `period` and `grid`.',
    { start: '2026-04-01T00:00:00Z', end: '2026-05-01T00:00:00Z' },
  ),
  grid: optional(Grid, 'To have the period computed. Exactly one of `period` and `grid`.', {
    anchor: '2026-01-31T00:00:00Z',
    interval: 'month',
    at: '2026-03-05T00:00:00Z',
  }),
  regularPeriod: optional(
    Period,
    'The whole period that prices are for, when `period` is a part of it: what is held pays the share. Default: `period`, or that of the grid.',
    { start: '2026-01-01T00:00:00Z', end: '2026-02-01T00:00:00Z' },
  ),
  newRegularPeriod: optional(
    Period,
    'The regular period after a move of the billing day, for `denominator: new_period`. Default: `regularPeriod`.',
  ),
  timeZone: optional(
    Text(60),
    'A name of the IANA list, for what a day, an hour of the clock and a month are. Default `UTC`.',
    'Europe/Berlin',
  ),
  subscriptionStart: Type.Optional(Time('What the months of ramps count from. Default: the start of the period.')),
  at: Type.Optional(
    Time('When it is rated, which says which credits and coupons are alive. Default: the end of the period.'),
  ),
  trial: optional(
    strict({
      endsAt: Time('Until then what is held is free; that instant is charged.'),
      usage: optional(Type.Enum(['free', 'charged']), 'Usage during the trial. Default `free`.'),
      firstPeriod: optional(
        Type.Enum(['prorate', 'whole']),
        "The period that holds the trial's end: charged from then on (`prorate`, default) or `whole`.",
      ),
    }),
    'A trial that reaches into the period or covers it.',
  ),
  plan: optional(strict(PlanChoice), 'A plan of the catalog, whose prices are rated before `charges`.', {
    plan: 'pro',
    price: 'monthly',
    seats: 5,
  }),
  planChanges: optional(Type.Array(PlanChange, { maxItems: 20 }), 'Plans that take over inside the period.'),
  charges: optional(
    Type.Array(Charge, { maxItems: 50 }),
    'What is charged besides the plan. A charge with a `quantity`, flat and one_time are held; all others rate usage.',
    [{ key: 'calls', price: { model: 'per_unit', unitAmount: 5 } }],
  ),
  usage: optional(
    Type.Array(Usage, { maxItems: 50 }),
    'What was used, one entry for each meter. A meter that is not named was not used.',
    [{ meter: 'calls', quantity: 1234 }],
  ),
  changes: optional(
    Type.Array(Change, { maxItems: 100 }),
    'New quantities and prices of charges inside the period, in any order.',
    [{ at: '2026-04-16T00:00:00Z', charge: 'seats', quantity: 5 }],
  ),
  coupons: optional(Type.Array(Coupon, { maxItems: 20 }), 'Discounts, applied in this order.', [
    { key: 'ten', percentOff: 10 },
  ]),
  credits: optional(Type.Array(Credit, { maxItems: 100 }), 'Prepaid or given credits, burnt by `settings.burnOrder`.', [
    { key: 'a', amount: 2500 },
  ]),
  minimum: optional(
    Commitment,
    "The least for several charges together: what is missing is a line of its own (one charge alone: `minimum` of its price). Instead of the plan's.",
    { amount: 10000 },
  ),
  maximum: optional(
    Bound,
    "The most for several charges together: what is above is taken off the lines as an adjustment. Instead of the plan's.",
    { amount: 50000 },
  ),
  taxPercent: Type.Optional(Percent('Tax on what is left after discounts, by `settings.order`. Default: none.')),
  settings: optional(
    RatingSettings,
    "How it is reckoned where good billing products differ. Each by itself before the plan's and the policies' ones.",
  ),
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
  kind: Type.Enum(['included', 'units', 'flat', 'package', 'percent', 'fee', 'bound', 'already_billed'], {
    description:
      '`included`: units free of charge; `units`, `package`, `percent`, `flat`: by the unit, package, share or at once; `fee`: for transactions; `bound`: what a least or most adds or takes; `already_billed`: what was charged before, taken off.',
  }),
  text: Type.String({ description: 'The multiplication in words.', examples: ['Units, tier 2: 5 × 4 = 20'] }),
  tier: described(Nullable(Type.Integer()), 'The number of the tier, from 1 on; null without tiers.'),
  quantity: exact('What was multiplied: units, packages, transactions or an amount in minor units.'),
  unitAmount: exact('By what: minor units for each; of a percentage its share of 1.'),
  share: described(
    Nullable(exact('A number.')),
    'The share of the regular period, when less than all of it is charged; else null.',
  ),
  roundedUnitAmount: described(
    Nullable(exact('A number.')),
    '`roundAt: unit`: the rounded unit price that was multiplied instead; else null.',
  ),
  amount: exact('What the step gives, in minor units, before the line is rounded.'),
  period: described(Period, 'The part of the period that it is for, half-open.'),
})
const Line = strict({
  charge: described(Nullable(Key), 'The `key` of its charge; null for what is missing to a commitment.'),
  name: Type.String({ description: 'The name of its charge.' }),
  kind: Type.Enum(lineKinds, {
    description:
      '`usage`; `recurring`: held in the period; `one_time`; `proration_charge`, `proration_credit`: the rest of the new and of the old after a change of what was paid in advance; `late_usage`: with `alreadyBilled`; `minimum`: what is missing to a commitment.',
  }),
  period: described(Period, 'The time that it is for, half-open.'),
  quantity: exact('What was held or used, included units among it; of what changed, the last. Not rounded.'),
  amount: described(
    Money,
    'The price, rounded: before maximum, discounts, credits and tax. The lines sum to `subtotal`. What is left to pay of it is `net`.',
  ),
  exactAmount: exact('`amount` before it is rounded, in minor units.'),
  rounding: described(
    strict({
      mode: Type.Enum(roundingModes, { description: '`settings.rounding`.' }),
      at: Type.Enum(roundingPlaces, { description: '`settings.roundAt`.' }),
      difference: exact('`amount` less `exactAmount`, in minor units.'),
    }),
    'How the line was rounded.',
  ),
  calculation: Type.Array(RatingStep, {
    description: 'The steps that sum to `exactAmount`; none where nothing is charged.',
  }),
  source: described(
    Nullable(
      strict({
        meter: described(Key, 'Whose usage it is.'),
        window: described(Period, 'Records from its start until before its end count.'),
        filter: Type.Record(Type.String(), Type.String(), { description: 'Only records with these properties.' }),
        aggregation: Type.Enum(ratingAggregations, { description: 'How they became one quantity.' }),
        records: described(Nullable(Type.Integer()), 'How many counted; null where a total was told.'),
      }),
    ),
    'Which usage it is of; null for what is held or due without usage.',
  ),
  net: described(Money, 'What is left of `amount` after maximum, discounts and credits, before tax.'),
})
export const RatingPreview = strict({
  currency: described(Currency, 'Of all amounts: an ISO 4217 code.'),
  period: described(Period, 'What was charged, half-open; with `grid` the period that was computed.'),
  lines: Type.Array(Line, {
    description: 'In the order of the charges, those of the plan first; a line for the `minimum` is the last.',
  }),
  subtotal: described(Money, "The sum of the lines' `amount`: before maximum, discounts, credits and tax."),
  adjustments: Type.Array(
    strict({
      kind: Type.Enum(adjustmentKinds, { description: 'What was applied. A minimum is a line, not an adjustment.' }),
      key: described(Nullable(Key), 'Of the coupon or credit; null for maximum and tax.'),
      text: Type.String({ description: 'In words.', examples: ['10 % off'] }),
      amount: described(Money, 'Negative where it takes off.'),
      spread: Type.Array(
        strict({
          line: Type.Integer({ description: 'The place in `lines`, from 0 on.' }),
          amount: described(Money, 'What that line bears of it.'),
        }),
        { description: 'How it is spread over the lines; none for tax on the sum.' },
      ),
    }),
    { description: 'In the order in which they were applied. With `subtotal` they sum to `total`.' },
  ),
  discount: described(Money, 'What all coupons took off, as a positive amount.'),
  creditsBurnt: described(Money, 'What all credits paid, as a positive amount.'),
  tax: described(Money, 'The tax in `total`.'),
  total: described(Money, 'What there is to pay after everything, tax included. May be below zero.'),
  due: described(Money, 'What of the total can be collected now.'),
  carried: described(
    Money,
    'What of the total waits for the next invoice: because it is too small, no multiple of `chargeStep`, or below zero.',
  ),
  credits: Type.Array(
    strict({
      key: described(Key, 'Of the credit.'),
      burnt: described(Money, 'What it paid of this invoice.'),
      left: described(Money, 'What is left of it; nothing when it is expired.'),
      refundable: described(Money, 'The share of what was paid for it that is unused, cut to whole minor units.'),
      state: Type.Enum(['usable', 'expired', 'not_yet'], { description: 'At the time of rating.' }),
    }),
    { description: 'What became of each credit.' },
  ),
  coupons: Type.Array(
    strict({
      key: described(Key, 'Of the coupon.'),
      taken: described(Money, 'What it took off, as a positive amount.'),
      left: described(Nullable(Money), '`unused: kept`: what the next invoice may use of it; else null.'),
      state: Type.Enum(['applied', 'over', 'not_yet'], { description: 'At the time of rating.' }),
    }),
    { description: 'What became of each coupon.' },
  ),
  allowances: Type.Array(
    strict({
      charge: described(Key, 'Whose included quantity it is.'),
      used: exact('Included units that were used in this period.'),
      carriedOn: Type.Array(
        strict({
          quantity: exact('What is left of one period.'),
          periodsAgo: Type.Integer({ description: 'Seen from the next period: 1 is the period of this answer.' }),
        }),
        { description: 'What the next period may use: its `rollover.lots`.' },
      ),
      lapsed: exact('Included units that are lost: too old or above the cap.'),
    }),
    { description: 'Of charges with `rollover`: what is left of their included quantities.' },
  ),
  roundingBound: exact('How far the lines can be from their exact sum: at most this many minor units.'),
})
export type RatingPreview = Static<typeof RatingPreview>
