import { afterAll, beforeAll, expect, test } from 'vitest'
import { lapseCreditRequests } from '../../src/flows/decide-credit.ts'
import { expireCredits, tellExpiringCredits } from '../../src/flows/expire-credits.ts'
import { lockCustomer } from '../../src/modules/customers/index.ts'
import { burnPosting, post, unbalancedTenants } from '../../src/modules/ledger/index.ts'
import { query, sql, transact } from '../../src/platform/db.ts'
import { forgetOldRequests } from '../../src/platform/idempotency.ts'
import { payCheckout, stripeOf } from '../support/pay.ts'
import { auditOf, eventsOf, noticesOf, untilQuiet } from '../support/story.ts'
import { eventually, startWorld, type World } from '../support/world.ts'

/** Prepaid credit: granted, bought, taken back, ended (INV-3, INV-4). */
let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

const usd = (amountMinor: string) => ({ amountMinor, currency: 'USD' })
const inDays = (days: number) =>
  world.clock
    .now()
    .add({ hours: 24 * days })
    .toString()
const balanceOf = async (tenantId: string) =>
  (await world.operator.getCredits({ query: { tenantId } })).data.balances.find(({ currency }) => currency === 'USD')
/** How often something was told of a customer, once it was told at all. */
const told = async (tenantId: string, type: string): Promise<number> =>
  (await eventsOf(world, tenantId, (types) => types.includes(type))).filter((each) => each === type).length
const grant = (tenantId: string, amountMinor: string, more: object = {}) => ({
  body: { tenantId, amount: usd(amountMinor), reason: 'An apology', ...more },
})

test('credit is granted with a reason, seen by its customer, and on record', async () => {
  const ana = await world.tenant('ana')
  const { data: given } = await world.operator.createCreditGrant(grant('ana', '1500', { expiresAt: inDays(30) }))
  expect(given).toMatchObject({
    state: 'active',
    category: 'promotional',
    left: usd('1500'),
    paid: usd('0'),
    refundable: usd('0'),
    priority: 50,
    charges: null,
  })
  await world.operator.createCreditGrant(grant('ana', '1000', { category: 'paid', paid: usd('900') }))
  expect((await ana.getCredits({ query: {} })).data.balances).toEqual([
    {
      currency: 'USD',
      available: usd('2500'),
      paid: usd('1000'),
      promotional: usd('1500'),
      nextExpiry: { at: given.expiresAt, amount: usd('1500') },
      burnt: usd('0'),
      expired: usd('0'),
      refunded: usd('0'),
    },
  ])
  const { data: entries } = await ana.listLedgerEntries({ query: {} })
  expect(entries.map(({ account, amount }) => [account, amount.amountMinor])).toEqual([
    ['funding_paid', '-1000'],
    ['credit', '1000'],
    ['funding_promotional', '-1500'],
    ['credit', '1500'],
  ])
  // A page at a time, and of one grant alone.
  const page = await ana.listLedgerEntries({ query: { limit: 3 } })
  const rest = await ana.listLedgerEntries({ query: { limit: 3, cursor: page.meta.cursor! } })
  expect([...page.data, ...rest.data]).toEqual(entries)
  expect((await ana.listLedgerEntries({ query: { grantId: given.id } })).data).toHaveLength(1)
  expect((await ana.listCreditGrants({ query: {} })).data.map(({ amount }) => amount.amountMinor)).toEqual([
    '1000',
    '1500',
  ])
  expect((await auditOf(world, 'ana')).filter((action) => action === 'credit.grant')).toHaveLength(2)
  expect(await noticesOf(world, 'ana', (kinds) => kinds.length === 2)).toEqual(['credit_granted', 'credit_granted'])
  await expect(ana.createCreditGrant(grant('ana', '1'))).rejects.toMatchObject({ code: 'forbidden' })
})

