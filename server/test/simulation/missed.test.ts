import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { sweepCheckouts } from '../../src/flows/sweep-checkouts.ts'
import { payCheckout } from '../support/pay.ts'
import { eventually, startWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterEach(() => world.control('DELETE', '/sandbox/faults'))
afterAll(() => world.stop())

const returnUrl = 'http://127.0.0.1:9999/back'

test('no webhook ever comes: the return is enough to ask, and what is there is applied (PAY-2)', async () => {
  await world.control('POST', '/sandbox/faults', { kind: 'webhook', action: 'drop' })
  const ana = await world.tenant('ana')
  const { data: session } = await ana.createSession({ body: { plan: 'pro', price: 'monthly', returnUrl } })
  await payCheckout(world, session.sessionUrl)
  expect((await ana.getStatus({ query: {} })).data).toMatchObject({ status: 'no_subscription', plan: { plan: 'free' } })

  const { data: checkout } = await ana.reportReturn({
    params: { checkoutId: session.checkoutId! },
    body: { outcome: 'returned' },
  })
  expect(checkout).toMatchObject({ state: 'completed', nextActions: [] })
  expect((await ana.getStatus({ query: {} })).data).toMatchObject({ status: 'active', plan: { plan: 'pro' } })
  const service = await world.as('service')
  expect((await service.check({ body: { tenantId: 'ana', feature: 'sso' } })).data.allowed).toBe(true)
  const { data: webhooks } = await world.operator.listWebhooks({ query: {} })
  expect(webhooks.filter((webhook) => webhook.state !== 'ignored')).toEqual([])
})

test('no webhook and no provider: nothing is granted, nothing taken away, and it heals by itself (PAY-2, SUB-2)', async () => {
  const service = await world.as('service')
  const entitlements = async (tenantId: string) => (await service.getEntitlements({ query: { tenantId } })).data

  // Somebody who pays already, and somebody who is about to.
  const payer = await world.tenant('payer')
  const { data: held } = await payer.createSession({ body: { plan: 'pro', price: 'monthly', returnUrl } })
  await payCheckout(world, held.sessionUrl)
  await eventually(
    async () => (await payer.getStatus({ query: {} })).data.status,
    (status) => status === 'active',
  )
  const ben = await world.tenant('ben')
  const { data: session } = await ben.createSession({ body: { plan: 'pro', price: 'monthly', returnUrl } })
  const before = { ben: await entitlements('ben'), payer: await entitlements('payer') }

  await world.control('POST', '/sandbox/faults', { kind: 'webhook', action: 'drop' })
  await payCheckout(world, session.sessionUrl)
  await world.control('POST', '/sandbox/faults', { kind: 'api', action: 'outage' })

  const { data: waiting } = await ben.reportReturn({
    params: { checkoutId: session.checkoutId! },
    body: { outcome: 'returned' },
  })
  expect(waiting).toMatchObject({ state: 'pending_sync', nextActions: [{ action: 'wait_for_provider' }] })
  expect((await ben.getStatus({ query: {} })).data).toMatchObject({
    status: 'pending_sync',
    pendingSync: { checkoutId: session.checkoutId },
    plan: { plan: 'free' },
  })
  // A repeat of the return changes nothing either.
  await ben.reportReturn({ params: { checkoutId: session.checkoutId! }, body: { outcome: 'returned' } })
  expect({ ben: await entitlements('ben'), payer: await entitlements('payer') }).toEqual(before)
  expect((await service.check({ body: { tenantId: 'ben', feature: 'sso' } })).data.allowed).toBe(false)
  expect((await service.check({ body: { tenantId: 'payer', feature: 'sso' } })).data.allowed).toBe(true)

  // The provider is back; its webhooks are lost for good. Coming to the page again is enough, once it is asked again at all.
  await world.control('DELETE', '/sandbox/faults')
  await eventually(
    async () =>
      (
        await ben.reportReturn({
          params: { checkoutId: session.checkoutId! },
          body: { outcome: 'returned' },
        })
      ).data.state,
    (state) => state === 'completed',
    30_000,
  )
  expect((await service.check({ body: { tenantId: 'ben', feature: 'sso' } })).data.allowed).toBe(true)
})

test('webhooks come while the provider cannot be asked: they wait, and are applied when it answers (WEB-3, WEB-4)', async () => {
  const cleo = await world.tenant('cleo')
  const { data: session } = await cleo.createSession({ body: { plan: 'pro', price: 'monthly', returnUrl } })
  // Held until the outage has begun: nothing can be fetched when they come.
  await world.control('POST', '/sandbox/faults', { kind: 'webhook', action: 'delay' })
  await payCheckout(world, session.sessionUrl)
  await world.control('POST', '/sandbox/faults', { kind: 'api', action: 'outage' })
  await world.control('POST', '/sandbox/webhooks/release', {})
  await eventually(
    async () => (await world.operator.listWebhooks({ query: { state: 'retrying' } })).data,
    (retrying) => retrying.some((webhook) => webhook.lastError === 'provider_unavailable'),
  )
  expect((await cleo.getStatus({ query: {} })).data).toMatchObject({
    status: 'no_subscription',
    plan: { plan: 'free' },
  })

  await world.control('DELETE', '/sandbox/faults')
  await eventually(
    async () => (await cleo.getStatus({ query: {} })).data.status,
    (status) => status === 'active',
    30_000,
  )
  const checkout = await cleo.getCheckout({ params: { checkoutId: session.checkoutId! } })
  expect(checkout.data.state).toBe('completed')
  await eventually(
    async () => (await world.operator.listWebhooks({ query: { state: 'retrying' } })).data,
    (retrying) => retrying.length === 0,
    30_000,
  )
})

test('nobody comes back and no webhook comes: the sweep finds what was paid', async () => {
  await world.control('POST', '/sandbox/faults', { kind: 'webhook', action: 'drop' })
  const dora = await world.tenant('dora')
  const { data: session } = await dora.createSession({ body: { plan: 'pro', price: 'monthly', returnUrl } })
  await payCheckout(world, session.sessionUrl)
  await world.control('DELETE', '/sandbox/faults')
  await sweepCheckouts(world.app.deps)
  expect((await dora.getCheckout({ params: { checkoutId: session.checkoutId! } })).data.state).toBe('open')
  // Past the end of the page.
  await world.advance('PT25H')
  await sweepCheckouts(world.app.deps)
  expect((await dora.getCheckout({ params: { checkoutId: session.checkoutId! } })).data.state).toBe('completed')
  expect((await dora.getStatus({ query: {} })).data.status).toBe('active')
})
