import type { Client } from '@turnpike/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expireMoneyBackRequests } from '../../src/flows/decide-money-back.ts'
import { sweepMoneyBack } from '../../src/flows/sweep-money-back.ts'
import { query, sql } from '../../src/platform/db.ts'
import { type MailServer, startMailServer } from '../support/mail-server.ts'
import { stripeOf } from '../support/pay.ts'
import { auditOf, eventsOf, noticesOf, type Subscriber, subscribed, untilQuiet } from '../support/story.ts'
import { eventually, startWorld, type World } from '../support/world.ts'

/** Money back (INV-4): who may, how much, exactly once, and what becomes of it. */
let mail: MailServer
let world: World
beforeAll(async () => {
  mail = await startMailServer()
  world = await startWorld({
    env: {
      SMTP_URL: mail.url,
      NOTICES_FROM: 'billing@acme.example',
      NOTICES_OPERATORS: 'billing-team@acme.example',
    },
  })
})
afterAll(async () => {
  await world?.stop()
  await mail?.close()
})

const trouble = (fault: Record<string, unknown>) => world.control('POST', '/sandbox/faults', { kind: 'api', ...fault })
/** Nothing is answered at an address; what is asked for is done all the same, or not. */
const silence = async (path: string, isDone: boolean): Promise<void> => {
  await trouble({ action: 'reset', method: 'POST', path, count: null, after: isDone })
  await trouble({ action: 'outage', method: 'GET', path: `${path}*`, count: null, after: false })
}
const heal = () => world.control('DELETE', '/sandbox/faults')
const usd = (amount: number) => ({ amountMinor: String(amount), currency: 'USD' })

type Buyer = Subscriber & { invoiceId: string }
/** A year of Pro for 490.00, unless a month is enough. */
const buyer = async (tenantId: string, card?: string, price = 'yearly'): Promise<Buyer> => {
  const subscriber = await subscribed(world, tenantId, { plan: 'pro', price }, card)
  const { data } = await subscriber.owner.listInvoices({ query: {} })
  return { ...subscriber, invoiceId: data[0]!.id }
}
const wish = (invoiceId: string, amount: number, more: object = {}) => ({
  params: { invoiceId },
  body: {
    ...{ amountMinor: String(amount), reason: 'requested_by_customer' as const, reasonText: 'They asked us to' },
    ...{ idempotencyKey: `key-${amount}`, ...more },
  },
})
const refundsOf = async (invoiceId: string) => (await world.operator.listRefunds({ query: { invoiceId } })).data
const notesOf = async (invoiceId: string) => (await world.operator.listCreditNotes({ query: { invoiceId } })).data
const termsOf = async (invoiceId: string, client: Client = world.operator) =>
  (await client.getRefundTerms({ params: { invoiceId } })).data
const refundsThere = async ({ providerCustomerId }: Subscriber) =>
  (await stripeOf(world).refunds.list({ limit: 100 })).data.filter((refund) => refund.customer === providerCustomerId)

