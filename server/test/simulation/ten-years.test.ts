import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseDocument } from 'yaml'
import { closePeriods } from '../../src/flows/close-periods.ts'
import { placeLines } from '../../src/flows/place-lines.ts'
import { stripeOf } from '../support/pay.ts'
import { type Subscriber, subscribed } from '../support/story.ts'
import { eventually, startWorld, type World } from '../support/world.ts'
import { findFaults } from './support/find-faults.ts'
import {
  expectLines,
  expectOnInvoices,
  reportEdges,
  type Sent,
  type UsageLine,
} from './support/usage-by-the-calendar.ts'

const years = 10

// A zone with daylight saving and far from UTC: where the service runs must not matter to when anybody is billed.
process.env.TZ = 'America/New_York'

let folder: string
let world: World
let db: pg.Client
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'turnpike-ten-years-'))
  const catalog = parseDocument(readFileSync('catalog/acme.yaml', 'utf8'))
  catalog.setIn(['plans', 'pro', 'prices', 'weekly'], { interval: 'week', amounts: { USD: 1_300, EUR: 1_200 } })
  catalog.setIn(['plans', 'pro', 'prices', 'quarterly'], {
    interval: { unit: 'month', count: 3 },
    amounts: { USD: 13_900, EUR: 12_900 },
  })
  for (const price of ['weekly', 'quarterly'])
    catalog.setIn(['plans', 'pro', 'seats', 'perSeat', price], { USD: 1_200, EUR: 1_100 })
  const file = join(folder, 'catalog.yaml')
  writeFileSync(file, String(catalog))
  world = await startWorld({ env: { TURNPIKE_CATALOG: file } })
  db = new pg.Client(world.database.url)
  await db.connect()
})
afterAll(async () => {
  await db?.end()
  await world?.stop()
  rmSync(folder, { recursive: true, force: true })
})

type Story = {
  subscriber: Subscriber
  /** The first moment of the first period, whose day every later one keeps as far as its month has it. */
  from: Temporal.Instant
  every: Temporal.DurationLike
  /** What is used is charged by the month where the price is for longer. */
  usageEvery: Temporal.DurationLike
  amount: number
  sent: Sent
}

