import type { RatingPreviewRequest } from '@turnpike/contract'
import { add, type Fraction, least, less, multiply, negative, nothing, read, sum } from './slow-price.ts'
import { localDate, ms, startOfDay } from './slow-time.ts'

type Charge = NonNullable<RatingPreviewRequest['charges']>[number]
export type RawRecord = { at: number; quantity: Fraction; properties: Record<string, string> }

/** The records of a charge in the order of time, all that there are: also those outside of the period. */
export const recordsOf = (request: RatingPreviewRequest, charge: Charge): RawRecord[] => {
  const usage = request.usage?.find(({ meter }) => meter === (charge.meter ?? charge.key))
  const raw =
    usage?.records ?? (usage?.quantity === undefined ? [] : [{ at: request.period!.start, quantity: usage.quantity }])
  const found = raw
    .map(({ at, quantity = 1, ...record }) => ({
      at: ms(at),
      quantity: read(quantity),
      properties: 'properties' in record ? (record.properties ?? {}) : {},
    }))
    .filter(({ properties }) => Object.entries(charge.filter ?? {}).every(([key, value]) => properties[key] === value))
    .filter(({ properties }) => charge.property === undefined || charge.property in properties)
    .sort((a, b) => a.at - b.at || (less(a.quantity, b.quantity) ? -1 : 1))
  if (charge.levelBy !== 'add') return found
  return found.map((record, index) => ({
    ...record,
    quantity: add(read(charge.valueBefore ?? 0), sum(found.slice(0, index + 1).map(({ quantity }) => quantity))),
  }))
}

/** What the records of a window come to, buckets put together where the charge says so. */
export const quantityIn = (
  request: RatingPreviewRequest,
  charge: Charge,
  all: RawRecord[],
  from: number,
  to: number,
): Fraction =>
  charge.bucket?.priced === 'on_sum'
    ? sum(bucketsIn(request, charge, all, from, to))
    : measured(request, charge, all, from, to)

export const bucketsIn = (
  request: RatingPreviewRequest,
  charge: Charge,
  all: RawRecord[],
  from: number,
  to: number,
): Fraction[] => {
  const zone = request.timeZone ?? 'UTC'
  const name = (at: number): string => {
    const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone)
    if (charge.bucket!.size === 'hour') return `${local.toPlainDate()} ${local.hour} ${local.offset}`
    return charge.bucket!.size === 'day' ? `${local.toPlainDate()}` : `${local.year} ${local.month}`
  }
  const inside = all.filter(({ at }) => at >= from && at < to)
  const most = charge.bucket!.maximumQuantity
  if (charge.bucket!.size === 'record')
    return inside
      .map((record) => (charge.aggregation === 'count' ? ([1n, 1n] as const) : record.quantity))
      .map((quantity) => (most === undefined ? quantity : least(quantity, read(most))))
  return [...new Set(inside.map(({ at }) => name(at)))].map((bucket) => {
    const quantity = measured(
      request,
      charge,
      inside.filter(({ at }) => name(at) === bucket),
      from,
      to,
    )
    return most === undefined ? quantity : least(quantity, read(most))
  })
}

const measured = (
  request: RatingPreviewRequest,
  charge: Charge,
  all: RawRecord[],
  from: number,
  to: number,
): Fraction => {
  const inside = all.filter(({ at }) => at >= from && at < to)
  const before = all.findLast(({ at }) => at < from)?.quantity ?? read(charge.valueBefore ?? 0)
  switch (charge.aggregation ?? 'sum') {
    case 'sum':
      return sum(inside.map(({ quantity }) => quantity))
    case 'count':
      return [BigInt(inside.length), 1n]
    case 'max':
      return inside.reduce<Fraction>((most, { quantity }) => (less(most, quantity) ? quantity : most), nothing)
    case 'unique':
      return [BigInt(new Set(inside.map(({ properties }) => properties[charge.property!])).size), 1n]
    case 'latest':
      return inside.at(-1)?.quantity ?? before
    case 'time_weighted':
      return meanOf(request, charge, inside, before, from, to)
  }
}

/** The level at the beginning for all of the time, and each rise and fall of it for the time that is left. */
const meanOf = (
  request: RatingPreviewRequest,
  charge: Charge,
  inside: RawRecord[],
  before: Fraction,
  from: number,
  to: number,
): Fraction => {
  const regular = request.regularPeriod ?? request.period!
  const zone = request.timeZone ?? 'UTC'
  const second = (at: number): bigint => BigInt(Math.floor(at / 1000))
  const span = second(ms(regular.end)) - second(ms(regular.start))
  const over = (weight: Fraction): Fraction => multiply(weight, [1n, span])
  const levels = [before, ...inside.map(({ quantity }) => quantity)]
  if ((charge.changesInDay ?? 'exact') === 'exact')
    return over(
      sum([
        multiply(before, [second(to) - second(from), 1n]),
        ...inside.map(({ at, quantity }, index) =>
          multiply(add(quantity, negative(levels[index]!)), [second(to) - second(at), 1n]),
        ),
      ]),
    )
  let total = nothing
  for (let start = from; start < to; ) {
    const next = startOfDay(Temporal.PlainDate.from(localDate(start, zone)).add({ days: 1 }).toString(), zone)
    const end = Math.min(next, to)
    const atStart = inside.findLast(({ at }) => at <= start)?.quantity ?? before
    const during = inside.filter(({ at }) => at > start && at < end).map(({ quantity }) => quantity)
    const counts =
      charge.changesInDay === 'last'
        ? (during.at(-1) ?? atStart)
        : during.reduce<Fraction>((most, each) => (less(most, each) ? each : most), atStart)
    total = add(total, multiply(counts, [second(end) - second(start), 1n]))
    start = end
  }
  return over(total)
}
