import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseCatalog } from './parse.ts'

const good = `catalog: acme
currencies: [USD, EUR]
baseline: free
meters:
  calls: { name: Calls, unit: call, aggregation: sum }
  files: { name: Files, unit: file, aggregation: count }
features:
  sso: { name: Single sign-on, kind: boolean }
  projects: { name: Projects, kind: value, type: number }
  level: { name: Support, kind: value, type: string }
  regions: { name: Regions, kind: value, type: set }
  calls: { name: Calls, kind: metered, meter: calls }
plans:
  free:
    name: Free
    status: active
    rank: 0
    model: free
    grants: { sso: false, projects: 1, level: none, regions: [us], calls: { limit: 10, enforcement: hard } }
  pro:
    name: Pro
    status: active
    rank: 1
    model: hybrid
    trial: { days: 14, paymentMethod: required }
    prices:
      monthly: { interval: month, amounts: { USD: 4900, EUR: 4500 } }
      yearly: { interval: year, amounts: { USD: 49000 } }
    seats:
      included: 3
      max: 9
      perSeat: { monthly: { USD: 1200, EUR: 1100 }, yearly: { USD: 12000 } }
    usagePrices:
      calls:
        model: graduated
        included: 100
        tiers:
          - { upTo: 50, unitAmounts: { USD: "0.4", EUR: "0.3" } }
          - { upTo: null, unitAmounts: { USD: "0.2", EUR: "0.1" } }
    grants:
      sso: true
      projects: 20
      level: email
      regions: [us, eu]
      calls: { included: 100, limit: 200, enforcement: hard, warnAtPercent: [80, 100] }
    gateway:
      budgetFeature: calls
      routing:
        - { id: stop, priority: 1, match: "budget.currentSpend >= 10", strategy: refuse, targets: [] }
        - { id: any, priority: 2, match: "true", strategy: weighted, targets: [{ target: a, weight: 1 }] }
addOns:
  more:
    name: More
    status: active
    plans: [pro]
    prices:
      monthly: { interval: month, amounts: { USD: 900 } }
    grants: { projects: { add: 10 } }
products:
  onboarding: { name: Onboarding, status: active, amounts: { USD: 50000 } }
policies:
  access: { active: full, past_due: grace, canceled: none }
  changes: { upgrade: immediate, downgrade: period_end, proration: always_invoice }
  cancellation: { timing: period_end, readOnlyDays: 30, retentionDays: 90 }
  dunning: { stages: [{ afterDays: 0, access: grace }, { afterDays: 7, access: restricted }], cancelAfterDays: 30 }
  usage: { acceptLateDays: 35, acceptFutureSeconds: 300 }
`

const edited = (from: string, to: string): string => {
  expect(good.split(from), `"${from}" stands once in the good file`).toHaveLength(2)
  return good.replace(from, () => to)
}

