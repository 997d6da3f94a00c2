import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { payCheckout, stripeOf } from '../support/pay.ts'
import { eventually, startWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.stop())

const back = 'http://127.0.0.1:9999/back'
const code = (error: unknown) => (error as { code?: string }).code

describe('opening a hosted page (PAY-1)', () => {
  test('the same selection again answers the same page, at the same time too', async () => {
    const owner = await world.tenant('same')
    const body = { plan: 'pro', price: 'monthly', returnUrl: back }
    const sessions = await Promise.all(Array.from({ length: 8 }, () => owner.createSession({ body })))
    expect(new Set(sessions.map(({ data }) => data.sessionUrl)).size).toBe(1)
    expect(new Set(sessions.map(({ data }) => data.checkoutId)).size).toBe(1)
    const { data: open } = await owner.getStatus({ query: {} })
    expect(open.openCheckout).toMatchObject({ checkoutId: sessions[0]!.data.checkoutId, plan: 'pro' })
  })

  test('another selection is refused while one is open, and replaces it when asked to', async () => {
    const owner = await world.tenant('other')
    const first = await owner.createSession({ body: { plan: 'pro', price: 'monthly', returnUrl: back } })
    const refused = await owner
      .createSession({ body: { plan: 'scale', price: 'monthly', returnUrl: back } })
      .catch((error: unknown) => error)
    expect(code(refused)).toBe('checkout_open')
    const second = await owner.createSession({
      body: { plan: 'scale', price: 'monthly', returnUrl: back, replaceOpen: true },
    })
    expect(second.data.checkoutId).not.toBe(first.data.checkoutId)
    expect((await owner.getCheckout({ params: { checkoutId: first.data.checkoutId! } })).data.state).toBe('expired')
    const sessionId = /cs_\w+/.exec(first.data.sessionUrl)![0]
    expect((await stripeOf(world).checkout.sessions.retrieve(sessionId)).status).toBe('expired')
  })

  test('a page that the customer left can be resumed, and is ended before another one opens', async () => {
    const owner = await world.tenant('leaver')
    const first = await owner.createSession({ body: { plan: 'pro', price: 'monthly', returnUrl: back } })
    const left = await owner.reportReturn({
      params: { checkoutId: first.data.checkoutId! },
      body: { outcome: 'canceled' },
    })
    expect(left.data).toMatchObject({
      state: 'canceled',
      nextActions: [{ action: 'finish_checkout' }, { action: 'choose_plan' }],
    })
    const resumed = await owner.createSession({ body: { plan: 'pro', price: 'monthly', returnUrl: back } })
    expect(resumed.data.sessionUrl).toBe(first.data.sessionUrl)
    await owner.reportReturn({ params: { checkoutId: first.data.checkoutId! }, body: { outcome: 'canceled' } })
    const other = await owner.createSession({ body: { plan: 'scale', price: 'monthly', returnUrl: back } })
    expect(other.data.kind).toBe('checkout')
    expect((await owner.getCheckout({ params: { checkoutId: first.data.checkoutId! } })).data.state).toBe('expired')
  })

  test('a page that was paid after the customer said to have left still completes', async () => {
    const owner = await world.tenant('latepayer')
    const { data: session } = await owner.createSession({ body: { plan: 'pro', price: 'monthly', returnUrl: back } })
    await owner.reportReturn({ params: { checkoutId: session.checkoutId! }, body: { outcome: 'canceled' } })
    await payCheckout(world, session.sessionUrl)
    const done = await eventually(
      async () => (await owner.getCheckout({ params: { checkoutId: session.checkoutId! } })).data,
      (seen) => seen.state === 'completed',
    )
    expect(done.snapshotVersion).toBeGreaterThan(1)
  })

  test.each([
    ['another origin', { plan: 'pro', returnUrl: 'https://evil.example/back' }, 'return_url_not_allowed'],
    [
      'an allowed origin as user name',
      { plan: 'pro', returnUrl: 'http://127.0.0.1:9999@evil.example/' },
      'return_url_not_allowed',
    ],
    [
      'credentials in the address',
      { plan: 'pro', returnUrl: 'http://user:pass@127.0.0.1:9999/' },
      'return_url_not_allowed',
    ],
    [
      'a cancel address elsewhere',
      { plan: 'pro', returnUrl: back, cancelUrl: 'https://evil.example' },
      'return_url_not_allowed',
    ],
    ['an unknown plan', { plan: 'platinum', returnUrl: back }, 'plan_unknown'],
    ['a plan named like what every object has', { plan: 'constructor', returnUrl: back }, 'plan_unknown'],
    ['no plan', { returnUrl: back }, 'plan_unknown'],
    ['an unknown price', { plan: 'pro', price: 'hourly', returnUrl: back }, 'plan_unknown'],
    ['a currency that is not offered', { plan: 'pro', currency: 'JPY', returnUrl: back }, 'plan_not_available'],
    ['a free plan', { plan: 'free', returnUrl: back }, 'plan_not_available'],
    ['too many seats', { plan: 'pro', seats: 51, returnUrl: back }, 'plan_not_available'],
    ['an unknown product', { kind: 'product' as const, product: 'yacht', returnUrl: back }, 'plan_unknown'],
  ])('%s is refused', async (name, body, expected) => {
    const tenantId = `refused.${name.replaceAll(/\W+/g, '-')}`
    const owner = await world.tenant(tenantId)
    const error = await owner.createSession({ body }).catch((caught: unknown) => caught)
    expect(code(error)).toBe(expected)
    expect((await owner.getStatus({ query: {} })).data.openCheckout).toBeNull()
  })

  test('a plan that is held already is refused; a member may not open anything', async () => {
    const owner = await world.tenant('holder')
    const { data: session } = await owner.createSession({ body: { plan: 'pro', price: 'monthly', returnUrl: back } })
    await payCheckout(world, session.sessionUrl)
    await eventually(
      async () => (await owner.getStatus({ query: {} })).data.status,
      (status) => status === 'active',
    )
    expect(
      code(
        await owner
          .createSession({ body: { plan: 'pro', price: 'monthly', returnUrl: back } })
          .catch((caught: unknown) => caught),
      ),
    ).toBe('plan_already_held')
    const member = await world.as('member', 'holder')
    expect(
      code(await member.createSession({ body: { plan: 'scale', returnUrl: back } }).catch((caught: unknown) => caught)),
    ).toBe('forbidden')
    const portal = await owner.createSession({ body: { kind: 'portal', returnUrl: back } })
    expect(portal.data).toMatchObject({ kind: 'portal', checkoutId: null })
    expect((await fetch(portal.data.sessionUrl)).status).toBe(200)
  })

  test('a one-time product is bought without touching the plan', async () => {
    const owner = await world.tenant('onetime')
    const { data: session } = await owner.createSession({
      body: { kind: 'product', product: 'onboarding', returnUrl: back },
    })
    expect(session.kind).toBe('purchase')
    await payCheckout(world, session.sessionUrl)
    await eventually(
      async () => (await owner.getCheckout({ params: { checkoutId: session.checkoutId! } })).data.state,
      (state) => state === 'completed',
    )
    expect((await owner.getStatus({ query: {} })).data).toMatchObject({
      status: 'no_subscription',
      plan: { plan: 'free' },
    })
  })
})
