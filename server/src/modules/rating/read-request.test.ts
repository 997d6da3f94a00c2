import type { RatingPreviewRequest, RatingPrice } from '@turnpike/contract'
import { expect, test } from 'vitest'
import { april, held, on, used } from './testing/april.ts'
import { mistakes, refusals } from './testing/preview.ts'

/** Every misuse is told with its field, and nothing is silently ignored. */
const price: RatingPrice = { model: 'per_unit', unitAmount: 1 }
const tiers = (...upTo: (number | null)[]): RatingPrice => ({
  model: 'graduated',
  tiers: upTo.map((bound) => ({ upTo: bound, unitAmount: 1 })),
})
const priced = (wrong: object) => used(wrong as RatingPrice, 1)
const charged = (charge: object) => used(price, 1, charge as never)

test.each<[string, RatingPreviewRequest, string[]]>([
  ['nothing to rate', { currency: 'USD', period: april }, ['charges']],
  ['no period', { ...used(price, 1), period: undefined }, ['period']],
  [
    'a period that ends before it starts',
    { ...used(price, 1), period: { start: april.end, end: april.start } },
    ['period.end'],
  ],
  [
    'a period of a century',
    { ...used(price, 1), period: { start: april.start, end: '2126-01-01T00:00:00Z' } },
    ['period.end'],
  ],
  ['a date that is none', { ...used(price, 1), at: '2026-02-30T00:00:00Z' }, ['at']],
  ['no time zone', { ...used(price, 1), timeZone: 'Mars/Olympus' }, ['timeZone']],
  ['a missing unit price', priced({ model: 'per_unit' }), ['charges.0.price.unitAmount']],
  ['a field of another model', priced({ ...price, packageSize: 5 }), ['charges.0.price.packageSize']],
  ['a negative price', priced({ ...price, unitAmount: -1 }), ['charges.0.price.unitAmount']],
  [
    'a price that is no longer exact as a number',
    priced({ ...price, unitAmount: 0.1 + 0.2 }),
    ['charges.0.price.unitAmount'],
  ],
  ['a price in powers of ten as text', priced({ ...price, unitAmount: '1e-7' }), ['charges.0.price.unitAmount']],
  ['a price too small for its digits', priced({ ...price, unitAmount: 1e-19 }), ['charges.0.price.unitAmount']],
  [
    'a price too small for all of its digits',
    priced({ ...price, unitAmount: 1.25e-17 }),
    ['charges.0.price.unitAmount'],
  ],
  [
    'a price with more digits than a number has',
    priced({ ...price, unitAmount: 1 / 3e6 }),
    ['charges.0.price.unitAmount'],
  ],
  ['a price too large', priced({ ...price, unitAmount: 1e21 }), ['charges.0.price.unitAmount']],
  ['packages of nothing', priced({ model: 'package', unitAmount: 1, packageSize: 0 }), ['charges.0.price.packageSize']],
  ['tiers out of order', priced(tiers(10, 5, null)), ['charges.0.price.tiers.1.upTo']],
  ['tiers with an end', priced(tiers(10, 20)), ['charges.0.price.tiers.1.upTo']],
  ['an endless tier before others', priced(tiers(null, null)), ['charges.0.price.tiers.0.upTo']],
  [
    'a tier without a price',
    priced({ model: 'volume', tiers: [{ upTo: null }] }),
    ['charges.0.price.tiers.0.unitAmount'],
  ],
  ['a most below the least', priced({ ...price, minimum: 5, maximum: 4 }), ['charges.0.price.maximum']],
  [
    'two charges of one name',
    {
      ...used(price, 1),
      charges: [
        { key: 'calls', price },
        { key: 'calls', price },
      ],
    },
    ['charges.1.key'],
  ],
  ['a meter that nobody rates', { ...used(price, 1), usage: [{ meter: 'calss', quantity: 1 }] }, ['usage.0.meter']],
  [
    'a meter twice',
    {
      ...used(price, 1),
      usage: [
        { meter: 'calls', quantity: 1 },
        { meter: 'calls', quantity: 1 },
      ],
    },
    ['usage.1.meter'],
  ],
  ['neither quantity nor records', { ...used(price, 1), usage: [{ meter: 'calls' }] }, ['usage.0.quantity']],
  ['a total where records are filtered', charged({ filter: { region: 'eu' } }), ['usage.0.records']],
  ['a total in buckets', charged({ bucket: { size: 'day' } }), ['usage.0.records']],
  ['a total of single records', charged({ bucket: { size: 'record' } }), ['usage.0.records']],
  [
    'a total over a change of price',
    { ...used(price, 1), changes: [{ at: on(5), charge: 'calls', price }] },
    ['usage.0.records'],
  ],
  ['a total with fees and no number', used({ model: 'percentage', percent: 1, fixedFee: 1 }, 1), ['usage.0.records']],
  ['a level of a sum', charged({ levelBy: 'add' }), ['charges.0.levelBy']],
  [
    'a package of a percentage',
    priced({ model: 'volume', tiers: [{ upTo: null, percent: 1, packageSize: 5 }] }),
    ['charges.0.price.tiers.0.packageSize'],
  ],
  ['values of no property', charged({ aggregation: 'unique' }), ['charges.0.property']],
  [
    'usage of what is held',
    { ...held(price, 1), charges: [{ key: 'seats', price, quantity: 1, meter: 'calls' }] },
    ['charges.0.meter'],
  ],
  ['a change of nothing', { ...held(price, 1), changes: [{ at: on(5), charge: 'seats' }] }, ['changes.0.quantity']],
  [
    'a change of nobody',
    { ...held(price, 1), changes: [{ at: on(5), charge: 'chairs', quantity: 1 }] },
    ['changes.0.charge'],
  ],
  [
    'a change at the end',
    { ...held(price, 1), changes: [{ at: april.end, charge: 'seats', quantity: 1 }] },
    ['changes.0.at'],
  ],
  [
    'two changes at once',
    {
      ...held(price, 1),
      changes: [
        { at: on(5), charge: 'seats', quantity: 1 },
        { at: on(5), charge: 'seats', quantity: 2 },
      ],
    },
    ['changes.1.at'],
  ],
  [
    'a change to another kin',
    { ...held(price, 1), changes: [{ at: on(5), charge: 'seats', price: { model: 'flat', unitAmount: 1 } }] },
    ['changes.0.price.model'],
  ],
  [
    'a coupon of two kinds',
    { ...held(price, 1), coupons: [{ key: 'a', percentOff: 1, amountOff: 1 }] },
    ['coupons.0.percentOff'],
  ],
  ['more than all off', { ...held(price, 1), coupons: [{ key: 'a', percentOff: '100.01' }] }, ['coupons.0.percentOff']],
  ['half a cent off', { ...held(price, 1), coupons: [{ key: 'a', amountOff: '0.5' }] }, ['coupons.0.amountOff']],
  [
    'months from nowhere',
    { ...held(price, 1), coupons: [{ key: 'a', percentOff: 1, months: 2 }] },
    ['coupons.0.startsAt'],
  ],
  ['a credit of nothing', { ...held(price, 1), credits: [{ key: 'a', amount: 0 }] }, ['credits.0.amount']],
  [
    'a credit for nobody',
    { ...held(price, 1), credits: [{ key: 'a', amount: 1, charges: ['chairs'] }] },
    ['credits.0.charges.0'],
  ],
  ['a plan without a catalog', { currency: 'USD', period: april, plan: { plan: 'pro' } }, ['plan']],
  [
    'more work than a preview is for',
    {
      currency: 'USD',
      period: april,
      charges: Array.from({ length: 50 }, (_, index) => ({ key: `c${index}`, meter: 'calls', price })),
      usage: [{ meter: 'calls', records: Array.from({ length: 5_000 }, () => ({ at: on(2) })) }],
    },
    ['usage'],
  ],
])('%s', (_, request, fields) => expect(mistakes(request)).toEqual(fields))

