import { readFileSync } from 'node:fs'
import type { SubscriptionStatus } from '@turnpike/contract'
import { describe, expect, test } from 'vitest'
import { type Catalog, nextCatalog, parseCatalog } from '../catalog/index.ts'
import type { SubscriptionRecord } from '../subscriptions/index.ts'
import { explain } from './explain.ts'
import { compareSnapshots, decide } from './index.ts'
import { type OverrideInForce, resolve, type SnapshotContent } from './resolve.ts'

const parsed = parseCatalog(readFileSync(new URL('../../../../catalog/acme.yaml', import.meta.url), 'utf8'))
if (!parsed.ok) throw new Error('acme.yaml has mistakes')
const acme: Catalog = nextCatalog(null, parsed.file)

const instant = (text: string) => Temporal.Instant.from(text)
const at = instant('2026-01-15T12:00:00Z')
const subscription = (more: Partial<SubscriptionRecord> = {}): SubscriptionRecord => ({
  tenantId: 'ana',
  subscriptionId: 'subscription_1',
  customerId: 'customer_1',
  provider: 'provider',
  providerSubscriptionId: 'sub_1',
  plan: 'pro',
  planVersion: 1,
  price: 'monthly',
  currency: 'USD',
  interval: { unit: 'month', count: 1 },
  seats: 3,
  addOns: [],
  status: 'active',
  period: { start: instant('2026-01-10T00:00:00Z'), end: instant('2026-02-10T00:00:00Z') },
  anchor: instant('2026-01-10T00:00:00Z'),
  trialEndsAt: null,
  endsAt: null,
  endedAt: null,
  pendingChange: null,
  standing: { paymentMethodOnFile: true, paused: null, collectionPaused: null },
  noted: null,
  startedAt: instant('2026-01-10T00:00:00Z'),
  updatedAt: instant('2026-01-10T00:00:00Z'),
  ...more,
})
const override = (feature: string, set: OverrideInForce['set'], more: Partial<OverrideInForce> = {}) => ({
  overrideId: 'override_1',
  feature,
  set,
  createdAt: instant('2026-01-01T00:00:00Z'),
  expiresAt: null,
  withdrawnAt: null,
  reason: 'A promise',
  actor: 'key_1',
  ...more,
})
const of = (content: SnapshotContent, feature: string) => content.entitlements.find((each) => each.feature === feature)!

describe('origin, strongest first: override, plan, add-on, baseline, none', () => {
  test.each<[string, SubscriptionRecord[], OverrideInForce[], string, object]>([
    ['the baseline without a subscription', [], [], 'api_access', { value: true, origin: 'baseline' }],
    ['nothing where the baseline says no', [], [], 'sso', { value: false, origin: 'none', upgradePlan: 'pro' }],
    ['the plan', [subscription()], [], 'sso', { value: true, origin: 'plan' }],
    ['the plan’s number', [subscription()], [], 'projects', { value: 20, origin: 'plan' }],
    [
      'add-ons on top of the plan, for each held',
      [subscription({ addOns: [{ addOn: 'extra_projects', quantity: 3 }] })],
      [],
      'projects',
      { value: 50, origin: 'add_on' },
    ],
    [
      'an add-on for what is metered',
      [subscription({ addOns: [{ addOn: 'call_pack', quantity: 2 }] })],
      [],
      'api_calls',
      { included: 30_000, limit: 40_000, origin: 'add_on' },
    ],
    [
      'an override over the plan',
      [subscription()],
      [override('sso', { enabled: false })],
      'sso',
      { value: false, origin: 'override' },
    ],
    [
      'an override over the plan and its add-ons',
      [subscription({ addOns: [{ addOn: 'extra_projects', quantity: 3 }] })],
      [override('projects', { value: 7 })],
      'projects',
      { value: 7, origin: 'override' },
    ],
    [
      'an override over the baseline',
      [],
      [override('sso', { enabled: true })],
      'sso',
      { value: true, origin: 'override', upgradePlan: null },
    ],
    [
      'an override of a limit',
      [],
      [override('api_calls', { limit: 5_000 })],
      'api_calls',
      { included: 5_000, limit: 5_000, origin: 'override', enforcement: 'hard' },
    ],
    [
      'an override without limit',
      [],
      [override('api_calls', { limit: null })],
      'api_calls',
      { limit: null, origin: 'override' },
    ],
    [
      'an override of a limit keeps what is included in the price',
      [subscription()],
      [override('api_calls', { limit: 50_000 })],
      'api_calls',
      { included: 10_000, limit: 50_000 },
    ],
    [
      'an override of another kind changes nothing',
      [],
      [override('sso', { limit: 5 })],
      'sso',
      { value: false, origin: 'none' },
    ],
    [
      'a plan that ended gives nothing',
      [subscription({ status: 'canceled', endedAt: at })],
      [],
      'sso',
      { value: false, origin: 'none' },
    ],
    [
      'a legacy plan gives what it gave',
      [subscription({ plan: 'classic' })],
      [],
      'api_calls',
      { limit: 8_000, enforcement: 'soft', origin: 'plan' },
    ],
    [
      'an add-on that the catalog has not',
      [subscription({ addOns: [{ addOn: 'no_such', quantity: 1 }] })],
      [],
      'projects',
      { value: 20, origin: 'plan' },
    ],
  ])('%s', (_, subscriptions, overrides, feature, expected) => {
    expect(of(resolve(acme, subscriptions, overrides, at), feature)).toMatchObject(expected)
  })

  test('a subscription stays on its plan version when the plan changes (CAT-3)', () => {
    const { plans, ...file } = acme.file
    const pro = { ...plans.pro!, grants: { ...plans.pro!.grants, projects: 99, sso: false } }
    const next = nextCatalog(acme, { ...file, plans: { ...plans, pro } })
    expect(of(resolve(next, [subscription()], [], at), 'projects')).toMatchObject({ value: 20 })
    expect(resolve(next, [subscription()], [], at).planVersion).toBe(1)
    expect(of(resolve(next, [subscription({ planVersion: 2 })], [], at), 'projects')).toMatchObject({ value: 99 })
  })
})

