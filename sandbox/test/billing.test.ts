import type Stripe from 'stripe'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { nextBoundary, periodAt, stepFrom } from '../src/engine/period.ts'
import { giveCard, newCustomer, newPrice, startWorld, type TestWorld } from './support/sandboxWorld.ts'

const day = 86_400
const at = (text: string) => Date.parse(text) / 1000
const month = { interval: 'month', interval_count: 1 } as const

let world: TestWorld
beforeEach(async () => {
  world = await startWorld()
})
afterEach(() => world.close())

test.each([
  ['2027-01-31T00:00:00Z', '2027-02-28T00:00:00Z', '2027-03-31T00:00:00Z'],
  ['2027-12-31T23:59:59Z', '2028-01-31T23:59:59Z', '2028-02-29T23:59:59Z'],
  ['2027-04-15T06:00:00Z', '2027-05-15T06:00:00Z', '2027-06-15T06:00:00Z'],
])('monthly periods from %s are anchored and clamped', (anchor, first, second) => {
  expect(stepFrom(at(anchor), month, 1)).toBe(at(first))
  expect(stepFrom(at(anchor), month, 2)).toBe(at(second))
  expect(nextBoundary(at(anchor), month, at(first))).toBe(at(second))
  expect(nextBoundary(at(anchor), month, at(first) - 1)).toBe(at(first))
  expect(periodAt(at(anchor), month, at(first))).toEqual({ start: at(first), end: at(second) })
})

describe('invoices', () => {
  test('go from draft to paid, keep their number and refuse changes afterwards', async () => {
    const customer = await newCustomer(world)
    const draft = await world.stripe.invoices.create({ customer: customer.id })
    await world.stripe.invoiceItems.create({ customer: customer.id, invoice: draft.id, amount: 1900, currency: 'usd' })
    const open = await world.stripe.invoices.finalizeInvoice(draft.id!)
    expect(open).toMatchObject({
      status: 'open',
      number: `${customer.invoice_prefix}-0001`,
      amount_due: 1900,
      attempt_count: 0,
    })
    const paid = await world.stripe.invoices.pay(draft.id!)
    expect(paid).toMatchObject({ status: 'paid', amount_paid: 1900, amount_remaining: 0 })
    await expect(world.stripe.invoices.pay(draft.id!)).rejects.toMatchObject({ code: 'invoice_already_paid' })
    await expect(world.stripe.invoices.voidInvoice(draft.id!)).rejects.toMatchObject({ code: 'invoice_not_editable' })
    await expect(
      world.stripe.invoiceItems.create({ customer: customer.id, invoice: draft.id, amount: 1, currency: 'usd' }),
    ).rejects.toMatchObject({ code: 'invoice_not_editable' })
  })

  test('a refused card leaves it open with the failed attempt on record', async () => {
    const customer = await newCustomer(world, 'pm_card_chargeCustomerFail')
    await world.stripe.invoiceItems.create({ customer: customer.id, amount: 1900, currency: 'usd' })
    const draft = await world.stripe.invoices.create({
      customer: customer.id,
      pending_invoice_items_behavior: 'include',
    })
    await expect(world.stripe.invoices.pay(draft.id!)).rejects.toMatchObject({ statusCode: 402, code: 'card_declined' })
    expect(await world.stripe.invoices.retrieve(draft.id!)).toMatchObject({
      status: 'open',
      attempt_count: 1,
      attempted: true,
    })
    expect((await world.stripe.charges.list({ customer: customer.id })).data.map((charge) => charge.status)).toEqual([
      'failed',
    ])
  })

  test('what the customer has in credit is used first, and a negative total becomes credit', async () => {
    const customer = await newCustomer(world)
    await world.stripe.customers.createBalanceTransaction(customer.id, { amount: -500, currency: 'usd' })
    await world.stripe.invoiceItems.create({ customer: customer.id, amount: 2000, currency: 'usd' })
    const first = await world.stripe.invoices.create({
      customer: customer.id,
      pending_invoice_items_behavior: 'include',
    })
    expect(await world.stripe.invoices.pay(first.id!)).toMatchObject({
      total: 2000,
      amount_due: 1500,
      amount_paid: 1500,
      starting_balance: -500,
      ending_balance: 0,
    })
    await world.stripe.invoiceItems.create({ customer: customer.id, amount: -700, currency: 'usd' })
    const second = await world.stripe.invoices.create({
      customer: customer.id,
      pending_invoice_items_behavior: 'include',
    })
    expect(await world.stripe.invoices.finalizeInvoice(second.id!)).toMatchObject({
      status: 'paid',
      amount_due: 0,
      ending_balance: -700,
    })
    expect(await world.stripe.customers.retrieve(customer.id)).toMatchObject({ balance: -700 })
  })

  test('void gives used credit back, uncollectible may still be paid', async () => {
    const customer = await newCustomer(world)
    await world.stripe.customers.createBalanceTransaction(customer.id, { amount: -500, currency: 'usd' })
    await world.stripe.invoiceItems.create({ customer: customer.id, amount: 2000, currency: 'usd' })
    const first = await world.stripe.invoices.create({
      customer: customer.id,
      pending_invoice_items_behavior: 'include',
    })
    await world.stripe.invoices.finalizeInvoice(first.id!)
    await world.stripe.invoices.voidInvoice(first.id!)
    expect(await world.stripe.customers.retrieve(customer.id)).toMatchObject({ balance: -500 })
    await world.stripe.invoiceItems.create({ customer: customer.id, amount: 2000, currency: 'usd' })
    const second = await world.stripe.invoices.create({
      customer: customer.id,
      pending_invoice_items_behavior: 'include',
    })
    await world.stripe.invoices.finalizeInvoice(second.id!)
    await world.stripe.invoices.markUncollectible(second.id!)
    expect((await world.stripe.invoices.pay(second.id!)).status).toBe('paid')
  })
})

