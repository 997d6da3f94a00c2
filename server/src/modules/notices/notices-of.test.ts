import { eventTypes } from '@turnpike/contract'
import { describe, expect, test } from 'vitest'
import { formatFields } from './format.ts'
import { definitionOf } from './kinds.ts'
import { isDecided, noticesOf } from './notices-of.ts'

const names = {
  feature: (key: string) => ({ api_calls: 'API calls' })[key] ?? key,
  plan: (key: string) => ({ pro: 'Pro' })[key] ?? key,
}
const at = '2027-01-05T00:00:00Z'
const subscription = (more: Record<string, unknown> = {}) => ({
  id: 'subscription_1',
  plan: { plan: 'pro', version: 1, name: 'Pro' },
  status: 'active',
  period: { start: '2027-01-01T00:00:00Z', end: '2027-02-01T00:00:00Z' },
  renewsAt: '2027-02-01T00:00:00Z',
  endsAt: null,
  endedAt: null,
  pendingChange: null,
  ...more,
})
const invoice = (more: Record<string, unknown> = {}) => ({
  number: 'A-1',
  status: 'open',
  amountDueMinor: '4900',
  amountPaidMinor: '0',
  currency: 'USD',
  hostedInvoiceUrl: 'https://pay.example/1',
  actionRequired: false,
  ...more,
})
const stage = (name: string) => ({
  subscriptionId: 'subscription_1',
  plan: 'pro',
  stage: name,
  since: at,
  invoiceUrl: null,
  amount: { amountMinor: '4900', currency: 'USD' },
  nextStage: 'restricted',
  nextAt: '2027-01-12T00:00:00Z',
})
const items = [{ feature: 'projects', name: 'Projects', used: 12, limit: 5, reduceBy: 7 }]

const updated = (changed: string[], more: Record<string, unknown> = {}, transition: unknown = null) => ({
  subscription: subscription(more),
  changed,
  transition,
})
const threshold = (percent: number) => ({
  feature: 'api_calls',
  meter: 'api_calls',
  percent,
  used: 800,
  limit: 1_000,
  windowStart: at,
  windowEnd: '2027-02-01T00:00:00Z',
})
const scheduled = { kind: 'plan_change', effectiveAt: '2027-02-01T00:00:00Z', to: { plan: 'starter', name: 'Starter' } }

