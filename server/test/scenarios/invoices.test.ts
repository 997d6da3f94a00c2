import { afterAll, beforeAll, expect, test } from 'vitest'
import { query, sql } from '../../src/platform/db.ts'
import { payCheckout, stripeOf } from '../support/pay.ts'
import { auditOf, eventsOf, type Subscriber, subscribed, untilQuiet } from '../support/story.ts'
import { eventually, startWorld, type World } from '../support/world.ts'

/** The provider's invoices as customers and operators see them here (INV-2). */
let world: World
let ana: Subscriber
beforeAll(async () => {
  world = await startWorld()
  ana = await subscribed(world, 'ana')
})
afterAll(() => world?.stop())

const usd = (amountMinor: string) => ({ amountMinor, currency: 'USD' })

test('a purchase shows its invoice with lines, what paid for it, and its pages', async () => {
  const { data: invoices, meta } = await ana.owner.listInvoices({ query: {} })
  expect(meta?.cursor ?? null).toBeNull()
  expect(invoices).toHaveLength(1)
  const { data: invoice } = await ana.owner.getInvoice({ params: { invoiceId: invoices[0]!.id } })
  expect(invoice).toMatchObject({
    ...{ status: 'paid', subscriptionId: ana.subscriptionId, billingReason: 'subscription_create' },
    ...{ subtotal: usd('4900'), discount: usd('0'), tax: usd('0'), total: usd('4900') },
    ...{ amountPaid: usd('4900'), amountRemaining: usd('0'), credited: usd('0') },
  })
  expect(invoice.pdfUrl).toMatch(/^http/)
  expect(invoice.hostedInvoiceUrl).toMatch(/^http/)
  expect(invoice.lines).toEqual([
    expect.objectContaining({
      ...{ amount: usd('4900'), quantity: '1', proration: false, chargeLineId: null },
      priceLookupKey: expect.stringContaining('pro') as string,
      description: expect.stringContaining('Pro') as string,
    }),
  ])
  const visa = { type: 'card', brand: 'visa', last4: '4242' }
  expect(invoice.payments).toEqual([
    expect.objectContaining({ status: 'paid', amount: usd('4900'), method: expect.objectContaining(visa) as object }),
  ])
  expect((await ana.owner.listPayments({ query: {} })).data).toEqual(invoice.payments)
  const { data: methods } = await ana.owner.listPaymentMethods({ query: {} })
  expect(methods).toEqual([expect.objectContaining({ ...visa, expired: false })])
  expect(await auditOf(world, 'ana')).toContain('payment_methods.updated')
})

test('brand, last four and expiry are all that is kept of a card', async () => {
  // Whatever table a number, a name or a check could have got into.
  const { pool } = world.app.deps.db
  const tables = await pool.query<{ name: string }>(
    `select quote_ident(relname) as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition`,
  )
  const texts: string[] = []
  for (const { name } of tables.rows)
    for (const { text } of (await pool.query<{ text: string }>(`select t::text as text from ${name} t`)).rows)
      texts.push(text)
  const everything = texts.join('\n')
  expect(everything).toContain(',visa,4242,')
  for (const secret of ['4242424242424242', 'cvc_check', 'fingerprint', 'billing_details', 'postal_code'])
    expect(everything).not.toContain(secret)
})

test('lines beyond the first page are fetched, and a list goes on from its cursor', async () => {
  // The provider keeps whole seconds: what is made later in the same one has no order.
  await world.advance('PT1S')
  const stripe = stripeOf(world)
  for (let line = 1; line <= 23; line++)
    await stripe.invoiceItems.create({
      ...{ customer: ana.providerCustomerId, amount: line * 10, currency: 'usd', description: `Part ${line}` },
      metadata: { turnpike_line: `line_${line}` },
    })
  const draft = await stripe.invoices.create({
    customer: ana.providerCustomerId,
    pending_invoice_items_behavior: 'include',
  })
  await stripe.invoices.finalizeInvoice(draft.id!)
  await untilQuiet(world)
  const { data: invoice } = await ana.owner.getInvoice({ params: { invoiceId: draft.id! } })
  expect(invoice.lines).toHaveLength(23)
  expect(invoice.lines.map((line) => line.chargeLineId).toSorted()).toEqual(
    Array.from({ length: 23 }, (_, at) => `line_${at + 1}`).toSorted(),
  )
  expect(invoice.total).toEqual(usd('2760'))
  expect((await ana.owner.listInvoices({ query: { status: 'open' } })).data.map(({ id }) => id)).toEqual([draft.id])

  const first = await ana.owner.listInvoices({ query: { limit: 1 } })
  const second = await ana.owner.listInvoices({ query: { limit: 1, cursor: first.meta!.cursor! } })
  const third = await ana.owner.listInvoices({ query: { limit: 1, cursor: second.meta!.cursor! } })
  expect([...first.data, ...second.data].map(({ status }) => status)).toEqual(['open', 'paid'])
  expect(third.data).toEqual([])
})