describe('a refund', () => {
  test('by one person, within what policy lets one do: sent, told, and free of the rest', async () => {
    const ana = await buyer('ana')
    expect(await termsOf(ana.invoiceId)).toMatchObject({
      ...{ paid: usd(49_000), givenBack: usd(0), refund: { available: usd(49_000), blocked: null } },
      ...{ creditOwed: { blocked: 'not_open' }, max: null, secondPersonAbove: usd(20_000) },
    })
    const { data: refund } = await world.operator.createRefund(wish(ana.invoiceId, 10_000))
    expect(refund).toMatchObject({ state: 'succeeded', amount: usd(10_000), reason: 'requested_by_customer' })
    expect(await refundsThere(ana)).toEqual([
      expect.objectContaining({
        ...{ id: refund.providerRefundId, amount: 10_000, metadata: { turnpike_refund: refund.id } },
      }),
    ])
    expect(await termsOf(ana.invoiceId)).toMatchObject({
      ...{ givenBack: usd(10_000), refund: { available: usd(39_000), blocked: null } },
    })
    await untilQuiet(world)
    const events = await eventsOf(world, 'ana', (types) => types.includes('refund.issued'))
    expect(events.filter((type) => type.startsWith('refund.'))).toEqual(['refund.issued'])
    expect(await auditOf(world, 'ana')).toEqual(expect.arrayContaining(['refund.create', 'refund.issued']))
    const [letter] = await mail.received('billing@ana.example', (mails) =>
      mails.some(({ subject }) => subject?.startsWith('Refund')),
    )
    expect(letter).toBeDefined()
    // The plan goes on: giving money back is not an end.
    expect((await ana.owner.getStatus({ query: {} })).data.status).toBe('active')
    // The customer sees it, and not who of the house it was.
    expect((await ana.owner.listRefunds({ query: {} })).data).toEqual([
      expect.objectContaining({ id: refund.id, amount: usd(10_000), requestedBy: null }),
    ])
    const { data: timeline } = await world.operator.getTimeline({ params: { customerId: ana.customerId }, query: {} })
    expect(JSON.stringify(timeline)).toContain('refund.issued')
  })

  test('a repeat with the same key is the same refund, also later and from elsewhere; another request is refused', async () => {
    const bob = await buyer('bob', undefined, 'monthly')
    const once = wish(bob.invoiceId, 1_000)
    const [first, again] = [await world.operator.createRefund(once), await world.operator.createRefund(once)]
    const other = await world.as('operator')
    expect([again.data.id, (await other.createRefund(once)).data.id]).toEqual([first.data.id, first.data.id])
    expect(await refundsThere(bob)).toHaveLength(1)
    await expect(
      world.operator.createRefund(wish(bob.invoiceId, 1_001, { idempotencyKey: 'key-1000' })),
    ).rejects.toMatchObject({ code: 'idempotency_key_reused' })
  })

  test('partial, then the rest, then not a cent more: refused with what there is', async () => {
    const cid = await buyer('cid', undefined, 'monthly')
    await world.operator.createRefund(wish(cid.invoiceId, 4_000))
    await expect(world.operator.createRefund(wish(cid.invoiceId, 901))).rejects.toMatchObject({
      ...{ code: 'refund_too_much', problem: { availableMinor: '900' } },
    })
    await world.operator.createRefund(wish(cid.invoiceId, 900))
    await expect(world.operator.createRefund(wish(cid.invoiceId, 1))).rejects.toMatchObject({
      ...{ code: 'refund_not_possible', problem: { reason: 'nothing_left' } },
    })
    expect((await cid.owner.getInvoice({ params: { invoiceId: cid.invoiceId } })).data.status).toBe('paid')
  })

  test('fifty at once never give back more than was paid', async () => {
    const dan = await buyer('dan', undefined, 'monthly')
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, at) =>
        world.operator.createRefund(wish(dan.invoiceId, 300, { idempotencyKey: `race-${at}` })),
      ),
    )
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []))
    // 4900 holds 16 times 300; each of the others was told that there is not enough.
    expect(refused).toHaveLength(34)
    expect(new Set(refused)).toEqual(new Set(['refund_too_much']))
    const there = await refundsThere(dan)
    expect(there.map(({ amount }) => amount)).toEqual(Array.from({ length: 16 }, () => 300))
    expect(await termsOf(dan.invoiceId)).toMatchObject({ givenBack: usd(4_800), refund: { available: usd(100) } })
  })

  test('the database itself holds the line, whatever a process believes', async () => {
    const eve = await buyer('eve', undefined, 'monthly')
    const insert = (id: string, amount: number, more = sql``) =>
      query(
        world.app.deps.db,
        sql`insert into money_back (tenant_id, money_back_id, kind, provider, provider_invoice_id, state, amount, currency, after_payment, asked_here, requested_at, updated_at)
            values ('eve', ${id}, 'refund', 'stripe', ${eve.invoiceId}, 'waiting_for_approval', ${amount}, 'USD', ${amount}, true, now(), now())${more}`,
      )
    const above = { code: '23514', constraint: 'money_back_within_paid' }
    await expect(insert('a', 4_901)).rejects.toMatchObject(above)
    await insert('b', 4_000)
    await expect(insert('c', 901)).rejects.toMatchObject(above)
    await insert('d', 900)
    const { db } = world.app.deps
    await query(db, sql`update money_back set state = 'failed' where money_back_id = 'd'`)
    await insert('e', 900)
    // What had ended does not come back to life over what took its place.
    await expect(
      query(db, sql`update money_back set state = 'asking' where money_back_id = 'd'`),
    ).rejects.toMatchObject(above)
    await query(db, sql`delete from money_back where tenant_id = 'eve'`)
  })

  test('one that somebody made at the provider is mirrored, counts, and is followed', async () => {
    const fay = await buyer('fay', undefined, 'monthly')
    const stripe = stripeOf(world)
    const { payments } = await stripe.invoices.retrieve(fay.invoiceId, { expand: ['payments'] })
    const payment_intent = payments!.data[0]!.payment.payment_intent as string
    await stripe.refunds.create({ payment_intent, amount: 4_000 })
    // Asked at once: the look before each request sees it, with or without its webhook.
    await expect(world.operator.createRefund(wish(fay.invoiceId, 901))).rejects.toMatchObject({
      code: 'refund_too_much',
    })
    expect(await refundsOf(fay.invoiceId)).toEqual([
      expect.objectContaining({ state: 'succeeded', amount: usd(4_000), requestedBy: null }),
    ])
  })

  test('that the bank sends back later is told, and what it took is free again', async () => {
    const gil = await buyer('gil', 'pm_card_refundFail', 'monthly')
    const { data: refund } = await world.operator.createRefund(wish(gil.invoiceId, 4_900))
    expect(refund.state).toBe('succeeded')
    await world.advance('PT1H')
    const [failed] = await eventually(
      () => refundsOf(gil.invoiceId),
      (seen) => seen[0]?.state === 'failed',
    )
    expect(failed).toMatchObject({ id: refund.id, failure: 'expired_or_canceled_card' })
    await untilQuiet(world)
    const events = await eventsOf(world, 'gil', (types) => types.includes('refund.failed'))
    expect(events.filter((type) => type.startsWith('refund.'))).toEqual(['refund.issued', 'refund.failed'])
    expect(await noticesOf(world, 'gil', (kinds) => kinds.includes('refund_failed'))).toEqual(
      expect.arrayContaining(['refund_issued', 'refund_failed']),
    )
    expect(await termsOf(gil.invoiceId)).toMatchObject({ refund: { available: usd(4_900), blocked: null } })
  })

  test('that is on its way is followed also when its webhook is lost', async () => {
    const hal = await buyer('hal', 'pm_card_pendingRefund', 'monthly')
    for (const type of ['refund.*', 'charge.refund*'])
      await world.control('POST', '/sandbox/faults', { kind: 'webhook', action: 'drop', type, count: null })
    try {
      const { data: refund } = await world.operator.createRefund(wish(hal.invoiceId, 500))
      expect(refund.state).toBe('pending')
      await world.advance('PT7H')
      await untilQuiet(world)
      expect((await refundsOf(hal.invoiceId))[0]!.state).toBe('pending')
      await sweepMoneyBack(world.app.deps)
      expect((await refundsOf(hal.invoiceId))[0]!.state).toBe('succeeded')
    } finally {
      await heal()
    }
  })

  test('that the provider refuses has failed, and takes nothing', async () => {
    const ida = await buyer('ida', 'pm_card_createDispute', 'monthly')
    const { data: refund } = await world.operator.createRefund(wish(ida.invoiceId, 500))
    expect(refund).toMatchObject({ state: 'failed', failure: 'charge_disputed', providerRefundId: null })
    expect(await termsOf(ida.invoiceId)).toMatchObject({ givenBack: usd(0) })
    const events = await eventsOf(world, 'ida', (types) => types.includes('refund.failed'))
    expect(events).not.toContain('refund.issued')
    // Nobody is told of money that never was on its way.
    await untilQuiet(world)
    expect(await noticesOf(world, 'ida')).not.toContain('refund_failed')
  })
})

