import type Stripe from 'stripe'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { giveCard, newCustomer, newPrice, startWorld, type TestWorld } from './support/sandboxWorld.ts'

const day = 86_400
const hour = 3600
let world: TestWorld
let small: Stripe.Price
let big: Stripe.Price
let yearly: Stripe.Price
let addOn: Stripe.Price

beforeEach(async () => {
  world = await startWorld()
  small = await newPrice(world, 1000)
  big = await newPrice(world, 3000)
  yearly = await newPrice(world, 12_000, { interval: 'year' })
  addOn = await newPrice(world, 500)
})
afterEach(() => world.close())

async function subscribed(card: string | null = 'pm_card_visa', more: Partial<Stripe.SubscriptionCreateParams> = {}) {
  const customer = await newCustomer(world, card)
  const subscription = await world.stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: small.id }],
    ...more,
  })
  await world.arrived()
  return { customer, subscription, id: subscription.id, item: subscription.items.data[0]! }
}

const now = async () => (await world.control<{ now: number }>('GET', '/sandbox/state')).now
const current = (id: string, expand: string[] = ['latest_invoice']) =>
  world.stripe.subscriptions.retrieve(id, { expand })
const invoiceOf = (subscription: Stripe.Subscription) => subscription.latest_invoice as Stripe.Invoice
const to = async (at: number) => world.advance(at - (await now()) + 1)
const amounts = (invoice: Stripe.Invoice) => invoice.lines.data.map((line) => line.amount)

async function downgradeLater(id: string, phases: (first: Stripe.SubscriptionSchedule.Phase) => unknown[]) {
  const schedule = await world.stripe.subscriptionSchedules.create({ from_subscription: id })
  const wanted = phases(schedule.phases[0]!) as Stripe.SubscriptionScheduleUpdateParams.Phase[]
  return world.stripe.subscriptionSchedules.update(schedule.id, { end_behavior: 'release', phases: wanted })
}

describe('previews show what then happens', () => {
  const changes: [string, (item: Stripe.SubscriptionItem) => Stripe.InvoiceCreatePreviewParams.SubscriptionDetails][] =
    [
      ['another price', (item) => ({ items: [{ id: item.id, price: big.id, quantity: 1 }] })],
      ['more seats', (item) => ({ items: [{ id: item.id, quantity: 7 }] })],
      ['an add-on', () => ({ items: [{ price: addOn.id, quantity: 2 }] })],
      ['another interval', (item) => ({ items: [{ id: item.id, price: yearly.id }] })],
      ['a new cycle', () => ({ billing_cycle_anchor: { type: 'now' } })],
      ['one item for another', (item) => ({ items: [{ id: item.id, deleted: true }, { price: big.id }] })],
    ]
  for (const [name, change] of changes)
    for (const behavior of ['always_invoice', 'create_prorations', 'none'] as const)
      test(`${name}, ${behavior}`, async () => {
        const { id, item } = await subscribed()
        await world.advance(11 * day + 1234)
        const details = { ...change(item), proration_behavior: behavior, proration_date: await now() }
        const preview = await world.stripe.invoices.createPreview({ subscription: id, subscription_details: details })
        await world.stripe.subscriptions.update(id, details as Stripe.SubscriptionUpdateParams)
        const [newest] = (await world.stripe.invoices.list({ subscription: id })).data
        if (newest!.billing_reason !== 'subscription_update') {
          const end = Math.min(...(await current(id)).items.data.map((each) => each.current_period_end))
          await to(end)
        }
        const billed = invoiceOf(await current(id))
        expect(amounts(billed)).toEqual(amounts(preview))
        expect(billed.total).toBe(preview.total)
      })

  test('the phases of a schedule that does not exist yet', async () => {
    const { id, item } = await subscribed('pm_card_visa', { items: [{ price: big.id, quantity: 2 }] })
    const phases = [
      {
        start_date: item.current_period_start,
        end_date: item.current_period_end,
        items: [{ price: big.id, quantity: 2 }],
      },
      {
        items: [
          { price: small.id, quantity: 3 },
          { price: addOn.id, quantity: 1 },
        ],
        duration: { interval: 'month' as const, interval_count: 1 },
      },
    ]
    const preview = await world.stripe.invoices.createPreview({
      subscription: id,
      schedule_details: { phases, end_behavior: 'release' },
    })
    expect((await current(id)).schedule).toBeNull()
    await downgradeLater(id, () => phases)
    const attached = await world.stripe.invoices.createPreview({ subscription: id })
    await to(item.current_period_end)
    const billed = invoiceOf(await current(id))
    expect(amounts(billed)).toEqual([3000, 500])
    expect(amounts(preview)).toEqual(amounts(billed))
    expect(amounts(attached)).toEqual(amounts(billed))
  })

  test('canceling now shows the credit, and an end without anything open has no invoice', async () => {
    const { id, item } = await subscribed()
    await world.advance(10 * day)
    const preview = await world.stripe.invoices.createPreview({
      subscription: id,
      subscription_details: { cancel_now: true },
    })
    await world.stripe.subscriptions.cancel(id, { prorate: true, invoice_now: true })
    const billed = invoiceOf(await current(id))
    expect(amounts(preview)).toEqual(amounts(billed))
    expect(billed.total).toBe(
      -Math.round(
        (1000 * (item.current_period_end - billed.created)) / (item.current_period_end - item.current_period_start),
      ),
    )
    const other = await subscribed()
    await expect(
      world.stripe.invoices.createPreview({
        subscription: other.id,
        subscription_details: { cancel_at_period_end: true },
      }),
    ).rejects.toMatchObject({ statusCode: 404, code: 'invoice_upcoming_none' })
  })

  test('recurring leaves out what comes once', async () => {
    const { id, item, customer } = await subscribed()
    await world.stripe.invoiceItems.create({ customer: customer.id, subscription: id, amount: 999, currency: 'usd' })
    const preview = await world.stripe.invoices.createPreview({
      subscription: id,
      preview_mode: 'recurring',
      subscription_details: { items: [{ id: item.id, price: big.id }] },
    })
    expect(amounts(preview)).toEqual([3000])
  })
})