test('another default card, and one that was taken off, are seen by their webhooks', async () => {
  const stripe = stripeOf(world)
  const mastercard = await stripe.paymentMethods.attach('pm_card_mastercard', { customer: ana.providerCustomerId })
  await stripe.customers.update(ana.providerCustomerId, {
    invoice_settings: { default_payment_method: mastercard.id },
  })
  const methodsOf = async () => (await ana.owner.listPaymentMethods({ query: {} })).data
  const seen = await eventually(methodsOf, (methods) => methods[0]?.brand === 'mastercard' && methods[0].isDefault)
  expect(seen.map(({ brand, isDefault }) => [brand, isDefault])).toEqual([
    ['mastercard', true],
    ['visa', false],
  ])
  await stripe.paymentMethods.detach(seen[1]!.id)
  await eventually(methodsOf, (methods) => methods.length === 1)
  // What it has paid still says by what.
  const paid = (await ana.owner.listPayments({ query: {} })).data.find(({ status }) => status === 'paid')!
  expect(paid.method).toMatchObject({ brand: 'visa', last4: '4242' })
  expect(await eventsOf(world, 'ana')).toContain('payment_methods.updated')
})

test('what differs in the new fields is found, and repaired by asking again', async () => {
  await untilQuiet(world)
  const { db } = world.app.deps
  await query(db, sql`update invoices set pdf_url = null, tax = 7 where tenant_id = 'ana' and status = 'paid'`)
  await query(db, sql`update invoice_lines set amount = amount + 1 where tenant_id = 'ana' and position = 0`)
  await query(db, sql`delete from invoice_payments where tenant_id = 'ana' and status = 'paid'`)
  await query(db, sql`update payment_methods set last4 = '0000' where tenant_id = 'ana' and attached`)
  const { data: run } = await world.operator.startReconciliation({ body: { tenantId: 'ana' } })
  const ended = await eventually(
    () => world.operator.getReconciliation({ params: { runId: run.id } }),
    ({ data }) => data.state === 'done',
  )
  const { data: findings } = await world.operator.listFindings({ query: { tenantId: 'ana', state: 'repaired' } })
  expect(findings.map(({ kind }) => kind).toSorted()).toEqual([
    'invoice_differs',
    'invoice_differs',
    'payment_method_differs',
  ])
  expect(ended.data).toMatchObject({ found: 3, repaired: 3 })
  const { data: invoices } = await ana.owner.listInvoices({ query: { status: 'paid' } })
  const { data: invoice } = await ana.owner.getInvoice({ params: { invoiceId: invoices[0]!.id } })
  expect(invoice).toMatchObject({ tax: usd('0'), pdfUrl: expect.stringMatching(/^http/) as string })
  expect(invoice.lines[0]!.amount).toEqual(usd('4900'))
  expect(invoice.payments).toHaveLength(1)
  expect((await ana.owner.listPaymentMethods({ query: {} })).data[0]!.last4).toBe('4444')
})

test('asking again for one customer brings what no webhook told', async () => {
  const silent = await startWorld({ connectWebhooks: false })
  try {
    const owner = await silent.tenant('bob')
    const { data: session } = await owner.createSession({
      body: { plan: 'pro', price: 'monthly', returnUrl: 'http://127.0.0.1:9999/back' },
    })
    await payCheckout(silent, session.sessionUrl)
    await owner.sync({ body: {} })
    expect((await owner.listInvoices({ query: {} })).data).toEqual([expect.objectContaining({ status: 'paid' })])
    expect((await owner.listPayments({ query: {} })).data[0]?.method).toMatchObject({ brand: 'visa' })
    expect((await owner.listPaymentMethods({ query: {} })).data).toHaveLength(1)
  } finally {
    await silent.stop()
  }
})

test('who only looks sees no invoices', async () => {
  const member = await world.as('member', 'ana')
  await expect(member.listInvoices({ query: {} })).rejects.toMatchObject({ code: 'forbidden' })
  await expect(member.listPaymentMethods({ query: {} })).rejects.toMatchObject({ code: 'forbidden' })
})