const cases: [told: string, type: string, data: Record<string, unknown>, kinds: string[]][] = [
  ['a new period', 'subscription.updated', updated(['period']), []],
  [
    'a cancellation',
    'subscription.updated',
    updated(['endsAt', 'pendingChange'], { endsAt: at }),
    ['cancellation_scheduled'],
  ],
  ['a cancellation taken back', 'subscription.updated', updated(['endsAt', 'pendingChange']), ['reactivated']],
  ['another plan', 'subscription.updated', updated(['plan', 'price']), ['plan_changed']],
  [
    'a plan for later',
    'subscription.updated',
    updated(['pendingChange'], { pendingChange: scheduled }),
    ['plan_change_scheduled'],
  ],
  ['a plan for later taken back', 'subscription.updated', updated(['pendingChange']), []],
  [
    'a pause',
    'subscription.updated',
    updated(['status'], {}, { from: 'active', to: 'paused', trigger: 'x' }),
    ['paused'],
  ],
  [
    'the end of a pause',
    'subscription.updated',
    updated(['status'], {}, { from: 'paused', to: 'active', trigger: 'x' }),
    ['resumed'],
  ],
  [
    'a payment that is late',
    'subscription.updated',
    updated(['status'], {}, { from: 'active', to: 'past_due', trigger: 'x' }),
    [],
  ],
  [
    'an end',
    'subscription.canceled',
    { subscription: subscription({ status: 'canceled', endedAt: at }) },
    ['canceled'],
  ],
  [
    'the end of what never began',
    'subscription.canceled',
    { subscription: subscription({ status: 'incomplete_expired' }) },
    [],
  ],
  [
    'a trial that ends',
    'subscription.trial_ending',
    { subscription: subscription(), endsAt: at, paymentMethodOnFile: true },
    ['trial_ending'],
  ],
  [
    'a renewal',
    'subscription.renewal_upcoming',
    { subscription: subscription(), at, amount: null },
    ['renewal_upcoming'],
  ],
  [
    'a change that failed',
    'subscription.change_failed',
    { subscription: subscription(), action: 'change', code: 'x', invoiceUrl: null },
    ['change_failed'],
  ],
  ['a paid invoice', 'invoice.paid', { invoice: invoice({ amountPaidMinor: '4900' }) }, ['receipt']],
  ['an invoice of nothing', 'invoice.paid', { invoice: invoice() }, []],
  ['a payment refused', 'invoice.payment_failed', { invoice: invoice() }, ['payment_failed']],
  [
    'a payment to confirm',
    'invoice.payment_failed',
    { invoice: invoice({ actionRequired: true }) },
    ['action_required'],
  ],
  ['days of grace', 'dunning.stage_reached', stage('grace'), ['grace_started']],
  ['restricted access', 'dunning.stage_reached', stage('restricted'), ['restricted']],
  ['read only', 'dunning.stage_reached', stage('read_only'), ['read_only']],
  ['the end by dunning, which the end itself tells', 'dunning.stage_reached', stage('canceled'), []],
  ['no access any more', 'dunning.stage_reached', stage('none'), ['suspended']],
  ['a reminder', 'dunning.reminded', stage('grace'), ['payment_reminder']],
  ['a payment recovered', 'dunning.recovered', { plan: 'pro', outcome: 'recovered' }, ['payment_recovered']],
  ['a payment given up', 'dunning.recovered', { plan: 'pro', outcome: 'written_off' }, []],
  ['a threshold', 'usage.threshold_reached', threshold(80), ['limit_warning']],
  ['the limit', 'usage.threshold_reached', threshold(100), ['limit_reached']],
  [
    'too much for a smaller plan',
    'downgrade.remediation_started',
    { plan: 'pro', deadline: at, items },
    ['downgrade_remediation'],
  ],
  [
    'a reminder of it',
    'downgrade.remediation_reminded',
    { plan: 'pro', deadline: at, items },
    ['downgrade_remediation_reminder'],
  ],
  ['it was done', 'downgrade.remediation_met', { plan: 'pro', deadline: at, items }, []],
  ['it was not done', 'downgrade.remediation_enforced', { plan: 'pro', deadline: at, items }, ['downgrade_enforced']],
  ['an export that ends', 'retention.export_ending', { deleteAt: at, days: 7 }, ['export_ending']],
  ['data deleted', 'retention.deleted', { deletedAt: at }, []],
  ['a transfer', 'owner.transfer_requested', { transferId: 'transfer_1', expiresAt: at }, ['owner_transfer_request']],
  ['a new owner', 'owner.changed', { personId: 'ana', previousPersonId: null }, ['owner_changed']],
  [
    'a request for an override',
    'override.requested',
    { override: { feature: 'api_calls', reason: 'Because', actor: 'key_1' }, requestExpiresAt: at },
    ['override_requested'],
  ],
]

describe('what an event tells the customer (DUN-2)', () => {
  test.each(cases)('%s', (_, type, data, kinds) => {
    const drafts = noticesOf({ type, at, data }, names)
    expect(drafts.map((draft) => draft.kind)).toEqual(kinds)
    // What a rule gives is all that its templates read.
    for (const { kind, data: given } of drafts)
      expect(Object.keys(formatFields(definitionOf(kind), given, { locale: 'en-US', timeZone: 'UTC' })).sort()).toEqual(
        Object.keys(given).sort(),
      )
  })

  test('every event type is decided: a notice, or explicitly none', () => {
    expect(Object.keys(eventTypes).filter((type) => !isDecided(type))).toEqual([])
    expect(() => noticesOf({ type: 'constructor', at, data: {} }, names)).toThrow(/no rule/)
  })

  test('two limits are two messages, until their windows end', () => {
    const [draft] = noticesOf({ type: 'usage.threshold_reached', at, data: threshold(80) }, names)
    expect(draft).toMatchObject({
      topic: 'limit:api_calls',
      until: '2027-02-01T00:00:00Z',
      data: { feature: 'API calls', percent: 80 },
    })
  })
})
