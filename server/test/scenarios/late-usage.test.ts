import { afterAll, beforeAll, expect, test } from 'vitest'
import { closePeriods } from '../../src/flows/close-periods.ts'
import { sweepMoneyBack } from '../../src/flows/sweep-money-back.ts'
import { stripeOf } from '../support/pay.ts'
import { auditOf, eventsOf, type Subscriber, statusOf, subscribed, untilQuiet, useCard } from '../support/story.ts'
import { eventually, startWorld, type World } from '../support/world.ts'

/** Corrections after the invoice where policy gives back by credit note (USE-5, INV-4). */
let world: World
beforeAll(async () => {
  world = await startWorld({
    catalog: (catalog) => {
      catalog.setIn(['policies', 'billing', 'lateUsage'], 'credit_note')
    },
  })
})
afterAll(() => world?.stop())

const use = (subscriber: Subscriber, quantity: number, key: string, at?: string) =>
  world.operator.reportUsage({
    body: { tenantId: subscriber.tenantId, meter: 'api_calls', quantity, idempotencyKey: key, ...(at ? { at } : {}) },
  })
const amend = (subscriber: Subscriber, corrects: string, quantity: number) =>
  world.operator.correctUsage({
    body: {
      ...{ tenantId: subscriber.tenantId, corrects, action: 'amend', quantity },
      ...{ reason: 'counted twice', idempotencyKey: `${corrects}-${quantity}` },
    },
  })
const periodsOf = async (tenantId: string) =>
  (await world.operator.listUsagePeriods({ query: { tenantId } })).data.toReversed()
type Period = Awaited<ReturnType<typeof periodsOf>>[number]
const firstPeriod = (tenantId: string, holds: (period: Period) => boolean) =>
  eventually(
    async () => (await periodsOf(tenantId))[0]!,
    (period) => period !== undefined && holds(period),
  )
const short = ({ lines }: Period) => lines.map(({ kind, amount, state }) => `${kind} ${amount.amountMinor} ${state}`)
const notesOf = async (invoiceId: string) => (await world.operator.listCreditNotes({ query: { invoiceId } })).data
const notesThere = async (invoice: string) =>
  (await stripeOf(world).creditNotes.list({ invoice, limit: 100 })).data.map(({ amount, metadata }) => ({
    amount,
    id: metadata?.turnpike_credit_note,
  }))

const toClose = async (subscriber: Subscriber): Promise<void> => {
  const { data } = await subscriber.owner.getStatus({ query: {} })
  const left = world.clock.now().until(Temporal.Instant.from(data.period!.end))
  await world.advance(`PT${Math.ceil(left.total('seconds')) + 1}S`)
  await untilQuiet(world)
  await world.advance('PT6M')
}
/** 12,000 calls at 8.00 on the invoice of the renewal, which is paid with 57.00. */
const billed = async (tenantId: string): Promise<Subscriber & { invoiceId: string; inside: string }> => {
  const subscriber = await subscribed(world, tenantId)
  await use(subscriber, 12_000, 'a')
  await toClose(subscriber)
  const period = await firstPeriod(tenantId, ({ state }) => state === 'placed')
  const invoiceId = period.lines[0]!.invoiceId!
  const inside = Temporal.Instant.from(period.period.end).subtract({ hours: 1 }).toString()
  await world.advance('PT2H')
  await untilQuiet(world)
  await eventually(
    async () => (await subscriber.owner.getInvoice({ params: { invoiceId } })).data.status,
    (status) => status === 'paid',
  )
  return { ...subscriber, invoiceId, inside }
}
const swept = async (): Promise<void> => {
  await world.advance('PT1M')
  await sweepMoneyBack(world.app.deps)
  await untilQuiet(world)
}

