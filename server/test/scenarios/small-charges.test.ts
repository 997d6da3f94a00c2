import { afterAll, beforeAll, expect, test } from 'vitest'
import { stripeOf } from '../support/pay.ts'
import { auditOf, type Subscriber, statusOf, subscribed, untilQuiet } from '../support/story.ts'
import { eventually, startWorld, type World } from '../support/world.ts'

/** What is too small to be collected waits for the next invoice (convention 18, INV-1). */
let world: World
beforeAll(async () => {
  world = await startWorld({
    catalog: (catalog) => {
      const pro = (...path: (string | number)[]) => ['plans', 'pro', ...path]
      catalog.setIn(['currencies'], ['USD', 'EUR', 'KWD'])
      catalog.setIn(pro('prices', 'monthly', 'amounts', 'KWD'), 15_000)
      catalog.setIn(pro('seats', 'perSeat', 'monthly', 'KWD'), 3_000)
      for (const tier of [0, 1])
        catalog.setIn(pro('usagePrices', 'api_calls', 'tiers', tier, 'unitAmounts', 'KWD'), '1.3')
      catalog.setIn(['policies', 'billing', 'settings', 'minimumCharges'], { USD: 500 })
    },
  })
})
afterAll(() => world?.stop())

const use = (tenantId: string, quantity: number, idempotencyKey = `${tenantId}-${quantity}`) =>
  world.operator.reportUsage({ body: { tenantId, meter: 'api_calls', quantity, idempotencyKey } })
const linesOf = async (tenantId: string) =>
  (await world.operator.listUsagePeriods({ query: { tenantId } })).data
    .toReversed()
    .flatMap(({ lines }) => lines.map(({ kind, amount, state }) => `${kind} ${amount.amountMinor} ${state}`))
const settled = (tenantId: string, lines: number) =>
  eventually(
    () => linesOf(tenantId),
    (all) => all.length === lines && all.every((line) => !line.endsWith('on_its_way')),
    20_000,
  )
const toEnd = async (subscriber: Subscriber): Promise<void> => {
  const { data } = await subscriber.owner.getStatus({ query: {} })
  const left = world.clock.now().until(Temporal.Instant.from(data.period!.end))
  await world.advance(`PT${Math.ceil(left.total('seconds')) + 1}S`)
  await untilQuiet(world)
}
const ended = async ({ owner, subscriptionId }: Subscriber): Promise<void> => {
  await owner.commandSubscription({ params: { subscriptionId }, body: { action: 'cancel', when: 'now' } })
  await statusOf(owner, ({ subscription }) => subscription === null)
  await world.advance('PT6M')
}
const totalsOf = async ({ providerCustomerId: customer }: Subscriber) =>
  (await stripeOf(world).invoices.list({ customer, limit: 100 })).data.map(({ total }) => total).reverse()

test.each([
  ['less than the least', 'ana', 10_750, ['usage 300 waits_for_next'], [4_900]],
  ['as much as the least', 'ben', 11_250, ['usage 500 placed'], [4_900, 500]],
])('an end with %s to charge', async (_, tenantId, calls, lines, totals) => {
  const subscriber = await subscribed(world, tenantId)
  await use(tenantId, calls)
  await world.advance('P3D')
  await ended(subscriber)
  expect(await settled(tenantId, 1)).toEqual(lines)
  expect(await totalsOf(subscriber)).toEqual(totals)
  expect((await auditOf(world, tenantId)).filter((action) => action.startsWith('charge_lines'))).toEqual([
    lines[0]!.endsWith('placed') ? 'charge_lines.placed' : 'charge_lines.carried',
  ])
})

test('what is too little for an invoice of its own goes with the next renewal', async () => {
  const cid = await subscribed(world, 'cid')
  await use('cid', 10_750)
  await toEnd(cid)
  // The renewal is finalized before the lines come.
  await world.control('POST', '/sandbox/faults', {
    ...{ kind: 'api', count: null, method: 'GET', path: '/v1/invoices', action: 'outage' },
  })
  await world.advance('PT6M')
  await world.advance('PT2H')
  await world.control('DELETE', '/sandbox/faults')
  await eventually(
    async () => {
      await world.advance('PT11M')
      return linesOf('cid')
    },
    ([line]) => line === 'usage 300 waits_for_next',
    20_000,
  )
  expect(await totalsOf(cid)).toEqual([4_900, 4_900])
  await toEnd(cid)
  await world.advance('PT6M')
  await eventually(
    () => linesOf('cid'),
    ([line]) => line === 'usage 300 placed',
    20_000,
  )
  expect(await totalsOf(cid)).toEqual([4_900, 4_900, 5_200])
  await world.advance('PT2H')
})

test('of a currency of three decimals tens go on an invoice, and the rest with the next one', async () => {
  const dan = await subscribed(world, 'dan', { plan: 'pro', price: 'monthly', currency: 'KWD' })
  await use('dan', 10_953)
  await toEnd(dan)
  await world.advance('PT6M')
  const first = ['usage 1239 placed', 'rest -9 placed']
  expect(await settled('dan', 3)).toEqual([...first, 'rest 9 waits_for_next'])
  expect(await totalsOf(dan)).toEqual([15_000, 16_230])
  await world.advance('PT2H')
  await untilQuiet(world)
  // The end brings no more to it. That the period is rated again makes up for nothing.
  await world.advance('P3D')
  await ended(dan)
  expect(await settled('dan', 3)).toEqual([...first, 'rest 9 waits_for_next'])
  expect(await totalsOf(dan)).toEqual([15_000, 16_230])
})

test('what waited is collected as soon as it comes to a ten', async () => {
  const eva = await subscribed(world, 'eva', { plan: 'pro', price: 'monthly', currency: 'KWD' })
  await use('eva', 10_953)
  await toEnd(eva)
  await world.advance('PT6M')
  await settled('eva', 3)
  await world.advance('PT2H')
  await untilQuiet(world)
  await use('eva', 10_010, 'more')
  await world.advance('P3D')
  await ended(eva)
  // 9 of before and 13 of now.
  expect(await settled('eva', 6)).toEqual([
    ...['usage 1239 placed', 'rest -9 placed', 'rest 9 placed'],
    ...['usage 13 placed', 'rest -2 placed', 'rest 2 waits_for_next'],
  ])
  expect(await totalsOf(eva)).toEqual([15_000, 16_230, 20])
})
