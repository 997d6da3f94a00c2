import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { drainInbox } from '../../src/flows/drain-inbox.ts'
import { payCheckout, stripeOf } from '../support/pay.ts'
import { advanceBilling, auditOf, eventsOf, type Subscriber, statusOf, subscribed } from '../support/story.ts'
import { eventually, startWorld, type World, webhookSecret } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({ env: { REQUEST_TIMEOUT_MS: '1000', WEBHOOK_QUEUE_MAX: '60' } })
})
afterEach(() => world.control('DELETE', '/sandbox/faults'))
afterAll(() => world.stop())

const returnUrl = 'http://127.0.0.1:9999/back'
const intake = '/api/v1/billing/webhooks/stripe'
const fault = (fields: Record<string, unknown>) => world.control('POST', '/sandbox/faults', fields)
const settled = () => world.control('POST', '/sandbox/webhooks/flush', {})
const inbox = async (state?: 'dead' | 'retrying' | 'ignored' | 'applied') =>
  (await world.operator.listWebhooks({ query: { limit: 200, ...(state ? { state } : {}) } })).data
/** The newest webhook about an object, as soon as it is as hoped. */
const webhookOf = (objectId: string, type: string, holds: (row: Row) => boolean) =>
  eventually(
    async () => (await inbox()).find((row) => row.objectId === objectId && row.type === type),
    (row) => row !== undefined && holds(row),
  ) as Promise<Row>
type Row = Awaited<ReturnType<typeof inbox>>[number]

let made = 0
/** A webhook as the provider would sign it, and where it would go. */
const signed = (
  type: string,
  object: Record<string, unknown>,
  more: { secret?: string; livemode?: boolean; id?: string; created?: number } = {},
) => {
  const seconds = Math.floor(Date.now() / 1_000)
  const body = JSON.stringify({
    id: more.id ?? `evt_made_${++made}`,
    object: 'event',
    type,
    created: more.created ?? seconds,
    livemode: more.livemode ?? false,
    data: { object },
  })
  const signature = createHmac('sha256', more.secret ?? webhookSecret)
    .update(`${seconds}.${body}`)
    .digest('hex')
  return { body, headers: { 'stripe-signature': `t=${seconds},v1=${signature}`, 'content-type': 'application/json' } }
}
const deliver = (webhook: ReturnType<typeof signed>) => world.send('POST', intake, { key: null, ...webhook })
const openInvoice = async (subscriber: Subscriber): Promise<string> => {
  const stripe = stripeOf(world)
  const { id } = await stripe.invoices.create({ customer: subscriber.providerCustomerId, auto_advance: false })
  return id!
}
const invoiceRows = async (tenantId: string): Promise<string[]> => {
  const { rows } = await world.app.deps.db.pool.query(
    'select provider_invoice_id from invoices where tenant_id = $1 order by 1',
    [tenantId],
  )
  return rows.map((row: { provider_invoice_id: string }) => row.provider_invoice_id)
}

test('duplicated, delayed and reordered webhooks end in the same state, with one effect each (WEB-2, WEB-3)', async () => {
  await fault({ kind: 'webhook', action: 'duplicate', type: 'customer.subscription.*' })
  await fault({ kind: 'webhook', action: 'delay', type: 'invoice.*' })
  const ana = await subscribed(world, 'ana')
  await world.control('DELETE', '/sandbox/faults')
  const stripe = stripeOf(world)
  await fault({ kind: 'webhook', action: 'delay', type: 'customer.subscription.updated' })
  await stripe.subscriptions.update(ana.providerSubscriptionId, { cancel_at_period_end: true })
  await stripe.subscriptions.update(ana.providerSubscriptionId, { cancel_at_period_end: false })
  await stripe.subscriptions.update(ana.providerSubscriptionId, { cancel_at_period_end: true })
  const { deliveries } = await world.control<{ deliveries: { event: string; status: string }[] }>(
    'GET',
    '/sandbox/deliveries?status=held',
  )
  await world.control('DELETE', '/sandbox/faults')
  await world.control('POST', '/sandbox/webhooks/release', {
    events: [...new Set(deliveries.map((each) => each.event))].reverse(),
  })
  await settled()
  const status = await statusOf(ana.owner, (seen) => seen.pendingChange?.kind === 'cancellation')
  expect(status.status).toBe('active')
  await eventually(inbox, (rows) => rows.every((row) => row.state === 'applied' || row.state === 'ignored'))
  const types = await eventsOf(world, 'ana')
  expect(types.filter((type) => type === 'subscription.created')).toHaveLength(1)
  const twice = (await inbox()).filter((row) => row.deliveries > 1)
  expect(twice.length).toBeGreaterThan(0)
})

