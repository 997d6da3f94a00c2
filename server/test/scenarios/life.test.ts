import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { payCheckout, stripeOf } from '../support/pay.ts'
import { eventually, startWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.stop())

const back = 'http://127.0.0.1:9999/back'

/** A tenant on a plan, and what the provider calls its things. */
const subscribed = async (tenantId: string, body: Record<string, unknown> = { plan: 'pro', price: 'monthly' }) => {
  const owner = await world.tenant(tenantId)
  const { data: session } = await owner.createSession({ body: { ...body, returnUrl: back } })
  await payCheckout(world, session.sessionUrl)
  const status = await eventually(
    async () => (await owner.getStatus({ query: {} })).data,
    (seen) => seen.subscription !== null && seen.openCheckout === null,
  )
  return { owner, status, providerSubscriptionId: status.subscription!.providerSubscriptionId }
}

const typesOf = async (tenantId: string) =>
  (await (await world.as('service')).listEvents({ query: { tenantId, limit: 1_000 } })).data.map((event) => event.type)

describe('the life of a subscription, as far as the provider tells it', () => {
  test('a renewal moves the period, starts the counters anew and is announced once', async () => {
    const { owner, status } = await subscribed('renewer')
    const service = await world.as('service')
    await service.reportUsage({
      body: { tenantId: 'renewer', meter: 'api_calls', quantity: 9_000, idempotencyKey: 'before' },
    })
    await world.advance('P1M')
    const renewed = await eventually(
      async () => (await owner.getStatus({ query: {} })).data,
      (seen) => seen.period?.start === status.period?.end,
    )
    expect(renewed.status).toBe('active')
    const { data: usage } = await owner.getUsage({ query: {} })
    expect(usage.meters.find((meter) => meter.meter === 'api_calls')).toMatchObject({
      used: 0,
      window: renewed.period!,
    })
    await world.advance('PT2H')
    const types = await eventually(
      () => typesOf('renewer'),
      (seen) => seen.filter((type) => type === 'invoice.paid').length === 2,
    )
    expect(types.filter((type) => type === 'subscription.created')).toHaveLength(1)
  })

  test('a renewal that fails gives grace, names the problem and its remedy, and recovers', async () => {
    const { owner, status } = await subscribed('decliner')
    const stripe = stripeOf(world)
    const { data: customer } = await world.operator.getCustomer({ params: { customerId: status.customerId } })
    const card = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', {
      customer: customer.providerCustomerId!,
    })
    await stripe.subscriptions.update(status.subscription!.providerSubscriptionId, { default_payment_method: card.id })
    await world.advance('P1M')
    await world.advance('PT2H')
    const failing = await eventually(
      async () => (await owner.getStatus({ query: {} })).data,
      (seen) => seen.status === 'past_due' && seen.paymentProblem?.invoiceUrl !== null,
    )
    expect(failing).toMatchObject({ accessLevel: 'grace', paymentProblem: { kind: 'payment_failed' } })
    expect(failing.nextActions.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['pay_invoice', 'update_payment_method']),
    )
    expect((await owner.check({ body: { feature: 'sso' } })).data.allowed).toBe(true)
    const good = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.providerCustomerId! })
    await stripe.subscriptions.update(status.subscription!.providerSubscriptionId, { default_payment_method: good.id })
    const { data: open } = await stripe.invoices.list({ customer: customer.providerCustomerId!, status: 'open' })
    await stripe.invoices.pay(open[0]!.id!)
    const mended = await eventually(
      async () => (await owner.getStatus({ query: {} })).data,
      (seen) => seen.status === 'active' && seen.paymentProblem === null,
    )
    expect(mended.accessLevel).toBe('full')
    expect((await typesOf('decliner')).filter((type) => type === 'invoice.payment_failed')).toHaveLength(1)
  })

  test('a cancellation at the end is shown as pending, can be undone, and at its time takes the plan away but nothing else', async () => {
    const { owner, status, providerSubscriptionId } = await subscribed('leaver')
    const stripe = stripeOf(world)
    await stripe.subscriptions.update(providerSubscriptionId, { cancel_at_period_end: true })
    const pending = await eventually(
      async () => (await owner.getStatus({ query: {} })).data,
      (seen) => seen.endsAt !== null,
    )
    expect(pending).toMatchObject({
      status: 'active',
      renewsAt: null,
      endsAt: status.period!.end,
      pendingChange: { kind: 'cancellation' },
    })
    await stripe.subscriptions.update(providerSubscriptionId, { cancel_at_period_end: false })
    await eventually(
      async () => (await owner.getStatus({ query: {} })).data.endsAt,
      (endsAt) => endsAt === null,
    )
    await stripe.subscriptions.update(providerSubscriptionId, { cancel_at_period_end: true })
    await eventually(
      async () => (await owner.getStatus({ query: {} })).data.endsAt,
      (endsAt) => endsAt !== null,
    )
    await world.advance('P1M')
    const ended = await eventually(
      async () => (await owner.getStatus({ query: {} })).data,
      (seen) => seen.status === 'no_subscription',
    )
    expect(ended).toMatchObject({ plan: { plan: 'free' }, subscription: null })
    expect((await owner.check({ body: { feature: 'sso' } })).data).toMatchObject({
      allowed: false,
      decisions: [{ reason: 'not_included' }],
    })
    const { data: history } = await owner.listSubscriptions({ query: {} })
    expect(history).toMatchObject([{ status: 'canceled', accessLevel: 'none' }])
    expect((await typesOf('leaver')).filter((type) => type === 'subscription.canceled')).toHaveLength(1)
  })

  test('a plan that was changed at the provider is followed, and completes the intent to change to it', async () => {
    const { owner, providerSubscriptionId } = await subscribed('upgrader')
    const { data: session } = await owner.createSession({ body: { plan: 'scale', price: 'monthly', returnUrl: back } })
    expect(session.kind).toBe('plan_change')
    const stripe = stripeOf(world)
    const subscription = await stripe.subscriptions.retrieve(providerSubscriptionId)
    const prices = await stripe.prices.list({ active: true, limit: 100 })
    const scale = prices.data.find((price) => price.lookup_key?.startsWith('acme_scale_monthly_usd'))!
    await stripe.subscriptions.update(providerSubscriptionId, {
      items: [{ id: subscription.items.data[0]!.id, price: scale.id }],
      proration_behavior: 'always_invoice',
    })
    const upgraded = await eventually(
      async () => (await owner.getStatus({ query: {} })).data,
      (seen) => seen.plan.plan === 'scale' && seen.openCheckout === null,
    )
    expect(upgraded.subscription?.providerSubscriptionId).toBe(providerSubscriptionId)
    expect((await owner.getCheckout({ params: { checkoutId: session.checkoutId! } })).data.state).toBe('completed')
    const limit = (await owner.check({ body: { feature: 'api_calls' } })).data.decisions[0]!.limit
    expect(limit === null || limit > 20_000).toBe(true)
  })

  test('seats and add-ons bought with a plan are held', async () => {
    const { status, owner } = await subscribed('team', {
      plan: 'pro',
      price: 'monthly',
      seats: 5,
      addOns: [{ addOn: 'extra_projects', quantity: 2 }],
    })
    expect(status.seats).toMatchObject({ held: 5, included: 3 })
    expect(status.subscription?.addOns).toEqual([{ addOn: 'extra_projects', quantity: 2 }])
    const projects = (await owner.getEntitlements({ query: {} })).data.entitlements.find(
      (entitlement) => entitlement.feature === 'projects',
    )
    expect(projects?.origin).toBe('add_on')
    // Hosted pages cannot change such a plan, and say so instead of leading nowhere.
    const refused = await owner
      .createSession({ body: { plan: 'scale', price: 'monthly', returnUrl: back } })
      .catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'plan_not_available', errors: [{ field: 'plan' }] })
  })

  test('a trial is full access until it ends, and says when', async () => {
    const { status } = await subscribed('trialist', { plan: 'starter', price: 'monthly' })
    expect(status).toMatchObject({ status: 'trialing', accessLevel: 'full' })
    expect(status.trialEndsAt).not.toBeNull()
  })

  test('what was allowed at a past time can still be told', async () => {
    const { owner } = await subscribed('historian')
    const { data: now } = await owner.getEntitlements({ query: {} })
    const created = (await world.operator.getCustomer({ params: { customerId: now.customerId } })).data.createdAt
    const { data: then } = await owner.getEntitlements({ query: { at: created } })
    expect([then.plan, then.version]).toEqual(['free', 1])
    expect(now.version).toBeGreaterThan(1)
    expect((await owner.explain({ params: { feature: 'sso' }, query: { at: created } })).data.decision.allowed).toBe(
      false,
    )
  })

  test('events of customers that are not ours are kept and ignored', async () => {
    const stripe = stripeOf(world)
    const stranger = await stripe.customers.create({ email: 'stranger@example.com' })
    const invoice = await stripe.invoices.create({ customer: stranger.id })
    const seen = await eventually(
      async () => (await world.operator.listWebhooks({ query: { limit: 200 } })).data,
      (rows) => rows.some((row) => row.objectId === invoice.id && row.state === 'ignored'),
    )
    expect(seen.find((row) => row.objectId === invoice.id)).toMatchObject({
      outcome: 'unknown_customer',
      tenantId: null,
    })
  })

  test('the timeline tells a purchase as one chain, in order', async () => {
    const { status } = await subscribed('storyteller')
    const { data: entries } = await world.operator.getTimeline({
      params: { customerId: status.customerId },
      query: { limit: 200 },
    })
    const created = entries.find((entry) => entry.kind === 'event' && entry.title === 'subscription.created')!
    const chain = entries.filter((entry) => entry.correlationId === created.correlationId)
    expect(new Set(chain.map((entry) => entry.kind))).toEqual(new Set(['webhook', 'audit', 'event', 'snapshot']))
    const times = entries.map((entry) => entry.at)
    expect(times).toEqual([...times].sort((a, b) => Temporal.Instant.compare(b, a)))
  })
})

