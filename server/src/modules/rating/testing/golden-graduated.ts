import type { RatingPrice } from '@turnpike/contract'
import { held, on, table, used } from './april.ts'

// 1–10 at 5, 11–100 at 4, then 3.
const tiers = [
  { upTo: 10, unitAmount: 5 },
  { upTo: 100, unitAmount: 4 },
  { upTo: null, unitAmount: 3 },
]
const plain: RatingPrice = { model: 'graduated', tiers }
// The same with flat parts of 100, 50 and 20.
const parts: RatingPrice = {
  model: 'graduated',
  tiers: tiers.map((tier, index) => ({ ...tier, flatAmount: [100, 50, 20][index]! })),
}

export const graduatedCases = table([
  ['nothing used', used(plain, 0), [0], 0, 'no unit in any tier'],
  ['one unit', used(plain, 1), [5], 5, '1 × 5'],
  ['the last unit of the first tier', used(plain, 10), [50], 50, '10 × 5'],
  ['the first unit of the second tier', used(plain, 11), [54], 54, '10 × 5 + 1 × 4'],
  ['the last unit of the second tier', used(plain, 100), [410], 410, '10 × 5 + 90 × 4'],
  ['the first unit of the last tier', used(plain, 101), [413], 413, '10 × 5 + 90 × 4 + 1 × 3'],
  ['far above', used(plain, 1000), [3110], 3110, '50 + 360 + 900 × 3'],
  ['a fraction between two tiers', used(plain, '10.5'), [52], 52, '10 × 5 + 0.5 × 4'],
  ['flat part of the first tier without usage', used(parts, 0), [100], 100, 'the first flat part is due'],
  ['the same, not due', used({ ...parts, flatAtZero: 'not_due' }, 0), [0], 0, 'nothing used, nothing due'],
  ['flat parts at a bound', used(parts, 10), [150], 150, '10 × 5 + 100; the second tier is not reached'],
  [
    'flat parts at an exclusive bound',
    used({ ...parts, tierBounds: 'exclusive' }, 10),
    [200],
    200,
    '10 × 5 + 100; ten has reached the second tier: + 50',
  ],
  ['flat parts with a fraction above the bound', used(parts, '10.25'), [201], 201, '50 + 100 + 0.25 × 4 + 50'],
  ['flat parts of all tiers', used(parts, 101), [583], 583, '413 + 100 + 50 + 20'],
  [
    'included units before the tiers',
    used(plain, 25, { included: { quantity: 10 } }),
    [70],
    70,
    '15 count: 10 × 5 + 5 × 4',
  ],
  [
    'included units inside the tiers',
    used(plain, 25, { included: { quantity: 10, mode: 'inside' } }),
    [60],
    60,
    'units 11 to 25: 15 × 4',
  ],
  [
    'included units in the middle of a tier',
    used(plain, 25, { included: { quantity: 4, mode: 'inside' } }),
    [90],
    90,
    'units 5 to 10: 6 × 5; 11 to 25: 15 × 4',
  ],
  [
    'included passed, all repriced',
    used(plain, 11, { included: { quantity: 10, mode: 'reprice_all' } }),
    [54],
    54,
    '11 units: 10 × 5 + 1 × 4',
  ],
  ['late usage', used(plain, 5, { alreadyBilled: 8 }), [22], 22, '13 units cost 62, 8 were billed with 40'],
  ['a late correction', used(plain, -5, { alreadyBilled: 12 }), [-23], -23, '7 units cost 35, 12 were billed with 58'],
  [
    'seats in tiers, from the middle',
    held(plain, 20, { charges: [{ key: 'seats', price: plain, quantity: 20, from: on(16) }] }),
    [45],
    45,
    '(10 × 5 + 10 × 4) × 1/2',
  ],
  [
    'a share of an amount in tiers',
    used(
      {
        model: 'graduated',
        tiers: [
          { upTo: 100_000, percent: 5 },
          { upTo: null, percent: '2.5' },
        ],
      },
      150_000,
    ),
    [6250],
    6250,
    '5 % of 100000 + 2.5 % of 50000',
  ],
  [
    'a share of an amount in tiers, with each unit price rounded',
    used(
      {
        model: 'graduated',
        tiers: [
          { upTo: 100_000, percent: 1 },
          { upTo: null, percent: 2 },
        ],
      },
      150_000,
      {},
      { settings: { roundAt: 'unit' } },
    ),
    [2000],
    2000,
    '1 % of 100000 + 2 % of 50000: a rate is no unit price and stays as it is',
  ],
  [
    'no decimals',
    used(
      {
        model: 'graduated',
        tiers: [
          { upTo: 10, unitAmount: '1.5' },
          { upTo: null, unitAmount: '0.1' },
        ],
      },
      11,
      {},
      { currency: 'JPY' },
    ),
    [15],
    15,
    '10 × 1.5 + 1 × 0.1 = 15.1 yen',
  ],
  [
    'three decimals',
    used(
      {
        model: 'graduated',
        tiers: [
          { upTo: 10, unitAmount: '1.25' },
          { upTo: null, unitAmount: '0.5' },
        ],
      },
      13,
      {},
      { currency: 'OMR' },
    ),
    [14],
    14,
    '12.5 + 1.5 = 14 baisa',
  ],
  [
    'each tier rounded by itself',
    used(
      {
        model: 'graduated',
        tiers: [
          { upTo: 1, unitAmount: '0.5' },
          { upTo: null, unitAmount: '0.5' },
        ],
      },
      2,
      {},
      { settings: { roundAt: 'step' } },
    ),
    [2],
    2,
    '0.5 and 0.5, each rounded to 1',
  ],
  [
    'packages in a tier, counted anew in the next',
    used(
      {
        model: 'graduated',
        tiers: [
          { upTo: 25, unitAmount: 100, packageSize: 10 },
          { upTo: null, unitAmount: 50, packageSize: 10 },
        ],
      },
      36,
    ),
    [400],
    400,
    '25 are 3 packages of 100; 11 are 2 of 50',
  ],
])
