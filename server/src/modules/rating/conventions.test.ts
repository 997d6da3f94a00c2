import type { RatingPreviewRequest, RatingPrice, RatingSettings } from '@turnpike/contract'
import { describe, expect, test } from 'vitest'
import { april, held, on, used } from './testing/april.ts'
import { mistakes, preview } from './testing/preview.ts'

/** Each convention at its edge, under its default and each other choice (RAT-1); the page is docs/policies/rounding-and-proration.md. */
const total = (request: RatingPreviewRequest) => preview(request).total.amountMinor
const perUnit: RatingPrice = { model: 'per_unit', unitAmount: 3000 }
const seat = (settings: RatingSettings, more: Partial<RatingPreviewRequest> = {}): RatingPreviewRequest =>
  held(perUnit, 1, { settings, ...more })
const removedOn = (at: string) => ({ changes: [{ at, charge: 'seats', quantity: 0 }] })
const records = (
  ...all: [at: string, quantity: number | string][]
): NonNullable<RatingPreviewRequest['usage']>[number] => ({
  meter: 'calls',
  records: all.map(([at, quantity]) => ({ at, quantity })),
})
const metered = (charge: object, usage: ReturnType<typeof records>, more: Partial<RatingPreviewRequest> = {}) =>
  used({ model: 'per_unit', unitAmount: 1 }, 0, charge, { usage: [usage], ...more })

describe('1 proration basis', () => {
  // 11 April at noon: 10.5 days have passed.
  test.each([
    ['second', undefined, '1050'],
    ['day', 'new', '1000'],
    ['day', 'old', '1100'],
    ['day', 'both', '1100'],
    ['day', 'neither', '1000'],
    ['thirtieths', 'new', '1000'],
    ['none', undefined, '3000'],
  ] as const)('%s, day of change: %s', (basis, dayOfChange, expected) => {
    expect(total(seat({ proration: { basis, dayOfChange } }, removedOn(on(11, '12:00:00'))))).toBe(expected)
  })
  test.each([
    ['old', ['8/15', '7/15']],
    ['new', ['0.5', '0.5']],
    ['both', ['8/15', '0.5']],
    ['neither', ['0.5', '7/15']],
  ] as const)('who pays for the day of a change of price: %s', (dayOfChange, shares) => {
    const view = preview(
      seat(
        { proration: { basis: 'day', dayOfChange } },
        { changes: [{ at: on(16, '09:00:00'), charge: 'seats', price: { model: 'per_unit', unitAmount: 6000 } }] },
      ),
    )
    expect(view.lines[0]!.calculation.map(({ share }) => share)).toEqual(shares)
  })
  test('in thirtieths the 31st costs nothing and February has thirty days', () => {
    const march = { start: '2026-03-01T00:00:00Z', end: '2026-04-01T00:00:00Z' }
    const february = { start: '2026-02-01T00:00:00Z', end: '2026-03-01T00:00:00Z' }
    const rules = { proration: { basis: 'thirtieths' } } as const
    expect(total(seat(rules, { period: march, ...removedOn('2026-03-31T00:00:00Z') }))).toBe('2900')
    expect(total(seat(rules, { period: february, ...removedOn('2026-02-15T00:00:00Z') }))).toBe('1400')
    expect(total(seat(rules, { period: february }))).toBe('3000')
  })
  test('an end has its own rule for its day, and may be charged whole', () => {
    const ending = (proration: NonNullable<RatingSettings['proration']>) =>
      total(
        held(perUnit, 1, {
          charges: [{ key: 'seats', price: perUnit, quantity: 1, until: on(11, '12:00:00') }],
          settings: { proration },
        }),
      )
    expect(ending({ basis: 'day' })).toBe('1000')
    expect(ending({ basis: 'day', dayOfEnd: 'counted' })).toBe('1100')
    expect(ending({ atEnd: 'whole' })).toBe('3000')
  })
  test('the parts of a period paid in advance are the same parts', () => {
    const request = (style: 'segments' | 'credit_and_charge') =>
      total(
        held(perUnit, 1, {
          changes: [{ at: on(11), charge: 'seats', quantity: 4 }],
          settings: { proration: { style } },
        }),
      )
    expect(Number(request('segments')) - 3000).toBe(Number(request('credit_and_charge')))
  })
})

