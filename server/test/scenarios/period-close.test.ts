import { afterAll, beforeAll, expect, test } from 'vitest'
import { query, sql } from '../../src/platform/db.ts'
import { stripeOf } from '../support/pay.ts'
import { auditOf, eventsOf, type Subscriber, subscribed, untilQuiet } from '../support/story.ts'
import { eventually, startWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
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
const placed = (tenantId: string, lines: number) =>
  eventually(
    () => linesOf(tenantId),
    (all) => all.length === lines && all.every((line) => line.placed || line.amount_minor === '0'),
  )

/** Over the end of the period, to the time at which it is closed; the invoice of the renewal is a draft. */
const toClose = async (subscriber: Subscriber): Promise<void> => {
  const { data } = await subscriber.owner.getStatus({ query: {} })
  const left = world.clock.now().until(Temporal.Instant.from(data.period!.end))
  await world.advance(`PT${Math.ceil(left.total('seconds')) + 1}S`)
  await untilQuiet(world)
  await world.advance('PT6M')
}
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
  await toClose(paula)
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
