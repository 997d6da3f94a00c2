import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseDocument } from 'yaml'
import { type Subscriber, subscribed } from '../support/story.ts'
import { eventually, startWorld, type World } from '../support/world.ts'
import { findFaults } from './support/find-faults.ts'

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
  amount: number
}

test(`${years} years from a 31st and a 29th of February: no gap, no overlap, and every invoice is explained by the catalog`, async () => {
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
  const end = world.clock.now().toZonedDateTimeISO('UTC').add({ years })
  let leapBegun = false
  for (let month = 0; Temporal.Instant.compare(world.clock.now(), end.toInstant()) < 0; month++) {
    await usageNow(stories, month)
    const now = world.clock.now().toZonedDateTimeISO('UTC')
    // The day that only every fourth year has.
    if (!leapBegun && now.inLeapYear && now.month === 2) {
      await goTo('02-29')
      stories.push(await begin('leap-month', { plan: 'pro', price: 'monthly' }, { months: 1 }, 4_900))
      stories.push(await begin('leap-year', { plan: 'pro', price: 'yearly' }, { years: 1 }, 49_000))
      leapBegun = true
    }
    await world.advance('P1M')
    // Over the hour in which the invoices of the renewal are drafts.
    await world.advance('PT2H')
  }
  // What was renewed just now has its draft hour too.
  await world.advance('PT3H')
  expect(leapBegun).toBe(true)

  for (const { subscriber, from, every, amount } of stories) {
    const { tenantId } = subscriber
    const periods = periodsUntil(from, every, world.clock.now())
    const invoices = await eventually(
      async () => (await db.query<Invoice>(invoicesOf, [tenantId])).rows,
      (rows) => rows.length >= periods.length && rows.every((row) => row.status === 'paid'),
      15_000,
    ).catch(async () => (await db.query<Invoice>(invoicesOf, [tenantId])).rows)
    expect(
      invoices.map((invoice) => ({
        ...invoice,
        period_start: instantText(invoice.period_start),
        period_end: instantText(invoice.period_end),
      })),
      `the invoices of ${tenantId}`,
    ).toEqual(
      periods.map(([period_start, period_end], index) => ({
        status: 'paid',
        billing_reason: index === 0 ? 'subscription_create' : 'subscription_cycle',
        amount_due: String(amount),
        amount_paid: String(amount),
        period_start,
        period_end,
      })),
    )
    // What was used falls in exactly one usage period each: of prices longer than a month that is a month of theirs.
    const windows = (await db.query<{ window_start: string; window_end: string }>(windowsOf, [tenantId])).rows
    const length = Temporal.Duration.from(every)
    const isLonger = length.years > 0 || length.months > 1
    const months = isLonger ? periodsUntil(from, { months: 1 }, world.clock.now()) : periods
    const known = new Map(months.map(([start, end]) => [start, end]))
    for (const window of windows)
      expect(known.get(instantText(window.window_start)), `${tenantId} counts from ${window.window_start}`).toBe(
        instantText(window.window_end),
      )
    const { data: status } = await subscriber.owner.getStatus({ query: {} })
    expect({ status: status.status, period: [status.period?.start, status.period?.end] }).toEqual({
      status: 'active',
      period: periods.at(-1),
    })
  }
  expect(await findFaults(world.database.url)).toEqual([])
}, 600_000)

type Invoice = {
  status: string
  billing_reason: string
  amount_due: string
  amount_paid: string
  period_start: string
  period_end: string
}
const invoicesOf = `select status, billing_reason, amount_due, amount_paid, period_start, period_end from invoices where tenant_id = $1 order by period_start`
const windowsOf = `select window_start, window_end from usage_counters where tenant_id = $1 and span = 'period' and records > 0`

const instantText = (timestamp: string): string => Temporal.Instant.from(timestamp).toString()

const begin = async (
  tenantId: string,
  selection: Record<string, unknown>,
  every: Temporal.DurationLike,
  amount: number,
): Promise<Story> => {
  const subscriber = await subscribed(world, tenantId, selection)
  const { data } = await subscriber.owner.getStatus({ query: {} })
  return { subscriber, from: Temporal.Instant.from(data.period!.start), every, amount }
}

/** To the next such day of a year, at ten in the morning. */
const goTo = async (monthDay: string): Promise<void> => {
  const now = world.clock.now().toZonedDateTimeISO('UTC')
  const day = Temporal.PlainMonthDay.from(monthDay)
  const inYear = (year: number) =>
    day.toPlainDate({ year }).toZonedDateTime({ timeZone: 'UTC', plainTime: Temporal.PlainTime.from('10:00') })
  const then = Temporal.ZonedDateTime.compare(inYear(now.year), now) > 0 ? inYear(now.year) : inYear(now.year + 1)
  await world.advance(now.until(then, { largestUnit: 'hours' }).toString())
}

const usageNow = async (stories: readonly Story[], month: number): Promise<void> => {
  for (const { subscriber } of stories)
    await world.operator.reportUsage({
      body: { tenantId: subscriber.tenantId, meter: 'api_calls', quantity: 1, idempotencyKey: `month-${month}` },
    })
}

/**
 * The periods by the calendar alone: the day of the first one, or the last day of a month that is shorter, and back to it
 * in the next that has it. Counted from the first, so that no short month shifts what follows.
 */
const periodsUntil = (from: Temporal.Instant, every: Temporal.DurationLike, at: Temporal.Instant): string[][] => {
  const first = from.toZonedDateTimeISO('UTC')
  const nth = (n: number): Temporal.Instant =>
    first.add(Object.fromEntries(Object.entries(every).map(([unit, count]) => [unit, Number(count) * n]))).toInstant()
  const periods: string[][] = []
  for (let n = 0; Temporal.Instant.compare(nth(n), at) <= 0; n++)
    periods.push([nth(n).toString(), nth(n + 1).toString()])
  return periods
}
