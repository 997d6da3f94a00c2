import type { CatalogFile, CatalogPlan } from '@turnpike/contract'
import { describe, expect, test } from 'vitest'
import { textOf } from './exact.ts'
import { chargesOfPlans, exactOfMicro, leastOf, neededUsage, type PlanTerms, rate } from './index.ts'
import type { RatingInput, Usage } from './price.ts'
import { april, on } from './testing/april.ts'

/** A plan version of the catalog becomes what `rate` takes, for previews and for invoices (RAT-1). */
const policies: CatalogFile['policies'] = {
  access: { active: 'full' },
  changes: { upgrade: 'immediate', downgrade: 'period_end', proration: 'always_invoice' },
  cancellation: { timing: 'period_end', readOnlyDays: 0, retentionDays: 30 },
  dunning: { stages: [], cancelAfterDays: null },
  usage: { acceptLateDays: 35, acceptFutureSeconds: 300 },
}
const sum = (name: string) => ({ name, unit: 'unit', aggregation: 'sum' as const })
const file: PlanTerms['file'] = {
  meters: {
    calls: sum('Calls'),
    files: { ...sum('Files'), aggregation: 'count' },
    level: { ...sum('Level'), aggregation: 'latest' },
    peak: { ...sum('Peak'), aggregation: 'max' },
    users: { ...sum('Users'), aggregation: 'unique', property: 'user' },
    storage: { ...sum('Storage'), aggregation: 'time_weighted' },
  },
  features: { calls: { name: 'Calls', kind: 'metered', meter: 'calls' } },
  addOns: {
    pack: {
      name: 'More calls',
      status: 'active',
      plans: ['pro'],
      prices: { monthly: { interval: 'month', amounts: { USD: 500 } } },
      grants: { calls: { addLimit: 50 } },
    },
  },
  policies,
}
const calls = { model: 'per_unit', unitAmounts: { USD: '2', EUR: '1.5' } } as const
const planOf = (usagePrices: CatalogPlan['usagePrices'], more: Partial<CatalogPlan> = {}): CatalogPlan => ({
  name: 'Pro',
  status: 'active',
  rank: 1,
  model: 'hybrid',
  prices: { monthly: { interval: 'month', amounts: { USD: 4900, EUR: 4500 } } },
  seats: { included: 3, max: 9, perSeat: { monthly: { USD: 1200 } } },
  usagePrices,
  grants: { calls: { included: 100, limit: null, enforcement: 'soft' } },
  ...more,
})
const period = { start: Temporal.Instant.from(april.start), end: Temporal.Instant.from(april.end) }
const middle = Temporal.Instant.from(on(16))
type Step = Omit<PlanTerms, 'file' | 'currency'> & { from?: Temporal.Instant; currency?: string }
const charged = (...steps: Step[]) => {
  const read = chargesOfPlans(steps.map((step) => ({ file, currency: 'USD', from: null, ...step })))
  if (!read.ok) throw new Error(JSON.stringify(read.errors))
  return read.charges
}
const mistakesOf = (...steps: Step[]) => {
  const read = chargesOfPlans(steps.map((step) => ({ file, currency: 'USD', from: null, ...step })))
  return read.ok ? [] : read.errors.map(({ step, field }) => `${step} ${field}`)
}
const inputOf = (charges: ReturnType<typeof charged>, usage: Usage[] = []): RatingInput => ({
  currency: 'USD',
  period,
  regularPeriod: period,
  newRegularPeriod: period,
  timeZone: 'UTC',
  subscriptionStart: period.start,
  at: period.end,
  trial: null,
  charges: charges.usage,
  usage,
  changes: [],
  coupons: [],
  credits: [],
  minimum: leastOf(charges, { periodsBefore: 0, spentBeforeMinor: 0n, ends: false }),
  maximum: charges.maximum,
  taxPercent: null,
  settings: charges.settings,
})
const whole = (n: number) => exactOfMicro(BigInt(n) * 1_000_000n)
const counted = (meter: string, ...quantities: [start: Temporal.Instant, quantity: number][]): Usage => ({
  meter,
  kind: 'parts',
  parts: quantities.map(([start, quantity]) => ({ start, quantity: whole(quantity), transactions: null })),
})
const linesOf = (charges: ReturnType<typeof charged>, ...usage: Usage[]) =>
  rate(inputOf(charges, usage)).lines.map(({ charge, amountMinor }) => `${charge} ${amountMinor}`)

