import type { RatingPreviewRequest, RatingPrice } from '@turnpike/contract'
import { april, held, on, table, used } from './april.ts'
import type { GoldenTable } from './golden.ts'

/** One request for each feature, with all that it needs to be sent, and its result: the words of the field lead to them. */
const perUnit = (unitAmount: number | string): RatingPrice => ({ model: 'per_unit', unitAmount })
const flat = (unitAmount: number): RatingPrice => ({ model: 'flat', unitAmount })
const twoTiers = (model: 'graduated' | 'volume'): RatingPrice => ({
  model,
  tiers: [
    { upTo: 10, unitAmount: 5 },
    { upTo: null, unitAmount: 4 },
  ],
})
const records = (price: RatingPrice, all: [at: string, quantity: number][], charge: object = {}) => ({
  currency: 'USD',
  period: april,
  charges: [{ key: 'calls', price, ...charge }],
  usage: [{ meter: 'calls', records: all.map(([at, quantity]) => ({ at, quantity })) }],
})
const subscription: RatingPreviewRequest = {
  currency: 'USD',
  period: april,
  charges: [
    { key: 'base', price: flat(3000) },
    { key: 'calls', price: perUnit(1) },
  ],
  usage: [{ meter: 'calls', quantity: 1000 }],
}
const january = { start: '2026-01-01T00:00:00Z', end: '2026-02-01T00:00:00Z' }
const paidInAdvance: RatingPreviewRequest = {
  ...held(perUnit(1000), 2),
  changes: [{ at: on(16), charge: 'seats', quantity: 5 }],
  settings: { proration: { style: 'credit_and_charge' } },
}

