import { createClient } from '@turnpike/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sweepBudgets } from '../../src/flows/alert-budgets.ts'
import { query, sql } from '../../src/platform/db.ts'
import { auditOf, eventsOf, noticesOf, type Subscriber, subscribed, untilQuiet } from '../support/story.ts'
import { eventually, operatorKey, startWorld, type World } from '../support/world.ts'

/** Budgets of customers: told at thresholds, and caps that are never passed (INV-5). */
let world: World
beforeAll(async () => {
  world = await startWorld({
    catalog: (catalog) => {
      // A dollar for each export, so that two meters cost something; limited by the day, which is no usage period.
      catalog.setIn(['plans', 'pro', 'grants', 'exports'], { limit: 500, enforcement: 'hard', window: 'day' })
      catalog.setIn(['plans', 'pro', 'usagePrices', 'exports'], {
        model: 'per_unit',
        unitAmounts: { USD: '100', EUR: '100' },
      })
    },
  })
})
afterAll(() => world?.stop())

const use = async ({ tenantId }: Subscriber, quantity: number, key: string, meter = 'api_calls', by = world.operator) =>
  (await by.reportUsage({ body: { tenantId, meter, quantity, idempotencyKey: key } })).data.outcomes[0]!
const check = async ({ tenantId }: Subscriber, quantity = 1) =>
  (await world.operator.check({ body: { tenantId, feature: 'api_calls', quantity } })).data.decisions[0]!
const set = ({ customerId, owner }: Subscriber, amountMinor: string, more: object = {}) =>
  owner.setBudget({
    params: { customerId },
    body: { amountMinor, currency: 'USD', alertAtPercent: [50, 100], cap: false, ...more },
  })
const budgetOf = async ({ customerId, owner }: Subscriber) => (await owner.getBudget({ params: { customerId } })).data
/** Of pro: 10,000 calls are in the price, the next 5,000 cost 0.4 cents each. */
const eightDollars = 12_000

test('thresholds of a budget are told once in a usage period, with what usage costs until now', async () => {
  const ana = await subscribed(world, 'ana')
  expect((await budgetOf(ana)).budget).toBeNull()
  const { data: made } = await set(ana, '800')
  expect(made).toMatchObject({ cost: { amountMinor: '0' }, percent: 0, alerts: [], budget: { cap: false } })
  await use(ana, 10_000, 'a')
  await use(ana, 1_000, 'b')
  const alerts = (count: number) =>
    eventually(
      () => budgetOf(ana),
      (seen) => seen.alerts.length === count,
    )
  expect(await alerts(1)).toMatchObject({ cost: { amountMinor: '400' }, percent: 50, alerts: [{ percent: 50 }] })
  // Without a cap it goes on.
  expect(await use(ana, 2_000, 'c')).toMatchObject({ status: 'accepted' })
  expect(await alerts(2)).toMatchObject({ cost: { amountMinor: '1200' }, percent: 150 })
  await sweepBudgets(world.app.deps)
  const told = (
    await eventsOf(world, 'ana', (types) => types.filter((type) => type === 'budget.alert').length > 1)
  ).filter((type) => type.startsWith('budget.'))
  expect(told).toEqual(['budget.updated', 'budget.alert', 'budget.alert'])
  expect(
    await noticesOf(world, 'ana', (kinds) => kinds.filter((kind) => kind === 'budget_alert').length === 2),
  ).toContain('budget_alert')
  expect(await auditOf(world, 'ana')).toEqual(expect.arrayContaining(['budget.set', 'budget.alert']))
  // A higher budget warns anew; the same again changes nothing.
  await set(ana, '2000')
  await set(ana, '2000')
  await sweepBudgets(world.app.deps)
  expect((await budgetOf(ana)).alerts.map(({ percent }) => percent)).toEqual([50])
  expect((await auditOf(world, 'ana')).filter((action) => action === 'budget.set')).toHaveLength(2)
  await ana.owner.removeBudget({ params: { customerId: ana.customerId } })
  expect((await budgetOf(ana)).budget).toBeNull()
})

