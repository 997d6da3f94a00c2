import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type CalendarUnit,
  calendarAt,
  calendarMonthAt,
  contains,
  type Interval,
  instantOf,
  instantOfRow,
  instantOrNull,
  periodAt,
} from './period.ts'

const span = ({ start, end }: { start: Temporal.Instant; end: Temporal.Instant }) => `${start} ${end}`
const month: Interval = { unit: 'month', count: 1 }
const year: Interval = { unit: 'year', count: 1 }

describe('the period that holds a time', () => {
  test.each<[string, Interval, string, string]>([
    ['2026-01-31T00:00:00Z', month, '2026-02-10T00:00:00Z', '2026-01-31T00:00:00Z 2026-02-28T00:00:00Z'],
    // The 31st comes back after a short month.
    ['2026-01-31T00:00:00Z', month, '2026-03-01T00:00:00Z', '2026-02-28T00:00:00Z 2026-03-31T00:00:00Z'],
    ['2026-01-31T00:00:00Z', month, '2026-03-31T00:00:00Z', '2026-03-31T00:00:00Z 2026-04-30T00:00:00Z'],
    ['2026-01-31T00:00:00Z', month, '2028-02-29T12:00:00Z', '2028-02-29T00:00:00Z 2028-03-31T00:00:00Z'],
    // The end belongs to the next period, the instant before it does not.
    ['2026-01-15T10:00:00Z', month, '2026-02-15T10:00:00Z', '2026-02-15T10:00:00Z 2026-03-15T10:00:00Z'],
    ['2026-01-15T10:00:00Z', month, '2026-02-15T09:59:59.999999Z', '2026-01-15T10:00:00Z 2026-02-15T10:00:00Z'],
    ['2026-01-15T10:00:00Z', month, '2026-01-15T10:00:00Z', '2026-01-15T10:00:00Z 2026-02-15T10:00:00Z'],
    // Before the anchor the grid goes on backwards.
    ['2026-01-31T00:00:00Z', month, '2025-12-01T00:00:00Z', '2025-11-30T00:00:00Z 2025-12-31T00:00:00Z'],
    ['2026-01-31T00:00:00Z', month, '2020-02-29T00:00:00Z', '2020-02-29T00:00:00Z 2020-03-31T00:00:00Z'],
    ['2024-02-29T00:00:00Z', year, '2025-03-01T00:00:00Z', '2025-02-28T00:00:00Z 2026-02-28T00:00:00Z'],
    ['2024-02-29T00:00:00Z', year, '2028-02-29T00:00:00Z', '2028-02-29T00:00:00Z 2029-02-28T00:00:00Z'],
    [
      '2026-01-31T00:00:00Z',
      { unit: 'month', count: 3 },
      '2026-07-30T23:00:00Z',
      '2026-04-30T00:00:00Z 2026-07-31T00:00:00Z',
    ],
    [
      '2026-01-01T00:00:00Z',
      { unit: 'week', count: 2 },
      '2026-01-15T00:00:00Z',
      '2026-01-15T00:00:00Z 2026-01-29T00:00:00Z',
    ],
    [
      '2026-01-01T00:00:00Z',
      { unit: 'day', count: 30 },
      '2026-01-31T00:00:00Z',
      '2026-01-31T00:00:00Z 2026-03-02T00:00:00Z',
    ],
  ])('from %s every %o, at %s', (anchor, interval, at, expected) => {
    expect(span(periodAt(instantOf(anchor), interval, instantOf(at)))).toBe(expected)
  })

  const millis = fc.integer({ min: Date.UTC(1990, 0), max: Date.UTC(2090, 0) })
  const interval = fc.record({
    unit: fc.constantFrom('day', 'week', 'month', 'year'),
    count: fc.integer({ min: 1, max: 36 }),
  })
  test('always holds it, and periods meet without gap or overlap', () => {
    fc.assert(
      fc.property(millis, interval, millis, (anchorMs, every, atMs) => {
        const anchor = Temporal.Instant.fromEpochMilliseconds(anchorMs)
        const at = Temporal.Instant.fromEpochMilliseconds(atMs)
        const period = periodAt(anchor, every as Interval, at)
        const next = periodAt(anchor, every as Interval, period.end)
        return contains(period, at) && next.start.equals(period.end) && !contains(period, period.end)
      }),
    )
  })
})

