import { expect, test } from 'vitest'
import { reminderOf } from './reminders.ts'

const instant = (text: string) => Temporal.Instant.from(`2026-${text}:00Z`)
type Given = Parameters<typeof reminderOf>[0]
const trial: Given = {
  status: 'trialing',
  interval: { unit: 'month', count: 1 },
  period: { start: instant('01-01T00:00'), end: instant('01-15T00:00') },
  trialEndsAt: instant('01-15T00:00'),
  endsAt: null,
}
const yearly: Given = {
  status: 'active',
  interval: { unit: 'year', count: 1 },
  period: { start: Temporal.Instant.from('2025-03-01T00:00:00Z'), end: instant('03-01T00:00') },
  trialEndsAt: null,
  endsAt: null,
}

test.each<[string, Given, Parameters<typeof reminderOf>[1], string, string | null]>([
  ['three days before the end of a trial', trial, undefined, '01-12T00:00', 'trial_ending'],
  ['a moment earlier nothing', trial, undefined, '01-11T23:59', null],
  ['at the end it is too late', trial, undefined, '01-15T00:00', null],
  ['as many days as the catalog says', trial, { trialEndingDays: 5 }, '01-10T00:00', 'trial_ending'],
  ['never, when the catalog says so', trial, { trialEndingDays: 0 }, '01-14T23:59', null],
  [
    'not when it ends without being continued',
    { ...trial, endsAt: instant('01-15T00:00') },
    undefined,
    '01-12T00:00',
    null,
  ],
  ['not once it is paid', { ...trial, status: 'active' }, undefined, '01-12T00:00', null],
  ['seven days before a year renews', yearly, undefined, '02-22T00:00', 'renewal_upcoming'],
  ['a moment earlier nothing', yearly, undefined, '02-21T23:59', null],
  ['not while money is owed', { ...yearly, status: 'past_due' }, undefined, '02-25T00:00', null],
  ['not when it was canceled', { ...yearly, endsAt: instant('03-01T00:00') }, undefined, '02-25T00:00', null],
  ['a month is not announced', { ...yearly, interval: { unit: 'month', count: 1 } }, undefined, '02-25T00:00', null],
  [
    'unless the catalog says so',
    { ...yearly, interval: { unit: 'month', count: 1 } },
    { renewalDays: { month: 4 } },
    '02-25T00:00',
    'renewal_upcoming',
  ],
  ['and then a year is not', yearly, { renewalDays: { month: 4 } }, '02-25T00:00', null],
])('%s (SUB-3)', (_, given, policy, at, expected) => {
  expect(reminderOf(given, policy, instant(at))?.kind ?? null).toBe(expected)
})
