import type { RatingPrice } from '@turnpike/contract'
import { held, on, table, used } from './april.ts'

// Up to 10 at 5, up to 100 at 4, above at 3.
const tiers = [
  { upTo: 10, unitAmount: 5 },
  { upTo: 100, unitAmount: 4 },
  { upTo: null, unitAmount: 3 },
]
const plain: RatingPrice = { model: 'volume', tiers }
const parts: RatingPrice = {
  model: 'volume',
  tiers: tiers.map((tier, index) => ({ ...tier, flatAmount: [100, 50, 20][index]! })),
}
// Steps of a stair: a price for a range, whatever stands in it.
const stairs: RatingPrice = {
  model: 'volume',
  tiers: [
    { upTo: 10, flatAmount: 1000 },
    { upTo: 100, flatAmount: 4000 },
    { upTo: null, flatAmount: 9000 },
  ],
}

export const volumeCases = table([
  ['nothing used', used(plain, 0), [0], 0, '0 × 5'],
  ['one unit', used(plain, 1), [5], 5, '1 × 5'],
  ['at the first bound', used(plain, 10), [50], 50, '10 × 5'],
  [
    'at the first bound, exclusive',
    used({ ...plain, tierBounds: 'exclusive' }, 10),
    [40],
    40,
    'ten stands in the second tier: 10 × 4',
  ],
  ['one above: less than before', used(plain, 11), [44], 44, '11 × 4; ten cost 50'],
  ['at the second bound', used(plain, 100), [400], 400, '100 × 4'],
  ['a fraction above it', used(plain, '100.5'), [302], 302, '100.5 × 3 = 301.5'],
  ['far above', used(plain, 1000), [3000], 3000, '1000 × 3'],
  ['flat parts', used(parts, 11), [94], 94, '11 × 4 + 50'],
  ['flat part without usage', used(parts, 0), [100], 100, 'the first flat part is due'],
  ['the same, not due', used({ ...parts, flatAtZero: 'not_due' }, 0), [0], 0, 'nothing used, nothing due'],
  ['stairs', used(stairs, 10), [1000], 1000, 'the range up to 10'],
  ['the next stair', used(stairs, 11), [4000], 4000, 'the range up to 100'],
  [
    'a fraction on the next stair',
    used(stairs, '10.01'),
    [4000],
    4000,
    'a fraction above the bound stands on the next stair',
  ],
  ['included units before the tiers', used(plain, 15, { included: { quantity: 10 } }), [25], 25, '5 count: 5 × 5'],
  [
    'included units inside the tiers',
    used(plain, 15, { included: { quantity: 10, mode: 'inside' } }),
    [20],
    20,
    '15 stand in the second tier, 5 are charged: 5 × 4',
  ],
  [
    'included passed, all repriced',
    used(plain, 15, { included: { quantity: 10, mode: 'reprice_all' } }),
    [60],
    60,
    '15 × 4',
  ],
  [
    'included not passed',
    used(plain, 10, { included: { quantity: 10, mode: 'reprice_all' } }),
    [0],
    0,
    'as if nothing was used',
  ],
  [
    'late usage lowers the price of all',
    used(plain, 5, { alreadyBilled: 8 }),
    [12],
    12,
    '13 × 4 = 52, 8 × 5 = 40 were billed',
  ],
  [
    'seats that pass a bound',
    held(plain, 10, { changes: [{ at: on(16), charge: 'seats', quantity: 20 }] }),
    [65],
    65,
    '10 × 5 × 1/2 + 20 × 4 × 1/2',
  ],
  [
    'no decimals',
    used({ model: 'volume', tiers: [{ upTo: null, unitAmount: '0.5' }] }, 3, {}, { currency: 'KRW' }),
    [2],
    2,
    '3 × 0.5 = 1.5 won',
  ],
  [
    'three decimals',
    used({ model: 'volume', tiers: [{ upTo: null, unitAmount: '0.25' }] }, 5, {}, { currency: 'JOD' }),
    [1],
    1,
    '5 × 0.25 = 1.25 fils',
  ],
  [
    'a share of an amount, with each unit price rounded',
    used(
      {
        model: 'volume',
        tiers: [
          { upTo: 1000, percent: 150, flatAmount: '10.4' },
          { upTo: null, percent: 1 },
        ],
      },
      300,
      {},
      { settings: { roundAt: 'unit' } },
    ),
    [460],
    460,
    '150 % of 300, not 200 %; the flat part is rounded to 10',
  ],
])
