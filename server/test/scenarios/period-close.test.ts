import { afterAll, beforeAll, expect, test } from 'vitest'
import { expireCredits } from '../../src/flows/expire-credits.ts'
import { query, sql } from '../../src/platform/db.ts'
import { payCheckout, stripeOf } from '../support/pay.ts'
import { auditOf, eventsOf, type Subscriber, statusOf, subscribed, untilQuiet } from '../support/story.ts'
import { eventually, startWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({
    catalog: (catalog) => {
      catalog.setIn(['currencies'], ['USD', 'EUR', 'JPY'])
      catalog.setIn(['plans', 'pro', 'prices', 'monthly', 'amounts', 'JPY'], 7_000)
      catalog.setIn(['plans', 'pro', 'usagePrices', 'api_calls', 'tiers', 0, 'unitAmounts', 'JPY'], '0.55')
      catalog.setIn(['plans', 'pro', 'usagePrices', 'api_calls', 'tiers', 1, 'unitAmounts', 'JPY'], '0.3')
      catalog.setIn(['plans', 'pro', 'seats', 'perSeat', 'monthly', 'JPY'], 1_700)
      catalog.setIn(['plans', 'pro', 'usageInterval'], 'month')
      const off = (percentOff: string) => ({
        name: `Off: ${percentOff} %`,
        status: 'active',
        percentOff,
        duration: 'forever',
      })
      catalog.setIn(['coupons', 'half'], off('50'))
      catalog.setIn(['coupons', 'all'], off('100'))
      catalog.setIn(['coupons', 'half_of_pro'], { ...off('50'), plans: ['pro'] })
      catalog.setIn(['plans', 'scale', 'usagePrices', 'token_batches'], {
        model: 'volume',
        meter: 'tokens',
        bucket: { size: 'record' },
        tiers: [
          { upTo: 50, unitAmounts: { USD: '11', EUR: '11', JPY: '11' } },
          { upTo: null, unitAmounts: { USD: '9', EUR: '9', JPY: '9' } },
        ],
      })
    },
  })
})
afterAll(() => world?.stop())

const use = (subscriber: Subscriber, quantity: number, key: string, at?: string) =>
  world.operator.reportUsage({
    body: { tenantId: subscriber.tenantId, meter: 'api_calls', quantity, idempotencyKey: key, ...(at ? { at } : {}) },
  })

type Line = {
  kind: string
  quantity: string
  amount_minor: string
  placed: boolean
  provider_invoice_id: string | null
}
const linesOf = (tenantId: string) =>
  query<Line>(
    world.app.deps.db,
    sql`select kind, quantity, amount_minor, placed_at is not null as placed, provider_invoice_id from charge_lines where tenant_id = ${tenantId} order by line_start, period_id, ordinal`,
  )
const periodsOf = async (tenantId: string) =>
  (await world.operator.listUsagePeriods({ query: { tenantId } })).data.toReversed()
const placed = (tenantId: string, lines: number) =>
  eventually(
    () => linesOf(tenantId),
    (all) => all.length === lines && all.every((line) => line.placed || line.amount_minor === '0'),
  )

/** Over the end of the period, to the time at which it is closed; the invoice of the renewal is a draft. */
const toEnd = async (subscriber: Subscriber): Promise<void> => {
  const { data } = await subscriber.owner.getStatus({ query: {} })
  const left = world.clock.now().until(Temporal.Instant.from(data.period!.end))
  await world.advance(`PT${Math.ceil(left.total('seconds')) + 1}S`)
  await untilQuiet(world)
}
const toClose = async (subscriber: Subscriber): Promise<void> => {
  await toEnd(subscriber)
  await world.advance('PT6M')
}
const stripe = () => stripeOf(world)
const usageLines = async (providerInvoiceId: string): Promise<number[]> =>
  (await stripe().invoices.listLineItems(providerInvoiceId, { limit: 100 })).data
    .filter(({ metadata }) => metadata?.turnpike_line)
    .map(({ amount }) => amount)
const fault = (order: Record<string, unknown>) => world.control('POST', '/sandbox/faults', { kind: 'api', ...order })
const invoiceOf = (providerInvoiceId: string) => stripeOf(world).invoices.retrieve(providerInvoiceId)

