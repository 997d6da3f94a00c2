import { readFileSync } from 'node:fs'
import type { CatalogFile } from '@turnpike/contract'
import { describe, expect, test } from 'vitest'
import { type Catalog, nextCatalog } from './catalog.ts'
import { parseCatalog } from './parse.ts'
import { type CatalogFacts, planCatalogChange } from './plan-change.ts'

const source = readFileSync(new URL('../../../../catalog/acme.yaml', import.meta.url), 'utf8')
const acme = (change: (file: CatalogFile) => void = () => {}): CatalogFile => {
  const parsed = parseCatalog(source)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  change(parsed.file)
  return parsed.file
}
const nobody: CatalogFacts = { subscriptions: [], onBaseline: 0 }
const pro = { plan: 'pro', version: 1, price: 'monthly', currency: 'USD', seats: 3, customers: 4 }
const current: Catalog = nextCatalog(null, acme())

const planned = (change: (file: CatalogFile) => void, facts: CatalogFacts = nobody) =>
  planCatalogChange(current, acme(change), facts)

test('the first catalog adds everything and starts from none', () => {
  const artifact = planCatalogChange(null, acme(), nobody)
  expect(artifact.baseHash).toBe('none')
  expect(artifact.targetHash).toMatch(/^[0-9a-f]{64}$/)
  expect(new Set(artifact.changes.map((change) => change.kind))).toEqual(new Set(['add']))
  expect(artifact.changes.filter((change) => change.object === 'plan').map((change) => change.key)).toEqual([
    'free',
    'starter',
    'pro',
    'scale',
    'classic',
  ])
  expect(artifact).toMatchObject({ affectedCustomers: [], recurringRevenueDelta: [], losses: [], blocked: false })
})

test('the same file changes nothing', () => {
  expect(planned(() => {}, { subscriptions: [pro], onBaseline: 5 })).toEqual({
    baseHash: current.hash,
    targetHash: current.hash,
    changes: [],
    affectedCustomers: [],
    recurringRevenueDelta: [],
    losses: [],
    blocked: false,
  })
})

describe('usage prices', () => {
  const sentences = (change: (file: CatalogFile) => void) =>
    planned(change)
      .changes.filter(({ object }) => object === 'price')
      .map(({ kind, key, sentence }) => `${kind} ${key}: ${sentence}`)
  test('of every model are told in words, in each currency that changes', () => {
    const price = (file: CatalogFile) => file.plans.pro!.usagePrices!.api_calls!
    expect(
      sentences((file) => {
        price(file).tiers![1]!.unitAmounts!.USD = '0.3'
      }),
    ).toEqual([
      'update pro.usage.api_calls.USD: Price "pro.usage.api_calls.USD" changes from 10,000 included, then $0.004 per call up to 5,000, then $0.0025 per call to 10,000 included, then $0.004 per call up to 5,000, then $0.003 per call. Subscriptions keep the price that they have.',
    ])
    expect(
      sentences((file) => {
        delete file.plans.scale!.usagePrices!.tokens!.unitAmounts!.EUR
        file.plans.scale!.usagePrices!.tokens!.packageRounding = 'fraction'
      }),
    ).toEqual([
      'update scale.usage.tokens.USD: Price "scale.usage.tokens.USD" changes in packageRounding. Subscriptions keep the price that they have.',
      'remove scale.usage.tokens.EUR: Price "scale.usage.tokens.EUR" is not offered any more. Subscriptions keep the price that they have.',
    ])
  })
})

test('a higher price is a new version; who subscribes keeps theirs, and the difference per month is said', () => {
  const artifact = planned(
    (file) => {
      file.plans.pro!.prices!.monthly!.amounts.USD = 5900
      file.plans.pro!.seats!.perSeat!.monthly!.USD = 1300
    },
    { subscriptions: [pro, { ...pro, seats: 5, customers: 1 }, { ...pro, plan: 'scale' }], onBaseline: 9 },
  )
  expect(artifact.changes.map(({ kind, object, key }) => [kind, object, key])).toEqual([
    ['update', 'plan', 'pro'],
    ['update', 'price', 'pro.monthly.USD'],
    ['update', 'price', 'pro.seat.monthly.USD'],
  ])
  expect(artifact.affectedCustomers).toEqual([{ plan: 'pro', version: 1, customers: 5, staysOnVersion: true }])
  // 5 customers pay 1,000 more; one of them holds two seats above those included, 100 more each.
  expect(artifact.recurringRevenueDelta).toEqual([{ currency: 'USD', amountMinor: '5200' }])
  expect(artifact.blocked).toBe(false)
})