describe('what a status still gives (SUB-2)', () => {
  test.each<[SubscriptionStatus, string, boolean, string, number, string]>([
    ['trialing', 'full', false, 'pro', 20, 'plan'],
    ['active', 'full', false, 'pro', 20, 'plan'],
    ['past_due', 'grace', false, 'pro', 20, 'plan'],
    ['unpaid', 'restricted', true, 'pro', 2, 'baseline'],
    ['paused', 'read_only', true, 'pro', 2, 'baseline'],
    ['incomplete', 'none', true, 'pro', 2, 'baseline'],
    ['incomplete_expired', 'full', false, 'free', 2, 'baseline'],
    ['canceled', 'full', false, 'free', 2, 'baseline'],
  ])('%s: access %s, withheld %s, plan %s', (status, accessLevel, withheld, plan, projects, origin) => {
    const content = resolve(acme, [subscription({ status })], [], at)
    expect(content).toMatchObject({ accessLevel, withheld, plan })
    expect(of(content, 'projects')).toMatchObject({ value: projects, origin })
  })

  test('add-ons are withheld with the plan, an override is not', () => {
    const unpaid = subscription({ status: 'unpaid', addOns: [{ addOn: 'extra_projects', quantity: 1 }] })
    const content = resolve(acme, [unpaid], [override('sso', { enabled: true })], at)
    expect(of(content, 'projects')).toMatchObject({ value: 2, origin: 'baseline' })
    expect(of(content, 'sso')).toMatchObject({ value: true, origin: 'override' })
  })
})

