import type Stripe from 'stripe'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newCustomer, newPrice, startWorld, type TestWorld } from './support/sandboxWorld.ts'

let world: TestWorld
beforeEach(async () => {
  world = await startWorld()
})
afterEach(() => world.close())

async function newQuote(more: Partial<Stripe.QuoteCreateParams> = {}) {
  const customer = await newCustomer(world)
  const price = await newPrice(world, 1500)
  await world.arrived()
  return world.stripe.quotes.create({
    customer: customer.id,
    line_items: [{ price: price.id, quantity: 10 }],
    ...more,
  })
}

describe('a quote', () => {
  test('becomes a subscription when it is accepted, whose first invoice waits as a draft', async () => {
    const quote = await newQuote()
    expect(quote).toMatchObject({ status: 'draft', amount_total: 15_000, number: null })
    const open = await world.stripe.quotes.finalizeQuote(quote.id)
    expect(open.number).toMatch(/^QT-\w+-0001-1$/)
    const accepted = await world.stripe.quotes.accept(quote.id, { expand: ['invoice', 'subscription'] })
    expect(accepted).toMatchObject({
      status: 'accepted',
      subscription: { status: 'active' },
      invoice: { status: 'draft', total: 15_000 },
    })
    const types = await world.arrived()
    expect(types.filter((type) => !type.startsWith('customer.updated'))).toEqual([
      'quote.created',
      'quote.finalized',
      'customer.subscription.created',
      'invoice.created',
      'quote.accepted',
    ])
  })

  test('of one-time prices becomes an invoice, less its discount', async () => {
    const coupon = await world.stripe.coupons.create({ percent_off: 20, duration: 'once' })
    const product = await world.stripe.products.create({ name: 'Setup' })
    const price = await world.stripe.prices.create({ product: product.id, currency: 'usd', unit_amount: 5000 })
    const quote = await newQuote({ line_items: [{ price: price.id, quantity: 2 }], discounts: [{ coupon: coupon.id }] })
    expect(quote).toMatchObject({ amount_subtotal: 10_000, amount_total: 8000, computed: { recurring: null } })
    await world.stripe.quotes.finalizeQuote(quote.id)
    const accepted = await world.stripe.quotes.accept(quote.id, { expand: ['invoice'] })
    expect(accepted.subscription).toBeNull()
    expect(accepted.invoice).toMatchObject({ status: 'draft', total: 8000, billing_reason: 'quote_accept' })
  })

  test('goes one way: what is open does not change, what is canceled is not accepted', async () => {
    const quote = await newQuote()
    await expect(world.stripe.quotes.accept(quote.id)).rejects.toThrow('status of `draft`')
    await world.stripe.quotes.finalizeQuote(quote.id)
    await expect(world.stripe.quotes.update(quote.id, { description: 'x' })).rejects.toThrow('status of `open`')
    expect((await world.stripe.quotes.cancel(quote.id)).status).toBe('canceled')
    await expect(world.stripe.quotes.accept(quote.id)).rejects.toThrow('status of `canceled`')
    expect(await world.arrived()).toEqual(['quote.created', 'quote.finalized', 'quote.canceled'])
  })
})

describe('a payment link', () => {
  test('gives everybody a payment page of their own until it is turned off', async () => {
    const price = await newPrice(world, 1500)
    await world.arrived()
    const link = await world.stripe.paymentLinks.create({
      line_items: [{ price: price.id, quantity: 2 }],
      after_completion: { type: 'redirect', redirect: { url: 'https://example.com/thanks' } },
      subscription_data: { trial_period_days: 7 },
    })
    const follow = () => fetch(link.url, { redirect: 'manual' })
    const [first, second] = [await follow(), await follow()].map((each) => each.headers.get('location'))
    expect(first).not.toBe(second)
    const session = await world.stripe.checkout.sessions.retrieve(String(first).split('/').at(-1)!)
    expect(session).toMatchObject({
      mode: 'subscription',
      payment_link: link.id,
      amount_total: 0,
      success_url: 'https://example.com/thanks',
    })
    await world.stripe.paymentLinks.update(link.id, { active: false, inactive_message: 'Sold out' })
    const closed = await follow()
    expect([closed.status, await closed.text()]).toEqual([200, expect.stringContaining('Sold out')])
    expect(await world.arrived()).toEqual(['payment_link.created', 'payment_link.updated'])
    expect((await world.stripe.paymentLinks.listLineItems(link.id)).data[0]?.quantity).toBe(2)
  })

  test('refuses what Stripe does not know', async () => {
    const price = await newPrice(world, 1500)
    await expect(
      world.stripe.paymentLinks.create({ line_items: [{ price: price.id, quantity: 1 }], colour: 'red' } as never),
    ).rejects.toMatchObject({ code: 'parameter_unknown' })
  })
})
