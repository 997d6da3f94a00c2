import type { RatingPreviewRequest } from '@turnpike/contract'
import { nextCatalog, parseCatalog } from '../../../src/modules/catalog/index.ts'
import { fraction } from '../../../src/modules/rating/exact.ts'
import { chargesOfPlans, leastOf, neededUsage, rate, readRatingRequest } from '../../../src/modules/rating/index.ts'
import type { RatingInput, Usage } from '../../../src/modules/rating/price.ts'
import { quantityIn, recordsOf } from '../../../src/modules/rating/testing/slow-measure.ts'
import { slowRate } from '../../../src/modules/rating/testing/slow-rate.ts'
import type { RatingHistory } from './rating-history.ts'
import { writtenOut } from './slow-plan.ts'
import { chanceOf } from './webhook-sender.ts'

const firstPeriod = { periodsBefore: 0, spentBeforeMinor: 0n, ends: false }

/** Each way to rate a history that came to something else than the slow one, in a sentence; none when all agree. */
export const disagreements = (history: RatingHistory): string[] => {
  const { file, request, standing } = history
  const parsed = parseCatalog(JSON.stringify(file))
  if (!parsed.ok) return [`the catalog is refused: ${JSON.stringify(parsed.problems)}`]
  const catalog = nextCatalog(null, file)
  const slow = slowRate(writtenOut(file, request, firstPeriod))
  const read = readRatingRequest(request, catalog)
  if (!read.ok) return [`the preview is refused: ${JSON.stringify(read.errors)}`]
  const told = textOf(slow)
  const wrong = (way: string, input: RatingInput, expected: string): string[] => {
    const rated = textOf(asSlow(input))
    return rated === expected ? [] : [`${way}: ${rated}, and not ${expected}`]
  }
  const found = wrong('a preview', read.input, told)
  const split = readRatingRequest({ ...request, usage: splitUp(history, read.input) }, catalog)
  if (!split.ok) return [`split usage is refused: ${JSON.stringify(split.errors)}`]
  found.push(...wrong('split and shuffled', split.input, told))
  const steps = [{ ...request.plan!, at: null }, ...(request.planChanges ?? [])].map((step) => ({
    ...step,
    file,
    plan: file.plans[step.plan]!,
    currency: request.currency,
    carried: carriedOf(step.carried),
    from: step.at === null ? null : Temporal.Instant.from(step.at),
  }))
  const charged = chargesOfPlans(steps)
  if (!charged.ok) return [`the plans are refused: ${JSON.stringify(charged.errors)}`]
  const { recurring, usage } = charged.charges
  const own = read.input.charges.slice(recurring.length + usage.length)
  const empty = { ...read.input, charges: [...recurring, ...usage, ...own], usage: [] }
  const closed = { ...empty, usage: fetched(empty, request), minimum: leastOf(charged.charges, standing) }
  found.push(...wrong('a period close', closed, textOf(slowRate(writtenOut(file, request, standing)))))
  return found
}

type Result = { lines: { key: string; cents: bigint }[]; total: bigint; due: bigint }
const asSlow = (input: RatingInput): Result => {
  const { lines, totalMinor, dueMinor } = rate(input)
  const of = lines.flatMap(({ charge, amountMinor }) => (charge === null ? [] : [{ key: charge, cents: amountMinor }]))
  return { lines: of, total: totalMinor, due: dueMinor }
}
const textOf = ({ lines, total, due }: Result): string =>
  `${lines.map(({ key, cents }) => `${key} ${cents}`).join(', ')}; in all ${total}, due ${due}`

const carriedOf = (carried: NonNullable<RatingPreviewRequest['plan']>['carried']) =>
  Object.fromEntries(
    Object.entries(carried ?? {}).map(([key, lots]) => [
      key,
      lots.map(({ quantity, periodsAgo }) => ({ quantity: fraction(BigInt(quantity), 1n), periodsAgo })),
    ]),
  )

/** What a period close reads of the usage: a counter, its parts, hours or records, as rating says that it needs. */
const fetched = (input: RatingInput, request: RatingPreviewRequest): Usage[] =>
  neededUsage(input).map((need): Usage => {
    const { meter, aggregation } = need
    const charge = input.charges.find(({ basis }) => basis.kind === 'usage' && basis.meter === meter)!
    const property = charge.basis.kind === 'usage' ? (charge.basis.property ?? undefined) : undefined
    const asked = { key: meter, meter, aggregation, property, price: { model: 'per_unit' as const } }
    const all = recordsOf(request, asked)
    if (need.as === 'records')
      return {
        meter,
        kind: 'records',
        records: all.map(({ at, quantity: [n, d], properties }) => ({
          at: Temporal.Instant.fromEpochMilliseconds(at),
          quantity: fraction(n, d),
          id: null,
          properties,
        })),
      }
    const windows = need.parts.flatMap((part) => {
      const [start, end] = [part.start.epochMilliseconds, part.end.epochMilliseconds]
      if (need.as === 'parts') return [{ start, end }]
      const hours = new Set(all.filter(({ at }) => at >= start && at < end).map(({ at }) => at - (at % 3_600_000)))
      return [...hours].sort((a, b) => a - b).map((hour) => ({ start: hour, end: hour + 3_600_000 }))
    })
    return {
      meter,
      kind: 'parts',
      parts: windows.map(({ start, end }) => {
        const [n, d] = quantityIn(request, asked, all, start, end)
        return {
          start: Temporal.Instant.fromEpochMilliseconds(start),
          quantity: fraction(n, d),
          transactions: need.transactions ? all.filter(({ at }) => at >= start && at < end).length : null,
        }
      }),
    }
  })

/** The same usage in other records: in parts, in another order, or as one total, wherever that must not matter. */
const splitUp = ({ seed, request }: RatingHistory, input: RatingInput): RatingPreviewRequest['usage'] => {
  const chance = chanceOf(seed)
  const needs = neededUsage(input)
  const hasPlainSum = (meter: string) =>
    input.charges.every(
      ({ basis, price }) =>
        basis.kind === 'held' ||
        basis.meter !== meter ||
        (basis.aggregation === 'sum' && basis.bucket?.size !== 'record' && price.model !== 'percentage'),
    )
  return request.usage?.map((usage) => {
    const need = needs.find(({ meter }) => meter === usage.meter)
    const isWhole =
      need?.as === 'parts' &&
      need.parts.length === 1 &&
      need.parts[0]!.start.equals(input.period.start) &&
      need.parts[0]!.end.equals(input.period.end)
    const { start, end } = { start: input.period.start.epochMilliseconds, end: input.period.end.epochMilliseconds }
    if (isWhole && hasPlainSum(usage.meter) && chance.next() < 0.5) {
      const quarters = usage
        .records!.filter(({ at }) => Date.parse(at) >= start && Date.parse(at) < end)
        .reduce((sum, { quantity }) => sum + Number(quantity) * 4, 0)
      return { meter: usage.meter, quantity: quarters / 4 }
    }
    const records = usage.records!.flatMap((record) => {
      const quantity = Number(record.quantity)
      if (!hasPlainSum(usage.meter) || chance.next() < 0.5) return [record]
      return [quantity - 1.25, 0.75, 0.5].map((part) => ({ ...record, quantity: part }))
    })
    return { meter: usage.meter, records: chance.shuffled(records) }
  })
}