describe('a silent provider', () => {
  test.each([
    ['that did not hear the request', 'jon', false],
    // What it made is not to be seen either, for a while.
    ['whose answer was lost', 'kim', true],
  ])('%s: it is made once, by the sweep', async (_, tenantId, after) => {
    const customer = await buyer(tenantId, undefined, 'monthly')
    await silence('/v1/refunds', after)
    try {
      const { status } = await world.send('POST', `/api/v1/invoices/${customer.invoiceId}/refunds`, {
        body: JSON.stringify(wish(customer.invoiceId, 700).body),
      })
      expect(status).toBe(202)
      expect(await refundsOf(customer.invoiceId)).toMatchObject([{ state: 'asking' }])
    } finally {
      await heal()
    }
    await world.advance('PT2M')
    await eventually(
      async () => {
        await sweepMoneyBack(world.app.deps)
        return refundsOf(customer.invoiceId)
      },
      (seen) => seen[0]?.state === 'succeeded',
    )
    expect(await refundsThere(customer)).toHaveLength(1)
    expect(await sweepMoneyBack(world.app.deps)).toBe(0)
  })

  test('for longer than policy allows is found, however often the sweep has tried, and is repaired once it answers (REC-2)', async () => {
    const liz = await buyer('liz', undefined, 'monthly')
    const reconciled = async () => {
      const { data: run } = await world.operator.startReconciliation({ body: { tenantId: 'liz' } })
      await eventually(
        async () => (await world.operator.getReconciliation({ params: { runId: run.id } })).data,
        ({ state }) => state === 'done',
      )
      return (await world.operator.listFindings({ query: { tenantId: 'liz' } })).data
    }
    // Everything else is answered; only what is asked for is not heard.
    await trouble({ action: 'reset', method: 'POST', path: '/v1/refunds', count: null, after: false })
    let id: string
    try {
      const { data: refund } = await world.operator.createRefund(wish(liz.invoiceId, 700))
      id = refund.id
      await world.advance('PT14M')
      expect(await reconciled()).toEqual([])
      await world.advance('PT2M')
      await sweepMoneyBack(world.app.deps)
      expect(await reconciled()).toMatchObject([
        { kind: 'money_back_stuck', object: id, state: 'open', severity: 'warning', repair: 'mirror_money_back' },
      ])
    } finally {
      await heal()
    }
    await world.advance('PT1M')
    const [finding] = (await world.operator.listFindings({ query: { tenantId: 'liz' } })).data
    const { data: repaired } = await world.operator.repairFinding({
      params: { findingId: finding!.id },
      body: { reason: 'It answers again' },
    })
    expect(repaired.state).toMatch(/repaired|gone/)
    expect(await refundsOf(liz.invoiceId)).toMatchObject([{ id, state: 'succeeded' }])
    expect(await refundsThere(liz)).toHaveLength(1)
    expect((await reconciled()).filter(({ state }) => state === 'open')).toEqual([])
  })

  test('for longer than it remembers keys: a look decides, nothing is sent again', async () => {
    const [lou, max] = [await buyer('lou', undefined, 'monthly'), await buyer('max', undefined, 'monthly')]
    await silence('/v1/refunds', false)
    const waiting = await world.operator.createRefund(wish(lou.invoiceId, 700))
    await heal()
    await silence('/v1/refunds', true)
    const made = await world.operator.createRefund(wish(max.invoiceId, 700))
    await heal()
    expect([waiting.data.state]).toEqual(['asking'])
    await world.advance('P2D')
    await eventually(
      async () => {
        await sweepMoneyBack(world.app.deps)
        return [...(await refundsOf(lou.invoiceId)), ...(await refundsOf(max.invoiceId))]
      },
      (seen) => seen.every(({ state }) => state !== 'asking'),
    )
    expect(await refundsOf(lou.invoiceId)).toMatchObject([{ state: 'failed', failure: 'not_executed' }])
    expect(await refundsThere(lou)).toHaveLength(0)
    expect(await refundsOf(max.invoiceId)).toMatchObject([{ id: made.data.id, state: 'succeeded' }])
    expect(await refundsThere(max)).toHaveLength(1)
  })
})

