import type Stripe from 'stripe'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { giveCard, newCustomer, newPrice, startWorld, type TestWorld } from './support/sandboxWorld.ts'

const day = 86_400
const order = [
  'payment_intent.created',
  'charge.succeeded',
  'payment_intent.succeeded',
  'customer.subscription.created',
  'invoice.created',
  'invoice.finalized',
  'invoice.paid',
  'invoice.payment_succeeded',
  'invoice_payment.paid',
]
let world: TestWorld
let monthly: Stripe.Price
let bigger: Stripe.Price
let yearly: Stripe.Price

beforeEach(async () => {
  world = await startWorld()
  monthly = await newPrice(world, 1000)
  bigger = await newPrice(world, 3000)
  yearly = await newPrice(world, 12_000, { interval: 'year' })
})
afterEach(() => world.close())

async function subscribed(card: string | null = 'pm_card_visa', more: Partial<Stripe.SubscriptionCreateParams> = {}) {
  const customer = await newCustomer(world, card)
  await world.arrived()
  const subscription = await world.stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: monthly.id }],
    ...more,
  })
  return { customer, subscription, item: subscription.items.data[0]! }
}

const current = (id: string, expand: string[] = []) => world.stripe.subscriptions.retrieve(id, { expand })
const toPeriodEnd = async (item: Stripe.SubscriptionItem) => {
  const { now } = await world.control<{ now: number }>('GET', '/sandbox/state')
  await world.advance(item.current_period_end - now + 1)
}
const invoiceOf = (subscription: Stripe.Subscription) => subscription.latest_invoice as Stripe.Invoice

describe('the first payment', () => {
  test('a good card makes it active at once, and it is created already active', async () => {
    const { subscription } = await subscribed()
    expect(subscription.status).toBe('active')
    expect(await world.arrived()).toEqual(order)
  })

  test('without any payment method nothing is created', async () => {
    const customer = await newCustomer(world, null)
    await expect(
      world.stripe.subscriptions.create({ customer: customer.id, items: [{ price: monthly.id }] }),
    ).rejects.toMatchObject({
      statusCode: 400,
      code: 'resource_missing',
      message: expect.stringContaining('no attached payment source'),
    })
    expect((await world.stripe.subscriptions.list({ customer: customer.id, status: 'all' })).data).toEqual([])
    expect((await world.stripe.invoices.list({ customer: customer.id })).data).toEqual([])
  })

  test('a failing card leaves it incomplete; paying the invoice by another card wakes it', async () => {
    const { customer, subscription } = await subscribed('pm_card_chargeCustomerFail')
    expect(subscription.status).toBe('incomplete')
    await giveCard(world, customer.id, 'pm_card_visa')
    await world.stripe.invoices.pay(subscription.latest_invoice as string)
    expect((await current(subscription.id)).status).toBe('active')
  })

  test('incomplete for 23 hours is over for good, and the invoice is void', async () => {
    const { subscription } = await subscribed('pm_card_chargeCustomerFail')
    await world.advance(23 * 3600 + 1)
    const expired = await current(subscription.id, ['latest_invoice'])
    expect(expired.status).toBe('incomplete_expired')
    expect(invoiceOf(expired).status).toBe('void')
    expect(await world.arrived()).not.toContain('customer.subscription.deleted')
  })

  test('default_incomplete charges nothing until the intent is confirmed', async () => {
    const { subscription } = await subscribed('pm_card_visa', {
      payment_behavior: 'default_incomplete',
      expand: ['latest_invoice.payments.data.payment.payment_intent', 'latest_invoice.confirmation_secret'],
    })
    expect(subscription.status).toBe('incomplete')
    const intent = invoiceOf(subscription).payments!.data[0]!.payment.payment_intent as Stripe.PaymentIntent
    expect(invoiceOf(subscription).confirmation_secret!.client_secret).toBe(intent.client_secret)
    await world.stripe.paymentIntents.confirm(intent.id, {
      payment_method: 'pm_card_visa',
      return_url: 'https://example.com',
    })
    expect((await current(subscription.id)).status).toBe('active')
  })

  test('error_if_incomplete keeps nothing', async () => {
    const customer = await newCustomer(world, 'pm_card_chargeCustomerFail')
    await expect(
      world.stripe.subscriptions.create({
        customer: customer.id,
        items: [{ price: monthly.id }],
        payment_behavior: 'error_if_incomplete',
      }),
    ).rejects.toMatchObject({ statusCode: 402, code: 'card_declined' })
    expect((await world.stripe.invoices.list({ customer: customer.id })).data).toEqual([])
  })
})