describe('the time of an override', () => {
  const second = (n: number) => at.add({ seconds: n })
  test.each<[string, Partial<OverrideInForce>, boolean, string | null]>([
    ['without an end', {}, true, null],
    ['that ends later', { expiresAt: second(1) }, true, String(second(1))],
    ['that ends now: the end is outside', { expiresAt: at }, false, null],
    ['that ended', { expiresAt: second(-1) }, false, null],
    ['that begins now', { createdAt: at }, true, null],
    ['that begins later', { createdAt: second(1) }, false, String(second(1))],
    ['that was withdrawn now', { withdrawnAt: at }, false, null],
    ['that is withdrawn later', { withdrawnAt: second(1) }, true, null],
  ])('%s', (_, more, holds, validUntil) => {
    const content = resolve(acme, [], [override('sso', { enabled: true }, more)], at)
    expect(of(content, 'sso')).toMatchObject({ value: holds })
    expect(content.validUntil).toBe(validUntil)
  })

  test('of two in force the newer one holds, in whatever order they come', () => {
    const older = override('projects', { value: 5 }, { overrideId: 'override_1' })
    const newer = override(
      'projects',
      { value: 9 },
      { overrideId: 'override_2', createdAt: second(-5), expiresAt: second(60) },
    )
    for (const overrides of [
      [older, newer],
      [newer, older],
    ]) {
      const content = resolve(acme, [], overrides, at)
      expect(of(content, 'projects')).toMatchObject({ value: 9 })
      expect(content.validUntil).toBe(String(second(60)))
    }
    expect(of(resolve(acme, [], [older, newer], second(60)), 'projects')).toMatchObject({ value: 5 })
  })

  test('the next end of several is when the snapshot ends', () => {
    const overrides = [
      override('sso', { enabled: true }, { expiresAt: second(90) }),
      override('audit_log', { enabled: true }, { expiresAt: second(30) }),
    ]
    expect(resolve(acme, [], overrides, at).validUntil).toBe(String(second(30)))
  })
})

test('resolving the same again gives the same content, features in the order of their names', () => {
  const once = resolve(acme, [subscription()], [override('sso', { enabled: true })], at)
  expect(resolve(acme, [subscription()], [override('sso', { enabled: true })], at)).toEqual(once)
  const names = once.entitlements.map((each) => each.feature)
  expect(names).toEqual([...names].sort())
  // Stored as JSON: what comes back is what was put in.
  expect(JSON.parse(JSON.stringify(once))).toEqual(once)
})

test.each<[string, SubscriptionRecord[], string, string | null]>([
  ['the lowest plan that gives more', [], 'api_calls', 'starter'],
  ['for the next one up', [subscription()], 'api_calls', 'scale'],
  ['a boolean that is missing', [subscription()], 'priority_support', 'scale'],
  ['none for what is there already', [subscription()], 'sso', null],
  ['none above the highest', [subscription({ plan: 'scale' })], 'api_calls', null],
  ['a set with more in it', [], 'regions', 'starter'],
  ['unlimited is more than any number', [subscription()], 'exports', 'scale'],
])('the plan to upgrade to: %s', (_, subscriptions, feature, expected) => {
  expect(of(resolve(acme, subscriptions, [], at), feature).upgradePlan).toBe(expected)
})

describe('what a new snapshot changes', () => {
  const free = resolve(acme, [], [], at)
  const pro = resolve(acme, [subscription()], [], at)
  test('an upgrade gains, a downgrade loses, the same again changes nothing', () => {
    const more = ['api_calls', 'audit_log', 'exports', 'projects', 'regions', 'sso', 'tokens']
    // Another kind of support is another word, neither more nor less; what stays comes from elsewhere now.
    expect(compareSnapshots(free, pro)).toEqual({ gained: more, lost: [], changed: ['api_access', 'support_level'] })
    expect(compareSnapshots(pro, free)).toEqual({ gained: [], lost: more, changed: ['api_access', 'support_level'] })
    expect(compareSnapshots(pro, pro)).toEqual({ gained: [], lost: [], changed: [] })
  })
  test('everything that one has from the start is gained', () => {
    expect(compareSnapshots(null, free).gained).toEqual([
      'api_access',
      'api_calls',
      'exports',
      'projects',
      'regions',
      'support_level',
      'tokens',
    ])
  })
  test('no limit is more than any limit', () => {
    const unlimited = resolve(acme, [], [override('api_calls', { limit: null })], at)
    expect(compareSnapshots(free, unlimited)).toEqual({ gained: ['api_calls'], lost: [], changed: [] })
    expect(compareSnapshots(unlimited, free)).toEqual({ gained: [], lost: ['api_calls'], changed: [] })
  })
  test('a value of the same size that differs has changed', () => {
    const eu = resolve(acme, [], [override('regions', { value: ['eu'] })], at)
    expect(compareSnapshots(free, eu)).toEqual({ gained: [], lost: [], changed: ['regions'] })
  })
  test('which plan would give more is advice, not a change', () => {
    const advised = { ...free, entitlements: free.entitlements.map((each) => ({ ...each, upgradePlan: 'other' })) }
    expect(compareSnapshots(free, advised)).toEqual({ gained: [], lost: [], changed: [] })
  })
})

