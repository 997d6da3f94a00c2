import { readFileSync } from 'node:fs'
import type { CommandRequest, SubscriptionStatus } from '@turnpike/contract'
import { describe, expect, test } from 'vitest'
import { Failure } from '../../core/errors.ts'
import { type Catalog, nextCatalog, parseCatalog } from '../catalog/index.ts'
import type { SubscriptionRecord } from '../subscriptions/index.ts'
import { decide, decideNew } from './decide.ts'

const catalogWith = (replace: [string, string][] = []): Catalog => {
  const text = replace.reduce(
    (source, [from, to]) => source.replace(from, to),
    readFileSync('catalog/acme.yaml', 'utf8'),
  )
  const parsed = parseCatalog(text)
  if (!('file' in parsed)) throw new Error(JSON.stringify(parsed))
  return nextCatalog(null, parsed.file)
}
const acme = catalogWith()
const instant = (text: string) => Temporal.Instant.from(text)
const at = instant('2026-01-10T12:00:00Z')
const held = (more: Partial<SubscriptionRecord> = {}): SubscriptionRecord => ({
  tenantId: 'ana',
  subscriptionId: 'subscription_1',
  customerId: 'customer_1',
  provider: 'provider',
  providerSubscriptionId: 'sub_1',
  plan: 'pro',
  planVersion: 1,
  price: 'monthly',
  currency: 'USD',
  interval: { unit: 'month', count: 1 },
  seats: 3,
  addOns: [],
  status: 'active',
  period: { start: instant('2026-01-01T00:00:00Z'), end: instant('2026-02-01T00:00:00Z') },
  anchor: instant('2026-01-01T00:00:00Z'),
  trialEndsAt: null,
  endsAt: null,
  endedAt: null,
  pendingChange: null,
  standing: { paymentMethodOnFile: true, paused: null, collectionPaused: null },
  noted: null,
  startedAt: instant('2026-01-01T00:00:00Z'),
  updatedAt: instant('2026-01-01T00:00:00Z'),
  ...more,
})
const pending = (kind: 'plan_change' | 'cancellation' | 'payment_required') => ({
  kind,
  effectiveAt: '2026-02-01T00:00:00Z',
  to: null,
  price: null,
  interval: null,
  seats: null,
  addOns: [],
})
const outcome = (wish: CommandRequest, from: SubscriptionRecord, catalog = acme) => {
  try {
    return decide(catalog, from, wish, at)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return [error.code, error.extra.reason ?? error.errors[0]?.field].filter(Boolean).join(' ')
  }
}

describe('when a change takes effect', () => {
  const change = (more: Omit<CommandRequest, 'action'>): CommandRequest => ({ action: 'change', ...more })
  test.each<[string, Partial<SubscriptionRecord>, Omit<CommandRequest, 'action'>, 'now' | 'period_end']>([
    ['a plan of higher rank', {}, { plan: 'scale' }, 'now'],
    ['a plan of lower rank', {}, { plan: 'starter' }, 'period_end'],
    ['a higher rank, although it costs less a month', { price: 'yearly' }, { plan: 'scale', price: 'monthly' }, 'now'],
    [
      'a lower rank, although the interval is longer',
      { plan: 'scale' },
      { plan: 'pro', price: 'yearly' },
      'period_end',
    ],
    ['a longer interval', {}, { price: 'yearly' }, 'now'],
    ['a shorter interval', { price: 'yearly' }, { price: 'monthly' }, 'period_end'],
    ['more seats', {}, { seats: 4 }, 'now'],
    ['fewer seats', { seats: 6 }, { seats: 5 }, 'period_end'],
    ['another add-on', {}, { addOns: [{ addOn: 'call_pack', quantity: 1 }] }, 'now'],
    [
      'fewer of an add-on',
      { addOns: [{ addOn: 'call_pack', quantity: 2 }] },
      { addOns: [{ addOn: 'call_pack', quantity: 1 }] },
      'period_end',
    ],
    [
      'seats for an add-on that costs less',
      { seats: 6 },
      { seats: 3, addOns: [{ addOn: 'call_pack', quantity: 1 }] },
      'period_end',
    ],
    [
      'seats for an add-on that costs more',
      { seats: 4 },
      { seats: 3, addOns: [{ addOn: 'call_pack', quantity: 1 }] },
      'now',
    ],
    ['less in a trial, which was not paid for', { status: 'trialing' }, { plan: 'starter' }, 'now'],
  ])('%s', (_, from, wish, timing) => {
    expect(outcome(change(wish), held(from))).toMatchObject({ timing })
  })

  test('by policy: less at once, more at the end, without proration', () => {
    const other = catalogWith([
      ['upgrade: immediate', 'upgrade: period_end'],
      ['downgrade: period_end', 'downgrade: immediate'],
      ['proration: always_invoice', 'proration: create_prorations'],
    ])
    expect(outcome(change({ plan: 'scale' }), held(), other)).toMatchObject({
      timing: 'period_end',
      effectiveAt: '2026-02-01T00:00:00Z',
      order: { kind: 'change_at_period_end' },
    })
    expect(outcome(change({ plan: 'starter' }), held(), other)).toMatchObject({
      timing: 'now',
      order: { kind: 'change_now', proration: 'create_prorations', prorationAt: '2026-01-10T12:00:00Z' },
    })
  })

  test('nothing is prorated in a trial', () => {
    expect(outcome(change({ plan: 'scale' }), held({ status: 'trialing' }))).toMatchObject({
      order: { kind: 'change_now', proration: 'none' },
    })
  })
})

