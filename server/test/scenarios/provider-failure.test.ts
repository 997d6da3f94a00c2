import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { sampleCounters } from '../../src/flows/sample-counters.ts'
import { createLog } from '../../src/platform/log.ts'
import { createCircuit } from '../../src/providers/stripe/circuit.ts'
import { asking, createStripe, refusalOf } from '../../src/providers/stripe/client.ts'
import { payCheckout, stripeOf } from '../support/pay.ts'
import { eventsOf, statusOf, subscribed } from '../support/story.ts'
import { eventually, startWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({ env: { STRIPE_TIMEOUT_MS: '400' } })
})
afterEach(() => world.control('DELETE', '/sandbox/faults'))
afterAll(() => world.stop())

const returnUrl = 'http://127.0.0.1:9999/back'
const log = createLog('silent')
const fault = (fields: Record<string, unknown>) => world.control('POST', '/sandbox/faults', { kind: 'api', ...fields })
const circuit = () => world.app.deps.provider.availability().circuit
const metrics = async (): Promise<string> => (await world.send('GET', '/metrics')).text
const open = () =>
  world.send('POST', '/api/v1/billing/session', {
    body: JSON.stringify({ tenantId: 'asker', kind: 'portal', returnUrl }),
  })
/** Asks until the circuit is as hoped: every question of a sync is one more sign of life, or none. */
const untilCircuit = (state: string) =>
  eventually(
    async () => {
      await world.send('POST', '/api/v1/billing/sync', { body: JSON.stringify({ tenantId: 'asker' }) })
      return circuit()
    },
    (seen) => seen === state,
    30_000,
  )

test.each([
  ['an outage', { action: 'outage' }],
  ['server errors', { action: 'error' }],
  ['a broken connection', { action: 'reset' }],
  ['a limit', { action: 'rate_limit' }],
  ['slow answers', { action: 'slow', ms: 2_000 }],
])(
  '%s opens the circuit: checks go on, commands say no at once with Retry-After, nothing is granted or taken away (WEB-4, SUB-2)',
  async (_, broken) => {
    const name = `payer-${broken.action.replace('_', '-')}`
    const payer = await subscribed(world, name)
    await subscribed(world, 'asker').catch(() => {})
    const service = await world.as('service')
    const allowed = async () => (await service.check({ body: { tenantId: name, feature: 'sso' } })).data.allowed
    const before = (await service.getEntitlements({ query: { tenantId: name } })).data
    const told = await eventsOf(world, name)

    await fault({ path: '*', ...broken })
    await untilCircuit('open')
    const refused = await open()
    expect(refused.json).toMatchObject({ code: 'provider_unavailable', retry: 'later' })
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    const health = await world.send('GET', '/health', { key: null })
    expect(health.status).toBe(200)
    expect(health.json).toMatchObject({ status: 'degraded', parts: { database: true } })
    expect((await world.send('GET', '/health/ready', { key: null })).status).toBe(200)
    expect(await metrics()).toMatch(/turnpike_provider_circuit_state [12]/)

    expect(await allowed()).toBe(true)
    expect((await service.getEntitlements({ query: { tenantId: name } })).data).toEqual(before)
    expect((await payer.owner.getStatus({ query: {} })).data.status).toBe('active')
    expect(await eventsOf(world, name)).toEqual(told)

    await world.control('DELETE', '/sandbox/faults')
    await untilCircuit('closed')
    expect((await world.send('GET', '/health', { key: null })).json.status).toBe('ready')
    expect(await allowed()).toBe(true)
  },
)

test('a purchase during an hour of outage is applied afterwards, and its webhooks lose no attempt (WEB-4)', async () => {
  const ben = await world.tenant('ben')
  const { data: session } = await ben.createSession({ body: { plan: 'pro', price: 'monthly', returnUrl } })
  // Only what the service asks is broken: the customer pays on the provider's own page.
  await fault({ method: 'GET', path: '/v1/subscriptions', action: 'outage' })
  await payCheckout(world, session.sessionUrl)
  const waiting = () =>
    eventually(
      async () => (await world.operator.listWebhooks({ query: { state: 'retrying', limit: 100 } })).data,
      (rows) => rows.length > 0,
    )
  await waiting()
  for (const minutes of [10, 20, 30]) await world.advance(`PT${minutes}M`)
  const held = await waiting()
  expect(held.map((row) => row.attempts)).toEqual(held.map(() => 0))
  const { data: detail } = await world.operator.getWebhook({ params: { webhookId: held[0]!.id } })
  expect(detail.holds).toBeGreaterThan(0)
  expect(detail.errors.at(-1)).toMatchObject({ error: 'provider_unavailable', held: true })
  expect((await ben.getStatus({ query: {} })).data).toMatchObject({ subscription: null, plan: { plan: 'free' } })

  await world.control('DELETE', '/sandbox/faults')
  await world.advance('PT5M')
  const status = await statusOf(ben, (seen) => seen.status === 'active')
  expect(status.plan.plan).toBe('pro')
})

test('an open circuit lets the inbox rest: nothing is asked while nobody answers', async () => {
  const eve = await subscribed(world, 'eve')
  await fault({ path: '*', action: 'outage' })
  await untilCircuit('open')
  // Fetched by the sandbox itself, so the webhooks come although its interface is down.
  await world.control('DELETE', '/sandbox/faults')
  await fault({ method: 'GET', path: '/v1/subscriptions', action: 'outage' })
  await stripeOf(world).subscriptions.update(eve.providerSubscriptionId, { metadata: { touched: 'yes' } })
  const [row] = await eventually(
    async () =>
      (await world.operator.listWebhooks({ query: { limit: 100 } })).data.filter(
        (webhook) =>
          webhook.objectId === eve.providerSubscriptionId && webhook.type === 'customer.subscription.updated',
      ),
    (rows) => rows.some((each) => each.state === 'pending' || each.state === 'retrying'),
  )
  expect(row!.attempts).toBe(0)
  await world.control('DELETE', '/sandbox/faults')
  await world.advance('PT5M')
  await eventually(
    async () => (await world.operator.getWebhook({ params: { webhookId: row!.id } })).data.state,
    (state) => state === 'applied',
    30_000,
  )
})