test('an event that comes after a newer one of its object is recorded as out of order (WEB-3)', async () => {
  const dora = await subscribed(world, 'dora')
  const object = { id: dora.providerSubscriptionId, object: 'subscription', customer: dora.providerCustomerId }
  const now = Math.floor(world.clock.nowMs() / 1_000) + 1_000
  await deliver(signed('customer.subscription.updated', object, { id: 'evt_newer', created: now }))
  await eventually(inbox, (rows) => rows.some((row) => row.eventId === 'evt_newer' && row.outcome === 'nothing_new'))
  await deliver(signed('customer.subscription.updated', object, { id: 'evt_older', created: now - 60 }))
  await eventually(inbox, (rows) => rows.some((row) => row.eventId === 'evt_older' && row.outcome === 'out_of_order'))
  expect((await dora.owner.getStatus({ query: {} })).data.status).toBe('active')
})

test('a look that lost its lease to a newer one is dropped with a record, and its events come to their turn again (WEB-3)', async () => {
  const olga = await subscribed(world, 'olga')
  await settled()
  await eventually(inbox, (rows) => rows.every((row) => row.state === 'applied' || row.state === 'ignored'))
  await fault({ kind: 'api', action: 'slow', method: 'GET', path: '/v1/subscriptions', ms: 1_500, count: 1 })
  const object = { id: olga.providerSubscriptionId, object: 'subscription', customer: olga.providerCustomerId }
  await deliver(signed('customer.subscription.updated', object, { id: 'evt_overtaken' }))
  const underWay = `select from provider_leases where provider_customer_id = $1 and leased_until > $2`
  await eventually(
    async () =>
      (await world.app.deps.db.pool.query(underWay, [olga.providerCustomerId, world.clock.now().toString()])).rowCount,
    (count) => count === 1,
  )
  // Its lease runs out while it still waits for the provider; somebody else asks and applies.
  world.clock.advance('PT1M')
  await olga.owner.sync({ body: {} })
  const row = await eventually(
    async () => (await inbox()).find((each) => each.eventId === 'evt_overtaken'),
    (each) => each?.state === 'applied',
  )
  const { data: detail } = await world.operator.getWebhook({ params: { webhookId: row!.id } })
  expect(detail.errors).toMatchObject([{ error: 'look_overtaken', held: true }])
  expect(detail).toMatchObject({ attempts: 1, holds: 1 })
})

test('one invoice that can never be fetched holds nothing else up, becomes a dead letter, and is replayed by its object (WEB-4)', async () => {
  const carl = await subscribed(world, 'carl')
  await settled()
  const stripe = stripeOf(world)
  const { id: poison } = await stripe.invoices.create({ customer: carl.providerCustomerId, auto_advance: false })
  await fault({ kind: 'api', action: 'error', method: 'GET', path: `/v1/invoices/${poison}` })
  const object = { id: poison, object: 'invoice', customer: carl.providerCustomerId }
  await deliver(signed('invoice.updated', object, { id: 'evt_poison' }))
  // Later events of the same customer, while the poison waits.
  await stripe.subscriptions.update(carl.providerSubscriptionId, { cancel_at_period_end: true })
  await statusOf(carl.owner, (seen) => seen.pendingChange?.kind === 'cancellation')
  const good = await openInvoice(carl)
  await deliver(signed('invoice.updated', { ...object, id: good }))
  await eventually(
    () => invoiceRows('carl'),
    (ids) => ids.includes(good),
  )
  expect(await invoiceRows('carl')).not.toContain(poison)

  const row = () => webhookOf(poison!, 'invoice.updated', (seen) => seen.eventId === 'evt_poison')
  const { id } = await row()
  await eventually(
    async () => {
      const seen = (await world.operator.getWebhook({ params: { webhookId: id } })).data
      // The pauses double up to an hour; the clock takes them all.
      if (seen.state === 'retrying') world.clock.advance('PT1H1M')
      await drainInbox(world.app.deps)
      return seen.state
    },
    (state) => state === 'dead',
    60_000,
  )
  const { data: dead } = await world.operator.getWebhook({ params: { webhookId: id } })
  expect(dead.attempts).toBe(16)
  expect(dead.errors.filter((entry) => !entry.held).at(-1)).toMatchObject({ error: 'provider_unavailable' })
  expect(await invoiceRows('carl')).not.toContain(poison)
  expect((await world.send('GET', '/metrics')).text).toMatch(/turnpike_webhook_inbox\{state="dead"\} [1-9]/)

  await world.control('DELETE', '/sandbox/faults')
  const { data: dry } = await world.operator.replayWebhooks({ body: { objectId: poison!, dryRun: true } })
  expect(dry).toMatchObject({ dryRun: true, cursor: null })
  expect(dry.webhooks.dead).toBeGreaterThan(0)
  const { data: replayed } = await world.operator.replayWebhooks({ body: { objectId: poison! } })
  expect(replayed.total).toBe(dry.total)
  await eventually(
    () => invoiceRows('carl'),
    (ids) => ids.includes(poison!),
  )
  const { data: audit } = await world.operator.listAudit({ query: { action: 'webhooks.replay' } })
  expect(audit[0]).toMatchObject({ object: poison, before: dry.webhooks, after: { total: dry.total } })
})