export const featureTables: GoldenTable[] = [
  {
    model: 'Bounds',
    meaning:
      '`minimum` and `maximum` of a price are for its own line, which they raise or cut. Those of the request are for several charges together: what is missing is a second line, what is above is an adjustment.',
    cases: table([
      [
        'The least of one price',
        used({ model: 'per_unit', unitAmount: 5, minimum: 1000 }, 150),
        [1000],
        1000,
        '150 × 5 = 750, raised by 250: one line',
      ],
      [
        'The most of one price',
        used({ model: 'per_unit', unitAmount: 5, maximum: 5000 }, 1234),
        [5000],
        5000,
        '1234 × 5 = 6170, cut by 1170',
      ],
      [
        'A committed quantity with an overage factor',
        used(
          {
            model: 'graduated',
            tiers: [
              { upTo: 10_000, unitAmount: 2 },
              { upTo: null, unitAmount: 3 },
            ],
            minimum: 20_000,
          },
          8000,
        ),
        [20_000],
        20_000,
        '10000 units are committed at 2, each one above costs 1.5 times as much; 8000 × 2 = 16000, at least 20000',
      ],
      [
        'The least of the request',
        { ...subscription, minimum: { amount: 10_000 } },
        [3000, 1000, 6000],
        10_000,
        '10000 − 3000 − 1000: what is missing is a line of its own',
      ],
      [
        'The most of the request',
        { ...subscription, maximum: { amount: 3500 } },
        [3000, 1000],
        3500,
        '4000 are cut by 500: 375 and 125 off the two lines, in their `net`',
      ],
    ]),
  },
  {
    model: 'Commitments',
    meaning:
      'A least may shrink with a part of a period, count some charges only, and reckon with what earlier periods of the same commitment have spent.',
    cases: table([
      [
        'What was spent before counts',
        { ...subscription, minimum: { amount: 12_000, spentBefore: 7000, charges: ['calls'] } },
        [3000, 1000, 4000],
        8000,
        '12000 − 7000 − 1000 of the calls; the base does not count',
      ],
      [
        'A commitment for half a period',
        {
          ...used(perUnit(1), 1000),
          period: { start: on(16), end: april.end },
          regularPeriod: april,
          minimum: { amount: 10_000, prorated: true },
        },
        [1000, 4000],
        5000,
        '10000 × 15/30 − 1000',
      ],
    ]),
  },
  {
    model: 'Buckets',
    meaning: 'Records are put together by hour, day or month of the time zone before they are priced.',
    cases: table([
      [
        'Priced in each hour',
        records(
          {
            model: 'graduated',
            tiers: [
              { upTo: 10, unitAmount: 10 },
              { upTo: null, unitAmount: 1 },
            ],
          },
          [
            [on(2, '10:05:00'), 12],
            [on(2, '10:40:00'), 8],
            [on(2, '11:30:00'), 10],
          ],
          { bucket: { size: 'hour' } },
        ),
        [210],
        210,
        'the first hour has 20: 10 × 10 + 10 × 1; the second 10 × 10',
      ],
      [
        'Peaks of each day, priced on their sum',
        records(
          perUnit(100),
          [
            [on(2, '09:00:00'), 3],
            [on(2, '17:00:00'), 5],
            [on(3, '12:00:00'), 40],
          ],
          { aggregation: 'max', bucket: { size: 'day', priced: 'on_sum', maximumQuantity: 20 } },
        ),
        [2500],
        2500,
        'the days count 5 and 20, which is the most for one: 25 × 100',
      ],
    ]),
  },
  {
    model: 'Changes in mid-period',
    meaning:
      'What is held pays for each part of the period. Usage is never prorated: each record is rated by the price of its time, so records have to be sent.',
    cases: table([
      [
        'Seats that are added',
        { ...held(perUnit(1000), 2), changes: [{ at: on(16), charge: 'seats', quantity: 5 }] },
        [3500],
        3500,
        '2 × 1000 × 15/30 + 5 × 1000 × 15/30',
      ],
      [
        'The same, paid in advance',
        paidInAdvance,
        [-1000, 2500],
        1500,
        '2 seats for the rest are given back, 5 are charged for it',
      ],
      [
        'In days, of which the old price has that of the change',
        {
          ...held(flat(3000), 1),
          charges: [{ key: 'base', price: flat(3000) }],
          changes: [{ at: on(16, '09:00:00'), charge: 'base', price: flat(6000) }],
          settings: { proration: { basis: 'day', dayOfChange: 'old' } },
        },
        [4400],
        4400,
        '3000 × 16/30 + 6000 × 14/30',
      ],
      [
        'A price of usage that changes',
        {
          ...records(perUnit(5), [
            [on(3), 100],
            [on(20), 200],
          ]),
          changes: [{ at: on(16), charge: 'calls', price: perUnit(4) }],
        },
        [1300],
        1300,
        '100 × 5 + 200 × 4',
      ],
    ]),
  },
  {
    model: 'From and until',
    meaning:
      'A charge that begins or ends inside the period. The end is exclusive: a charge that ends and one that begins at one instant meet.',
    cases: table([
      [
        'A charge that ends',
        { ...held(flat(3000), 1), charges: [{ key: 'base', price: flat(3000), until: on(11) }] },
        [1000],
        1000,
        '10 of 30 days',
      ],
      [
        'One model after another',
        {
          currency: 'USD',
          period: april,
          charges: [
            { key: 'flat_rate', price: flat(3000), until: on(16) },
            { key: 'seats', price: perUnit(1000), quantity: 4, from: on(16) },
          ],
        },
        [1500, 2000],
        3500,
        '3000 × 15/30, then 4 × 1000 × 15/30',
      ],
      [
        'A new price that is charged at once and whole',
        {
          currency: 'USD',
          period: april,
          charges: [
            { key: 'small', price: flat(1000), until: on(16) },
            { key: 'large', price: flat(2000), from: on(16) },
          ],
          settings: { proration: { basis: 'none' } },
        },
        [1000, 2000],
        3000,
        'without proration each pays its whole price: 1000 + 2000',
      ],
      [
        'The old price whole, the new one for the rest',
        {
          currency: 'USD',
          period: april,
          charges: [
            { key: 'small', price: flat(1000), until: on(16) },
            { key: 'large', price: flat(2000), from: on(16) },
          ],
          settings: { proration: { atEnd: 'whole' } },
        },
        [1000, 1000],
        2000,
        'what ends in mid-period pays 1000, what begins 2000 × 15/30',
      ],
    ]),
  },
  {
    model: 'Regular period',
    meaning:
      '`period` is what is charged, `regularPeriod` what the prices are for: what is held pays the share, usage its whole price.',
    cases: table([
      [
        'A short first period',
        {
          currency: 'USD',
          period: { start: '2026-01-22T00:00:00Z', end: january.end },
          regularPeriod: january,
          charges: [
            { key: 'base', price: flat(3100) },
            { key: 'calls', price: perUnit(5), included: { quantity: 310, prorated: true } },
          ],
          usage: [{ meter: 'calls', quantity: 150 }],
        },
        [1000, 250],
        1250,
        '3100 × 10/31; 310 × 10/31 = 100 calls are included, 50 × 5',
      ],
    ]),
  },
  {
    model: 'Grid',
    meaning: 'The period is computed from an anchor, and told in the answer.',
    cases: table([
      [
        'The period after a short month',
        {
          currency: 'USD',
          grid: { anchor: '2026-01-31T00:00:00Z', interval: 'month', at: '2026-03-05T00:00:00Z' },
          charges: [{ key: 'base', price: flat(3000) }],
        },
        [3000],
        3000,
        'from 28 February to 31 March: a whole period',
      ],
      [
        'A short way to the day of the month',
        {
          currency: 'USD',
          grid: {
            anchor: '2026-04-16T00:00:00Z',
            interval: 'month',
            at: '2026-04-20T00:00:00Z',
            fixes: 'day_of_month',
            day: 1,
          },
          charges: [{ key: 'base', price: flat(3000) }],
        },
        [1500],
        1500,
        'from 16 April to 1 May: 15 of the 30 days of the regular period',
      ],
    ]),
  },
  {
    model: 'Ramps',
    meaning: 'Prices by the age of the subscription; a step inside the period changes the price there.',
    cases: table([
      [
        'The second year',
        {
          ...held(flat(1000), 1),
          subscriptionStart: '2025-04-16T00:00:00Z',
          charges: [
            {
              key: 'base',
              price: flat(1000),
              ramp: [
                { fromMonth: 12, price: flat(1200) },
                { fromMonth: 24, price: flat(1500) },
              ],
            },
          ],
        },
        [1100],
        1100,
        '1000 × 15/30, and from 16 April on 1200 × 15/30',
      ],
    ]),
  },
  {
    model: 'Included quantities',
    meaning: 'Free units of each period, also of what is held. Where there are tiers, `mode` says how the two meet.',
    cases: table([
      [
        'Before the tiers',
        used(twoTiers('graduated'), 25, { included: { quantity: 10 } }),
        [70],
        70,
        '15 are left: 10 × 5 + 5 × 4',
      ],
      [
        'Inside the tiers',
        used(twoTiers('graduated'), 25, { included: { quantity: 10, mode: 'inside' } }),
        [60],
        60,
        'units 11 to 25: 15 × 4',
      ],
      [
        'All repriced',
        used(perUnit(5), 1001, { included: { quantity: 1000, mode: 'reprice_all' } }),
        [5005],
        5005,
        'one above what is free: all 1001 × 5',
      ],
      [
        'Carried over from the period before',
        used(perUnit(5), 150, {
          included: { quantity: 100, rollover: { lots: [{ quantity: 30, periodsAgo: 1 }], capUnits: 50 } },
        }),
        [100],
        100,
        '30 that were left and 100: 20 × 5',
      ],
    ]),
  },
  {
    model: 'Coupons',
    meaning:
      "`amount` of a line stays the price; what a coupon takes is in the line's `net`, in `adjustments`, `discount` and `total`.",
    cases: table([
      [
        'A percentage off one charge',
        { ...subscription, coupons: [{ key: 'launch', percentOff: 20, charges: ['calls'] }] },
        [3000, 1000],
        3800,
        '1000 × 20 % off the calls',
      ],
      [
        'A fixed amount, then a percentage for three months',
        {
          ...subscription,
          coupons: [
            { key: 'five', amountOff: 500 },
            { key: 'spring', percentOff: 10, months: 3, startsAt: '2026-03-01T00:00:00Z' },
          ],
        },
        [3000, 1000],
        3150,
        '(4000 − 500) × 0.9; rated on 1 May, a month before its end',
      ],
    ]),
  },
  {
    model: 'Credits',
    meaning: 'Paid earlier or given, and burnt after discounts in the stated order.',
    cases: table([
      [
        'A gift for usage and a paid credit',
        {
          ...subscription,
          credits: [
            { key: 'bought', amount: 5000, paid: 4000, category: 'paid' },
            { key: 'gift', amount: 600, category: 'promotional', priority: 10, charges: ['calls'] },
          ],
        },
        [3000, 1000],
        0,
        '600 of the gift on calls, then 3400 of 5000; 1600 × 4000/5000 = 1280 of it can be refunded',
      ],
      [
        'Minimum, discount, credit and tax in one',
        {
          ...subscription,
          minimum: { amount: 5000 },
          coupons: [{ key: 'ten', percentOff: 10 }],
          credits: [{ key: 'a', amount: 500 }],
          taxPercent: 20,
        },
        [3000, 1000, 1000],
        4800,
        '5000 − 10 % = 4500; − 500 = 4000; + 20 %',
      ],
    ]),
  },
  {
    model: 'Already billed',
    meaning: 'Usage goes on from where earlier invoices ended: it pays the difference that it makes to the whole.',
    cases: table([
      [
        'Late usage',
        used(twoTiers('graduated'), 5, { alreadyBilled: 8 }),
        [22],
        22,
        '13 cost 10 × 5 + 3 × 4 = 62, the 8 that were billed 40',
      ],
      [
        'Tiers over a year, in its fourth month',
        used(
          {
            model: 'graduated',
            tiers: [
              { upTo: 10_000, unitAmount: 5 },
              { upTo: null, unitAmount: 4 },
            ],
          },
          3000,
          { alreadyBilled: 9000 },
        ),
        [13_000],
        13_000,
        '9000 were used since January: 1000 × 5 + 2000 × 4',
      ],
    ]),
  },
  {
    model: 'Amounts and stairs',
    meaning: 'A price that is a share of money, and one that is a range.',
    cases: table([
      [
        'Percentages in tiers',
        used(
          {
            model: 'graduated',
            tiers: [
              { upTo: 100_000, percent: '2.9' },
              { upTo: null, percent: '2.4' },
            ],
          },
          150_000,
        ),
        [4100],
        4100,
        '1,500.00 moved are 150000: 2.9 % of 100000 and 2.4 % of 50000',
      ],
      [
        'A price that the sender reckons',
        used({ model: 'percentage', percent: 100 }, 1234),
        [1234],
        1234,
        'the quantity is the amount: 12.34',
      ],
      [
        'Stairs',
        used(
          {
            model: 'volume',
            tiers: [
              { upTo: 10, flatAmount: 1000 },
              { upTo: 100, flatAmount: 4000 },
              { upTo: null, flatAmount: 9000 },
            ],
          },
          11,
        ),
        [4000],
        4000,
        '11 stand on the stair up to 100',
      ],
    ]),
  },
  {
    model: 'Levels and fractions',
    meaning: 'What a charge counts before it is priced.',
    cases: table([
      [
        'A volume tier by the mean',
        records(
          twoTiers('volume'),
          [
            [on(1), 2],
            [on(16), 20],
          ],
          { aggregation: 'time_weighted' },
        ),
        [44],
        44,
        'the mean is 2 × 15/30 + 20 × 15/30 = 11, which stands in the second tier: 11 × 4',
      ],
      [
        'A volume tier by the number that is held',
        { ...held(twoTiers('volume'), 2), changes: [{ at: on(16), charge: 'seats', quantity: 20 }] },
        [45],
        45,
        'each part by its own number: 2 × 5 × 15/30 + 20 × 4 × 15/30',
      ],
      [
        'Parts of units are rounded in the sum',
        records({ ...perUnit(100), quantityRounding: 'up' }, [
          [on(2), 1.2],
          [on(3), 1.2],
        ]),
        [300],
        300,
        '1.2 + 1.2 = 2.4 counts as 3; each record by itself would come to 4',
      ],
      [
        'Records outside the period',
        records(perUnit(100), [
          ['2026-03-31T23:59:59Z', 7],
          [on(1), 1],
          [april.end, 7],
        ]),
        [100],
        100,
        'the start counts, the end does not: 1 × 100',
      ],
    ]),
  },
]
