import type { BillingStatus, MeterUsage } from '@turnpike/contract'
import { expect, test } from 'vitest'
import { formatInstant } from '../format/dates.ts'
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
  pendingChange: null,
  dunning: null,
  remediation: null,
  retention: null,
  command: null,
  resumesAt: null,
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

const instant = (day: string) => formatInstant(`${day}T00:00:00Z`)
const saying = (change: object) => attentionOf({ ...calm, ...change } as BillingStatus, [], now)[0]!

test('an unpaid invoice says what follows and when (DUN-1)', () => {
  const paymentProblem = { kind: 'payment_failed', since: '2026-11-20T00:00:00Z', invoiceUrl: null }
  const dunning = {
    stage: 'grace',
    since: '2026-11-20T00:00:00Z',
    nextStage: 'restricted',
    nextAt: '2026-11-27T00:00:00Z',
    cancelAt: '2026-12-20T00:00:00Z',
  }
  const { text } = saying({ status: 'past_due', accessLevel: 'grace', paymentProblem, dunning })
  expect(text).toContain(`this follows on ${instant('2026-11-27')}: some features are switched off`)
  expect(text).toContain(`The plan ends on ${instant('2026-12-20')}`)
  const last = { ...dunning, nextStage: 'canceled', nextAt: '2026-12-20T00:00:00Z' }
  expect(saying({ paymentProblem, dunning: last }).text).toContain(`Unpaid, the plan ends on ${instant('2026-12-20')}`)
})

test('what has to be reduced is said with its numbers and the time, and its enforcement as what it is (SUB-5)', () => {
  const remediation = {
    kind: 'cleanup_window',
    plan: { plan: 'starter', version: 1, name: 'Starter' },
    startedAt: '2026-11-20T00:00:00Z',
    deadline: '2026-12-04T00:00:00Z',
    enforced: false,
    items: [{ feature: 'projects', name: 'Projects', kind: 'level', used: 12, limit: 5, reduceBy: 7 }],
  }
  expect(saying({ remediation })).toMatchObject({
    tone: 'warning',
    title: `Reduce what is in use before ${instant('2026-12-04')}`,
    text: expect.stringContaining('Reduce Projects by 7.'),
  })
  expect(saying({ remediation: { ...remediation, enforced: true } })).toMatchObject({
    tone: 'danger',
    title: 'More is in use than Starter allows',
  })
})

test('a pause, a queued command, an unpaid change and what follows an end are each said (SUB-3, SUB-6)', () => {
  const command = { id: 'c', action: 'cancel', state: 'queued', requestedAt: '2026-11-21T11:00:00Z', effectiveAt: '' }
  expect(saying({ command }).title).toBe('The cancellation is waiting')
  expect(saying({ status: 'paused', accessLevel: 'read_only', resumesAt: '2026-12-24T00:00:00Z' })).toMatchObject({
    id: 'paused',
    text: expect.stringContaining(instant('2026-12-24')),
  })
  const pendingChange = { kind: 'payment_required', effectiveAt: '2026-11-22T00:00:00Z', to: { name: 'Scale' } }
  expect(saying({ pendingChange }).title).toBe('Scale waits for its payment')
  const retention = { endedAt: '2026-11-01T00:00:00Z', deleteAt: '2027-11-01T00:00:00Z' }
  expect(saying({ status: 'no_subscription', retention }).text).toContain(instant('2027-11-01'))
})