test('dead letters of a time are replayed part by part, and a repeat goes on where a break was (WEB-4)', async () => {
  const { db } = world.app.deps
  await db.pool.query(
    `insert into webhook_inbox (provider, event_id, type, object_id, provider_customer_id, state, received_at, due_at)
     select 'stripe', 'evt_old_' || n, 'invoice.updated', 'in_old_' || n, 'cus_of_nobody', 'dead', '2020-01-01'::timestamptz + n * interval '1 hour', now() from generate_series(1, 25) n`,
  )
  const body = { from: '2020-01-01T02:00:00Z', to: '2020-01-01T23:00:00Z', states: ['dead' as const], limit: 10 }
  const totals: number[] = []
  let cursor: string | null = null
  do {
    const { data }: Awaited<ReturnType<typeof world.operator.replayWebhooks>> = await world.operator.replayWebhooks({
      body: { ...body, ...(cursor === null ? {} : { cursor }) },
    })
    totals.push(data.total)
    cursor = data.cursor
  } while (cursor !== null)
  expect(totals).toEqual([10, 10, 1])
  expect((await world.operator.replayWebhooks({ body })).data.total).toBe(0)
  const left = await db.pool.query(
    `select count(*)::int as n from webhook_inbox where event_id like 'evt_old_%' and state = 'dead'`,
  )
  expect(left.rows[0].n).toBe(4)
  const nothing = await world.send('POST', '/api/v1/webhooks/replay', { body: JSON.stringify({ dryRun: true }) })
  expect(nothing.json.code).toBe('invalid_request')
})

test('wrong data is refused with a record and never applied: what was known stays (WEB-3)', async () => {
  const finn = await subscribed(world, 'finn')
  const gina = await subscribed(world, 'gina')
  await settled()
  // Another customer's invoice under this customer's name.
  const hers = await openInvoice(gina)
  await deliver(signed('invoice.updated', { id: hers, object: 'invoice', customer: finn.providerCustomerId }))
  const foreign = await eventually(
    async () =>
      (await inbox()).find((row) => row.objectId === hers && row.providerCustomerId === finn.providerCustomerId),
    (row) => row?.state === 'ignored',
  )
  expect(foreign?.outcome).toBe('other_customer')
  expect(await invoiceRows('finn')).not.toContain(hers)

  // An object that nobody has.
  await deliver(signed('invoice.updated', { id: 'in_nowhere', object: 'invoice', customer: finn.providerCustomerId }))
  await webhookOf('in_nowhere', 'invoice.updated', (row) => row.outcome === 'object_missing')

  expect((await finn.owner.getStatus({ query: {} })).data.status).toBe('active')
})