test('what the provider charges by itself stands apart from usage', () => {
  const charges = charged({ plan: planOf({ calls }), price: 'monthly', seats: 5, addOns: { pack: 2 } })
  expect(charges.recurring.map(({ key, basis }) => [key, basis.kind === 'held' && textOf(basis.quantity)])).toEqual([
    ['base', '1'],
    ['seats', '2'],
    ['addon_pack', '2'],
  ])
  expect(charges.usage.map(({ key, name }) => [key, name])).toEqual([['calls', 'Calls']])
})

describe('what is included', () => {
  test.each<[string, Step, string[]]>([
    ['is what the plan grants where the price says nothing', { plan: planOf({ calls }) }, ['calls 200']],
    ['is what the price says', { plan: planOf({ calls: { ...calls, included: 150 } }) }, ['calls 100']],
    ['grows with add-ons', { plan: planOf({ calls }), addOns: { pack: 1 } }, ['calls 100']],
    [
      'is what the entitlement says, which knows of overrides',
      { plan: planOf({ calls }), included: { calls: 190 } },
      ['calls 20'],
    ],
    ['may be everything', { plan: planOf({ calls }), included: { calls: null } }, []],
    [
      'belongs to the price of the same name, others on the meter have their own',
      { plan: planOf({ calls, large: { ...calls, meter: 'calls', included: 10 } }) },
      ['calls 200', 'large 380'],
    ],
    [
      'comes with what was carried over',
      {
        plan: planOf({ calls: { ...calls, rollover: { capUnits: 30 } } }),
        carried: { calls: [{ quantity: whole(30), periodsAgo: 1 }] },
      },
      ['calls 140'],
    ],
  ])('%s', (_, step, lines) => expect(linesOf(charged(step), counted('calls', [period.start, 200]))).toEqual(lines))
})

test('amounts are those of the currency', () => {
  expect(linesOf(charged({ plan: planOf({ calls }), currency: 'EUR' }), counted('calls', [period.start, 102]))).toEqual(
    ['calls 3'],
  )
})

test('a flat usage price is charged for each period, without a meter', () => {
  const plan = planOf({ platform: { model: 'flat', unitAmounts: { USD: '1500' } } })
  expect(linesOf(charged({ plan }))).toEqual(['platform 1500'])
  expect(neededUsage(inputOf(charged({ plan })))).toEqual([])
})

test('a plan that follows in the same period has charges of its own; its bounds hold for both', () => {
  const plan = planOf({ calls: { ...calls, includedProrated: true } })
  const next = planOf(
    { calls: { model: 'per_unit', unitAmounts: { USD: '1' } } },
    {
      grants: { calls: { limit: null, enforcement: 'soft' } },
      billing: { minimum: { amounts: { USD: 1000 }, charges: ['calls'] } },
    },
  )
  const charges = charged({ plan }, { plan: next, from: middle })
  expect(linesOf(charges, counted('calls', [period.start, 80], [middle, 70]))).toEqual([
    'calls 60',
    'calls_2 70',
    'null 870',
  ])
})

