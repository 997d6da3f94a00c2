import { startSandbox } from '@turnpike/sandbox'
import type Stripe from 'stripe'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Order, PaymentProvider, RoleOf } from '../../modules/payments/index.ts'
import { createLog } from '../../platform/log.ts'
import { createStripeOrders } from './change.ts'
import { createStripe } from './client.ts'

/** Orders against a server that speaks Stripe's protocol: what is asked, and that breaking off anywhere can be mended. */

let sandbox: Awaited<ReturnType<typeof startSandbox>>
let stripe: Stripe
let orders: Pick<PaymentProvider, 'carryOut' | 'previewOrder' | 'hasPaymentMethod'>
const prices = new Map<string, string>()
const roleOf: RoleOf = (key) => (key === 'foreign' ? null : key.startsWith('plan') ? 'plan' : key.split('@')[0]!)

beforeAll(async () => {
  sandbox = await startSandbox({ port: 0 })
  stripe = createStripe({ secretKey: 'sk_test_orders', apiBase: sandbox.url })
  const { id: product } = await stripe.products.create({ name: 'Acme' })
  const price = async (lookup_key: string, unit_amount: number) => {
    const made = await stripe.prices.create({
      product,
      currency: 'usd',
      unit_amount,
      lookup_key,
      recurring: { interval: 'month' },
    })
    prices.set(lookup_key, made.id)
  }
  await price('plan_small', 1_000)
  await price('plan_large', 3_000)
  await price('seat@small', 100)
  await price('seat@large', 200)
  await price('pack@1', 500)
  await price('foreign', 700)
  orders = createStripeOrders(stripe, { log: createLog('silent'), priceOf: async (key) => prices.get(key)! })
})
afterAll(() => sandbox?.close())

const subscribe = async (items: Record<string, number>, card = 'pm_card_visa') => {
  const customer = await stripe.customers.create({ name: 'Ana' })
  const method = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    default_payment_method: method.id,
    items: Object.entries(items).map(([key, quantity]) => ({ price: prices.get(key)!, quantity })),
  })
  if (card !== 'pm_card_visa') {
    const other = await stripe.paymentMethods.attach(card, { customer: customer.id })
    await stripe.subscriptions.update(subscription.id, { default_payment_method: other.id })
  }
  return { customer: customer.id, id: subscription.id }
}
type Subscriber = Awaited<ReturnType<typeof subscribe>>
const carry = ({ customer, id }: Subscriber, order: Order, commandId: string, attempt = 1) =>
  orders.carryOut({
    tenantId: 'ana',
    commandId,
    attempt,
    providerCustomerId: customer,
    providerSubscriptionId: id,
    order,
    roleOf,
  })
const heldBy = async ({ id }: Subscriber): Promise<Record<string, number>> => {
  const { items } = await stripe.subscriptions.retrieve(id)
  return Object.fromEntries(items.data.map(({ price, quantity }) => [price.lookup_key, quantity ?? 1]))
}
const second = () => Temporal.Now.instant().round({ smallestUnit: 'second', roundingMode: 'floor' }).toString()
const changeNow = (lines: Record<string, number>): Order => ({
  kind: 'change_now',
  lines: Object.entries(lines).map(([lookupKey, quantity]) => ({ lookupKey, quantity })),
  proration: 'always_invoice',
  prorationAt: second(),
})
const changeLater = (lines: Record<string, number>): Order => ({
  kind: 'change_at_period_end',
  lines: Object.entries(lines).map(([lookupKey, quantity]) => ({ lookupKey, quantity })),
})
const invoices = async ({ customer }: Subscriber) => (await stripe.invoices.list({ customer, limit: 100 })).data
const fault = (body: object) =>
  fetch(`${sandbox.url}/sandbox/faults`, { method: 'POST', body: JSON.stringify({ kind: 'api', ...body }) })
const heal = () => fetch(`${sandbox.url}/sandbox/faults`, { method: 'DELETE' })
const codeOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => 'done',
    (error: { code?: string }) => error.code,
  )

