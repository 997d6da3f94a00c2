import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newCustomer, newPrice, startWorld, type TestWorld } from './support/sandboxWorld.ts'

let world: TestWorld
beforeEach(async () => {
  world = await startWorld()
})
afterEach(() => world.close())

const slow = 'AT321904300235473204'
const bounces = 'AT861904300235473202'

const debit = (iban: string) =>
  world.stripe.paymentMethods.create({ type: 'sepa_debit', sepa_debit: { iban }, billing_details: { name: 'Ana' } })

/** A checkout that is paid by debit, the way the Stripe CLI does it. */
async function checkout(iban: string, mode: 'payment' | 'subscription' = 'payment') {
  const recurring = mode === 'subscription' ? { recurring: { interval: 'month' as const } } : {}
  const session = await world.stripe.checkout.sessions.create({
    mode,
    line_items: [
      { quantity: 1, price_data: { currency: 'eur', unit_amount: 3000, product_data: { name: 'Mug' }, ...recurring } },
    ],
    success_url: 'https://example.com',
  })
  const method = await debit(iban)
  const response = await fetch(`${world.sandbox.url}/v1/payment_pages/${session.id}/confirm`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk_test_x' },
    body: `payment_method=${method.id}`,
  })
  expect(response.status).toBe(200)
  return world.stripe.checkout.sessions.retrieve(session.id)
}

describe('a bank debit', () => {
  test('leaves the session complete but unpaid until the bank has answered', async () => {
    const session = await checkout(slow)
    expect(session).toMatchObject({ status: 'complete', payment_status: 'unpaid' })
    expect(await world.arrived()).toEqual([
      'product.created',
      'price.created',
      'payment_intent.created',
      'charge.pending',
      'payment_intent.processing',
      'checkout.session.completed',
    ])
    await world.advance(200)
    expect(await world.arrived()).toEqual([
      'charge.succeeded',
      'payment_intent.succeeded',
      'checkout.session.async_payment_succeeded',
    ])
    expect(await world.stripe.checkout.sessions.retrieve(session.id)).toMatchObject({ payment_status: 'paid' })
  })

  test('that bounces leaves the session unpaid and says why', async () => {
    const session = await checkout(bounces)
    await world.advance(60)
    expect((await world.arrived()).slice(-3)).toEqual([
      'charge.failed',
      'payment_intent.payment_failed',
      'checkout.session.async_payment_failed',
    ])
    expect(await world.stripe.checkout.sessions.retrieve(session.id)).toMatchObject({ payment_status: 'unpaid' })
    const intent = await world.stripe.paymentIntents.retrieve(session.payment_intent as string)
    expect(intent).toMatchObject({
      status: 'requires_payment_method',
      last_payment_error: { code: 'debit_not_authorized' },
    })
  })

  test('serves the subscription meanwhile, whose invoice is paid once the money came', async () => {
    const session = await checkout(slow, 'subscription')
    const subscription = await world.stripe.subscriptions.retrieve(session.subscription as string)
    expect(subscription.status).toBe('active')
    expect((await world.stripe.invoices.retrieve(session.invoice as string)).status).toBe('open')
    await world.advance(200)
    expect((await world.stripe.invoices.retrieve(session.invoice as string)).status).toBe('paid')
    expect(await world.stripe.checkout.sessions.retrieve(session.id)).toMatchObject({ payment_status: 'paid' })
  })

  test('that bounces at a renewal starts dunning', async () => {
    const customer = await newCustomer(world, null)
    const method = await debit(bounces)
    await world.stripe.paymentMethods.attach(method.id, { customer: customer.id })
    const price = await newPrice(world, 1000)
    const { id } = await world.stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      default_payment_method: method.id,
      trial_period_days: 1,
    })
    await world.advance(2 * 86_400)
    const subscription = await world.stripe.subscriptions.retrieve(id, { expand: ['latest_invoice'] })
    expect(subscription.status).toBe('past_due')
    expect(subscription.latest_invoice).toMatchObject({ status: 'open', attempt_count: 1 })
    expect((subscription.latest_invoice as { next_payment_attempt: number }).next_payment_attempt).not.toBeNull()
  })

  test('cannot be confirmed again while it is under way', async () => {
    const method = await debit(slow)
    const intent = await world.stripe.paymentIntents.create({
      amount: 1000,
      currency: 'eur',
      payment_method: method.id,
      allowed_payment_method_types: ['sepa_debit'],
      confirm: true,
    })
    expect(intent.status).toBe('processing')
    await expect(world.stripe.paymentIntents.confirm(intent.id)).rejects.toMatchObject({
      code: 'payment_intent_unexpected_state',
    })
  })
})

test('money of the card that skips the wait is at hand at once', async () => {
  const pay = (payment_method: string) =>
    world.stripe.paymentIntents.create({
      amount: 1000,
      currency: 'usd',
      payment_method,
      confirm: true,
      return_url: 'https://example.com',
    })
  await pay('pm_card_visa')
  expect(await world.arrived()).not.toContain('balance.available')
  expect((await world.stripe.balance.retrieve()).available[0]?.amount).toBe(0)
  await pay('pm_card_bypassPending')
  expect(await world.arrived()).toContain('balance.available')
  const balance = await world.stripe.balance.retrieve()
  expect([balance.available[0]?.amount, balance.pending[0]?.amount]).toEqual([941, 941])
})

test.each([
  ['pm_card_refundFail', 'failed', 0, ['refund.updated', 'charge.refund.updated', 'refund.failed']],
  ['pm_card_pendingRefund', 'succeeded', 400, ['refund.updated', 'charge.refund.updated']],
])('a refund to %s is %s in the end', async (payment_method, status, refunded, types) => {
  const intent = await world.stripe.paymentIntents.create({
    amount: 1000,
    currency: 'usd',
    payment_method,
    confirm: true,
    return_url: 'https://example.com',
  })
  await world.arrived()
  const refund = await world.stripe.refunds.create({ payment_intent: intent.id, amount: 400 })
  await world.advance(5)
  expect((await world.arrived()).slice(2)).toEqual(types)
  expect((await world.stripe.refunds.retrieve(refund.id)).status).toBe(status)
  expect((await world.stripe.charges.retrieve(intent.latest_charge as string)).amount_refunded).toBe(refunded)
})
