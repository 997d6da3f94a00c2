import { expect, test } from 'vitest'
import type { ListedSubscription, SubscriptionFact } from '../payments/index.ts'
import type { SubscriptionRecord } from '../subscriptions/index.ts'
import { compareCount, compareSubscription } from './compare-subscriptions.ts'

const instant = (text: string) => Temporal.Instant.from(text)
const record: SubscriptionRecord = {
  tenantId: 'ana',
  subscriptionId: 'subscription_1',
  customerId: 'customer_1',
  provider: 'stripe',
  providerSubscriptionId: 'sub_1',
  plan: 'pro',
  planVersion: 2,
  price: 'monthly',
  currency: 'USD',
  interval: { unit: 'month', count: 1 },
  seats: 3,
  addOns: [],
  status: 'active',
  period: { start: instant('2026-11-01T00:00:00Z'), end: instant('2026-12-01T00:00:00Z') },
  anchor: instant('2026-11-01T00:00:00Z'),
  trialEndsAt: null,
  endsAt: null,
  endedAt: null,
  pendingChange: null,
  standing: { paymentMethodOnFile: true, paused: null, collectionPaused: null },
  noted: null,
  startedAt: instant('2026-11-01T00:00:00Z'),
  updatedAt: instant('2026-11-01T00:00:00Z'),
}
const ended = { status: 'canceled', endedAt: instant('2026-11-10T00:00:00Z') } as const
const cancellation: NonNullable<SubscriptionRecord['pendingChange']> = {
  kind: 'cancellation',
  effectiveAt: '2026-12-01T00:00:00Z',
  to: null,
  price: null,
  interval: null,
  seats: null,
  addOns: [],
}

const listed = (expected: Partial<SubscriptionRecord>, readable = true): ListedSubscription => ({
  providerSubscriptionId: 'sub_1',
  providerCustomerId: 'cus_1',
  fact: readable
    ? ({ status: 'active', items: [{ lookupKey: 'x' }], endedAt: null, ...expected } as unknown as SubscriptionFact)
    : null,
})
const theirs = (expected: Partial<SubscriptionRecord> = {}) => ({
  listed: listed(expected),
  expected: { ...record, ...expected },
})
const around = { anotherLiveHere: false, historySince: instant('2026-10-01T00:00:00Z') }

const cases: [
  name: string,
  ours: Partial<SubscriptionRecord> | null,
  theirs: Parameters<typeof compareSubscription>[1],
  kinds: string[],
][] = [
  ['the same on both sides', {}, theirs(), []],
  ['another status', { status: 'past_due' }, theirs(), ['status_differs']],
  ['another plan', { plan: 'starter' }, theirs(), ['plan_differs']],
  ['another version of the plan', { planVersion: 1 }, theirs(), ['plan_differs']],
  ['another price and currency', { price: 'yearly', currency: 'EUR' }, theirs(), ['price_differs']],
  ['other seats', { seats: 4 }, theirs(), ['quantity_differs']],
  ['other add-ons', { addOns: [{ addOn: 'x', quantity: 1 }] }, theirs(), ['quantity_differs']],
  [
    'another period',
    { period: { ...record.period, end: instant('2026-12-02T00:00:00Z') } },
    theirs(),
    ['period_differs'],
  ],
  [
    'a cancellation that is not known here, told once',
    {},
    theirs({ endsAt: instant('2026-12-01T00:00:00Z'), pendingChange: cancellation }),
    ['cancellation_differs'],
  ],
  [
    'another scheduled change',
    {},
    theirs({ pendingChange: { ...cancellation, kind: 'plan_change' } }),
    ['pending_change_differs'],
  ],
  ['two things at once', { status: 'unpaid', seats: 1 }, theirs(), ['quantity_differs', 'status_differs']],
  ['a live one that is nowhere there', {}, null, ['subscription_missing_at_provider']],
  ['an ended one that is nowhere there', ended, null, []],
  ['one that could not be read', { status: 'past_due' }, { listed: listed({}, false), expected: null }, []],
  ['prices that are not ours', null, { listed: listed({}), expected: null }, ['subscription_unmapped']],
  ['an ended one with prices that are not ours', null, { listed: listed(ended), expected: null }, []],
  ['paid there, nothing here', null, theirs(), ['customer_without_subscription']],
  ['begun there and not paid, nothing here', null, theirs({ status: 'incomplete' }), ['subscription_missing_here']],
  ['lately ended there, never here', null, theirs(ended), ['subscription_missing_here']],
  ['long ended there, never here', null, theirs({ ...ended, endedAt: instant('2026-01-01T00:00:00Z') }), []],
  ['ended here, live there', ended, theirs(), ['subscription_ended_here']],
  ['ended on both sides, at other times', { ...ended, endedAt: instant('2026-11-11T00:00:00Z') }, theirs(ended), []],
]

test.each(cases)('%s (REC-2)', (_, ours, provider, kinds) => {
  const differences = compareSubscription(ours && { ...record, ...ours }, provider, around)
  expect(differences.map(({ kind }) => kind).sort()).toEqual(kinds)
})

test('beside another live one, a missing one is not a customer without a subscription', () => {
  expect(compareSubscription(null, theirs(), { ...around, anotherLiveHere: true })).toMatchObject([
    { kind: 'subscription_missing_here', object: 'sub_1', repair: 'resync' },
  ])
})

test('a difference shows both sides as plain JSON', () => {
  const [difference] = compareSubscription({ ...record, seats: 4 }, theirs(), around)
  expect(difference).toEqual({
    kind: 'quantity_differs',
    object: 'subscription_1',
    here: { seats: 4 },
    there: { seats: 3 },
    repair: 'resync',
  })
  const [period] = compareSubscription({ ...record, trialEndsAt: instant('2026-11-05T00:00:00Z') }, theirs(), around)
  expect(period).toMatchObject({ here: { trialEndsAt: '2026-11-05T00:00:00Z' }, there: { trialEndsAt: null } })
})

test('two that are paid for are one too many; ended, begun and foreign ones do not count', () => {
  const second = { ...theirs(), listed: { ...listed({}), providerSubscriptionId: 'sub_2' } }
  expect(compareCount('cus_1', [theirs(), second])).toMatchObject([
    { kind: 'two_subscriptions', object: 'cus_1', there: { sub_1: 'pro', sub_2: 'pro' }, repair: 'by_hand' },
  ])
  for (const other of [theirs(ended), theirs({ status: 'incomplete' }), { listed: listed({}), expected: null }])
    expect(compareCount('cus_1', [theirs(), other])).toEqual([])
})