const problemsOf = (source: string): string[] => {
  const parsed = parseCatalog(source)
  return parsed.ok
    ? []
    : parsed.problems.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`)
}

test('a good file has no mistakes', () => {
  expect(problemsOf(good)).toEqual([])
})

test('the demonstration catalog has no mistakes', () => {
  expect(problemsOf(readFileSync(new URL('../../../../catalog/acme.yaml', import.meta.url), 'utf8'))).toEqual([])
})

// Each case is one edit of the good file and everything that must be said about it.
const cases: [what: string, from: string, to: string, ...problems: string[]][] = [
  [
    'a name with capitals',
    'catalog: acme',
    'catalog: Acme',
    '1:10 catalog: "Acme" is no name: use small letters, digits and underscores, a letter first, at most 63.',
  ],
  [
    'a currency that does not exist',
    '[USD, EUR]',
    '[USD, EUR, XXZ]',
    '2:24 currencies[2]: "XXZ" is no currency of ISO 4217.',
  ],
  [
    'a currency in small letters',
    '[USD, EUR]',
    '[USD, EUR, usd]',
    '2:24 currencies[2]: "usd" is no currency: use three capital letters such as USD.',
  ],
  ['a currency twice', '[USD, EUR]', '[USD, EUR, USD]', '2:24 currencies[2]: "USD" is in the list twice.'],
  ['an unknown section', 'meters:\n', 'extras: 1\nmeters:\n', '4:1 extras: "extras" is not known here.'],
  ['a section that is missing', 'catalog: acme\n', '', '1:1 : "catalog" is missing.'],
  [
    'a baseline that does not exist',
    'baseline: free',
    'baseline: fre',
    '3:11 baseline: There is no plan "fre"; perhaps "free" is meant.',
  ],
  [
    'a baseline that costs something',
    'baseline: free',
    'baseline: pro',
    '3:11 baseline: Plan "pro" is not free, so it cannot be what everybody starts with.',
  ],
  [
    'a baseline that is not offered',
    '    status: active\n    rank: 0',
    '    status: legacy\n    rank: 0',
    '3:11 baseline: Plan "free" is legacy, so it cannot be what everybody starts with.',
  ],
  [
    'an unknown aggregation',
    'aggregation: count',
    'aggregation: mean',
    '6:50 meters.files.aggregation: Must be one of "sum", "count", "max", "unique", "latest", "time_weighted", not "mean".',
  ],
  [
    'a feature of unknown kind',
    'kind: boolean }',
    'kind: boolen }',
    '8:38 features.sso.kind: Must be one of "boolean", "value", "metered", not "boolen".',
  ],
  [
    'a feature without kind',
    'name: Single sign-on, kind: boolean',
    'name: Single sign-on',
    '8:3 features.sso: "kind" is missing: "boolean", "value", "metered".',
  ],
  [
    'a field of another kind of feature',
    'kind: boolean }',
    'kind: boolean, type: number }',
    '8:47 features.sso.type: "type" is not known here.',
  ],
  [
    'a metered feature without meter',
    'kind: metered, meter: calls',
    'kind: metered',
    '12:3 features.calls: "meter" is missing.',
  ],
  [
    'a meter that does not exist',
    'meter: calls }',
    'meter: cals }',
    '12:47 features.calls.meter: There is no meter "cals"; perhaps "calls" is meant.',
  ],
  [
    'a feature that nobody grants or refuses',
    'features:\n',
    'features:\n  beta: { name: Beta, kind: boolean }\n',
    '8:3 features.beta: No plan and no add-on says what it grants of "beta".',
  ],
  [
    'two limits on one meter',
    'features:\n',
    'features:\n  other: { name: Other, kind: metered, meter: calls }\n',
    '8:3 features.other: No plan and no add-on says what it grants of "other".',
    '13:47 features.calls.meter: Meter "calls" is limited by feature "other" already.',
  ],
  [
    'a grant of an unknown feature',
    '      sso: true\n',
    '      sso: true\n      ssso: true\n',
    '42:7 plans.pro.grants.ssso: There is no feature "ssso"; perhaps "sso" is meant.',
  ],
  [
    'a number for an on/off feature',
    'sso: true',
    'sso: 1',
    '41:12 plans.pro.grants.sso: Feature "sso" is on or off: grant true or false.',
  ],
  [
    'a text for a number',
    'projects: 20',
    'projects: many',
    '42:17 plans.pro.grants.projects: Feature "projects" is a number: grant a number.',
  ],
  [
    'a number for a text',
    'level: email',
    'level: 5',
    '43:14 plans.pro.grants.level: Feature "level" is a string: grant a text.',
  ],
  [
    'a text for a set',
    'regions: [us, eu]',
    'regions: us',
    '44:16 plans.pro.grants.regions: Feature "regions" is a set: grant a list of texts.',
  ],
  [
    'a member twice',
    'regions: [us, eu]',
    'regions: [us, us]',
    '44:21 plans.pro.grants.regions[1]: "us" is in the list twice.',
  ],
  [
    'a bare number for a limit',
    'calls: { limit: 10, enforcement: hard }',
    'calls: 10',
    '19:75 plans.free.grants.calls: Feature "calls" is metered: grant a group with "limit" and "enforcement".',
  ],
  [
    'a limit without enforcement',
    'limit: 10, enforcement: hard',
    'limit: 10',
    '19:68 plans.free.grants.calls: "enforcement" is missing.',
  ],
  [
    'a misspelt field',
    'limit: 10, enforcement: hard',
    'limit: 10, enforcment: hard',
    '19:68 plans.free.grants.calls: "enforcement" is missing.',
    '19:88 plans.free.grants.calls.enforcment: "enforcment" is not known here; perhaps "enforcement" is meant.',
  ],
  ['a negative limit', 'limit: 10,', 'limit: -10,', '19:84 plans.free.grants.calls.limit: Must be at least 0.'],
  [
    'a limit with decimals',
    'limit: 10,',
    'limit: 1.5,',
    '19:84 plans.free.grants.calls.limit: Must be a whole number, not 1.5.',
  ],
  [
    'more included than the limit',
    'included: 100, limit: 200',
    'included: 300, limit: 200',
    '45:26 plans.pro.grants.calls.included: 300 included is more than the limit of 200.',
  ],
  [
    'included does not agree with the usage price',
    'included: 100, limit: 200',
    'included: 150, limit: 200',
    '36:19 plans.pro.usagePrices.calls.included: 100 does not agree with the 150 included in the grant.',
  ],
  [
    'overage without a price',
    'limit: 10,',
    'included: 5, limit: 10,',
    '19:68 plans.free.grants.calls: Usage above the 5 included has no price under "usagePrices.calls".',
  ],
  [
    'everything included under a limit',
    'included: 100, limit: 200',
    'included: null, limit: 200',
    '45:26 plans.pro.grants.calls.included: Nothing above the limit can be included: give a number, or "limit: null".',
  ],
  [
    'a warning above 100 percent',
    '[80, 100]',
    '[80, 120]',
    '45:82 plans.pro.grants.calls.warnAtPercent[1]: Must be at most 100.',
  ],
  [
    'a free plan with a price',
    '    model: free\n',
    '    model: free\n    prices: { monthly: { interval: month, amounts: { USD: 1 } } }\n',
    '19:5 plans.free.prices: A free plan has no "prices".',
  ],
  [
    'a subscription with usage prices',
    'model: hybrid',
    'model: subscription',
    '24:12 plans.pro.model: A subscription with usage prices is of model "hybrid".',
  ],
  [
    'a usage plan with a base price',
    'model: hybrid',
    'model: usage',
    '24:12 plans.pro.model: A usage plan with a base price is of model "hybrid".',
  ],
  [
    'an unknown model',
    'model: hybrid',
    'model: rental',
    '24:12 plans.pro.model: Must be one of "subscription", "usage", "hybrid", "one_time", "free", not "rental".',
  ],
  ['a trial of no days', 'days: 14', 'days: 0', '25:20 plans.pro.trial.days: Must be at least 1.'],
  [
    'an unknown interval',
    'interval: year',
    'interval: annual',
    '28:27 plans.pro.prices.yearly.interval: Must be one of "day", "week", "month", "year", not "annual".',
  ],
  [
    'an interval of more than three years',
    'interval: year',
    'interval: { unit: year, count: 4 }',
    '28:27 plans.pro.prices.yearly.interval: An interval is at most three years.',
  ],
  [
    'an amount in cents with decimals',
    'USD: 4900,',
    'USD: 49.00001,',
    '27:51 plans.pro.prices.monthly.amounts.USD: Must be a whole number, not 49.00001.',
  ],
  [
    'an amount as text',
    'USD: 4900,',
    'USD: "4900",',
    '27:51 plans.pro.prices.monthly.amounts.USD: Must be a whole number, not "4900".',
  ],
  [
    'no amount in the default currency',
    '{ USD: 49000 }',
    '{ EUR: 49000 }',
    '28:33 plans.pro.prices.yearly.amounts: There is no amount in USD.',
    '32:53 plans.pro.seats.perSeat.yearly: There is no amount in EUR.',
  ],
  [
    'an amount in a currency of nobody',
    'USD: 4900,',
    'USD: 4900, GBP: 1,',
    '27:57 plans.pro.prices.monthly.amounts.GBP: "GBP" is not among the currencies of this catalog: USD, EUR.',
  ],
  [
    'seats for a price that does not exist',
    'perSeat: { monthly',
    'perSeat: { weekly: { USD: 1 }, monthly',
    '32:18 plans.pro.seats.perSeat.weekly: Plan "pro" has no price "weekly".',
  ],
  [
    'seats without a price',
    'perSeat: { monthly: { USD: 1200, EUR: 1100 }, yearly: { USD: 12000 } }',
    'perSeat: { monthly: { USD: 1200, EUR: 1100 } }',
    '29:5 plans.pro.seats: Seats above those included have no price under "perSeat" for "yearly".',
  ],
  [
    'seats without one of the currencies',
    'USD: 1200, EUR: 1100',
    'USD: 1200',
    '32:18 plans.pro.seats.perSeat.monthly: There is no amount in EUR.',
  ],
  [
    'fewer seats than included',
    'max: 9',
    'max: 2',
    '31:12 plans.pro.seats.max: "max" is less than the 3 seats included.',
  ],
  [
    'a usage price of an unknown meter',
    '      calls:\n        model',
    '      cals:\n        model',
    '34:7 plans.pro.usagePrices.cals: There is no meter "cals"; perhaps "calls" is meant.',
    '45:7 plans.pro.grants.calls: Usage above the 100 included has no price under "usagePrices.calls".',
  ],
  [
    'tiers that do not ascend',
    '          - { upTo: 50,',
    '          - { upTo: 60, unitAmounts: { USD: "1", EUR: "1" } }\n          - { upTo: 50,',
    '39:21 plans.pro.usagePrices.calls.tiers[1].upTo: Tiers ascend: 50 is not above 60.',
  ],
  [
    'tiers that end',
    'upTo: null, unitAmounts',
    'upTo: 500, unitAmounts',
    '39:21 plans.pro.usagePrices.calls.tiers[1].upTo: The last tier has "upTo: null", so that every quantity has a price.',
  ],
  [
    'a tier without end before the last',
    'upTo: 50,',
    'upTo: null,',
    '38:21 plans.pro.usagePrices.calls.tiers[0].upTo: Only the last tier has "upTo: null".',
  ],
  [
    'a unit price as number',
    '"0.4"',
    '0.4',
    '38:45 plans.pro.usagePrices.calls.tiers[0].unitAmounts.USD: Must be text: write it in quotes, "0.4".',
  ],
  [
    'a unit price that is no number',
    '"0.4"',
    '"4e2"',
    '38:45 plans.pro.usagePrices.calls.tiers[0].unitAmounts.USD: "4e2" is no amount: use digits with at most 12 decimals, such as "0.05".',
  ],
  [
    'a unit price missing in a currency',
    'USD: "0.4", EUR: "0.3"',
    'USD: "0.4"',
    '38:25 plans.pro.usagePrices.calls.tiers[0].unitAmounts: There is no amount in EUR.',
  ],
  [
    'several tiers for one unit price',
    'model: graduated',
    'model: per_unit',
    '37:9 plans.pro.usagePrices.calls.tiers: A price per unit has one tier; use "graduated" or "volume" for several.',
  ],
  [
    'a budget of an unknown feature',
    'budgetFeature: calls',
    'budgetFeature: call',
    '47:22 plans.pro.gateway.budgetFeature: There is no feature "call"; perhaps "calls" is meant.',
  ],
  [
    'a budget of something uncounted',
    'budgetFeature: calls',
    'budgetFeature: sso',
    '47:22 plans.pro.gateway.budgetFeature: A budget is counted, and feature "sso" is not metered.',
  ],
  [
    'two rules of one name',
    'id: any',
    'id: stop',
    '50:17 plans.pro.gateway.routing[1].id: "stop" is already the id of a rule above.',
  ],
  [
    'an expression with one equals sign',
    '"budget.currentSpend >= 10"',
    '"budget.currentSpend = 10"',
    '49:43 plans.pro.gateway.routing[0].match: The match expression cannot be read: Write "==", not "=".',
  ],
  [
    'an expression about something unknown',
    '"budget.currentSpend >= 10"',
    '"plan.name == 1"',
    '49:43 plans.pro.gateway.routing[0].match: The match expression cannot be read: "plan" is not known: an expression reads request, budget and tenant.',
  ],
  [
    'an expression with an open bracket',
    '"budget.currentSpend >= 10"',
    '"(budget.currentSpend >= 10"',
    '49:43 plans.pro.gateway.routing[0].match: The match expression cannot be read: "(" is never closed.',
  ],
  [
    'a rule that refuses and routes',
    'strategy: refuse, targets: []',
    'strategy: refuse, targets: [{ target: a }]',
    '49:90 plans.pro.gateway.routing[0].targets: A rule that refuses has no targets: write [].',
  ],
  [
    'a rule without target',
    'targets: [{ target: a, weight: 1 }]',
    'targets: []',
    '50:70 plans.pro.gateway.routing[1].targets: Strategy "weighted" needs at least one target.',
  ],
  [
    'a weighted target without weight',
    '{ target: a, weight: 1 }',
    '{ target: a }',
    '50:80 plans.pro.gateway.routing[1].targets[0]: A weighted target needs a "weight".',
  ],
  [
    'an add-on for an unknown plan',
    'plans: [pro]',
    'plans: [pro, por]',
    '55:18 addOns.more.plans[1]: There is no plan "por".',
  ],
  [
    'an add-on without price',
    '    prices:\n      monthly: { interval: month, amounts: { USD: 900 } }\n',
    '    prices: {}\n',
    '56:5 addOns.more.prices: An add-on needs at least one price.',
  ],
  [
    'an add-on with another rhythm',
    '{ interval: month, amounts: { USD: 900 } }',
    '{ interval: week, amounts: { USD: 900 } }',
    '55:13 addOns.more.plans[0]: The add-on has no price with an interval of plan "pro".',
  ],
  [
    'an add-on that adds to a text',
    '{ projects: { add: 10 } }',
    '{ level: { add: 10 } }',
    '58:15 addOns.more.grants.level: Feature "level" is a text: an add-on cannot add to it.',
  ],
  [
    'an add-on that limits a number',
    '{ projects: { add: 10 } }',
    '{ projects: { addLimit: 10 } }',
    '58:25 addOns.more.grants.projects: Feature "projects" is a number: an add-on grants "add".',
  ],
  [
    'an add-on that takes away',
    '{ projects: { add: 10 } }',
    '{ sso: false }',
    '58:20 addOns.more.grants.sso: Feature "sso" is on or off: an add-on grants true.',
  ],
  [
    'a product without amount',
    'amounts: { USD: 50000 }',
    'amounts: {}',
    '60:51 products.onboarding.amounts: Must have at least one entry.',
  ],
  [
    'a way out of a trial that cannot end so',
    'paymentMethod: required }',
    'paymentMethod: required, withoutPaymentMethod: pause }',
    '25:49 plans.pro.trial.withoutPaymentMethod: A payment method is required, so no trial ends without one.',
  ],
  [
    'access for nothing',
    'canceled: none',
    'canceled: full',
    '62:54 policies.access.canceled: "full" would give paid access without a paid subscription.',
  ],
  [
    'no access for payment',
    'active: full, ',
    '',
    '62:3 policies.access: "active" is missing: customers who pay would have no access.',
  ],
  [
    'an unknown access level',
    'past_due: grace',
    'past_due: soft',
    '62:37 policies.access.past_due: Must be one of "full", "grace", "restricted", "read_only", "none", not "soft".',
  ],
  [
    'an unknown status',
    'past_due: grace',
    'overdue: grace',
    '62:27 policies.access.overdue: "overdue" is not known here.',
  ],
  [
    'a stage before the one above it',
    'afterDays: 7',
    'afterDays: 0',
    '65:69 policies.dunning.stages[1].afterDays: Stages follow one another: this one begins after more than 0 days.',
  ],
  [
    'a stage that gives access back',
    'access: restricted',
    'access: grace',
    '65:80 policies.dunning.stages[1].access: Each stage allows less than the one before, which is "grace".',
  ],
  [
    'cancellation before the last stage',
    'cancelAfterDays: 30',
    'cancelAfterDays: 7',
    '65:112 policies.dunning.cancelAfterDays: A subscription is canceled after its last stage has begun, which is after 7 days.',
  ],
  [
    'a level that is used by a meter which adds up',
    'type: number }',
    'type: number, usedBy: calls }',
    '9:66 features.projects.usedBy: Meter "calls" adds up: what is in use now is told by a meter with aggregation "latest".',
  ],
  [
    'a level that no meter tells',
    'type: number }',
    'type: number, usedBy: cals }',
    '9:66 features.projects.usedBy: There is no meter "cals"; perhaps "calls" is meant.',
  ],
  [
    'a text in use',
    'type: string }',
    'type: string, usedBy: files }',
    '10:62 features.level.usedBy: Only a number can be in use.',
  ],
  [
    'a limit on a level',
    'unit: call, aggregation: sum',
    'unit: call, aggregation: latest',
    '12:47 features.calls.meter: Meter "calls" is a level, which is not consumed: make the feature a number with "usedBy".',
  ],
  [
    'unique values of nothing',
    'aggregation: count',
    'aggregation: unique',
    '6:3 meters.files: Meter "files" counts unique values: "property" says of what.',
  ],
  [
    'a property that nobody counts',
    'aggregation: count',
    'aggregation: count, property: user',
    '6:57 meters.files.property: Values of a property are counted by aggregation "unique", not "count".',
  ],
  [
    'a filter of nothing',
    'aggregation: count',
    'aggregation: count, filter: { model: [large] }',
    '6:57 meters.files.filter: A filter takes some of the records of another meter: "of" says which.',
  ],
  [
    'a meter that is derived from none',
    'aggregation: count',
    'aggregation: count, of: cals',
    '6:61 meters.files.of: There is no meter "cals"; perhaps "calls" is meant.',
  ],
  [
    'a meter that is derived from itself',
    'aggregation: count',
    'aggregation: count, of: files',
    '6:61 meters.files.of: Meter "files" is derived itself.',
  ],
  [
    'a sum of what was only counted',
    'unit: call, aggregation: sum }',
    'unit: call, aggregation: sum, of: files }',
    '5:50 meters.calls.aggregation: A sum cannot be told from the records of "files", which is a count.',
  ],
  [
    'whole parts of fractions',
    'aggregation: sum }\n  files: { name: Files, unit: file, aggregation: count }',
    'aggregation: sum, fractional: true }\n  files: { name: Files, unit: file, aggregation: max, of: calls }',
    '6:59 meters.files.of: Meter "calls" has fractions, so this one has them too: "fractional: true".',
  ],
  [
    'a property with a space',
    'aggregation: count',
    'aggregation: count, groupBy: ["the model"]',
    '6:67 meters.files.groupBy[0]: "the model" is no property: use letters, digits, "_", "." and "-", a letter first, at most 63.',
  ],
  [
    'a window of its own for what is charged by the period',
    'warnAtPercent: [80, 100]',
    'warnAtPercent: [80, 100], window: day',
    '45:96 plans.pro.grants.calls.window: Usage above what is included is charged by the billing period, so it is counted by it.',
  ],
  [
    'a sliding window of nothing',
    'limit: 10, enforcement: hard',
    'limit: 10, enforcement: hard, window: { slidingHours: 0 }',
    '19:131 plans.free.grants.calls.window.slidingHours: Must be at least 1.',
  ],
  [
    'what is left of a lifetime',
    'limit: 10, enforcement: hard',
    'limit: 10, enforcement: hard, window: lifetime, rollover: { expiresAfterPeriods: 1 }',
    '19:125 plans.free.grants.calls.rollover: Nothing is left over at the end of a window that has no end.',
  ],
  [
    'two caps',
    'limit: 10, enforcement: hard',
    'limit: 10, enforcement: hard, rollover: { expiresAfterPeriods: 1, capUnits: 5, capPercent: 50 }',
    '19:168 plans.free.grants.calls.rollover.capPercent: Give "capUnits" or "capPercent", not both.',
  ],
  [
    'what is left of no limit',
    'limit: 10, enforcement: hard',
    'limit: null, enforcement: soft, rollover: { expiresAfterPeriods: 1 }',
    '19:109 plans.free.grants.calls.rollover: Of an unlimited amount nothing is left over.',
  ],
  [
    'dunning of a plan that goes backwards',
    '    rank: 1\n',
    '    rank: 1\n    dunning: { stages: [{ afterDays: 3, access: none }], cancelAfterDays: 3 }\n',
    '24:75 plans.pro.dunning.cancelAfterDays: A subscription is canceled after its last stage has begun, which is after 3 days.',
  ],
  [
    'a reminder after the end',
    'cancelAfterDays: 30',
    'cancelAfterDays: 30, reminders: [29, 30]',
    '65:132 policies.dunning.reminders[1]: Nobody is reminded after the end, which is after 30 days.',
  ],
  [
    'a reminder before the cleanup window',
    'proration: always_invoice',
    'proration: always_invoice, cleanupDays: 5, cleanupReminderDays: [3, 7]',
    '63:125 policies.changes.cleanupReminderDays[1]: A reminder comes within the cleanup window of 5 days.',
  ],
  [
    'usage that is archived while it may still come',
    'acceptLateDays: 35,',
    'acceptLateDays: 35, keepDays: 34,',
    '66:42 policies.usage.keepDays: Usage is accepted 35 days late: its window must not be archived before.',
  ],
  [
    'looking on at what was deleted',
    'readOnlyDays: 30',
    'readOnlyDays: 91',
    '64:53 policies.cancellation.readOnlyDays: Nobody looks on at what was deleted after 90 days.',
  ],
  [
    'a reminder after the deletion',
    'retentionDays: 90',
    'retentionDays: 90, exportReminderDays: [30, 90]',
    '64:101 policies.cancellation.exportReminderDays[1]: A reminder comes within the 90 days until the deletion.',
  ],
  ['a key twice', 'rank: 1\n', 'rank: 1\n    rank: 2\n', '24:5 plans.pro.rank: "rank" is already given above.'],
  [
    'a broken line',
    'baseline: free',
    'baseline: [free',
    '4:1 : Not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ].',
  ],
  [
    'a tab',
    '    name: Free',
    '	name: Free',
    '15:1 : Not valid YAML: Tabs are not allowed as indentation.',
    '16:13 : Not valid YAML: Nested mappings are not allowed in compact mappings.',
    '17:11 : Not valid YAML: Nested mappings are not allowed in compact mappings.',
    '18:12 : Not valid YAML: Nested mappings are not allowed in compact mappings.',
    '20:1 : Not valid YAML: All mapping items must start at the same column.',
  ],
  [
    'a plan that looks like an add-on',
    'plans:\n  free',
    'plans:\n  addon_x: { name: X, status: active, rank: 5, model: free, grants: {} }\n  free',
    '14:3 plans.addon_x: A plan is not named "addon_…" or "product_…".',
  ],
]

describe('one mistake, its place and its sentence', () => {
  test.each(cases)('%s', (_, from, to, ...problems) => {
    expect(problemsOf(edited(from, to))).toEqual(problems)
  })
})

test('all mistakes of writing, form and meaning are named at once, in the order of the file', () => {
  const source = good
    .replace('baseline: free', 'baseline: fre')
    .replace('aggregation: count', 'aggregation: total')
    .replace('projects: 20', 'projects: many')
    .replace('cancelAfterDays: 30', 'cancelAfterDays: 3')
    .replace('max: 9', 'max: 9\n      max: 10')
  const problems = problemsOf(source)
  expect(problems.some((problem) => problem.includes('baseline'))).toBe(true)
  expect(problems.some((problem) => problem.includes('aggregation'))).toBe(true)
  expect(problems.some((problem) => problem.includes('plans.pro.grants.projects'))).toBe(true)
  expect(problems.some((problem) => problem.includes('"max" is already given above'))).toBe(true)
  expect(problems.some((problem) => problem.includes('cancelAfterDays'))).toBe(true)
  expect(problems.map((problem) => Number(problem.split(':')[0]))).toEqual(
    problems.map((problem) => Number(problem.split(':')[0])).toSorted((a, b) => a - b),
  )
})

const hostile: [what: string, source: string, message: string][] = [
  ['nothing', '', 'The file is empty.'],
  ['only comments', '# later\n', 'The file is empty.'],
  ['a list', '- a\n', 'Must be a group of named fields, not a list.'],
  ['a NUL character', 'catalog: a\0b', 'The file holds a NUL character: it is no text.'],
  ['a text that cannot be shown', 'catalog: "a\\x07"', 'The text holds characters that cannot be shown or stored.'],
  ['two documents', `${good}---\na: 1\n`, 'A catalog is one document: remove this "---".'],
  ['a tag', good.replace('rank: 0', 'rank: !!int "0"'), 'Tags are not used in a catalog.'],
  ['an anchor', good.replace('rank: 0', 'rank: &zero 0'), 'Anchors are not used in a catalog.'],
  ['brackets without end', '['.repeat(500_000), 'The file is nested deeper than 20 levels.'],
  ['dashes without end', '- '.repeat(400_000), 'The file is nested deeper than 20 levels.'],
  [
    'steps without end',
    Array.from({ length: 1_200 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
    'The file is nested deeper than 20 levels.',
  ],
  ['too much', `#${' '.repeat(1_000_000)}`, 'The file is longer than 1000000 characters.'],
  ['a key of everything', '__proto__: { admin: true }', '"__proto__" is not known here.'],
]