test(`${years} years from a 31st and a 29th of February: no gap, no overlap, and every invoice is explained by the catalog and by what was used`, async () => {
  await goTo('01-31')
  const stories: Story[] = [
    await begin('monthly', { plan: 'pro', price: 'monthly' }, { months: 1 }, 4_900),
    await begin(
      'team',
      { plan: 'pro', price: 'monthly', seats: 5, addOns: [{ addOn: 'extra_projects', quantity: 3 }] },
      { months: 1 },
      4_900 + 2 * 1_200 + 3 * 900,
    ),
    await begin('quarterly', { plan: 'pro', price: 'quarterly' }, { months: 3 }, 13_900),
    await begin('weekly', { plan: 'pro', price: 'weekly' }, { weeks: 1 }, 1_300),
  ]
  const [first] = stories
  let reported = first!.from.subtract({ seconds: 1 })
  let leapBegun = false
  for (const [start] of periodsUntil(first!.from, { months: 1 }, inYears(first!.from, years))) {
    const day = Temporal.Instant.from(start!).toZonedDateTimeISO('UTC')
    // The day that only every fourth year has.
    if (!leapBegun && day.month === 2 && day.day === 29) {
      await goTo('02-29')
      stories.push(await begin('leap-month', { plan: 'pro', price: 'monthly' }, { months: 1 }, 4_900))
      stories.push(await begin('leap-year', { plan: 'pro', price: 'yearly' }, { years: 1 }, 49_000))
      leapBegun = true
    }
    // Over the end of a month and before its close: what ended long ago is closed already, and hears of its last record late.
    await advanceTo(day.toInstant().add({ minutes: 2 }))
    await closed()
    const now = world.clock.now()
    for (const { subscriber, from, usageEvery, sent } of stories)
      await reportEdges(world.operator, subscriber.tenantId, sent, periodsUntil(from, usageEvery, now), [reported, now])
    reported = now
    await advanceTo(day.toInstant().add({ minutes: 6 }))
    await closed()
    // Over the hour in which the invoices of the renewal are drafts.
    await world.advance('PT2H')
  }
  expect(leapBegun).toBe(true)
  // Until nothing of it can be late any more, and what was renewed last has had its draft hour.
  await world.advance('P36D')
  await closed()
  await world.advance('PT3H')

  for (const { subscriber, from, every, usageEvery, amount, sent } of stories) {
    const { tenantId, providerCustomerId } = subscriber
    const lines = (await db.query<UsageLine>(linesOf, [tenantId])).rows
    expectLines(tenantId, sent, lines)
    await expectOnInvoices(stripeOf(world), providerCustomerId, tenantId, lines)
    const usageOn = (invoice: string) =>
      lines.reduce((sum, line) => (line.provider_invoice_id === invoice ? sum + Number(line.amount_minor) : sum), 0)

    const periods = periodsUntil(from, every, world.clock.now())
    const invoices = await eventually(
      async () => (await db.query<Invoice>(invoicesOf, [tenantId])).rows,
      (rows) => rows.length >= periods.length && rows.every((row) => row.status === 'paid'),
      15_000,
    ).catch(async () => (await db.query<Invoice>(invoicesOf, [tenantId])).rows)
    const [ofPeriods, ofUsage] = [true, false].map((isOfPeriod) =>
      invoices.filter(({ billing_reason }) => (billing_reason !== 'manual') === isOfPeriod),
    )
    expect(
      ofPeriods!.map(({ provider_invoice_id: id, amount_due, amount_paid, ...invoice }) => ({
        ...invoice,
        base: [Number(amount_due) - usageOn(id), Number(amount_paid) - usageOn(id)],
        period_start: instantText(invoice.period_start),
        period_end: instantText(invoice.period_end),
      })),
      `the invoices of ${tenantId}`,
    ).toEqual(
      periods.map(([period_start, period_end], index) => ({
        status: 'paid',
        billing_reason: index === 0 ? 'subscription_create' : 'subscription_cycle',
        base: [amount, amount],
        period_start,
        period_end,
      })),
    )
    // What had no draft of a renewal has an invoice of its own, and nothing else is on it.
    expect(
      ofUsage!.map(({ provider_invoice_id: id, status, amount_paid }) => [id, status, Number(amount_paid)]),
      `the invoices of usage of ${tenantId}`,
    ).toEqual(ofUsage!.map(({ provider_invoice_id: id }) => [id, 'paid', usageOn(id)]))

    // What was used falls in exactly one usage period each, and these meet.
    const usagePeriods = periodsUntil(from, usageEvery, world.clock.now())
    const kept = (await db.query<{ period_start: string; period_end: string }>(periodsOf, [tenantId])).rows
    expect(
      kept.map(({ period_start, period_end }) => [instantText(period_start), instantText(period_end)]),
      `the usage periods of ${tenantId}`,
    ).toEqual(usagePeriods)
    const records = (await db.query<{ n: number; quantity: number }>(recordsOf, [tenantId])).rows
    const reports = [...sent.values()].flatMap(({ inTime, late }) => [...inTime, ...late])
    expect(records, `the records of ${tenantId}`).toEqual([
      { n: reports.length, quantity: reports.reduce((sum, each) => sum + each, 0) },
    ])
    const windows = (await db.query<{ window_start: string; window_end: string }>(windowsOf, [tenantId])).rows
    expect(
      windows.map(({ window_start, window_end }) => [instantText(window_start), instantText(window_end)]),
      `where ${tenantId} counts`,
    ).toEqual([...sent.values()].map(({ start, end }) => [start, end]))
    const { data: status } = await subscriber.owner.getStatus({ query: {} })
    expect({ status: status.status, period: [status.period?.start, status.period?.end] }).toEqual({
      status: 'active',
      period: periods.at(-1),
    })
  }
  expect(await findFaults(world.database.url)).toEqual([])
}, 900_000)

