import type { CatalogDunning } from '@turnpike/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cancelAt } from './cancel-at.ts'
import { momentsBetween, nextAccessChange, nextDue, stageAt } from './stage-at.ts'

const policy: CatalogDunning = {
  stages: [
    { afterDays: 0, access: 'grace' },
    { afterDays: 7, access: 'restricted' },
    { afterDays: 14, access: 'read_only' },
  ],
  cancelAfterDays: 30,
  reminders: [5, 7, 20],
}
const start = Temporal.Instant.from('2026-03-25T10:00:00Z')
/** `7` is exactly seven days after the start, `7-` a nanosecond before. */
const time = (text: string) => {
  const at = start.add({ minutes: Math.round(1_440 * Number.parseFloat(text)) })
  return text.endsWith('-') ? at.subtract({ nanoseconds: 1 }) : at
}
const day = (at: Temporal.Instant | null) => at && at.since(start).total('hours') / 24

describe('the stage at a time (DUN-1)', () => {
  test.each<[string, string | null, number | null, string | null, number | null]>([
    ['0-', null, null, 'grace', 0],
    ['0', 'grace', 0, 'restricted', 7],
    ['7-', 'grace', 0, 'restricted', 7],
    ['7', 'restricted', 7, 'read_only', 14],
    ['14-', 'restricted', 7, 'read_only', 14],
    ['14', 'read_only', 14, 'canceled', 30],
    ['30', 'read_only', 14, 'canceled', 30],
    ['400', 'read_only', 14, 'canceled', 30],
  ])('day %s: %s', (at, stage, since, next, nextAt) => {
    const found = stageAt(policy, start, time(at))
    expect([found.stage, day(found.since), found.next, day(found.nextAt)]).toEqual([stage, since, next, nextAt])
  })

  test('without an end of ours nothing comes after the last stage', () => {
    expect(stageAt({ ...policy, cancelAfterDays: null }, start, time('20'))).toMatchObject({ next: null, nextAt: null })
    expect(nextDue({ ...policy, cancelAfterDays: null, reminders: [] }, start, time('20'))).toBeNull()
  })

  test('access falls by itself at stages, never at the end, which the provider confirms', () => {
    expect(day(nextAccessChange(policy, start, time('3')))).toBe(7)
    expect(nextAccessChange(policy, start, time('15'))).toBeNull()
  })

  test('a first stage that begins later leaves what the status allows until then', () => {
    const later = { ...policy, stages: [{ afterDays: 3, access: 'restricted' as const }] }
    expect(stageAt(later, start, time('2'))).toMatchObject({ stage: null, next: 'restricted' })
  })
})

describe('what is told', () => {
  const told = (after: string | null, until: string) =>
    momentsBetween(policy, start, after === null ? null : time(after), time(until)).map(
      ({ kind, stage, at }) => `${kind} ${stage} ${day(at)}`,
    )
  test.each<[string | null, string, string[]]>([
    [null, '0-', []],
    [null, '0', ['stage grace 0']],
    ['0', '0', []],
    ['0', '5', ['reminder grace 5']],
    // A reminder on the day of a stage says nothing more.
    ['5', '7', ['stage restricted 7']],
    ['5', '7-', []],
    [null, '15', ['stage grace 0', 'reminder grace 5', 'stage restricted 7', 'stage read_only 14']],
    ['15', '100', ['reminder read_only 20']],
    ['20', '100', []],
    // The clock of a second look may be behind: nothing is told twice.
    ['15', '8', []],
  ])('from %s to %s: %j', (after, until, moments) => {
    expect(told(after, until)).toEqual(moments)
  })

  test('however often somebody looks, all is told once and in the same order', () => {
    const all = told(null, '40')
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 12 }), (looks) => {
        const seen: string[] = []
        let after: string | null = null
        for (const look of [...looks.sort((a, b) => a - b).map(String), '40']) {
          seen.push(...told(after, look))
          after = look
        }
        expect(seen).toEqual(all)
      }),
    )
  })

  test.each<[string, number | null]>([
    ['0-', 0],
    ['0', 5],
    ['5', 7],
    ['14', 20],
    ['20', 30],
    // Due until it is done.
    ['31', 30],
  ])('after day %s the next look is due on day %s', (after, due) => {
    expect(day(nextDue(policy, start, time(after)))).toBe(due)
  })
})

test.each<[string, string | null, number]>([
  ['no attempt planned', null, 30],
  ['the last attempt long before', '20', 30],
  ['an attempt within the hour before', '29.975', 29.975 + 1 / 24],
  ['an attempt at the same time', '30', 30 + 1 / 24],
  ['an attempt planned for later', '35', 35 + 1 / 24],
])('the end of a subscription with %s', (_, attempt, at) => {
  expect(day(cancelAt(time('30'), attempt === null ? null : time(attempt)))).toBeCloseTo(at, 9)
})
