import { createClient } from '@turnpike/client'
import { createTestDatabase, type TestDatabase } from '@turnpike/local/test-database'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type App, startApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { followDunningDue } from '../../src/flows/follow-dunning.ts'
import { syncTenant } from '../../src/flows/sync-customer.ts'
import { lookupKeyOf } from '../../src/modules/catalog/index.ts'
import { systemActor } from '../../src/platform/audit.ts'
import { movableClock } from '../../src/platform/clock.ts'
import { createLog } from '../../src/platform/log.ts'
import { eventually, operatorKey, webhookSecret } from '../support/world.ts'
import { findFaults } from './support/find-faults.ts'
import { type Happening, type History, historyOf, historyText, roundDays } from './support/history.ts'
import { type FinalState, finalStateOf } from './support/reference-model.ts'
import { type News, type SimulatedProvider, startSimulatedProvider } from './support/simulated-provider.ts'
import { chanceOf, deliver, withHands } from './support/webhook-sender.ts'

// Each seed is one customer with a life of its own; all of them live at the same time, in rounds of one clock.
// SEED=n lives one of them alone, SEEDS=n that many, for a long run.
const only = process.env.SEED ? Number(process.env.SEED) : null
const count = only === null ? Number(process.env.SEEDS ?? 10_000) : 1
const first = only ?? 1
const begin = Temporal.Instant.from('2026-01-31T09:00:00Z')

const clock = movableClock(begin.toString())
let provider: SimulatedProvider
let database: TestDatabase
let db: pg.Client
let app: App
let operator: ReturnType<typeof createClient>

beforeAll(async () => {
  provider = await startSimulatedProvider({
    itemsOf: ({ plan, price, seats }) => {
      const included = { starter: 0, pro: 3, scale: 10 }[plan]!
      const key = (kind: 'plan' | 'seat') =>
        lookupKeyOf(app.deps.catalog(), { kind, plan, price, currency: 'USD' }) as string
      const extra = seats - included
      return [
        { lookupKey: key('plan'), quantity: 1 },
        ...(extra > 0 ? [{ lookupKey: key('seat'), quantity: extra }] : []),
      ]
    },
    intervalOf: (lookupKey) => (lookupKey.includes('_yearly_') ? 'year' : 'month'),
  })
  database = await createTestDatabase()
  db = new pg.Client(database.url)
  await db.connect()
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
  app = await startApp(read.config, createLog(read.config.logLevel), clock)
  operator = createClient({ baseUrl: app.url, credential: operatorKey })
}, 120_000)
afterAll(async () => {
  await app?.stop()
  await provider?.close()
  await db?.end()
  await database?.drop()
})

test(`${count} short histories, their news late, twice, mixed up or lost, end as the model says (SUB-1, WEB-3, REC-1)`, async () => {
  const histories = Array.from({ length: count }, (_, index) => historyOf(first + index))
  await newTenants(histories.map(({ seed }) => seed))
  // Each history has a disorder of its own, so that it is the same alone.
  const disorders = histories.map((history) => ({ ...history, chance: chanceOf(history.seed), late: [] as News[] }))
  toldOf.clear()
  for (const [round, days] of roundDays.entries()) {
    const at = begin.add({ hours: 24 * days })
    if (round > 0) clock.advance(clock.now().until(at).toString())
    provider.moveTo(Math.floor(at.epochMilliseconds / 1_000))
    const isLast = round === roundDays.length - 1
    const slow = isLast ? histories.filter(({ slowLook }) => slowLook) : []
    for (let from = 0; from < slow.length; from += 20) await lookSlowly(slow.slice(from, from + 20))
    const others = histories.filter((history) => !slow.includes(history))
    await withHands(16, others, ({ seed, rounds }) => live(seed, rounds[round]!.happenings))
    const now: { news: News; turn: number }[] = []
    for (const { seed, rounds, chance, late } of disorders) {
      const tell = (news: News) => now.push({ news, turn: chance.next() })
      if (isLast || chance.next() < 0.5) late.splice(0).forEach(tell)
      for (const news of provider.newsOf(seed)) {
        // What is told of payments comes at last, as the provider repeats it: nobody finds them out by a subscription.
        if (rounds[round]!.news === 'lost' && news.data.object.object === 'subscription') continue
        if (rounds[round]!.news === 'told' || isLast) tell(news)
        else late.push(news)
        if (chance.next() > 0.15) continue
        if (isLast || chance.next() < 0.7) tell(news)
        else late.push(news)
      }
    }
    now.sort((one, other) => one.turn - other.turn)
    for (const { news } of now) toldOf.add(news.id)
    await withHands(24, now, ({ news }) => deliver(app.url, news))
    await allApplied()
  }
  // What was lost is found by looking.
  const looking = histories.filter(({ rounds }) => rounds.some(({ news }) => news === 'lost'))
  await withHands(8, looking, ({ seed }) =>
    syncTenant(app.deps, tenantOf(seed), systemActor('reconciliation', 'request_simulation')),
  )
  while ((await followDunningDue(app.deps)) > 0);
  // A provider that lags says of what has ended that it lives: nothing comes of it.
  const lagging = histories.flatMap(({ seed }) => provider.lag(seed) ?? [])
  for (const { id } of lagging) toldOf.add(id)
  await withHands(24, lagging, (news) => deliver(app.url, news))
  await allApplied()
  await eventually(
    async () => (await db.query('select count(*)::int as n from outbox where position is null')).rows[0].n,
    (unplaced) => unplaced === 0,
    60_000,
  )
  const wrong = await differences(histories)
  expect(wrong.slice(0, 3).join('\n\n'), `${wrong.length} of ${count} histories ended otherwise`).toBe('')
  expect(await findFaults(database.url)).toEqual([])
  // Each webhook is kept once, however often it came (WEB-2).
  const kept = await db.query<{ event_id: string }>('select event_id from webhook_inbox order by 1')
  expect(kept.rows.length).toBe(toldOf.size)
}, 1_800_000)

