import type { FieldError } from '../../core/errors.ts'
import { instantOrNull, isBefore, type Period } from '../../core/period.ts'
import { compare, type Exact, exactOf, fraction, isZero, times, zero } from './exact.ts'

type Sign = 'any' | 'not_negative' | 'positive'
type Text = string | number

/** Collects every mistake of a request with its field, so that a caller mends them in one go; at most 20 are told. */
export type Reader = {
  errors: FieldError[]
  report(field: string, message: string): void
  exact(field: string, value: Text, sign?: Sign): Exact
  exactOrNull(field: string, value: Text | undefined, sign?: Sign): Exact | null
  /** Percent as a factor: `2.9` is 0.029. */
  percent(field: string, value: Text, most?: number): Exact
  minor(field: string, value: Text): bigint
  instant(field: string, value: string): Temporal.Instant
  period(field: string, value: { start: string; end: string }): Period
}

export const newReader = (): Reader => {
  const errors: FieldError[] = []
  const report = (field: string, message: string) => {
    if (errors.length < 20) errors.push({ field, message })
  }
  const exact: Reader['exact'] = (field, value, sign = 'not_negative') => {
    const read = exactOf(value)
    if (read === null) {
      report(field, 'is no decimal of at most 18 digits before and after the point (a number: 15 in all; write text)')
      return zero
    }
    if (sign !== 'any' && compare(read, zero) < 0) report(field, 'must not be negative')
    if (sign === 'positive' && isZero(read)) report(field, 'must be more than zero')
    return read
  }
  const instant: Reader['instant'] = (field, value) => {
    const read = instantOrNull(value)
    if (read === null)
      report(
        field,
        'must be an instant of RFC 3339 with an offset between the years 1 and 9999, such as 2026-04-01T00:00:00Z',
      )
    return read ?? fallback
  }
  return {
    errors,
    report,
    exact,
    exactOrNull: (field, value, sign) => (value === undefined ? null : exact(field, value, sign)),
    percent: (field, value, most) => {
      const read = exact(field, value)
      if (most !== undefined && compare(read, fraction(BigInt(most), 1n)) > 0) report(field, `must be at most ${most}`)
      return times(read, fraction(1n, 100n))
    },
    minor: (field, value) => {
      const read = exact(field, value)
      if (read.d !== 1n) report(field, 'must be whole minor units')
      return read.n / read.d
    },
    instant,
    period: (field, value) => {
      const period = { start: instant(`${field}.start`, value.start), end: instant(`${field}.end`, value.end) }
      if (!isBefore(period.start, period.end)) report(`${field}.end`, 'must be after the start')
      else if (period.start.until(period.end).total('hours') > 1_100 * 24)
        report(`${field}.end`, 'must be at most 1,100 days after the start')
      return period
    },
  }
}

const fallback = Temporal.Instant.fromEpochMilliseconds(0)
