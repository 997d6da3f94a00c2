import { afterAll, beforeAll, expect, test } from 'vitest'
import { query, sql } from '../../src/platform/db.ts'
import { type Subscriber, subscribed, untilQuiet } from '../support/story.ts'
import { eventually, startWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({
    catalog: (catalog) => {
      catalog.setIn(['plans', 'pro', 'usagePrices', 'api_calls'], {
        model: 'per_unit',
        included: 10_000,
        rollover: { capUnits: 3_000, expiresAfterPeriods: 1 },
        unitAmounts: { USD: '1', EUR: '1' },
      })
      for (const [meter, aggregation] of Object.entries({ open: 'latest', stored: 'time_weighted' })) {
        catalog.setIn(['meters', meter], { name: meter, unit: 'piece', aggregation })
        const unitAmounts = { USD: '100', EUR: '100' }
        catalog.setIn(['plans', 'pro', 'usagePrices', meter], { model: 'per_unit', unitAmounts })
      }
      catalog.setIn(['plans', 'scale', 'billing'], {
        commitment: { amounts: { USD: 10_000, EUR: 10_000 }, periods: 2 },
      })
    },
  })
})
afterAll(() => world?.stop())

const use = (tenantId: string, quantity: number, at?: Temporal.Instant) =>
  world.operator.reportUsage({
    body: {
      tenantId,
      meter: 'api_calls',
      quantity,
      idempotencyKey: `${tenantId}-${quantity}-${at ?? world.clock.now()}`,
      ...(at ? { at: at.toString() } : {}),
    },
  })

/** Over the end of the period and its close, until its lines are where they belong. */
const close = async ({ tenantId, owner }: Subscriber, periods: number): Promise<void> => {
  const { data } = await owner.getStatus({ query: {} })
  const left = world.clock.now().until(Temporal.Instant.from(data.period!.end))
  await world.advance(`PT${Math.ceil(left.total('seconds')) + 1}S`)
  await untilQuiet(world)
  await world.advance('PT6M')
  await eventually(
    async () => (await world.operator.listUsagePeriods({ query: { tenantId } })).data,
    (all) =>
      all.filter(({ state }) => state === 'placed' || state === 'nothing_due' || state === 'settled').length ===
      periods,
    20_000,
  )
  await world.advance('PT2H')
  await untilQuiet(world)
}
const amountsOf = async (tenantId: string) =>
  (
    await query<{ kind: string; quantity: string; amount_minor: string }>(
      world.app.deps.db,
      sql`select kind, quantity, amount_minor from charge_lines where tenant_id = ${tenantId} order by created_at, line_start, ordinal`,
    )
  ).map((line) => [line.kind, line.quantity, line.amount_minor])

test('what was included and not used lowers the next bill up to its cap, and late usage takes that back to the cent (RAT-1, USE-5)', async () => {
  const ana = await subscribed(world, 'ana')
  await use('ana', 8_000)
  const { data: status } = await ana.owner.getStatus({ query: {} })
  const inFirst = Temporal.Instant.from(status.period!.end).subtract({ hours: 1 })
  await close(ana, 1)
  await use('ana', 12_500)
  const { data: cost } = await world.operator.getUsageCost({ query: { tenantId: 'ana' } })
  expect(cost.total?.amountMinor).toBe('500')
  await close(ana, 2)
  expect(await amountsOf('ana')).toEqual([
    ['usage', '8000', '0'],
    ['usage', '12500', '500'],
  ])
  // 500 of the first period are heard of now: what it left was less.
  await use('ana', 500, inFirst)
  await use('ana', 9_000)
  await close(ana, 3)
  expect((await amountsOf('ana')).slice(2)).toEqual([
    ['late_usage', '0', '500'],
    ['usage', '9000', '0'],
  ])
})

test('a commitment counts over its periods, charges what is missing with the last, and begins anew (RAT-1)', async () => {
  const ben = await subscribed(world, 'ben', { plan: 'scale', price: 'monthly' })
  await use('ben', 110_000)
  await close(ben, 1)
  expect(await amountsOf('ben')).toEqual([['usage', '110000', '2000']])
  await use('ben', 120_000)
  await close(ben, 2)
  expect((await amountsOf('ben')).slice(1)).toEqual([
    ['usage', '120000', '4000'],
    ['minimum', '1', '4000'],
  ])
  await use('ben', 110_000)
  await close(ben, 3)
  expect((await amountsOf('ben')).slice(3)).toEqual([['usage', '110000', '2000']])
})

test('a level costs what its counter says: the later of two at one time, and what was voided and then amended (USE-2, RAT-2)', async () => {
  const { tenantId } = await subscribed(world, 'levels')
  await world.advance('PT1M')
  const at = world.clock.now().toString()
  const level = (meter: string, quantity: number, idempotencyKey: string) =>
    world.operator.reportUsage({ body: { tenantId, meter, quantity, idempotencyKey, at } })
  const correct = (corrects: string, quantity: number | null) =>
    world.operator.correctUsage({
      body: {
        ...{ tenantId, corrects, reason: 'It was wrong', idempotencyKey: `${corrects}-is-${quantity}` },
        ...(quantity === null ? { action: 'void' as const } : { action: 'amend' as const, quantity }),
      },
    })
  const costs = async () =>
    Object.fromEntries(
      (await world.operator.getUsageCost({ query: { tenantId } })).data.charges.map(({ charge, amount }) => [
        charge,
        amount.amountMinor,
      ]),
    )
  await level('open', 6, 'six')
  await level('open', 5, 'five')
  await level('stored', 10, 'ten')
  // The whole month, but for the minute before, at the level of its last report.
  expect(await costs()).toEqual({ open: '500', stored: '1000' })
  for (const [corrects, quantity] of [
    ['five', 4],
    ['ten', 7],
  ] as const) {
    await correct(corrects, null)
    await correct(corrects, quantity)
  }
  expect(await costs()).toEqual({ open: '400', stored: '700' })
})