describe('renewal', () => {
  test('periods advance first, the draft waits an hour, then it is paid', async () => {
    const { subscription, item } = await subscribed()
    await world.arrived()
    await toPeriodEnd(item)
    const renewed = await current(subscription.id, ['latest_invoice'])
    expect(renewed.items.data[0]!.current_period_start).toBe(item.current_period_end)
    expect(invoiceOf(renewed)).toMatchObject({
      status: 'draft',
      billing_reason: 'subscription_cycle',
      period_end: item.current_period_end,
    })
    expect(await world.arrived()).toEqual(['invoice.upcoming', 'invoice.created', 'customer.subscription.updated'])
    await world.advance(3600)
    expect(await world.arrived()).toEqual([
      'invoice.finalized',
      'payment_intent.created',
      'charge.succeeded',
      'payment_intent.succeeded',
      'invoice.updated',
      'invoice.paid',
      'invoice.payment_succeeded',
      'invoice_payment.paid',
    ])
  })

  test('an extra that is added during the draft hour is on the invoice', async () => {
    const { customer, subscription, item } = await subscribed()
    await toPeriodEnd(item)
    const draft = (await current(subscription.id)).latest_invoice as string
    await world.stripe.invoiceItems.create({
      customer: customer.id,
      invoice: draft,
      amount: 250,
      currency: 'usd',
      description: 'Usage',
    })
    await world.advance(3600)
    expect(await world.stripe.invoices.retrieve(draft)).toMatchObject({
      status: 'paid',
      total: 1250,
      amount_paid: 1250,
    })
  })

  test('the 31st of January returns to the 31st after February', async () => {
    const clock = await world.stripe.testHelpers.testClocks.create({ frozen_time: Date.UTC(2027, 0, 31, 12) / 1000 })
    const customer = await newCustomer(world, 'pm_card_visa', { test_clock: clock.id })
    const subscription = await world.stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: monthly.id }],
    })
    const ends = [subscription.items.data[0]!.current_period_end]
    for (let i = 0; i < 2; i++) {
      await world.stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: ends.at(-1)! + 7200 })
      await expect
        .poll(async () => (await world.stripe.testHelpers.testClocks.retrieve(clock.id)).status, { interval: 5 })
        .toBe('ready')
      ends.push((await current(subscription.id)).items.data[0]!.current_period_end)
    }
    expect(ends.map((end) => new Date(end * 1000).toISOString().slice(0, 10))).toEqual([
      '2027-02-28',
      '2027-03-31',
      '2027-04-30',
    ])
  })

  test('a failed renewal is past due, retried, and recovers with a new card', async () => {
    const { customer, subscription, item } = await subscribed()
    await giveCard(world, customer.id, 'pm_card_chargeCustomerFail')
    await toPeriodEnd(item)
    await world.arrived()
    await world.advance(3600)
    expect(await world.arrived()).toEqual([
      'invoice.finalized',
      'payment_intent.created',
      'charge.failed',
      'payment_intent.payment_failed',
      'invoice.updated',
      'invoice.payment_failed',
      'customer.subscription.updated',
      'customer.updated',
    ])
    const due = await current(subscription.id, ['latest_invoice'])
    expect(due.status).toBe('past_due')
    expect(invoiceOf(due)).toMatchObject({ status: 'open', attempt_count: 1, next_payment_attempt: expect.any(Number) })
    expect((await world.stripe.customers.retrieve(customer.id)) as Stripe.Customer).toMatchObject({ delinquent: true })
    await giveCard(world, customer.id, 'pm_card_visa')
    await world.advance(3 * day)
    const back = await current(subscription.id, ['latest_invoice'])
    expect(back.status).toBe('active')
    expect(invoiceOf(back)).toMatchObject({ status: 'paid', attempt_count: 2 })
    expect((await world.stripe.customers.retrieve(customer.id)) as Stripe.Customer).toMatchObject({ delinquent: false })
  })

  test('when every retry failed it is canceled for that reason and the invoice stays open', async () => {
    const { customer, subscription, item } = await subscribed()
    await giveCard(world, customer.id, 'pm_card_chargeCustomerFail')
    await toPeriodEnd(item)
    await world.advance(3600 + 16 * day)
    const over = await current(subscription.id, ['latest_invoice'])
    expect(over).toMatchObject({ status: 'canceled', cancellation_details: { reason: 'payment_failed' } })
    expect(invoiceOf(over)).toMatchObject({
      status: 'open',
      attempt_count: 4,
      next_payment_attempt: null,
      auto_advance: false,
    })
    expect(await world.arrived()).toContain('customer.subscription.deleted')
  })
})

