import { describe, expect, test } from 'vitest'
import { decide, decideMetered, meterState, thresholdsCrossed } from './decide.ts'
import type { ResolvedEntitlement, SnapshotContent } from './resolve.ts'

type Metered = Extract<ResolvedEntitlement, { kind: 'metered' }>
const metered = (more: Partial<Metered> = {}): Metered => ({
  feature: 'calls',
  name: 'Calls',
  kind: 'metered',
  meter: 'calls',
  unit: 'call',
  included: 100,
  limit: 100,
  enforcement: 'hard',
  warnAtPercent: [],
  origin: 'plan',
  upgradePlan: null,
  ...more,
})
const unit = 1_000_000n
const none = { origin: 'none', limit: 0, included: 0 } as const
const unlimited = { limit: null, included: null } as const

describe('a metered feature', () => {
  test.each<[string, Partial<Metered>, boolean, bigint, bigint, boolean, string]>([
    ['below the limit', {}, false, 98n * unit, unit, true, 'within_limit'],
    ['exactly at the limit', {}, false, 99n * unit, unit, true, 'within_limit'],
    ['one millionth above it', {}, false, 99n * unit, unit + 1n, false, 'limit_reached'],
    ['nothing more at the limit', {}, false, 100n * unit, 0n, true, 'within_limit'],
    ['one more at the limit', {}, false, 100n * unit, unit, false, 'limit_reached'],
    ['nothing more above a limit that was lowered', {}, false, 101n * unit, 0n, false, 'limit_reached'],
    ['above a soft limit', { enforcement: 'soft' }, false, 100n * unit, 1n, true, 'soft_limit_exceeded'],
    ['at a soft limit', { enforcement: 'soft' }, false, 99n * unit, unit, true, 'within_limit'],
    ['the last unit that is included', { limit: 200 }, false, 99n * unit, unit, true, 'within_limit'],
    ['one millionth of overage', { limit: 200 }, false, 100n * unit, 1n, true, 'within_overage'],
    ['the last unit of overage', { limit: 200 }, false, 199n * unit, unit, true, 'within_overage'],
    ['one millionth above the overage', { limit: 200 }, false, 200n * unit, 1n, false, 'limit_reached'],
    ['no limit', unlimited, false, 10n ** 30n, unit, true, 'unlimited'],
    ['no limit by an override', { ...unlimited, origin: 'override' }, false, 0n, unit, true, 'override'],
    ['not included', none, false, 0n, unit, false, 'not_included'],
    ['not included, and nothing wanted', none, false, 0n, 0n, true, 'not_included'],
    ['withheld and not in the baseline', none, true, 0n, unit, false, 'access_restricted'],
    ['withheld, at the limit of the baseline', {}, true, 100n * unit, unit, false, 'access_restricted'],
    ['withheld, within the baseline', {}, true, 0n, unit, true, 'within_limit'],
    [
      'a limit of 0 by an override',
      { origin: 'override', limit: 0, included: 0 },
      false,
      0n,
      1n,
      false,
      'limit_reached',
    ],
  ])('%s', (_, entitlement, withheld, used, quantity, allowed, reason) => {
    expect(decideMetered(metered(entitlement), withheld, used, quantity)).toEqual({ allowed, reason })
  })
})

describe('the state of a meter', () => {
  test.each<[string, Partial<Metered>, bigint, string]>([
    ['far below', { warnAtPercent: [80, 100] }, 79n * unit, 'available'],
    ['a millionth below the warning', { warnAtPercent: [80] }, 80n * unit - 1n, 'available'],
    ['exactly at the warning', { warnAtPercent: [80] }, 80n * unit, 'nearing_limit'],
    ['full, nothing to upgrade to', {}, 100n * unit, 'blocked'],
    ['full, with a plan above', { upgradePlan: 'pro' }, 100n * unit, 'upgrade_available'],
    ['full of a soft limit', { enforcement: 'soft', warnAtPercent: [80] }, 100n * unit, 'nearing_limit'],
    ['warned by what is included, not by the limit', { limit: 200, warnAtPercent: [80] }, 80n * unit, 'nearing_limit'],
    ['unlimited', { ...unlimited, warnAtPercent: [80] }, 10n ** 30n, 'available'],
    ['without warnings', {}, 99n * unit, 'available'],
  ])('%s', (_, entitlement, used, state) => {
    expect(meterState(metered(entitlement), used)).toBe(state)
  })
})