test('a cap refuses what would cost more, to the cent, and lets through what costs nothing more', async () => {
  const bob = await subscribed(world, 'bob')
  await set(bob, '800', { cap: true })
  await eventually(
    () => use(bob, eightDollars, 'a'),
    ({ status }) => status === 'accepted' || status === 'duplicate',
  )
  // Half a cent rounds up: one call more still costs 800, two cost 801.
  expect(await check(bob, 1)).toMatchObject({ allowed: true })
  expect(await check(bob, 2)).toMatchObject({ allowed: false, reason: 'spend_cap_reached' })
  expect(await use(bob, 2, 'b')).toMatchObject({ status: 'refused', code: 'spend_cap_reached', allowed: false })
  expect(await use(bob, 2, 'b')).toMatchObject({ status: 'refused', code: 'spend_cap_reached' })
  const consume = (quantity: number, idempotencyKey: string) =>
    world.operator.check({
      body: { tenantId: 'bob', feature: 'api_calls', quantity, consume: true, idempotencyKey },
    })
  expect((await consume(2, 'c')).data.decisions[0]).toMatchObject({ allowed: false, reason: 'spend_cap_reached' })
  expect((await consume(1, 'd')).data.decisions[0]).toMatchObject({ allowed: true, consumed: true })
  // Other meters cost nothing.
  const tokens = { tenantId: 'bob', meter: 'tokens', quantity: 100, idempotencyKey: 'tokens' }
  expect((await world.operator.reportUsage({ body: tokens })).data.outcomes[0]).toMatchObject({ status: 'accepted' })
  await sweepBudgets(world.app.deps)
  expect((await budgetOf(bob)).alerts.map(({ percent }) => percent)).toEqual([50, 100])
  expect(await noticesOf(world, 'bob', (kinds) => kinds.includes('spend_cap_reached'))).toContain('spend_cap_reached')
  // A higher cap holds at once, one that is gone holds no longer.
  await set(bob, '900', { cap: true })
  expect(
    await eventually(
      () => check(bob, 200),
      ({ allowed }) => allowed,
    ),
  ).toMatchObject({ allowed: true })
  expect(await use(bob, 200, 'e')).toMatchObject({ status: 'accepted' })
})

test('64 senders at once never pass a cap, and use it up', async () => {
  const carl = await subscribed(world, 'carl')
  await set(carl, '800', { cap: true })
  await eventually(
    () => use(carl, eightDollars - 100, 'first'),
    ({ status }) => status === 'accepted' || status === 'duplicate',
  )
  const outcomes = await Promise.all(
    Array.from({ length: 64 }, async (_, sender) => {
      const own: string[] = []
      for (let turn = 0; turn < 4; turn++) own.push((await use(carl, 1, `${sender}-${turn}`)).status)
      return own
    }),
  )
  const statuses = outcomes.flat()
  expect(statuses.filter((status) => status === 'accepted')).toHaveLength(101)
  expect(statuses.filter((status) => status === 'refused')).toHaveLength(64 * 4 - 101)
  expect((await budgetOf(carl)).cost).toEqual({ amountMinor: '800', currency: 'USD' })
  expect(await check(carl)).toMatchObject({ allowed: false, reason: 'spend_cap_reached' })
})

test('a cap holds what another process counted of whatever costs something', async () => {
  const fred = await subscribed(world, 'fred')
  await world.advance('PT1M')
  const other = createClient({ baseUrl: (await world.another()).url, credential: operatorKey })
  // Both meters are known to this process as it has left them, before a cap makes it look at both for each.
  for (const key of ['a', 'b']) {
    expect(await use(fred, 1, `export-${key}`, 'exports')).toMatchObject({ status: 'accepted' })
    expect(await use(fred, 5_001, `calls-${key}`)).toMatchObject({ status: 'accepted' })
  }
  await set(fred, '800', { cap: true })
  // Nearly six dollars are left. The other process takes one of them; this one decides as it left the counters.
  expect(await use(fred, 1, 'one', 'exports', other)).toMatchObject({ status: 'accepted' })
  expect(await use(fred, 1_300, 'five')).toMatchObject({ status: 'refused', code: 'spend_cap_reached' })
})