describe('what is held after a change', () => {
  test.each<[string, Partial<SubscriptionRecord>, Omit<CommandRequest, 'action'>, object]>([
    ['seats that came with a plan go with it', { plan: 'scale', seats: 10 }, { plan: 'pro' }, { seats: 3 }],
    ['seats that were bought stay in number', { plan: 'scale', seats: 12 }, { plan: 'pro' }, { seats: 12 }],
    ['as many seats as are included at least', { seats: 5 }, { plan: 'scale' }, { seats: 10 }],
    ['no seats where the plan has none', { seats: 5 }, { plan: 'starter' }, { seats: 0 }],
    [
      'add-ons go along',
      { addOns: [{ addOn: 'call_pack', quantity: 1 }] },
      { plan: 'scale' },
      { addOns: [{ addOn: 'call_pack', quantity: 1 }] },
    ],
    ['the interval stays where the plan has it', { price: 'yearly' }, { plan: 'scale' }, { price: 'yearly' }],
    ['else it is the first of the plan', { price: 'yearly' }, { plan: 'starter' }, { price: 'monthly' }],
  ])('%s', (_, from, wish, after) => {
    expect(outcome({ action: 'change', ...wish }, held(from))).toMatchObject({ after })
  })

  test('a plan that stays keeps its version and the price of that version (CAT-3)', () => {
    const raised = catalogWith([['monthly: { USD: 1200, EUR: 1100 }', 'monthly: { USD: 2200, EUR: 2100 }']])
    const both = nextCatalog(acme, raised.file)
    const decided = outcome({ action: 'change', seats: 5 }, held(), both)
    expect(decided).toMatchObject({ after: { planVersion: 1, seats: 5 } })
    expect(outcome({ action: 'change', price: 'yearly' }, held(), both)).toMatchObject({ after: { planVersion: 2 } })
    const lines = (catalog: Catalog, from: SubscriptionRecord) =>
      (outcome({ action: 'change', seats: 5 }, from, catalog) as ReturnType<typeof decide>).order
    expect(lines(both, held())).toEqual(lines(acme, held()))
  })
})

