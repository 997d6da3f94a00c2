import { expect, test } from 'vitest'
import { effectiveFromOf } from './effective-from.ts'

const instant = (text: string) => Temporal.Instant.from(`2026-01-01T${text}:00Z`)
type Before = NonNullable<Parameters<typeof effectiveFromOf>[0]>
type Difference = Parameters<typeof effectiveFromOf>[2]
const content = (accessLevel: string) =>
  ({ accessLevel, subscriptionId: 'subscription_1', withheld: false }) as Before['content']
const none: Difference = { gained: [], lost: [], changed: [] }

test.each<[string, string, string, Difference, string, string]>([
  ['what takes away counts from when it happened', 'full', 'none', { ...none, lost: ['sso'] }, '11:00', '11:00'],
  ['what only goes on counts from when it happened', 'full', 'full', none, '11:00', '11:00'],
  ['what gives counts from now', 'full', 'full', { ...none, gained: ['sso'] }, '11:00', '12:00'],
  ['what gives and takes counts from now', 'full', 'full', { ...none, gained: ['a'], lost: ['b'] }, '11:00', '12:00'],
  ['what is neither more nor less counts from now', 'full', 'full', { ...none, changed: ['level'] }, '11:00', '12:00'],
  ['more access counts from now', 'grace', 'full', none, '11:00', '12:00'],
  ['less access from when it happened', 'full', 'grace', none, '11:00', '11:00'],
  ['nothing counts from before its predecessor', 'full', 'none', { ...none, lost: ['sso'] }, '09:00', '10:00'],
  ['nothing counts from the future', 'full', 'none', { ...none, lost: ['sso'] }, '13:00', '12:00'],
])('%s (SUB-8)', (_, was, is, difference, happened, expected) => {
  const before = { effectiveFrom: instant('10:00'), content: content(was) }
  expect(effectiveFromOf(before, content(is), difference, instant(happened), instant('12:00')).toString()).toBe(
    instant(expected).toString(),
  )
})

test('the first snapshot counts from now (SUB-8)', () => {
  expect(effectiveFromOf(null, content('full'), none, instant('09:00'), instant('12:00'))).toEqual(instant('12:00'))
})

test.each([{ subscriptionId: null }, { withheld: true }])(
  'what changes because a plan is gone counts from then (SUB-8)',
  (more) => {
    const before = { effectiveFrom: instant('10:00'), content: content('full') }
    const after = { ...content('full'), ...more }
    const difference = { ...none, lost: ['sso'], changed: ['level'] }
    expect(effectiveFromOf(before, after, difference, instant('11:00'), instant('12:00'))).toEqual(instant('11:00'))
  },
)
