import { expect, test } from 'vitest'
import type { WindowRule } from './resolve.ts'
import { rememberWindow, windowAt } from './window.ts'

const instant = (text: string) => Temporal.Instant.from(text)
const monthly: WindowRule = {
  kind: 'billing_period',
  start: '2026-01-31T10:00:00Z',
  end: '2026-02-28T10:00:00Z',
  anchor: '2026-01-31T10:00:00Z',
  interval: { unit: 'month', count: 1 },
}
const yearly: WindowRule = { ...monthly, end: '2027-01-31T10:00:00Z', interval: { unit: 'year', count: 1 } }
// A trial of 14 days: its end is not on the grid of the anchor.
const trial: WindowRule = { ...monthly, end: '2026-02-14T10:00:00Z', anchor: '2026-02-14T10:00:00Z' }

test.each<[string, WindowRule, string, string]>([
  [
    'the calendar month',
    { kind: 'calendar_month' },
    '2026-02-28T23:59:59Z',
    '2026-02-01T00:00:00Z 2026-03-01T00:00:00Z',
  ],
  [
    'the first instant of a month',
    { kind: 'calendar_month' },
    '2026-03-01T00:00:00Z',
    '2026-03-01T00:00:00Z 2026-04-01T00:00:00Z',
  ],
  ['inside the known period', monthly, '2026-02-01T00:00:00Z', '2026-01-31T10:00:00Z 2026-02-28T10:00:00Z'],
  ['its first instant', monthly, '2026-01-31T10:00:00Z', '2026-01-31T10:00:00Z 2026-02-28T10:00:00Z'],
  ['its end belongs to the next', monthly, '2026-02-28T10:00:00Z', '2026-02-28T10:00:00Z 2026-03-31T10:00:00Z'],
  [
    'a renewal that nobody has told us of',
    monthly,
    '2026-04-15T00:00:00Z',
    '2026-03-31T10:00:00Z 2026-04-30T10:00:00Z',
  ],
  ['late usage of the period before', monthly, '2026-01-31T09:59:59Z', '2025-12-31T10:00:00Z 2026-01-31T10:00:00Z'],
  [
    'a month of a year, from the anchor on',
    { ...yearly, countedBy: { unit: 'month', count: 1 } },
    '2026-02-28T10:00:00Z',
    '2026-02-28T10:00:00Z 2026-03-31T10:00:00Z',
  ],
  [
    'the last month of a year',
    { ...yearly, countedBy: { unit: 'month', count: 1 } },
    '2027-01-31T09:59:59Z',
    '2026-12-31T10:00:00Z 2027-01-31T10:00:00Z',
  ],
  [
    'the first month of the year that nobody has told us of',
    { ...yearly, countedBy: { unit: 'month', count: 1 } },
    '2027-01-31T10:00:00Z',
    '2027-01-31T10:00:00Z 2027-02-28T10:00:00Z',
  ],
  [
    'months of a trial, which ends between two',
    { ...trial, countedBy: { unit: 'month', count: 1 } },
    '2026-02-01T00:00:00Z',
    '2026-01-31T10:00:00Z 2026-02-14T10:00:00Z',
  ],
  ['a year', yearly, '2026-12-31T00:00:00Z', '2026-01-31T10:00:00Z 2027-01-31T10:00:00Z'],
  ['inside a trial', trial, '2026-02-01T00:00:00Z', '2026-01-31T10:00:00Z 2026-02-14T10:00:00Z'],
  ['right after a trial', trial, '2026-02-14T10:00:00Z', '2026-02-14T10:00:00Z 2026-03-14T10:00:00Z'],
  [
    'before a trial: up to its begin, not into it',
    trial,
    '2026-01-31T09:00:00Z',
    '2026-01-14T10:00:00Z 2026-01-31T10:00:00Z',
  ],
])('%s', (_, rule, at, expected) => {
  const { start, end } = windowAt(rule, instant(at))
  expect(`${start} ${end}`).toBe(expected)
})

test('a period that ends off the grid is followed from its end', () => {
  const odd: WindowRule = { ...monthly, end: '2026-03-05T00:00:00Z' }
  const { start, end } = windowAt(odd, instant('2026-03-06T00:00:00Z'))
  expect(`${start} ${end}`).toBe('2026-03-05T00:00:00Z 2026-03-31T10:00:00Z')
})

test('a remembered window is the same as one that is worked out, on either side of its ends', () => {
  for (const rule of [monthly, yearly, trial, { kind: 'calendar_month' } as const]) {
    const remembered = rememberWindow(rule)
    for (const at of [
      '2026-02-01T00:00:00Z',
      '2026-02-14T09:59:59.999Z',
      '2026-02-14T10:00:00Z',
      '2026-02-28T10:00:00Z',
      '2026-01-31T10:00:00Z',
      '2026-01-31T09:59:59.999Z',
    ]) {
      const { start, end } = windowAt(rule, instant(at))
      expect(remembered(instant(at).epochMilliseconds)).toEqual({
        startMs: start.epochMilliseconds,
        endMs: end.epochMilliseconds,
        resetsAt: String(end),
      })
    }
  }
})