describe('a change at once (PAY-3, SUB-3)', () => {
  test('exchanges items by what they are for, takes away what is not wanted, leaves what is not ours', async () => {
    const ana = await subscribe({ plan_small: 1, 'seat@small': 2, 'pack@1': 1, foreign: 4 })
    expect(await carry(ana, changeNow({ plan_large: 1, 'seat@large': 3 }), 'command_exchange')).toEqual({
      kind: 'done',
    })
    expect(await heldBy(ana)).toEqual({ plan_large: 1, 'seat@large': 3, foreign: 4 })
    const { data } = await stripe.subscriptionItems.list({ subscription: ana.id })
    expect(data).toHaveLength(3)
  })

  test('a repeat finds it done and asks for nothing', async () => {
    const ana = await subscribe({ plan_small: 1 })
    const order = changeNow({ plan_large: 1 })
    await carry(ana, order, 'command_twice')
    const before = await invoices(ana)
    expect(await carry(ana, order, 'command_twice', 2)).toEqual({ kind: 'done' })
    expect(await invoices(ana)).toHaveLength(before.length)
  })

  test('unpaid, it is not in force and names its invoice; a repeat makes no other invoice', async () => {
    const ana = await subscribe({ plan_small: 1 }, 'pm_card_chargeCustomerFail')
    const order = changeNow({ plan_large: 1 })
    const outcome = await carry(ana, order, 'command_unpaid')
    expect(outcome).toMatchObject({ kind: 'payment_failed', actionRequired: false, invoiceUrl: expect.any(String) })
    expect(await heldBy(ana)).toEqual({ plan_small: 1 })
    expect(await carry(ana, order, 'command_unpaid', 2)).toEqual(outcome)
    expect((await invoices(ana)).filter(({ status }) => status === 'open')).toHaveLength(1)
  })

  test('another one takes the place of one that waits for its money', async () => {
    const ana = await subscribe({ plan_small: 1 }, 'pm_card_chargeCustomerFail')
    await carry(ana, changeNow({ plan_large: 1 }), 'command_first')
    await carry(ana, changeNow({ plan_small: 1, 'pack@1': 2 }), 'command_second')
    expect((await invoices(ana)).filter(({ status }) => status === 'open')).toHaveLength(1)
    expect(await carry(ana, { kind: 'drop_change' }, 'command_third')).toEqual({ kind: 'done' })
    expect((await invoices(ana)).filter(({ status }) => status === 'open')).toEqual([])
    expect((await stripe.subscriptions.retrieve(ana.id)).pending_update).toBeNull()
  })
})

describe('a change at the end of the period (SUB-4)', () => {
  test('is a schedule that repeats what runs; another writes over it; one at once lets it go', async () => {
    const ana = await subscribe({ plan_large: 1, foreign: 1 })
    await carry(ana, changeLater({ plan_small: 1 }), 'command_later')
    const first = await stripe.subscriptions.retrieve(ana.id)
    await carry(ana, changeLater({ plan_small: 1, 'pack@1': 1 }), 'command_later_still')
    const schedule = await stripe.subscriptionSchedules.retrieve(first.schedule as string, {
      expand: ['phases.items.price'],
    })
    const keys = schedule.phases.map(({ items }) => items.map(({ price }) => (price as Stripe.Price).lookup_key).sort())
    expect(keys).toEqual([
      ['foreign', 'plan_large'],
      ['foreign', 'pack@1', 'plan_small'],
    ])
    expect(await heldBy(ana)).toEqual({ plan_large: 1, foreign: 1 })
    await carry(ana, changeNow({ plan_large: 1, 'pack@1': 1 }), 'command_now')
    expect((await stripe.subscriptions.retrieve(ana.id)).schedule).toBeNull()
    expect(await heldBy(ana)).toEqual({ plan_large: 1, 'pack@1': 1, foreign: 1 })
  })

  test('one that broke off between its steps is completed by a repeat, with one schedule', async () => {
    const ana = await subscribe({ plan_large: 1 })
    await fault({ action: 'outage', method: 'POST', path: '/v1/subscription_schedules/*' })
    expect(await codeOf(carry(ana, changeLater({ plan_small: 1 }), 'command_broken'))).toBe('provider_unavailable')
    await heal()
    expect(await carry(ana, changeLater({ plan_small: 1 }), 'command_broken', 2)).toEqual({ kind: 'done' })
    const { data } = await stripe.subscriptionSchedules.list({ customer: ana.customer })
    expect(data.map(({ phases }) => phases.length)).toEqual([2])
  })
})