describe('a change at the very start of a period', () => {
  const doubled = (settings: RatingSettings, at = on(1), more: Partial<RatingPreviewRequest> = {}) =>
    preview(
      seat(settings, {
        changes: [{ at, charge: 'seats', price: { model: 'per_unit', unitAmount: 6000 } }],
        ...more,
      }),
    ).lines.map(({ amount, period }) => `${amount.amountMinor} ${period.start.slice(8, 10)}`)
  const style = 'credit_and_charge'
  test('of a period paid in advance gives back all of the old and charges all of the new', () => {
    expect(doubled({ proration: { style } })).toEqual(['-3000 01', '6000 01'])
    expect(doubled({ proration: { style, basis: 'day' } })).toEqual(['-3000 01', '6000 01'])
    expect(doubled({})).toEqual(['6000 01'])
  })
  test('and not a step of its price, which was known when the period was paid', () => {
    const ramp = [{ fromMonth: 1, price: { model: 'per_unit', unitAmount: 6000 } as const }]
    const charges = [{ key: 'seats', price: perUnit, quantity: 1, ramp }]
    const view = preview(seat({ proration: { style } }, { charges, subscriptionStart: '2026-03-01T00:00:00Z' }))
    expect(view.lines).toEqual([])
  })
  test('and not of what begins with it: that was not paid yet', () => {
    const from = { charges: [{ key: 'seats', price: perUnit, quantity: 1, from: on(16) }] }
    expect(doubled({ proration: { style } }, on(16), from)).toEqual(['3000 16'])
  })
  test('nor without proration: the new price begins with the next', () => {
    expect(doubled({ proration: { style, basis: 'none' } })).toEqual([])
  })
})

test('numbers of JSON are read whichever way they are written, down to 18 digits after the point', () => {
  const of = (unitAmount: number) => preview(used({ model: 'per_unit', unitAmount }, 1)).lines[0]!.exactAmount
  expect([of(0.000_000_2), of(1.25e-7), of(1e-18), of(1e-6), of(1e14)]).toEqual([
    '0.0000002',
    '0.000000125',
    '0.000000000000000001',
    '0.000001',
    '100000000000000',
  ])
})

