import { afterAll, beforeAll, expect, test } from 'vitest'
import { followDunningDue } from '../../src/flows/follow-dunning.ts'
import { remind } from '../../src/flows/remind.ts'
import { type MailServer, startMailServer } from '../support/mail-server.ts'
import { stripeOf } from '../support/pay.ts'
import {
  advanceBilling,
  auditOf,
  eventsOf,
  noticesOf,
  type Subscriber,
  statusOf,
  subscribed,
  useCard,
} from '../support/story.ts'
import { eventually, startWorld, type World } from '../support/world.ts'

/** What customers are told along their way (DUN-2): the mail, the billing page and the record of the house agree. */
let mail: MailServer
let world: World
beforeAll(async () => {
  mail = await startMailServer()
  world = await startWorld({ env: { SMTP_URL: mail.url, NOTICES_FROM: 'Acme Billing <billing@acme.example>' } })
})
afterAll(async () => {
  await world?.stop()
  await mail?.close()
})

const subjectsTo = async (tenantId: string, last: string): Promise<string[]> =>
  (
    await mail.received(`billing@${tenantId}.example`, (mails) =>
      mails.some(({ subject }) => subject?.startsWith(last)),
    )
  ).map(({ subject }) => subject ?? '')
const shown = async (subscriber: Pick<Subscriber, 'owner'>, holds: (kinds: string[]) => boolean) =>
  eventually(async () => (await subscriber.owner.listCurrentNotices({ query: {} })).data.map(({ kind }) => kind), holds)

test('a renewal that fails is told, and so is the payment that comes after all', async () => {
  const ana = await subscribed(world, 'ana')
  expect(await noticesOf(world, 'ana', (kinds) => kinds.includes('receipt'))).toEqual(['receipt'])
  expect(await subjectsTo('ana', 'Receipt')).toEqual([expect.stringMatching(/^Receipt for \$49\.00, invoice /)])

  await useCard(world, ana, 'pm_card_chargeCustomerFail')
  await advanceBilling(world, 'P1M')
  await statusOf(ana.owner, (seen) => seen.status === 'past_due')
  await noticesOf(world, 'ana', (kinds) => kinds.includes('payment_failed'))
  expect(await eventsOf(world, 'ana')).toContain('invoice.payment_failed')
  expect(await auditOf(world, 'ana')).toContain('invoice.payment_failed')
  await subjectsTo('ana', 'Your payment of $49.00 did not go through')
  await shown(ana, (kinds) => kinds.includes('payment_failed'))
  const [failed] = (await world.operator.listNotices({ query: { tenantId: 'ana', kind: 'payment_failed' } })).data
  const { data: detail } = await world.operator.getNotice({ params: { noticeId: failed!.id } })
  // The link leads to where this invoice is paid.
  expect(detail.link).toMatch(/^http/)
  expect(detail.text).toContain(`Pay the invoice: ${detail.link}`)

  await useCard(world, ana, 'pm_card_visa')
  const open = await stripeOf(world).invoices.list({ customer: ana.providerCustomerId, status: 'open' })
  await stripeOf(world).invoices.pay(open.data[0]!.id!)
  await statusOf(ana.owner, (seen) => seen.status === 'active')
  await noticesOf(world, 'ana', (kinds) => kinds.filter((kind) => kind === 'receipt').length === 2)
  await mail.received(
    'billing@ana.example',
    (mails) => mails.filter(({ subject }) => subject?.startsWith('Receipt')).length === 2,
  )
})