describe('one number of a meter is charged once, by the last plan that has a price for it (convention 16)', () => {
  const cheap = { model: 'per_unit', unitAmounts: { USD: '1' } } as const
  const dear = { model: 'per_unit', unitAmounts: { USD: '3' } } as const
  const late = Temporal.Instant.from(on(26))
  const records = (meter: string, ...all: [at: Temporal.Instant, quantity: number][]): Usage => ({
    meter,
    kind: 'records',
    records: all.map(([at, quantity], index) => ({
      at,
      quantity: whole(quantity),
      id: `${meter} ${index}`,
      properties: { user: String(quantity) },
    })),
  })
  const before = (day: number) => Temporal.Instant.from(on(day)).subtract({ hours: 1 })
  const all = (price: typeof cheap | typeof dear) => planOf({ level: price, peak: price, users: price, storage: price })
  const usage = (['level', 'peak', 'users', 'storage'] as const).map((meter) =>
    records(meter, [period.start, 10], [before(16), 8], [before(26), 8]),
  )
  const free = planOf({})
  test.each<[string, Step[], string[]]>([
    [
      'both plans have one',
      [{ plan: all(cheap) }, { plan: all(dear), from: middle }],
      ['storage 5', 'level_2 24', 'peak_2 30', 'users_2 6', 'storage_2 12'],
    ],
    [
      'three plans have one',
      [{ plan: all(dear) }, { plan: all(dear), from: middle }, { plan: all(cheap), from: late }],
      ['storage 15', 'storage_2 8', 'level_3 8', 'peak_3 10', 'users_3 2', 'storage_3 1'],
    ],
    [
      'it has another name in the later plan',
      [{ plan: planOf({ peak: cheap }) }, { plan: planOf({ highest: { ...dear, meter: 'peak' } }), from: middle }],
      ['highest_2 30'],
    ],
    [
      'the later plan has none: its time is free',
      [{ plan: planOf({ level: cheap, peak: cheap }) }, { plan: free, from: middle }],
      ['level 8', 'peak 10'],
    ],
    [
      'the earlier plan had none: its time is free',
      [{ plan: free }, { plan: planOf({ level: cheap, peak: cheap }), from: middle }],
      ['level_2 8', 'peak_2 8'],
    ],
    [
      'a plan between them has none: its time is free, and each side has a number of its own',
      [{ plan: planOf({ peak: cheap }) }, { plan: free, from: middle }, { plan: planOf({ peak: dear }), from: late }],
      ['peak 10', 'peak_3 0'],
    ],
    [
      'by the day it is a number for each day, which pays by the plan of its time',
      [
        { plan: planOf({ peak: { ...cheap, bucket: { size: 'day' } } }) },
        { plan: planOf({ peak: { ...dear, bucket: { size: 'day' } } }), from: middle },
      ],
      ['peak 18', 'peak_2 24'],
    ],
  ])('%s', (_, steps, lines) => {
    const charges = charged(...steps)
    const meters = new Set(neededUsage(inputOf(charges)).map(({ meter }) => meter))
    expect(linesOf(charges, ...usage.filter(({ meter }) => meters.has(meter)))).toEqual(lines)
  })

  test('what counts towards a least is what is charged', () => {
    const billing = { minimum: { amounts: { USD: 100 } } }
    const charges = charged(
      { plan: planOf({ peak: cheap }) },
      { plan: planOf({ peak: dear }, { billing }), from: middle },
    )
    expect(charges.minimum?.charges).toEqual(['peak_2'])
    expect(linesOf(charges, usage[1]!)).toEqual(['peak_2 30', 'null 70'])
  })

  test('it is fetched for the whole time, in one part', () => {
    const charges = charged({ plan: planOf({ peak: cheap }) }, { plan: planOf({ peak: dear }), from: middle })
    expect(neededUsage(inputOf(charges))).toMatchObject([{ meter: 'peak', as: 'parts', parts: [period] }])
  })
})

test('without proration the plan that takes over in mid-period is charged from the next period on', () => {
  const plan = planOf({}, { billing: { settings: { proration: { basis: 'none' } } } })
  const charges = charged({ plan, price: 'monthly' }, { plan, price: 'monthly', from: middle })
  const { lines } = rate({ ...inputOf(charges), charges: charges.recurring })
  expect(lines.map(({ charge, amountMinor }) => `${charge} ${amountMinor}`)).toEqual(['base 4900'])
})

describe('settings', () => {
  const billed = (billing: CatalogPlan['billing'], ofAll: CatalogFile['policies']['billing']) =>
    charged({ plan: planOf({ calls }, { billing }) }).settings &&
    chargesOfPlans([
      {
        file: { ...file, policies: { ...policies, billing: ofAll } },
        plan: planOf({ calls }, { billing }),
        currency: 'USD',
        from: null,
      },
    ])
  test('are the plan’s over those of the policies over the house’s, each by itself', () => {
    const read = billed(
      { settings: { proration: { basis: 'day' }, minimumCharges: { USD: 50, EUR: 40 } } },
      { settings: { rounding: 'half_even', proration: { basis: 'thirtieths', style: 'credit_and_charge' } } },
    )
    expect(read.ok && read.charges.settings).toMatchObject({
      rounding: 'half_even',
      roundAt: 'line',
      minimumChargeMinor: 50n,
      proration: { basis: 'day', style: 'credit_and_charge', dayOfChange: 'new' },
    })
  })
})

describe('a commitment over several periods', () => {
  const of = (prorated: boolean) =>
    charged({
      plan: planOf({ calls }, { billing: { commitment: { amounts: { USD: 12_000 }, periods: 12, prorated } } }),
    })
  test.each([
    ['waits in its first periods', false, { periodsBefore: 3, ends: false }, 'later 12000'],
    ['is settled with the last one', false, { periodsBefore: 11, ends: false }, 'now 12000'],
    ['is owed as a whole by who leaves', false, { periodsBefore: 3, ends: true }, 'now 12000'],
    ['or for the periods that began', true, { periodsBefore: 3, ends: true }, 'now 4000'],
  ])('%s', (_, prorated, standing, expected) => {
    const least = leastOf(of(prorated), { ...standing, spentBeforeMinor: 7n })!
    expect(`${least.trueUp} ${least.amountMinor}`).toBe(expected)
    expect(least.spentBeforeMinor).toBe(7n)
  })
})