test('what is held for work under way is spent already: a reservation is refused by the cap, and refuses others', async () => {
  const gina = await subscribed(world, 'gina')
  await world.advance('PT1M')
  await set(gina, '800', { cap: true })
  const reserve = async (features: Record<string, number>, idempotencyKey: string) =>
    (
      await world.operator.createReservation({
        body: {
          tenantId: 'gina',
          features: Object.entries(features).map(([feature, quantity]) => ({ feature, quantity })),
          idempotencyKey,
        },
      })
    ).data
  // Two dollars and 5.20: of the exports the day's counter is the limit, and the cap sees them all the same.
  for (const key of ['one', 'two']) expect(await reserve({ exports: 1 }, key)).toMatchObject({ allowed: true })
  const held = await reserve({ api_calls: 11_300 }, 'calls')
  expect(held).toMatchObject({ allowed: true })
  expect(await use(gina, 1, 'third', 'exports')).toMatchObject({ status: 'refused', code: 'spend_cap_reached' })
  expect(await reserve({ tokens: 5, exports: 1 }, 'more')).toMatchObject({
    allowed: false,
    reservation: null,
    decisions: [
      { feature: 'tokens', allowed: true },
      { feature: 'exports', allowed: false, reason: 'spend_cap_reached', state: 'blocked' },
    ],
  })
  const { data: decisions } = await world.operator.listDecisions({ query: { tenantId: 'gina', feature: 'exports' } })
  const refused = decisions.find(({ kind, allowed }) => kind === 'reserve' && !allowed)!
  expect(
    (await world.operator.getDecision({ params: { decisionId: refused.id }, query: { tenantId: 'gina' } })).data,
  ).toMatchObject({ reason: 'spend_cap_reached', replay: { same: true, allowed: false } })
  await sweepBudgets(world.app.deps)
  expect(await noticesOf(world, 'gina', (kinds) => kinds.includes('spend_cap_reached'))).toContain('spend_cap_reached')
  // What is let go of is there again, in every counter that held it.
  await world.operator.releaseReservation({ params: { reservationId: held.reservation!.id } })
  expect(await reserve({ exports: 1 }, 'again')).toMatchObject({ allowed: true })
  expect(await use(gina, 1, 'fourth', 'exports')).toMatchObject({ status: 'accepted' })
})

test('a cap reckons in the time zone of its customer, and says that it holds back all that costs something', async () => {
  const emma = await subscribed(world, 'emma')
  expect((await set(emma, '800', { cap: true })).data.capLeavesOut).toEqual([])
  const zone = async () =>
    (
      await query<{ zone: string }>(
        world.app.deps.db,
        sql`select content -> 'spendCap' ->> 'timeZone' as zone from entitlement_snapshots where tenant_id = 'emma' order by version desc limit 1`,
      )
    )[0]!.zone
  expect(await zone()).toBe('UTC')
  const { customerId } = emma
  await world.operator.updateCustomer({ params: { customerId }, body: { timeZone: 'Pacific/Auckland' } })
  expect(await zone()).toBe('Pacific/Auckland')
})

test('a budget is of its customer and of the currency of the subscription', async () => {
  const dora = await subscribed(world, 'dora')
  await expect(set(dora, '800', { currency: 'EUR' })).rejects.toMatchObject({
    code: 'budget_invalid',
    errors: [expect.objectContaining({ field: 'currency' })],
  })
  const viewer = await world.as('viewer', 'dora')
  await expect(viewer.getBudget({ params: { customerId: dora.customerId } })).rejects.toMatchObject({
    code: 'forbidden',
  })
  const stranger = await world.as('owner', 'ana')
  await expect(stranger.getBudget({ params: { customerId: dora.customerId } })).rejects.toMatchObject({
    code: 'not_found',
  })
})

test('after a renewal it is about the new period, also while the old one waits for its close', async () => {
  const hana = await subscribed(world, 'hana')
  await set(hana, '800')
  await use(hana, 11_000, 'a')
  const { end } = (await hana.owner.getStatus({ query: {} })).data.period!
  const left = world.clock.now().until(Temporal.Instant.from(end))
  await world.advance(`PT${Math.ceil(left.total('seconds')) + 1}S`)
  await untilQuiet(world)
  await use(hana, 12_000, 'b')
  const seen = await eventually(
    () => budgetOf(hana),
    ({ alerts }) => alerts.length === 2,
  )
  expect(seen).toMatchObject({ cost: { amountMinor: '800' }, percent: 100 })
  const { data: periods } = await world.operator.listUsagePeriods({ query: { tenantId: 'hana' } })
  expect(periods.map(({ state }) => state)).toEqual(['open', 'open'])
  const { data: cost } = await hana.owner.getUsageCost({ query: {} })
  expect([cost.period!.start, cost.total!.amountMinor]).toEqual([end, '800'])
})