describe('what is not possible', () => {
  test.each<[string, Partial<SubscriptionRecord>, CommandRequest, string]>([
    ['the same again', {}, { action: 'change', plan: 'pro', seats: 3 }, 'nothing_to_change'],
    ['another currency', {}, { action: 'change', plan: 'scale', currency: 'EUR' }, 'currency_fixed'],
    ['an unknown plan', {}, { action: 'change', plan: 'gold' }, 'plan_unknown plan'],
    ['a name of every object', {}, { action: 'change', plan: 'constructor' }, 'plan_unknown plan'],
    ['an unknown price', {}, { action: 'change', price: 'weekly' }, 'plan_unknown price'],
    ['a plan that is not offered any more', {}, { action: 'change', plan: 'classic' }, 'plan_not_available'],
    ['a plan without price', {}, { action: 'change', plan: 'free' }, 'plan_not_available plan'],
    ['more seats than the plan has', {}, { action: 'change', seats: 51 }, 'plan_not_available seats'],
    ['seats where there are none', {}, { action: 'change', plan: 'starter', seats: 2 }, 'plan_not_available seats'],
    [
      'more seats than fit into the other plan',
      { plan: 'scale', seats: 60 },
      { action: 'change', plan: 'pro' },
      'plan_not_available seats',
    ],
    [
      'an add-on that the plan has not',
      { addOns: [{ addOn: 'call_pack', quantity: 1 }] },
      { action: 'change', plan: 'starter' },
      'plan_not_available addOns',
    ],
    [
      'an add-on twice',
      {},
      {
        action: 'change',
        addOns: [
          { addOn: 'call_pack', quantity: 1 },
          { addOn: 'call_pack', quantity: 1 },
        ],
      },
      'invalid_request addOns',
    ],
    [
      'a change while money is owed',
      { status: 'past_due' },
      { action: 'change', plan: 'scale' },
      'command_not_allowed payment_due',
    ],
    ['a change of what ends', { endsAt: at }, { action: 'change', plan: 'scale' }, 'command_not_allowed ends_already'],
    ['a second cancellation', { endsAt: at }, { action: 'cancel' }, 'command_not_allowed ends_already'],
    ['to undo what was not asked', {}, { action: 'undo_cancel' }, 'command_not_allowed not_ending'],
    ['to take back nothing', {}, { action: 'undo_change' }, 'command_not_allowed nothing_pending'],
    [
      'to take back a cancellation as a change',
      { pendingChange: pending('cancellation') },
      { action: 'undo_change' },
      'command_not_allowed nothing_pending',
    ],
    [
      'a pause while a change waits',
      { pendingChange: pending('plan_change') },
      { action: 'pause' },
      'command_not_allowed change_pending',
    ],
    [
      'a change at once while another waits, which a failed payment would lose',
      { pendingChange: pending('plan_change') },
      { action: 'change', plan: 'scale' },
      'command_not_allowed change_pending',
    ],
    [
      'a pause that ends before it begins',
      {},
      { action: 'pause', resumesAt: '2026-01-10T12:00:00Z' },
      'invalid_request resumesAt',
    ],
    [
      'a credit for nothing',
      {},
      { action: 'cancel', when: 'period_end', creditUnused: true },
      'invalid_request creditUnused',
    ],
    ['fields of another action', {}, { action: 'resume', seats: 2 }, 'invalid_request seats'],
    ['to resume what runs', {}, { action: 'resume' }, 'command_not_allowed status'],
    ['to end a trial that is none', {}, { action: 'end_trial' }, 'command_not_allowed status'],
    [
      'anything of what has ended',
      { status: 'canceled', endedAt: at },
      { action: 'cancel' },
      'command_not_allowed ended',
    ],
  ])('%s', (_, from, wish, expected) => {
    expect(outcome(wish, held(from))).toBe(expected)
  })
})

describe('orders', () => {
  test.each<[SubscriptionStatus, CommandRequest, Partial<SubscriptionRecord>, object]>([
    [
      'active',
      { action: 'cancel' },
      {},
      {
        timing: 'period_end',
        effectiveAt: '2026-02-01T00:00:00Z',
        after: null,
        order: { kind: 'cancel_at_period_end' },
      },
    ],
    [
      'active',
      { action: 'cancel', when: 'now' },
      {},
      { timing: 'now', after: null, order: { kind: 'cancel_now', creditUnused: false } },
    ],
    [
      'active',
      { action: 'cancel', when: 'now', creditUnused: true },
      {},
      { order: { kind: 'cancel_now', creditUnused: true } },
    ],
    ['active', { action: 'cancel', when: 'now' }, { endsAt: at }, { order: { kind: 'cancel_now' } }],
    ['active', { action: 'undo_cancel' }, { endsAt: at }, { order: { kind: 'keep' } }],
    [
      'active',
      { action: 'undo_change' },
      { pendingChange: pending('plan_change') },
      { order: { kind: 'drop_change' } },
    ],
    [
      'active',
      { action: 'undo_change' },
      { pendingChange: pending('payment_required') },
      { order: { kind: 'drop_change' } },
    ],
    ['active', { action: 'pause' }, {}, { order: { kind: 'pause' } }],
    ['paused', { action: 'resume' }, {}, { order: { kind: 'resume' } }],
    ['trialing', { action: 'end_trial' }, {}, { order: { kind: 'end_trial' } }],
  ])('%s: %j', (status, wish, more, expected) => {
    expect(outcome(wish, held({ status, ...more }))).toMatchObject(expected)
  })

  test('an end at once credits by policy', () => {
    const credits = catalogWith([
      ['timing: period_end', 'timing: immediate'],
      ['creditUnused: false', 'creditUnused: true'],
    ])
    expect(outcome({ action: 'cancel' }, held(), credits)).toMatchObject({
      order: { kind: 'cancel_now', creditUnused: true },
    })
  })

  test('a trial is for those who never had a subscription', () => {
    const wish = { action: 'create' as const, plan: 'starter' }
    expect(decideNew(acme, 'USD', false, wish, at).order).toMatchObject({ trialEndsAt: '2026-01-24T12:00:00Z' })
    expect(decideNew(acme, 'USD', true, wish, at).order).toMatchObject({ trialEndsAt: null })
  })
})