describe('above what one may do alone', () => {
  test('support asks, the team is written to, a second person approves, and only then it is sent', async () => {
    const ned = await buyer('ned')
    const support = await world.as('support')
    expect(await termsOf(ned.invoiceId, support)).toMatchObject({ max: usd(10_000), secondPersonAbove: usd(2_500) })
    const { data: asked } = await support.createRefund(wish(ned.invoiceId, 9_000))
    expect(asked).toMatchObject({ state: 'waiting_for_approval', providerRefundId: null })
    expect(await refundsThere(ned)).toEqual([])
    // It holds its amount while it waits.
    expect(await termsOf(ned.invoiceId)).toMatchObject({ refund: { available: usd(40_000) } })
    const [letter] = await mail.received('billing-team@acme.example', (mails) =>
      mails.some(({ subject }) => subject?.includes('ned')),
    )
    expect(letter!.subject).toBe('Approval needed: $90.00 back to Customer ned')
    expect(letter!.text).toContain('Reason: They asked us to')
    // The customer hears nothing of what is only asked for.
    const owner = await world.as('owner', 'ned')
    expect((await owner.listNotices({ query: { kind: 'refund_requested' } })).data).toEqual([])

    await expect(support.approveRefund({ params: { refundId: asked.id }, body: {} })).rejects.toMatchObject({
      code: 'forbidden',
    })
    const finance = await world.as('finance')
    const { data: approved } = await finance.approveRefund({
      params: { refundId: asked.id },
      body: { reason: 'Seen the ticket' },
    })
    expect(approved).toMatchObject({ state: 'succeeded', decisionReason: 'Seen the ticket' })
    expect(approved.decidedBy).not.toBe(approved.requestedBy)
    expect(await refundsThere(ned)).toHaveLength(1)
    // A repeat changes nothing.
    await finance.approveRefund({ params: { refundId: asked.id }, body: {} })
    expect(await refundsThere(ned)).toHaveLength(1)
    await untilQuiet(world)
    const events = await eventsOf(world, 'ned')
    expect(events.filter((type) => type.startsWith('refund.'))).toEqual([
      'refund.requested',
      'refund.decided',
      'refund.issued',
    ])
    expect(await auditOf(world, 'ned')).toEqual(
      expect.arrayContaining(['refund.request', 'refund.approve', 'refund.issued']),
    )
  })

  test('who asks cannot approve; above the cap nobody of the role may ask; the attempts are on record', async () => {
    const oda = await buyer('oda')
    const { data: asked } = await world.operator.createRefund(wish(oda.invoiceId, 30_000))
    expect(asked.state).toBe('waiting_for_approval')
    const decide = { params: { refundId: asked.id }, body: {} }
    await expect(world.operator.approveRefund(decide)).rejects.toMatchObject({ code: 'second_person_required' })
    const { data: denied } = await world.operator.listAudit({ query: { tenantId: 'oda', result: 'denied' } })
    expect(denied).toContainEqual(expect.objectContaining({ action: 'refund.approve', reason: 'asked for it' }))
    const support = await world.as('support')
    await expect(support.createRefund(wish(oda.invoiceId, 10_001))).rejects.toMatchObject({
      ...{ code: 'refund_above_limit', problem: { maxMinor: '10000' } },
    })
    const other = await world.as('operator')
    const rejected = await other.rejectRefund({ params: { refundId: asked.id }, body: { reason: 'Not agreed' } })
    expect(rejected.data).toMatchObject({ state: 'rejected', decisionReason: 'Not agreed' })
    await expect(other.approveRefund(decide)).rejects.toMatchObject({ code: 'refund_not_waiting' })
    expect(await refundsThere(oda)).toEqual([])
    expect(await termsOf(oda.invoiceId)).toMatchObject({ givenBack: usd(0) })
  })

  test('a request that nobody decides ends by itself', async () => {
    const pia = await buyer('pia')
    const { data: asked } = await world.operator.createRefund(wish(pia.invoiceId, 30_000))
    await world.advance('P7D')
    const other = await world.as('operator')
    const decide = { params: { refundId: asked.id }, body: {} }
    await expect(other.approveRefund(decide)).rejects.toMatchObject({ code: 'refund_not_waiting' })
    expect(await expireMoneyBackRequests(world.app.deps)).toBeGreaterThan(0)
    expect(await expireMoneyBackRequests(world.app.deps)).toBe(0)
    expect(await refundsOf(pia.invoiceId)).toMatchObject([{ state: 'expired' }])
    expect(await termsOf(pia.invoiceId)).toMatchObject({ givenBack: usd(0) })
  })

  test('approvals that come together send it once', async () => {
    const ray = await buyer('ray')
    const { data: asked } = await world.operator.createRefund(wish(ray.invoiceId, 30_000))
    const others = await Promise.all(Array.from({ length: 5 }, () => world.as('operator')))
    await Promise.allSettled(others.map((other) => other.approveRefund({ params: { refundId: asked.id }, body: {} })))
    expect(await refundsThere(ray)).toHaveLength(1)
    expect(await refundsOf(ray.invoiceId)).toMatchObject([{ state: 'succeeded' }])
  })

  test.each(['agent', 'service', 'auditor'] as const)('%s never gives money back', async (role) => {
    const client = await world.as(role)
    const { data } = await world.operator.listInvoices({ query: { tenantId: 'ana' } })
    const invoiceId = data[0]!.id
    await expect(client.createRefund(wish(invoiceId, 1))).rejects.toMatchObject({ code: 'forbidden' })
    await expect(client.createCreditNote(wish(invoiceId, 1, { to: 'balance' }))).rejects.toMatchObject({
      code: 'forbidden',
    })
    await expect(
      client.approveRefund({ params: { refundId: 'refund_01k00000000000000000000000' }, body: {} }),
    ).rejects.toMatchObject({ code: 'forbidden' })
  })

  test('too long after the payment nothing goes back', async () => {
    const sue = await buyer('sue')
    await world.advance('P91D')
    expect(await termsOf(sue.invoiceId)).toMatchObject({ refund: { blocked: 'too_old' } })
    await expect(world.operator.createRefund(wish(sue.invoiceId, 1))).rejects.toMatchObject({
      ...{ code: 'refund_not_possible', problem: { reason: 'too_old' } },
    })
  })
})

