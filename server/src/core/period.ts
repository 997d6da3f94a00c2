/** Half-open: a renewal at midnight belongs to the next period. */
export type Period = { start: Temporal.Instant; end: Temporal.Instant }
export type IntervalUnit = 'day' | 'week' | 'month' | 'year'
export type Interval = { unit: IntervalUnit; count: number }

export const instantOf = (text: string): Temporal.Instant => Temporal.Instant.from(text)

const first = Temporal.Instant.from('0001-01-01T00:00:00Z')
const last = Temporal.Instant.from('9999-12-31T23:59:59.999999Z')

/** An instant that somebody sent; null when it is none, or not in a year that every reader of ours can write. */
export const instantOrNull = (text: string): Temporal.Instant | null => {
  try {
    const instant = Temporal.Instant.from(text)
    return isBefore(instant, first) || isBefore(last, instant) ? null : instant
  } catch {
    return null
  }
}

// PostgreSQL prints `2026-01-31 00:00:00+00`; Temporal reads RFC 3339.
export const instantOfRow = (text: string): Temporal.Instant =>
  Temporal.Instant.from(text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00'))
export const instantOfRowOrNull = (text: string | null): Temporal.Instant | null =>
  text === null ? null : instantOfRow(text)

export const isBefore = (a: Temporal.Instant, b: Temporal.Instant): boolean => Temporal.Instant.compare(a, b) < 0
export const contains = (period: Period, at: Temporal.Instant): boolean =>
  !isBefore(at, period.start) && isBefore(at, period.end)

/** The n-th boundary after the anchor: counted from the anchor, so that the 31st comes back after a short month. */
const boundary = (anchor: Temporal.ZonedDateTime, interval: Interval, n: number): Temporal.Instant =>
  anchor.add({ [`${interval.unit}s`]: interval.count * n }, { overflow: 'constrain' }).toInstant()

const averageDays = { day: 1, week: 7, month: 30.436875, year: 365.2425 } as const

/** The period of the grid from `anchor` that holds `at`. Months and years clamp to the last day of a short month. */
export const periodAt = (anchor: Temporal.Instant, interval: Interval, at: Temporal.Instant): Period => {
  const from = anchor.toZonedDateTimeISO('UTC')
  const days = (at.epochMilliseconds - anchor.epochMilliseconds) / 86_400_000
  let n = Math.floor(days / (averageDays[interval.unit] * interval.count))
  while (isBefore(at, boundary(from, interval, n))) n--
  while (!isBefore(at, boundary(from, interval, n + 1))) n++
  return { start: boundary(from, interval, n), end: boundary(from, interval, n + 1) }
}

export type CalendarUnit = 'hour' | IntervalUnit

/** The hour, day, week (from Monday on), month or year of a time zone that holds `at`. */
export const calendarAt = (unit: CalendarUnit, timeZone: string, at: Temporal.Instant): Period => {
  const local = at.toZonedDateTimeISO(timeZone)
  if (unit === 'hour') {
    const start = local.subtract({
      minutes: local.minute,
      seconds: local.second,
      milliseconds: local.millisecond,
      microseconds: local.microsecond,
      nanoseconds: local.nanosecond,
    })
    const hour = { start: start.toInstant(), end: start.add({ hours: 1 }).toInstant() }
    // Where the clock is put by half an hour, the hour is cut: it would reach into the one on the other side.
    const change = start.getTimeZoneTransition('next')?.toInstant()
    if (!change || !isBefore(change, hour.end)) return hour
    return isBefore(at, change) ? { ...hour, end: change } : { ...hour, start: change }
  }
  const day = local.startOfDay()
  const first =
    unit === 'day'
      ? day
      : unit === 'week'
        ? day.subtract({ days: day.dayOfWeek - 1 })
        : day.with(unit === 'month' ? { day: 1 } : { month: 1, day: 1 })
  // The first moment of a day is not midnight everywhere.
  const start = first.startOfDay()
  return {
    start: start.toInstant(),
    end: start
      .add({ [`${unit}s`]: 1 })
      .startOfDay()
      .toInstant(),
  }
}

/** The calendar month in UTC that holds `at`. */
export const calendarMonthAt = (at: Temporal.Instant): Period => {
  const start = at.toZonedDateTimeISO('UTC').with({ day: 1 }).startOfDay()
  return { start: start.toInstant(), end: start.add({ months: 1 }).toInstant() }
}
