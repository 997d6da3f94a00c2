import type { RatingPrice } from '@turnpike/contract'
import { held, on, table, used } from './april.ts'

// 500 for each 100.
const up: RatingPrice = { model: 'package', unitAmount: 500, packageSize: 100 }
const down: RatingPrice = { ...up, packageRounding: 'down' }
const parts: RatingPrice = { ...up, packageRounding: 'fraction' }
const dearer: RatingPrice = { ...up, unitAmount: 800 }
const records = (...all: [day: number, quantity: number][]) => ({
  usage: [{ meter: 'calls', records: all.map(([day, quantity]) => ({ at: on(day), quantity })) }],
})

export const packageCases = table([
  ['nothing used', used(up, 0), [0], 0, 'no package'],
  ['one unit', used(up, 1), [500], 500, '1 of 100 is a package'],
  ['a full package', used(up, 100), [500], 500, '100 ÷ 100 = 1'],
  ['one above', used(up, 101), [1000], 1000, '2 packages'],
  ['a fraction above', used(up, '100.000001'), [1000], 1000, 'any part begins a package'],
  ['rounded down below one', used(down, 99), [0], 0, 'no full package'],
  ['rounded down', used(down, 199), [500], 500, 'one full package'],
  ['in fractions', used(parts, 150), [750], 750, '1.5 × 500'],
  ['in fractions of a cent', used(parts, 33), [165], 165, '0.33 × 500'],
  [
    'a size that is no divisor',
    used({ ...parts, packageSize: 3, unitAmount: 100 }, 10),
    [333],
    333,
    '10/3 × 100 = 333.33…',
  ],
  ['included units first', used(up, 250, { included: { quantity: 100 } }), [1000], 1000, '150 count: 2 packages'],
  [
    'included passed, all repriced',
    used(up, 250, { included: { quantity: 100, mode: 'reprice_all' } }),
    [1500],
    1500,
    '250: 3 packages',
  ],
  [
    'late usage in an open package',
    used(up, 30, { alreadyBilled: 50 }),
    [0],
    0,
    '80 are the one package that was billed',
  ],
  [
    'a price change: packages anew',
    used(up, 0, {}, { ...records([5, 150], [20, 30]), changes: [{ at: on(16), charge: 'calls', price: dearer }] }),
    [1800],
    1800,
    '150: 2 × 500; then 30: 1 × 800',
  ],
  [
    'a price change: packages go on',
    used(
      up,
      0,
      {},
      {
        ...records([5, 150], [20, 30]),
        changes: [{ at: on(16), charge: 'calls', price: dearer }],
        settings: { onSplit: 'cumulative' },
      },
    ),
    [1000],
    1000,
    '150: 2 × 500; 180 are 2 packages too: nothing more',
  ],
  [
    'held packages from the middle',
    held(up, 250, { charges: [{ key: 'seats', price: up, quantity: 250, from: on(16) }] }),
    [750],
    750,
    '3 × 500 × 1/2',
  ],
  ['no decimals', used({ ...parts, unitAmount: 5 }, 30, {}, { currency: 'JPY' }), [2], 2, '0.3 × 5 = 1.5 yen'],
  ['three decimals', used({ ...up, unitAmount: '0.5' }, 201, {}, { currency: 'KWD' }), [2], 2, '3 × 0.5 = 1.5 fils'],
])
