import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Micro, microOfWhole } from '../../core/quantity.ts'
import { decide } from './decide.ts'
import { type DecisionFacts, replay } from './replay.ts'
import type { ResolvedEntitlement, SnapshotContent } from './resolve.ts'

type Metered = Extract<ResolvedEntitlement, { kind: 'metered' }>

const contentOf = (entitlement: ResolvedEntitlement, withheld = false): SnapshotContent => ({
  accessLevel: withheld ? 'restricted' : 'full',
  plan: 'pro',
  planVersion: 1,
  subscriptionId: null,
  withheld,
  window: { kind: 'calendar_month' },
  budgetFeature: null,
  validUntil: null,
  entitlements: [entitlement],
})
const common = { feature: 'calls', name: 'Calls', upgradePlan: null } as const

const limits = fc.record({
  kind: fc.constant('metered' as const),
  meter: fc.constant('calls'),
  unit: fc.constant('call'),
  included: fc.option(fc.integer({ min: 0, max: 60 })),
  limit: fc.option(fc.integer({ min: 0, max: 60 })),
  enforcement: fc.constantFrom('hard' as const, 'soft' as const),
  warnAtPercent: fc.constant<number[]>([]),
  origin: fc.constantFrom('plan' as const, 'override' as const, 'add_on' as const, 'none' as const),
  afterDowngrade: fc.option(fc.constant({ until: null }), { nil: undefined }),
})
const values = fc.oneof(
  fc.record({
    kind: fc.constant('boolean' as const),
    value: fc.boolean(),
    origin: fc.constantFrom('plan' as const, 'override' as const),
  }),
  fc.record({
    kind: fc.constant('value' as const),
    value: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom('', 'eu'), fc.constantFrom<string[]>([], ['eu'])),
    origin: fc.constantFrom('plan' as const, 'override' as const),
    usedBy: fc.option(fc.constant('projects'), { nil: undefined }),
  }),
)
const entitlements = fc.oneof(limits, values).map((each): ResolvedEntitlement => ({ ...common, ...each }))
/** A customer's snapshots, and what was asked under each: quantities of millionths, some of it held for others. */
const histories = fc.array(
  fc.record({
    entitlement: entitlements,
    withheld: fc.boolean(),
    asked: fc.array(
      fc.record({ quantity: fc.bigInt(0n, 20_000_000n), reserved: fc.bigInt(0n, 9_000_000n), consume: fc.boolean() }),
      { maxLength: 12 },
    ),
  }),
  { minLength: 1, maxLength: 5 },
)

/** Lives a history as the service does, and writes down what its records say. */
const live = (history: (typeof histories)['generate'] extends (...a: never[]) => { value: infer H } ? H : never) => {
  const kept: { content: SnapshotContent; facts: DecisionFacts }[] = []
  let used: Micro = 0n
  for (const { entitlement, withheld, asked } of history) {
    const content = contentOf(entitlement, withheld)
    for (const { quantity, reserved, consume } of asked) {
      const counts =
        entitlement.kind === 'metered' || (entitlement.kind === 'value' && entitlement.usedBy !== undefined)
      const counter = counts ? { used, reserved, resetsAt: '2026-12-01T00:00:00Z' } : null
      const { allowed, reason } = decide(content, entitlement, counter, quantity)
      if (allowed && !consume) continue
      const position = { used: counts ? used : null, reserved, quantity }
      const said = { allowed, reason: allowed ? null : reason, because: null, windowStart: null }
      kept.push({ content, facts: { kind: consume ? 'reserve' : 'check', feature: 'calls', ...position, ...said } })
      if (allowed && counts) used += quantity
    }
  }
  return kept
}

test('every decision of a random history, made again with its snapshot and its counter, is the same', () => {
  fc.assert(
    fc.property(histories, (history) => {
      for (const { content, facts } of live(history)) expect(replay(content, facts)).toMatchObject({ same: true })
    }),
    { numRuns: 500 },
  )
})

test('with a snapshot that was changed so that it says otherwise, it is not', () => {
  let changed = 0
  fc.assert(
    fc.property(histories, (history) => {
      for (const { content, facts } of live(history)) {
        const [entitlement] = content.entitlements as [ResolvedEntitlement]
        if (entitlement.kind !== 'metered' || entitlement.enforcement === 'soft' || facts.quantity === 0n) continue
        // Just enough for what was refused, and just too little for what was allowed.
        const after = facts.used! + facts.reserved + facts.quantity
        const limit = facts.allowed ? Number((after - 1n) / 1_000_000n) : Number(after / 1_000_000n + 1n)
        const altered: Metered = { ...entitlement, origin: 'plan', limit }
        changed++
        expect(replay(contentOf(altered, content.withheld), facts)).toMatchObject({ same: false })
      }
    }),
    { numRuns: 300 },
  )
  expect(changed).toBeGreaterThan(300)
})

describe('a record that tells less than a check', () => {
  const limited = (more: Partial<Metered> = {}): Metered => ({
    ...common,
    kind: 'metered',
    meter: 'calls',
    unit: 'call',
    included: 5,
    limit: 5,
    enforcement: 'hard',
    warnAtPercent: [],
    origin: 'plan',
    ...more,
  })
  const facts: DecisionFacts = {
    kind: 'report',
    feature: 'calls',
    quantity: microOfWhole(1),
    used: microOfWhole(5),
    reserved: 0n,
    windowStart: null,
    allowed: false,
    reason: 'limit_reached',
    because: null,
  }

  test.each<[string, Partial<Metered>, boolean, Partial<DecisionFacts>, boolean]>([
    ['the limit was reached', {}, false, {}, true],
    ['there was room', { limit: 6 }, false, {}, false],
    ['a smaller plan was over its limit', { afterDowngrade: { until: null }, limit: 3 }, false, {}, true],
    ['access was withheld', {}, true, { reason: 'access_restricted' }, true],
    ['access was withheld, and another reason is told', {}, true, {}, false],
    ['it was not included', { origin: 'none', limit: 0 }, false, { reason: 'not_included' }, true],
    ['what was held left no room', { limit: 9 }, false, { reserved: microOfWhole(4) }, true],
    ['it was allowed', { limit: 6 }, false, { allowed: true, reason: null }, true],
    ['it was allowed and there was no room', {}, false, { allowed: true, reason: null }, false],
    ['it went down with another feature', { limit: 9 }, false, { because: 'tokens' }, true],
    ['it went down by itself', {}, false, { because: 'tokens' }, false],
  ])('%s', (_, entitlement, withheld, more, same) => {
    expect(replay(contentOf(limited(entitlement), withheld), { ...facts, ...more }).same).toBe(same)
  })

  test('what was carried into a window is there in that window, and in no other', () => {
    const windowStart = Temporal.Instant.from('2026-12-01T00:00:00Z')
    const carried = { windowStart: '2026-12-01T00:00:00Z', windowEnd: '2027-01-01T00:00:00Z', lots: [{ quantity: 3 }] }
    const content = contentOf(limited({ limit: 8, carried: carried as unknown as Metered['carried'] }))
    const allowed = { ...facts, allowed: true, reason: null }
    expect(replay(content, { ...allowed, windowStart }).same).toBe(true)
    expect(replay(content, { ...facts, windowStart: windowStart.subtract({ hours: 24 * 30 }) }).same).toBe(true)
    expect(replay(content, { ...facts, windowStart }).same).toBe(false)
  })

  test('a feature that the snapshot does not know was decided by another one', () => {
    expect(replay(contentOf(limited({ feature: 'tokens' })), facts)).toEqual({
      same: false,
      allowed: false,
      reason: null,
    })
  })
})
