import { createClient } from '@turnpike/client'
import { createTestDatabase, type TestDatabase } from '@turnpike/local/test-database'
import pg from 'pg'
import type Stripe from 'stripe'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type App, startApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { movableClock } from '../../src/platform/clock.ts'
import { createLog } from '../../src/platform/log.ts'
import { eventually, operatorKey, startWorld, webhookSecret } from '../support/world.ts'
import { buyersOf, eventsAt, stripeAt } from './support/buyers.ts'
import { findFaults } from './support/find-faults.ts'
import { type Copy, type RecordedProvider, startRecordedProvider } from './support/recorded-provider.ts'
import { chanceOf, deliver, withHands } from './support/webhook-sender.ts'

// One checkout, one renewal, one end: everything that can tell of it, in the order in which it happened.
const told = [
  'customer.subscription.created',
  'invoice.paid',
  'checkout.session.completed',
  'customer.subscription.updated',
  'invoice.paid',
  'customer.subscription.deleted',
] as const

let story: Stripe.Event[]
/** Where in the story the six events stand. */
let places: number[]
let provider: RecordedProvider
let database: TestDatabase
let db: pg.Client
let app: App
const clock = movableClock()

beforeAll(async () => {
  story = await recordStory()
  places = placesOf(story)
  const checkouts = new Map<number, string>()
  provider = await startRecordedProvider(
    story,
    (number) => checkouts.get(number) ?? checkouts.get(0) ?? 'checkout_none',
  )
  database = await createTestDatabase()
  db = new pg.Client(database.url)
  await db.connect()
  app = await start()
  const operator = createClient({ baseUrl: app.url, credential: operatorKey })
  await operator.createCustomer({ body: { tenantId: 'story-0', name: 'Customer of the story' } })
  provider.copy(0)
  const { data } = await operator.createSession({ body: { tenantId: 'story-0', plan: 'pro', price: 'monthly' } })
  checkouts.set(0, data.checkoutId!)
  for (let number = 1; number < 10_000; number++) checkouts.set(number, numbered(data.checkoutId!, number))
}, 120_000)
afterAll(async () => {
  await app?.stop()
  await provider?.close()
  await db?.end()
  await database?.drop()
})

test('told after everything happened: each of the 720 orders, with repetitions, ends in the same state', async () => {
  const chance = chanceOf(7)
  const copies = await newCopies(1, 720)
  await withHands(16, permutations(places), async (order) => {
    const copy = copies.pop()!
    copy.happened = story.length
    const repeated = [
      order.flatMap((place) => [place, place]),
      [...order, ...order],
      [...order, order[chance.whole(6)]!],
    ][copy.number % 3]!
    for (const place of repeated) await deliver(app.url, provider.eventOf(copy, story[place]!))
  })
  await allApplied()
  await expectOneState(1, 720)
}, 240_000)

test('told while it happens: each of the 720 orders, old news after new state, ends in that state too', async () => {
  const chance = chanceOf(11)
  const copies = await newCopies(721, 720)
  const orders = permutations(places)
  for (let turn = 0; turn < 6; turn++) {
    await withHands(16, copies, async (copy) => {
      const order = orders[copy.number - 721]!
      const place = order[turn]!
      // What is told has happened; what was told before has not been undone.
      copy.happened = Math.max(copy.happened, place + 1)
      await deliver(app.url, provider.eventOf(copy, story[place]!))
      const again = order[chance.whole(turn + 1)]!
      await deliver(app.url, provider.eventOf(copy, story[again]!))
    })
    await allApplied()
  }
  await expectOneState(721, 720)
}, 240_000)

test('a look that took too long cannot overwrite a newer one', async () => {
  const [copy, next] = await newCopies(2_000, 2)
  const release = Promise.withResolvers<void>()
  copy!.happened = places[0]! + 1
  copy!.held = release.promise
  const before = provider.asked.length
  await deliver(app.url, provider.eventOf(copy!, story[places[0]!]!))
  // Asked, and waiting for the answer while its lease runs out.
  await eventually(
    async () => provider.asked.slice(before),
    (asked) => asked.includes('GET /v1/subscriptions'),
  )
  const other = await start()
  clock.advance('PT26S')
  copy!.held = null
  copy!.happened = places[3]! + 1
  await deliver(other.url, provider.eventOf(copy!, story[places[3]!]!))
  await eventually(
    async () => (await eventTypes('story-2000')).includes('subscription.created'),
    (seen) => seen,
  )
  await other.stop()
  release.resolve()
  // Whoever looked too late takes up other work only when done with it.
  next!.happened = places[0]! + 1
  await deliver(app.url, provider.eventOf(next!, story[places[0]!]!))
  await allApplied()
  const types = await eventTypes('story-2000')
  expect(types.filter((type) => type.startsWith('subscription.'))).toEqual(['subscription.created'])
}, 60_000)

