import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { query, sql } from '../../src/platform/db.ts'
import { stripeOf } from '../support/pay.ts'
import { auditOf, eventsOf, type Subscriber, statusOf, subscribed, untilQuiet } from '../support/story.ts'
import { eventually, startWorld, type World } from '../support/world.ts'

/** Lines on their way to an invoice while the provider is slow, silent or faster than us: each is on one, once (INV-1, INV-6). */
let world: World
beforeAll(async () => {
  world = await startWorld({
    catalog: (catalog) => {
      // Where no draft is left, lines wait; the other way is in `period-close.test.ts`.
      catalog.setIn(['policies', 'billing', 'withoutDraft'], 'next_invoice')
    },
  })
})
afterEach(() => heal())
afterAll(() => world?.stop())

const heal = () => world.control('DELETE', '/sandbox/faults')
const fault = (order: Record<string, unknown>) =>
  world.control('POST', '/sandbox/faults', { kind: 'api', count: null, ...order })
/** What is asked for next is made, and nobody hears of it; whoever asks again is not heard. */
const loseAnswer = async (path: string): Promise<void> => {
  await fault({ method: 'POST', path, action: 'reset', after: true, count: 1 })
  await fault({ method: 'POST', path, action: 'outage' })
}

const use = ({ tenantId }: Subscriber, meter: string, quantity: number) =>
  world.operator.reportUsage({ body: { tenantId, meter, quantity, idempotencyKey: `${meter}-${quantity}` } })
const linesOf = (tenantId: string) =>
  query<{ line_id: string; amount_minor: string; placed: boolean; provider_invoice_id: string | null }>(
    world.app.deps.db,
    sql`select line_id, amount_minor::text, placed_at is not null as placed, provider_invoice_id from charge_lines
        where tenant_id = ${tenantId} and amount_minor <> 0 order by line_start, ordinal`,
  )
const placed = (tenantId: string, lines: number) =>
  eventually(
    () => linesOf(tenantId),
    (all) => all.length === lines && all.every((line) => line.placed),
    20_000,
  )
const failureOf = (tenantId: string) =>
  query<{ failure: string | null; chosen: string | null }>(
    world.app.deps.db,
    sql`select failure, provider_invoice_id as chosen from placings where tenant_id = ${tenantId} and state = 'waiting'`,
  )
const failed = (tenantId: string) =>
  eventually(
    () => failureOf(tenantId),
    ([placing]) => (placing?.failure ?? null) !== null,
  )
/** What the invoices of a customer hold, oldest first: why they are, what they come to, and our lines on them. */
const invoicesOf = async ({ providerCustomerId: customer }: Subscriber) => {
  const { data } = await stripeOf(world).invoices.list({ customer, limit: 100 })
  return data
    .map(({ billing_reason: reason, total, lines }) => ({
      reason,
      total,
      ours: lines.data.filter(({ metadata }) => metadata?.turnpike_line).map(({ amount }) => amount),
    }))
    .reverse()
}

const toEnd = async (subscriber: Subscriber): Promise<void> => {
  const { data } = await subscriber.owner.getStatus({ query: {} })
  const left = world.clock.now().until(Temporal.Instant.from(data.period!.end))
  await world.advance(`PT${Math.ceil(left.total('seconds')) + 1}S`)
  await untilQuiet(world)
}
const scale = { plan: 'scale', price: 'monthly' }
const ended = async (subscriber: Subscriber): Promise<void> => {
  await subscriber.owner.commandSubscription({
    params: { subscriptionId: subscriber.subscriptionId },
    body: { action: 'cancel', when: 'now' },
  })
  await statusOf(subscriber.owner, ({ subscription }) => subscription === null)
}

test('a line whose answer was lost stays on the draft that was closed meanwhile; the one behind it goes with the next', async () => {
  const ana = await subscribed(world, 'ana', scale)
  await use(ana, 'api_calls', 110_000)
  await use(ana, 'tokens', 21_000_000)
  await toEnd(ana)
  await loseAnswer('/v1/invoiceitems')
  await world.advance('PT6M')
  await failed('ana')
  await fault({ method: 'GET', path: '/v1/invoices*', action: 'outage' })
  await world.advance('PT2H')
  await heal()
  await eventually(
    async () => {
      await world.advance('PT11M')
      return linesOf('ana')
    },
    ([first]) => first!.placed,
    20_000,
  )
  await toEnd(ana)
  await world.advance('PT6M')
  await placed('ana', 2)
  expect(await invoicesOf(ana)).toEqual([
    { reason: 'subscription_create', total: 19_900, ours: [] },
    { reason: 'subscription_cycle', total: 19_900 + 2_000, ours: [2_000] },
    { reason: 'subscription_cycle', total: 19_900 + 150, ours: [150] },
  ])
  await world.advance('PT2H')
})

test.each([
  ['a line', 'ben', '/v1/invoiceitems'],
  ['an invoice of our own', 'cid', '/v1/invoices'],
])('%s that was made and not heard of is not made again, days later', async (_, tenantId, path) => {
  const subscriber = await subscribed(world, tenantId)
  await use(subscriber, 'api_calls', 12_500)
  await world.advance('P3D')
  await ended(subscriber)
  await loseAnswer(path)
  await world.advance('PT6M')
  await failed(tenantId)
  await fault({ method: '*', path: '/v1/*', action: 'outage' })
  await world.advance('P2D')
  await heal()
  await eventually(
    async () => {
      await world.advance('PT11M')
      return linesOf(tenantId)
    },
    ([line]) => line!.placed,
    20_000,
  )
  expect((await invoicesOf(subscriber)).filter(({ reason }) => reason === 'manual')).toEqual([
    { reason: 'manual', total: 1_000, ours: [1_000] },
  ])
})

