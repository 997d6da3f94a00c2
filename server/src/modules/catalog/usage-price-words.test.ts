import type { CatalogUsagePrice } from '@turnpike/contract'
import { expect, test } from 'vitest'
import { usagePriceWords } from './usage-price-words.ts'

/** What a plan page and a catalog change say of a price. */
const meters = { calls: { name: 'Calls', unit: 'call', aggregation: 'sum' as const } }
const tiers = [
  { upTo: 5000, unitAmounts: { USD: '0.4' } },
  { upTo: null, unitAmounts: { USD: '0.25' } },
]

test.each<[string, CatalogUsagePrice]>([
  ['$15.00 each period', { model: 'flat', unitAmounts: { USD: '1500' } }],
  ['$0.004 per call', { model: 'per_unit', unitAmounts: { USD: '0.4' } }],
  ['$0.004 per call', { model: 'per_unit', tiers: [{ upTo: null, unitAmounts: { USD: '0.4' } }] }],
  [
    '10,000 included, then $0.004 per call up to 5,000, then $0.0025 per call',
    { model: 'graduated', included: 10_000, tiers },
  ],
  [
    'all at the price of the tier reached: $0.004 per call up to 5,000, then $0.0025 per call',
    { model: 'volume', tiers },
  ],
  ['$1.50 per 1,000,000 calls', { model: 'package', unitAmounts: { USD: '150' }, packageSize: 1_000_000 }],
  [
    '2.9 % + $0.30 per transaction, the first 3 free, at least $5.00',
    {
      model: 'percentage',
      percent: 2.9,
      fixedFees: { USD: 30 },
      includedTransactions: 3,
      minimums: { USD: 500 },
    },
  ],
  [
    '$1.00 per 10 calls up to 100, then 1.5 % + $0.20 once',
    {
      model: 'graduated',
      tiers: [
        { upTo: 100, unitAmounts: { USD: '100' }, packageSize: 10 },
        { upTo: null, percent: '1.5', flatAmounts: { USD: 20 } },
      ],
    },
  ],
  [
    '5 included, unused ones carry over, above that all at $0.02 per call by the hour; from month 12 on $0.01 per call',
    {
      model: 'per_unit',
      unitAmounts: { USD: '2' },
      included: 5,
      includedMode: 'reprice_all',
      rollover: {},
      bucket: { size: 'hour' },
      ramp: [{ fromMonth: 12, model: 'per_unit', unitAmounts: { USD: '1' } }],
    },
  ],
  [
    '$0.02 per call, each record by itself',
    { model: 'per_unit', unitAmounts: { USD: '2' }, bucket: { size: 'record' } },
  ],
])('%s', (words, price) => expect(usagePriceWords(price, 'calls', meters, 'USD')).toBe(words))

test('amounts are exact in each currency', () => {
  const price = {
    model: 'per_unit',
    unitAmounts: { JPY: '0.000001', KWD: '1234.5', USD: '100000000.123456789012' },
  } as const
  expect(usagePriceWords(price, 'calls', meters, 'JPY')).toBe('¥0.000001 per call')
  expect(usagePriceWords(price, 'calls', meters, 'KWD').replace(/\s/g, ' ')).toBe('KWD 1.2345 per call')
  expect(usagePriceWords(price, 'calls', meters, 'USD')).toBe('$1,000,000.00123456789012 per call')
})