describe('a change that waits for its money', () => {
  async function held() {
    const { customer, id, item } = await subscribed()
    await giveCard(world, customer.id, 'pm_card_chargeCustomerFail')
    await world.arrived()
    const subscription = await world.stripe.subscriptions.update(id, {
      items: [{ id: item.id, price: big.id }],
      proration_behavior: 'always_invoice',
      payment_behavior: 'pending_if_incomplete',
    })
    return { customer, id, item, subscription }
  }

  test('never makes its subscription past due', async () => {
    await held()
    await world.control('POST', '/sandbox/webhooks/flush')
    const statuses = world.events
      .filter((event) => event.type === 'customer.subscription.updated')
      .map((event) => (event.data.object as Stripe.Subscription).status)
    expect(new Set(statuses)).toEqual(new Set(['active']))
  })

  test('after 23 hours it is forgotten and its invoice void', async () => {
    const { id, subscription } = await held()
    await world.arrived()
    await world.advance(23 * hour + 1)
    const after = await current(id)
    expect(after.pending_update).toBeNull()
    expect(after.items.data[0]!.price.id).toBe(small.id)
    expect((await world.stripe.invoices.retrieve(subscription.latest_invoice as string)).status).toBe('void')
    expect(await world.arrived()).toEqual(
      expect.arrayContaining(['customer.subscription.pending_update_expired', 'invoice.voided']),
    )
  })

  test('voiding its invoice takes it back, and a newer change takes its place', async () => {
    const { id, item, subscription } = await held()
    const second = await world.stripe.subscriptions.update(id, {
      items: [{ id: item.id, quantity: 4 }],
      proration_behavior: 'always_invoice',
      payment_behavior: 'pending_if_incomplete',
    })
    expect((await world.stripe.invoices.retrieve(subscription.latest_invoice as string)).status).toBe('void')
    expect(second.pending_update?.subscription_items?.[0]?.quantity).toBe(4)
    await world.stripe.invoices.voidInvoice(second.latest_invoice as string)
    expect(await current(id)).toMatchObject({ pending_update: null, status: 'active' })
  })
})