test('a renewal whose invoice is not there yet is waited for', async () => {
  const dan = await subscribed(world, 'dan')
  await use(dan, 'api_calls', 12_000)
  const { data } = await dan.owner.getStatus({ query: {} })
  const left = world.clock.now().until(Temporal.Instant.from(data.period!.end))
  const seconds = Math.ceil(left.total('seconds')) + 362
  // Only our clock: the provider has not come as far.
  world.clock.advance(`PT${seconds}S`)
  await eventually(
    () => query<{ attempts: number }>(world.app.deps.db, sql`select attempts from placings where tenant_id = 'dan'`),
    ([placing]) => (placing?.attempts ?? 0) > 0,
  )
  expect((await linesOf('dan')).map((line) => line.placed)).toEqual([false])
  await world.control('POST', '/sandbox/clock/advance', { seconds })
  await untilQuiet(world)
  await world.advance('PT1M')
  await placed('dan', 1)
  expect((await invoicesOf(dan)).slice(1)).toEqual([{ reason: 'subscription_cycle', total: 5_700, ours: [800] }])
  await world.advance('PT2H')
})

test('what is given back never makes an invoice that owes the customer: it waits for one that holds it', async () => {
  const eva = await subscribed(world, 'eva', scale)
  await use(eva, 'api_calls', 300_000)
  await toEnd(eva)
  await world.advance('PT6M')
  await placed('eva', 1)
  await world.advance('PT2H')
  await world.operator.correctUsage({
    body: {
      ...{ tenantId: 'eva', corrects: 'api_calls-300000', action: 'void' },
      ...{ reason: 'not theirs', idempotencyKey: 'void' },
    },
  })
  await toEnd(eva)
  await world.advance('PT6M')
  // 325.00 do not fit on a renewal of 199.00.
  const carried = () =>
    query<{ state: string }>(
      world.app.deps.db,
      sql`select state from placings where tenant_id = 'eva' order by created_at`,
    )
  await eventually(carried, (all) => all.map(({ state }) => state).join() === 'placed,carried')
  await world.advance('PT2H')
  await use(eva, 'api_calls', 250_000)
  await toEnd(eva)
  await world.advance('PT6M')
  await placed('eva', 3)
  expect((await invoicesOf(eva)).slice(1)).toEqual([
    { reason: 'subscription_cycle', total: 19_900 + 32_500, ours: [32_500] },
    { reason: 'subscription_cycle', total: 19_900, ours: [] },
    { reason: 'subscription_cycle', total: 19_900 - 32_500 + 26_250, ours: [-32_500, 26_250] },
  ])
})

test('lines for which no draft is left in time wait for the next renewal, where policy says so', async () => {
  const fay = await subscribed(world, 'fay')
  await use(fay, 'api_calls', 12_000)
  await toEnd(fay)
  await fault({ method: 'GET', path: '/v1/invoices', action: 'outage' })
  await world.advance('PT6M')
  await failed('fay')
  await world.advance('PT2H')
  await heal()
  await eventually(
    async () => {
      await world.advance('PT11M')
      return query<{ state: string }>(world.app.deps.db, sql`select state from placings where tenant_id = 'fay'`)
    },
    ([placing]) => placing!.state === 'carried',
  )
  await toEnd(fay)
  await world.advance('PT6M')
  await placed('fay', 1)
  expect(await invoicesOf(fay)).toEqual([
    { reason: 'subscription_create', total: 4_900, ours: [] },
    { reason: 'subscription_cycle', total: 4_900, ours: [] },
    { reason: 'subscription_cycle', total: 5_700, ours: [800] },
  ])
  await world.advance('PT2H')
})

test('two processes that bring the same line to the same draft make one of it, and tell of it once', async () => {
  const gus = await subscribed(world, 'gus')
  await use(gus, 'api_calls', 12_000)
  await toEnd(gus)
  const other = await world.another()
  const attempts = (least: number) =>
    eventually(
      () => query<{ attempts: number }>(world.app.deps.db, sql`select attempts from placings where tenant_id = 'gus'`),
      ([placing]) => (placing?.attempts ?? 0) >= least,
    )
  await fault({ method: 'POST', path: '/v1/invoiceitems', action: 'slow', ms: 3_000 })
  await world.advance('PT6M')
  await attempts(1)
  // Whoever took it is still waiting for an answer when it is anybody's again.
  world.clock.advance('PT61S')
  await attempts(2)
  await placed('gus', 1)
  // Both are done with what they had begun.
  await other.stop()
  const told = await eventually(
    () => eventsOf(world, 'gus'),
    (types) => types.includes('usage_period.placed'),
  )
  expect(told.filter((type) => type === 'usage_period.placed')).toHaveLength(1)
  expect((await auditOf(world, 'gus')).filter((action) => action === 'charge_lines.placed')).toHaveLength(1)
  expect((await invoicesOf(gus)).slice(1)).toEqual([{ reason: 'subscription_cycle', total: 5_700, ours: [800] }])
})