describe('ends and pauses (SUB-3)', () => {
  test.each<[string, Order[], (subscription: Stripe.Subscription) => unknown, unknown]>([
    ['ends later', [{ kind: 'cancel_at_period_end' }], (seen) => seen.cancel_at_period_end, true],
    ['is kept', [{ kind: 'cancel_at_period_end' }, { kind: 'keep' }], (seen) => seen.cancel_at, null],
    [
      'ends now',
      [{ kind: 'cancel_now', creditUnused: false, prorationAt: second() }],
      (seen) => seen.status,
      'canceled',
    ],
    ['is paused', [{ kind: 'pause' }], (seen) => seen.status, 'paused'],
    ['goes on', [{ kind: 'pause' }, { kind: 'resume' }], (seen) => seen.status, 'active'],
    [
      'ends later although a change waits',
      [changeLater({ plan_small: 1 }), { kind: 'cancel_at_period_end' }],
      (seen) => seen.cancel_at_period_end,
      true,
    ],
  ])('%s, and a repeat changes nothing', async (name, steps, look, expected) => {
    const ana = await subscribe({ plan_large: 1 })
    for (const [index, order] of steps.entries())
      for (const attempt of [1, 2])
        expect(await carry(ana, order, `command_${name}_${index}`, attempt)).toEqual({ kind: 'done' })
    expect(look(await stripe.subscriptions.retrieve(ana.id))).toEqual(expected)
  })

  test('what has ended cannot be changed, and has been canceled', async () => {
    const ana = await subscribe({ plan_small: 1 })
    await stripe.subscriptions.cancel(ana.id)
    expect(await carry(ana, changeNow({ plan_large: 1 }), 'command_late')).toEqual({
      kind: 'refused',
      reason: 'subscription_ended',
    })
    expect(await carry(ana, { kind: 'cancel_at_period_end' }, 'command_later')).toEqual({ kind: 'done' })
    expect(await carry({ ...ana, id: 'sub_nobody' }, { kind: 'pause' }, 'command_none')).toEqual({
      kind: 'refused',
      reason: 'subscription_missing',
    })
  })
})

describe('the payment method for a charge without the customer', () => {
  test('none, then the newest', async () => {
    const { id } = await stripe.customers.create({ name: 'Bob' })
    expect(await orders.hasPaymentMethod(id, null)).toBe(false)
    expect(
      await carry(
        { customer: id, id: '' },
        { kind: 'create', lines: [{ lookupKey: 'plan_small', quantity: 1 }], trialEndsAt: null, planVersion: 1 },
        'command_poor',
      ),
    ).toEqual({ kind: 'payment_method_required' })
    await stripe.paymentMethods.attach('pm_card_visa', { customer: id })
    expect(await orders.hasPaymentMethod(id, null)).toBe(true)
  })
})

test('a subscription is made once, however often its command is carried out', async () => {
  const { id } = await stripe.customers.create({ name: 'Cem' })
  await stripe.paymentMethods.attach('pm_card_visa', { customer: id })
  const order: Order = {
    kind: 'create',
    lines: [{ lookupKey: 'plan_small', quantity: 1 }],
    trialEndsAt: null,
    planVersion: 1,
  }
  for (const attempt of [1, 2, 3])
    expect(await carry({ customer: id, id: '' }, order, 'command_new', attempt)).toEqual({ kind: 'done' })
  const { data } = await stripe.subscriptions.list({ customer: id })
  expect(data.map(({ metadata }) => metadata.turnpike_command)).toEqual(['command_new'])
})