test('what a correction gives back is a credit note of the invoice, made once, and lowers the next one', async () => {
  const ana = await billed('ana')
  await amend(ana, 'a', 11_000)
  await toClose(ana)
  const asked = await firstPeriod('ana', ({ lines }) => lines.length === 2)
  expect(asked.lines[1]).toMatchObject({ kind: 'late_usage', amount: { amountMinor: '-400' }, invoiceId: null })
  await swept()
  const settled = await firstPeriod('ana', ({ lines }) => lines[1]!.state === 'placed')
  expect(settled.state).toBe('placed')
  const [note] = await notesOf(ana.invoiceId)
  expect(note).toMatchObject({
    ...{ state: 'issued', amount: { amountMinor: '400' }, to: 'balance', requestedBy: 'period close' },
    ...{ id: settled.lines[1]!.creditNoteId, reasonText: 'Usage was corrected after it was billed' },
  })
  expect(await notesThere(ana.invoiceId)).toEqual([{ amount: 400, id: note!.id }])
  // It is not on its way to an invoice besides: of lines that nobody places nothing is told.
  expect((await auditOf(world, 'ana')).filter((action) => action === 'charge_lines.placed')).toHaveLength(1)

  // The invoice says what was given back of it, down to the calculation; its total is as it was.
  const { data: explained } = await ana.owner.explainInvoice({ params: { invoiceId: ana.invoiceId } })
  expect([explained.total.amountMinor, explained.unexplained.amountMinor, explained.remarks]).toEqual(['5700', '0', []])
  expect(explained.creditNotes).toMatchObject([
    { creditNoteId: note!.id, state: 'issued', lines: [{ amount: { amountMinor: '-400' }, quantity: '-1000' }] },
  ])
  expect(await auditOf(world, 'ana')).toEqual(
    expect.arrayContaining([
      'usage_period.adjusted',
      'credit_note.create',
      'credit_note.issued',
      'charge_lines.credited',
    ]),
  )
  expect(await eventsOf(world, 'ana', (types) => types.includes('credit_note.issued'))).toContain('credit_note.issued')

  // The same close again, and the next one, make none twice. What came late and costs more goes with an invoice.
  await closePeriods(world.app.deps)
  await use(ana, 2_000, 'late', ana.inside)
  await world.advance('PT2H')
  await untilQuiet(world)
  await toClose(ana)
  const more = await firstPeriod('ana', ({ lines }) => lines.length === 3 && lines[2]!.state === 'placed')
  await swept()
  expect(short(more)).toEqual(['usage 800 placed', 'late_usage -400 placed', 'late_usage 800 placed'])
  expect(more.lines[2]!.creditNoteId).toBeNull()
  expect(await notesThere(ana.invoiceId)).toHaveLength(1)
  const next = await stripeOf(world).invoices.retrieve(more.lines[2]!.invoiceId!)
  expect([next.id === ana.invoiceId, next.total]).toEqual([false, 4_900 + 800])
  await world.advance('PT2H')
  await untilQuiet(world)
  // What went to the balance has paid for a part of what came after it, and for nothing else.
  const all = (await stripeOf(world).invoices.list({ customer: ana.providerCustomerId, limit: 100 })).data
  expect(all.map(({ total, amount_due: due }) => total - due).filter((paid) => paid !== 0)).toEqual([400])
})

test('what the invoice does not hold any more waits for the next one', async () => {
  const ben = await billed('ben')
  const wish = { reason: 'requested_by_customer' as const, reasonText: 'They asked us to', idempotencyKey: 'most' }
  await world.operator.createRefund({
    params: { invoiceId: ben.invoiceId },
    body: { ...wish, amountMinor: '5450' },
  })
  await amend(ben, 'a', 11_000)
  await toClose(ben)
  await firstPeriod('ben', ({ lines }) => lines.length === 3)
  await swept()
  const period = await firstPeriod('ben', ({ lines }) => lines.length === 3 && lines.every((l) => l.state === 'placed'))
  expect(short(period)).toEqual(['usage 800 placed', 'late_usage -250 placed', 'late_usage -150 placed'])
  const [, on, rest] = period.lines
  expect([on!.invoiceId, rest!.creditNoteId]).toEqual([null, null])
  expect(await notesThere(ben.invoiceId)).toEqual([{ amount: 250, id: on!.creditNoteId }])
  expect(rest!.invoiceId).not.toBe(ben.invoiceId)
  const { data: terms } = await world.operator.getRefundTerms({ params: { invoiceId: ben.invoiceId } })
  expect(terms).toMatchObject({ givenBack: { amountMinor: '5700' }, creditPaid: { blocked: 'nothing_left' } })
  await world.advance('PT2H')
})