describe('1 flat parts of tiers that are due in full', () => {
  const price: RatingPrice = {
    model: 'graduated',
    tiers: [
      { upTo: 5, unitAmount: 100, flatAmount: 1000 },
      { upTo: null, unitAmount: 50, flatAmount: 500 },
    ],
    flatProrated: false,
  }
  const by = (style: 'segments' | 'credit_and_charge', ...changes: object[]) =>
    preview(
      held(price, 4, {
        changes: changes.map((change) => ({ charge: 'seats', ...change })) as never,
        settings: { proration: { style } },
      }),
    )
  const amounts = ({ lines }: ReturnType<typeof preview>) => lines.map(({ amount }) => amount.amountMinor)
  test('are due once for each tier, however often it is reached', () => {
    const back = [
      { at: on(11), quantity: 6 },
      { at: on(21), quantity: 4 },
    ]
    // (400 + 550 + 400) / 3 + 1000 + 500
    expect(amounts(by('segments', ...back))).toEqual(['1950'])
    expect(by('segments', ...back).lines[0]!.calculation.map(({ kind, amount }) => `${kind} ${amount}`)).toEqual([
      'units 400/3',
      'flat 1000',
      'units 500/3',
      'units 50/3',
      'flat 500',
      'units 400/3',
    ])
  })
  test('are not due for a part that is no time at all', () => {
    const changes = [
      { at: on(16, '09:00:00'), charge: 'seats', quantity: 6 },
      { at: on(16, '12:00:00'), charge: 'seats', quantity: 4 },
    ]
    expect(amounts(preview(held(price, 4, { changes, settings: { proration: { basis: 'day' } } })))).toEqual(['1400'])
  })
  test('were paid in advance and are not given back: a tier that is reached is charged once', () => {
    const changes = [
      { at: on(16), quantity: 6 },
      { at: on(21), quantity: 4 },
      { at: on(26), quantity: 0 },
    ]
    expect(amounts(by('credit_and_charge', ...changes))).toEqual(['-200', '775', '-183', '133', '-67', '0'])
  })
  test('are those of the new tiers where the price changes', () => {
    const tiers = [{ upTo: null, unitAmount: 100, flatAmount: 300 }]
    const change = { at: on(16), price: { ...price, tiers } }
    expect(amounts(by('segments', change))).toEqual(['1700'])
    expect(amounts(by('credit_and_charge', change))).toEqual(['-200', '500'])
  })
  test('are no matter of usage, which has no share of time', () => {
    expect(mistakes(used(price, 1))).toEqual(['charges.0.price.flatProrated'])
    const ramp = [{ fromMonth: 1, price }]
    const { flatProrated: _, ...plain } = price
    expect(mistakes(used(plain, 1, { ramp }))).toEqual(['charges.0.ramp.0.price.flatProrated'])
    const changes = [{ at: on(2), charge: 'calls', price }]
    expect(mistakes(used(plain, 1, {}, { changes, usage: [records([on(2), 1])] }))).toEqual([
      'changes.0.price.flatProrated',
    ])
    expect(mistakes(held({ ...perUnit, flatProrated: false }, 1))).toEqual(['charges.0.price.flatProrated'])
  })
})

test('2 the denominator when the billing day moves: the old period, the new one, or months of thirty days', () => {
  const moved = {
    period: { start: '2026-02-01T00:00:00Z', end: '2026-02-15T00:00:00Z' },
    regularPeriod: { start: '2026-02-01T00:00:00Z', end: '2026-03-01T00:00:00Z' },
    newRegularPeriod: { start: '2026-01-15T00:00:00Z', end: '2026-02-15T00:00:00Z' },
  }
  const by = (denominator: 'old_period' | 'new_period' | 'standard_month') =>
    total(seat({ proration: { denominator } }, moved))
  expect(by('old_period')).toBe('1500')
  expect(by('new_period')).toBe('1355')
  expect(by('standard_month')).toBe('1400')
})

test('a whole period pays the whole price, whatever a month is taken for', () => {
  const march = { start: '2026-03-01T00:00:00Z', end: '2026-04-01T00:00:00Z' }
  for (const basis of ['second', 'day', 'thirtieths'] as const)
    expect(total(seat({ proration: { basis, denominator: 'standard_month' } }, { period: march }))).toBe('3000')
})

describe('3 rounding', () => {
  test('half even goes to the even neighbour on either side', () => {
    const even = (unitAmount: string) =>
      total(held({ model: 'per_unit', unitAmount }, 1, { settings: { rounding: 'half_even' } }))
    expect([even('0.5'), even('1.5'), even('2.5'), even('2.500001')]).toEqual(['0', '2', '2', '3'])
  })

  const thirds = (settings: RatingSettings) =>
    preview({
      currency: 'USD',
      period: april,
      charges: ['a', 'b', 'c'].map((key) => ({ key, price: { model: 'flat', unitAmount: '33.4' } })),
      settings,
    }).lines.map(({ amount }) => amount.amountMinor)
  test('on lines or on the sum, whose remainder has its place', () => {
    expect(thirds({})).toEqual(['33', '33', '33'])
    expect(thirds({ roundAt: 'invoice' })).toEqual(['34', '33', '33'])
    expect(thirds({ roundAt: 'invoice', remainder: 'last_line' })).toEqual(['33', '33', '34'])
  })
  test('a rate of a tier is no price of a unit: it is told as a share of the amount and is not rounded', () => {
    const tiers = [
      { upTo: 100, percent: 1 },
      { upTo: null, unitAmount: '0.6' },
    ]
    const view = preview(used({ model: 'graduated', tiers }, 150, {}, { settings: { roundAt: 'unit' } }))
    expect(view.lines[0]!.calculation.map(({ kind, text }) => `${kind}: ${text}`)).toEqual([
      'percent: Share of the amount, tier 1: 100 × 0.01 = 1',
      'units: Units, tier 2: 50 × 1 (0.6 rounded) = 50',
    ])
  })
  test('a credit at the half goes away from zero like the charge that it takes back', () => {
    const view = preview(
      held({ model: 'per_unit', unitAmount: 101 }, 1, {
        ...removedOn(on(16)),
        settings: { proration: { style: 'credit_and_charge' } },
      }),
    )
    expect(view.lines.map(({ amount }) => amount.amountMinor)).toEqual(['-51', '0'])
  })
})

