import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Subscriber, statusOf, subscribed, untilQuiet } from '../support/story.ts'
import { eventually, startWorld, type World } from '../support/world.ts'

/** A fee for each transaction, and what corrections make of it (USE-5): one is no transaction, and what is void is none. */
let world: World
beforeAll(async () => {
  world = await startWorld({
    catalog: (catalog) => {
      catalog.setIn(['meters', 'moved'], { name: 'Money moved', unit: 'cent', aggregation: 'sum' })
      const price = { model: 'percentage', percent: '1', fixedFees: { USD: 30, EUR: 30 } }
      for (const plan of ['pro', 'scale']) catalog.setIn(['plans', plan, 'usagePrices', 'moved'], price)
    },
  })
})
afterAll(() => world?.stop())

const use = (tenantId: string, quantity: number, idempotencyKey: string) =>
  world.operator.reportUsage({ body: { tenantId, meter: 'moved', quantity, idempotencyKey } })
let corrections = 0
const correct = (tenantId: string, corrects: string, quantity?: number) =>
  world.operator.correctUsage({
    body: {
      ...{ tenantId, corrects, reason: 'counted twice', idempotencyKey: `correction-${++corrections}` },
      ...(quantity === undefined ? { action: 'void' } : { action: 'amend', quantity }),
    },
  })
const costOf = async (tenantId: string) =>
  (await world.operator.getUsageCost({ query: { tenantId } })).data.charges.map(
    ({ charge, amount }) => `${charge} ${amount.amountMinor}`,
  )
const toClose = async (subscriber: Subscriber): Promise<void> => {
  const { data } = await subscriber.owner.getStatus({ query: {} })
  const left = world.clock.now().until(Temporal.Instant.from(data.period!.end))
  await world.advance(`PT${Math.ceil(left.total('seconds')) + 1}S`)
  await untilQuiet(world)
  await world.advance('PT6M')
}
const billed = (tenantId: string, lines: number) =>
  eventually(
    async () => (await world.operator.listUsagePeriods({ query: { tenantId } })).data.at(-1)!.lines,
    (all) => all.length === lines,
  ).then((all) => all.map(({ kind, amount }) => `${kind} ${amount.amountMinor}`))

test('a transaction that is taken back after the invoice has its fee back, one that is amended pays none again', async () => {
  const ana = await subscribed(world, 'ana')
  await use('ana', 10_000, 'ana-a')
  await use('ana', 5_000, 'ana-b')
  await toClose(ana)
  expect(await billed('ana', 1)).toEqual(['usage 210'])
  await correct('ana', 'ana-b')
  await correct('ana', 'ana-a', 9_000)
  await correct('ana', 'ana-a', 8_000)
  await world.advance('PT2H')
  await untilQuiet(world)
  await toClose(ana)
  expect(await billed('ana', 2)).toEqual(['usage 210', 'late_usage -100'])
})

test('the fees of a period, and of its parts before and after a change of plan, are those of what is in effect', async () => {
  const ben = await subscribed(world, 'ben')
  await use('ben', 10_000, 'ben-a')
  await use('ben', 5_000, 'ben-b')
  expect(await costOf('ben')).toEqual(['moved 210'])
  await correct('ben', 'ben-a', 9_000)
  expect(await costOf('ben')).toEqual(['moved 200'])
  await correct('ben', 'ben-b')
  expect(await costOf('ben')).toEqual(['moved 120'])
  await correct('ben', 'ben-b', 4_000)
  expect(await costOf('ben')).toEqual(['moved 190'])

  await world.advance('P10D')
  await ben.owner.commandSubscription({
    params: { subscriptionId: ben.subscriptionId },
    body: { action: 'change', plan: 'scale', seats: 10 },
  })
  await statusOf(ben.owner, ({ plan }) => plan.plan === 'scale')
  await world.advance('PT1H')
  await use('ben', 2_000, 'ben-c')
  await use('ben', 1_000, 'ben-d')
  await correct('ben', 'ben-d')
  await correct('ben', 'ben-c', 1_000)
  expect(await costOf('ben')).toEqual(['moved 190', 'moved_2 40'])
})