test('yearly prices count a twelfth, and rounding happens once at the end', () => {
  const yearly = { ...pro, price: 'yearly' }
  const up = (customers: number) =>
    planned(
      (file) => {
        file.plans.pro!.prices!.yearly!.amounts.USD! += 5
      },
      {
        subscriptions: [{ ...yearly, customers }],
        onBaseline: 0,
      },
    ).recurringRevenueDelta
  // 5/12 of a cent each: nothing for one, 1.25 for three, 2.5 for six.
  expect(up(1)).toEqual([])
  expect(up(3)).toEqual([{ currency: 'USD', amountMinor: '1' }])
  expect(up(6)).toEqual([{ currency: 'USD', amountMinor: '3' }])
  const down = planned(
    (file) => {
      file.plans.pro!.prices!.yearly!.amounts.USD! -= 5
    },
    {
      subscriptions: [{ ...yearly, customers: 6 }],
      onBaseline: 0,
    },
  )
  expect(down.recurringRevenueDelta).toEqual([{ currency: 'USD', amountMinor: '-3' }])
})

test('currencies are never added together', () => {
  const artifact = planned(
    (file) => {
      file.plans.pro!.prices!.monthly!.amounts = { USD: 5000, EUR: 4700 }
    },
    {
      subscriptions: [pro, { ...pro, currency: 'EUR', customers: 2 }],
      onBaseline: 0,
    },
  )
  expect(artifact.recurringRevenueDelta).toEqual([
    { currency: 'EUR', amountMinor: '400' },
    { currency: 'USD', amountMinor: '400' },
  ])
})

const losses: [what: string, change: (file: CatalogFile) => void, feature: string, words: string][] = [
  [
    'a feature switched off',
    (file) => {
      file.plans.pro!.grants.sso = false
    },
    'sso',
    'is not granted any more',
  ],
  [
    'a feature left out',
    (file) => void delete file.plans.pro!.grants.audit_log,
    'audit_log',
    'is not granted any more',
  ],
  [
    'a smaller number',
    (file) => {
      file.plans.pro!.grants.projects = 10
    },
    'projects',
    'falls from 20 to 10',
  ],
  [
    'a smaller set',
    (file) => {
      file.plans.pro!.grants.regions = ['eu']
    },
    'regions',
    'loses us',
  ],
  [
    'another text',
    (file) => {
      file.plans.pro!.grants.support_level = 'none'
    },
    'support_level',
    'changes from "email" to "none"',
  ],
  [
    'a lower limit',
    (file) => {
      file.plans.pro!.grants.exports = { limit: 400, enforcement: 'hard' }
    },
    'exports',
    'has a limit of 400, no longer 500',
  ],
]
describe('who would lose what', () => {
  test.each(losses)('%s', (_, change, feature, words) => {
    const artifact = planned(change, { subscriptions: [pro], onBaseline: 0 })
    expect(artifact.losses).toHaveLength(1)
    expect(artifact.losses[0]).toMatchObject({ plan: 'pro', feature, customers: 4 })
    expect(artifact.losses[0]?.sentence).toContain(words)
    expect(artifact.losses[0]?.sentence).toContain('until then they keep it')
  })

  test('more of everything is no loss', () => {
    const artifact = planned(
      (file) => {
        Object.assign(file.plans.pro!.grants, {
          projects: 30,
          regions: ['us', 'eu', 'ap'],
          priority_support: true,
          exports: { limit: null, enforcement: 'hard' },
        })
      },
      { subscriptions: [pro], onBaseline: 0 },
    )
    expect(artifact.losses).toEqual([])
    expect(artifact.affectedCustomers).toHaveLength(1)
  })

  test('customers on the baseline plan lose at once, because they have no version to stay on', () => {
    const artifact = planned(
      (file) => {
        file.plans.free!.grants.projects = 1
      },
      {
        subscriptions: [],
        onBaseline: 7,
      },
    )
    expect(artifact.affectedCustomers).toEqual([{ plan: 'free', version: 1, customers: 7, staysOnVersion: false }])
    expect(artifact.losses).toEqual([
      { plan: 'free', feature: 'projects', customers: 7, sentence: '"projects" falls from 2 to 1, at once.' },
    ])
  })

  test('another baseline plan moves everybody without a subscription', () => {
    const artifact = planned(
      (file) => {
        file.plans.tiny = {
          ...file.plans.free!,
          name: 'Tiny',
          grants: { ...file.plans.free!.grants, api_access: false },
        }
        file.baseline = 'tiny'
      },
      { subscriptions: [], onBaseline: 7 },
    )
    expect(artifact.affectedCustomers).toEqual([{ plan: 'free', version: 1, customers: 7, staysOnVersion: false }])
    expect(artifact.losses.map(({ feature }) => feature)).toEqual(['api_access'])
  })

  test('subscriptions on an older version are compared with the version that they have', () => {
    const second = nextCatalog(
      current,
      acme((file) => {
        file.plans.pro!.grants.projects = 15
      }),
    )
    const artifact = planCatalogChange(
      second,
      acme((file) => {
        file.plans.pro!.grants.projects = 18
      }),
      {
        subscriptions: [pro, { ...pro, version: 2, customers: 2 }],
        onBaseline: 0,
      },
    )
    expect(artifact.affectedCustomers.map(({ version, customers }) => [version, customers])).toEqual([
      [1, 4],
      [2, 2],
    ])
    expect(
      artifact.losses.map(({ customers, sentence }) => [customers, sentence.includes('falls from 20 to 18')]),
    ).toEqual([[4, true]])
  })
})