describe('changes', () => {
  test('an upgrade with always_invoice bills to the second and in order', async () => {
    const { subscription, item } = await subscribed()
    await world.advance(10 * day)
    await world.arrived()
    const at = (await world.control<{ now: number }>('GET', '/sandbox/state')).now
    const updated = await world.stripe.subscriptions.update(subscription.id, {
      items: [{ id: item.id, price: bigger.id }],
      proration_behavior: 'always_invoice',
      proration_date: at,
      expand: ['latest_invoice'],
    })
    const share = (item.current_period_end - at) / (item.current_period_end - item.current_period_start)
    const credit = -Math.round(1000 * share)
    const debit = Math.round(3000 * share)
    expect(invoiceOf(updated).lines.data.map((line) => line.amount)).toEqual([credit, debit])
    expect(invoiceOf(updated)).toMatchObject({
      status: 'paid',
      billing_reason: 'subscription_update',
      total: credit + debit,
    })
    expect(invoiceOf(updated).lines.data[0]!.description).toMatch(/^Unused time on Plan 1000 after \d\d \w{3} \d{4}$/)
    expect(await world.arrived()).toEqual([
      'invoiceitem.created',
      'invoiceitem.created',
      'invoice.created',
      'invoice.finalized',
      'payment_intent.created',
      'charge.succeeded',
      'payment_intent.succeeded',
      'invoice.updated',
      'invoice.paid',
      'invoice.payment_succeeded',
      'invoice_payment.paid',
      'customer.subscription.updated',
    ])
  })

  test('a preview with the same second shows what the update then bills, and stores nothing', async () => {
    const { subscription, item } = await subscribed()
    await world.advance(3 * day)
    const at = (await world.control<{ now: number }>('GET', '/sandbox/state')).now
    const change = {
      items: [{ id: item.id, price: bigger.id, quantity: 3 }],
      proration_behavior: 'always_invoice' as const,
      proration_date: at,
    }
    const preview = await world.stripe.invoices.createPreview({
      subscription: subscription.id,
      subscription_details: change,
    })
    expect((await current(subscription.id)).items.data[0]!.price.id).toBe(monthly.id)
    const updated = await world.stripe.subscriptions.update(subscription.id, { ...change, expand: ['latest_invoice'] })
    expect(invoiceOf(updated).total).toBe(preview.total)
  })

  test('create_prorations waits for the next renewal', async () => {
    const { subscription, item } = await subscribed()
    await world.advance(10 * day)
    await world.stripe.subscriptions.update(subscription.id, { items: [{ id: item.id, price: bigger.id }] })
    await toPeriodEnd(item)
    const renewed = await current(subscription.id, ['latest_invoice'])
    expect(invoiceOf(renewed).lines.data.map((line) => line.parent?.subscription_item_details?.proration)).toEqual([
      true,
      true,
      false,
    ])
  })

  test('none changes the price and bills nothing', async () => {
    const { customer, subscription, item } = await subscribed()
    await world.stripe.subscriptions.update(subscription.id, {
      items: [{ id: item.id, price: bigger.id }],
      proration_behavior: 'none',
    })
    expect((await world.stripe.invoiceItems.list({ customer: customer.id })).data).toEqual([])
  })

  test('a price without quantity resets it to one; without the item id a second item is added', async () => {
    const { subscription, item } = await subscribed('pm_card_visa', { items: [{ price: monthly.id, quantity: 5 }] })
    const changed = await world.stripe.subscriptions.update(subscription.id, {
      items: [{ id: item.id, price: bigger.id }],
    })
    expect(changed.items.data[0]!.quantity).toBe(1)
    const two = await world.stripe.subscriptions.update(subscription.id, { items: [{ price: yearly.id }] })
    expect(two.items.data).toHaveLength(2)
  })

  test('month to year keeps the start and ends one year after it', async () => {
    const { subscription, item } = await subscribed()
    await world.advance(5 * day)
    const changed = await world.stripe.subscriptions.update(subscription.id, {
      items: [{ id: item.id, price: yearly.id }],
    })
    const start = new Date(item.current_period_start * 1000)
    expect(changed.items.data[0]!.current_period_start).toBe(item.current_period_start)
    expect(new Date(changed.items.data[0]!.current_period_end * 1000).getUTCFullYear()).toBe(start.getUTCFullYear() + 1)
    expect(changed.billing_cycle_anchor).toBe(subscription.billing_cycle_anchor)
  })

  test('pending_if_incomplete keeps the old plan until the money arrives', async () => {
    const { customer, subscription, item } = await subscribed()
    await giveCard(world, customer.id, 'pm_card_chargeCustomerFail')
    const held = await world.stripe.subscriptions.update(subscription.id, {
      items: [{ id: item.id, price: bigger.id }],
      proration_behavior: 'always_invoice',
      payment_behavior: 'pending_if_incomplete',
    })
    expect(held.status).toBe('active')
    expect(held.items.data[0]!.price.id).toBe(monthly.id)
    expect(held.pending_update?.subscription_items?.[0]?.price.id).toBe(bigger.id)
    await giveCard(world, customer.id, 'pm_card_visa')
    await world.stripe.invoices.pay(held.latest_invoice as string)
    const applied = await current(subscription.id)
    expect(applied.pending_update).toBeNull()
    expect(applied.items.data[0]!.price.id).toBe(bigger.id)
    expect(await world.arrived()).toContain('customer.subscription.pending_update_applied')
  })

  test('previous_attributes tell what changed', async () => {
    const { subscription } = await subscribed('pm_card_visa', { metadata: { a: '1', b: '2' } })
    await world.arrived()
    await world.stripe.subscriptions.update(subscription.id, { metadata: { a: '9' } })
    await world.control('POST', '/sandbox/webhooks/flush')
    expect(world.events.map((event) => [event.type, event.data.previous_attributes])).toEqual([
      ['customer.subscription.updated', { metadata: { a: '1' } }],
    ])
  })
})