test('a provider that says no to one request is there: that opens nothing, and the bank’s reason can be read', async () => {
  const between = createCircuit({ attemptMs: 1_000 })
  const stripe = createStripe({ secretKey: 'sk_test_world', apiBase: world.sandbox.url, circuit: between })
  const { id } = await stripe.customers.create({})
  const failure = await asking(log, 'payment_methods.attach', () =>
    stripe.paymentMethods.attach('pm_card_chargeDeclined', { customer: id }),
  ).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'provider_refused' })
  expect(refusalOf(failure)).toMatchObject({ status: 402, code: 'card_declined', declineCode: 'generic_decline' })
  for (let n = 0; n < 10; n++)
    await expect(
      asking(log, 'subscriptions.create', () => stripe.subscriptions.create({ customer: 'cus_nobody', items: [] })),
    ).rejects.toMatchObject({ code: 'provider_refused' })
  expect(between.availability().circuit).toBe('closed')
})

/** A provider whose answers are broken in ways that the sandbox cannot order. */
const brokenProvider = async (answer: (respond: import('node:http').ServerResponse) => void) => {
  let asked = 0
  const server = createServer((_, respond) => {
    asked++
    answer(respond)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const between = createCircuit({ attemptMs: 300 })
  const stripe = createStripe({
    secretKey: 'sk_test_x',
    apiBase: `http://127.0.0.1:${port}`,
    timeoutMs: 200,
    circuit: between,
  })
  return {
    between,
    asked: () => asked,
    ask: () =>
      asking(log, 'customers.retrieve', () => stripe.customers.retrieve('cus_1')).catch((error: unknown) => error),
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

test.each<[string, (respond: import('node:http').ServerResponse) => void]>([
  [
    'a truncated body',
    (respond) =>
      void respond.writeHead(200, { 'content-length': '500' }).write('{"id":"cus_1",', () => respond.destroy()),
  ],
  ['no JSON', (respond) => void respond.writeHead(200).end('<html>maintenance</html>')],
  ['headers and then nothing', (respond) => void respond.writeHead(200, { 'content-length': '500' }).flushHeaders()],
  ['silence', () => {}],
  [
    'a body that never ends',
    (respond) => {
      respond.writeHead(200)
      const drip = setInterval(() => respond.write(' '), 50)
      respond.on('close', () => clearInterval(drip))
    },
  ],
  ['a redirect to an error page', (respond) => void respond.writeHead(502).end('bad gateway')],
])('%s is an outage: each try ends in time, and the circuit opens', async (_, answer) => {
  const provider = await brokenProvider(answer)
  try {
    for (let n = 0; n < 5 && provider.between.availability().circuit === 'closed'; n++)
      expect(await provider.ask()).toMatchObject({ code: 'provider_unavailable' })
    expect(provider.between.availability()).toMatchObject({ circuit: 'open' })
    const asked = provider.asked()
    expect(await provider.ask()).toMatchObject({ code: 'provider_unavailable' })
    expect(provider.asked()).toBe(asked)
  } finally {
    provider.close()
  }
})

test('Retry-After of the provider is followed: the circuit stays open at least so long', async () => {
  const provider = await brokenProvider((respond) =>
    respond
      .writeHead(429, { 'retry-after': '20', 'stripe-should-retry': 'false' })
      .end('{"error":{"type":"api_error"}}'),
  )
  try {
    for (let n = 0; n < 5; n++) await provider.ask()
    const { circuit: state, retryAfterSeconds } = provider.between.availability()
    expect(state).toBe('open')
    expect(retryAfterSeconds).toBeGreaterThan(10)
    expect(await provider.ask()).toMatchObject({ extra: { retryAfterSeconds: expect.any(Number) } })
  } finally {
    provider.close()
  }
})

test('metrics are for who may read them, and every alert rule is about a metric that exists (OPS-1)', async () => {
  expect((await world.send('GET', '/metrics', { key: null })).status).toBe(401)
  expect((await world.send('GET', '/metrics', { key: await world.keyOf('support') })).status).toBe(403)
  const { data: narrow } = await world.operator.createApiKey({
    body: { name: 'scraper', role: 'operator', permissions: ['billing:metrics:read'] },
  })
  const scraped = await world.send('GET', '/metrics', { key: narrow.key })
  expect(scraped.headers.get('content-type')).toContain('text/plain')
  // What never happened here is not in the text yet; provoke it.
  await world.send('POST', '/api/v1/billing/webhooks/stripe', { key: null, body: '{}' })
  await sampleCounters(world.app.deps)
  const text = await metrics()
  const rules = parse(readFileSync('docs/operations/alerts.yaml', 'utf8')) as {
    groups: { rules: { expr: string }[] }[]
  }
  const names = new Set(
    rules.groups.flatMap(({ rules: each }) => each.flatMap(({ expr }) => expr.match(/turnpike_\w+/g) ?? [])),
  )
  expect(names.size).toBeGreaterThan(4)
  for (const name of names) expect(text, name).toContain(`# TYPE ${name} `)
})