describe('a credit note', () => {
  const stripe = () => stripeOf(world)
  const openInvoice = async (customer: Subscriber): Promise<string> => {
    for (const amount of [3_000, 2_000])
      await stripe().invoiceItems.create({
        ...{ customer: customer.providerCustomerId, amount, currency: 'usd', description: `Part of ${amount}` },
      })
    const draft = await stripe().invoices.create({
      ...{ customer: customer.providerCustomerId, pending_invoice_items_behavior: 'include', auto_advance: false },
    })
    await stripe().invoices.finalizeInvoice(draft.id!)
    await untilQuiet(world)
    return draft.id!
  }

  test('off an open invoice: less is owed, by line, and told with its document', async () => {
    const tom = await buyer('tom', undefined, 'monthly')
    const invoiceId = await openInvoice(tom)
    const { data: before } = await tom.owner.getInvoice({ params: { invoiceId } })
    const part = before.lines.find(({ amount }) => amount.amountMinor === '2000')!
    const request = {
      params: { invoiceId },
      body: {
        ...{ lines: [{ lineId: part.id, amountMinor: '500' }], reason: 'product_unsatisfactory' as const },
        ...{ reasonText: 'Half of it did not work', idempotencyKey: 'part' },
      },
    }
    const { data: note } = await world.operator.createCreditNote(request)
    expect(note).toMatchObject({
      ...{ state: 'issued', amount: usd(500), beforePayment: usd(500), afterPayment: usd(0), to: null },
      number: expect.stringMatching(/-CN-01$/) as string,
    })
    const { data: invoice } = await tom.owner.getInvoice({ params: { invoiceId } })
    expect(invoice).toMatchObject({ amountRemaining: usd(4_500), credited: usd(500), status: 'open' })
    expect((await world.operator.createCreditNote(request)).data.id).toBe(note.id)
    await expect(
      world.operator.createCreditNote({
        ...request,
        body: { ...request.body, lines: [{ lineId: part.id, amountMinor: '1501' }], idempotencyKey: 'more' },
      }),
    ).rejects.toMatchObject({ code: 'refund_too_much', problem: { availableMinor: '1500' } })
    expect(await noticesOf(world, 'tom', (kinds) => kinds.includes('credit_note_issued'))).toContain(
      'credit_note_issued',
    )
    // Voided at the provider, it is owed again.
    await stripe().creditNotes.voidCreditNote(note.providerCreditNoteId!)
    await eventually(
      () => notesOf(invoiceId),
      ([seen]) => seen?.state === 'void',
    )
    await untilQuiet(world)
    expect((await tom.owner.getInvoice({ params: { invoiceId } })).data.amountRemaining).toEqual(usd(5_000))
  })

  test('of all that is owed settles the invoice', async () => {
    const uma = await buyer('uma', undefined, 'monthly')
    const invoiceId = await openInvoice(uma)
    await world.operator.createCreditNote(wish(invoiceId, 5_000))
    expect((await uma.owner.getInvoice({ params: { invoiceId } })).data).toMatchObject({
      ...{ status: 'paid', amountPaid: usd(0), amountRemaining: usd(0) },
    })
    await expect(world.operator.createCreditNote(wish(invoiceId, 1, { to: 'balance' }))).rejects.toMatchObject({
      code: 'refund_not_possible',
    })
  })

  test('to balance, to the payment and outside off what was paid, together never more than was paid', async () => {
    const vic = await buyer('vic', undefined, 'monthly')
    const { invoiceId } = vic
    await world.operator.createCreditNote(wish(invoiceId, 1_000, { to: 'balance' }))
    await world.operator.createCreditNote(wish(invoiceId, 1_500, { to: 'payment' }))
    await world.operator.createCreditNote(wish(invoiceId, 400, { to: 'outside' }))
    expect((await notesOf(invoiceId)).map(({ to, state }) => [to, state])).toEqual([
      ['outside', 'issued'],
      ['payment', 'issued'],
      ['balance', 'issued'],
    ])
    const customer = await stripe().customers.retrieve(vic.providerCustomerId)
    expect(customer).toMatchObject({ balance: -1_000 })
    // The refund that the second note made is known, and counts once.
    expect(await refundsOf(invoiceId)).toMatchObject([{ amount: usd(1_500), state: 'succeeded' }])
    expect(await termsOf(invoiceId)).toMatchObject({ givenBack: usd(2_900), creditPaid: { available: usd(2_000) } })
    await expect(world.operator.createCreditNote(wish(invoiceId, 2_001, { to: 'balance' }))).rejects.toMatchObject({
      code: 'refund_too_much',
    })
    await world.operator.createRefund(wish(invoiceId, 2_000))
    await untilQuiet(world)
    expect(await termsOf(invoiceId)).toMatchObject({ givenBack: usd(4_900), creditPaid: { blocked: 'nothing_left' } })
    // One letter for each: of what goes back to a card the refund tells.
    expect((await noticesOf(world, 'vic')).filter((kind) => /refund|credit/.test(kind)).toSorted()).toEqual([
      ...['credit_note_issued', 'credit_note_issued', 'refund_issued', 'refund_issued'],
    ])
  })

  test('needs to know where it goes, and either an amount or lines', async () => {
    const wil = await buyer('wil', undefined, 'monthly')
    await expect(world.operator.createCreditNote(wish(wil.invoiceId, 100))).rejects.toMatchObject({
      ...{ code: 'refund_not_possible', problem: { reason: 'target_missing' } },
    })
    await expect(
      world.operator.createCreditNote(wish(wil.invoiceId, 100, { amountMinor: undefined, to: 'balance' })),
    ).rejects.toMatchObject({ code: 'invalid_request' })
  })

  test('whose answer was lost is issued once, by the sweep', async () => {
    const xia = await buyer('xia', undefined, 'monthly')
    await silence('/v1/credit_notes', true)
    try {
      await world.operator.createCreditNote(wish(xia.invoiceId, 100, { to: 'balance' }))
    } finally {
      await heal()
    }
    await world.advance('PT2M')
    await eventually(
      async () => {
        await sweepMoneyBack(world.app.deps)
        return notesOf(xia.invoiceId)
      },
      ([seen]) => seen?.state === 'issued',
    )
    expect((await stripe().creditNotes.list({ invoice: xia.invoiceId })).data).toHaveLength(1)
  })
})