describe('explaining names one source that decided', () => {
  const explained = (
    subscriptions: SubscriptionRecord[],
    overrides: ReturnType<typeof override>[],
    feature: string,
    used = 0n,
  ) => {
    const content = resolve(acme, subscriptions, overrides, at)
    const entitlement = of(content, feature)
    const decision = decide(content, entitlement, { used, resetsAt: '2026-02-01T00:00:00Z' }, 1_000_000n)
    const { steps, wouldAllow } = explain(acme, content, entitlement, decision, overrides, subscriptions, at)
    const source = steps.filter(
      (step) => step.decided && ['override', 'subscription', 'add_on', 'baseline'].includes(step.source),
    )
    return {
      steps: steps.map((step) => step.source),
      source: source.map((step) => step.source),
      wouldAllow,
      allowed: decision.allowed,
      all: steps,
    }
  }

  test.each<[string, SubscriptionRecord[], ReturnType<typeof override>[], string, string]>([
    ['the override', [subscription()], [override('sso', { enabled: false })], 'sso', 'override'],
    ['the subscription', [subscription()], [], 'sso', 'subscription'],
    ['the add-on', [subscription({ addOns: [{ addOn: 'extra_projects', quantity: 1 }] })], [], 'projects', 'add_on'],
    ['the baseline', [], [], 'api_access', 'baseline'],
    ['the baseline that does not give it', [], [], 'sso', 'baseline'],
    ['the baseline while the plan is withheld', [subscription({ status: 'unpaid' })], [], 'projects', 'baseline'],
  ])('%s', (_, subscriptions, overrides, feature, source) => {
    expect(explained(subscriptions, overrides, feature).source).toEqual([source])
  })

  test('in the order of the rule, with the counter and the policy for what is metered', () => {
    const { steps } = explained([subscription({ addOns: [{ addOn: 'call_pack', quantity: 1 }] })], [], 'api_calls')
    expect(steps).toEqual(['override', 'subscription', 'add_on', 'baseline', 'access', 'counter', 'policy'])
  })

  test('a no says what would make it a yes, a yes says nothing', () => {
    expect(explained([], [], 'api_access').wouldAllow).toEqual([])
    const { allowed, wouldAllow } = explained([subscription()], [], 'api_calls', 20_000_000_000n)
    expect(allowed).toBe(false)
    expect(wouldAllow).toEqual([
      'Change to Scale.',
      'Wait until 2026-02-01T00:00:00Z, when the counter starts anew.',
      'Add 10,000 more API calls (call_pack).',
      'An operator can grant an override.',
    ])
    expect(explained([subscription({ status: 'unpaid' })], [], 'sso').wouldAllow[0]).toMatch(
      /^Settle the payment problem/,
    )
  })

  test('an override that ended is not in force, and who made one is told', () => {
    const ended = override('sso', { enabled: true }, { expiresAt: at })
    expect(explained([], [ended], 'sso').all[0]).toMatchObject({ decided: false, sentence: 'No override is in force.' })
    expect(explained([], [override('sso', { enabled: true })], 'sso').all[0]!.sentence).toBe(
      'An override by key_1 is in force: A promise',
    )
  })
})

