import { afterEach, beforeEach, expect, test } from 'vitest'
import { newCustomer, startWorld, type TestWorld } from './support/sandboxWorld.ts'

let world: TestWorld
beforeEach(async () => {
  world = await startWorld()
})
afterEach(() => world.close())

const start = 1_900_000_000

async function usage(formula: 'sum' | 'count' | 'last') {
  const customer = await newCustomer(world, null)
  const meter = await world.stripe.billing.meters.create({
    display_name: 'Calls',
    event_name: formula,
    default_aggregation: { formula },
  })
  const report = (identifier: string, value: string, timestamp: number) =>
    world.stripe.billing.meterEvents.create({
      event_name: formula,
      identifier,
      timestamp,
      payload: { stripe_customer_id: customer.id, value },
    })
  const total = async () => {
    const { data } = await world.stripe.billing.meters.listEventSummaries(meter.id, {
      customer: customer.id,
      start_time: start,
      end_time: start + 3600,
    })
    return data[0]?.aggregated_value
  }
  return { meter: meter.id, report, total }
}

test.each([
  ['sum', 12],
  ['count', 3],
  ['last', 5],
] as const)('a meter counts by its formula: %s', async (formula, expected) => {
  const { report, total } = await usage(formula)
  await report('a', '3', start)
  await report('b', '4', start + 10)
  await report('c', '5', start + 3599)
  await report('outside', '100', start + 3600)
  expect(await total()).toBe(expected)
})

test('the same identifier counts once, and an event taken back not at all', async () => {
  const { report, total } = await usage('sum')
  await report('a', '3', start)
  await expect(report('a', '3', start)).rejects.toMatchObject({ code: 'resource_already_exists' })
  await report('b', '4', start)
  await world.stripe.billing.meterEventAdjustments.create({
    event_name: 'sum',
    type: 'cancel',
    cancel: { identifier: 'b' },
  })
  expect(await total()).toBe(3)
})

test('a renewal bills what the period that ended used', async () => {
  const { meter, report } = await usage('sum')
  const product = await world.stripe.products.create({ name: 'Calls' })
  const price = await world.stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 7,
    recurring: { interval: 'month', usage_type: 'metered', meter },
  })
  const { data } = await world.stripe.customers.list({ limit: 1 })
  const method = await world.stripe.paymentMethods.attach('pm_card_visa', { customer: data[0]!.id })
  const { id, items } = await world.stripe.subscriptions.create({
    customer: data[0]!.id,
    items: [{ price: price.id }],
    default_payment_method: method.id,
  })
  const { current_period_start: from, current_period_end: to } = items.data[0]!
  await report('a', '40', from)
  await report('b', '60', to - 1)
  await report('next', '1000', to)
  await world.advance(to - Math.floor(Date.now() / 1000) + 7200)
  const { latest_invoice: invoice } = await world.stripe.subscriptions.retrieve(id, { expand: ['latest_invoice'] })
  expect(invoice).toMatchObject({
    status: 'paid',
    total: 700,
    lines: { data: [{ quantity: 100, period: { start: from, end: to } }] },
  })
})

test('a meter that is turned off takes nothing', async () => {
  const { meter, report } = await usage('sum')
  await world.arrived()
  await world.stripe.billing.meters.deactivate(meter)
  await expect(report('a', '3', start)).rejects.toThrow('No active meter')
  await world.stripe.billing.meters.reactivate(meter)
  await report('a', '3', start)
  expect(await world.arrived()).toEqual(['billing.meter.deactivated', 'billing.meter.reactivated'])
})