test('usage of a period is on the draft invoice of the renewal before it is finalized, once (INV-1)', async () => {
  const ana = await subscribed(world, 'ana')
  await use(ana, 12_000, 'a')
  await toClose(ana)
  const [line] = await placed('ana', 1)
  expect(line).toMatchObject({ kind: 'usage', quantity: '12000', amount_minor: '800' })
  const draft = await invoiceOf(line!.provider_invoice_id!)
  expect({ status: draft.status, reason: draft.billing_reason, total: draft.total }).toEqual({
    status: 'draft',
    reason: 'subscription_cycle',
    total: 4_900 + 800,
  })
  await world.advance('PT2H')
  await untilQuiet(world)
  const paid = await eventually(
    () => invoiceOf(line!.provider_invoice_id!),
    ({ status }) => status === 'paid',
  )
  expect(paid.amount_paid).toBe(5_700)
  expect((await eventsOf(world, 'ana')).filter((type) => type.startsWith('usage_period'))).toEqual([
    'usage_period.rated',
    'usage_period.placed',
  ])
  expect(await auditOf(world, 'ana')).toEqual(
    expect.arrayContaining(['usage_period.rated', 'charge_lines.placed', 'invoice.paid']),
  )
})

test('a price that looks at each record by itself is rated from the records at the close (RAT-1)', async () => {
  const sia = await subscribed(world, 'sia', { plan: 'scale', price: 'monthly' })
  for (const [index, quantity] of [20, 90, 50].entries())
    await world.operator.reportUsage({
      body: { tenantId: 'sia', meter: 'tokens', quantity, idempotencyKey: `tokens_${index}` },
    })
  await toClose(sia)
  const lines = await eventually(
    () => linesOf('sia'),
    (all) => all.some((line) => line.amount_minor !== '0' && line.placed),
  )
  // 20 × 11 + 90 × 9 + 50 × 11; added up, all 160 would cost 9.
  expect(lines.find((line) => line.amount_minor !== '0')).toMatchObject({ quantity: '160', amount_minor: '1580' })
})

test('credit pays for usage at the close, is a line of its own on the invoice, and comes back with a correction (INV-3)', async () => {
  const paula = await subscribed(world, 'paula')
  const grant = await world.operator.createCreditGrant({
    body: { tenantId: 'paula', amount: { amountMinor: '1000', currency: 'USD' }, reason: 'An apology' },
  })
  // Ends after the period and before it is closed: it was there at the period's end.
  const { data } = await paula.owner.getStatus({ query: {} })
  const short = await world.operator.createCreditGrant({
    body: {
      tenantId: 'paula',
      amount: { amountMinor: '100', currency: 'USD' },
      reason: 'A short one',
      expiresAt: Temporal.Instant.from(data.period!.end).add({ minutes: 2 }).toString(),
    },
  })
  await use(paula, 12_000, 'a')
  await toEnd(paula)
  await world.advance('PT3M')
  // It has ended, and the period that may still burn of it is not closed: its end is booked after that.
  await expireCredits(world.app.deps)
  await world.advance('PT3M')
  const lines = await placed('paula', 3)
  expect(lines.map(({ kind, amount_minor }) => [kind, amount_minor])).toEqual([
    ['usage', '800'],
    ['credit', '-100'],
    ['credit', '-700'],
  ])
  const draft = await invoiceOf(lines[0]!.provider_invoice_id!)
  expect(draft.total).toBe(4_900)
  const left = async () =>
    (await paula.owner.listCreditGrants({ query: {} })).data
      .toSorted((a, b) => a.grantedAt.localeCompare(b.grantedAt))
      .map((each) => each.left.amountMinor)
  expect(await left()).toEqual(['300', '0'])
  const { data: entries } = await paula.owner.listLedgerEntries({ query: { grantId: grant.data.id } })
  expect(entries[0]).toMatchObject({ kind: 'burn', amount: { amountMinor: '-700' }, at: data.period!.end })
  expect(await eventsOf(world, 'paula', (types) => types.includes('credit.burnt'))).toContain('credit.burnt')
  // Half of what was used over was none: that much credit was burnt for nothing.
  await world.operator.correctUsage({
    body: {
      tenantId: 'paula',
      corrects: 'a',
      action: 'amend',
      quantity: 11_000,
      reason: 'Counted twice',
      idempotencyKey: 'a-2',
    },
  })
  await toClose(paula)
  const after = await placed('paula', 5)
  expect(after.map(({ kind, amount_minor }) => [kind, amount_minor])).toEqual([
    ['usage', '800'],
    ['late_usage', '-400'],
    ['credit', '-100'],
    ['credit', '-700'],
    ['credit', '400'],
  ])
  expect(await left()).toEqual(['700', '0'])
  expect(short.data.id).not.toBe(grant.data.id)
})