test.each([
  ['stand before what is charged', { quantity: 100 }, 'Included: 100 × 0 = 0|Units: 50 × 1 = 50'],
  ['are nothing to speak of when there are none', { quantity: 0 }, 'Units: 150 × 1 = 150'],
  [
    'are charged once they are passed, where that is the rule',
    { quantity: 100, mode: 'reprice_all' },
    'Units: 150 × 1 = 150',
  ],
  ['are all there was', { quantity: 200 }, ''],
])('7 included units %s', (_, included, steps) => {
  const [line] = preview(metered({ included }, records([on(2), 150]))).lines
  expect(line!.calculation.map(({ text }) => text).join('|')).toBe(steps)
})

test('6 included units are used up in the order of time when a price changes', () => {
  const request = metered({ included: { quantity: 100 } }, records([on(2), 80], [on(20), 80]), {
    changes: [{ at: on(16), charge: 'calls', price: { model: 'per_unit', unitAmount: 10 } }],
  })
  // 80 of the 100 before the change, 20 after it: 60 are charged at 10.
  expect(total(request)).toBe('600')
  expect(preview(request).lines[0]!.calculation.map(({ text }) => text)).toEqual([
    'Included: 80 × 0 = 0',
    'Included: 20 × 0 = 0',
    'Units: 60 × 10 = 600',
  ])
})

test('8 buckets: priced one by one or on their sum, and at most so much in one', () => {
  const price: RatingPrice = {
    model: 'graduated',
    tiers: [
      { upTo: 10, unitAmount: 10 },
      { upTo: null, unitAmount: 1 },
    ],
  }
  const usage = records([on(1, '10:15:00'), 10], [on(1, '10:59:59'), 10], [on(1, '11:00:00'), 10])
  const bucketed = (bucket: object) => total(used(price, 0, { bucket: bucket as never }, { usage: [usage] }))
  expect(bucketed({ size: 'hour' })).toBe('210')
  expect(bucketed({ size: 'day' })).toBe('120')
  expect(bucketed({ size: 'hour', priced: 'on_sum' })).toBe('120')
  expect(bucketed({ size: 'hour', maximumQuantity: 5 })).toBe('100')
})

