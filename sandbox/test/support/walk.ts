import { giveCard, newCustomer, newPrice, type TestWorld } from './sandboxWorld.ts'

/** Calls about everything that the sandbox serves, in one long story; the caller looks at the raw answers. */
export async function walk(world: TestWorld): Promise<void> {
  const { stripe } = world
  const customer = await newCustomer(world, 'pm_card_visa', {
    metadata: { a: 'b' },
    address: { line1: 'x', country: 'US' },
  })
  await stripe.customers.retrieve(customer.id, {
    expand: ['subscriptions', 'tax', 'invoice_credit_balance', 'invoice_settings.default_payment_method'],
  })
  await stripe.customers.list({ limit: 3 })
  await stripe.customers.search({ query: "email:'ana@example.com'" })
  await stripe.customers.createBalanceTransaction(customer.id, { amount: -100, currency: 'usd' })
  await stripe.customers.listBalanceTransactions(customer.id)
  await stripe.customers.listPaymentMethods(customer.id)

  const product = await stripe.products.create({
    name: 'Seats',
    unit_label: 'seat',
    description: 'd',
    default_price_data: { currency: 'usd', unit_amount: 900, recurring: { interval: 'month' } },
  })
  await stripe.products.update(product.id, { metadata: { tier: 'gold' } })
  await stripe.products.list({ active: true })
  const monthly = await newPrice(world, 1000)
  const bigger = await newPrice(world, 3000)
  const yearly = await newPrice(world, 10000, { interval: 'year' })
  const tiered = await stripe.prices.create({
    currency: 'usd',
    product: product.id,
    billing_scheme: 'tiered',
    tiers_mode: 'graduated',
    tiers: [
      { up_to: 10, unit_amount: 500, flat_amount: 100 },
      { up_to: 'inf', unit_amount_decimal: '99.5' as never },
    ],
    recurring: { interval: 'month' },
    expand: ['tiers', 'currency_options', 'product'],
  })
  await stripe.prices.update(monthly.id, { nickname: 'Monthly', lookup_key: 'monthly' })
  await stripe.prices.list({ lookup_keys: ['monthly'], expand: ['data.product'] })
  const coupon = await stripe.coupons.create({ percent_off: 25, duration: 'forever', name: 'Quarter' })
  await stripe.coupons.retrieve(coupon.id, { expand: ['applies_to', 'currency_options'] })
  const code = await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: coupon.id }, code: 'QUARTER' })
  await stripe.promotionCodes.list({ code: 'QUARTER', expand: ['data.promotion.coupon'] })

  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: monthly.id, quantity: 2 }],
    discounts: [{ promotion_code: code.id }],
    add_invoice_items: [
      { price: (await stripe.prices.create({ currency: 'usd', unit_amount: 700, product: product.id })).id },
    ],
    expand: [
      'default_payment_method',
      'discounts.source.coupon',
      'latest_invoice.confirmation_secret',
      'latest_invoice.payments',
      'latest_invoice.total_discount_amounts.discount',
      'pending_setup_intent',
      'schedule',
      'items.data.price.product',
    ],
  })
  const item = subscription.items.data[0]!
  await stripe.invoices.createPreview({
    subscription: subscription.id,
    subscription_details: { items: [{ id: item.id, price: bigger.id }], proration_behavior: 'always_invoice' },
  })
  await stripe.invoices.createPreview({ subscription: subscription.id })
  await stripe.invoices.createPreview({
    customer: customer.id,
    subscription_details: { items: [{ price: tiered.id, quantity: 12 }] },
  })
  await world.advance(86_400)
  await stripe.subscriptions.update(subscription.id, {
    items: [{ id: item.id, price: bigger.id, quantity: 2 }],
    proration_behavior: 'always_invoice',
  })
  await stripe.subscriptions.update(subscription.id, { metadata: { k: 'v' }, cancel_at_period_end: true })
  await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: false })
  await stripe.subscriptionItems.create({ subscription: subscription.id, price: yearly.id })
  await stripe.subscriptionItems.list({ subscription: subscription.id })
  await stripe.subscriptions.update(subscription.id, { pause_collection: { behavior: 'void' } })
  await stripe.subscriptions.update(subscription.id, { pause_collection: '' })
  const schedule = await stripe.subscriptionSchedules.create({ from_subscription: subscription.id })
  await stripe.subscriptionSchedules.update(schedule.id, {
    phases: [
      {
        start_date: schedule.phases[0]!.start_date,
        end_date: schedule.phases[0]!.end_date,
        items: [{ price: bigger.id, quantity: 2 }, { price: yearly.id }],
      },
      { items: [{ price: monthly.id, quantity: 1 }], duration: { interval: 'month', interval_count: 1 } },
    ],
  })
  await stripe.subscriptionSchedules.release(schedule.id)
  await stripe.subscriptionSchedules.list({ customer: customer.id })
  await stripe.subscriptionSchedules.create({
    customer: customer.id,
    start_date: 'now',
    end_behavior: 'cancel',
    phases: [{ items: [{ price: tiered.id, quantity: 12 }], duration: { interval: 'month' } }],
  })
  await world.advance(40 * 86_400)
  await stripe.subscriptions.list({ status: 'all', customer: customer.id, expand: ['data.latest_invoice'] })
  await stripe.subscriptions.pause(subscription.id, { type: 'subscription' } as never)
  await stripe.subscriptions.resume(subscription.id, {})

  const trial = await stripe.subscriptions.create({
    customer: (await newCustomer(world, null)).id,
    items: [{ price: monthly.id }],
    trial_period_days: 7,
    trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
  })
  await stripe.subscriptions.retrieve(trial.id, { expand: ['pending_setup_intent', 'latest_invoice'] })
  await world.advance(8 * 86_400)
  const failing = await newCustomer(world, 'pm_card_chargeCustomerFail')
  const incomplete = await stripe.subscriptions.create({
    customer: failing.id,
    items: [{ price: monthly.id }],
    expand: ['latest_invoice.payments.data.payment.payment_intent'],
  })
  await stripe.subscriptions.retrieve(incomplete.id)
  const asking = await newCustomer(world, 'pm_card_threeDSecure2Required')
  await stripe.subscriptions.create({ customer: asking.id, items: [{ price: monthly.id }] })
  await stripe.paymentIntents.list({ customer: asking.id })
  await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: monthly.id }],
    collection_method: 'send_invoice',
    days_until_due: 30,
  })
  await world.advance(86_400 * 2)

  const draft = await stripe.invoices.create({ customer: customer.id, description: 'extra' })
  await stripe.invoiceItems.create({
    customer: customer.id,
    invoice: draft.id,
    amount: 2500,
    currency: 'usd',
    description: 'Hours',
  })
  await stripe.invoiceItems.create({ customer: customer.id, amount: 900, currency: 'usd' })
  await stripe.invoices.addLines(draft.id!, { lines: [{ amount: 500, description: 'More' }] })
  await stripe.invoices.listLineItems(draft.id!)
  await stripe.invoices.update(draft.id!, { metadata: { x: 'y' } })
  await stripe.invoices.finalizeInvoice(draft.id!)
  await stripe.creditNotes.create({ invoice: draft.id!, amount: 300 })
  const paid = await stripe.invoices.pay(draft.id!, { expand: ['payments'] })
  await stripe.creditNotes.create({
    invoice: paid.id!,
    lines: [{ type: 'custom_line_item', description: 'Refund', quantity: 1, unit_amount: 500 }],
    refund_amount: 500,
  })
  await stripe.creditNotes.list({ invoice: paid.id })
  await stripe.invoicePayments.list({ invoice: paid.id })
  const other = await stripe.invoices.create({ customer: customer.id, pending_invoice_items_behavior: 'include' })
  await stripe.invoices.finalizeInvoice(other.id!)
  await stripe.invoices.voidInvoice(other.id!)
  await stripe.invoices.list({ customer: customer.id })
  await stripe.invoiceItems.list({ customer: customer.id })

  const intent = await stripe.paymentIntents.create({
    amount: 4000,
    currency: 'usd',
    customer: customer.id,
    payment_method: 'pm_card_visa',
    confirm: true,
    return_url: 'https://example.com',
    expand: ['latest_charge.balance_transaction', 'latest_charge.refunds'],
  })
  await stripe.refunds.create({ payment_intent: intent.id, amount: 100 })
  await stripe.refunds.list({ payment_intent: intent.id })
  await stripe.charges.list({ payment_intent: intent.id, expand: ['data.balance_transaction', 'data.refunds'] })
  const manual = await stripe.paymentIntents.create({
    amount: 4000,
    currency: 'usd',
    payment_method: 'pm_card_visa',
    confirm: true,
    capture_method: 'manual',
    return_url: 'https://example.com',
  })
  await stripe.paymentIntents.capture(manual.id)
  await stripe.paymentIntents.cancel((await stripe.paymentIntents.create({ amount: 100, currency: 'usd' })).id)
  const setup = await stripe.setupIntents.create({
    customer: customer.id,
    payment_method: 'pm_card_mastercard',
    confirm: true,
    return_url: 'https://example.com',
  })
  await stripe.setupIntents.retrieve(setup.id)
  await stripe.setupIntents.create({
    customer: customer.id,
    payment_method: 'pm_card_threeDSecure2Required',
    confirm: true,
  })

  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    customer: customer.id,
    line_items: [{ price: monthly.id, quantity: 1 }],
    success_url: 'https://example.com/{CHECKOUT_SESSION_ID}',
    cancel_url: 'https://example.com/back',
    allow_promotion_codes: true,
    client_reference_id: 'ref',
    subscription_data: { metadata: { m: '1' } },
    expand: ['line_items', 'total_details.breakdown'],
  })
  await stripe.checkout.sessions.listLineItems(session.id)
  await stripe.checkout.sessions.expire(session.id)
  const setupSession = await stripe.checkout.sessions.create({
    mode: 'setup',
    customer: customer.id,
    currency: 'usd',
    success_url: 'https://example.com',
  })
  await stripe.checkout.sessions.retrieve(setupSession.id, { expand: ['setup_intent'] })
  const bought = await stripe.checkout.sessions.create({
    mode: 'payment',
    line_items: [{ quantity: 2, price_data: { currency: 'eur', unit_amount: 500, product_data: { name: 'Mug' } } }],
    success_url: 'https://example.com',
  })
  await fetch(`${world.sandbox.url}/v1/payment_pages/${bought.id}/confirm`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk_test_x' },
    body: 'payment_method=pm_card_visa',
  })
  await stripe.checkout.sessions.list({ limit: 5 })

  const link = await stripe.paymentLinks.create({
    line_items: [{ price: monthly.id, quantity: 1 }],
    subscription_data: { trial_period_days: 3 },
    expand: ['line_items'],
  })
  await stripe.paymentLinks.update(link.id, { allow_promotion_codes: true })
  await stripe.paymentLinks.listLineItems(link.id)
  await stripe.paymentLinks.list()
  await fetch(link.url, { redirect: 'manual' })
  const quote = await stripe.quotes.create({
    customer: customer.id,
    line_items: [{ price: monthly.id, quantity: 2 }],
    discounts: [{ coupon: coupon.id }],
    expand: ['line_items', 'customer'],
  })
  await stripe.quotes.update(quote.id, { description: 'Two seats' })
  await stripe.quotes.finalizeQuote(quote.id)
  await stripe.quotes.accept(quote.id, { expand: ['invoice', 'subscription'] })
  await stripe.quotes.listComputedUpfrontLineItems(quote.id)
  await stripe.quotes.list({ customer: customer.id })
  const taxId = await stripe.customers.createTaxId(customer.id, { type: 'eu_vat', value: 'DE123456789' })
  await stripe.customers.listTaxIds(customer.id)
  await stripe.customers.retrieve(customer.id, { expand: ['tax_ids'] })
  await stripe.customers.deleteTaxId(customer.id, taxId.id)
  const meter = await stripe.billing.meters.create({
    display_name: 'Calls',
    event_name: 'calls',
    default_aggregation: { formula: 'sum' },
  })
  await stripe.billing.meters.update(meter.id, { display_name: 'API calls' })
  const now = Math.floor(Date.now() / 1000)
  for (const [identifier, value] of Object.entries({ a: '3', b: '4' }))
    await stripe.billing.meterEvents.create({
      event_name: 'calls',
      identifier,
      timestamp: now,
      payload: { stripe_customer_id: customer.id, value },
    })
  await stripe.billing.meterEventAdjustments.create({
    event_name: 'calls',
    type: 'cancel',
    cancel: { identifier: 'a' },
  })
  await stripe.billing.meters.listEventSummaries(meter.id, {
    customer: customer.id,
    start_time: now - 60,
    end_time: now + 60,
  })
  await stripe.billing.meters.deactivate(meter.id)
  await stripe.billing.meters.reactivate(meter.id)
  await stripe.billing.meters.list({ status: 'active' })
  const debit = await stripe.paymentMethods.create({
    type: 'sepa_debit',
    sepa_debit: { iban: 'AT611904300234573201' },
    billing_details: { name: 'Ana', email: 'ana@example.com' },
  })
  const debited = await stripe.paymentIntents.create({
    amount: 900,
    currency: 'eur',
    payment_method: debit.id,
    confirm: true,
    return_url: 'https://example.com',
    expand: ['latest_charge'],
  })
  await world.advance(5)
  await stripe.paymentIntents.retrieve(debited.id, { expand: ['latest_charge.balance_transaction'] })

  const configuration = await stripe.billingPortal.configurations.create({
    features: {
      payment_method_update: { enabled: true },
      subscription_cancel: { enabled: true, mode: 'at_period_end' },
      subscription_update: {
        enabled: true,
        default_allowed_updates: ['price', 'quantity'],
        proration_behavior: 'always_invoice',
        products: [{ product: monthly.product as string, prices: [monthly.id] }],
      },
    },
  })
  await stripe.billingPortal.configurations.update(configuration.id, { business_profile: { headline: 'Hello' } })
  await stripe.billingPortal.sessions.create({
    customer: customer.id,
    configuration: configuration.id,
    return_url: 'https://example.com',
    flow_data: {
      type: 'subscription_cancel',
      subscription_cancel: { subscription: subscription.id },
      after_completion: { type: 'redirect', redirect: { return_url: 'https://example.com' } },
    },
  })

  const endpoint = await stripe.webhookEndpoints.create({
    url: 'http://127.0.0.1:1/none',
    enabled_events: ['customer.created'],
  })
  await stripe.webhookEndpoints.update(endpoint.id, { description: 'd' })
  await stripe.webhookEndpoints.list()
  await stripe.webhookEndpoints.del(endpoint.id)
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: 1_900_000_000, name: 'c' })
  const clocked = await newCustomer(world, 'pm_card_visa', { test_clock: clock.id })
  await stripe.subscriptions.create({ customer: clocked.id, items: [{ price: monthly.id }] })
  await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: 1_900_000_000 + 32 * 86_400 })
  await stripe.testHelpers.testClocks.retrieve(clock.id)
  await world.control('POST', '/sandbox/webhooks/flush')
  await stripe.subscriptions.cancel(subscription.id, { invoice_now: true, prorate: true })
  await giveCard(world, failing.id, 'pm_card_visa')
  await stripe.customers.del(failing.id)
  await stripe.customers.retrieve(failing.id)
  await stripe.balance.retrieve()
  for await (const _event of stripe.events.list({ limit: 100 })) void _event
}