test.each([
  ['half', '-400', 2_450],
  ['all', undefined, 0],
])(
  'a coupon comes before credit, so that an invoice is never below zero: %s off (INV-3)',
  async (coupon, burnt, total) => {
    const customer = await subscribed(world, `coupon-${coupon}`, { plan: 'pro', price: 'monthly', coupon })
    await world.operator.createCreditGrant({
      body: { tenantId: customer.tenantId, amount: { amountMinor: '1000', currency: 'USD' }, reason: 'An apology' },
    })
    await use(customer, 12_000, 'a')
    await toClose(customer)
    const lines = await placed(customer.tenantId, burnt === undefined ? 1 : 2)
    expect(lines.map(({ kind, amount_minor }) => [kind, amount_minor])).toEqual([
      ['usage', '800'],
      ...(burnt === undefined ? [] : [['credit', burnt]]),
    ])
    expect((await invoiceOf(lines[0]!.provider_invoice_id!)).total).toBe(total)
  },
)

test('bought credit whose payment was refunded is not there again when a correction gives it back (INV-4)', async () => {
  const rosa = await subscribed(world, 'rosa')
  const { data: session } = await rosa.owner.createSession({ body: { kind: 'product', product: 'credit_100' } })
  await payCheckout(world, session.sessionUrl)
  const purchase = async () => (await rosa.owner.listPurchases({ query: {} })).data[0]
  await eventually(purchase, (made) => made !== undefined)
  await use(rosa, 12_000, 'a')
  await toClose(rosa)
  await placed('rosa', 2)
  const intents = await stripe().paymentIntents.list({ customer: rosa.providerCustomerId, limit: 100 })
  const payment = intents.data.find(({ amount }) => amount === 10_000)!
  await stripe().refunds.create({ payment_intent: payment.id })
  await untilQuiet(world)
  const usd = (amountMinor: string) => ({ amountMinor, currency: 'USD' })
  expect(await purchase()).toMatchObject({ creditTaken: usd('10200'), creditKept: usd('800') })
  await world.operator.correctUsage({
    body: {
      ...{ tenantId: 'rosa', corrects: 'a', action: 'amend', quantity: 11_000 },
      ...{ reason: 'Counted twice', idempotencyKey: 'a-2' },
    },
  })
  await toClose(rosa)
  await placed('rosa', 4)
  expect(await purchase()).toMatchObject({ creditTaken: usd('10600'), creditKept: usd('400') })
  expect((await rosa.owner.getCredits({ query: {} })).data.balances[0]).toMatchObject({
    ...{ available: usd('0'), burnt: usd('400'), refunded: usd('9636'), expired: usd('964') },
  })
})

test('cost so far, the upcoming invoice and the explanation of the one that came tell the same, down to the records (INV-5, RAT-2)', async () => {
  const zoe = await subscribed(world, 'zoe')
  await use(zoe, 9_000, 'one')
  await use(zoe, 7_000, 'two')
  const { data: cost } = await zoe.owner.getUsageCost({ query: {} })
  // 5,000 at 0.4 cents and 1,000 at 0.25.
  expect(cost.total).toEqual({ amountMinor: '2250', currency: 'USD' })
  expect(cost.charges.map(({ records }) => [records?.meter, records?.name])).toEqual([['api_calls', 'API calls']])
  expect(cost.charges.map(({ quantity, calculation }) => [quantity, calculation.map(({ amount }) => amount)])).toEqual([
    ['16000', ['0', '2000', '250']],
  ])
  const { data: upcoming } = await zoe.owner.getUpcomingInvoice({ query: {} })
  expect(upcoming.invoice?.total.amountMinor).toBe(String(4_900 + 2_250))
  expect(upcoming.invoice?.lines.map(({ origin, amount }) => [origin, amount.amountMinor])).toEqual([
    ['provider', '4900'],
    ['usage_so_far', '2250'],
  ])
  await toClose(zoe)
  const [line] = await placed('zoe', 1)
  const explained = await eventually(
    async () => (await zoe.owner.explainInvoice({ params: { invoiceId: line!.provider_invoice_id! } })).data,
    ({ lines, remarks }) => lines.length === 2 && remarks.length === 0,
  )
  expect(explained.total.amountMinor).toBe('7150')
  expect(explained.unexplained.amountMinor).toBe('0')
  expect(explained.lines.map(({ as, amount }) => [as, amount.amountMinor]).sort()).toEqual([
    ['base_price', '4900'],
    ['usage', '2250'],
  ])
  const { usage } = explained.lines.find(({ as }) => as === 'usage')!
  expect(usage!.calculation).toEqual(cost.charges[0]!.calculation)
  expect(usage!.records!.records).toBe(2)
  const { json } = await world.send('GET', usage!.records!.path)
  expect((json.data as { idempotencyKey: string }[]).map(({ idempotencyKey }) => idempotencyKey).sort()).toEqual([
    'one',
    'two',
  ])
  // Nobody else's.
  const other = await world.tenant('not-zoe')
  await expect(other.explainInvoice({ params: { invoiceId: line!.provider_invoice_id! } })).rejects.toMatchObject({
    code: 'not_found',
  })
  await world.advance('PT2H')
})

