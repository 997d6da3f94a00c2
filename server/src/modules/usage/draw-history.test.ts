import { expect, test } from 'vitest'
import { findAnomalies, joinHours, stepsBetween } from './draw-history.ts'

const hour = 3_600_000
const ms = (text: string) => Temporal.Instant.from(text).epochMilliseconds
const units = (n: number) => BigInt(n) * 1_000_000n
const starts = (steps: number[]) => steps.map((step) => Temporal.Instant.fromEpochMilliseconds(step).toString())

type Steps = [name: string, step: 'hour' | 'day', zone: string, from: string, to: string, starts: string[]]
const steps: Steps[] = [
  [
    'hours, from the one under way',
    'hour',
    'UTC',
    '2026-01-01T10:30:00Z',
    '2026-01-01T12:00:00Z',
    ['2026-01-01T10:00:00Z', '2026-01-01T11:00:00Z'],
  ],
  [
    'an hour that has just begun',
    'hour',
    'UTC',
    '2026-01-01T10:00:00Z',
    '2026-01-01T11:00:01Z',
    ['2026-01-01T10:00:00Z', '2026-01-01T11:00:00Z'],
  ],
  ['nothing', 'hour', 'UTC', '2026-01-01T10:00:00Z', '2026-01-01T10:00:00Z', []],
  [
    'days of a time zone',
    'day',
    'America/New_York',
    '2026-01-01T10:00:00Z',
    '2026-01-02T10:00:00Z',
    ['2026-01-01T05:00:00Z', '2026-01-02T05:00:00Z'],
  ],
  [
    'a day of 23 hours',
    'day',
    'Europe/Berlin',
    '2026-03-28T23:00:00Z',
    '2026-03-30T00:00:00Z',
    ['2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z'],
  ],
  [
    'a day of 25 hours',
    'day',
    'Europe/Berlin',
    '2026-10-24T22:00:00Z',
    '2026-10-26T00:00:00Z',
    ['2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z'],
  ],
]
test.each(steps)('steps: %s', (_, step, zone, from, to, expected) => {
  expect(starts(stepsBetween(step, zone, ms(from), ms(to)))).toEqual(expected)
})

const hours = [
  { startMs: -1 * hour, used: units(9) },
  { startMs: 0, used: units(3) },
  { startMs: hour, used: units(1) },
  { startMs: 5 * hour, used: units(2) },
]
const every = [0, 2 * hour, 4 * hour, 6 * hour]
test.each([
  ['sum', [4, 0, 2, 0]],
  ['max', [3, 0, 2, 0]],
  ['last', [1, 1, 2, 2]],
] as const)('hours are joined: %s', (how, used) => {
  expect(joinHours(every, hours, how).map((point) => point.used)).toEqual(used.map(units))
})

test('a level that was set before the first step stands at its beginning', () => {
  expect(joinHours([4 * hour], hours.slice(0, 3), 'last')[0]!.used).toBe(units(1))
})

/** Ten an hour since a time, but for what is told. */
const usual = (firstMs: number, endMs: number, told: Record<number, number> = {}) =>
  Array.from({ length: Math.round((endMs - firstMs) / hour) }, (_, n) => ({
    startMs: firstMs + n * hour,
    used: units(told[firstMs + n * hour] ?? 10),
  }))
const now = ms('2026-03-02T12:20:00Z')
const last = ms('2026-03-02T11:00:00Z')
const weeks = (n: number) => last - n * 7 * 24 * hour

test('the last whole hour is compared with the same of past weeks, the hour under way is not looked at', () => {
  const told = { [last]: 100, [last + hour]: 9_999 }
  expect(findAnomalies(usual(weeks(5), now, told), weeks(5), now)).toEqual([
    {
      span: 'hour',
      kind: 'high',
      value: units(100),
      expected: units(10),
      spread: 0n,
      startMs: last,
      endMs: last + hour,
    },
  ])
})

test('a day without anything', () => {
  const told = Object.fromEntries(Array.from({ length: 24 }, (_, n) => [last - n * hour, 0]))
  expect(findAnomalies(usual(weeks(6), now, told), weeks(6), now).map(({ span, kind }) => [span, kind])).toEqual([
    ['hour', 'low'],
    ['day', 'low'],
  ])
})

test('before four weeks of usage nothing is said', () => {
  expect(findAnomalies(usual(weeks(3), now, { [last]: 500 }), weeks(3), now)).toEqual([])
  expect(findAnomalies([], null, now)).toEqual([])
})