describe('money back', () => {
  test('partial refunds add up and never exceed the charge', async () => {
    const customer = await newCustomer(world)
    const intent = await world.stripe.paymentIntents.create({
      amount: 1000,
      currency: 'usd',
      customer: customer.id,
      confirm: true,
      payment_method: 'pm_card_visa',
      return_url: 'https://example.com',
    })
    await world.stripe.refunds.create({ payment_intent: intent.id, amount: 400 })
    await expect(world.stripe.refunds.create({ payment_intent: intent.id, amount: 700 })).rejects.toMatchObject({
      statusCode: 400,
      param: 'amount',
    })
    await world.stripe.refunds.create({ payment_intent: intent.id })
    const charge = await world.stripe.charges.retrieve(intent.latest_charge as string, { expand: ['refunds'] })
    expect(charge).toMatchObject({ amount_refunded: 1000, refunded: true })
    expect(charge.refunds!.data).toHaveLength(2)
    await expect(world.stripe.refunds.create({ payment_intent: intent.id })).rejects.toMatchObject({
      code: 'charge_already_refunded',
    })
  })

  test('a credit note lowers an open invoice and refunds a paid one', async () => {
    const customer = await newCustomer(world)
    await world.stripe.invoiceItems.create({ customer: customer.id, amount: 2000, currency: 'usd' })
    const invoice = await world.stripe.invoices.create({
      customer: customer.id,
      pending_invoice_items_behavior: 'include',
    })
    await world.stripe.invoices.finalizeInvoice(invoice.id!)
    const before = await world.stripe.creditNotes.create({ invoice: invoice.id!, amount: 500 })
    expect(before).toMatchObject({
      type: 'pre_payment',
      pre_payment_amount: 500,
      number: `${customer.invoice_prefix}-0001-CN-01`,
    })
    expect(await world.stripe.invoices.pay(invoice.id!)).toMatchObject({ amount_paid: 1500, total: 2000 })
    const after = await world.stripe.creditNotes.create({ invoice: invoice.id!, amount: 300, refund_amount: 300 })
    expect(after).toMatchObject({ type: 'post_payment', post_payment_amount: 300 })
    expect((await world.stripe.invoices.retrieve(invoice.id!)).status).toBe('paid')
  })
})

