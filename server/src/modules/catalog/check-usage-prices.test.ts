import { describe, expect, test } from 'vitest'
import { parseCatalog } from './parse.ts'

/** Usage prices of every model and the billing of plans: what is accepted, and each mistake with its line (CAT-1, RAT-1). */
const head = `catalog: acme
currencies: [USD, EUR]
baseline: free
meters:
  calls: { name: Calls, unit: call, aggregation: sum }
  files: { name: Files, unit: file, aggregation: count }
  level: { name: Level, unit: seat, aggregation: latest }
features:
  calls: { name: Calls, kind: metered, meter: calls }
plans:
  free: { name: Free, status: active, rank: 0, model: free, grants: { calls: { limit: 10, enforcement: hard } } }
  payg:
    name: Pay as you go
    status: active
    rank: 1
    model: usage
`
const tail = `policies:
  access: { active: full }
  changes: { upgrade: immediate, downgrade: period_end, proration: always_invoice }
  cancellation: { timing: period_end, readOnlyDays: 0, retentionDays: 30 }
  dunning: { stages: [{ afterDays: 0, access: grace }], cancelAfterDays: 30 }
  usage: { acceptLateDays: 35, acceptFutureSeconds: 300 }
`
const grant = '{ limit: null, enforcement: soft }'
const both = (usd: string, eur = usd) => `{ USD: "${usd}", EUR: "${eur}" }`
// The first line of what is given is line 17, in column 5.
const problemsOf = (usagePrices: string, more: { billing?: string; grant?: string; policies?: string } = {}) => {
  const plan = `    usagePrices:\n${usagePrices.replace(/^/gm, '      ')}\n${more.billing ? `    billing: ${more.billing}\n` : ''}`
  const policies = more.policies ? `${tail}  billing: ${more.policies}\n` : tail
  const read = parseCatalog(`${head}${plan}    grants: { calls: ${more.grant ?? grant} }\n${policies}`)
  return read.ok ? [] : read.problems.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`)
}

describe('accepted', () => {
  test.each([
    ['a price per unit', `calls: { model: per_unit, unitAmounts: ${both('0.4', '0.36')} }`],
    ['the same as one tier', `calls: { model: per_unit, tiers: [{ upTo: null, unitAmounts: ${both('0.4')} }] }`],
    ['a price for each period, of no meter', `platform: { model: flat, unitAmounts: ${both('1500')}, name: Platform }`],
    [
      'packages of a fraction',
      `calls: { model: package, unitAmounts: ${both('5')}, packageSize: "0.5", packageRounding: fraction }`,
    ],
    [
      'tiers with flat parts and bounds of fractions',
      `calls: { model: volume, tierBounds: exclusive, flatAtZero: not_due, tiers: [{ upTo: "1.5", flatAmounts: { USD: 100, EUR: "90.5" } }, { upTo: null, unitAmounts: ${both('1')} }] }`,
    ],
    [
      'tiers of a percentage',
      'calls: { model: graduated, tiers: [{ upTo: 1000, percent: 2.9 }, { upTo: null, percent: "1.25" }] }',
    ],
    [
      'a percentage with everything',
      'calls: { model: percentage, percent: 2.9, fixedFees: { USD: 30, EUR: 25 }, transactionMinimums: { USD: 50, EUR: 50 }, transactionMaximums: { USD: 5000, EUR: 4500 }, includedTransactions: 3 }',
    ],
    [
      'several prices on one meter, a ramp, included units that are carried on',
      `calls: { model: per_unit, unitAmounts: ${both('2')}, included: 100, includedMode: reprice_all, rollover: { capPercent: 50 }, ramp: [{ fromMonth: 12, model: graduated, tiers: [{ upTo: null, unitAmounts: ${both('1')} }] }] }
peak: { model: per_unit, meter: calls, unitAmounts: ${both('3')}, bucket: { size: hour, maximumQuantity: 10 }, minimums: { USD: 10, EUR: 10 }, maximums: { USD: 10, EUR: 10 } }`,
    ],
  ])('%s', (_, price) => expect(problemsOf(price)).toEqual([]))

  test('bounds and settings of a plan and of all', () => {
    const price = `calls: { model: per_unit, unitAmounts: ${both('2')} }`
    const billing =
      '{ commitment: { amounts: { USD: 120000, EUR: 110000 }, periods: 12 }, maximum: { amounts: { USD: 1, EUR: 1 }, charges: [calls] }, settings: { rounding: half_even, proration: { basis: day }, minimumCharges: { USD: 50 } } }'
    expect(
      problemsOf(price, { billing, policies: '{ settings: { roundAt: invoice }, trial: { usage: charged } }' }),
    ).toEqual([])
  })
})

describe('refused, with its place', () => {
  const unit = (more: string) => `calls: { model: per_unit, unitAmounts: ${both('2')}${more} }`
  test.each<[string, string, string[]]>([
    [
      'a field of another model',
      unit(', packageSize: 5'),
      ['18:70 plans.payg.usagePrices.calls.packageSize: "packageSize" is not read by per_unit.'],
    ],
    [
      'no price',
      'calls: { model: package, packageSize: 5 }',
      ['18:7 plans.payg.usagePrices.calls: "unitAmounts" is missing for package.'],
    ],
    ['no tiers', 'calls: { model: volume }', ['18:7 plans.payg.usagePrices.calls: "tiers" is missing for volume.']],
    [
      'a meter that is not there',
      unit(', meter: cals'),
      ['18:77 plans.payg.usagePrices.calls.meter: There is no meter "cals"; perhaps "calls" is meant.'],
    ],
    [
      'a meter of a flat price',
      `platform: { model: flat, meter: calls, unitAmounts: ${both('2')} }`,
      ['18:32 plans.payg.usagePrices.platform.meter: "meter" is not read by flat.'],
    ],
    [
      'an amount that is missing in a currency',
      'calls: { model: per_unit, unitAmounts: { EUR: "1" } }',
      ['18:33 plans.payg.usagePrices.calls.unitAmounts: There is no amount in USD.'],
    ],
    [
      'a fee that is missing in a currency on offer',
      'calls: { model: percentage, percent: 1, fixedFees: { CHF: 1 } }',
      [
        '18:47 plans.payg.usagePrices.calls.fixedFees: There is no amount in USD.',
        '18:60 plans.payg.usagePrices.calls.fixedFees.CHF: "CHF" is not among the currencies of this catalog: USD, EUR.',
      ],
    ],
    [
      'an amount with decimals that is no text',
      'calls: { model: percentage, percent: 1, fixedFees: { USD: 0.5 } }',
      ['18:65 plans.payg.usagePrices.calls.fixedFees.USD: Must be a whole number, not 0.5.'],
    ],
    [
      'a most below the least',
      unit(', minimums: { USD: "1.5" }, maximums: { USD: 1 }'),
      ['18:113 plans.payg.usagePrices.calls.maximums.USD: 1 is less than the minimum of 1.5.'],
    ],
    [
      'a tier of two prices',
      `calls: { model: graduated, tiers: [{ upTo: null, percent: 1, unitAmounts: ${both('2')} }] }`,
      [
        '18:56 plans.payg.usagePrices.calls.tiers[0].percent: "percent" stands instead of "unitAmounts": one of the two.',
      ],
    ],
    [
      'a tier without a price',
      'calls: { model: graduated, tiers: [{ upTo: null }] }',
      ['18:42 plans.payg.usagePrices.calls.tiers[0]: A tier needs "unitAmounts", "percent" or "flatAmounts".'],
    ],
    [
      'tiers of fractions that do not ascend',
      'calls: { model: volume, tiers: [{ upTo: "1.50", percent: 1 }, { upTo: "1.5", percent: 1 }, { upTo: null, percent: 1 }] }',
      ['18:77 plans.payg.usagePrices.calls.tiers[1].upTo: Tiers ascend: 1.5 is not above 1.50.'],
    ],
    [
      'a tier up to nothing',
      'calls: { model: volume, tiers: [{ upTo: "0.0", percent: 1 }, { upTo: null, percent: 1 }] }',
      ['18:47 plans.payg.usagePrices.calls.tiers[0].upTo: A tier ends above zero.'],
    ],
    [
      'packages of nothing',
      `calls: { model: package, unitAmounts: ${both('2')}, packageSize: "0" }`,
      ['18:82 plans.payg.usagePrices.calls.packageSize: A package holds more than nothing.'],
    ],
    [
      'a percentage of a count',
      'files: { model: percentage, percent: 1 }',
      ['18:23 plans.payg.usagePrices.files.model: A percentage is of a sum, and meter "files" is a count.'],
    ],
    [
      'buckets of a percentage',
      'calls: { model: percentage, percent: 1, bucket: { size: day } }',
      ['18:47 plans.payg.usagePrices.calls.bucket: "bucket" is not read by percentage.'],
    ],
    [
      'single records of a level',
      `level: { model: per_unit, unitAmounts: ${both('2')}, bucket: { size: record } }`,
      [
        '18:86 plans.payg.usagePrices.level.bucket.size: Records by themselves are of sums and counts, and meter "level" is latest.',
      ],
    ],
    [
      'a rollover of each bucket',
      unit(', included: 5, bucket: { size: day }, rollover: {}'),
      [
        '18:106 plans.payg.usagePrices.calls.rollover: What is priced per bucket carries nothing on: use "priced: on_sum".',
      ],
    ],
    [
      'changes in a day of a sum',
      unit(', changesInDay: last'),
      ['18:70 plans.payg.usagePrices.calls.changesInDay: Meter "calls" is not weighted by time.'],
    ],
    [
      'a rollover of nothing',
      unit(', rollover: {}'),
      ['18:70 plans.payg.usagePrices.calls.rollover: Nothing is included: say how much under "included".'],
    ],
    [
      'inside tiers that are not there',
      unit(', included: 5, includedMode: inside'),
      ['18:97 plans.payg.usagePrices.calls.includedMode: "inside" is not read by per_unit, which has no tiers.'],
    ],
    [
      'a ramp to another kin',
      unit(', ramp: [{ fromMonth: 3, model: percentage, percent: 1 }]'),
      ['18:100 plans.payg.usagePrices.calls.ramp[0].model: percentage cannot come after per_unit.'],
    ],
    [
      'a ramp that goes back',
      unit(
        `, ramp: [{ fromMonth: 3, model: per_unit, unitAmounts: ${both('1')} }, { fromMonth: 3, model: per_unit, unitAmounts: ${both('1')} }]`,
      ),
      ['18:162 plans.payg.usagePrices.calls.ramp[1].fromMonth: Steps follow one another: 3 is not after month 3.'],
    ],
    [
      'a field of another model in a ramp',
      unit(', ramp: [{ fromMonth: 3, model: per_unit, packageSize: 2 }]'),
      [
        '18:77 plans.payg.usagePrices.calls.ramp[0]: "unitAmounts" is missing for per_unit.',
        '18:110 plans.payg.usagePrices.calls.ramp[0].packageSize: "packageSize" is not read by per_unit.',
      ],
    ],
    [
      'the name of the base price',
      `base: { model: flat, unitAmounts: ${both('1')} }`,
      ['18:7 plans.payg.usagePrices.base: A usage price is not named "base", "seats" or "addon_…".'],
    ],
    [
      'a name that a later plan takes',
      `calls: { model: per_unit, unitAmounts: ${both('1')} }\ncalls_2: { model: per_unit, meter: calls, unitAmounts: ${both('1')} }`,
      [
        '19:7 plans.payg.usagePrices.calls_2: "calls_2" could be taken for "calls" after a change of plan: give it another name.',
      ],
    ],
    ['no group at all', 'calls:', ['18:13 plans.payg.usagePrices.calls: Must be a group of named fields, not empty.']],
  ])('%s', (_, price, problems) => expect(problemsOf(price)).toEqual(problems))

  test('an allowance that could belong to two prices', () => {
    const price = (key: string) => `${key}: { model: per_unit, meter: calls, unitAmounts: ${both('1')} }`
    const two = `${price('small')}\n${price('large')}`
    expect(problemsOf(two, { grant: '{ included: 5, limit: null, enforcement: soft }' })).toEqual([
      '20:34 plans.payg.grants.calls.included: Several usage prices rate "calls": name one of them "calls", so that the 5 included are those of it.',
    ])
    expect(problemsOf(price('small'), { grant: '{ included: 5, limit: null, enforcement: soft }' })).toEqual([])
  })

  test('a rollover that the grant has too', () => {
    const price = `calls: { model: per_unit, unitAmounts: ${both('1')}, rollover: {} }`
    const carrying = '{ included: 5, limit: null, enforcement: soft, rollover: { expiresAfterPeriods: 1 } }'
    expect(problemsOf(price, { grant: carrying })).toEqual([
      '18:70 plans.payg.usagePrices.calls.rollover: The grant of "calls" carries it on already: say it once.',
    ])
  })

  test('a limit that rolls over where usage is charged and none is included', () => {
    const price = `each: { model: per_unit, meter: calls, unitAmounts: ${both('1')} }`
    const limited = 'limit: 9, enforcement: hard, rollover: { expiresAfterPeriods: 1 }'
    expect(problemsOf(price, { grant: `{ ${limited} }` })).toEqual([
      '19:53 plans.payg.grants.calls.rollover: Usage of "calls" is charged: say how much of it is included, which is what is left over.',
    ])
    expect(problemsOf(price, { grant: `{ included: 5, ${limited} }` })).toEqual([])
  })

  test('a name that another plan takes after a change', () => {
    const price = (key: string) => `${key}: { model: per_unit, meter: calls, unitAmounts: ${both('1')} }`
    const other = `{ name: More, status: active, rank: 2, model: usage, usagePrices: { ${price('calls')} }, grants: { calls: ${grant} } }`
    const read = parseCatalog(`${head}    usagePrices:
      ${price('calls_2')}
    grants: { calls: ${grant} }
  more: ${other}
${tail}`)
    expect(read.ok ? [] : read.problems.map(({ message }) => message)).toEqual([
      '"calls_2" could be taken for "calls" after a change of plan: give it another name.',
    ])
  })

  test.each<[string, { billing?: string; policies?: string }, string[]]>([
    [
      'two kinds of least',
      {
        billing:
          '{ minimum: { amounts: { USD: 1, EUR: 1 } }, commitment: { amounts: { USD: 1, EUR: 1 }, periods: 12 } }',
      },
      ['19:58 plans.payg.billing.commitment: A commitment stands instead of a minimum: one of the two.'],
    ],
    [
      'a least above the most',
      { billing: '{ minimum: { amounts: { USD: 2 } }, maximum: { amounts: { USD: 1 } } }' },
      ['19:77 plans.payg.billing.maximum.amounts.USD: 1 is less than the minimum of 2.'],
    ],
    [
      'a price that is not there',
      { billing: '{ minimum: { amounts: { USD: 2 }, charges: [files] } }' },
      ['19:58 plans.payg.billing.minimum.charges[0]: Plan "payg" has no usage price "files".'],
    ],
    [
      'a trial of a plan without one',
      { billing: '{ trial: { usage: free } }' },
      ['19:16 plans.payg.billing.trial: Plan "payg" has no trial.'],
    ],
    [
      'a setting that is not there',
      { policies: '{ settings: { round: up } }' },
      ['26:26 policies.billing.settings.round: "round" is not known here; perhaps "roundAt" is meant.'],
    ],
    [
      'a choice that is not there',
      { policies: '{ settings: { rounding: floor } }' },
      ['26:36 policies.billing.settings.rounding: Must be one of "half_up", "half_even", "down", "up", not "floor".'],
    ],
    [
      'a smallest charge in a currency that is not sold',
      { policies: '{ settings: { minimumCharges: { CHF: 50 } } }' },
      [
        '26:44 policies.billing.settings.minimumCharges.CHF: "CHF" is not among the currencies of this catalog: USD, EUR.',
      ],
    ],
  ])('billing: %s', (_, more, problems) =>
    expect(problemsOf(`calls: { model: per_unit, unitAmounts: ${both('1')} }`, more)).toEqual(problems),
  )
})