describe('thresholds that a step crosses', () => {
  const warned = metered({ warnAtPercent: [50, 80, 100] })
  test.each<[string, Metered, bigint, bigint, [number, number][]]>([
    ['none', warned, 0n, 50n * unit - 1n, []],
    ['one, exactly', warned, 0n, 50n * unit, [[50, 100]]],
    ['one that was crossed before', warned, 50n * unit, 60n * unit, []],
    [
      'several at once, lowest first',
      warned,
      0n,
      100n * unit,
      [
        [50, 100],
        [80, 100],
        [100, 100],
      ],
    ],
    ['the limit without a warning for it', metered(), 0n, 100n * unit, [[100, 100]]],
    [
      'the limit once, also when it is warned of',
      metered({ warnAtPercent: [100] }),
      99n * unit,
      101n * unit,
      [[100, 100]],
    ],
    [
      'included and limit apart',
      metered({ limit: 200, warnAtPercent: [100] }),
      0n,
      200n * unit,
      [
        [100, 100],
        [100, 200],
      ],
    ],
    ['nothing to cross', metered({ ...unlimited, warnAtPercent: [80] }), 0n, 10n ** 30n, []],
    ['a limit of 0', metered({ limit: 0, included: 0, warnAtPercent: [80] }), 0n, unit, []],
    [
      'a percentage of what is no whole number',
      metered({ limit: 3, included: 3, warnAtPercent: [50] }),
      0n,
      1_500_000n,
      [[50, 3]],
    ],
  ])('%s', (_, entitlement, before, after, expected) => {
    expect(thresholdsCrossed(entitlement, before, after).map(({ percent, limit }) => [percent, limit])).toEqual(
      expected,
    )
  })
})

describe('the whole answer', () => {
  const content = { accessLevel: 'full', withheld: false } as SnapshotContent
  const restricted = { accessLevel: 'restricted', withheld: true } as SnapshotContent
  const simple = (
    value: boolean | number | string | string[],
    origin: ResolvedEntitlement['origin'] = 'plan',
    upgradePlan: string | null = null,
  ) =>
    ({
      feature: 'f',
      name: 'F',
      kind: typeof value === 'boolean' ? 'boolean' : 'value',
      value,
      origin,
      upgradePlan,
    }) as ResolvedEntitlement

  test.each<[string, SnapshotContent, ResolvedEntitlement, number, object]>([
    ['on', content, simple(true), 1, { allowed: true, reason: 'included', state: 'available' }],
    ['off', content, simple(false, 'none'), 1, { allowed: false, reason: 'not_included', state: 'blocked' }],
    [
      'off, with a plan above',
      content,
      simple(false, 'none', 'pro'),
      1,
      { state: 'upgrade_available', upgradePlan: 'pro' },
    ],
    ['off by an override', content, simple(false, 'override'), 1, { allowed: false, reason: 'disabled_by_override' }],
    ['on by an override', content, simple(true, 'override'), 1, { allowed: true, reason: 'override' }],
    [
      'off because access is restricted',
      restricted,
      simple(false, 'none'),
      1,
      { allowed: false, reason: 'access_restricted' },
    ],
    ['up to a number', content, simple(5), 5, { allowed: true, reason: 'included', limit: 5, value: 5 }],
    ['above a number', content, simple(5), 6, { allowed: false, reason: 'limit_reached', limit: 5 }],
    ['a number of 0', content, simple(0, 'none'), 1, { allowed: false, reason: 'not_included' }],
    ['a fraction', content, simple(0.3), 0.3, { allowed: true }],
    ['a word', content, simple('email'), 1, { allowed: true, value: 'email' }],
    ['no word', content, simple('', 'none'), 1, { allowed: false }],
    ['a set', content, simple(['eu']), 1, { allowed: true, value: ['eu'] }],
    ['an empty set', content, simple([], 'none'), 1, { allowed: false }],
  ])('%s', (_, snapshot, entitlement, quantity, expected) => {
    expect(decide(snapshot, entitlement, null, BigInt(Math.round(quantity * 1e6)))).toMatchObject(expected)
  })

  test('of a metered feature says what is left and when it starts anew', () => {
    const counter = { used: 40n * unit, resetsAt: '2026-02-01T00:00:00Z' }
    expect(decide(content, metered({ upgradePlan: 'pro' }), counter, unit)).toEqual({
      feature: 'calls',
      kind: 'metered',
      allowed: true,
      reason: 'within_limit',
      value: null,
      limit: 100,
      used: 40,
      remaining: 60,
      resetsAt: '2026-02-01T00:00:00Z',
      state: 'available',
      upgradePlan: 'pro',
      consumed: false,
    })
    expect(decide(content, metered(), { ...counter, used: 120n * unit }, unit)).toMatchObject({
      allowed: false,
      remaining: 0,
      state: 'blocked',
    })
    expect(decide(content, metered(unlimited), counter, unit)).toMatchObject({
      allowed: true,
      limit: null,
      remaining: null,
    })
    // Not full, but what is wanted does not fit.
    expect(decide(content, metered(), counter, 61n * unit)).toMatchObject({
      allowed: false,
      remaining: 60,
      state: 'blocked',
    })
  })
})
