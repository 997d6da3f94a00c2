/** Words that other products have for what this request can say: each with what stands for it here and an example of the page. */
export const fieldWords: readonly [words: string, here: string, example: string | null][] = [
  ['Stairstep, stair step, tiered flat fee', '`volume` whose tiers have `flatAmount` only.', 'Stairs'],
  ['Bulk pricing, "top tier", all units', '`volume`.', 'A volume tier by the number that is held'],
  ['Slab, progressive, marginal, "all tier" pricing', '`graduated`.', 'Before the tiers'],
  [
    'Transform quantity, block, bundle of units',
    '`package` with `packageSize`; inside tiers, `packageSize` of a tier.',
    null,
  ],
  [
    'Dynamic pricing (the sender knows the amount)',
    '`percentage` with `percent: 100`; the quantity is the amount in minor units.',
    'A price that the sender reckons',
  ],
  [
    'Committed quantity with an overage factor',
    '`graduated`, whose second tier costs the factor times the first, with `price.minimum`, which is the commitment times its price.',
    'A committed quantity with an overage factor',
  ],
  [
    'Spending commitment, minimum spend of an invoice',
    "The request's `minimum`; over several periods with `spentBefore`.",
    'What was spent before counts',
  ],
  ['Free tier, free units, usage discount', '`included`.', 'Before the tiers'],
  [
    'Cumulative tiers over a year or a contract',
    '`alreadyBilled`: what earlier periods have used.',
    'Tiers over a year, in its fourth month',
  ],
  ['Back-dated or late usage', '`alreadyBilled`: what was billed of the same period.', 'Late usage'],
  ['Price ramp, escalator, contract year', '`ramp` with `subscriptionStart`.', 'The second year'],
  [
    'Change without proration, the new price charged at once',
    'Two charges that meet, one with `until` and one with `from`, and `proration.basis: none`: both pay their whole price.',
    'A new price that is charged at once and whole',
  ],
  [
    'The same, only the old price whole',
    '`proration.atEnd: whole` instead: the old charge pays its whole price, the new one its share of the period.',
    'The old price whole, the new one for the rest',
  ],
  [
    'Change without proration, from the next period on',
    'One charge with an entry in `changes`, and `proration.basis: none`.',
    null,
  ],
  ['Credit for unused time, proration items', '`proration.style: credit_and_charge`.', 'The same, paid in advance'],
  [
    'Stub period, first partial period',
    '`period` with `regularPeriod`, or `grid` with `day_of_month`.',
    'A short first period',
  ],
  ['Average seats, gigabyte months', '`aggregation: time_weighted`.', 'A volume tier by the mean'],
  [
    'High-water mark, peak',
    '`aggregation: max`, for each day with `bucket`.',
    'Peaks of each day, priced on their sum',
  ],
]

/** What is easily taken for something else. */
export const plainWords: readonly string[] = [
  'All amounts are in minor units of the currency, also those that are moved: the quantity of `percentage` and of tiers with `percent`, and the bounds of such tiers. 1,000.00 dollars are `100000`.',
  '`minimum` of a price raises its own line, so that there is one. `minimum` of the request adds a second line with what is missing.',
  '`amount` of a line is the price before discounts, `net` what is left after maximum, discounts and credits, before tax. `total` is after everything.',
  '`upTo` counts from zero, not from the tier before, and belongs to its tier unless `tierBounds` is `exclusive`.',
  'With `time_weighted` a volume tier is picked by the mean of the period. A quantity that is held and changes is priced in each part by its own number.',
  '`quantityRounding` rounds what a charge counts: the sum of its records, or each bucket where buckets are priced by themselves; never each record.',
  'Usage is never prorated, not even in a short period; its `included` is where `prorated` says so, its bounds where `prorateBounds` does.',
  'Periods are half-open, and records outside the period do not count; of a charge with `from` or `until`, those outside its time.',
  'A charge without `quantity` rates usage; `flat` and `one_time` do not. A `flat` price is not multiplied: several of something are `per_unit` with a `quantity`.',
]