test('refunds and credit notes that differ or are missing are found and repaired', async () => {
  const yan = await buyer('yan', undefined, 'monthly')
  await world.operator.createRefund(wish(yan.invoiceId, 1_000))
  await world.operator.createRefund(wish(yan.invoiceId, 500))
  await world.operator.createCreditNote(wish(yan.invoiceId, 700, { to: 'balance' }))
  await untilQuiet(world)
  const before = [await refundsOf(yan.invoiceId), await notesOf(yan.invoiceId)]
  const { db } = world.app.deps
  await query(db, sql`update money_back set state = 'pending' where tenant_id = 'yan' and amount = 1000`)
  await query(db, sql`delete from money_back where tenant_id = 'yan' and amount = 500`)
  await query(db, sql`update money_back set number = 'WRONG' where tenant_id = 'yan' and amount = 700`)
  const { data: run } = await world.operator.startReconciliation({ body: {} })
  const ended = await eventually(
    () => world.operator.getReconciliation({ params: { runId: run.id } }),
    ({ data }) => data.state === 'done',
    60_000,
  )
  expect(ended.data.progress.map(({ phase }) => phase)).toEqual(
    expect.arrayContaining(['provider_refunds', 'provider_credit_notes']),
  )
  const { data: findings } = await world.operator.listFindings({ query: { tenantId: 'yan' } })
  expect(findings.map(({ kind, state }) => [kind, state]).toSorted()).toEqual([
    ['credit_note_differs', 'repaired'],
    ['refund_differs', 'repaired'],
    ['refund_differs', 'repaired'],
  ])
  const substance = (all: Awaited<ReturnType<typeof refundsOf>>) =>
    all
      .map(({ state, amount, providerRefundId }) => ({ state, amount, providerRefundId }))
      .toSorted((a, b) => a.amount.amountMinor.localeCompare(b.amount.amountMinor))
  expect(substance(await refundsOf(yan.invoiceId))).toEqual(substance(before[0] as never))
  expect((await notesOf(yan.invoiceId))[0]).toMatchObject({
    number: before[1]![0]!.id ? expect.stringMatching(/-CN-/) : '',
  })
})
