import { afterEach, beforeEach, expect, test } from 'vitest'
import { newCustomer, startWorld, type TestWorld } from './support/sandboxWorld.ts'

let world: TestWorld
beforeEach(async () => {
  world = await startWorld()
})
afterEach(() => world.close())

const fund = (customer: string, amount: number) =>
  world.stripe.testHelpers.customers.fundCashBalance(customer, { amount, currency: 'usd' })

test('a transfer pays what waits for it, in parts if need be, and the rest stays on the balance', async () => {
  const customer = await newCustomer(world, null)
  const response = await fetch(`${world.sandbox.url}/v1/payment_intents`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk_test_x', 'content-type': 'application/x-www-form-urlencoded' },
    body: `amount=1000&currency=usd&confirm=true&customer=${customer.id}&payment_method_data[type]=customer_balance`,
  })
  const { id, status } = (await response.json()) as { id: string; status: string }
  expect(status).toBe('requires_action')
  await world.arrived()
  await fund(customer.id, 400)
  expect(await world.arrived()).toEqual([
    'customer_cash_balance_transaction.created',
    'customer_cash_balance_transaction.created',
    'payment_intent.partially_funded',
  ])
  await fund(customer.id, 900)
  expect((await world.stripe.paymentIntents.retrieve(id)).status).toBe('succeeded')
  expect((await world.arrived()).slice(2)).toEqual([
    'charge.succeeded',
    'payment_intent.succeeded',
    'cash_balance.funds_available',
  ])
  expect((await world.stripe.customers.retrieveCashBalance(customer.id)).available).toEqual({ usd: 300 })
})
