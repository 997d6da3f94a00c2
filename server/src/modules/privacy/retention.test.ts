import { expect, test } from 'vitest'
import { nextRetentionStep, type RetentionRecord, reminderDays } from './retention.ts'

const start = Temporal.Instant.from('2026-01-01T00:00:00Z')
const day = (days: number) => start.add({ seconds: Math.round(86_400 * days) })
const policy = { retentionDays: 90 }
const waiting: RetentionRecord = {
  tenantId: 'ana',
  endedAt: start,
  readOnlyUntil: day(10),
  deleteAfter: day(90),
  reminded: [],
  readOnlyOver: true,
  state: 'waiting',
}

test.each([
  ['30 and 7 where left out', { retentionDays: 90 }, [30, 7]],
  ['those that fit into the time', { retentionDays: 20 }, [7]],
  ['none where none fits', { retentionDays: 5 }, []],
  ['as the policy says, in order and once', { retentionDays: 90, exportReminderDays: [3, 14, 3] }, [14, 3]],
  ['none where the policy says so', { retentionDays: 90, exportReminderDays: [] }, []],
])('reminders: %s', (_, rules, days) => {
  expect(reminderDays(rules)).toEqual(days)
})

test.each<[string, Partial<RetentionRecord>, number, number | null, object | null]>([
  ['nothing while it is early', {}, 20, null, null],
  ['the end of the read-only time', { readOnlyOver: false }, 10, null, { kind: 'read_only_over' }],
  ['not before it', { readOnlyOver: false }, 9.99, null, null],
  ['the first reminder', {}, 60, null, { kind: 'remind', days: 30, reminded: [30], deleteAfter: day(90) }],
  ['not a second time', { reminded: [30] }, 61, null, null],
  ['the last reminder', { reminded: [30] }, 83, null, { kind: 'remind', days: 7, reminded: [30, 7] }],
  ['only the urgent one when both were missed', {}, 84, null, { kind: 'remind', days: 7, reminded: [30, 7] }],
  ['not yet the deletion', { reminded: [30, 7] }, 89.99, null, null],
  ['the deletion', { reminded: [30, 7] }, 90, null, { kind: 'erase' }],
  [
    'a warning instead of the deletion that nobody was warned of',
    {},
    120,
    null,
    { kind: 'remind', deleteAfter: day(127) },
  ],
  [
    'the same when only the last one is missing',
    { reminded: [30] },
    120,
    null,
    { kind: 'remind', deleteAfter: day(127) },
  ],
  ['more time for who was here', {}, 60, 40, { kind: 'postpone', deleteAfter: day(130) }],
  ['more time also at the last moment', { reminded: [30, 7] }, 90, 89, { kind: 'postpone', deleteAfter: day(179) }],
  ['no more time for usage before the end', { reminded: [30, 7] }, 90, -3, { kind: 'erase' }],
  ['no more time for what is reported on the day of the end', { reminded: [30, 7] }, 90, 0.9, { kind: 'erase' }],
  ['going on with a deletion that was begun', { state: 'deleting' }, 91, 90.5, { kind: 'erase' }],
  ['nothing for who came back', { state: 'reactivated', reminded: [30, 7] }, 200, null, null],
  ['nothing once it is done', { state: 'deleted', reminded: [30, 7] }, 200, null, null],
])('next step: %s (SUB-6)', (_, more, now, used, step) => {
  const next = nextRetentionStep({ ...waiting, ...more }, policy, used === null ? null : day(used), day(now))
  if (step === null) expect(next).toBeNull()
  else expect(next).toMatchObject(step)
})

test('without reminders the deletion comes at its time', () => {
  const silent = { retentionDays: 90, exportReminderDays: [] }
  expect(nextRetentionStep(waiting, silent, null, day(89))).toBeNull()
  expect(nextRetentionStep(waiting, silent, null, day(90))).toEqual({ kind: 'erase' })
})