describe('a downgrade that waits for the period end', () => {
  test('the schedule changes the price at the boundary, bills it once and lets go', async () => {
    const { customer, item } = await subscribed('pm_card_visa', { items: [{ price: bigger.id }] })
    await world.arrived()
    const subscriptionId = item.subscription
    const schedule = await world.stripe.subscriptionSchedules.create({ from_subscription: subscriptionId })
    const [phase] = schedule.phases
    await world.stripe.subscriptionSchedules.update(schedule.id, {
      end_behavior: 'release',
      phases: [
        { start_date: phase!.start_date, end_date: phase!.end_date, items: [{ price: bigger.id, quantity: 1 }] },
        { items: [{ price: monthly.id, quantity: 1 }], duration: { interval: 'month', interval_count: 1 } },
      ],
    })
    expect(await world.arrived()).toEqual([
      'subscription_schedule.created',
      'customer.subscription.updated',
      'subscription_schedule.updated',
    ])
    await expect(
      world.stripe.subscriptions.update(subscriptionId, { items: [{ id: item.id, price: monthly.id }] }),
    ).rejects.toMatchObject({ statusCode: 400 })
    await toPeriodEnd(item)
    const changed = await current(subscriptionId, ['latest_invoice'])
    expect(changed.items.data[0]!.price.id).toBe(monthly.id)
    expect(invoiceOf(changed).total).toBe(1000)
    expect((await world.stripe.invoiceItems.list({ customer: customer.id })).data).toEqual([])
    await toPeriodEnd(changed.items.data[0]!)
    expect(await current(subscriptionId)).toMatchObject({ schedule: null, status: 'active' })
    expect((await world.stripe.subscriptionSchedules.retrieve(schedule.id)).status).toBe('released')
  })
})