test('a downgrade that the provider has scheduled is shown as pending and completes its intent', async () => {
  const { owner, providerSubscriptionId, status } = await subscribed('downgrader', { plan: 'scale', price: 'monthly' })
  const { data: session } = await owner.createSession({ body: { plan: 'pro', price: 'monthly', returnUrl: back } })
  const stripe = stripeOf(world)
  const prices = await stripe.prices.list({ active: true, limit: 100 })
  const find = (prefix: string) => prices.data.find((price) => price.lookup_key?.startsWith(prefix))!.id
  const schedule = await stripe.subscriptionSchedules.create({ from_subscription: providerSubscriptionId })
  await stripe.subscriptionSchedules.update(schedule.id, {
    end_behavior: 'release',
    phases: [
      {
        start_date: schedule.phases[0]!.start_date,
        end_date: schedule.phases[0]!.end_date,
        items: [{ price: find('acme_scale_monthly_usd'), quantity: 1 }],
      },
      {
        items: [{ price: find('acme_pro_monthly_usd'), quantity: 1 }],
        duration: { interval: 'month', interval_count: 1 },
      },
    ],
  })
  const pending = await eventually(
    async () => (await owner.getStatus({ query: {} })).data,
    (seen) => seen.pendingChange !== null,
  )
  expect(pending).toMatchObject({
    plan: { plan: 'scale' },
    pendingChange: { kind: 'plan_change', effectiveAt: status.period!.end, to: { plan: 'pro' } },
  })
  expect((await owner.getCheckout({ params: { checkoutId: session.checkoutId! } })).data.state).toBe('completed')
  expect((await owner.listPlans({ query: {} })).data.find((plan) => plan.plan === 'pro')?.relation).toBe('scheduled')
  await world.advance('P1M')
  await eventually(
    async () => (await owner.getStatus({ query: {} })).data,
    (seen) => seen.plan.plan === 'pro' && seen.pendingChange === null,
  )
})
