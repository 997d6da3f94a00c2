import { eventTypes, type TimelineEntry } from '@turnpike/contract'
import { expect, test } from 'vitest'
import { formatDay, formatInstant } from './dates.ts'
import { featureOf, isRefusal, sentenceOf } from './timelineSentence.ts'

const entry = (change: Partial<TimelineEntry>): TimelineEntry => ({
  id: 'event:1',
  at: '2026-11-21T12:00:00Z',
  kind: 'event',
  title: 'something.happened',
  correlationId: null,
  actor: null,
  object: null,
  detail: {},
  ...change,
})

test.each([
  [
    { kind: 'webhook', title: 'invoice.paid', detail: { state: 'ignored', outcome: 'stale_version' } },
    'invoice.paid came in: stale version',
  ],
  [{ kind: 'webhook', title: 'invoice.paid', detail: { state: 'dead' } }, 'invoice.paid came in: dead'],
  [
    { kind: 'decision', object: 'exports', detail: { code: 'limit_reached', quantity: 2, used: 49, limit: 50 } },
    'Refused 2 of exports: limit reached, 49 of 50 used',
  ],
  [
    { kind: 'decision', object: 'sso', detail: { reason: 'not_included', attempts: 1 } },
    '1 check of sso refused within the hour: not included',
  ],
  [
    {
      kind: 'audit',
      title: 'charge_lines.placed',
      detail: { after: { lines: 1, amountMinor: '3125', currency: 'USD', own: false } },
    },
    'Usage was put on an invoice: $31.25 USD',
  ],
  [
    { title: 'entitlements.updated', detail: { data: { version: 3, gained: ['sso'], lost: [], changed: [] } } },
    'Entitlements version 3 announced, gained sso',
  ],
  [
    { kind: 'snapshot', title: 'override.created', detail: { version: 3, plan: 'pro' } },
    'Entitlements version 3 for pro, because of override.created',
  ],
  [
    {
      title: 'usage.updated',
      detail: {
        data: {
          meters: [
            { meter: 'exports', used: 1200 },
            { meter: 'calls', used: 3 },
          ],
        },
      },
    },
    'Usage counted: exports 1,200, calls 3',
  ],
  [{ kind: 'audit', title: 'override.created', detail: { reason: 'Launch' } }, 'override.created, “Launch”'],
  [{ title: 'newer.than.this', detail: {} }, 'newer.than.this'],
  [
    { kind: 'audit', title: 'subscription.cancel.requested', detail: { after: { when: 'period_end' } } },
    'Asked for: the cancellation',
  ],
  [
    { kind: 'audit', title: 'subscription.change.failed', detail: { after: { failure: 'payment_failed' } } },
    'Failed: a change of the subscription (payment failed)',
  ],
  [
    { kind: 'audit', title: 'finding.repaired', detail: { before: { kind: 'plan_differs' }, reason: 'Ticket 815' } },
    'A difference from the provider was repaired: plan differs, “Ticket 815”',
  ],
  [
    { kind: 'audit', title: 'override.request', detail: { result: 'denied', after: { feature: 'sso' } } },
    'Denied: An override of sso was asked for; a second person decides',
  ],
  [
    {
      title: 'subscription.updated',
      detail: {
        data: { changed: ['status'], transition: { from: 'active', to: 'past_due', trigger: 'payment_failed' } },
      },
    },
    'Subscription updated, changed status: active → past due (payment failed)',
  ],
  [
    {
      title: 'dunning.stage_reached',
      detail: {
        data: {
          stage: 'restricted',
          since: '2026-11-20T08:00:00Z',
          nextStage: 'read_only',
          nextAt: '2026-11-27T08:00:00Z',
        },
      },
    },
    `Dunning: restricted since ${formatInstant('2026-11-20T08:00:00Z')}, then read only on ${formatDay('2026-11-27T08:00:00Z')}`,
  ],
  [
    {
      title: 'downgrade.remediation_started',
      detail: { data: { plan: 'starter', items: [{ name: 'Projects', used: 12, limit: 5 }], deadline: null } },
    },
    'More in use than starter allows: Projects 12 of 5',
  ],
  [
    { title: 'owner.changed', detail: { data: { personId: 'eve', previousPersonId: 'ana' } } },
    'Billing owner changed from ana to eve',
  ],
] as [Partial<TimelineEntry>, string][])('%o reads “%s”', (change, sentence) => {
  expect(sentenceOf(entry(change))).toBe(sentence)
})

test('refusals and denials stand out, and only a feature can be explained', () => {
  expect(isRefusal(entry({ kind: 'decision' }))).toBe(true)
  expect(isRefusal(entry({ kind: 'audit', detail: { result: 'denied' } }))).toBe(true)
  expect(isRefusal(entry({ kind: 'audit', detail: { result: 'allowed' } }))).toBe(false)
  expect(featureOf(entry({ object: 'exports' }))).toBe('exports')
  expect(featureOf(entry({ object: 'Some object' }))).toBeNull()
})

test('every event about money or access has a sentence of its own, also when its details are missing', () => {
  const dull = Object.keys(eventTypes).filter((type) => sentenceOf(entry({ title: type })) === type)
  expect(dull).toEqual([
    'customer.created',
    'customer.updated',
    'checkout.opened',
    'checkout.completed',
    'checkout.ended',
  ])
})