describe('intervals', () => {
  test('month to year at a boundary lasts a whole year from there', async () => {
    const { id, item } = await subscribed()
    await downgradeLater(id, (first) => [
      { start_date: first.start_date, end_date: first.end_date, items: [{ price: small.id }] },
      { items: [{ price: yearly.id }], duration: { interval: 'year', interval_count: 1 } },
    ])
    await to(item.current_period_end)
    const [changed] = (await current(id)).items.data
    expect(changed!.current_period_start).toBe(item.current_period_end)
    const length = (changed!.current_period_end - changed!.current_period_start) / day
    expect(length).toBeGreaterThanOrEqual(365)
    await to(changed!.current_period_end)
    const [next] = (await current(id)).items.data
    expect((next!.current_period_end - next!.current_period_start) / day).toBeGreaterThanOrEqual(365)
  })
})

describe('the end', () => {
  test('what waits is billed when it comes, and a failure then changes nothing', async () => {
    const { customer, id, item } = await subscribed()
    await world.stripe.subscriptions.update(id, { items: [{ id: item.id, price: big.id }], cancel_at_period_end: true })
    await giveCard(world, customer.id, 'pm_card_chargeCustomerFail')
    await to(item.current_period_end)
    await world.arrived()
    await world.advance(hour + 20 * day)
    const over = await current(id)
    expect(over.status).toBe('canceled')
    expect(invoiceOf(over)).toMatchObject({ billing_reason: 'subscription_cycle', status: 'open', attempted: true })
    expect(await world.arrived()).not.toContain('customer.subscription.deleted')
    await giveCard(world, customer.id, 'pm_card_visa')
    await world.stripe.invoices.pay(invoiceOf(over).id!)
    expect(await current(id)).toMatchObject({ status: 'canceled', latest_invoice: { status: 'paid' } })
  })

  test('in the middle of a period it gives the rest back, once; taken back, it charges it again', async () => {
    const { id, item } = await subscribed()
    const at = item.current_period_end - 10 * day
    await world.stripe.subscriptions.update(id, { cancel_at: at })
    await world.stripe.subscriptions.update(id, { cancel_at: at })
    await world.stripe.subscriptions.update(id, { cancel_at: '' })
    const lines = (await world.stripe.invoiceItems.list({ pending: true })).data.map((each) => each.amount)
    expect(lines).toHaveLength(2)
    expect(lines[0]! + lines[1]!).toBe(0)
  })

  test('in a later period, that one costs its share', async () => {
    const { id, item } = await subscribed()
    await world.stripe.subscriptions.update(id, { cancel_at: item.current_period_end + 3 * day })
    const preview = await world.stripe.invoices.createPreview({ subscription: id })
    await to(item.current_period_end)
    const billed = invoiceOf(await current(id))
    expect(billed.total).toBeLessThan(200)
    expect(preview.total).toBe(billed.total)
    await world.advance(3 * day)
    expect((await current(id)).status).toBe('canceled')
  })

  test('chosen at creation, and moved with the period that it is tied to', async () => {
    const { id, item, subscription } = await subscribed('pm_card_visa', { cancel_at_period_end: true })
    expect(subscription.cancel_at).toBe(item.current_period_end)
    const longer = await world.stripe.subscriptions.update(id, { items: [{ id: item.id, price: yearly.id }] })
    expect(longer.cancel_at).toBe(longer.items.data[0]!.current_period_end)
    await to(item.current_period_end)
    expect((await current(id)).status).toBe('active')
  })

  test('a schedule keeps hands off it', async () => {
    const { id } = await subscribed()
    const schedule = await world.stripe.subscriptionSchedules.create({ from_subscription: id })
    await expect(world.stripe.subscriptions.update(id, { cancel_at_period_end: true })).rejects.toMatchObject({
      statusCode: 400,
      message: expect.stringContaining('updating any cancelation behavior directly is not allowed'),
    })
    await world.stripe.subscriptionSchedules.release(schedule.id)
    expect((await world.stripe.subscriptions.update(id, { cancel_at_period_end: true })).cancel_at).not.toBeNull()
  })
})

