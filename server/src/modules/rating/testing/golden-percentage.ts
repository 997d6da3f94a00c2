import type { RatingPreviewRequest, RatingPrice } from '@turnpike/contract'
import { april, on, table, used } from './april.ts'

const plain: RatingPrice = { model: 'percentage', percent: '2.9' }
const fee: RatingPrice = { ...plain, fixedFee: 30 }
const bounded: RatingPrice = { ...fee, transactionMinimum: 50, transactionMaximum: 1000 }
const moved = (
  price: RatingPrice,
  amounts: (number | string)[],
  more: object = {},
  request: object = {},
): RatingPreviewRequest => ({
  currency: 'USD',
  period: april,
  charges: [{ key: 'calls', price, ...more }],
  usage: [{ meter: 'calls', records: amounts.map((quantity, index) => ({ at: on(index + 1), quantity })) }],
  ...request,
})

export const percentageCases = table([
  ['nothing moved', used(plain, 0), [0], 0, '0 × 2.9 %'],
  ['an amount', used(plain, 10_000), [290], 290, '10000 × 2.9 %'],
  ['a fraction of a cent', used(plain, 50), [1], 1, '50 × 2.9 % = 1.45'],
  ['with a fee for each transaction', moved(fee, [10_000, 500]), [365], 365, '10500 × 2.9 % + 2 × 30 = 364.5'],
  [
    'the same, each transaction rounded',
    moved(fee, [10_000, 500], {}, { settings: { roundAt: 'unit' } }),
    [365],
    365,
    '320 + 44.5, which rounds to 45',
  ],
  [
    'small ones, each transaction rounded',
    moved(plain, [50, 50, 50], {}, { settings: { roundAt: 'unit' } }),
    [3],
    3,
    '1.45 rounds to 1, three times',
  ],
  ['small ones, rounded once', moved(plain, [50, 50, 50]), [4], 4, '150 × 2.9 % = 4.35'],
  [
    'a total and a number of transactions',
    { ...used(fee, 0), usage: [{ meter: 'calls', quantity: 10_500, transactions: 2 }] },
    [365],
    365,
    '304.5 + 60',
  ],
  ['raised to the least', moved(bounded, [100]), [50], 50, '2.9 + 30 = 32.9, at least 50'],
  ['cut to the most', moved(bounded, [100_000]), [1000], 1000, '2900 + 30, at most 1000'],
  ['between the bounds', moved(bounded, [10_000]), [320], 320, '290 + 30'],
  ['a transaction of nothing', moved(fee, [0]), [30], 30, '0 + its fee'],
  [
    'an included amount',
    moved(fee, [6000, 6000], { included: { quantity: 10_000 } }),
    [88],
    88,
    'the first is free; 2000 of the second: 58 + 30',
  ],
  [
    'free transactions',
    moved({ ...fee, includedTransactions: 1 }, [6000, 6000]),
    [204],
    204,
    'the first is free; 6000 × 2.9 % + 30',
  ],
  [
    'both: the amount ends first',
    moved({ ...fee, includedTransactions: 5 }, [6000, 6000, 1000], { included: { quantity: 8000 } }),
    [205],
    205,
    '4000 of the second: 116 + 30; 1000: 29 + 30',
  ],
  [
    'both: the number ends first',
    moved({ ...fee, includedTransactions: 1 }, [1000, 1000], { included: { quantity: 8000 } }),
    [59],
    59,
    'the first is free; 29 + 30',
  ],
  [
    'included passed, all repriced',
    moved(plain, [6000, 6000], { included: { quantity: 10_000, mode: 'reprice_all' } }),
    [348],
    348,
    '12000 × 2.9 %',
  ],
  ['a least for the line', moved({ ...plain, minimum: 500 }, [10_000]), [500], 500, '290, at least 500'],
  [
    'no decimals',
    moved({ ...fee, percent: '3.6', fixedFee: 0 }, [1000], {}, { currency: 'JPY' }),
    [36],
    36,
    '1000 × 3.6 % yen',
  ],
  ['three decimals', moved(plain, [12_345], {}, { currency: 'BHD' }), [358], 358, '12345 × 2.9 % = 358.005 fils'],
])