test.each<[string, string, string | null, number, number[], number]>([
  ['a coupon of everything', 'next-a', 'half', 0, [4_900, 2_250], 3_575],
  ['a coupon of the plan', 'next-b', 'half_of_pro', 0, [4_900, 2_250], 2_450],
  ['credit', 'next-c', null, 500, [4_900, 2_250, -500], 0],
  ['both', 'next-d', 'half', 3_000, [4_900, 2_250, -1_125], 3_575],
])(
  'the upcoming invoice with %s is the one that comes, and its lines come to its total (INV-5)',
  async (_, ...story) => {
    const [tenantId, coupon, credit, lines, discount] = story
    const subscriber = await subscribed(world, tenantId, {
      plan: 'pro',
      price: 'monthly',
      ...(coupon ? { coupon } : {}),
    })
    if (credit > 0)
      await world.operator.createCreditGrant({
        body: { tenantId, amount: { amountMinor: String(credit), currency: 'USD' }, reason: 'A gift' },
      })
    await use(subscriber, 16_000, `${tenantId}-a`)
    const { invoice } = (await subscriber.owner.getUpcomingInvoice({ query: {} })).data
    expect(invoice!.lines.map(({ amount }) => Number(amount.amountMinor))).toEqual(lines)
    expect(invoice!.discount.amountMinor).toBe(String(discount))
    const total = lines.reduce((sum, amount) => sum + amount, 0) - discount
    expect(invoice!.total.amountMinor).toBe(String(total))
    await toClose(subscriber)
    const [line] = await placed(tenantId, credit > 0 ? 2 : 1)
    expect((await invoiceOf(line!.provider_invoice_id!)).total).toBe(total)
  },
)

test('what is left when a subscription ends is billed by itself: no coupon of the subscription is on it (INV-5)', async () => {
  const eve = await subscribed(world, 'next-e', { plan: 'pro', price: 'monthly', coupon: 'half' })
  await use(eve, 16_000, 'next-e-a')
  await eve.owner.commandSubscription({
    params: { subscriptionId: eve.subscriptionId },
    body: { action: 'cancel', when: 'period_end' },
  })
  const upcoming = async () => (await eve.owner.getUpcomingInvoice({ query: {} })).data.invoice!
  const invoice = await eventually(upcoming, ({ lines }) => lines.length === 1)
  expect([invoice.lines[0]!.origin, invoice.discount.amountMinor, invoice.total.amountMinor]).toEqual([
    'usage_so_far',
    '0',
    '2250',
  ])
  await toClose(eve)
  const [line] = await placed('next-e', 1)
  expect((await invoiceOf(line!.provider_invoice_id!)).total).toBe(2_250)
})

test('what was used within what is included is a line of nothing, and what was not used is none', async () => {
  const ben = await subscribed(world, 'ben')
  const [eve] = [await subscribed(world, 'eve')]
  await use(ben, 400, 'b')
  await toClose(ben)
  await eventually(
    () => periodsOf('eve'),
    ([first]) => first?.state === 'nothing_due',
  )
  expect(await placed('ben', 1)).toMatchObject([{ quantity: '400', amount_minor: '0', placed: false }])
  expect((await periodsOf('ben')).map(({ state }) => state)).toEqual(['nothing_due', 'open'])
  expect(await linesOf('eve')).toEqual([])
  expect((await eventsOf(world, eve!.tenantId)).filter((type) => type.startsWith('usage_period'))).toEqual([])
  await world.advance('PT2H')
})