describe('what no catalog is', () => {
  test.each(hostile)('%s is refused with a sentence', (_, source, message) => {
    expect(problemsOf(source).some((problem) => problem.endsWith(`: ${message}`))).toBe(true)
  })

  test('aliases that would multiply are refused and not followed', () => {
    const lines = [
      'a: &a [x, x]',
      ...Array.from({ length: 30 }, (_, n) => `a${n}: &a${n} [*a${n || ''}, *a${n || ''}]`),
    ]
    expect(problemsOf(lines.join('\n')).some((problem) => problem.includes('Aliases are not used'))).toBe(true)
  })

  test('very many mistakes are cut to a list that can be read', () => {
    const source = Array.from({ length: 5_000 }, (_, n) => `x${n}: 1`).join('\n')
    expect(problemsOf(source)).toHaveLength(200)
  })
})

test('in broken YAML only what is broken is named, once a line', () => {
  const problems = problemsOf(good.replace('baseline: free', 'baseline: [free').replace('sso: true', 'sso: "true'))
  expect(problems.length).toBeGreaterThan(0)
  expect(problems.every((problem) => problem.includes('Not valid YAML'))).toBe(true)
  const lines = problems.map((problem) => problem.split(':')[0])
  expect(new Set(lines).size).toBe(lines.length)
})