describe('8 each record by itself', () => {
  const single = (price: RatingPrice, bucket: object, ...quantities: (number | string)[]) =>
    used(
      price,
      0,
      { bucket: { size: 'record', ...bucket } as never },
      { usage: [records(...quantities.map((quantity): [string, number | string] => [on(2), quantity]))] },
    )
  const price: RatingPrice = {
    model: 'graduated',
    tiers: [
      { upTo: 10, unitAmount: 10 },
      { upTo: null, unitAmount: 1 },
    ],
  }
  test('has its own tiers, included units and most, also at the same instant', () => {
    expect(total(single(price, {}, 20, 10, 10))).toBe('310')
    expect(total(single(price, { maximumQuantity: 5 }, 20, 10, 10))).toBe('150')
    expect(total(single(price, { priced: 'on_sum' }, 20, 10, 10))).toBe('130')
    const request = single(price, {}, 20, 10, 1)
    const [charge] = request.charges!
    expect(total({ ...request, charges: [{ ...charge!, included: { quantity: 5 } }] })).toBe('155')
  })
  test('begins packages of its own and is rounded to whole units before it is priced', () => {
    expect(total(single({ model: 'package', unitAmount: 100, packageSize: 10 }, {}, 11, 1, 0))).toBe('300')
    const minutes: RatingPrice = { model: 'per_unit', unitAmount: 1, quantityRounding: 'up' }
    expect(total(single(minutes, {}, '0.1', '0.1', '1.5', -3))).toBe('4')
  })
  test('is counted by a count and added up by nobody else', () => {
    const of = (aggregation: 'count' | 'max') => {
      const request = single(price, {}, 20, 10)
      return { ...request, charges: [{ ...request.charges![0]!, aggregation }] }
    }
    expect(total(of('count'))).toBe('20')
    expect(mistakes(of('max'))).toEqual(['charges.0.bucket.size'])
  })
})

describe('9 anchors', () => {
  const period = (grid: NonNullable<RatingPreviewRequest['grid']>, timeZone?: string) =>
    preview({ currency: 'USD', grid, timeZone, charges: [{ key: 'base', price: { model: 'flat', unitAmount: 2800 } }] })
  const from31 = { anchor: '2026-01-31T00:00:00Z', interval: 'month' } as const
  test('the 31st clamps to a short month and comes back', () => {
    expect(period({ ...from31, at: '2026-02-28T00:00:00Z' }).period).toEqual({
      start: '2026-02-28T00:00:00Z',
      end: '2026-03-31T00:00:00Z',
    })
    expect(period({ ...from31, at: '2026-02-27T23:59:59Z' }).period.start).toBe('2026-01-31T00:00:00Z')
    expect(period({ ...from31, at: '2026-03-31T00:00:00Z' }).period.end).toBe('2026-04-30T00:00:00Z')
  })
  test('with a day of the month the first period is short and pays its share', () => {
    const short = period({
      anchor: '2026-02-15T00:00:00Z',
      interval: 'month',
      at: '2026-02-20T00:00:00Z',
      fixes: 'day_of_month',
      day: 1,
    })
    expect(short.period).toEqual({ start: '2026-02-15T00:00:00Z', end: '2026-03-01T00:00:00Z' })
    expect(short.total.amountMinor).toBe('1400')
  })
  test('a period over a change of the clock follows the clock on the wall', () => {
    const march = period(
      { anchor: '2026-03-01T05:00:00Z', interval: 'month', at: '2026-03-10T00:00:00Z' },
      'America/New_York',
    )
    expect(march.period).toEqual({ start: '2026-03-01T05:00:00Z', end: '2026-04-01T04:00:00Z' })
    expect(march.total.amountMinor).toBe('2800')
  })
})

test('10 the unused part of a fixed coupon is lost or kept', () => {
  const left = (unused?: 'lost' | 'kept') =>
    preview(seat({}, { coupons: [{ key: 'big', amountOff: 5000, unused }] })).coupons[0]!.left?.amountMinor ?? null
  expect(left()).toBeNull()
  expect(left('kept')).toBe('2000')
})