describe('checkout', () => {
  const buy = (session: Stripe.Checkout.Session, card = 'pm_card_visa') =>
    fetch(`${world.sandbox.url}/v1/payment_pages/${session.id}/confirm`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk_test_x' },
      body: `payment_method=${card}&expected_amount=${session.amount_total}`,
    })

  test('a paid session has its subscription, its events in order and passes metadata on', async () => {
    const price = await newPrice(world, 1500)
    await world.arrived()
    const session = await world.stripe.checkout.sessions.create({
      mode: 'subscription',
      line_items: [{ price: price.id, quantity: 2 }],
      customer_email: 'new@example.com',
      success_url: 'https://example.com',
      subscription_data: { metadata: { workspace: 'w1' } },
    })
    expect(session).toMatchObject({ status: 'open', payment_status: 'unpaid', amount_total: 3000, customer: null })
    expect((await buy(session)).status).toBe(200)
    const done = await world.stripe.checkout.sessions.retrieve(session.id, { expand: ['subscription', 'invoice'] })
    expect(done).toMatchObject({
      status: 'complete',
      payment_status: 'paid',
      url: null,
      subscription: { status: 'active', metadata: { workspace: 'w1' } },
      invoice: { parent: { subscription_details: { metadata: { workspace: 'w1' } } } },
    })
    expect(await world.arrived()).toEqual([
      'customer.created',
      'payment_method.attached',
      'payment_intent.created',
      'charge.succeeded',
      'payment_intent.succeeded',
      'customer.subscription.created',
      'invoice.created',
      'invoice.finalized',
      'invoice.paid',
      'invoice.payment_succeeded',
      'checkout.session.completed',
      'invoice_payment.paid',
    ])
  })

  test('a declined card leaves nothing behind and the session open', async () => {
    const price = await newPrice(world, 1500)
    const customer = await newCustomer(world, null)
    const session = await world.stripe.checkout.sessions.create({
      mode: 'subscription',
      customer: customer.id,
      line_items: [{ price: price.id, quantity: 1 }],
      success_url: 'https://example.com',
    })
    expect((await buy(session, 'pm_card_chargeCustomerFail')).status).toBe(402)
    expect((await world.stripe.checkout.sessions.retrieve(session.id)).status).toBe('open')
    expect((await world.stripe.subscriptions.list({ customer: customer.id, status: 'all' })).data).toEqual([])
    expect((await buy(session)).status).toBe(200)
  })

  test('an unpaid session expires after a day, and not twice', async () => {
    const price = await newPrice(world, 1500)
    const session = await world.stripe.checkout.sessions.create({
      mode: 'subscription',
      line_items: [{ price: price.id, quantity: 1 }],
      success_url: 'https://example.com',
    })
    await world.advance(day)
    expect(await world.stripe.checkout.sessions.retrieve(session.id)).toMatchObject({ status: 'expired', url: null })
    expect(await world.arrived()).toContain('checkout.session.expired')
    await expect(world.stripe.checkout.sessions.expire(session.id)).rejects.toMatchObject({ statusCode: 400 })
    expect((await buy(session)).status).toBe(400)
  })
})

describe('test clocks', () => {
  test('move only what lives on them', async () => {
    const price = await newPrice(world, 1000)
    const start = at('2030-01-01T00:00:00Z')
    const clock = await world.stripe.testHelpers.testClocks.create({ frozen_time: start })
    const here = await newCustomer(world)
    const there = await newCustomer(world, 'pm_card_visa', { test_clock: clock.id })
    const mine = await world.stripe.subscriptions.create({ customer: here.id, items: [{ price: price.id }] })
    const theirs = await world.stripe.subscriptions.create({ customer: there.id, items: [{ price: price.id }] })
    expect(theirs.created).toBe(start)
    const moving = await world.stripe.testHelpers.testClocks.advance(clock.id, {
      frozen_time: at('2030-03-02T00:00:00Z'),
    })
    expect(moving.status).toBe('advancing')
    await expect
      .poll(async () => (await world.stripe.testHelpers.testClocks.retrieve(clock.id)).status, { interval: 5 })
      .toBe('ready')
    expect((await world.stripe.invoices.list({ customer: there.id })).data.map((invoice) => invoice.status)).toEqual([
      'paid',
      'paid',
      'paid',
    ])
    expect((await world.stripe.subscriptions.retrieve(mine.id)).items.data[0]!.current_period_end).toBe(
      mine.items.data[0]!.current_period_end,
    )
    expect((await world.stripe.customers.list()).data.map((customer) => customer.id)).toEqual([here.id])
    await expect(world.stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: start })).rejects.toMatchObject({
      statusCode: 400,
    })
  })

  test('a schedule that starts now runs to its end', async () => {
    const price = await newPrice(world, 1500)
    const clock = await world.stripe.testHelpers.testClocks.create({ frozen_time: at('2030-01-01T00:00:00Z') })
    const customer = await newCustomer(world, null, { test_clock: clock.id })
    const schedule = await world.stripe.subscriptionSchedules.create({
      customer: customer.id,
      start_date: 'now',
      end_behavior: 'cancel',
      phases: [{ items: [{ price: price.id, quantity: 1 }], duration: { interval: 'month', interval_count: 1 } }],
    })
    expect(schedule).toMatchObject({ status: 'active', subscription: expect.any(String) })
    await world.stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: at('2030-02-01T00:00:01Z') })
    await expect
      .poll(async () => (await world.stripe.testHelpers.testClocks.retrieve(clock.id)).status, { interval: 5 })
      .toBe('ready')
    expect((await world.stripe.subscriptionSchedules.retrieve(schedule.id)).status).toBe('completed')
    const types = await world.arrived()
    expect(types).toContain('subscription_schedule.expiring')
    expect(types).toContain('subscription_schedule.completed')
  })
})

