import type { RatingPreviewRequest } from '@turnpike/contract'
import { april, type More, on, table } from './april.ts'

type Charge = NonNullable<RatingPreviewRequest['charges']>[number]
const flat = (unitAmount: number | string, charge: Partial<Charge> = {}, more: More = {}): RatingPreviewRequest => ({
  currency: 'USD',
  period: april,
  charges: [{ key: 'base', price: { model: 'flat', unitAmount }, ...charge }],
  ...more,
})
const twice = (at: string): More => ({ changes: [{ at, charge: 'base', price: { model: 'flat', unitAmount: 6000 } }] })

export const flatCases = table([
  ['a whole period', flat(4900), [4900], 4900, '4900 once'],
  ['nothing', flat(0), [0], 0, '0 once'],
  ['a fraction of a cent at the half', flat('100.5'), [101], 101, '100.5 rounds half up to 101'],
  ['a fraction of a cent below the half', flat('100.499999'), [100], 100, '100.499999 rounds to 100'],
  ['a currency without decimals', flat('980.5', {}, { currency: 'JPY' }), [981], 981, '980.5 yen round to 981'],
  [
    'a currency of three decimals',
    flat('1234.5', {}, { currency: 'KWD' }),
    [1235],
    1235,
    '1.2345 dinars are 1235 fils; 1230 can be collected now, 5 wait',
  ],
  ['from the middle of the period', flat(3000, { from: on(16) }), [1500], 1500, '15 of 30 days: 3000 × 1/2'],
  ['until the end of the tenth day', flat(3000, { until: on(11) }), [1000], 1000, '10 of 30 days: 3000 × 1/3'],
  ['a price that doubles in the middle', flat(3000, {}, twice(on(16))), [4500], 4500, '3000 × 1/2 + 6000 × 1/2'],
  [
    'a change with a repeating decimal',
    flat(1000, { until: on(8) }),
    [233],
    233,
    '7 of 30 days: 1000 × 7/30 = 233.33…',
  ],
  [
    'a change of one second',
    flat(
      2_592_000,
      {},
      { changes: [{ at: on(1, '00:00:01'), charge: 'base', price: { model: 'flat', unitAmount: 0 } }] },
    ),
    [1],
    1,
    'one of 2,592,000 seconds: 2,592,000 × 1/2,592,000',
  ],
  [
    'a first period of ten days',
    flat(
      3100,
      {},
      {
        period: { start: '2026-01-22T00:00:00Z', end: '2026-02-01T00:00:00Z' },
        regularPeriod: { start: '2026-01-01T00:00:00Z', end: '2026-02-01T00:00:00Z' },
      },
    ),
    [1000],
    1000,
    '10 of the 31 days of the regular period',
  ],
  [
    'a year that rises by its age',
    flat(
      1000,
      { ramp: [{ fromMonth: 3, price: { model: 'flat', unitAmount: 1200 } }] },
      { subscriptionStart: '2026-01-01T00:00:00Z' },
    ),
    [1200],
    1200,
    'April is the fourth month: the price from month 3 on',
  ],
  [
    'a ramp in the middle of the period',
    flat(
      1000,
      { ramp: [{ fromMonth: 3, price: { model: 'flat', unitAmount: 1300 } }] },
      { subscriptionStart: '2026-01-16T00:00:00Z' },
    ),
    [1150],
    1150,
    '1000 × 1/2 + 1300 × 1/2 from 16 April on',
  ],
  [
    'paid in advance, then changed',
    flat(3000, {}, { ...twice(on(16)), settings: { proration: { style: 'credit_and_charge' } } }),
    [-1500, 3000],
    1500,
    'half of 3000 is given back, half of 6000 is charged',
  ],
])

const once = (unitAmount: number | string, charge: Partial<Charge> = {}, more: More = {}): RatingPreviewRequest =>
  flat(unitAmount, { key: 'setup', price: { model: 'one_time', unitAmount }, ...charge }, more)

export const oneTimeCases = table([
  ['a setup fee', once(50_000), [50_000], 50_000, '50000 once'],
  ['several', once(1999, { quantity: 3 }), [5997], 5997, '3 × 1999'],
  ['none', once(1999, { quantity: 0 }), [0], 0, '0 × 1999'],
  ['a fraction of one', once(1000, { quantity: '0.25' }), [250], 250, '0.25 × 1000'],
  ['bought in mid-period', once(1000, { from: on(20) }), [1000], 1000, 'never by time'],
  ['bought in the last second', once(1000, { from: on(30, '23:59:59') }), [1000], 1000, 'never by time'],
  [
    'bought in the next period',
    once(1000, { from: '2026-05-01T00:00:00Z' }),
    [],
    0,
    'ends are exclusive: not in this period',
  ],
  ['a fraction of a cent', once('33.5', { quantity: 3 }), [101], 101, '3 × 33.5 = 100.5 rounds half up'],
  [
    'a fraction of a cent, each rounded',
    once('33.5', { quantity: 3 }, { settings: { roundAt: 'unit' } }),
    [102],
    102,
    '33.5 rounds to 34; 3 × 34',
  ],
  ['a currency without decimals', once(5000, { quantity: 2 }, { currency: 'JPY' }), [10_000], 10_000, '2 × 5000 yen'],
  ['a currency of three decimals', once('1500.5', {}, { currency: 'BHD' }), [1501], 1501, '1500.5 fils round to 1501'],
  [
    'beside a flat price',
    {
      ...once(50_000),
      charges: [
        { key: 'base', price: { model: 'flat', unitAmount: 4900 } },
        { key: 'setup', price: { model: 'one_time', unitAmount: 50_000 } },
      ],
    },
    [4900, 50_000],
    54_900,
    '4900 + 50000',
  ],
])