test('only what an invoice holds of the period is given back of it: what was billed with the next one waits', async () => {
  const eli = await billed('eli')
  await use(eli, 2_000, 'late', eli.inside)
  await toClose(eli)
  await firstPeriod('eli', ({ lines }) => lines.length === 2 && lines[1]!.state === 'placed')
  await world.advance('PT2H')
  await untilQuiet(world)
  for (const corrects of ['a', 'late'])
    await world.operator.correctUsage({
      body: { tenantId: 'eli', corrects, action: 'void', reason: 'not theirs', idempotencyKey: `${corrects}-void` },
    })
  await toClose(eli)
  await firstPeriod('eli', ({ lines }) => lines.length === 4)
  await swept()
  const period = await firstPeriod('eli', () => true)
  expect(period.lines.map(({ amount, creditNoteId }) => [amount.amountMinor, creditNoteId !== null])).toEqual([
    ['800', false],
    ['800', false],
    ['-800', true],
    ['-800', false],
  ])
  expect((await notesThere(eli.invoiceId)).map(({ amount }) => amount)).toEqual([800])
  await world.advance('PT2H')
})

test('a credit note that the provider refuses leaves its lines to the next invoice', async () => {
  const cid = await billed('cid')
  await amend(cid, 'a', 11_000)
  await toClose(cid)
  const asked = await firstPeriod('cid', ({ lines }) => lines.length === 2)
  // Somebody was faster, at the provider.
  await stripeOf(world).creditNotes.create({ invoice: cid.invoiceId, amount: 5_500, out_of_band_amount: 5_500 })
  await swept()
  const note = (await notesOf(cid.invoiceId)).find(({ id }) => id === asked.lines[1]!.creditNoteId)
  expect(note?.state).toBe('failed')
  const left = await firstPeriod('cid', () => true)
  expect([left.state, ...short(left)]).toEqual(['rated', 'usage 800 placed', 'late_usage -400 waits_for_next'])
  await world.advance('PT2H')
  await toClose(cid)
  const period = await firstPeriod('cid', ({ lines }) => lines[1]!.state === 'placed')
  expect([period.state, period.lines[1]!.creditNoteId]).toEqual(['settled', null])
  expect(period.lines[1]!.invoiceId).not.toBeNull()
  expect((await notesThere(cid.invoiceId)).map(({ amount }) => amount)).toEqual([5_500])
})

test('off an invoice that is owed less is owed; voided, it is owed again and its lines wait', async () => {
  const dan = await subscribed(world, 'dan')
  await use(dan, 12_000, 'a')
  await useCard(world, dan, 'pm_card_chargeCustomerFail')
  await toClose(dan)
  const { invoiceId } = (await firstPeriod('dan', ({ state }) => state === 'placed')).lines[0]!
  const remaining = async () => {
    const { data } = await dan.owner.getInvoice({ params: { invoiceId: invoiceId! } })
    return [data.status, data.amountRemaining.amountMinor]
  }
  await world.advance('PT2H')
  await untilQuiet(world)
  await eventually(remaining, ([status]) => status === 'open')
  await amend(dan, 'a', 11_000)
  // The end closes the period that runs, and looks at the one before again.
  await dan.owner.commandSubscription({
    params: { subscriptionId: dan.subscriptionId },
    body: { action: 'cancel', when: 'now' },
  })
  await statusOf(dan.owner, ({ subscription }) => subscription === null)
  await world.advance('PT6M')
  await firstPeriod('dan', ({ lines }) => lines.length === 2)
  await swept()
  expect(await remaining()).toEqual(['open', '5300'])
  const [note] = await notesOf(invoiceId!)
  expect(note).toMatchObject({ state: 'issued', beforePayment: { amountMinor: '400' }, to: null })
  expect(short(await firstPeriod('dan', () => true))).toEqual(['usage 800 placed', 'late_usage -400 placed'])

  await stripeOf(world).creditNotes.voidCreditNote(note!.providerCreditNoteId!)
  await untilQuiet(world)
  const period = await firstPeriod('dan', ({ state }) => state === 'rated')
  expect(short(period)).toEqual(['usage 800 placed', 'late_usage -400 waits_for_next'])
  expect(await remaining()).toEqual(['open', '5700'])
  const audit = await auditOf(world, 'dan')
  expect(audit.filter((action) => action.startsWith('charge_lines'))).toEqual([
    'charge_lines.placed',
    'charge_lines.credited',
    'charge_lines.carried',
  ])
})