test.each<[string, RatingPreviewRequest, string]>([
  ['no period', { ...used(price, 1), period: undefined }, 'period is missing: give period or grid'],
  [
    'two periods',
    { ...used(price, 1), grid: { anchor: april.start, interval: 'month', at: april.start } },
    'grid cannot stand beside period: give one of the two',
  ],
  [
    'nothing to rate',
    { currency: 'USD', period: april },
    'charges is missing, and so is plan: there is nothing to rate',
  ],
  [
    'a coupon of no kind',
    { ...held(price, 1), coupons: [{ key: 'a' }] },
    'coupons.0.percentOff is missing: give percentOff or amountOff',
  ],
  [
    'a coupon of two kinds',
    { ...held(price, 1), coupons: [{ key: 'a', percentOff: 1, amountOff: 1 }] },
    'coupons.0.percentOff cannot stand beside amountOff: give one of the two',
  ],
  [
    'neither quantity nor records',
    { ...used(price, 1), usage: [{ meter: 'calls' }] },
    'usage.0.quantity is missing: give quantity or records',
  ],
  [
    'both',
    { ...used(price, 1), usage: [{ meter: 'calls', quantity: 1, records: [] }] },
    'usage.0.quantity cannot stand beside records: give one of the two',
  ],
  [
    'a change of nothing',
    { ...held(price, 1), changes: [{ at: on(5), charge: 'seats' }] },
    'changes.0.quantity is missing, and so is price: nothing changes',
  ],
  [
    'another kind of price',
    { ...held(price, 1), changes: [{ at: on(5), charge: 'seats', price: { model: 'flat', unitAmount: 1 } }] },
    'changes.0.price.model cannot come after per_unit: end this charge with until and begin another one with from',
  ],
  [
    'a total for a part of the period',
    charged({ from: on(5) }),
    'usage.0.records are needed instead of a total: calls is charged in a part of the period only (or shorten period to that part, and give the whole one as regularPeriod)',
  ],
  [
    'a day that no month has',
    { ...used(price, 1), at: '2026-02-30T00:00:00Z' },
    'at must be an instant of RFC 3339 with an offset between the years 1 and 9999, such as 2026-04-01T00:00:00Z',
  ],
])('what is told of %s is a sentence that says what to do', (_, request, sentence) =>
  expect(refusals(request)).toEqual([sentence]),
)

test('all mistakes at once, at most twenty', () => {
  const wrong = { key: 'a', price: { model: 'per_unit', unitAmount: -1 } } as const
  expect(mistakes({ currency: 'XXX', charges: Array.from({ length: 30 }, () => wrong) })).toHaveLength(20)
})