describe('the calendar of a time zone', () => {
  test.each([
    ['Europe/Berlin', '2026-10-25T01:30:00Z', '2026-10-25T01:00:00Z 2026-10-25T02:00:00Z'],
    ['Asia/Kolkata', '2026-10-25T01:10:00Z', '2026-10-25T00:30:00Z 2026-10-25T01:30:00Z'],
    // Half an hour back at 15:00: from two o'clock to half past one.
    ['Australia/Lord_Howe', '2027-04-03T14:59:59Z', '2027-04-03T14:00:00Z 2027-04-03T15:00:00Z'],
    ['Australia/Lord_Howe', '2027-04-03T15:00:00Z', '2027-04-03T15:00:00Z 2027-04-03T15:30:00Z'],
    ['Australia/Lord_Howe', '2027-04-03T15:30:00Z', '2027-04-03T15:30:00Z 2027-04-03T16:30:00Z'],
    // Half an hour forward at 15:30: from two o'clock to half past two.
    ['Australia/Lord_Howe', '2026-10-03T15:29:59Z', '2026-10-03T14:30:00Z 2026-10-03T15:30:00Z'],
    ['Australia/Lord_Howe', '2026-10-03T15:40:00Z', '2026-10-03T15:30:00Z 2026-10-03T16:00:00Z'],
  ])('the hour of %s at %s', (zone, at, expected) => {
    expect(span(calendarAt('hour', zone, instantOf(at)))).toBe(expected)
  })

  test('windows hold their time and meet without gap or overlap', () => {
    const zones = ['UTC', 'Europe/Berlin', 'America/St_Johns', 'America/Havana', 'Asia/Beirut', 'Pacific/Chatham']
    const changes = ['2027-04-03T15:00:00Z', '2026-10-03T15:30:00Z'].map((at) => instantOf(at).epochMilliseconds)
    const near = fc
      .tuple(fc.constantFrom(...changes), fc.integer({ min: -7_200_000, max: 7_200_000 }))
      .map(([change, offset]) => change + offset)
    const ever = fc.integer({ min: Date.UTC(2024, 0), max: Date.UTC(2060, 0) })
    const units = fc.constantFrom<CalendarUnit[]>('hour', 'day', 'week', 'month', 'year')
    const zone = fc.constantFrom('Australia/Lord_Howe', ...zones)
    fc.assert(
      fc.property(units, zone, fc.oneof(near, ever), (unit, timeZone, atMs) => {
        const at = Temporal.Instant.fromEpochMilliseconds(atMs)
        const window = calendarAt(unit, timeZone, at)
        const of = (instant: Temporal.Instant) => span(calendarAt(unit, timeZone, instant))
        return (
          contains(window, at) &&
          of(window.start) === span(window) &&
          of(window.end.subtract({ milliseconds: 1 })) === span(window) &&
          calendarAt(unit, timeZone, window.end).start.equals(window.end)
        )
      }),
    )
  })
})

test.each([
  ['2026-12-31T23:59:59.999999Z', '2026-12-01T00:00:00Z 2027-01-01T00:00:00Z'],
  ['2027-01-01T00:00:00Z', '2027-01-01T00:00:00Z 2027-02-01T00:00:00Z'],
  ['2028-02-29T12:00:00Z', '2028-02-01T00:00:00Z 2028-03-01T00:00:00Z'],
])('the calendar month of %s', (at, expected) => {
  expect(span(calendarMonthAt(instantOf(at)))).toBe(expected)
})

test.each([
  ['2026-01-31 10:00:00+00', '2026-01-31T10:00:00Z'],
  ['2026-01-31 10:00:00.123456+00', '2026-01-31T10:00:00.123456Z'],
  ['2026-01-31 10:00:00+05:30', '2026-01-31T04:30:00Z'],
])('the database’s %s is an instant', (text, expected) => {
  expect(instantOfRow(text).toString()).toBe(expected)
})

test.each([
  ['2026-01-31T10:00:00+02:00', '2026-01-31T08:00:00Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
  ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59Z'],
  // Years that PostgreSQL writes in another way, or not at all.
  ['0000-12-31T23:59:59Z', undefined],
  ['9999-12-31T23:59:59-01:00', undefined],
  ['2026-02-30T00:00:00Z', undefined],
  ['2026-01-31', undefined],
  ['', undefined],
])('somebody’s %s is %s', (text, expected) => {
  expect(instantOrNull(text)?.toString()).toBe(expected)
})
