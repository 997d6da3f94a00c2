import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { microOfWhole } from '../../core/quantity.ts'
import { findPlan, nextCatalog, parseCatalog } from '../catalog/index.ts'
import type { OverrideInForce } from '../entitlements/index.ts'
import { findExcess } from './find-excess.ts'
import { followRemediation } from './follow-remediation.ts'
import { deadlineOf, overLimitPolicy } from './policy.ts'

const parsed = parseCatalog(readFileSync(new URL('../../../../catalog/acme.yaml', import.meta.url), 'utf8'))
if (!parsed.ok) throw new Error('acme.yaml has mistakes')
const acme = nextCatalog(null, parsed.file)
const at = Temporal.Instant.from('2026-01-15T12:00:00Z')
const plan = (key: string) => findPlan(acme, key)!
const override = (feature: string, set: OverrideInForce['set'], expiresAt: string | null = null): OverrideInForce => ({
  overrideId: 'override_1',
  feature,
  set,
  createdAt: Temporal.Instant.from('2026-01-01T00:00:00Z'),
  expiresAt: expiresAt === null ? null : Temporal.Instant.from(expiresAt),
  withdrawnAt: null,
})
type Case = {
  name: string
  plan: string
  usage: Record<string, number>
  addOns?: { addOn: string; quantity: number }[]
  seats?: number
  overrides?: OverrideInForce[]
  found: string[]
}

describe('what is in use above a plan (SUB-5)', () => {
  test.each<Case>([
    { name: 'nothing is used', plan: 'starter', usage: {}, found: [] },
    { name: 'exactly the limit', plan: 'starter', usage: { projects_in_use: 5 }, found: [] },
    { name: 'one more', plan: 'starter', usage: { projects_in_use: 6 }, found: ['projects 6 of 5, 1 less (level)'] },
    {
      name: 'add-ons raise a limit, each that is held',
      plan: 'starter',
      usage: { projects_in_use: 26 },
      addOns: [{ addOn: 'extra_projects', quantity: 2 }],
      found: ['projects 26 of 25, 1 less (level)'],
    },
    {
      name: 'usage against a hard limit',
      plan: 'starter',
      usage: { api_calls: 5_001, exports: 25 },
      found: ['api_calls 5001 of 5000, 1 less (usage)'],
    },
    { name: 'a soft limit stands in no way', plan: 'scale', usage: { api_calls: 9_000_000 }, found: [] },
    { name: 'no limit', plan: 'scale', usage: { exports: 9_000_000 }, found: [] },
    { name: 'seats', plan: 'pro', usage: {}, seats: 51, found: ['seats 51 of 50, 1 less (seats)'] },
    { name: 'seats without a limit', plan: 'scale', usage: {}, seats: 900, found: [] },
    {
      name: 'several, in the order of their names',
      plan: 'free',
      usage: { projects_in_use: 12, exports: 9 },
      found: ['exports 9 of 3, 6 less (usage)', 'projects 12 of 2, 10 less (level)'],
    },
    {
      name: 'an override counts instead',
      plan: 'starter',
      usage: { projects_in_use: 30, api_calls: 9_000 },
      overrides: [override('projects', { value: 30 }), override('api_calls', { limit: null })],
      found: [],
    },
    {
      name: 'an override that has ended does not',
      plan: 'starter',
      usage: { projects_in_use: 30 },
      overrides: [override('projects', { value: 30 }, '2026-01-15T12:00:00Z')],
      found: ['projects 30 of 5, 25 less (level)'],
    },
  ])('$name', ({ plan: key, usage, addOns = [], seats = 0, overrides = [], found }) => {
    const micro = new Map(Object.entries(usage).map(([meter, used]) => [meter, microOfWhole(used)]))
    const items = findExcess(acme, plan(key), addOns, seats, micro, at, overrides)
    expect(
      items.map(
        ({ feature, kind, used, limit, reduceBy }) => `${feature} ${used} of ${limit}, ${reduceBy} less (${kind})`,
      ),
    ).toEqual(found)
  })
})

describe('what a plan does about it', () => {
  test('its own rule goes before that of the policies, which goes before blocking', () => {
    const starter = plan('starter')
    const own = { ...starter, content: { ...starter.content, changes: { overLimit: 'soft_lock' as const } } }
    expect(overLimitPolicy(acme, starter)).toEqual({ overLimit: 'block', cleanupDays: 14, reminderDays: [7, 1] })
    expect(overLimitPolicy(acme, own)).toMatchObject({ overLimit: 'soft_lock', cleanupDays: 14 })
    const { upgrade, downgrade, proration } = acme.file.policies.changes
    const bare = {
      ...acme,
      file: { ...acme.file, policies: { ...acme.file.policies, changes: { upgrade, downgrade, proration } } },
    }
    expect(overLimitPolicy(bare, starter)).toEqual({ overLimit: 'block', cleanupDays: 14, reminderDays: [7, 1] })
  })

  test('a window ends full days of 24 hours after the change', () => {
    const rule = overLimitPolicy(acme, plan('starter'))
    expect(deadlineOf(Temporal.Instant.from('2026-03-20T09:30:00Z'), rule).toString()).toBe('2026-04-03T09:30:00Z')
  })

  const started = Temporal.Instant.from('2026-02-01T00:00:00Z')
  const day = (count: number) => started.add({ hours: 24 * count })
  test.each<
    [string, { over?: boolean; at: number; remindedTo?: number; enforced?: boolean; soft?: boolean }, string[]]
  >([
    ['nothing is due yet', { at: 3 }, []],
    ['it fits', { at: 3, over: false }, ['met 3']],
    ['a first reminder', { at: 7 }, ['reminded 7']],
    ['told already', { at: 8, remindedTo: 7 }, []],
    ['both, when nobody was there for the first', { at: 13.5 }, ['reminded 7', 'reminded 13']],
    ['the deadline', { at: 14, remindedTo: 13 }, ['enforced 14']],
    ['long after it, reminders say nothing any more', { at: 40 }, ['enforced 14']],
    ['enforced already', { at: 40, enforced: true }, []],
    ['enforced, and fits later', { at: 41, enforced: true, over: false }, ['met 41']],
    ['fits on the deadline', { at: 14, over: false }, ['met 14']],
    ['a soft lock has no deadline', { at: 90, soft: true }, []],
    ['a soft lock is met too', { at: 90, soft: true, over: false }, ['met 90']],
  ])('%s', (_, { over = true, at: now, remindedTo = 0, enforced = false, soft = false }, steps) => {
    const found = followRemediation(
      {
        deadline: soft ? null : day(14),
        reminders: soft ? [] : [1, 7],
        remindedUntil: day(remindedTo),
        enforcedAt: enforced ? day(14) : null,
      },
      over,
      day(now),
    )
    expect(found.map(({ kind, at: when }) => `${kind} ${when.since(started).total('hours') / 24}`)).toEqual(steps)
  })
})