test('a cancellation is told, taken back, told again, and so is the end', async () => {
  const bob = await subscribed(world, 'bob')
  const stripe = stripeOf(world)
  await stripe.subscriptions.update(bob.providerSubscriptionId, { cancel_at_period_end: true })
  await shown(bob, (kinds) => kinds.includes('cancellation_scheduled'))
  await subjectsTo('bob', 'Your Pro subscription will end on')
  await stripe.subscriptions.update(bob.providerSubscriptionId, { cancel_at_period_end: false })
  const now = await shown(bob, (kinds) => kinds.includes('reactivated'))
  // What is no longer true is no longer shown.
  expect(now).not.toContain('cancellation_scheduled')
  await subjectsTo('bob', 'Your Pro subscription goes on')
  await stripe.subscriptions.update(bob.providerSubscriptionId, { cancel_at_period_end: true })
  await shown(bob, (kinds) => kinds.includes('cancellation_scheduled'))
  await advanceBilling(world, 'P1M')
  expect(await shown(bob, (kinds) => kinds.includes('canceled'))).not.toContain('cancellation_scheduled')
  await subjectsTo('bob', 'Your Pro subscription has ended')
  expect(await noticesOf(world, 'bob')).toEqual([
    'receipt',
    'cancellation_scheduled',
    'reactivated',
    'cancellation_scheduled',
    'canceled',
  ])
  expect(await eventsOf(world, 'bob')).toContain('subscription.canceled')
})

test('usage is told when it nears the limit and when it is there, once each', async () => {
  await world.tenant('cid')
  const owner = await world.as('owner', 'cid')
  const use = (quantity: number, key: string) =>
    world.operator.reportUsage({ body: { tenantId: 'cid', meter: 'api_calls', quantity, idempotencyKey: key } })
  await use(850, 'one')
  expect(await noticesOf(world, 'cid', (kinds) => kinds.length > 0)).toEqual(['limit_warning'])
  await subjectsTo('cid', 'You have used 85% of your API calls')
  // A repeat and a little more are no news.
  await use(850, 'one')
  await use(10, 'two')
  await use(140, 'three')
  expect(await noticesOf(world, 'cid', (kinds) => kinds.includes('limit_reached'))).toEqual([
    'limit_warning',
    'limit_reached',
  ])
  await subjectsTo('cid', 'You have used all of your API calls')
  expect(await shown({ owner }, (kinds) => kinds.length > 0)).toEqual(['limit_reached'])
  const types = await eventsOf(world, 'cid')
  expect(types.filter((type) => type === 'usage.threshold_reached')).toHaveLength(2)
})

test('a change of plan is told when it is in force', async () => {
  const dan = await subscribed(world, 'dan')
  const stripe = stripeOf(world)
  const [item] = (await stripe.subscriptions.retrieve(dan.providerSubscriptionId)).items.data
  const scale = (await stripe.prices.list({ limit: 100 })).data.find(
    (price) =>
      /scale/.test(price.lookup_key ?? '') &&
      price.recurring?.interval === 'month' &&
      price.currency === 'usd' &&
      !/seat/.test(price.lookup_key ?? ''),
  )
  await stripe.subscriptions.update(dan.providerSubscriptionId, { items: [{ id: item!.id, price: scale!.id }] })
  await statusOf(dan.owner, (seen) => seen.plan?.plan === 'scale')
  await noticesOf(world, 'dan', (kinds) => kinds.includes('plan_changed'))
  await subjectsTo('dan', 'You are on Scale now')
})

test('an end at once clears what could still be done before', async () => {
  const eva = await subscribed(world, 'eva')
  await useCard(world, eva, 'pm_card_chargeCustomerFail')
  await advanceBilling(world, 'P1M')
  await shown(eva, (kinds) => kinds.includes('payment_failed'))
  await stripeOf(world).subscriptions.cancel(eva.providerSubscriptionId)
  const now = await shown(eva, (kinds) => kinds.includes('canceled'))
  expect(now).not.toContain('payment_failed')
  await subjectsTo('eva', 'Your Pro subscription has ended')
  expect(await auditOf(world, 'eva')).toContain('subscription.canceled')
})