test('a customer nobody knows is ignored; linked by hand-written metadata it is worked on again by itself, and nothing is ever stolen', async () => {
  const stripe = stripeOf(world)
  const { data: customer } = await world.operator.createCustomer({ body: { tenantId: 'hand', name: 'Made by hand' } })
  const made = await stripe.customers.create({ name: 'Made in the dashboard' })
  const card = await stripe.paymentMethods.attach('pm_card_visa', { customer: made.id })
  await stripe.customers.update(made.id, { invoice_settings: { default_payment_method: card.id } })
  const [price] = (await stripe.prices.list({ limit: 100 })).data.filter((each) =>
    each.lookup_key?.includes('pro_monthly_usd'),
  )
  const subscription = await stripe.subscriptions.create({ customer: made.id, items: [{ price: price!.id }] })
  const ignored = await webhookOf(subscription.id, 'customer.subscription.created', (row) => row.state === 'ignored')
  expect(ignored).toMatchObject({ outcome: 'unknown_customer', tenantId: null })
  const hand = await world.as('owner', 'hand')
  expect((await hand.getStatus({ query: {} })).data.plan.plan).toBe('free')

  await stripe.customers.update(made.id, { metadata: { turnpike_tenant: 'hand' } })
  const status = await statusOf(hand, (seen) => seen.subscription?.providerSubscriptionId === subscription.id)
  expect(status).toMatchObject({ status: 'active', plan: { plan: 'pro' }, customerId: customer.id })
  await webhookOf(subscription.id, 'customer.subscription.created', (row) => row.state === 'applied')
  expect(await auditOf(world, 'hand')).toContain('provider_customer.linked')

  // Somebody else who names the same tenant gets nothing, and takes nothing.
  const thief = await stripe.customers.create({ metadata: { turnpike_tenant: 'hand' } })
  await webhookOf(thief.id, 'customer.created', (row) => row.state === 'ignored' && row.outcome === 'unknown_customer')
  const { data: after } = await world.operator.getCustomer({ params: { customerId: customer.id } })
  expect(after.providerCustomerId).toBe(made.id)
})

test('what is done in the provider’s dashboard is adopted: a subscription, a price change, a cancellation (WEB-3)', async () => {
  const ida = await subscribed(world, 'ida')
  const stripe = stripeOf(world)
  const prices = (await stripe.prices.list({ limit: 100, active: true })).data
  const yearly = prices.find((each) => each.lookup_key?.includes('pro_yearly_usd'))!
  const held = await stripe.subscriptions.retrieve(ida.providerSubscriptionId)
  await stripe.subscriptions.update(ida.providerSubscriptionId, {
    items: [{ id: held.items.data[0]!.id, price: yearly.id }],
  })
  await statusOf(ida.owner, (seen) => seen.subscription?.interval.includes('year') ?? false)
  const invoice = await openInvoice(ida)
  await eventually(
    () => invoiceRows('ida'),
    (ids) => ids.includes(invoice),
  )
  await stripe.subscriptions.cancel(ida.providerSubscriptionId)
  await statusOf(ida.owner, (seen) => seen.status === 'canceled' || seen.subscription === null)
  expect(await eventsOf(world, 'ida', (types) => types.includes('subscription.canceled'))).toContain(
    'subscription.canceled',
  )
})

test('a customer deleted at the provider: subscriptions end by facts, the next purchase makes another one, late webhooks find their tenant', async () => {
  const jo = await subscribed(world, 'jo')
  const stripe = stripeOf(world)
  await stripe.customers.del(jo.providerCustomerId)
  await statusOf(jo.owner, (seen) => seen.status === 'canceled' || seen.subscription === null)
  await eventually(
    () => auditOf(world, 'jo'),
    (actions) => actions.includes('provider_customer.deleted'),
  )
  expect(await eventsOf(world, 'jo', (types) => types.includes('subscription.canceled'))).toContain(
    'subscription.canceled',
  )

  const { data: session } = await jo.owner.createSession({ body: { plan: 'pro', price: 'monthly', returnUrl } })
  await payCheckout(world, session.sessionUrl)
  const status = await statusOf(jo.owner, (seen) => seen.status === 'active')
  expect(status.subscription!.providerSubscriptionId).not.toBe(jo.providerSubscriptionId)
  const { data: customer } = await world.operator.getCustomer({ params: { customerId: jo.customerId } })
  expect(customer.providerCustomerId).not.toBe(jo.providerCustomerId)

  const object = { id: jo.providerSubscriptionId, object: 'subscription', customer: jo.providerCustomerId }
  await deliver(signed('customer.subscription.deleted', object, { id: 'evt_late' }))
  const late = await eventually(
    async () => (await inbox()).find((row) => row.eventId === 'evt_late'),
    (row) => row?.state === 'applied',
  )
  expect(late?.tenantId).toBe('jo')
  expect((await jo.owner.getStatus({ query: {} })).data.status).toBe('active')
})

