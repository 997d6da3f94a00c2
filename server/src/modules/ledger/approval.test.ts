import { expect, test } from 'vitest'
import { creditBreach, creditNeedsSecondPerson } from './approval.ts'

const at = Temporal.Instant.from('2026-06-01T00:00:00Z')
const wish = (amountMinor: bigint, currency = 'USD', days: number | null = 30) => ({
  amountMinor,
  currency,
  expiresAt: days === null ? null : at.add({ hours: 24 * days }),
})
const policy = { maxAmounts: { USD: 1_000 }, secondPersonAbove: { USD: 200 }, maxDays: 90 }

test.each([
  ['at the most', wish(1_000n), null],
  ['one above it', wish(1_001n), 'amount'],
  ['in a currency that is granted to nobody', wish(1n, 'EUR'), 'amount'],
  ['on the last day', wish(1n, 'USD', 90), null],
  ['a day later', wish(1n, 'USD', 91), 'expiresAt'],
  ['without an end where policy limits it', wish(1n, 'USD', null), 'expiresAt'],
])('policy has a word on credit %s', (_, asked, field) => {
  expect(creditBreach(policy, asked, at)?.field ?? null).toBe(field)
})

test('without a policy anything will do, alone', () => {
  expect(creditBreach(undefined, wish(10n ** 12n, 'EUR', null), at)).toBeNull()
  expect(creditNeedsSecondPerson(undefined, wish(10n ** 12n))).toBe(false)
})

test.each([
  [200n, 'USD', false],
  [201n, 'USD', true],
  [201n, 'EUR', false],
  // A name that every object has is no currency of the policy.
  [201n, 'constructor', false],
])('%d of %s needs a second person: %s', (amountMinor, currency, needed) => {
  expect(creditNeedsSecondPerson(policy, { amountMinor, currency })).toBe(needed)
})