test('what a lagging provider says of the past opens nothing again', async () => {
  const [copy] = await newCopies(3_000, 1)
  copy!.happened = story.length
  for (const place of places) await deliver(app.url, provider.eventOf(copy!, story[place]!))
  await allApplied()
  const ended = await states(3_000, 1)
  const eventsBefore = await eventTypes('story-3000')
  // Back before the payment of the renewal: the subscription is active, its invoice open.
  const renewal = (story[places[4]!]!.data.object as Stripe.Invoice).id
  const finalized = story.findIndex(
    (event) => event.type === 'invoice.finalized' && (event.data.object as Stripe.Invoice).id === renewal,
  )
  copy!.happened = finalized + 1
  for (const place of [places[0]!, finalized])
    await deliver(app.url, { ...provider.eventOf(copy!, story[place]!), id: `evt_late_${place}` })
  await allApplied()
  expect(await states(3_000, 1)).toEqual(ended)
  expect(await eventTypes('story-3000')).toEqual(eventsBefore)
  // Dropped, with a record, once.
  const { rows } = await db.query(
    `select after ->> 'status' as status from audit_log where tenant_id = 'story-3000' and action = 'subscription.stale_fact'`,
  )
  expect(rows).toHaveLength(1)
}, 60_000)

const start = async (): Promise<App> => {
  const read = readConfig({
    DATABASE_URL: database.url,
    PORT: '0',
    PUBLIC_URL: 'http://127.0.0.1:4000',
    STRIPE_SECRET_KEY: 'sk_test_story',
    STRIPE_API_BASE: provider.url,
    STRIPE_WEBHOOK_SECRET: webhookSecret,
    TURNPIKE_CATALOG: 'catalog/acme.yaml',
    TURNPIKE_BOOTSTRAP_OPERATOR_KEY: operatorKey,
    RATE_LIMIT_PER_SECOND: '1000000',
    LOG_LEVEL: process.env.TEST_LOG ?? 'silent',
  })
  if ('problems' in read) throw new Error(JSON.stringify(read.problems))
  return startApp(read.config, createLog(read.config.logLevel), clock)
}

/** Lived once, by the official library against the sandbox; nobody is told. */
const recordStory = async (): Promise<Stripe.Event[]> => {
  const world = await startWorld({ connectWebhooks: false })
  try {
    const stripe = stripeAt(world.sandbox.url)
    const bought = await buyersOf(world.app.url, stripe, ['recorded'])
    await world.control('POST', '/sandbox/clock/advance', { seconds: 32 * 86_400 })
    const { data } = await stripe.subscriptions.list({ customer: bought.get('recorded')!.providerCustomerId })
    await stripe.subscriptions.cancel(data[0]!.id)
    const events = await eventsAt(stripe)
    return events.filter((event) => !/^(product|price|plan|billing_portal)\./.test(event.type))
  } finally {
    await world.stop()
  }
}

const placesOf = (events: readonly Stripe.Event[]): number[] => {
  const unused = new Set(events.keys())
  return told
    .map((type) => {
      const place = [...unused].find((index) => events[index]!.type === type)
      if (place === undefined)
        throw new Error(`the story has no ${type}: ${events.map((event) => event.type).join(' ')}`)
      unused.delete(place)
      return place
    })
    .sort((a, b) => a - b)
}

const permutations = (items: readonly number[]): number[][] =>
  items.length === 0
    ? [[]]
    : items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]))

const numbered = (id: string, number: number): string => id.slice(0, -4) + String(number).padStart(4, '0')