test('the end of a trial is told, with what happens to whoever gave a card', async () => {
  const fay = await subscribed(world, 'fay', { plan: 'starter', price: 'monthly' })
  await statusOf(fay.owner, (seen) => seen.status === 'trialing')
  await world.advance('P11DT1H')
  await remind(world.app.deps)
  await remind(world.app.deps)
  expect(await shown(fay, (kinds) => kinds.includes('trial_ending'))).toContain('trial_ending')
  await subjectsTo('fay', 'Your Starter trial ends on')
  const [letter] = mail.to('billing@fay.example').filter(({ subject }) => subject?.includes('trial ends'))
  expect(letter!.text).toContain('your payment method is on file')
  await world.advance('P4D')
  await statusOf(fay.owner, (seen) => seen.status === 'active')
  // What is over is not shown any more.
  await shown(fay, (kinds) => !kinds.includes('trial_ending'))
  expect((await noticesOf(world, 'fay')).filter((kind) => kind === 'trial_ending')).toHaveLength(1)
})

test('each stage of an overdue payment is told, and the payment that ends it', async () => {
  const gil = await subscribed(world, 'gil')
  await useCard(world, gil, 'pm_card_chargeCustomerFail')
  await advanceBilling(world, 'P1M')
  await noticesOf(world, 'gil', (kinds) => kinds.includes('grace_started'))
  await subjectsTo('gil', 'Your Pro payment is overdue')
  await world.advance('P8D')
  await followDunningDue(world.app.deps)
  await noticesOf(world, 'gil', (kinds) => kinds.includes('restricted'))
  await subjectsTo('gil', 'Your Pro access is restricted')
  await useCard(world, gil, 'pm_card_visa')
  const open = await stripeOf(world).invoices.list({ customer: gil.providerCustomerId, status: 'open' })
  for (const invoice of open.data) await stripeOf(world).invoices.pay(invoice.id!)
  const now = await shown(gil, (kinds) => kinds.includes('payment_recovered'))
  expect(now).not.toContain('restricted')
  expect(now).not.toContain('payment_failed')
  await subjectsTo('gil', 'Thank you: your overdue payment has arrived')
  expect(await eventsOf(world, 'gil')).toContain('dunning.recovered')
})

test('the letter to a new owner carries the right to answer, and nothing that is kept does', async () => {
  await world.tenant('hal')
  const [customer] = (await world.operator.listCustomers({ query: { search: 'billing@hal.example' } })).data
  await world.operator.requestOwnerTransfer({
    params: { customerId: customer!.id },
    body: { to: { email: 'iris@hal.example', name: 'Iris' } },
  })
  const [letter] = await mail.received('iris@hal.example', (mails) => mails.length > 0)
  const [link, token] = /(https?:\S+)#token=(\S+)/.exec(letter!.text!)!.slice(1)
  expect(letter!.html).toContain(`${link}#token=${token}`)
  const [notice] = (await world.operator.listNotices({ query: { tenantId: 'hal', kind: 'owner_transfer_request' } }))
    .data
  const { data: kept } = await world.operator.getNotice({ params: { noticeId: notice!.id } })
  expect(kept.link).toBe(link)
  expect(JSON.stringify(kept)).not.toContain(token!)
  const { data: current } = await (await world.as('owner', 'hal')).listCurrentNotices({ query: {} })
  expect(current).toEqual([])
})

test('a tenant sees its own notices and nobody else’s', async () => {
  const [theirs] = (await world.operator.listNotices({ query: { tenantId: 'ana' } })).data
  const stranger = await world.as('owner', 'bob')
  await expect(stranger.getNotice({ params: { noticeId: theirs!.id } })).rejects.toMatchObject({ code: 'not_found' })
  const { data: own } = await stranger.listNotices({ query: {} })
  expect(new Set(own.map(({ tenantId }) => tenantId))).toEqual(new Set(['bob']))
  await expect(stranger.resendNotice({ params: { noticeId: own[0]!.id } })).rejects.toMatchObject({ code: 'forbidden' })
})