test('a deletion whose webhook never came is found by asking again, or by the next purchase', async () => {
  await fault({ kind: 'webhook', action: 'drop', type: '*' })
  const kim = await world.tenant('kim')
  const opened = async () => (await kim.createSession({ body: { plan: 'pro', price: 'monthly', returnUrl } })).data
  const buy = async () => {
    const session = await opened()
    await payCheckout(world, session.sessionUrl)
    await kim.reportReturn({ params: { checkoutId: session.checkoutId! }, body: { outcome: 'returned' } })
    await statusOf(kim, (seen) => seen.status === 'active')
  }
  const providerCustomer = async () => {
    const { customerId } = (await kim.getStatus({ query: {} })).data
    return (await world.operator.getCustomer({ params: { customerId } })).data.providerCustomerId!
  }
  await buy()
  const first = await providerCustomer()
  await stripeOf(world).customers.del(first)
  await kim.sync({ body: {} })
  await statusOf(kim, (seen) => seen.status === 'canceled' || seen.subscription === null)
  expect(await auditOf(world, 'kim')).toContain('provider_customer.deleted')

  // Nobody has asked since this one was deleted: the purchase itself finds out.
  await buy()
  const second = await providerCustomer()
  expect(second).not.toBe(first)
  const { data: status } = await kim.getStatus({ query: {} })
  await stripeOf(world).subscriptions.cancel(status.subscription!.providerSubscriptionId)
  await kim.sync({ body: {} })
  await stripeOf(world).customers.del(second)
  await buy()
  expect(await providerCustomer()).not.toBe(second)
})

