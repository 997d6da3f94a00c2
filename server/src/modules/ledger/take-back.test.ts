import { expect, test } from 'vitest'
import type { GrantBalance } from './grant.ts'
import { shareOfRefund, takeBackPosting } from './take-back.ts'

const at = Temporal.Instant.from('2026-06-01T00:00:00Z')
/** 110.00 that cost 100.00. */
const grant = (leftMinor: bigint, more: Partial<GrantBalance> = {}): GrantBalance => ({
  ...{ tenantId: 'ana', grantId: 'grant_1', state: 'active', category: 'paid', currency: 'USD', amountMinor: 11_000n },
  ...{ paidMinor: 10_000n, priority: 50, charges: null, grantedAt: at, expiresAt: null, reason: 'Bought', leftMinor },
  ...{ grantedBy: 'ana', checkoutId: 'checkout_1', requestExpiresAt: null, decidedBy: null, decidedAt: null },
  ...{ decisionReason: null, voidedAt: null, ...more },
})
const by = { actor: 'stripe', at, reason: 'its payment was refunded' }
const moved = (of: GrantBalance, taken: bigint, wanted: bigint) =>
  takeBackPosting(of, taken, wanted, by, 1)?.entries.map(({ kind, amountMinor }) => [kind, amountMinor]) ?? null

test.each([
  ['all of it', 10_000n, 11_000n],
  ['half of it', 5_000n, 5_500n],
  ['a part that does not come out even, cut', 33n, 36n],
  ['nothing', 0n, 0n],
  ['more than was paid, by whatever mistake', 20_000n, 11_000n],
])('of a payment that was refunded, %s', (_, refundedMinor, share) => {
  expect(shareOfRefund(grant(0n), { paidMinor: 10_000n, refundedMinor })).toBe(share)
})

test('what was bought for nothing has nothing to go back', () => {
  expect(shareOfRefund(grant(0n), { paidMinor: 0n, refundedMinor: 5n })).toBe(0n)
})

test.each([
  ['all, unspent', grant(11_000n), 0n, 11_000n, [11_000n, 10_000n, 1_000n]],
  ['all, half of it burnt: what is left', grant(5_500n), 0n, 11_000n, [5_500n, 5_000n, 500n]],
  ['the second half after the first', grant(5_500n), 5_500n, 11_000n, [5_500n, 5_000n, 500n]],
  ['a minor unit: the cost is cut, not rounded', grant(11_000n), 0n, 1n, [1n, 0n, 1n]],
  ['and the next one makes up for it', grant(10_999n), 1n, 2n, [1n, 1n, 0n]],
])('a refund takes %s', (_, of, taken, wanted, [credit, refunded, breakage]) => {
  expect(moved(of, taken, wanted)).toEqual([
    ['credit', -credit!],
    ...(refunded === 0n ? [] : [['refunded', refunded]]),
    ...(breakage === 0n ? [] : [['breakage', breakage]]),
  ])
})

test.each([
  ['the same again', grant(5_500n), 5_500n, 5_500n],
  ['all of it is burnt', grant(0n), 0n, 11_000n],
  ['the rest is burnt', grant(0n), 5_500n, 11_000n],
  ['it has ended at this very instant', grant(11_000n, { expiresAt: at }), 0n, 11_000n],
  ['somebody took it back altogether', grant(0n, { voidedAt: at }), 11_000n, 0n],
])('nothing moves where %s', (_, of, taken, wanted) => {
  expect(moved(of, taken, wanted)).toBeNull()
})

test('a refund that came to nothing gives back what it took, to the minor unit', () => {
  expect(moved(grant(0n), 5_500n, 0n)).toEqual([
    ['credit', 5_500n],
    ['refunded', -5_000n],
    ['breakage', -500n],
  ])
})
