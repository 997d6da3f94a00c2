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