test('a repeat of a request gives no second credit, also when its first answer was forgotten', async () => {
  await world.tenant('repeat')
  const send = () =>
    world.send('POST', '/api/v1/credit-grants', {
      body: JSON.stringify(grant('repeat', '500').body),
      headers: { 'idempotency-key': 'credit-of-repeat' },
    })
  const first = await send()
  expect((await send()).json).toEqual(first.json)
  await forgetOldRequests(world.app.deps.db, world.clock.now().add({ hours: 1 }))
  expect((await send()).status).toBe(201)
  expect((await balanceOf('repeat'))!.available).toEqual(usd('500'))
  expect(await told('repeat', 'credit.granted')).toBe(1)
})

test.each([
  ['nothing', { amount: usd('0') }, 'amount.amountMinor'],
  ['less than nothing', { amount: usd('-5') }, 'amount.amountMinor'],
  ['more than policy lets one grant be', { amount: usd('500001') }, 'amount'],
  ['a currency that is not sold in', { amount: { amountMinor: '5', currency: 'JPY' } }, 'amount.currency'],
  ['a cost of what is given', { paid: usd('5') }, 'paid'],
  ['an end in the past', { expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt'],
])('credit of %s is refused', async (_, more, field) => {
  await world.tenant(`wrong${field}`).catch(() => {})
  await expect(world.operator.createCreditGrant(grant(`wrong${field}`, '5', more))).rejects.toMatchObject({
    code: 'credit_invalid',
    errors: [expect.objectContaining({ field })],
  })
})

test('above the threshold somebody else approves; who asked cannot, and nothing is usable before', async () => {
  await world.tenant('bob')
  const support = await world.as('support')
  const { data: asked } = await support.createCreditGrant(grant('bob', '20001'))
  expect(asked).toMatchObject({ state: 'waiting_for_approval', left: usd('0') })
  expect(await balanceOf('bob')).toBeUndefined()
  const finance = await world.as('finance')
  const decide = { params: { grantId: asked.id }, body: { reason: 'Agreed' } }
  await expect(support.approveCreditGrant(decide)).rejects.toMatchObject({ code: 'forbidden' })
  expect((await finance.listWaitingCreditGrants({})).data.map(({ id }) => id)).toEqual([asked.id])
  expect((await finance.approveCreditGrant(decide)).data).toMatchObject({ state: 'active', left: usd('20001') })
  expect((await finance.approveCreditGrant(decide)).data).toMatchObject({ state: 'active' })
  expect((await balanceOf('bob'))!.available).toEqual(usd('20001'))
  expect(
    (await eventsOf(world, 'bob', (types) => types.includes('credit.granted'))).filter((type) =>
      type.startsWith('credit.'),
    ),
  ).toEqual(['credit.requested', 'credit.decided', 'credit.granted'])
  // Who asks cannot approve, whatever they hold; the attempt is on record.
  const { data: own } = await finance.createCreditGrant(grant('bob', '30000'))
  await expect(finance.approveCreditGrant({ params: { grantId: own.id }, body: {} })).rejects.toMatchObject({
    code: 'second_person_required',
  })
  const { data: denied } = await world.operator.listAudit({ query: { tenantId: 'bob', result: 'denied' } })
  expect(denied).toContainEqual(expect.objectContaining({ action: 'credit.approve', reason: 'asked for it' }))
  const { data: rejected } = await world.operator.rejectCreditGrant({ params: { grantId: own.id }, body: {} })
  expect(rejected.state).toBe('rejected')
  await expect(world.operator.approveCreditGrant({ params: { grantId: own.id }, body: {} })).rejects.toMatchObject({
    code: 'credit_not_waiting',
  })
  // At the threshold one person is enough.
  expect((await support.createCreditGrant(grant('bob', '20000'))).data.state).toBe('active')
  const { data: forgotten } = await support.createCreditGrant(grant('bob', '25000'))
  await world.advance('P7D')
  await lapseCreditRequests(world.app.deps)
  const { data: all } = await finance.listCreditGrants({ query: { tenantId: 'bob' } })
  expect(all.find(({ id }) => id === forgotten.id)!.state).toBe('lapsed')
})

test('what is left is taken back once; of paid credit the share that was paid can go back', async () => {
  await world.tenant('carl')
  const { data: paid } = await world.operator.createCreditGrant(
    grant('carl', '1100', { category: 'paid', paid: usd('1000') }),
  )
  expect(paid.refundable).toEqual(usd('1000'))
  const take = { params: { grantId: paid.id }, body: { reason: 'They leave', as: 'refund' as const } }
  expect((await world.operator.voidCreditGrant(take)).data).toMatchObject({ state: 'voided', left: usd('0') })
  await world.operator.voidCreditGrant(take)
  expect(await balanceOf('carl')).toMatchObject({ available: usd('0'), refunded: usd('1000'), expired: usd('100') })
  const { data: events } = await eventually(
    () => world.operator.listEvents({ query: { tenantId: 'carl' } }),
    ({ data }) => data.some(({ type }) => type === 'credit.voided'),
  )
  expect(events.filter(({ type }) => type === 'credit.voided')).toMatchObject([
    { data: { amount: usd('1100'), toRefund: usd('1000'), reason: 'They leave' } },
  ])
  const { data: gift } = await world.operator.createCreditGrant(grant('carl', '300'))
  await world.operator.voidCreditGrant({ params: { grantId: gift.id }, body: { reason: 'A mistake' } })
  expect(await balanceOf('carl')).toMatchObject({ available: usd('0'), refunded: usd('1000'), expired: usd('100') })
  // A request is taken back by whoever asked for it.
  const { data: asked } = await world.operator.createCreditGrant(grant('carl', '30000'))
  const { data: taken } = await world.operator.voidCreditGrant({
    params: { grantId: asked.id },
    body: { reason: 'Not needed' },
  })
  expect(taken.state).toBe('voided')
  const finance = await world.as('finance')
  await expect(finance.approveCreditGrant({ params: { grantId: asked.id }, body: {} })).rejects.toMatchObject({
    code: 'credit_not_waiting',
  })
})

test('credit ends at its instant, was announced before, and its end is booked at that instant', async () => {
  const dora = await world.tenant('dora')
  const { data: short } = await world.operator.createCreditGrant(grant('dora', '700', { expiresAt: inDays(9) }))
  await world.operator.createCreditGrant(grant('dora', '300'))
  await tellExpiringCredits(world.app.deps)
  expect(await eventsOf(world, 'dora')).not.toContain('credit.expiring')
  await world.advance('P3D')
  await tellExpiringCredits(world.app.deps)
  await tellExpiringCredits(world.app.deps)
  expect(await told('dora', 'credit.expiring')).toBe(1)
  expect(await noticesOf(world, 'dora', (kinds) => kinds.includes('credit_expiring'))).toContain('credit_expiring')
  await world.advance('P6D')
  // Not there any more, although nobody has booked its end yet.
  expect((await balanceOf('dora'))!.available).toEqual(usd('300'))
  await expect(
    world.operator.voidCreditGrant({ params: { grantId: short.id }, body: { reason: 'Too late' } }),
  ).rejects.toMatchObject({ code: 'credit_used_up' })
  await world.advance('PT5H')
  await expireCredits(world.app.deps)
  await expireCredits(world.app.deps)
  expect(await balanceOf('dora')).toMatchObject({ available: usd('300'), expired: usd('700') })
  const { data: entries } = await dora.listLedgerEntries({ query: {} })
  expect(entries.filter(({ kind }) => kind === 'expire').map(({ at }) => at)).toEqual([
    short.expiresAt,
    short.expiresAt,
  ])
  expect(await told('dora', 'credit.expired')).toBe(1)
})

test('a product gives its credit once, when the payment is confirmed and not when the customer comes back', async () => {
  const emil = await world.tenant('emil')
  const { data: session } = await emil.createSession({ body: { kind: 'product', product: 'credit_100' } })
  expect(session.kind).toBe('purchase')
  await emil.reportReturn({ params: { checkoutId: session.checkoutId! }, body: { outcome: 'returned' } })
  expect(await balanceOf('emil')).toBeUndefined()
  expect((await emil.listPurchases({ query: {} })).data).toEqual([])
  await payCheckout(world, session.sessionUrl)
  const { data: purchases } = await eventually(
    () => emil.listPurchases({ query: {} }),
    ({ data }) => data.length > 0,
  )
  await untilQuiet(world)
  const { data: grants } = await emil.listCreditGrants({ query: {} })
  expect(grants).toMatchObject([
    {
      state: 'active',
      category: 'paid',
      amount: usd('11000'),
      paid: usd('10000'),
      refundable: usd('10000'),
      checkoutId: session.checkoutId,
    },
  ])
  expect(purchases).toMatchObject([
    { product: 'credit_100', amount: usd('10000'), checkoutId: session.checkoutId, creditGrantId: grants[0]!.id },
  ])
  expect(Temporal.Instant.from(grants[0]!.grantedAt).until(grants[0]!.expiresAt!).total('hours')).toBe(365 * 24)
  // The same fact again, however it comes.
  await emil.reportReturn({ params: { checkoutId: session.checkoutId! }, body: { outcome: 'returned' } })
  await world.operator.sync({ body: { tenantId: 'emil' } })
  expect((await emil.listCreditGrants({ query: {} })).data).toHaveLength(1)
  const types = await eventsOf(world, 'emil', (seen) => seen.includes('checkout.completed'))
  expect(types.filter((type) => /^(purchase|credit|checkout)\./.test(type))).toEqual([
    'checkout.opened',
    'purchase.completed',
    'credit.granted',
    'checkout.completed',
  ])
  expect((await noticesOf(world, 'emil', (kinds) => kinds.includes('purchase_completed'))).sort()).not.toContain(
    'credit_granted',
  )
  // Bought again, it is another one.
  const { data: second } = await emil.createSession({ body: { kind: 'product', product: 'credit_100' } })
  await payCheckout(world, second.sessionUrl)
  await eventually(
    () => balanceOf('emil'),
    (balance) => balance?.available.amountMinor === '22000',
  )
  // A product without credit gives none.
  const { data: third } = await emil.createSession({ body: { kind: 'product', product: 'onboarding' } })
  await payCheckout(world, third.sessionUrl)
  const { data: all } = await eventually(
    () => emil.listPurchases({ query: {} }),
    ({ data }) => data.length === 3,
  )
  expect(all[0]).toMatchObject({ product: 'onboarding', creditGrantId: null })
  const page = await emil.listPurchases({ query: { limit: 2 } })
  const rest = await emil.listPurchases({ query: { limit: 2, cursor: page.meta.cursor! } })
  expect([...page.data, ...rest.data]).toEqual(all)
})

test('a card that is refused buys nothing', async () => {
  const finn = await world.tenant('finn')
  const { data: session } = await finn.createSession({ body: { kind: 'product', product: 'credit_100' } })
  await payCheckout(world, session.sessionUrl, 'pm_card_chargeDeclined').catch(() => {})
  await untilQuiet(world)
  expect((await finn.listPurchases({ query: {} })).data).toEqual([])
  expect(await balanceOf('finn')).toBeUndefined()
})

/** A hundred paid for 110 of credit, with a card of one's choice. */
const bought = async (tenantId: string, card?: string) => {
  const owner = await world.tenant(tenantId)
  const { data: session } = await owner.createSession({ body: { kind: 'product', product: 'credit_100' } })
  await payCheckout(world, session.sessionUrl, card)
  await eventually(
    () => owner.listPurchases({ query: {} }),
    ({ data }) => data.length > 0,
  )
  await untilQuiet(world)
  const rows = await query<{ provider_payment_id: string; credit_grant_id: string }>(
    world.app.deps.db,
    sql`select provider_payment_id, credit_grant_id from purchases where tenant_id = ${tenantId}`,
  )
  const { provider_payment_id: payment, credit_grant_id: grantId } = rows[0]!
  return { owner, tenantId, payment, grantId }
}
type Bought = Awaited<ReturnType<typeof bought>>
/** Somebody gives money back in the provider's own pages. */
const refund = async ({ payment }: Bought, amount: number) => {
  await stripeOf(world).refunds.create({ payment_intent: payment, amount })
  await untilQuiet(world)
}
/** What a close does with the credit of a period. */
const burn = ({ tenantId, grantId }: Bought, amountMinor: bigint) =>
  transact(world.app.deps.db, async (tx) => {
    await lockCustomer(tx, tenantId)
    const period = {
      tenantId,
      periodId: `usage_period_of_${tenantId}`,
      round: 0,
      currency: 'USD',
      at: world.clock.now(),
    }
    const wanted = new Map([[grantId, amountMinor]])
    const posting = burnPosting({ ...period, before: new Map(), wanted }, 'test')
    await post(tx, [posting!], world.clock.now())
  })
const purchaseOf = async ({ owner }: Bought) => (await owner.listPurchases({ query: {} })).data[0]!
const takings = async (of: Bought) =>
  (await auditOf(world, of.tenantId)).filter((action) => action === 'credit.take_back').length

test('the refund of a purchase takes the same share of its credit, once, whatever comes again', async () => {
  const gina = await bought('gina')
  await refund(gina, 4_000)
  expect(await balanceOf('gina')).toMatchObject({ available: usd('6600'), refunded: usd('4000'), expired: usd('400') })
  expect(await purchaseOf(gina)).toMatchObject({
    ...{ refunded: usd('4000'), creditTaken: usd('4400'), creditKept: usd('0') },
  })
  // The provider tells of one refund by several webhooks; each of them again, and a look by a person.
  await world.operator.replayWebhooks({ body: { tenantId: 'gina', states: ['applied'] } })
  await untilQuiet(world)
  await world.operator.sync({ body: { tenantId: 'gina' } })
  expect((await balanceOf('gina'))!.available).toEqual(usd('6600'))
  await refund(gina, 6_000)
  expect(await balanceOf('gina')).toMatchObject({ available: usd('0'), refunded: usd('10000'), expired: usd('1000') })
  expect(await takings(gina)).toBe(2)
  expect(await told('gina', 'credit.refunded')).toBe(2)
  const { data: entries } = await gina.owner.listLedgerEntries({ query: { grantId: gina.grantId } })
  expect(entries.map(({ kind, amount }) => [kind, amount.amountMinor])).toEqual([
    ['refund', '-6600'],
    ['refund', '-4400'],
    ['grant', '11000'],
  ])
})

test('credit that is burnt by then stays burnt, and is shown', async () => {
  const hugo = await bought('hugo')
  await burn(hugo, 8_000n)
  await refund(hugo, 10_000)
  expect(await balanceOf('hugo')).toMatchObject({ available: usd('0'), burnt: usd('8000'), refunded: usd('2727') })
  expect(await purchaseOf(hugo)).toMatchObject({
    ...{ refunded: usd('10000'), creditTaken: usd('3000'), creditKept: usd('8000') },
  })
})

test('a refund that the bank sends back brings the credit back', async () => {
  const ines = await bought('ines', 'pm_card_refundFail')
  await refund(ines, 10_000)
  const types = await eventsOf(world, 'ines', (seen) => seen.includes('refund.failed'))
  // Taken and brought back; or neither, where the first look already found that it had failed.
  expect([0, 2]).toContain(types.filter((type) => type === 'credit.refunded').length)
  expect(await balanceOf('ines')).toMatchObject({ available: usd('11000'), refunded: usd('0'), expired: usd('0') })
  expect(await purchaseOf(ines)).toMatchObject({ refunded: usd('0'), creditTaken: usd('0') })
})

test('credit that somebody took back to pay it back is not taken twice by its refund', async () => {
  const jan = await bought('jan')
  await burn(jan, 5_500n)
  const { data: taken } = await world.operator.voidCreditGrant({
    params: { grantId: jan.grantId },
    body: { reason: 'They leave', as: 'refund' },
  })
  expect(taken.state).toBe('voided')
  await refund(jan, 5_000)
  expect(await balanceOf('jan')).toMatchObject({ available: usd('0'), refunded: usd('5000'), expired: usd('500') })
  expect(await takings(jan)).toBe(0)
})

test('after all of it every ledger adds up', async () => {
  expect(await unbalancedTenants(world.app.deps.db)).toEqual([])
})