test.each<[string, Step, string]>([
  ['another currency', { plan: planOf({ calls }), currency: 'CHF' }, '0 plan'],
  ['a price that is not sold', { plan: planOf({ calls }), price: 'yearly' }, '0 price'],
  ['more seats than there are', { plan: planOf({ calls }), price: 'monthly', seats: 10 }, '0 seats'],
  ['an add-on that is not sold', { plan: planOf({ calls }), addOns: { gold: 1 } }, '0 addOns.gold'],
  [
    'carried units of a price that carries none',
    { plan: planOf({ calls }), carried: { calls: [] } },
    '0 carried.calls',
  ],
])('%s is told, not guessed', (_, step, mistake) => expect(mistakesOf(step)).toEqual([mistake]))

describe('usage to fetch', () => {
  const needed = (...steps: Step[]) =>
    neededUsage(inputOf(charged(...steps))).map(
      ({ meter, as, parts, transactions, levelBefore }) =>
        `${meter} ${as} ${parts.map(({ start, end }) => `${start.toString().slice(8, 10)}–${end.toString().slice(8, 10)}`).join(' ')}${transactions ? ' transactions' : ''}${levelBefore ? ' level' : ''}`,
    )
  const percentage = { model: 'percentage', percent: 1 } as const
  test.each<[string, Step[], string[]]>([
    ['of sums the counter', [{ plan: planOf({ calls }) }], ['calls parts 01–01']],
    [
      'of two plans their parts',
      [{ plan: planOf({ calls }) }, { plan: planOf({ calls }), from: middle }],
      ['calls parts 01–16 16–01'],
    ],
    [
      'of buckets the hours',
      [{ plan: planOf({ calls: { ...calls, bucket: { size: 'day' } } }) }],
      ['calls hours 01–01'],
    ],
    [
      'of single records the records, also where another price takes hours',
      [
        {
          plan: planOf({
            calls: { ...calls, bucket: { size: 'record' } },
            hourly: { ...calls, meter: 'calls', bucket: { size: 'hour' } },
          }),
        },
      ],
      ['calls records 01–01'],
    ],
    ['of levels their last', [{ plan: planOf({ level: calls }) }], ['level parts 01–01 level']],
    [
      'of a percentage with a fee how many',
      [{ plan: planOf({ calls: { ...percentage, fixedFees: { USD: 1 } } }, { grants: {} }) }],
      ['calls parts 01–01 transactions'],
    ],
    [
      'of a percentage with a least each record',
      [{ plan: planOf({ calls: { ...percentage, transactionMinimums: { USD: 1 } } }) }],
      ['calls records 01–01'],
    ],
    [
      'of two prices on a meter what both need',
      [{ plan: planOf({ calls, peak: { ...calls, meter: 'calls', bucket: { size: 'hour' } } }) }],
      ['calls hours 01–01'],
    ],
    [
      'of a ramp its parts',
      [{ plan: planOf({ calls: { ...calls, ramp: [{ fromMonth: 1, ...calls }] } }) }],
      ['calls parts 01–01'],
    ],
  ])('%s', (_, steps, expected) => expect(needed(...steps)).toEqual(expected))

  test('different values of two parts are not added: who needs both sees the records', () => {
    const input = inputOf(charged({ plan: planOf({ calls }) }))
    const users = {
      ...input.charges[0]!,
      basis: { ...input.charges[0]!.basis, aggregation: 'unique', property: 'user' },
    }
    const later = { ...users, key: 'later', from: { at: middle, by: 'start' } }
    const asOf = (...charges: object[]) => neededUsage({ ...input, charges: charges as typeof input.charges })[0]!.as
    expect(asOf(users, users)).toBe('parts')
    expect(asOf(users, users, later)).toBe('records')
  })

  test('hours do not make up days where the clock is half an hour apart', () => {
    const input = inputOf(charged({ plan: planOf({ calls: { ...calls, bucket: { size: 'day' } } }) }))
    expect(neededUsage({ ...input, timeZone: 'Europe/Berlin' })[0]!.as).toBe('hours')
    expect(neededUsage({ ...input, timeZone: 'Asia/Kolkata' })[0]!.as).toBe('records')
  })
})