/** Tenants that stand where the first one does, before anything was told: made by copying its rows. */
const newCopies = async (from: number, count: number): Promise<Copy[]> => {
  const numbers = Array.from({ length: count }, (_, index) => from + index)
  const each = "(select n, lpad(n::text, 4, '0') as suffix from unnest($1::int[]) as n) numbers"
  const copied = (id: string) => `left(${id}, -4) || suffix`
  for (const statement of [
    `insert into customers (tenant_id, customer_id, name, email, currency, created_at, updated_at, resolved_catalog)
     select 'story-' || n, ${copied('customer_id')}, name, email, currency, created_at, updated_at, resolved_catalog from customers, ${each} where tenant_id = 'story-0'`,
    `insert into checkouts select (jsonb_populate_record(null::checkouts, to_jsonb(c) || jsonb_build_object('tenant_id', 'story-' || n, 'checkout_id', ${copied('checkout_id')},
       'provider_session_id', regexp_replace(provider_session_id, 'x0$', 'x' || n)))).* from checkouts c, ${each} where tenant_id = 'story-0'`,
    `insert into provider_customers (tenant_id, provider, provider_customer_id)
     select 'story-' || n, provider, regexp_replace(provider_customer_id, 'x0$', 'x' || n) from provider_customers, ${each} where tenant_id = 'story-0'`,
    `insert into event_streams (tenant_id, sequence) select 'story-' || n, sequence from event_streams, ${each} where tenant_id = 'story-0'`,
    `insert into outbox (event_id, tenant_id, customer_id, sequence, type, schema_version, at, correlation_id, data)
     select ${copied('event_id')}, 'story-' || n, ${copied('customer_id')}, sequence, type, schema_version, at, correlation_id, data from outbox, ${each} where tenant_id = 'story-0' order by n, sequence`,
    `insert into entitlement_snapshots select (jsonb_populate_record(null::entitlement_snapshots, to_jsonb(s) || jsonb_build_object('tenant_id', 'story-' || n, 'customer_id', ${copied('customer_id')}))).*
     from entitlement_snapshots s, ${each} where tenant_id = 'story-0'`,
  ])
    await db.query(statement, [numbers])
  return numbers.map((number) => provider.copy(number))
}

const allApplied = (): Promise<unknown> =>
  eventually(
    async () => (await db.query("select count(*)::int as n from webhook_inbox where state <> 'applied'")).rows[0].n,
    (waiting) => waiting === 0,
    120_000,
  )

const eventTypes = async (tenantId: string): Promise<string[]> =>
  (
    await db.query<{ type: string }>('select type from outbox where tenant_id = $1 order by sequence', [tenantId])
  ).rows.map((row) => row.type)

const onceOnly = [
  'customer.created',
  'checkout.opened',
  'checkout.completed',
  'subscription.created',
  'subscription.canceled',
]

/** The state of each tenant without what names it, as text → how many tenants are in it. */
const states = async (from: number, count: number): Promise<Map<string, number>> => {
  const { rows } = await db.query<{ state: string }>(
    `select jsonb_pretty(jsonb_build_object(
       'subscriptions', (select jsonb_agg(to_jsonb(s) - array['tenant_id', 'subscription_id', 'customer_id', 'provider_subscription_id', 'noted', 'updated_at']) from subscriptions s where s.tenant_id = c.tenant_id),
       'invoices', (select jsonb_agg(to_jsonb(i) - array['tenant_id', 'provider_invoice_id', 'provider_subscription_id', 'hosted_invoice_url', 'updated_at'] order by created_at) from invoices i where i.tenant_id = c.tenant_id),
       'entitlements', (select content - 'subscriptionId' from entitlement_snapshots e where e.tenant_id = c.tenant_id order by version desc limit 1),
       'checkouts', (select jsonb_agg(state) from checkouts k where k.tenant_id = c.tenant_id),
       'events', (select jsonb_agg(type || coalesce(' ' || (data -> 'invoice' ->> 'billingReason'), '') order by 1) from (
          select type, data from outbox o where o.tenant_id = c.tenant_id and (type = any($2) or type = 'invoice.paid') order by type, data -> 'invoice' ->> 'billingReason') once))) as state
     from customers c where tenant_id = any($1)`,
    [Array.from({ length: count }, (_, index) => `story-${from + index}`), onceOnly],
  )
  const found = new Map<string, number>()
  for (const { state } of rows) found.set(state, (found.get(state) ?? 0) + 1)
  return found
}

const expectOneState = async (from: number, count: number): Promise<void> => {
  await eventually(
    async () => (await db.query('select count(*)::int as n from outbox where position is null')).rows[0].n,
    (unplaced) => unplaced === 0,
    60_000,
  )
  const found = await states(from, count)
  expect([...found.values()]).toEqual([count])
  expect(JSON.parse([...found.keys()][0]!)).toMatchObject({
    subscriptions: [{ status: 'canceled', plan: 'pro' }],
    invoices: [
      { status: 'paid', billing_reason: 'subscription_create' },
      { status: 'paid', billing_reason: 'subscription_cycle' },
    ],
    entitlements: { plan: 'free', accessLevel: 'full' },
    checkouts: ['completed'],
    events: [
      'checkout.completed',
      'checkout.opened',
      'customer.created',
      'invoice.paid subscription_create',
      'invoice.paid subscription_cycle',
      'subscription.canceled',
      'subscription.created',
    ],
  })
  const faults = await findFaults(database.url)
  expect(faults).toEqual([])
}
