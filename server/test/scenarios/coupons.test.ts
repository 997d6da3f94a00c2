import { afterAll, beforeAll, expect, test } from 'vitest'
import { payCheckout, stripeOf } from '../support/pay.ts'
import { statusOf, untilQuiet } from '../support/story.ts'
import { startWorld, type World } from '../support/world.ts'

/** Coupons of the catalog, computed by the provider (INV-3). */
let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

const plan = { plan: 'pro', price: 'monthly', returnUrl: 'http://127.0.0.1:9999/back' }

test('a coupon by its code takes its share off what the hosted page asks, and the status tells until when', async () => {
  const ana = await world.tenant('ana')
  const { data: session } = await ana.createSession({ body: { ...plan, coupon: 'launch20' } })
  const { data: checkout } = await ana.getCheckout({ params: { checkoutId: session.checkoutId! } })
  expect(checkout.coupon).toBe('launch')
  const page = await stripeOf(world).checkout.sessions.retrieve(/cs_[A-Za-z0-9_]+/.exec(session.sessionUrl)![0])
  expect([page.amount_subtotal, page.amount_total]).toEqual([4_900, 3_920])
  await payCheckout(world, session.sessionUrl)
  const { subscription } = await statusOf(ana, (seen) => (seen.subscription?.discounts.length ?? 0) > 0)
  expect(subscription!.discounts).toMatchObject([{ coupon: 'launch', name: 'Launch offer' }])
  const { startsAt, endsAt } = subscription!.discounts[0]!
  expect(Temporal.Instant.from(startsAt!).toZonedDateTimeISO('UTC').add({ months: 3 }).toInstant().toString()).toBe(
    endsAt,
  )
  // The same page for the same wish, another one without the coupon.
  await untilQuiet(world)
  const bob = await world.tenant('bob')
  const { data: first } = await bob.createSession({ body: { ...plan, coupon: 'launch' } })
  expect((await bob.createSession({ body: { ...plan, coupon: 'LAUNCH20' } })).data.checkoutId).toBe(first.checkoutId)
  await expect(bob.createSession({ body: plan })).rejects.toMatchObject({ code: 'checkout_open' })
})

test.each([
  ['that is unknown', { coupon: 'nobody' }],
  ['of another plan', { ...plan, plan: 'scale', coupon: 'launch' }],
  ['of a plan for a product', { kind: 'product' as const, product: 'onboarding', plan: undefined, coupon: 'launch' }],
  ['whose name every object has', { coupon: 'constructor' }],
])('a coupon %s is refused', async (_, more) => {
  const tenantId = `refused-${_.replaceAll(' ', '-')}`
  const customer = await world.tenant(tenantId)
  await expect(customer.createSession({ body: { ...plan, ...more } })).rejects.toMatchObject({
    code: 'coupon_not_usable',
    errors: [expect.objectContaining({ field: 'coupon' })],
  })
})

test('a fixed coupon is of its currency, for a purchase too; what was paid is what was bought', async () => {
  const carl = await world.tenant('carl')
  const { data: session } = await carl.createSession({
    body: { kind: 'product', product: 'credit_100', coupon: 'welcome', currency: 'EUR' },
  })
  await payCheckout(world, session.sessionUrl)
  await untilQuiet(world)
  const { data: purchases } = await carl.listPurchases({ query: {} })
  expect(purchases).toMatchObject([{ amount: { amountMinor: '9050', currency: 'EUR' } }])
  const { data: grants } = await carl.listCreditGrants({ query: {} })
  expect(grants).toMatchObject([
    { amount: { amountMinor: '10450', currency: 'EUR' }, paid: { amountMinor: '9050', currency: 'EUR' } },
  ])
})

test('one that the provider finds used up buys nothing, and nothing stays open', async () => {
  const dora = await world.tenant('dora')
  const stripe = stripeOf(world)
  const coupon = (await stripe.coupons.list({ limit: 100 })).data.find(({ name }) => name === 'Launch offer')!
  await stripe.coupons.del(coupon.id)
  await expect(dora.createSession({ body: { ...plan, coupon: 'launch' } })).rejects.toMatchObject({
    code: 'coupon_not_usable',
  })
  expect((await dora.createSession({ body: plan })).data.checkoutId).not.toBeNull()
})
