import type { RatingPreviewRequest, RatingPrice } from '@turnpike/contract'
import { april, held, on, table, used } from './april.ts'

// Figures that other products publish of their price models and prorations, in cents: what everybody computes alike.
const tiers = (...list: [upTo: number | null, unitAmount: number | string][]): RatingPrice['tiers'] =>
  list.map(([upTo, unitAmount]) => ({ upTo, unitAmount }))
const fonts = tiers([5, 700], [10, 650], [null, 600])
const falling = tiers([5, 500], [10, 400], [15, 300], [20, 200], [null, 100])
const api = tiers([1_000, 10], [10_000, 5], [null, 1])
const rates = tiers([29, 100], [74, 200], [null, 300])
const graduated = (list: RatingPrice['tiers']): RatingPrice => ({ model: 'graduated', tiers: list })
const volume = (list: RatingPrice['tiers']): RatingPrice => ({ model: 'volume', tiers: list })
const inAdvance = { proration: { style: 'credit_and_charge' } } as const
const month = (from: number, to: number, price: number, settings: object) =>
  held({ model: 'flat', unitAmount: price }, 1, {
    charges: [{ key: 'base', price: { model: 'flat', unitAmount: price }, from: on(from), until: on(to) }],
    settings,
  })
const change = (from: number, to: number, at: string, settings: object) =>
  held({ model: 'flat', unitAmount: from }, 1, {
    charges: [{ key: 'base', price: { model: 'flat', unitAmount: from } }],
    changes: [{ at, charge: 'base', price: { model: 'flat', unitAmount: to } }],
    settings,
  })
const payments: RatingPrice = {
  model: 'graduated',
  tiers: [
    { upTo: 100_000, percent: 1, flatAmount: 20_000 },
    { upTo: 1_000_000, percent: 2, flatAmount: 30_000 },
    { upTo: null, percent: 3, flatAmount: 40_000 },
  ],
}

const flatParts: RatingPrice = {
  model: 'graduated',
  tiers: [
    { upTo: 5, unitAmount: 1000, flatAmount: 10_000 },
    { upTo: null, unitAmount: 500, flatAmount: 5000 },
  ],
  flatProrated: false,
}
/** Each record is rated by itself. */
const singles = (price: RatingPrice, quantities: (number | string)[]): RatingPreviewRequest =>
  used(
    price,
    0,
    { bucket: { size: 'record' } },
    { usage: [{ meter: 'calls', records: quantities.map((quantity) => ({ at: on(2), quantity })) }] },
  )

