import type { Period } from '../../core/period.ts'
import { contains, isBefore } from '../../core/period.ts'
import { compare, type Exact, fraction, larger, plus, smaller, sumOf, times, whole, zero } from './exact.ts'
import type { RatingInput, Source, UsageRecord } from './price.ts'
import type { Measured } from './price-steps.ts'

type Ruler = Pick<RatingInput, 'regularPeriod' | 'timeZone'>

/**
 * The records that a charge is about, in the order of their time. Of one time, levels stand as they came, because the later
 * report counts; all others by their size, so that it does not matter how they were sent.
 */
export const recordsOf = (records: readonly UsageRecord[], { filter, property, aggregation }: Source): UsageRecord[] =>
  records
    .filter(({ properties }) => fits(properties, filter) && (property === null || Object.hasOwn(properties, property)))
    .sort(
      (a, b) => Temporal.Instant.compare(a.at, b.at) || (isLevel(aggregation) ? 0 : compare(a.quantity, b.quantity)),
    )
const isLevel = (aggregation: Source['aggregation']): boolean =>
  aggregation === 'latest' || aggregation === 'time_weighted'

export const within = (records: readonly UsageRecord[], window: Period): UsageRecord[] =>
  records.filter(({ at }) => contains(window, at))

const fits = (properties: UsageRecord['properties'], filter: Source['filter']): boolean =>
  Object.entries(filter).every(([key, value]) => Object.hasOwn(properties, key) && properties[key] === value)

/** What the records of a window come to; they stand in the order of time. */
export const measure = (records: readonly UsageRecord[], source: Source, window: Period, ruler: Ruler): Measured => ({
  quantity: quantityOf(records, source, window, ruler),
  transactions: { amounts: records.map((record) => larger(zero, record.quantity)) },
  records: records.length,
})

const quantityOf = (records: readonly UsageRecord[], source: Source, window: Period, ruler: Ruler): Exact => {
  switch (source.aggregation) {
    case 'sum':
      return sumOf(records.map((record) => record.quantity))
    case 'count':
      return whole(records.length)
    case 'max':
      return records.map((record) => record.quantity).reduce(larger, zero)
    case 'unique':
      return whole(new Set(records.map(({ properties }) => properties[source.property!])).size)
    case 'latest':
      return records.at(-1)?.quantity ?? source.valueBefore
    case 'time_weighted':
      return weightedOverTime(records, source, window, ruler)
  }
}

/**
 * Convention 16: the mean over the regular period of a level that each record sets and that stays until the next one. It
 * begins with `valueBefore`, which is where the last period left it, or 0. Changes inside a day count to the second, or the day counts
 * with its last or highest level. Leap seconds do not exist.
 */
const weightedOverTime = (
  records: readonly UsageRecord[],
  source: Source,
  window: Period,
  { regularPeriod, timeZone }: Ruler,
): Exact => {
  const levels = [
    { at: window.start, level: source.valueBefore },
    ...records.map(({ at, quantity }) => ({ at, level: quantity })),
  ]
  const length = secondsOf(regularPeriod.end) - secondsOf(regularPeriod.start)
  if (source.changesInDay === 'exact') {
    const parts = levels.map(({ at, level }, index) =>
      times(level, whole(secondsOf(levels[index + 1]?.at ?? window.end) - secondsOf(at))),
    )
    return times(sumOf(parts), fraction(1n, length))
  }
  let [total, next, level] = [zero, 0, zero]
  for (const day of daysOf(window, timeZone)) {
    // What was set by the beginning of a day is the level that the day begins with, not a change in it.
    for (; next < levels.length && !isBefore(day.start, levels[next]!.at); next++) level = levels[next]!.level
    let counts = level
    for (; next < levels.length && isBefore(levels[next]!.at, day.end); next++) {
      level = levels[next]!.level
      counts = source.changesInDay === 'last' ? level : larger(counts, level)
    }
    total = plus(total, times(counts, whole(secondsOf(day.end) - secondsOf(day.start))))
  }
  return times(total, fraction(1n, length))
}

const secondsOf = (at: Temporal.Instant): bigint => BigInt(Math.floor(at.epochMilliseconds / 1_000))

const daysOf = (window: Period, timeZone: string): Period[] => {
  const days: Period[] = []
  for (let start = window.start; isBefore(start, window.end); ) {
    const next = start.toZonedDateTimeISO(timeZone).add({ days: 1 }).startOfDay().toInstant()
    const end = isBefore(next, window.end) ? next : window.end
    days.push({ start, end })
    start = end
  }
  return days
}

/**
 * Convention 8: the records of each hour, day or month of the time zone that has any, or each record, measured by itself. An hour that a
 * clock change repeats is two hours. `maximumQuantity` is the most that one bucket counts.
 */
export const bucketsOf = (records: readonly UsageRecord[], source: Source, ruler: Ruler): Measured[] => {
  const { size, maximumQuantity } = source.bucket!
  const groups =
    size === 'record'
      ? records.map((record) => [record])
      : Map.groupBy(records, ({ at }) => bucketStart(at, size, ruler.timeZone).toString()).values()
  return [...groups].map((group) => {
    const start = group[0]!.at
    const measured = measure(group, source, { start, end: start }, ruler)
    return maximumQuantity === null ? measured : { ...measured, quantity: smaller(measured.quantity, maximumQuantity) }
  })
}

export const bucketStart = (
  at: Temporal.Instant,
  size: 'hour' | 'day' | 'month',
  timeZone: string,
): Temporal.Instant => {
  const local = at.toZonedDateTimeISO(timeZone)
  // Rounded by the clock on the wall, with the offset of the very instant: a repeated hour keeps its two starts.
  if (size === 'hour') return local.round({ smallestUnit: 'hour', roundingMode: 'floor' }).toInstant()
  return (size === 'day' ? local : local.with({ day: 1 })).startOfDay().toInstant()
}