/** Between the service and the sandbox: changes what is answered about some objects. */
const forger = async (sandbox: string, forge: (path: string, answer: Record<string, unknown>) => void) => {
  const server = createServer((request, respond) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { host: _, 'content-length': __, ...headers } = request.headers
      void fetch(`${sandbox}${request.url}`, {
        method: request.method!,
        headers: headers as Record<string, string>,
        ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
      }).then(async (answer) => {
        const body = (await answer.json()) as Record<string, unknown>
        forge(request.url!, body)
        respond.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, close: () => server.close() }
}

test('answers that make no sense are refused with a record: the rest is applied, and what was known stays (WEB-3, SUB-2)', async () => {
  const other = await startWorld({ env: { TURNPIKE_ONLY: 'api' } })
  const forged = new Map<string, (object: Record<string, unknown>) => void>()
  const lies = await forger(other.sandbox.url, (_, answer) => {
    for (const object of [answer, ...((answer.data as Record<string, unknown>[] | undefined) ?? [])])
      forged.get(String(object.id))?.(object)
  })
  try {
    await other.another({ TURNPIKE_ONLY: 'worker', STRIPE_API_BASE: lies.url })
    const nina = await subscribed(other, 'nina')
    const stripe = stripeOf(other)
    const rows = async () => (await other.operator.listWebhooks({ query: { limit: 200 } })).data
    const { id: bad } = await stripe.invoices.create({ customer: nina.providerCustomerId, auto_advance: false })
    for (const lie of [{ amount_due: -5 }, { amount_due: 10.5 }, { currency: 7 }, { status: 'frozen' }]) {
      forged.set(bad!, (object) => Object.assign(object, lie))
      await stripe.invoices.update(bad!, { metadata: { lie: Object.keys(lie)[0]! } })
      await eventually(rows, (seen) =>
        seen.some(
          (row) => row.objectId === bad && row.lastError === 'provider_data_invalid' && row.state === 'retrying',
        ),
      )
    }
    // Its neighbour in the same inbox is applied.
    const { id: good } = await stripe.invoices.create({ customer: nina.providerCustomerId, auto_advance: false })
    await eventually(rows, (seen) => seen.some((row) => row.objectId === good && row.state === 'applied'))

    // What nobody thought of: the database itself refuses it. Each object is looked at for itself then.
    await other.control('POST', '/sandbox/faults', { kind: 'webhook', action: 'delay', type: '*' })
    forged.set(bad!, (object) => Object.assign(object, { number: 'A\u0000B' }))
    await stripe.invoices.update(bad!, { metadata: { lie: 'number' } })
    const { id: next } = await stripe.invoices.create({ customer: nina.providerCustomerId, auto_advance: false })
    await stripe.subscriptions.update(nina.providerSubscriptionId, { cancel_at_period_end: true })
    await other.control('DELETE', '/sandbox/faults')
    await other.control('POST', '/sandbox/webhooks/release', {})
    await eventually(rows, (seen) => seen.some((row) => row.objectId === next && row.state === 'applied'))
    await statusOf(nina.owner, (seen) => seen.pendingChange?.kind === 'cancellation')
    await eventually(rows, (seen) => seen.some((row) => row.objectId === bad && row.lastError === 'internal_error'))

    for (const lie of [{ items: null }, { status: 'frozen' }, { start_date: 'soon', items: { data: [{}] } }]) {
      forged.set(nina.providerSubscriptionId, (object) => Object.assign(object, lie))
      await stripe.subscriptions.update(nina.providerSubscriptionId, { metadata: { lie: JSON.stringify(lie) } })
    }
    await eventually(rows, (seen) =>
      seen.some((row) => row.objectId === nina.providerSubscriptionId && row.lastError === 'provider_data_invalid'),
    )
    expect((await nina.owner.getStatus({ query: {} })).data).toMatchObject({ status: 'active', plan: { plan: 'pro' } })

    forged.clear()
    await other.advance('PT2H')
    await eventually(rows, (seen) => seen.every((row) => row.state === 'applied' || row.state === 'ignored'))
    expect((await nina.owner.getStatus({ query: {} })).data.status).toBe('active')
  } finally {
    await other.stop()
    lies.close()
  }
})

test('secrets are rotated under load: nothing genuine is refused, and a removed secret is (WEB-1)', async () => {
  const next = 'whsec_the_next_one_0123456789abcdef'
  const both = await world.another({ STRIPE_WEBHOOK_SECRET: `${next},${webhookSecret}` })
  const only = await world.another({ STRIPE_WEBHOOK_SECRET: next })
  const send = async (url: string, secret: string): Promise<number> => {
    const { body, headers } = signed('payout.paid', { id: 'po_1', object: 'payout' }, { secret })
    return (await fetch(`${url}${intake}`, { method: 'POST', headers, body })).status
  }
  const statuses: number[] = []
  // Old process, both, new process: hundreds under way while each takes over.
  for (const [url, secrets] of [
    [world.app.url, [webhookSecret]],
    [both.url, [webhookSecret, next]],
    [only.url, [next]],
  ] as const)
    for (let n = 0; n < 6; n++)
      statuses.push(
        ...(await Promise.all(Array.from({ length: 40 }, (_, i) => send(url, secrets[i % secrets.length]!)))),
      )
  expect(statuses.filter((status) => status !== 200)).toEqual([])
  expect(await send(only.url, webhookSecret)).toBe(400)
})

test('refusals leave records that nobody can flood: the first ten of a minute, and a count of the rest (WEB-1, SEC-4)', async () => {
  const small = await world.another({ WEBHOOK_RATE_LIMIT_PER_SECOND: '20' })
  const send = (more: { body?: string; headers?: Record<string, string> }) =>
    fetch(`${small.url}${intake}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...more.headers },
      body: more.body ?? '{}',
    })
  const answers = await Promise.all(Array.from({ length: 120 }, () => send({})))
  const limited = answers.filter((answer) => answer.status === 429)
  expect(limited.length).toBeGreaterThan(0)
  expect(limited[0]!.headers.get('retry-after')).toBe('1')
  expect(((await limited[0]!.json()) as { code: string }).code).toBe('rate_limited')
  await small.stop()
  const denials = (
    await world.operator.listAudit({ query: { result: 'denied', action: 'webhook.receive', limit: 200 } })
  ).data
  const about = (reason: string) => denials.filter((entry) => entry.reason === reason)
  for (const reason of ['missing', 'rate_limited']) {
    expect(about(reason).length, reason).toBeGreaterThan(0)
    // Two minutes at most were touched, eleven rows each.
    expect(about(reason).length, reason).toBeLessThanOrEqual(22)
  }
  const counted = about('missing')
    .concat(about('rate_limited'))
    .reduce((sum, entry) => sum + Number(entry.after?.moreInTheMinute ?? 0), 0)
  expect(counted).toBeGreaterThan(60)
})

test('a full queue answers 503 with Retry-After, and whatever was acknowledged is there afterwards (WEB-2)', async () => {
  const blocker = new pg.Client({ connectionString: world.database.url })
  await blocker.connect()
  const turnedAway: Awaited<ReturnType<typeof deliver>>[] = []
  const answers: Promise<{ n: number; answer: Awaited<ReturnType<typeof deliver>> }>[] = []
  try {
    await blocker.query('begin')
    await blocker.query('lock table webhook_inbox in exclusive mode')
    for (let n = 0; n < 200; n++)
      answers.push(
        deliver(signed('payout.paid', { id: `po_${n}`, object: 'payout' }, { id: `evt_flood_${n}` })).then((answer) => {
          if (answer.status !== 200) turnedAway.push(answer)
          return { n, answer }
        }),
      )
    await eventually(
      async () => turnedAway.length,
      (count) => count > 0,
      5_000,
    )
  } finally {
    await blocker.end()
  }
  expect(turnedAway[0]!.status).toBe(503)
  expect(turnedAway[0]!.json).toMatchObject({ code: 'overloaded', retry: 'later' })
  expect(turnedAway[0]!.headers.get('retry-after')).toBe('1')
  const done = await Promise.all(answers)
  const acknowledged = done.filter(({ answer }) => answer.status === 200).map(({ n }) => `evt_flood_${n}`)
  expect(acknowledged.length).toBeGreaterThan(0)
  expect(acknowledged.length).toBeLessThan(200)
  const { rows } = await world.app.deps.db.pool.query(
    `select event_id from webhook_inbox where event_id like 'evt_flood_%'`,
  )
  expect(rows.map((row: { event_id: string }) => row.event_id).sort()).toEqual(acknowledged.sort())
})

test('a body that is too large or comes too slowly is refused in time', async () => {
  const large = await deliver(signed('invoice.paid', { id: 'in_1', customer: 'cus_1', padding: 'x'.repeat(1_100_000) }))
  expect(large.json.code).toBe('body_too_large')
  const { hostname, port } = new URL(world.app.url)
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), hostname, () =>
      socket.write(
        `POST ${intake} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"id":`,
      ),
    )
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString()
    })
    socket.on('close', () => resolve(text))
    socket.on('error', reject)
  })
  expect(answer).toContain('408')
})

test('an event of the other mode is acknowledged, recorded and never worked on', async () => {
  const lea = await subscribed(world, 'lea')
  const object = { id: lea.providerSubscriptionId, object: 'subscription', customer: lea.providerCustomerId }
  expect(
    (await deliver(signed('customer.subscription.deleted', object, { livemode: true, id: 'evt_live' }))).status,
  ).toBe(200)
  const row = (await inbox()).find((each) => each.eventId === 'evt_live')
  expect(row).toMatchObject({ state: 'ignored', outcome: 'wrong_mode', providerCustomerId: null })
  expect((await lea.owner.getStatus({ query: {} })).data.status).toBe('active')
})

test('a renewal whose webhooks all come at once, twice and backwards is one renewal (WEB-2, WEB-3)', async () => {
  const max = await subscribed(world, 'max')
  const before = (await max.owner.getStatus({ query: {} })).data.subscription!
  await fault({ kind: 'webhook', action: 'delay', type: '*' })
  await advanceBilling(world, 'P1M')
  const { deliveries } = await world.control<{ deliveries: { event: string }[] }>(
    'GET',
    '/sandbox/deliveries?status=held',
  )
  await world.control('DELETE', '/sandbox/faults')
  const order = [...new Set(deliveries.map((each) => each.event))].reverse()
  await world.control('POST', '/sandbox/webhooks/release', { events: order })
  for (const event of order) await world.control('POST', `/sandbox/events/${event}/redeliver`)
  const status = await statusOf(max.owner, (seen) => seen.subscription!.period.start === before.period.end)
  expect(status.status).toBe('active')
  await settled()
  await eventually(inbox, (rows) => rows.every((row) => row.state !== 'pending' && row.state !== 'retrying'))
  expect((await eventsOf(world, 'max')).filter((type) => type === 'invoice.paid')).toHaveLength(2)
})