test('a subscription that ends takes its usage on an invoice of its own, which is collected', async () => {
  const kim = await subscribed(world, 'kim')
  await use(kim, 12_500, 'k')
  await world.advance('P3D')
  await kim.owner.commandSubscription({
    params: { subscriptionId: kim.subscriptionId },
    body: { action: 'cancel', when: 'now' },
  })
  await statusOf(kim.owner, ({ subscription }) => subscription === null)
  await world.advance('PT6M')
  const [line] = await placed('kim', 1)
  expect(line).toMatchObject({ quantity: '12500', amount_minor: '1000' })
  const own = await invoiceOf(line!.provider_invoice_id!)
  expect({ total: own.total, reason: own.billing_reason, advances: own.auto_advance }).toEqual({
    total: 1_000,
    reason: 'manual',
    advances: true,
  })
  await world.advance('PT2H')
  await eventually(
    () => invoiceOf(line!.provider_invoice_id!),
    ({ status }) => status === 'paid',
  )
  expect((await periodsOf('kim')).map(({ state }) => state)).toEqual(['placed'])
})

test('usage of a yearly price is charged by the month, each on an invoice of its own, and the last with the renewal', async () => {
  const una = await subscribed(world, 'una', { plan: 'pro', price: 'yearly' })
  await use(una, 12_000, 'first')
  await world.advance('P1M')
  await world.advance('PT6M')
  const [line] = await placed('una', 1)
  const own = await invoiceOf(line!.provider_invoice_id!)
  expect([own.total, own.billing_reason]).toEqual([800, 'manual'])
  expect((await periodsOf('una')).map(({ state }) => state)).toEqual(['placed', 'open'])
  await toEnd(una)
  await eventually(
    async () => (await periodsOf('una')).map(({ state, period }) => `${state} until ${period.end}`),
    (periods) => periods.length >= 12,
    20_000,
  )
  await use(una, 14_000, 'last', world.clock.now().subtract({ hours: 1 }).toString())
  await world.advance('PT6M')
  const lines = await placed('una', 2)
  expect(lines[1]).toMatchObject({ quantity: '14000', amount_minor: '1600' })
  expect((await invoiceOf(lines[1]!.provider_invoice_id!)).billing_reason).toBe('subscription_cycle')
})

test('a change of plan in mid-period rates each part by its own plan', async () => {
  const max = await subscribed(world, 'max')
  await use(max, 12_000, 'before')
  await world.advance('P10D')
  await max.owner.commandSubscription({
    params: { subscriptionId: max.subscriptionId },
    body: { action: 'change', plan: 'scale', seats: 10 },
  })
  await statusOf(max.owner, ({ plan }) => plan.plan === 'scale')
  await world.advance('PT1M')
  await use(max, 150_000, 'after')
  await toClose(max)
  // 2,000 above the 10,000 of Pro at 0.4 cents; 50,000 above the 100,000 of Scale at 0.2.
  expect((await placed('max', 2)).map(({ quantity, amount_minor }) => [quantity, amount_minor])).toEqual([
    ['12000', '800'],
    ['150000', '10000'],
  ])
  await world.advance('PT2H')
})