test('tiers: graduated adds up, volume takes one tier', async () => {
  const product = await world.stripe.products.create({ name: 'Calls' })
  const tiers = [
    { up_to: 10, unit_amount: 100, flat_amount: 500 },
    { up_to: 'inf' as const, unit_amount: 50 },
  ]
  const customer = await newCustomer(world)
  const total = async (mode: 'graduated' | 'volume') => {
    const price = await world.stripe.prices.create({
      product: product.id,
      currency: 'usd',
      billing_scheme: 'tiered',
      tiers_mode: mode,
      tiers,
      recurring: { interval: 'month' },
    })
    expect(price).toMatchObject({ unit_amount: null, unit_amount_decimal: null, tiers_mode: mode })
    const preview = await world.stripe.invoices.createPreview({
      customer: customer.id,
      subscription_details: { items: [{ price: price.id, quantity: 14 }] },
    })
    return preview.total
  }
  expect(await total('graduated')).toBe(10 * 100 + 500 + 4 * 50)
  expect(await total('volume')).toBe(14 * 50)
  await giveCard(world, customer.id, 'pm_card_mastercard')
})

describe('what an invoice was paid by', () => {
  const paid = async () => {
    const customer = await newCustomer(world)
    const method = await world.stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
    await world.stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: method.id } })
    await world.stripe.invoiceItems.create({ customer: customer.id, amount: 2000, currency: 'usd' })
    const draft = await world.stripe.invoices.create({
      customer: customer.id,
      pending_invoice_items_behavior: 'include',
    })
    await world.stripe.invoices.finalizeInvoice(draft.id!)
    const invoice = await world.stripe.invoices.pay(draft.id!, { expand: ['payments'] })
    return { customer, invoice, intent: invoice.payments!.data[0]!.payment.payment_intent as string }
  }

  test('a payment leads to its invoice, and back', async () => {
    const { invoice, intent } = await paid()
    const found = await world.stripe.invoicePayments.list({
      payment: { type: 'payment_intent', payment_intent: intent },
    })
    expect(found.data).toMatchObject([{ invoice: invoice.id, amount_paid: 2000, status: 'paid' }])
    expect((await world.stripe.invoicePayments.list({ status: 'open' })).data).toEqual([])
  })

  test('refunds and credit notes together never exceed the invoice', async () => {
    const { invoice, intent } = await paid()
    await world.stripe.refunds.create({ payment_intent: intent, amount: 1500 })
    await expect(
      world.stripe.creditNotes.create({ invoice: invoice.id!, amount: 600, credit_amount: 600 }),
    ).rejects.toMatchObject({ statusCode: 400, param: 'amount' })
    await world.stripe.creditNotes.create({ invoice: invoice.id!, amount: 500, credit_amount: 500 })
  })

  test('a refund that its credit note names is counted once', async () => {
    const { invoice, intent } = await paid()
    const refund = await world.stripe.refunds.create({ payment_intent: intent, amount: 2000 })
    const note = await world.stripe.creditNotes.create({
      invoice: invoice.id!,
      amount: 2000,
      refunds: [{ refund: refund.id, amount_refunded: 2000 }],
    })
    expect(note).toMatchObject({ type: 'post_payment', refunds: [{ refund: refund.id }] })
  })

  test('credit to the balance is a transaction of the balance that names the note', async () => {
    const { customer, invoice } = await paid()
    const note = await world.stripe.creditNotes.create({ invoice: invoice.id!, amount: 700, credit_amount: 700 })
    const [entry] = (await world.stripe.customers.listBalanceTransactions(customer.id)).data
    expect(entry).toMatchObject({ amount: -700, type: 'credit_note', credit_note: note.id, invoice: invoice.id })
    expect(note.customer_balance_transaction).toBe(entry!.id)
    expect(await world.stripe.customers.retrieve(customer.id)).toMatchObject({ balance: -700 })
  })

  test('credit outside leaves balance and payment alone', async () => {
    const { customer, invoice, intent } = await paid()
    await world.stripe.creditNotes.create({ invoice: invoice.id!, amount: 700, out_of_band_amount: 700 })
    expect(await world.stripe.customers.retrieve(customer.id)).toMatchObject({ balance: 0 })
    expect((await world.stripe.refunds.list({ payment_intent: intent })).data).toEqual([])
    expect(await world.stripe.invoices.retrieve(invoice.id!)).toMatchObject({
      ...{ post_payment_credit_notes_amount: 700, pre_payment_credit_notes_amount: 0, amount_paid: 2000 },
    })
  })

  test('a note of a paid invoice says where all of it goes, and one line gives back no more than it is', async () => {
    const { invoice } = await paid()
    await expect(
      world.stripe.creditNotes.create({ invoice: invoice.id!, amount: 700, credit_amount: 600 }),
    ).rejects.toMatchObject({ statusCode: 400 })
    const line = invoice.lines.data[0]!.id
    const lines = (amount: number) => [{ type: 'invoice_line_item' as const, invoice_line_item: line, amount }]
    await expect(
      world.stripe.creditNotes.create({ invoice: invoice.id!, lines: lines(2001), credit_amount: 2001 }),
    ).rejects.toMatchObject({ statusCode: 400, param: 'lines[0][amount]' })
    expect(
      await world.stripe.creditNotes.create({ invoice: invoice.id!, lines: lines(300), credit_amount: 300 }),
    ).toMatchObject({ amount: 300, lines: { data: [{ invoice_line_item: line, amount: 300 }] } })
  })
})

