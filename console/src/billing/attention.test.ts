import type { BillingStatus, MeterUsage } from '@turnpike/contract'
import { expect, test } from 'vitest'
import { attentionOf } from './attention.ts'

const now = Date.parse('2026-11-21T12:00:00Z')
const calm = {
  status: 'active',
  accessLevel: 'full',
  plan: { plan: 'pro', version: 1, name: 'Pro' },
  paymentProblem: null,
  pendingSync: null,
  openCheckout: null,
  trialEndsAt: null,
  endsAt: null,
} as unknown as BillingStatus
const ids = (change: object, meters: object[] = []) =>
  attentionOf({ ...calm, ...change } as BillingStatus, meters as MeterUsage[], now).map(({ id }) => id)

test('nothing is said when nothing is wrong', () => {
  expect(ids({})).toEqual([])
})

test('the most severe comes first', () => {
  expect(
    ids(
      {
        paymentProblem: { kind: 'payment_failed', since: '2026-11-20T00:00:00Z', invoiceUrl: null },
        accessLevel: 'grace',
        endsAt: '2026-12-01T00:00:00Z',
      },
      [{ name: 'Calls', state: 'blocked', limit: 10, upgradePlan: null }],
    ),
  ).toEqual(['payment_failed', 'limit', 'ending'])
})

test.each([
  ['2026-11-24T12:00:00Z', ['trial']],
  ['2026-11-24T12:00:01Z', []],
])('a trial that ends at %s', (trialEndsAt, said) => {
  expect(ids({ status: 'trialing', trialEndsAt })).toEqual(said)
})

test('what a plan does not include is not a limit reached', () => {
  expect(ids({}, [{ name: 'Calls', state: 'blocked', limit: 0, upgradePlan: 'pro' }])).toEqual([])
})

test('while a payment is being confirmed the open checkout is not offered again', () => {
  const openCheckout = {
    checkoutId: 'c',
    kind: 'checkout',
    plan: 'pro',
    sessionUrl: 'https://pay.example',
    expiresAt: null,
  }
  expect(ids({ openCheckout })).toEqual(['checkout'])
  expect(ids({ openCheckout, pendingSync: { since: '2026-11-21T12:00:00Z', checkoutId: 'c' } })).toEqual([
    'pending_sync',
  ])
})