describe('the end', () => {
  test('at the period end: announced, undone, announced again, done', async () => {
    const { subscription, item } = await subscribed()
    const ending = await world.stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true })
    expect(ending).toMatchObject({
      cancel_at_period_end: true,
      cancel_at: item.current_period_end,
      cancellation_details: { reason: 'cancellation_requested' },
    })
    expect(ending.canceled_at).not.toBeNull()
    expect(await world.stripe.subscriptions.update(subscription.id, { cancel_at_period_end: false })).toMatchObject({
      cancel_at: null,
      canceled_at: null,
      cancel_at_period_end: false,
    })
    await world.stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true })
    await world.arrived()
    await toPeriodEnd(item)
    expect(await current(subscription.id)).toMatchObject({
      status: 'canceled',
      cancel_at: null,
      ended_at: item.current_period_end,
    })
    expect(await world.arrived()).toEqual(['customer.subscription.deleted'])
  })

  test('at once, and never again; the time of the first request is kept', async () => {
    const { subscription } = await subscribed()
    const first = await world.stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true })
    await world.advance(day)
    const gone = await world.stripe.subscriptions.cancel(subscription.id)
    expect(gone).toMatchObject({ status: 'canceled', cancel_at: null, canceled_at: first.canceled_at })
    expect(gone.ended_at).toBeGreaterThan(first.canceled_at!)
    await expect(world.stripe.subscriptions.cancel(subscription.id)).rejects.toMatchObject({ statusCode: 404 })
    await expect(
      world.stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true }),
    ).rejects.toMatchObject({ statusCode: 400 })
  })

  test('cancel_at and cancel_at_period_end exclude each other', async () => {
    const { subscription, item } = await subscribed()
    await expect(
      world.stripe.subscriptions.update(subscription.id, {
        cancel_at: item.current_period_end,
        cancel_at_period_end: true,
      }),
    ).rejects.toMatchObject({ statusCode: 400 })
  })
})

describe('trials', () => {
  test('cost nothing, announce their end and then bill', async () => {
    const { subscription } = await subscribed('pm_card_visa', { trial_period_days: 7, expand: ['latest_invoice'] })
    expect(subscription.status).toBe('trialing')
    expect(invoiceOf(subscription)).toMatchObject({ status: 'paid', total: 0, attempt_count: 0 })
    expect(invoiceOf(subscription).lines.data[0]!.description).toBe('Free trial for 1 × Plan 1000')
    await world.arrived()
    await world.advance(4 * day + 1)
    expect(await world.arrived()).toEqual(['customer.subscription.trial_will_end'])
    await world.advance(3 * day + 3600)
    expect(await current(subscription.id, ['latest_invoice'])).toMatchObject({
      status: 'active',
      latest_invoice: { status: 'paid', total: 1000 },
    })
  })

  test('without a card they pause when asked to', async () => {
    const { subscription } = await subscribed(null, {
      trial_period_days: 7,
      trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
    })
    await world.advance(7 * day + 1)
    expect((await current(subscription.id)).status).toBe('paused')
    expect(await world.arrived()).toContain('customer.subscription.paused')
  })
})

describe('bank confirmation', () => {
  test('a first invoice waits for it', async () => {
    const { subscription } = await subscribed('pm_card_threeDSecure2Required', {
      expand: ['latest_invoice.payments.data.payment.payment_intent'],
    })
    expect(subscription.status).toBe('incomplete')
    expect(invoiceOf(subscription)).toMatchObject({ status: 'open', attempted: true, attempt_count: 0 })
    const intent = invoiceOf(subscription).payments!.data[0]!.payment.payment_intent as Stripe.PaymentIntent
    expect(intent.status).toBe('requires_action')
    const types = await world.arrived()
    expect(types).toContain('payment_intent.requires_action')
    expect(types).toContain('invoice.payment_action_required')
  })
})

test('paused collection voids the invoices of its time', async () => {
  const { subscription, item } = await subscribed()
  await world.stripe.subscriptions.update(subscription.id, { pause_collection: { behavior: 'void' } })
  await toPeriodEnd(item)
  expect(await current(subscription.id, ['latest_invoice'])).toMatchObject({
    status: 'active',
    latest_invoice: { status: 'void' },
  })
})

test('deleting a customer ends its subscriptions and leaves a mark', async () => {
  const { customer, subscription } = await subscribed()
  await world.arrived()
  await world.stripe.customers.del(customer.id)
  expect(await world.arrived()).toEqual(['customer.subscription.deleted', 'customer.deleted'])
  expect(await world.stripe.customers.retrieve(customer.id)).toMatchObject({ id: customer.id, deleted: true })
  expect((await current(subscription.id)).status).toBe('canceled')
})

test('coupons lower the invoice, and once means once', async () => {
  const coupon = await world.stripe.coupons.create({ percent_off: 50, duration: 'once' })
  const { subscription, item } = await subscribed('pm_card_visa', {
    discounts: [{ coupon: coupon.id }],
    expand: ['latest_invoice'],
  })
  expect(invoiceOf(subscription)).toMatchObject({ subtotal: 1000, total: 500, amount_paid: 500 })
  await toPeriodEnd(item)
  expect(await current(subscription.id, ['latest_invoice'])).toMatchObject({ latest_invoice: { total: 1000 } })
})
