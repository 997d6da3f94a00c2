import { expect, test } from 'vitest'
import { paceOf, projectUsage } from './project-usage.ts'

const hour = 3_600_000
const units = (n: number) => BigInt(Math.round(n * 1_000_000))
const whole = { fractional: false, limit: null }

const paces: [name: string, first: number | null, at: number, hours: number | null][] = [
  ['nothing was ever used', null, 1_000, null],
  ['less than a day is no pace', 0, 23.9, null],
  ['a day is one', 0, 24, 24],
  ['the hour under way does not count', 0, 24.9, 24],
  ['since the first usage, when that is less than a week ago', 10, 110, 100],
  ['a week at most', 0, 1_000, 168],
]
test.each(paces)('the pace: %s', (_, first, at, hours) => {
  expect(paceOf(units(7), first === null ? null : first * hour, at * hour)).toEqual(
    hours === null ? null : { quantity: units(7), hours },
  )
})

type Case = [name: string, used: number, week: number, leftHours: number, projected: number]
const projections: Case[] = [
  ['the week goes on as it was', 100, 168, 168, 268],
  ['a window that ends now', 100, 168, 0, 100],
  ['a window that is over', 100, 168, -5, 100],
  ['nothing was used lately', 100, 0, 300, 100],
  ['nothing was used in this window yet', 0, 168, 24, 24],
  ['more was taken back than used', 50, -20, 100, 50],
  ['less than half a unit is left out', 0, 84, 0.99, 0],
  ['half a unit is one', 0, 84, 1, 1],
]
test.each(projections)('whole units: %s', (_, used, week, left, projected) => {
  const { used: expected } = projectUsage(
    units(used),
    { quantity: units(week), hours: 168 },
    { endMs: left * hour },
    0,
    whole,
  )
  expect(expected).toBe(units(projected))
})

test('fractions are kept to a millionth', () => {
  const pace = { quantity: units(1), hours: 168 }
  const meter = { fractional: true, limit: null }
  expect(projectUsage(0n, pace, { endMs: hour }, 0, meter).used).toBe(5_952n)
})

const limits: [name: string, used: number, limit: number | null, reachedAfterHours: number | null][] = [
  ['no limit', 10, null, null],
  ['stays below', 10, 100, null],
  ['is met at the end exactly', 10, 58, 48],
  ['is met on the way', 10, 20, 10],
  ['is met already', 10, 10, 0],
  ['is passed already', 10, 5, 0],
]
test.each(limits)('the limit, at one unit an hour for 48 hours: %s', (_, used, limit, after) => {
  const { limitReachedAtMs } = projectUsage(
    units(used),
    { quantity: units(168), hours: 168 },
    { endMs: 48 * hour },
    0,
    {
      fractional: false,
      limit: limit === null ? null : units(limit),
    },
  )
  expect(limitReachedAtMs).toBe(after === null ? null : after * hour)
})