describe('trials', () => {
  test('ended by hand they are announced at once', async () => {
    const { id } = await subscribed('pm_card_visa', { trial_period_days: 14 })
    await world.stripe.subscriptions.update(id, { trial_end: 'now' })
    expect(await world.arrived()).toContain('customer.subscription.trial_will_end')
    expect(await current(id)).toMatchObject({ status: 'active', latest_invoice: { status: 'paid', total: 1000 } })
  })

  for (const [missing, status] of [
    ['cancel', 'canceled'],
    ['pause', 'paused'],
    ['create_invoice', 'past_due'],
  ] as const)
    test(`without a card, ${missing} makes it ${status}`, async () => {
      const { id } = await subscribed(null, {
        trial_period_days: 5,
        trial_settings: { end_behavior: { missing_payment_method: missing } },
      })
      await world.advance(5 * day + hour + 1)
      expect((await current(id)).status).toBe(status)
    })
})

describe('pauses', () => {
  test('give unused time back; resumed anew, the next period is paid with it', async () => {
    const { id, item } = await subscribed()
    await world.advance(10 * day)
    await world.stripe.subscriptions.pause(id)
    expect((await current(id)).status).toBe('paused')
    await world.advance(60 * day)
    expect((await world.stripe.invoices.list({ subscription: id })).data).toHaveLength(1)
    const preview = await world.stripe.invoices.createPreview({
      subscription: id,
      subscription_details: { resume_at: 'now' },
    })
    const resumed = await world.stripe.subscriptions.resume(id, { expand: ['latest_invoice'] })
    expect(resumed.status).toBe('active')
    expect(amounts(invoiceOf(resumed))).toEqual([expect.any(Number), 1000])
    expect(invoiceOf(resumed).total).toBe(preview.total)
    expect(invoiceOf(resumed).total).toBeLessThan(1000)
    expect(resumed.items.data[0]!.current_period_start).toBeGreaterThan(item.current_period_end)
  })

  test('without a card a resumption waits 23 hours and the pause goes on', async () => {
    const { id } = await subscribed(null, {
      trial_period_days: 2,
      trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
    })
    await world.advance(3 * day)
    const waiting = await world.stripe.subscriptions.resume(id, { expand: ['latest_invoice'] })
    expect(waiting).toMatchObject({ status: 'paused', latest_invoice: { status: 'open' } })
    await world.advance(23 * hour + 1)
    expect(await current(id)).toMatchObject({ status: 'paused', latest_invoice: { status: 'void' } })
  })

  test('a resumption that is paid later wakes it', async () => {
    const { id, customer } = await subscribed(null, {
      trial_period_days: 2,
      trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
    })
    await world.advance(3 * day)
    const waiting = await world.stripe.subscriptions.resume(id)
    await giveCard(world, customer.id, 'pm_card_visa')
    await world.arrived()
    await world.stripe.invoices.pay(waiting.latest_invoice as string)
    expect((await current(id)).status).toBe('active')
    expect(await world.arrived()).toContain('customer.subscription.resumed')
  })

  test('of collection end by themselves', async () => {
    const { id } = await subscribed()
    await world.stripe.subscriptions.update(id, {
      pause_collection: { behavior: 'keep_as_draft', resumes_at: (await now()) + 5 * day },
    })
    await world.advance(5 * day + 1)
    expect((await current(id)).pause_collection).toBeNull()
  })
})

