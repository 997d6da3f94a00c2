import { expect, test } from 'vitest'
import { formatDistance, formatInstant, formatPeriod } from './dates.ts'

test('a moment is printed in the billing zone, which is named', () => {
  expect(formatInstant('2026-12-01T00:00:00Z', { locale: 'en-US' })).toBe('Dec 1, 2026, 00:00 UTC')
  expect(formatInstant('2026-12-01T01:00:00+02:00', { locale: 'en-US' })).toBe('Nov 30, 2026, 23:00 UTC')
})

test('a period ends on the last day that belongs to it', () => {
  const november = { start: '2026-11-01T00:00:00Z', end: '2026-12-01T00:00:00Z' }
  expect(plain(formatPeriod(november, 'en-US'))).toBe('Nov 1 – 30, 2026')
  const oneDay = { start: '2026-11-01T00:00:00Z', end: '2026-11-02T00:00:00Z' }
  expect(plain(formatPeriod(oneDay, 'en-US'))).toBe('Nov 1, 2026')
})

test('an end within a day still belongs to that day', () => {
  expect(plain(formatPeriod({ start: '2026-11-14T09:30:00Z', end: '2026-12-14T09:30:00Z' }, 'en-US'))).toBe(
    'Nov 14 – Dec 14, 2026',
  )
})

test.each([
  [90, 'in 1 minute'],
  [-7_200, '2 hours ago'],
  [3 * 86_400, 'in 3 days'],
  [-86_400, 'yesterday'],
])('%i seconds away is %s', (seconds, printed) => {
  const now = Date.parse('2026-11-21T12:00:00Z')
  expect(formatDistance(new Date(now + seconds * 1000).toISOString(), now, 'en-US')).toBe(printed)
})

// Printers put thin and unbreakable spaces around the dash of a range.
const plain = (text: string) => text.replaceAll(/[\u2009\u202f\u00a0]/g, ' ')