describe('10 coupons on credits', () => {
  const lowered = (coupons: NonNullable<RatingPreviewRequest['coupons']>, settings: RatingSettings = {}) =>
    preview({
      currency: 'USD',
      period: april,
      charges: [
        { key: 'a', price: { model: 'flat', unitAmount: 2001 } },
        { key: 'b', price: { model: 'flat', unitAmount: 401 } },
      ],
      changes: [
        { at: on(16), charge: 'a', price: { model: 'flat', unitAmount: 1000 } },
        { at: on(16), charge: 'b', price: { model: 'flat', unitAmount: 0 } },
      ],
      coupons,
      settings: { proration: { style: 'credit_and_charge' }, ...settings },
    })
  const nets = ({ lines }: ReturnType<typeof preview>) => lines.map(({ net }) => net.amountMinor)
  test('credits are a sum of their own, with a rounding and remainder of its own', () => {
    // −1001 and −201 are −1202 in all: 601 back; 500: 250 off.
    const view = lowered([{ key: 'half', percentOff: 50, onCredits: true }])
    expect(nets(view)).toEqual(['-500', '250', '-101', '0'])
    expect(view.adjustments[0]).toMatchObject({ kind: 'discount', amount: { amountMinor: '351' } })
    expect(view.discount.amountMinor).toBe('-351')
    expect(view.coupons[0]!.taken.amountMinor).toBe('-351')
  })
  test('or each line is, of the charges that are named', () => {
    const coupon = { key: 'half', percentOff: 50, onCredits: true }
    expect(nets(lowered([coupon], { discountOn: 'lines' }))).toEqual(['-500', '250', '-100', '0'])
    expect(nets(lowered([{ ...coupon, charges: ['b'] }]))).toEqual(['-1001', '500', '-100', '0'])
  })
  test('several never turn a credit into a charge', () => {
    const coupons = ['one', 'two'].map((key) => ({ key, percentOff: 60, onCredits: true }))
    expect(nets(lowered(coupons, { stacking: 'additive' }))).toEqual(['0', '0', '0', '0'])
    expect(nets(lowered(coupons))).toEqual(['-160', '80', '-32', '0'])
  })
  test('a fixed amount is off charges only', () => {
    expect(mistakes(seat({}, { coupons: [{ key: 'five', amountOff: 5, onCredits: true }] }))).toEqual([
      'coupons.0.onCredits',
    ])
  })
})

test('11 late usage pays the difference to the whole; a correction of what was billed is a credit', () => {
  const price: RatingPrice = {
    model: 'graduated',
    tiers: [
      { upTo: 10, unitAmount: 5 },
      { upTo: null, unitAmount: 3 },
    ],
  }
  const late = (quantity: number) => preview(used(price, quantity, { alreadyBilled: 10 })).lines[0]!
  expect(late(1)).toMatchObject({ kind: 'late_usage', amount: { amountMinor: '3' } })
  expect(late(-1)).toMatchObject({ kind: 'late_usage', amount: { amountMinor: '-5' } })
  // Below zero a period owes nothing by itself.
  expect(total(used(price, -1))).toBe('0')
  const stair: RatingPrice = { model: 'volume', flatAtZero: 'not_due', tiers: [{ upTo: null, flatAmount: 100 }] }
  expect([total(used(stair, -1)), total(used(stair, 1))]).toEqual(['0', '100'])
})

describe('11 late usage with a least and most', () => {
  const price: RatingPrice = { model: 'per_unit', unitAmount: 100, minimum: 500, maximum: 1500 }
  const late = (quantity: number, alreadyBilled: number, more: object = {}) =>
    preview(used({ ...price, ...more }, quantity, { alreadyBilled })).lines[0]!
  test('pays what the whole costs within them, less what was billed within them', () => {
    const difference = (quantity: number, billed: number) => late(quantity, billed).amount.amountMinor
    // 2 were billed with 500: 3 more cost nothing, 8 more bring the whole to 1000, 20 more to the most.
    expect([difference(3, 2), difference(8, 2), difference(20, 2)]).toEqual(['0', '500', '1000'])
    expect([difference(5, 16), difference(-16, 16), difference(-3, 4)]).toEqual(['0', '-1000', '0'])
  })
  test('and tells both', () => {
    expect(late(20, 2).calculation.map(({ kind, text }) => `${kind}: ${text}`)).toEqual([
      'units: Units: 22 × 100 = 2200',
      'already_billed: Billed before, units: -2 × 100 = -200',
      'bound: Cut to the most: 1 × -700 = -700',
      'already_billed: Billed before, raised to the least: -1 × 300 = -300',
    ])
  })
  test('that shrink with a part of the period', () => {
    const request = used(
      { ...price, prorateBounds: true },
      0,
      {
        alreadyBilled: 10,
        from: on(16),
      },
      { usage: [records([on(20), 10])] },
    )
    // Half of 1500 was billed, and is all there is.
    expect(total(request)).toBe('0')
  })
})

