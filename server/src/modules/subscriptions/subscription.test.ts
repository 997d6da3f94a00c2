import { type AccessLevel, type SubscriptionStatus, subscriptionStatuses } from '@turnpike/contract'
import { describe, expect, test } from 'vitest'
import { changedFields } from './compare.ts'
import { accessLevelOf, isTerminal, leadingSubscription, type SubscriptionRecord } from './subscription.ts'

const policy: Partial<Record<SubscriptionStatus, AccessLevel>> = {
  trialing: 'full',
  active: 'full',
  past_due: 'grace',
  unpaid: 'restricted',
  paused: 'read_only',
}
const instant = (text: string) => Temporal.Instant.from(text)
const subscription = (
  subscriptionId: string,
  status: SubscriptionStatus,
  started = '2026-01-01',
): SubscriptionRecord => ({
  tenantId: 'ana',
  subscriptionId,
  customerId: 'customer_1',
  provider: 'provider',
  providerSubscriptionId: `provider_${subscriptionId}`,
  plan: 'pro',
  planVersion: 1,
  price: 'monthly',
  currency: 'USD',
  interval: { unit: 'month', count: 1 },
  seats: 3,
  addOns: [],
  status,
  period: { start: instant('2026-01-01T00:00:00Z'), end: instant('2026-02-01T00:00:00Z') },
  anchor: instant('2026-01-01T00:00:00Z'),
  trialEndsAt: null,
  endsAt: null,
  endedAt: null,
  pendingChange: null,
  standing: { paymentMethodOnFile: true, paused: null, collectionPaused: null },
  noted: null,
  startedAt: instant(`${started}T00:00:00Z`),
  updatedAt: instant(`${started}T00:00:00Z`),
})

test('a status that the policy does not name allows nothing', () => {
  expect(subscriptionStatuses.map((status) => accessLevelOf(status, policy))).toEqual([
    'none',
    'none',
    'full',
    'full',
    'grace',
    'restricted',
    'read_only',
    'none',
  ])
})

test('exactly two statuses are final', () => {
  expect(subscriptionStatuses.filter(isTerminal)).toEqual(['incomplete_expired', 'canceled'])
})

describe('the subscription that leads', () => {
  test.each<[string, SubscriptionRecord[], string | null]>([
    ['none of none', [], null],
    ['none of those that ended', [subscription('a', 'canceled'), subscription('b', 'incomplete_expired')], null],
    [
      'a live one over a younger one that ended',
      [subscription('a', 'unpaid'), subscription('b', 'canceled', '2026-05-01')],
      'a',
    ],
    ['the one with most access', [subscription('a', 'past_due', '2026-05-01'), subscription('b', 'active')], 'b'],
    ['grace over restricted', [subscription('a', 'unpaid', '2026-05-01'), subscription('b', 'past_due')], 'b'],
    [
      'read only over one that waits',
      [subscription('a', 'incomplete', '2026-05-01'), subscription('b', 'paused')],
      'b',
    ],
    [
      'of two with the same access the younger',
      [subscription('a', 'active'), subscription('b', 'trialing', '2026-05-01')],
      'b',
    ],
    ['of two of one moment always the same', [subscription('a', 'active'), subscription('b', 'active')], 'b'],
  ])('%s', (_, subscriptions, expected) => {
    expect(leadingSubscription(subscriptions, policy)?.subscriptionId ?? null).toBe(expected)
    expect(leadingSubscription([...subscriptions].reverse(), policy)?.subscriptionId ?? null).toBe(expected)
  })
})

describe('what changed', () => {
  const before = subscription('a', 'active')
  test.each<[string, Partial<SubscriptionRecord>, string[]]>([
    ['nothing', {}, []],
    ['only when it was looked at', { updatedAt: instant('2027-01-01T00:00:00Z') }, []],
    ['equal values in other objects', { period: { ...before.period }, interval: { count: 1, unit: 'month' } }, []],
    ['the status', { status: 'past_due' }, ['status']],
    ['the period', { period: { start: before.period.end, end: instant('2026-03-01T00:00:00Z') } }, ['period']],
    ['the end', { endsAt: before.period.end }, ['endsAt']],
    ['plan and price', { plan: 'scale', price: 'yearly' }, ['plan', 'price']],
    ['seats and add-ons', { seats: 4, addOns: [{ addOn: 'x', quantity: 1 }] }, ['seats', 'addOns']],
    [
      'a pending change',
      {
        pendingChange: {
          kind: 'cancellation',
          effectiveAt: '2026-02-01T00:00:00Z',
          to: null,
          price: null,
          interval: null,
          seats: null,
          addOns: [],
        },
      },
      ['pendingChange'],
    ],
  ])('%s', (_, more, expected) => {
    expect(changedFields(before, { ...before, ...more })).toEqual(expected)
  })
})