/** The webhooks that were told at all. */
const toldOf = new Set<string>()

/** A look begins and is answered late: what happens in between is told to another one, which must have the last word (WEB-3). */
const lookSlowly = async (histories: readonly History[]): Promise<void> => {
  const release = Promise.withResolvers<void>()
  const before = provider.asked()
  for (const { seed } of histories) provider.hold(seed, release.promise)
  const looks = histories.map(({ seed }) =>
    syncTenant(app.deps, tenantOf(seed), systemActor('reconciliation', 'request_simulation')),
  )
  await eventually(
    async () => provider.asked() - before,
    (asked) => asked >= histories.length,
    60_000,
  )
  clock.advance('PT26S')
  for (const { seed, rounds } of histories) {
    provider.hold(seed, null)
    await live(seed, rounds.at(-1)!.happenings)
    for (const news of provider.newsOf(seed)) {
      toldOf.add(news.id)
      await deliver(app.url, news)
    }
  }
  await allApplied()
  release.resolve()
  await Promise.all(looks)
}

const tenantOf = (seed: number): string => `life-${seed}`

const live = async (seed: number, happenings: readonly Happening[]): Promise<void> => {
  for (const happening of happenings)
    if (!happening.kind.startsWith('ask_')) provider.happen(seed, happening)
    else if (provider.isFit(seed, happening)) await ask(seed, happening)
}

/** A command of the customer, by our API. */
const ask = async (seed: number, happening: Happening): Promise<void> => {
  const tenantId = tenantOf(seed)
  const newest = async () => (await operator.listSubscriptions({ query: { tenantId } })).data[0]
  let held = await newest()
  // Nobody can ask anything of what the service has not heard of yet: then it is made to look first.
  if (!held || held.providerSubscriptionId !== provider.newestOf(seed)) {
    await syncTenant(app.deps, tenantId, systemActor('reconciliation', 'request_simulation'))
    held = await newest()
  }
  const { id: subscriptionId, seats } = held!
  const body =
    happening.kind === 'ask_seats'
      ? { action: 'change' as const, seats: seats + happening.more }
      : happening.kind === 'ask_scale'
        ? { action: 'change' as const, plan: 'scale' }
        : happening.kind === 'ask_cancel'
          ? { action: 'cancel' as const, when: 'period_end' as const }
          : { action: 'undo_cancel' as const }
  await operator.commandSubscription({ params: { subscriptionId }, body }).catch((error: unknown) => {
    throw new Error(`${historyText(historyOf(seed))}\n${happening.kind}: ${String(error)}`, { cause: error })
  })
}