export const fieldCases = table([
  ['volume, 5 of 1–5 at 7.00', used(volume(fonts), 5), [3500], 3500, '5 × 700'],
  ['volume, 6 of 6–10 at 6.50', used(volume(fonts), 6), [3900], 3900, '6 × 650'],
  ['volume, 20 of 11 and more at 6.00', used(volume(fonts), 20), [12_000], 12_000, '20 × 600'],
  ['volume, 25', used(volume(fonts), 25), [15_000], 15_000, '25 × 600'],
  ['graduated, 5', used(graduated(fonts), 5), [3500], 3500, '5 × 700'],
  ['graduated, 6', used(graduated(fonts), 6), [4150], 4150, '5 × 700 + 650'],
  ['graduated, 20', used(graduated(fonts), 20), [12_750], 12_750, '3500 + 3250 + 10 × 600'],
  ['graduated, 25', used(graduated(fonts), 25), [15_750], 15_750, '3500 + 3250 + 15 × 600'],
  ['five tiers, volume: 25 cost as much as 5', used(volume(falling), 25), [2500], 2500, '25 × 100'],
  ['five tiers, volume: 20', used(volume(falling), 20), [4000], 4000, '20 × 200'],
  ['five tiers, graduated: 6', used(graduated(falling), 6), [2900], 2900, '2500 + 400'],
  ['five tiers, graduated: 25', used(graduated(falling), 25), [7500], 7500, '2500 + 2000 + 1500 + 1000 + 500'],
  ['API calls at 0.001', used({ model: 'per_unit', unitAmount: '0.1' }, 100_000), [10_000], 10_000, '100000 × 0.1'],
  ['15,000 calls, graduated', used(graduated(api), 15_000), [60_000], 60_000, '10000 + 45000 + 5000'],
  ['15,000 calls, volume', used(volume(api), 15_000), [15_000], 15_000, '15000 × 1'],
  [
    '65,000 calls of a volume tier at 0.0006',
    used(volume(tiers([10_000, '0.1'], [null, '0.06'])), 65_000),
    [3900],
    3900,
    '65000 × 0.06',
  ],
  ['tiers of 1, 2 and 3, graduated: 76', used(graduated(rates), 76), [12_500], 12_500, '29 × 100 + 45 × 200 + 2 × 300'],
  ['the same by the highest tier', used(volume(rates), 76), [22_800], 22_800, '76 × 300'],
  [
    'two tiers, graduated: 65',
    used(graduated(tiers([49, 600], [null, 700])), 65),
    [40_600],
    40_600,
    '49 × 600 + 16 × 700',
  ],
  ['a first tier that is free: 130', used(graduated(tiers([100, 0], [null, 200])), 130), [6000], 6000, '30 × 200'],
  [
    'packages of 100 at 5.00, 100 free: 201',
    used({ model: 'package', unitAmount: 500, packageSize: 100 }, 201, { included: { quantity: 100 } }),
    [1000],
    1000,
    '2 × 500',
  ],
  [
    'a package of a million tokens: ten',
    used({ model: 'package', unitAmount: 125, packageSize: 1_000_000 }, 10),
    [125],
    125,
    '1 × 125',
  ],
  [
    'the same: a million and a half',
    used({ model: 'package', unitAmount: 125, packageSize: 1_000_000 }, 1_500_000),
    [250],
    250,
    '2 × 125',
  ],
  [
    'packages of 1,000 in a volume tier: 4,500',
    used(
      {
        model: 'volume',
        tiers: [
          { upTo: 10_000, unitAmount: 100, packageSize: 1000 },
          { upTo: null, unitAmount: '0.06' },
        ],
      },
      4500,
    ),
    [500],
    500,
    '4.5 packages are 5: 5 × 100',
  ],
  [
    'percentages in tiers with fees: 5,050.00 moved',
    used(payments, 505_000),
    [59_100],
    59_100,
    '1 % of 100000 + 20000 + 2 % of 405000 + 30000',
  ],
  ['the first 500.00 of it', used(payments, 50_000), [20_500], 20_500, '1 % of 50000 + 20000'],
  [
    '1.2 % and 0.10 for each of two',
    used(
      { model: 'percentage', percent: '1.2', fixedFee: 10 },
      0,
      {},
      { usage: [{ meter: 'calls', quantity: 50_000, transactions: 2 }] },
    ),
    [620],
    620,
    '600 + 2 × 10',
  ],
  [
    'a spending minimum of 100.00, 50.00 used',
    used({ model: 'per_unit', unitAmount: 1 }, 5000, {}, { minimum: { amount: 10_000 } }),
    [5000, 5000],
    10_000,
    '5000 × 1; 5000 are missing',
  ],
  [
    '500 of free usage, the second invoice',
    used({ model: 'per_unit', unitAmount: 1 }, 250, { included: { quantity: 500 }, alreadyBilled: 300 }),
    [50],
    50,
    '550 − 500',
  ],
  [
    '500 of free usage, the third invoice',
    used({ model: 'per_unit', unitAmount: 1 }, 100, { included: { quantity: 500 }, alreadyBilled: 550 }),
    [100],
    100,
    '650 − 550',
  ],
  [
    'minutes above 500 at 0.50: 600',
    used({ model: 'per_unit', unitAmount: 50 }, 600, { included: { quantity: 500 } }),
    [5000],
    5000,
    '100 × 50',
  ],
  [
    'credits of 40.00 for 100.00',
    held({ model: 'per_unit', unitAmount: 10_000 }, 1, { credits: [{ key: 'a', amount: 4000 }] }),
    [10_000],
    6000,
    '10000 − 4000',
  ],
  [
    'the last of three levels: 5, 7, 6',
    used(
      { model: 'per_unit', unitAmount: 100 },
      0,
      { aggregation: 'latest' },
      { usage: [{ meter: 'calls', records: [5, 7, 6].map((quantity, index) => ({ at: on(index + 2), quantity })) }] },
    ),
    [600],
    600,
    '6 × 100',
  ],
  [
    '10.00 to 20.00 in the middle, paid in advance',
    change(1000, 2000, on(16), { ...inAdvance }),
    [-500, 1000],
    500,
    '10.00 for the rest − 5.00 back',
  ],
  ['20.00 to 50.00 in the middle', change(2000, 5000, on(16), { ...inAdvance }), [-1000, 2500], 1500, '25.00 − 10.00'],
  [
    '30.00 to 60.00 on the 15th, in days that the old plan owns',
    change(3000, 6000, on(15, '12:00:00'), { proration: { ...inAdvance.proration, basis: 'day', dayOfChange: 'old' } }),
    [-1500, 3000],
    1500,
    '15 days of 60.00 − 15 days of 30.00',
  ],
  [
    'a seat from the 15th on, in days',
    held({ model: 'per_unit', unitAmount: 3000 }, 1, {
      charges: [
        { key: 'seats', price: { model: 'per_unit', unitAmount: 3000 }, quantity: 1, from: on(15, '08:00:00') },
      ],
      settings: { proration: { basis: 'day' } },
    }),
    [1600],
    1600,
    'the 15th to the 30th: 16/30',
  ],
  [
    'a seat until the 22nd, that day counted',
    held({ model: 'per_unit', unitAmount: 3000 }, 1, {
      charges: [
        { key: 'seats', price: { model: 'per_unit', unitAmount: 3000 }, quantity: 1, until: on(22, '08:00:00') },
      ],
      settings: { proration: { basis: 'day', dayOfEnd: 'counted' } },
    }),
    [2200],
    2200,
    '22/30',
  ],
  [
    '8 days of a billing month of 31, from the 28th on',
    held({ model: 'flat', unitAmount: 9000 }, 1, {
      period: { start: '2025-03-28T00:00:00Z', end: '2025-04-05T00:00:00Z' },
      regularPeriod: { start: '2025-03-05T00:00:00Z', end: '2025-04-05T00:00:00Z' },
      charges: [{ key: 'base', price: { model: 'flat', unitAmount: 9000 } }],
      settings: { proration: { basis: 'day' } },
    }),
    [2323],
    2323,
    '9000 × 8/31 = 2322.58',
  ],
  [
    '14 of 31 days, months taken for 30',
    held({ model: 'per_unit', unitAmount: 3500 }, 1, {
      period: { start: '2018-08-18T00:00:00Z', end: '2018-09-01T00:00:00Z' },
      regularPeriod: { start: '2018-08-01T00:00:00Z', end: '2018-09-01T00:00:00Z' },
      settings: { proration: { basis: 'day', denominator: 'standard_month' } },
    }),
    [1633],
    1633,
    '3500 × 14/30 = 1633.33',
  ],
  [
    'the same by the days that it has',
    held({ model: 'per_unit', unitAmount: 3500 }, 1, {
      period: { start: '2018-08-18T00:00:00Z', end: '2018-09-01T00:00:00Z' },
      regularPeriod: { start: '2018-08-01T00:00:00Z', end: '2018-09-01T00:00:00Z' },
      settings: { proration: { basis: 'day' } },
    }),
    [1581],
    1581,
    '3500 × 14/31 = 1580.65',
  ],
  [
    'storage that grows by 20 on the 16th and 10 on the 26th',
    used(
      { model: 'per_unit', unitAmount: 90 },
      0,
      { aggregation: 'time_weighted', levelBy: 'add' },
      {
        usage: [
          {
            meter: 'calls',
            records: [
              { at: on(26), quantity: 10 },
              { at: on(16), quantity: 20 },
            ],
          },
        ],
      },
    ),
    [1050],
    1050,
    '20 × 15/30 + 10 × 5/30 = 11.67 gigabytes × 90',
  ],
  ['ten days of a month', month(1, 11, 3000, {}), [1000], 1000, '3000 × 10/30'],
  [
    'a price that changes with the period, which was paid in advance',
    change(1000, 2000, on(1), inAdvance),
    [-1000, 2000],
    1000,
    'the old price back, the new one charged',
  ],
  [
    'one unit for 21 of 30 days, with flat parts of tiers that are due in full',
    held(flatParts, 1, { charges: [{ key: 'seats', price: flatParts, quantity: 1, from: on(10) }] }),
    [10_700],
    10_700,
    '1000 × 21/30 + 10000',
  ],
  [
    'the same, shared like the rest',
    held(flatParts, 1, {
      charges: [{ key: 'seats', price: { ...flatParts, flatProrated: true }, quantity: 1, from: on(10) }],
    }),
    [7700],
    7700,
    '(1000 + 10000) × 21/30',
  ],
  [
    'five units for 21 of 30 days, three of them for the last 15',
    held(flatParts, 5, {
      charges: [{ key: 'seats', price: flatParts, quantity: 5, from: on(10) }],
      changes: [{ at: on(16), charge: 'seats', quantity: 3 }],
    }),
    [12_500],
    12_500,
    '5000 × 6/30 + 3000 × 15/30 + 10000 once',
  ],
  [
    '300 units for 0.662 of the period in volume tiers, the flat part in full',
    held(
      {
        model: 'volume',
        tiers: [
          { upTo: 100, unitAmount: 200, flatAmount: 1000 },
          { upTo: 200, unitAmount: 100 },
          { upTo: null, unitAmount: 50, flatAmount: 5000 },
        ],
        flatProrated: false,
      },
      300,
      { period: { start: on(11, '03:21:36'), end: april.end }, regularPeriod: april },
    ),
    [14_930],
    14_930,
    '300 × 50 × 0.662 + 5000',
  ],
  [
    'late usage in tiers up to a most',
    used(
      {
        model: 'graduated',
        tiers: [
          { upTo: 5, unitAmount: 0, flatAmount: 10_000 },
          { upTo: 10, flatAmount: 5000 },
          { upTo: 15, unitAmount: 500 },
          { upTo: null, unitAmount: 100 },
        ],
        maximum: 17_000,
      },
      10,
      { alreadyBilled: 12 },
    ),
    [1000],
    1000,
    '22 units cost 18200, at most 17000; 12 were billed with 16000',
  ],
  [
    'late usage in packages up to a most',
    used({ model: 'package', unitAmount: 1500, packageSize: 10, maximum: 10_000 }, 50, { alreadyBilled: 60 }),
    [1000],
    1000,
    '11 packages cost 16500, at most 10000; 6 were billed with 9000',
  ],
  [
    'half the price in mid-month, 50 % off, which the payment in advance had too',
    { ...change(2000, 1000, on(16), inAdvance), coupons: [{ key: 'half', percentOff: 50, onCredits: true }] },
    [-1000, 500],
    -250,
    '−1000 + 500 + 250',
  ],
  [
    'the same, off what is charged only',
    { ...change(2000, 1000, on(16), inAdvance), coupons: [{ key: 'half', percentOff: 50 }] },
    [-1000, 500],
    -750,
    '−1000 + 500 − 250',
  ],
  [
    'volume tiers by the size of each record',
    singles(volume(tiers([50, 1100], [100, 1000], [null, 900])), [20, 90, 50]),
    [167_000],
    167_000,
    '20 × 1100 + 90 × 1000 + 50 × 1100',
  ],
  [
    'two calls of 1 minute 20 seconds, each by begun minutes',
    singles({ model: 'per_unit', unitAmount: '1.3', quantityRounding: 'up' }, ['1.333333333333', '1.333333333333']),
    [5],
    5,
    '2 + 2 minutes × 1.3 = 5.2',
  ],
])
