import type { Client } from '@turnpike/client'
import type Stripe from 'stripe'
import { expect } from 'vitest'

/** What was reported of one usage period: before it was closed, and after. */
type Told = { start: string; end: string; inTime: number[]; late: number[] }
/** Everything that one customer reported, by the period in which it was used, as the calendar says. */
export type Sent = Map<string, Told>

/** A line as the service keeps it: those of one period together make its bill. */
export type UsageLine = {
  line_id: string
  period_start: string
  quantity: string
  amount_minor: string
  records: number | null
  provider_invoice_id: string | null
}

/**
 * The first and the last record of a period have one each: together 10,001, 15,002, 9,999, 10,000 or 2,540, in both orders.
 * That is around what is included, into the second tier, and half a cent. One period in five costs something.
 */
const amounts = [1, 10_000, 5_000, 5_002, 40, 9_500, 499, 2_500, 10_000, 5_000]

/**
 * Reports the very first and the very last moment of each period that began, or ended, since the last time: where a period
 * ends, one record falls on each side. Whatever was closed already hears of it late.
 */
export const reportEdges = async (
  client: Client,
  tenantId: string,
  sent: Sent,
  periods: readonly (readonly [start: string, end: string])[],
  [since, now]: [Temporal.Instant, Temporal.Instant],
): Promise<void> => {
  const isNew = (at: Temporal.Instant) =>
    Temporal.Instant.compare(since, at) < 0 && Temporal.Instant.compare(at, now) <= 0
  const records = periods.flatMap(([start, end], number) => {
    const told = sent.get(start) ?? { start, end, inTime: [], late: [] }
    const isClosed = Temporal.Instant.compare(now, Temporal.Instant.from(end).add({ minutes: 5 })) >= 0
    const last = Temporal.Instant.from(end).subtract({ microseconds: 1 })
    // Another pair each time, so that some periods stay within what is included and others reach the second tier.
    return [Temporal.Instant.from(start), last].flatMap((at, edge) => {
      if (!isNew(at)) return []
      const quantity = amounts[(number * (edge ? 7 : 3) + edge) % amounts.length]!
      told[isClosed ? 'late' : 'inTime'].push(quantity)
      sent.set(start, told)
      return [{ tenantId, meter: 'api_calls', quantity, at: at.toString(), idempotencyKey: `${at}` }]
    })
  })
  if (records.length === 0) return
  const { data } = await client.reportUsage({ body: { records } })
  expect(data, `what ${tenantId} reported`).toMatchObject({ refused: 0, invalid: 0 })
}

/**
 * What a quantity costs in cents, call by call: 10,000 are included, the next 5,000 are 0.4 cents each, all others 0.25. No
 * fraction is lost before the end, where half a cent is rounded up.
 */
const slowPrice = (quantity: number): number => {
  let hundredths = 0
  for (let call = 1; call <= quantity; call++) if (call > 10_000) hundredths += call <= 15_000 ? 40 : 25
  return Math.floor((hundredths + 50) / 100)
}

const sumOf = (quantities: readonly number[]): number => quantities.reduce((sum, quantity) => sum + quantity, 0)

/** The lines of a period by its reports: what came late has one of its own where it costs something, made of all records. */
const linesOf = ({ inTime, late }: Told): { quantity: number; amount: number; records: number }[] => {
  const [first, all] = [slowPrice(sumOf(inTime)), slowPrice(sumOf([...inTime, ...late]))]
  return [
    ...(inTime.length > 0 ? [{ quantity: sumOf(inTime), amount: first, records: inTime.length }] : []),
    ...(all !== first ? [{ quantity: sumOf(late), amount: all - first, records: inTime.length + late.length }] : []),
  ]
}

/** Every period has exactly the lines that its reports make, and every line is of a period. */
export const expectLines = (tenantId: string, sent: Sent, lines: readonly UsageLine[]): void => {
  const made = Map.groupBy(lines, (line) => Temporal.Instant.from(line.period_start).toString())
  expect(
    [...made].map(([start, its]) => [
      start,
      its.map(({ quantity, amount_minor, records }) => ({
        quantity: Number(quantity),
        amount: Number(amount_minor),
        records,
      })),
    ]),
    `the usage lines of ${tenantId}`,
  ).toEqual([...sent].map(([start, told]) => [start, linesOf(told)]).filter(([, its]) => its!.length > 0))
}

/** Every line that costs something is on one invoice there, once and with its amount; nothing else of ours is on any. */
export const expectOnInvoices = async (
  stripe: Stripe,
  customer: string,
  tenantId: string,
  lines: readonly UsageLine[],
): Promise<void> => {
  const there: string[] = []
  for await (const { id, lines: its } of stripe.invoices.list({ customer, limit: 100 })) {
    expect(its.has_more, `${id} shows all of its lines`).toBe(false)
    for (const { amount, metadata } of its.data)
      if (metadata?.turnpike_line) there.push(`${metadata.turnpike_line} ${amount} on ${id}`)
  }
  expect(there.sort(), `the usage of ${tenantId} on invoices`).toEqual(
    lines
      .filter(({ amount_minor }) => amount_minor !== '0')
      .map((line) => `${line.line_id} ${line.amount_minor} on ${line.provider_invoice_id}`)
      .sort(),
  )
}
