import type { RatingPreviewRequest } from '@turnpike/contract'
import { april, type More, table } from './april.ts'

const bill = (more: More): RatingPreviewRequest => ({
  currency: 'USD',
  period: april,
  charges: [
    { key: 'base', price: { model: 'flat', unitAmount: 3000 } },
    { key: 'usage', price: { model: 'per_unit', unitAmount: 1 } },
    { key: 'setup', price: { model: 'one_time', unitAmount: 500 } },
  ],
  usage: [{ meter: 'usage', quantity: 1000 }],
  ...more,
})
const lines = [3000, 1000, 500]
const half = { period: { start: '2026-04-16T00:00:00Z', end: april.end }, regularPeriod: april }
const five = { key: 'five', amountOff: 500 }

export const minimumCases = table([
  [
    'a least that is not reached',
    bill({ minimum: { amount: 10_000 } }),
    [...lines, 6000],
    10_500,
    '10000 − 4000; what is bought once does not count',
  ],
  ['a least that is reached exactly', bill({ minimum: { amount: 4000 } }), lines, 4500, '4000 − 4000'],
  ['a least that is passed', bill({ minimum: { amount: 3999 } }), lines, 4500, 'nothing is missing'],
  [
    'a least for usage only',
    bill({ minimum: { amount: 2500, charges: ['usage'] } }),
    [...lines, 1500],
    6000,
    '2500 − 1000',
  ],
  [
    'a least for half a period',
    bill({ ...half, minimum: { amount: 10_000, prorated: true } }),
    [1500, 1000, 500, 2500],
    5500,
    '10000 × 1/2 − 2500',
  ],
  [
    'the same, not prorated',
    bill({ ...half, minimum: { amount: 10_000 } }),
    [1500, 1000, 500, 7500],
    10_500,
    '10000 − 2500',
  ],
  [
    'earlier spending counts',
    bill({ minimum: { amount: 10_000, spentBefore: 5500 } }),
    [...lines, 500],
    5000,
    '10000 − 5500 − 4000',
  ],
  [
    'true-up at the end of the commitment',
    bill({ minimum: { amount: 10_000, trueUp: 'later' } }),
    lines,
    4500,
    'nothing is charged before its end',
  ],
  ['a most', bill({ maximum: { amount: 3500 } }), lines, 4000, '4000 are cut to 3500; 500 once'],
  ['a most that is reached exactly', bill({ maximum: { amount: 4000 } }), lines, 4500, 'nothing to cut'],
  [
    'a most for half a period',
    bill({ ...half, maximum: { amount: 3000, prorated: true } }),
    [1500, 1000, 500],
    2000,
    '2500 are cut to 1500; 500 once',
  ],
  ['ten percent off', bill({ coupons: [{ key: 'ten', percentOff: 10 }] }), lines, 4050, '4500 − 450'],
  ['a fixed amount off', bill({ coupons: [five] }), lines, 4000, '4500 − 500'],
  [
    'more off than there is to pay',
    bill({ coupons: [{ key: 'big', amountOff: 9000 }] }),
    lines,
    0,
    'a discount ends at zero; the rest is lost',
  ],
  [
    'a fixed amount off usage',
    bill({ coupons: [{ key: 'big', amountOff: 9000, charges: ['usage'] }] }),
    lines,
    3500,
    '1000 off usage',
  ],
  ['percent, then amount', bill({ coupons: [{ key: 'ten', percentOff: 10 }, five] }), lines, 3550, '4500 × 0.9 − 500'],
  [
    'amount, then percent',
    bill({ coupons: [five, { key: 'ten', percentOff: 10 }] }),
    lines,
    3600,
    '(4500 − 500) × 0.9',
  ],
  [
    'two percentages in sequence',
    bill({
      coupons: [
        { key: 'ten', percentOff: 10 },
        { key: 'half', percentOff: 50 },
      ],
    }),
    lines,
    2025,
    '4500 × 0.9 × 0.5',
  ],
  [
    'two percentages of the whole',
    bill({
      coupons: [
        { key: 'ten', percentOff: 10 },
        { key: 'half', percentOff: 50 },
      ],
      settings: { stacking: 'additive' },
    }),
    lines,
    1800,
    '4500 − 450 − 2250',
  ],
  [
    'a coupon that is over',
    bill({ coupons: [{ key: 'old', percentOff: 50, months: 3, startsAt: '2026-02-01T00:00:00Z' }] }),
    lines,
    4500,
    'three months from 1 February end on 1 May, when it is rated',
  ],
  [
    'a coupon counted by invoices',
    bill({ coupons: [{ key: 'old', percentOff: 50, months: 3, countedBy: 'invoices', invoicesSoFar: 2 }] }),
    lines,
    2250,
    'the third of three invoices',
  ],
  [
    'discount before the least',
    bill({
      minimum: { amount: 4000 },
      coupons: [{ key: 'half', percentOff: 50 }],
      settings: { order: ['discount', 'minimum'] },
    }),
    [...lines, 2000],
    4250,
    '2250 of which 2000 count; 2000 are missing',
  ],
  ['tax on the sum', bill({ taxPercent: '7.7' }), lines, 4847, '4500 × 7.7 % = 346.5'],
  [
    'tax on each line',
    bill({ taxPercent: '7.75', settings: { taxOn: 'lines' } }),
    lines,
    4850,
    '232.5 + 77.5 + 38.75, each rounded: 233 + 78 + 39',
  ],
  [
    'no decimals',
    bill({ currency: 'JPY', coupons: [{ key: 'third', percentOff: '33.3' }] }),
    lines,
    3001,
    '4500 × 33.3 % = 1498.5 yen, rounded to 1499',
  ],
  ['three decimals', bill({ currency: 'TND', minimum: { amount: 4001 } }), [...lines, 1], 4501, '4001 − 4000 millimes'],
])