const blocked: [what: string, change: (file: CatalogFile) => void, words: string][] = [
  [
    'another kind of a feature',
    (file) => {
      file.features.sso = { name: 'SSO', kind: 'value', type: 'number' }
    },
    'cannot become value',
  ],
  [
    'another type of a value',
    (file) => {
      file.features.projects = { name: 'Projects', kind: 'value', type: 'string' }
    },
    'cannot become a string',
  ],
  [
    'another meter of a feature',
    (file) => {
      file.features.exports = { name: 'Exports', kind: 'metered', meter: 'tokens' }
    },
    'cannot move to meter',
  ],
  ['a feature that is gone', (file) => void delete file.features.sso, 'cannot be removed'],
  ['a meter that is gone', (file) => void delete file.meters.exports, 'cannot be removed'],
  [
    'another aggregation',
    (file) => {
      file.meters.exports!.aggregation = 'sum'
    },
    'cannot change from count to sum',
  ],
  ['a plan that is gone', (file) => void delete file.plans.classic, 'set its status to "archived"'],
  ['an add-on that is gone', (file) => void delete file.addOns!.extra_projects, 'set its status to "archived"'],
  [
    'another name of the catalog',
    (file) => {
      file.catalog = 'other'
    },
    'so it cannot change',
  ],
]
describe('what would give kept versions another meaning is blocked', () => {
  test.each(blocked)('%s', (_, change, words) => {
    const artifact = planned(change)
    const stopped = artifact.changes.filter((each) => each.kind === 'blocked')
    expect(artifact.blocked).toBe(true)
    expect(stopped).toHaveLength(1)
    expect(stopped[0]?.sentence).toContain(words)
  })

  test('a feature stays blocked while only an old version grants it', () => {
    const second = nextCatalog(
      current,
      acme((file) => {
        for (const plan of Object.values(file.plans)) delete plan.grants.audit_log
      }),
    )
    const artifact = planCatalogChange(
      second,
      acme((file) => {
        delete file.features.audit_log
        for (const plan of Object.values(file.plans)) delete plan.grants.audit_log
      }),
      nobody,
    )
    expect(artifact.blocked).toBe(true)
  })

  test('a fractional meter cannot become whole, and a whole one may become fractional', () => {
    const fractional = acme((file) => {
      file.meters.tokens!.fractional = true
    })
    expect(planCatalogChange(current, fractional, nobody).blocked).toBe(false)
    expect(planCatalogChange(nextCatalog(null, fractional), acme(), nobody).blocked).toBe(true)
  })
})

const allowed: [what: string, change: (file: CatalogFile) => void, kind: string, object: string, key: string][] = [
  [
    'a plan that is archived',
    (file) => {
      file.plans.classic!.status = 'archived'
    },
    'archive',
    'plan',
    'classic',
  ],
  [
    'a new feature',
    (file) => {
      file.features.beta = { name: 'Beta', kind: 'boolean' }
    },
    'add',
    'feature',
    'beta',
  ],
  [
    'a new name of a feature',
    (file) => {
      file.features.sso!.name = 'SSO'
    },
    'update',
    'feature',
    'sso',
  ],
  [
    'another policy',
    (file) => {
      file.policies.dunning.cancelAfterDays = 40
    },
    'update',
    'policy',
    'dunning',
  ],
  ['another default currency', (file) => void file.currencies.reverse(), 'update', 'catalog', 'currencies'],
  [
    'a product that is not sold any more',
    (file) => void delete file.products!.onboarding,
    'remove',
    'product',
    'onboarding',
  ],
  [
    'more by an add-on',
    (file) => {
      file.addOns!.extra_projects!.grants.projects = { add: 12 }
    },
    'update',
    'add_on',
    'extra_projects',
  ],
]
describe('everything else is named and allowed', () => {
  test.each(allowed)('%s', (_, change, kind, object, key) => {
    const artifact = planned(change)
    expect(artifact.blocked).toBe(false)
    expect(artifact.changes.map((each) => [each.kind, each.object, each.key])).toEqual([[kind, object, key]])
    expect(artifact.changes[0]?.sentence).toMatch(/^["A-Z].*\.$/)
  })
})