test('12 the same record counts once, another one under its id is refused', () => {
  const record = { at: on(2), quantity: 5, id: 'x' }
  const twice = (second: object) =>
    used(perUnit, 0, {}, { usage: [{ meter: 'calls', records: [record, { ...record, ...second }] }] })
  expect(total(twice({ quantity: '5.0' }))).toBe('15000')
  expect(mistakes(twice({ quantity: 6 }))).toEqual(['usage.0.records.1.id'])
})

test('transactions of one instant are free in the order of their size, however they were sent', () => {
  const price: RatingPrice = { model: 'percentage', percent: 10, includedTransactions: 1 }
  const sent = (...sizes: number[]) =>
    total(used(price, 0, {}, { usage: [records(...sizes.map((size): [string, number] => [on(2), size]))] }))
  expect([sent(100, 900), sent(900, 100)]).toEqual(['90', '90'])
})

describe('14 prepaid credits', () => {
  const burnt = (settings: RatingSettings) =>
    preview(
      seat(settings, {
        credits: [
          { key: 'old', amount: 2000, grantedAt: '2026-01-01T00:00:00Z', paid: 1000 },
          { key: 'dying', amount: 2000, grantedAt: '2026-02-01T00:00:00Z', expiresAt: '2026-06-01T00:00:00Z' },
          { key: 'gift', amount: 2000, category: 'promotional', grantedAt: '2026-03-01T00:00:00Z' },
        ],
      }),
    ).credits.map(({ burnt: { amountMinor } }) => amountMinor)
  test('burn by priority, then expiry, then gifts before paid, then age; or in another order', () => {
    expect(burnt({})).toEqual(['0', '2000', '1000'])
    expect(burnt({ burnOrder: ['age'] })).toEqual(['2000', '1000', '0'])
    expect(burnt({ burnOrder: ['category', 'age'] })).toEqual(['1000', '0', '2000'])
  })
  test('unused paid credit is refundable by the share that was paid, cut to whole minor units', () => {
    const view = preview(seat({}, { credits: [{ key: 'a', amount: 9000, paid: 5000 }] }))
    expect(view.credits[0]).toMatchObject({ left: { amountMinor: '6000' }, refundable: { amountMinor: '3333' } })
  })
})

describe('15 rollover', () => {
  const lots = [
    { quantity: 30, periodsAgo: 1 },
    { quantity: 20, periodsAgo: 2 },
  ]
  const after = (quantity: number, rollover: object) =>
    preview(
      used({ model: 'per_unit', unitAmount: 1 }, quantity, {
        included: { quantity: 100, rollover: { lots, expiresAfterPeriods: 2, ...rollover } },
      }),
    )
  test('old allowances are used first and lapse when they are too old', () => {
    const view = after(40, {})
    expect(view.total.amountMinor).toBe('0')
    expect(view.allowances[0]).toEqual({
      charge: 'calls',
      used: '40',
      carriedOn: [
        { quantity: '10', periodsAgo: 2 },
        { quantity: '100', periodsAgo: 1 },
      ],
      lapsed: '0',
    })
    expect(after(0, {}).allowances[0]).toMatchObject({ lapsed: '20' })
    expect(after(0, { expiresAfterPeriods: 1 }).allowances[0]).toMatchObject({
      carriedOn: [{ quantity: '100' }],
      lapsed: '30',
    })
  })
  test('the new allowance first leaves the old ones', () => {
    expect(after(40, { order: 'new_first' }).allowances[0]!.carriedOn).toEqual([
      { quantity: '30', periodsAgo: 2 },
      { quantity: '60', periodsAgo: 1 },
    ])
  })
  test('a cap in units or in percent lets the oldest lapse', () => {
    expect(after(40, { capUnits: 50 }).allowances[0]).toMatchObject({
      carriedOn: [{ quantity: '50', periodsAgo: 1 }],
      lapsed: '60',
    })
    expect(after(40, { capPercent: 105 }).allowances[0]!.carriedOn).toEqual([
      { quantity: '5', periodsAgo: 2 },
      { quantity: '100', periodsAgo: 1 },
    ])
  })
  test('above all of them usage is charged', () => expect(after(151, {}).total.amountMinor).toBe('1'))
})

