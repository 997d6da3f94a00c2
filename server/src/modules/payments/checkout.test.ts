import { checkoutStates } from '@turnpike/contract'
import { describe, expect, test } from 'vitest'
import {
  type CheckoutRecord,
  type CheckoutState,
  canStillBePaid,
  checkoutActions,
  nextCheckoutState,
} from './checkout.ts'

type Trigger = Parameters<typeof nextCheckoutState>[1]

/** Where each state goes by each trigger; `.` stays. */
const table: Record<Trigger, Record<CheckoutState, CheckoutState | '.'>> = {
  opened: { opening: 'open', open: '.', pending_sync: '.', completed: '.', failed: '.', canceled: '.', expired: '.' },
  returned: {
    opening: 'pending_sync',
    open: 'pending_sync',
    pending_sync: '.',
    completed: '.',
    failed: '.',
    canceled: 'pending_sync',
    expired: '.',
  },
  left: {
    opening: 'canceled',
    open: 'canceled',
    pending_sync: 'canceled',
    completed: '.',
    failed: '.',
    canceled: '.',
    expired: '.',
  },
  // Only the provider knows whether it was paid: that counts whatever we believed.
  paid: {
    opening: 'completed',
    open: 'completed',
    pending_sync: 'completed',
    completed: '.',
    failed: 'completed',
    canceled: 'completed',
    expired: 'completed',
  },
  expired: {
    opening: 'expired',
    open: 'expired',
    pending_sync: 'expired',
    completed: '.',
    failed: '.',
    canceled: 'expired',
    expired: '.',
  },
  failed: { opening: 'failed', open: '.', pending_sync: '.', completed: '.', failed: '.', canceled: '.', expired: '.' },
  reopened: { opening: '.', open: '.', pending_sync: '.', completed: '.', failed: '.', canceled: 'open', expired: '.' },
}

describe.each(Object.keys(table) as Trigger[])('%s', (trigger) => {
  test.each([...checkoutStates])('from %s', (state) => {
    const expected = table[trigger][state] === '.' ? state : table[trigger][state]
    expect(nextCheckoutState(state, trigger)).toBe(expected)
    // A repeat changes nothing more, but for a customer who came back and left again.
    expect(nextCheckoutState(nextCheckoutState(state, trigger), trigger)).toBe(expected)
  })
})

test('nothing leads out of completed', () => {
  for (const trigger of Object.keys(table) as Trigger[])
    expect(nextCheckoutState('completed', trigger)).toBe('completed')
})

const at = Temporal.Instant.from('2026-01-01T12:00:00Z')
test.each<[CheckoutState, Temporal.Instant | null, boolean]>([
  ['opening', null, true],
  ['open', null, true],
  ['open', at.add({ seconds: 1 }), true],
  // The end is exclusive.
  ['open', at, false],
  ['pending_sync', at.add({ seconds: 1 }), true],
  ['canceled', at.add({ seconds: 1 }), true],
  ['canceled', at, false],
  ['expired', null, false],
  ['failed', null, false],
  ['completed', null, false],
])('a page in %s that ends %s could still be paid: %s', (state, expiresAt, expected) => {
  expect(canStillBePaid({ state, expiresAt } as CheckoutRecord, at)).toBe(expected)
})

test.each<[CheckoutState, boolean, string[]]>([
  ['opening', true, ['wait_for_provider']],
  ['open', true, ['finish_checkout']],
  ['pending_sync', true, ['wait_for_provider']],
  ['canceled', true, ['finish_checkout', 'choose_plan']],
  ['canceled', false, ['choose_plan']],
  ['expired', false, ['choose_plan']],
  ['failed', false, ['choose_plan']],
  ['completed', false, []],
])('in %s (alive: %s) one can %j', (state, alive, expected) => {
  expect(checkoutActions({ state, sessionUrl: 'https://pay.example' }, alive).map(({ action }) => action)).toEqual(
    expected,
  )
})