describe('disputes', () => {
  const disputed = async (card: string) => {
    const intent = await world.stripe.paymentIntents.create({
      ...{ amount: 1000, currency: 'usd', confirm: true, payment_method: card, return_url: 'https://example.com' },
    })
    const [dispute] = (await world.stripe.disputes.list({ payment_intent: intent.id })).data
    return { intent, dispute: dispute! }
  }

  test('what a bank took back cannot be refunded as well, unless the dispute was won', async () => {
    const { intent, dispute } = await disputed('pm_card_createDispute')
    expect(dispute.balance_transactions).toMatchObject([{ amount: -1000, fee: 1500, net: -2500, type: 'adjustment' }])
    await expect(world.stripe.refunds.create({ payment_intent: intent.id })).rejects.toMatchObject({
      code: 'charge_disputed',
    })
    const won = await world.stripe.disputes.update(dispute.id, {
      evidence: { uncategorized_text: 'winning_evidence' },
    })
    expect(won.status).toBe('won')
    expect(won.balance_transactions).toHaveLength(2)
    expect((await world.stripe.refunds.create({ payment_intent: intent.id })).status).toBe('succeeded')
  })

  test('an inquiry takes no money, leaves the refund open, and is closed without a winner', async () => {
    const { intent, dispute } = await disputed('pm_card_createDisputeInquiry')
    expect(dispute).toMatchObject({ status: 'warning_needs_response', balance_transactions: [] })
    const closed = await world.stripe.disputes.update(dispute.id, {
      evidence: { uncategorized_text: 'winning_evidence' },
    })
    expect(closed.status).toBe('warning_closed')
    expect((await world.stripe.refunds.create({ payment_intent: intent.id })).status).toBe('succeeded')
  })
})