describe('16 weighted sums', () => {
  const level = (usage: ReturnType<typeof records>, charge: object = {}) =>
    preview(metered({ aggregation: 'time_weighted', price: { model: 'per_unit', unitAmount: 100 }, ...charge }, usage))
      .lines[0]!.quantity
  test('begin with what the period before left', () => {
    expect(level(records([on(16), 10]))).toBe('5')
    expect(level(records([on(16), 10]), { valueBefore: 4 })).toBe('7')
    expect(level(records(['2026-03-20T00:00:00Z', 4], [on(16), 10]))).toBe('7')
  })
  test('changes inside a day count to the second, or the day has its last or highest level', () => {
    const day = records([on(1), 30], [on(1, '12:00:00'), 60], [on(1, '18:00:00'), 0])
    expect(level(day)).toBe('1')
    expect(level(day, { changesInDay: 'last' })).toBe('0')
    expect(level(day, { changesInDay: 'max' })).toBe('2')
  })
})

test('other measures: count, peak, level at the end, different values', () => {
  const usage = {
    meter: 'calls',
    records: [
      { at: on(1), quantity: 5, properties: { user: 'ana', region: 'eu' } },
      { at: on(3), quantity: 9, properties: { user: 'bob', region: 'us' } },
      { at: on(2), quantity: 7, properties: { user: 'ana', region: 'us' } },
      { at: '2026-05-01T00:00:00Z', quantity: 50, properties: { user: 'eve', region: 'eu' } },
    ],
  }
  const by = (charge: object) => preview(metered(charge, usage)).lines[0]!.quantity
  expect(by({})).toBe('21')
  expect(by({ aggregation: 'count' })).toBe('3')
  expect(by({ aggregation: 'max' })).toBe('9')
  expect(by({ aggregation: 'latest' })).toBe('9')
  expect(by({ aggregation: 'unique', property: 'user' })).toBe('2')
  expect(by({ filter: { region: 'us' } })).toBe('16')
})

test('17 a trial is free of what is held and used; the rest of its period is prorated or whole', () => {
  const trial = (more: object) =>
    total({
      ...seat({}, { trial: { endsAt: on(16), ...more } }),
      charges: [
        { key: 'seats', price: perUnit, quantity: 1 },
        { key: 'calls', price: { model: 'per_unit', unitAmount: 1 } },
      ],
      usage: [records([on(2), 7], [on(20), 5])],
    })
  expect(trial({})).toBe('1505')
  expect(trial({ usage: 'charged' })).toBe('1512')
  expect(trial({ firstPeriod: 'whole' })).toBe('3005')
  expect(trial({ endsAt: '2026-05-01T00:00:00Z', firstPeriod: 'whole' })).toBe('0')
})

test('18 what is too small to charge, or no multiple of the step, waits for the next invoice', () => {
  const due = (currency: string, unitAmount: number, settings: RatingSettings = {}) => {
    const view = preview(held({ model: 'per_unit', unitAmount }, 1, { currency, settings }))
    return [view.due.amountMinor, view.carried.amountMinor]
  }
  expect(due('USD', 49, { minimumCharge: 50 })).toEqual(['0', '49'])
  expect(due('USD', 50, { minimumCharge: 50 })).toEqual(['50', '0'])
  expect(due('KWD', 1239)).toEqual(['1230', '9'])
  expect(due('JPY', 1239)).toEqual(['1239', '0'])
  expect(mistakes(held(perUnit, 1, { currency: 'XYZ' }))).toEqual(['currency'])
})