type Invoice = {
  provider_invoice_id: string
  status: string
  billing_reason: string
  amount_due: string
  amount_paid: string
  period_start: string
  period_end: string
}
// What is paid ahead, beside usage of the time before.
const invoicesOf = `select provider_invoice_id, status, billing_reason, amount_due, amount_paid, l.period_start, l.period_end from invoices i
  cross join lateral (select min(period_start) as period_start, max(period_end) as period_end from invoice_lines
    where tenant_id = i.tenant_id and provider_invoice_id = i.provider_invoice_id and line_id is null) l
  where tenant_id = $1 order by l.period_start`
const windowsOf = `select window_start, window_end from usage_counters where tenant_id = $1 and span = 'period' and records > 0 order by window_start`
const periodsOf = `select period_start, period_end from usage_periods where tenant_id = $1 order by period_start`
const recordsOf = `select count(*)::int as n, sum(quantity)::int as quantity from usage_records where tenant_id = $1`
const linesOf = `select line_id, period_start, quantity, amount_minor::text, (source ->> 'records')::int as records, provider_invoice_id
  from charge_lines join usage_periods using (tenant_id, period_id) where tenant_id = $1 order by period_start, ordinal`

const instantText = (timestamp: string): string => Temporal.Instant.from(timestamp).toString()

const begin = async (
  tenantId: string,
  selection: Record<string, unknown>,
  every: Temporal.DurationLike,
  amount: number,
): Promise<Story> => {
  const subscriber = await subscribed(world, tenantId, selection)
  const { data } = await subscriber.owner.getStatus({ query: {} })
  const { years = 0, months = 0 } = Temporal.Duration.from(every)
  const usageEvery = years > 0 || months > 1 ? { months: 1 } : every
  return { subscriber, from: Temporal.Instant.from(data.period!.start), every, usageEvery, amount, sent: new Map() }
}

/** Everything that is over by now is rated, and its lines are on invoices. */
const closed = async (): Promise<void> => {
  await eventually(
    async () => {
      await closePeriods(world.app.deps)
      await placeLines(world.app.deps)
      const { data } = await world.operator.getCloseProgress({})
      return [data.due, data.placing]
    },
    ([due, placing]) => due === 0 && placing === 0,
    60_000,
  )
}

const advanceTo = (then: Temporal.Instant): Promise<void> =>
  world.advance(`PT${Math.round(world.clock.now().until(then).total('seconds'))}S`)

/** To the next such day of a year, at ten in the morning. */
const goTo = async (monthDay: string): Promise<void> => {
  const now = world.clock.now().toZonedDateTimeISO('UTC')
  const day = Temporal.PlainMonthDay.from(monthDay)
  const inYear = (year: number) =>
    day.toPlainDate({ year }).toZonedDateTime({ timeZone: 'UTC', plainTime: Temporal.PlainTime.from('10:00') })
  const then = Temporal.ZonedDateTime.compare(inYear(now.year), now) > 0 ? inYear(now.year) : inYear(now.year + 1)
  await world.advance(now.until(then, { largestUnit: 'hours' }).toString())
}

const inYears = (from: Temporal.Instant, n: number): Temporal.Instant =>
  from.toZonedDateTimeISO('UTC').add({ years: n }).toInstant()

/**
 * The periods by the calendar alone: the day of the first one, or the last day of a month that is shorter, and back to it
 * in the next that has it. Counted from the first, so that no short month shifts what follows.
 */
const periodsUntil = (
  from: Temporal.Instant,
  every: Temporal.DurationLike,
  at: Temporal.Instant,
): [string, string][] => {
  const first = from.toZonedDateTimeISO('UTC')
  const nth = (n: number): Temporal.Instant =>
    first.add(Object.fromEntries(Object.entries(every).map(([unit, count]) => [unit, Number(count) * n]))).toInstant()
  const periods: [string, string][] = []
  for (let n = 0; Temporal.Instant.compare(nth(n), at) <= 0; n++)
    periods.push([nth(n).toString(), nth(n + 1).toString()])
  return periods
}