describe('after the last subscription has ended (SUB-6)', () => {
  const looking: Catalog = {
    ...acme,
    file: {
      ...acme.file,
      policies: { ...acme.file.policies, cancellation: { ...acme.file.policies.cancellation, readOnlyDays: 10 } },
    },
  }
  const ended = subscription({ status: 'canceled', endedAt: instant('2026-01-10T00:00:00Z') })
  test.each<[string, Catalog, SubscriptionRecord[], string, string, string | null]>([
    ['read-only from the end on', looking, [ended], '2026-01-10T00:00:00Z', 'read_only', '2026-01-20T00:00:00Z'],
    ['until the last moment', looking, [ended], '2026-01-19T23:59:59Z', 'read_only', '2026-01-20T00:00:00Z'],
    ['then the baseline in full', looking, [ended], '2026-01-20T00:00:00Z', 'full', null],
    ['at once in full where the policy has no days', acme, [ended], '2026-01-10T00:00:00Z', 'full', null],
    ['not for who has bought again', looking, [ended, subscription()], '2026-01-15T00:00:00Z', 'full', null],
    [
      'not for a purchase that was never paid',
      looking,
      [subscription({ status: 'incomplete_expired', endedAt: instant('2026-01-10T00:00:00Z') })],
      '2026-01-15T00:00:00Z',
      'full',
      null,
    ],
  ])('%s', (_, catalog, subscriptions, when, accessLevel, validUntil) => {
    const content = resolve(catalog, subscriptions, [], instant(when))
    expect([content.accessLevel, content.validUntil]).toEqual([accessLevel, validUntil])
  })

  test('what is granted meanwhile is the baseline', () => {
    const during = resolve(looking, [ended], [], instant('2026-01-15T00:00:00Z'))
    const after = resolve(looking, [ended], [], instant('2026-01-25T00:00:00Z'))
    expect(during.entitlements).toEqual(after.entitlements)
    expect([during.plan, during.subscriptionId, during.withheld]).toEqual(['free', null, false])
  })

  test('an override that ends earlier is the next change', () => {
    const short = override('sso', { enabled: true }, { expiresAt: instant('2026-01-16T00:00:00Z') })
    expect(resolve(looking, [ended], [short], at).validUntil).toBe('2026-01-16T00:00:00Z')
  })
})

describe('stages of dunning (DUN-1)', () => {
  const since = instant('2026-01-12T00:00:00Z')
  const nextAt = instant('2026-01-19T00:00:00Z')
  const held = (status: SubscriptionStatus) => [subscription({ status })]
  const resolved = (
    status: SubscriptionStatus,
    stage: 'grace' | 'restricted' | 'read_only' | 'none' | null,
    more: { subscriptionId?: string; nextAt?: Temporal.Instant | null } = {},
  ) =>
    resolve(acme, held(status), [], at, {
      stages: [{ subscriptionId: 'subscription_1', stage, since, nextAt, ...more }],
    })

  test.each<[SubscriptionStatus, 'grace' | 'restricted' | 'read_only' | 'none' | null, string, boolean]>([
    ['past_due', null, 'grace', false],
    ['past_due', 'grace', 'grace', false],
    ['past_due', 'restricted', 'restricted', true],
    ['past_due', 'read_only', 'read_only', true],
    ['past_due', 'none', 'none', true],
    // The weaker of the two, whichever it is.
    ['unpaid', 'grace', 'restricted', true],
    ['unpaid', 'read_only', 'read_only', true],
    ['active', 'grace', 'grace', false],
    ['paused', 'restricted', 'read_only', true],
  ])('%s in stage %s: %s', (status, stage, accessLevel, withheld) => {
    expect(resolved(status, stage)).toMatchObject({ accessLevel, withheld })
  })

  test('it runs out when the next stage begins, or when something else ends before', () => {
    expect(resolved('past_due', 'grace').validUntil).toBe(nextAt.toString())
    expect(resolved('past_due', 'read_only', { nextAt: null }).validUntil).toBeNull()
    const earlier = resolve(
      acme,
      held('past_due'),
      [override('sso', { enabled: false }, { expiresAt: instant('2026-01-16T00:00:00Z') })],
      at,
      {
        stages: [{ subscriptionId: 'subscription_1', stage: 'grace', since, nextAt }],
      },
    )
    expect(earlier.validUntil).toBe('2026-01-16T00:00:00Z')
  })

  test('the stage of another subscription touches nothing', () => {
    const other = resolved('active', 'none', { subscriptionId: 'subscription_2' })
    expect(other).toEqual(resolve(acme, held('active'), [], at))
  })

  test('an override still counts in every stage', () => {
    const content = resolve(acme, held('past_due'), [override('sso', { enabled: true })], at, {
      stages: [{ subscriptionId: 'subscription_1', stage: 'none', since, nextAt: null }],
    })
    expect(of(content, 'sso')).toMatchObject({ value: true, origin: 'override' })
  })

  test('explain names the stage and what comes', () => {
    const content = resolved('past_due', 'restricted')
    const entitlement = of(content, 'sso')
    const decision = decide(content, entitlement, null, 1_000_000n)
    const { steps } = explain(acme, content, entitlement, decision, [], held('past_due'), at)
    expect(steps.find(({ source }) => source === 'access')).toMatchObject({
      decided: true,
      sentence: `Access is restricted: the plan's grants are withheld. An invoice is unpaid: since ${since} dunning allows restricted, and less from ${nextAt} on.`,
      detail: { dunning: { stage: 'restricted' } },
    })
  })
})

