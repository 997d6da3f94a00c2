import { type Interval, isBefore, type Period } from '../../core/period.ts'

type Grid = {
  anchor: Temporal.Instant
  at: Temporal.Instant
  timeZone: string
  interval: Interval
  /** A day of the month that periods begin on, whatever day the anchor is; null: they count from the anchor. */
  day: number | null
}

/**
 * Convention 9: the period that holds an instant, and the regular one that its price is for. Periods count from the anchor, so that
 * the 31st comes back after a short month, by the clock on the wall of the time zone: a period over a change of the clock is an
 * hour longer or shorter. Periods are compared by instants, not by days. With a day of the month the first period is the short way
 * from the anchor to that day.
 */
export const periodOfGrid = ({ anchor, at, timeZone, interval, day }: Grid): { charged: Period; regular: Period } => {
  const local = anchor.toZonedDateTimeISO(timeZone)
  const regular = gridPeriod(day === null ? local : before(local, day), interval, at, day)
  const start = isBefore(regular.start, anchor) ? anchor : regular.start
  return { charged: { start, end: regular.end }, regular }
}

/** The last such day, at its beginning, that is not after the anchor. */
const before = (local: Temporal.ZonedDateTime, day: number): Temporal.ZonedDateTime => {
  const here = onDay(local.startOfDay(), day)
  return Temporal.ZonedDateTime.compare(here, local) <= 0
    ? here
    : onDay(local.startOfDay().with({ day: 1 }).subtract({ months: 1 }), day)
}
const onDay = (local: Temporal.ZonedDateTime, day: number): Temporal.ZonedDateTime =>
  local.with({ day }, { overflow: 'constrain' })

const gridPeriod = (
  first: Temporal.ZonedDateTime,
  { unit, count }: Interval,
  at: Temporal.Instant,
  day: number | null,
): Period => {
  const boundary = (n: number): Temporal.Instant => {
    const moved = first.add({ [`${unit}s`]: count * n }, { overflow: 'constrain' })
    return (day === null ? moved : onDay(moved, day)).toInstant()
  }
  const zone = at.toZonedDateTimeISO(first.timeZoneId)
  const elapsed = first.until(zone, { largestUnit: unit })[`${unit}s`]
  let n = Math.floor(elapsed / count) - 1
  while (!isBefore(at, boundary(n + 1))) n++
  return { start: boundary(n), end: boundary(n + 1) }
}