describe('dunning', () => {
  test('unpaid comes back only by its newest invoice', async () => {
    await world.control('POST', '/sandbox/settings', { afterRetries: 'unpaid' })
    const { customer, id, item } = await subscribed()
    await giveCard(world, customer.id, 'pm_card_chargeCustomerFail')
    await to(item.current_period_end)
    await world.advance(hour + 16 * day)
    const unpaid = await current(id)
    expect(unpaid.status).toBe('unpaid')
    await to(unpaid.items.data[0]!.current_period_end)
    await world.advance(2 * hour)
    const draft = invoiceOf(await current(id))
    expect(draft).toMatchObject({ status: 'draft', auto_advance: false })
    await giveCard(world, customer.id, 'pm_card_visa')
    await world.stripe.invoices.pay(invoiceOf(unpaid).id!)
    expect((await current(id)).status).toBe('unpaid')
    await world.stripe.invoices.finalizeInvoice(draft.id!)
    await world.stripe.invoices.pay(draft.id!)
    expect((await current(id)).status).toBe('active')
  })

  test('a bank that asks at a renewal leaves it past due', async () => {
    const { customer, id, item } = await subscribed()
    await giveCard(world, customer.id, 'pm_card_threeDSecure2Required')
    await to(item.current_period_end)
    await world.arrived()
    await world.advance(hour + 1)
    expect((await current(id)).status).toBe('past_due')
    expect(await world.arrived()).toEqual(
      expect.arrayContaining(['invoice.payment_action_required', 'invoice.payment_failed']),
    )
  })
})

describe('troubles to order', () => {
  test('webhooks of one customer can be lost while others arrive', async () => {
    const lost = await newCustomer(world)
    await world.arrived()
    await world.control('POST', '/sandbox/faults', { kind: 'webhook', action: 'drop', customer: lost.id })
    await world.stripe.customers.update(lost.id, { name: 'Lost' })
    await newCustomer(world, null)
    expect(await world.arrived()).toEqual(['customer.created'])
  })

  test('answers that hang, break off, are nonsense, wrong or refused; what they ordered is done', async () => {
    const fault = (body: Record<string, unknown>) =>
      world.control('POST', '/sandbox/faults', { kind: 'api', path: '/v1/customers*', count: 1, ...body })
    await fault({ action: 'status', status: 409 })
    await expect(world.stripe.customers.create({ name: 'a' })).rejects.toMatchObject({ statusCode: 409 })
    for (const action of ['truncate', 'garbage', 'hang'])
      await fault({ action }).then(() =>
        expect(world.stripe.customers.create({ name: action }, { timeout: 300 })).rejects.toThrow(),
      )
    await fault({ action: 'patch', patch: { email: 'wrong@example.com' } })
    expect((await world.stripe.customers.create({ email: 'right@example.com' })).email).toBe('wrong@example.com')
    const names = (await world.stripe.customers.list({})).data.map((customer) => customer.name ?? customer.email)
    expect(names).toEqual(['right@example.com', 'garbage', 'truncate'])
  })
})

test('lists page through everything of a customer and a time', async () => {
  const { customer } = await subscribed()
  for (let index = 0; index < 4; index++) {
    const each = await world.stripe.subscriptions.create({ customer: customer.id, items: [{ price: small.id }] })
    if (index % 2 === 0) await world.stripe.subscriptions.cancel(each.id)
  }
  const since = await now()
  await world.advance(hour)
  await subscribed()
  const all: string[] = []
  for await (const each of world.stripe.subscriptions.list({ customer: customer.id, status: 'all', limit: 2 }))
    all.push(each.status)
  expect(all.sort()).toEqual(['active', 'active', 'active', 'canceled', 'canceled'])
  const invoices: string[] = []
  for await (const each of world.stripe.invoices.list({ created: { gt: since + 1 }, limit: 1 })) invoices.push(each.id!)
  expect(invoices).toHaveLength(1)
  const customers: string[] = []
  for await (const each of world.stripe.customers.list({ created: { lte: since + 1 }, limit: 1 }))
    customers.push(each.id)
  expect(customers).toEqual([customer.id])
})

test('only a time of the present period can be prorated from', async () => {
  const { id, item } = await subscribed()
  const change = (proration_date: number) =>
    world.stripe.subscriptions.update(id, { items: [{ id: item.id, quantity: 2 }], proration_date })
  for (const outside of [item.current_period_start - 1, item.current_period_end + 1])
    await expect(change(outside)).rejects.toMatchObject({ statusCode: 400, param: 'proration_date' })
  await change(item.current_period_start)
})
