import { expect, test } from 'vitest'
import type { Order } from '../payments/index.ts'
import type { SubscriptionRecord } from '../subscriptions/index.ts'
import { isSafeLater, type Terms } from './command.ts'
import { tookEffect } from './took-effect.ts'

const terms: Terms = { plan: 'pro', planVersion: 1, price: 'monthly', currency: 'USD', seats: 3, addOns: [] }
const wanted: Terms = { ...terms, plan: 'scale', seats: 10 }
const at = Temporal.Instant.from('2026-02-01T00:00:00Z')
const now = (more: Partial<SubscriptionRecord> = {}) =>
  ({ ...terms, status: 'active', endsAt: null, pendingChange: null, ...more }) as SubscriptionRecord
const planned = (more: object = {}): SubscriptionRecord['pendingChange'] => ({
  kind: 'plan_change',
  effectiveAt: at.toString(),
  to: { plan: 'scale', version: 2, name: 'Scale' },
  price: 'monthly',
  interval: 'month',
  seats: 10,
  addOns: [],
  ...more,
})

test.each<[Order['kind'], string, SubscriptionRecord | null, boolean]>([
  ['create', 'nothing is there', null, false],
  ['create', 'it is there, paid or not', now({ status: 'incomplete' }), true],
  ['change_now', 'the old terms', now(), false],
  ['change_now', 'the new terms', now(wanted), true],
  ['change_now', 'the new terms on a newer version', now({ ...wanted, planVersion: 2 }), true],
  ['change_now', 'the new plan with other seats', now({ ...wanted, seats: 11 }), false],
  [
    'change_now',
    'the new terms wait for their money',
    now({ pendingChange: planned({ kind: 'payment_required' }) }),
    false,
  ],
  ['change_at_period_end', 'nothing planned', now(), false],
  ['change_at_period_end', 'planned', now({ pendingChange: planned() }), true],
  ['change_at_period_end', 'something else planned', now({ pendingChange: planned({ seats: 12 }) }), false],
  [
    'change_at_period_end',
    'a cancellation',
    now({ pendingChange: planned({ kind: 'cancellation', to: null }) }),
    false,
  ],
  ['change_at_period_end', 'in force already', now(wanted), true],
  ['cancel_now', 'running', now(), false],
  ['cancel_now', 'ending', now({ endsAt: at }), false],
  ['cancel_now', 'over', now({ status: 'canceled' }), true],
  ['cancel_at_period_end', 'running', now(), false],
  ['cancel_at_period_end', 'ending', now({ endsAt: at }), true],
  ['cancel_at_period_end', 'over', now({ status: 'canceled' }), true],
  ['keep', 'ending', now({ endsAt: at }), false],
  ['keep', 'running', now(), true],
  ['keep', 'over', now({ status: 'canceled' }), false],
  ['pause', 'running', now(), false],
  ['pause', 'paused', now({ status: 'paused' }), true],
  ['resume', 'paused', now({ status: 'paused' }), false],
  ['resume', 'running', now(), true],
  ['resume', 'over', now({ status: 'canceled' }), false],
  ['drop_change', 'planned', now({ pendingChange: planned() }), false],
  ['drop_change', 'nothing planned', now(), true],
  ['end_trial', 'in trial', now({ status: 'trialing' }), false],
  ['end_trial', 'out of it', now(), true],
  ['keep', 'nothing is there', null, false],
])('%s, and now %s', (kind, _, record, expected) => {
  expect(
    tookEffect({ order: { kind } as Order, timing: 'now', effectiveAt: at.toString(), after: wanted }, record),
  ).toBe(expected)
})

test('what charges, takes away at once or makes a promise about money is not asked again by itself', () => {
  const kinds: Order['kind'][] = ['create', 'change_now', 'change_at_period_end', 'cancel_now', 'end_trial']
  expect(kinds.filter((kind) => isSafeLater({ kind } as Order))).toEqual([])
})