test('what comes late and what is taken back is made up for with the next invoice, to the cent (USE-5)', async () => {
  const lea = await subscribed(world, 'lea')
  await use(lea, 12_000, 'l')
  const inside = world.clock.now().add({ hours: 1 }).toString()
  await toClose(lea)
  const [first] = await placed('lea', 1)
  await world.advance('PT2H')
  // 3,500 more make 15,500: the last 500 of them are in the next tier.
  await use(lea, 3_500, 'late', inside)
  await world.operator.correctUsage({
    body: {
      tenantId: 'lea',
      corrects: 'l',
      action: 'amend',
      quantity: 11_900,
      reason: 'counted twice',
      idempotencyKey: 'c',
    },
  })
  await use(lea, 10_001, 'next')
  await toClose(lea)
  const lines = await placed('lea', 3)
  expect(lines.map(({ kind, quantity, amount_minor }) => [kind, quantity, amount_minor])).toEqual([
    ['usage', '12000', '800'],
    ['late_usage', '3400', '1300'],
    ['usage', '10001', '0'],
  ])
  expect(lines[1]!.provider_invoice_id).not.toBe(first!.provider_invoice_id)
  expect(await usageLines(lines[1]!.provider_invoice_id!)).toEqual([1_300])
  expect(await auditOf(world, 'lea')).toContain('usage_period.adjusted')
  // Taken back as a whole, in the month after.
  await world.advance('PT2H')
  await world.operator.correctUsage({
    body: { tenantId: 'lea', corrects: 'late', action: 'void', reason: 'not theirs', idempotencyKey: 'v' },
  })
  await toClose(lea)
  const after = await placed('lea', 4)
  expect(after.filter(({ kind }) => kind === 'late_usage').map(({ amount_minor }) => amount_minor)).toEqual([
    '1300',
    '-1340',
  ])
  const [credit] = await usageLines(after.find(({ amount_minor }) => amount_minor === '-1340')!.provider_invoice_id!)
  expect(credit).toBe(-1_340)
  await world.advance('PT2H')
})

test('while the provider is silent lines wait, and no line is doubled where an answer was lost', async () => {
  const ida = await subscribed(world, 'ida')
  await use(ida, 12_000, 'i')
  await toEnd(ida)
  await fault({ method: 'GET', path: '/v1/invoices', action: 'outage' })
  await world.advance('PT6M')
  await eventually(
    async () => (await world.operator.listUsagePeriods({ query: { tenantId: 'ida', state: 'rated' } })).data,
    ([period]) => period?.failure === 'provider_unavailable',
  )
  expect((await world.operator.getCloseProgress({})).data).toMatchObject({ placing: 1, failing: 1 })
  await world.control('DELETE', '/sandbox/faults')
  // The line is made, and nobody hears of it: neither at first nor when the library asks again.
  await fault({ method: 'POST', path: '/v1/invoiceitems', action: 'reset', after: true, count: 2 })
  // Tried again after a while, twice: both within the hour of the draft.
  await world.advance('PT11M')
  await eventually(
    () => world.control<{ faults: unknown[] }>('GET', '/sandbox/faults'),
    ({ faults }) => faults.length === 0,
  )
  await world.advance('PT11M')
  const [line] = await placed('ida', 1)
  expect(await usageLines(line!.provider_invoice_id!)).toEqual([800])
  expect((await invoiceOf(line!.provider_invoice_id!)).status).toBe('draft')
  await world.advance('PT2H')
})

test('when the draft is finalized already the lines go on an invoice of their own: nothing is lost', async () => {
  const tom = await subscribed(world, 'tom')
  await use(tom, 12_000, 't')
  await fault({ method: 'GET', path: '/v1/invoices', action: 'outage' })
  await toClose(tom)
  await eventually(
    async () => (await world.operator.listUsagePeriods({ query: { tenantId: 'tom', state: 'rated' } })).data,
    ([period]) => (period?.failure ?? null) !== null,
  )
  await world.advance('PT2H')
  await untilQuiet(world)
  await world.control('DELETE', '/sandbox/faults')
  const [line] = await eventually(
    async () => {
      await world.advance('PT5M')
      return linesOf('tom')
    },
    (lines) => lines.length === 1 && lines[0]!.placed,
    20_000,
  )
  const own = await invoiceOf(line!.provider_invoice_id!)
  expect({ total: own.total, reason: own.billing_reason }).toEqual({ total: 800, reason: 'manual' })
  const all = await stripe().invoices.list({ customer: tom.providerCustomerId, limit: 100 })
  expect(all.data.map(({ billing_reason: reason, total }) => [reason, total])).toEqual([
    ['manual', 800],
    ['subscription_cycle', 4_900],
    ['subscription_create', 4_900],
  ])
})

test('a currency without decimals is rounded to its own unit', async () => {
  const yui = await subscribed(world, 'yui', { plan: 'pro', price: 'monthly', currency: 'JPY' })
  await use(yui, 10_003, 'y')
  await toClose(yui)
  // 3 × 0.55 = 1.65, half up.
  expect(await placed('yui', 1)).toMatchObject([{ quantity: '10003', amount_minor: '2' }])
})