describe('more in use than a smaller plan allows (SUB-5)', () => {
  const deadline = instant('2026-01-20T00:00:00Z')
  const items = [
    { feature: 'projects', oldLimit: 200 },
    { feature: 'api_calls', oldLimit: null },
  ]
  const resolved = (more: Parameters<typeof resolve>[4] = {}, overrides: OverrideInForce[] = [], when = at) =>
    resolve(acme, [subscription()], overrides, when, {
      remediations: [{ subscriptionId: 'subscription_1', deadline, items }],
      ...more,
    })

  test('the old limits of what is listed stay until the deadline, and of nothing else', () => {
    const content = resolved()
    expect(of(content, 'projects')).toMatchObject({ value: 200, afterDowngrade: { until: deadline.toString() } })
    expect(of(content, 'api_calls')).toMatchObject({ limit: null })
    expect(of(content, 'exports')).toEqual(of(resolve(acme, [subscription()], [], at), 'exports'))
    expect(content.validUntil).toBe(deadline.toString())
  })

  test.each<[string, Temporal.Instant, number]>([
    ['just before the deadline', deadline.subtract({ nanoseconds: 1 }), 200],
    ['at the deadline', deadline, 20],
    ['later', deadline.add({ hours: 999 }), 20],
  ])('%s', (_, when, value) => {
    expect(of(resolved({}, [], when), 'projects')).toMatchObject({ value })
  })

  test('an old limit that is lower than what add-ons give by now takes nothing away', () => {
    const content = resolve(acme, [subscription({ addOns: [{ addOn: 'extra_projects', quantity: 30 }] })], [], at, {
      remediations: [{ subscriptionId: 'subscription_1', deadline, items }],
    })
    expect(of(content, 'projects')).toMatchObject({ value: 320 })
  })

  test('an override goes over both', () => {
    const content = resolved({}, [override('projects', { value: 7 })])
    expect(of(content, 'projects')).toMatchObject({ value: 7, origin: 'override' })
    expect(of(content, 'projects').afterDowngrade).toBeUndefined()
  })

  test('while access is restricted, the old limits are withheld too', () => {
    const content = resolved({
      stages: [{ subscriptionId: 'subscription_1', stage: 'restricted', since: at, nextAt: null }],
    })
    expect(of(content, 'projects')).toMatchObject({ value: 2, origin: 'baseline' })
  })

  const answer = (used: bigint, quantity: bigint, locked: boolean) => {
    const content = locked ? resolved({}, [], deadline) : resolve(acme, [subscription()], [], at)
    const { allowed, reason, remaining } = decide(
      content,
      of(content, 'projects'),
      { used: used * 1_000_000n, resetsAt: '' },
      quantity * 1_000_000n,
    )
    return [allowed, reason, remaining]
  }
  test.each<[bigint, bigint, boolean, unknown[]]>([
    [19n, 1n, false, [true, 'included', 1]],
    [20n, 1n, false, [false, 'limit_reached', 0]],
    [20n, 0n, false, [true, 'included', 0]],
    [60n, 1n, false, [false, 'limit_reached', 0]],
    [60n, 1n, true, [false, 'over_limit_after_downgrade', 0]],
    // What there is can be used: only more is not let in.
    [60n, 0n, true, [true, 'included', 0]],
    [20n, 1n, true, [false, 'limit_reached', 0]],
    [5n, 15n, true, [true, 'included', 15]],
    [5n, 16n, true, [false, 'limit_reached', 15]],
  ])('%d in use and %d more, under a lock: %s', (used, quantity, locked, expected) => {
    expect(answer(used, quantity, locked)).toEqual(expected)
  })

  test('usage above a hard limit after a downgrade has the same reason', () => {
    const content = resolved({}, [], deadline)
    const calls = of(content, 'api_calls')
    expect(decide(content, calls, { used: 30_000_000_000n, resetsAt: '' }, 1_000_000n)).toMatchObject({
      allowed: false,
      reason: 'over_limit_after_downgrade',
    })
  })
})
