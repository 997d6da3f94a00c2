import { afterAll, beforeAll, expect, test } from 'vitest'
import { payCheckout } from '../support/pay.ts'
import { eventually, startWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.stop())

test('a stranger buys Pro: entitlements switch on, usage counts once, the limit holds, the feed tells it all', async () => {
  const ana = await world.tenant('ana')
  const service = await world.as('service')

  const refused = await service.check({ body: { tenantId: 'ana', feature: 'sso' } })
  expect(refused.data).toMatchObject({ allowed: false, decisions: [{ reason: 'not_included', upgradePlan: 'pro' }] })

  const { data: session } = await ana.createSession({
    body: { plan: 'pro', price: 'monthly', returnUrl: 'http://127.0.0.1:9999/back' },
  })
  expect(session.kind).toBe('checkout')
  await payCheckout(world, session.sessionUrl)

  const status = await eventually(
    async () => (await ana.getStatus({ query: {} })).data,
    (seen) => seen.status === 'active',
  )
  expect(status).toMatchObject({
    plan: { plan: 'pro' },
    accessLevel: 'full',
    amount: { amountMinor: '4900', currency: 'USD' },
  })
  const allowed = await service.check({ body: { tenantId: 'ana', feature: 'sso' } })
  expect(allowed.data.allowed).toBe(true)
  const checkout = await eventually(
    async () => (await ana.getCheckout({ params: { checkoutId: session.checkoutId! } })).data,
    (seen) => seen.state === 'completed',
  )
  expect(checkout.nextActions).toEqual([])

  const records = Array.from({ length: 1_000 }, (_, index) => ({
    tenantId: 'ana',
    meter: 'api_calls',
    idempotencyKey: `call-${index}`,
  }))
  const answers = []
  for (let times = 0; times < 3; times++) answers.push((await service.reportUsage({ body: { records } })).data)
  expect(answers.map(({ accepted, duplicates }) => [accepted, duplicates])).toEqual([
    [1000, 0],
    [0, 1000],
    [0, 1000],
  ])
  const over = await service.reportUsage({
    body: { tenantId: 'ana', meter: 'api_calls', quantity: 19_001, idempotencyKey: 'too-much' },
  })
  expect(over.data).toMatchObject({
    allowed: false,
    refused: 1,
    outcomes: [{ code: 'limit_reached', used: 1_000, limit: 20_000 }],
  })

  const { data: events } = await (await world.as('service')).listEvents({ query: { tenantId: 'ana', limit: 1_000 } })
  expect(events.map((event) => event.sequence)).toEqual(events.map((_, index) => index + 1))
  expect([...new Set(events.map((event) => event.type))]).toEqual(
    expect.arrayContaining([
      'customer.created',
      'entitlements.updated',
      'checkout.opened',
      'subscription.created',
      'invoice.paid',
      'checkout.completed',
      'billing.updated',
      'usage.updated',
    ]),
  )
})
