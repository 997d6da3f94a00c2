import { expect, test } from 'vitest'
import { lastEnd, readOnlyUntil } from './ended.ts'

const at = (day: number) => Temporal.Instant.from(`2026-03-${String(day).padStart(2, '0')}T00:00:00Z`)
const canceled = (day: number) => ({ status: 'canceled' as const, endedAt: at(day) })
const expired = (day: number) => ({ status: 'incomplete_expired' as const, endedAt: at(day) })
const alive = (status: 'active' | 'past_due' | 'paused' | 'trialing' | 'unpaid' | 'incomplete') => ({
  status,
  endedAt: null,
})

test.each([
  ['nobody who never bought has left', [], null],
  ['one that ended', [canceled(3)], 3],
  ['the later of two ends, in whatever order', [canceled(9), canceled(3)], 9],
  ['a purchase that was never paid is no end', [expired(5)], null],
  ['a purchase that was never paid after an end moves nothing', [canceled(3), expired(5)], 3],
  ['one that is being bought keeps nobody', [canceled(3), alive('incomplete')], 3],
  ['one that lives', [canceled(3), alive('active')], null],
  ['one that lives in trial', [canceled(3), alive('trialing')], null],
  ['one that is not paid is still one', [canceled(3), alive('unpaid')], null],
  ['one that pauses is still one', [canceled(3), alive('paused')], null],
])('the last end: %s (SUB-6)', (_, subscriptions, day) => {
  expect(lastEnd(subscriptions)?.toString() ?? null).toBe(day === null ? null : at(day).toString())
})

test.each([
  ['some days', 3, 30, '2026-04-02T00:00:00Z'],
  ['one day', 3, 1, '2026-03-04T00:00:00Z'],
  ['none', 3, 0, null],
])('read-only time of %s', (_, day, readOnlyDays, until) => {
  expect(readOnlyUntil(at(day), { readOnlyDays })?.toString() ?? null).toBe(until)
})

test('nobody who has not left is read-only', () => {
  expect(readOnlyUntil(null, { readOnlyDays: 30 })).toBeNull()
})