/** Tenants that stand where a new one does: made by copying the rows of one. */
const newTenants = async (seeds: readonly number[]): Promise<void> => {
  await operator.createCustomer({ body: { tenantId: 'life-0', name: 'The first of all' } })
  const each = "(select n, lpad(n::text, 9, '0') as suffix from unnest($1::int[]) as n) numbers"
  for (const [table, changed] of [
    ['customers', `jsonb_build_object('tenant_id', 'life-' || n, 'customer_id', left(customer_id, -9) || suffix)`],
    ['event_streams', `jsonb_build_object('tenant_id', 'life-' || n)`],
    [
      'entitlement_snapshots',
      `jsonb_build_object('tenant_id', 'life-' || n, 'customer_id', left(customer_id, -9) || suffix)`,
    ],
  ])
    await db.query(
      `insert into ${table} select (jsonb_populate_record(null::${table}, to_jsonb(t) || ${changed})).* from ${table} t, ${each} where tenant_id = 'life-0'`,
      [seeds],
    )
  await db.query(
    `insert into outbox (event_id, tenant_id, customer_id, sequence, type, schema_version, at, correlation_id, data)
     select left(event_id, -9) || suffix, 'life-' || n, left(customer_id, -9) || suffix, sequence, type, schema_version, at, correlation_id, data
     from outbox, ${each} where tenant_id = 'life-0' order by n, sequence`,
    [seeds],
  )
  await db.query(
    `insert into provider_customers (tenant_id, provider, provider_customer_id) select 'life-' || n, $2, 'cus_x' || n from ${each}`,
    [seeds, app.deps.provider.name],
  )
}

const allApplied = (): Promise<unknown> =>
  eventually(
    async () =>
      (await db.query("select exists (select from webhook_inbox where state in ('pending', 'retrying')) as waits"))
        .rows[0].waits,
    (waits) => waits === false,
    600_000,
  )

/** What each history that ended otherwise than the model says was, and how. */
const differences = async (histories: readonly History[]): Promise<string[]> => {
  const { rows } = await db.query<{ tenant_id: string; state: FinalState }>(
    `select tenant_id, jsonb_build_object(
       'agreements', (select coalesce(jsonb_agg(jsonb_build_object('status', status, 'plan', plan, 'price', price, 'seats', seats,
           'period', ${textOf('period_start')} || ' ' || ${textOf('period_end')}, 'endsAt', ${textOf('ends_at')}, 'endedAt', ${textOf('ended_at')})
           order by started_at, subscription_id), '[]') from subscriptions s where s.tenant_id = c.tenant_id),
       'accessLevel', newest.content -> 'accessLevel', 'plan', newest.content -> 'plan',
       'projects', (select e -> 'value' from jsonb_array_elements(newest.content -> 'entitlements') e where e ->> 'feature' = 'projects'),
       'callLimit', (select e -> 'limit' from jsonb_array_elements(newest.content -> 'entitlements') e where e ->> 'feature' = 'api_calls'),
       'announced', (select jsonb_build_object('created', count(*) filter (where type = 'subscription.created'),
           'ended', count(*) filter (where type = 'subscription.canceled'), 'paid', count(*) filter (where type = 'invoice.paid'))
         from outbox o where o.tenant_id = c.tenant_id)) as state
     from customers c, lateral (select content from entitlement_snapshots e where e.tenant_id = c.tenant_id order by version desc limit 1) newest`,
  )
  const found = new Map(rows.map(({ tenant_id, state }) => [tenant_id, state]))
  return histories.flatMap((history) => {
    const wanted = finalStateOf(history, begin)
    const is = found.get(tenantOf(history.seed))
    return JSON.stringify(sorted(is)) === JSON.stringify(sorted(wanted))
      ? []
      : [
          `${historyText(history)}\n  should be ${JSON.stringify(wanted)}\n  but is    ${JSON.stringify(sorted(is, wanted))}`,
        ]
  })
}

const textOf = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`

/** The same value with its keys in the order of a pattern, or of the alphabet. */
const sorted = (value: unknown, like?: unknown): unknown => {
  if (Array.isArray(value))
    return value.map((each, index) => sorted(each, Array.isArray(like) ? like[index] : undefined))
  if (value === null || typeof value !== 'object') return value
  const order = like && typeof like === 'object' ? Object.keys(like) : Object.keys(value).sort()
  const known = value as Record<string, unknown>
  return Object.fromEntries(order.map((key) => [key, sorted(known[key], (like as typeof known | undefined)?.[key])]))
}