test('names that make a longer lookup key than the provider takes are refused', () => {
  const source = good
    .replace('catalog: acme', `catalog: ${'c'.repeat(63)}`)
    .replaceAll('monthly:', `${'m'.repeat(63)}:`)
    .replace('  pro:\n', `  ${'p'.repeat(63)}:\n`)
    .replace('plans: [pro]', `plans: [${'p'.repeat(63)}]`)
  const problems = problemsOf(source)
  expect(problems[0]).toContain('20:3 plans.ppp')
  expect(problems[0]).toContain('characters, at most 200.')
})

test('order, spacing and comments do not change the hash; content does', () => {
  const hash = (source: string) => {
    const parsed = parseCatalog(source)
    return parsed.ok ? parsed.hash : null
  }
  const reordered = good.replace('name: Free\n    status: active', 'status:   active # now\n    name: "Free"')
  expect(hash(reordered)).toBe(hash(good))
  expect(hash(good)).toMatch(/^[0-9a-f]{64}$/)
  expect(hash(good.replace('USD: 4900', 'USD: 4901'))).not.toBe(hash(good))
})

test('a window that slides over what does not add up, and months of months (ENT-6)', () => {
  const slides = edited('unit: call, aggregation: sum', 'unit: call, aggregation: max').replace(
    'limit: 10, enforcement: hard',
    'limit: 10, enforcement: hard, window: { slidingHours: 24 }',
  )
  expect(problemsOf(slides)).toEqual([
    '19:115 plans.free.grants.calls.window: Only sums and counts slide, and meter "calls" is a max.',
  ])
  const monthly = edited('    rank: 1\n', '    rank: 1\n    usageInterval: month\n')
  expect(problemsOf(monthly)).toEqual([])
  const months = monthly
    .replace('      yearly: { interval: year, amounts: { USD: 49000 } }\n', '')
    .replace(', yearly: { USD: 12000 } }', ' }')
    .replace('      yearly: { interval: year, amounts: { USD: 9000 } }\n', '')
  expect(problemsOf(months)).toEqual(['24:5 plans.pro.usageInterval: No price of the plan is for longer than a month.'])
})
