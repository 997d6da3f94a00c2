import type { Period } from '../../core/period.ts'
import { type Exact, fraction, one } from './exact.ts'
import type { ProrationRules, RatingInput } from './price.ts'

/** What stands at an end of a part of a period; for parts in days it decides who pays for the day. */
export type Edge = { at: Temporal.Instant; is: 'start' | 'end' | 'period' | 'old_ends' | 'new_begins' }
type Ruler = Pick<RatingInput, 'period' | 'regularPeriod' | 'newRegularPeriod' | 'timeZone'> & {
  settings: { proration: ProrationRules }
}

/** Conventions 1 and 2: the share of a price that is due for the time between two edges. Never below zero. */
export const shareOf = (ruler: Ruler, from: Edge, to: Edge): Exact => {
  const { period, regularPeriod, settings } = ruler
  // A whole regular period pays the whole price, whatever the length of a month is taken for.
  const isRegular = isSame(period, regularPeriod)
  if (isRegular && from.at.equals(period.start) && to.at.equals(period.end)) return one
  const place = (edge: Edge): bigint => placeOf(ruler, edge.at, settings.proration.basis) + ownedDay(ruler, edge)
  const length = place(to) - place(from)
  return length <= 0n ? fraction(0n, 1n) : fraction(length, denominatorOf(ruler))
}

/** The share of its regular period that the charged period is: what commitments and included quantities shrink with. */
export const shareOfPeriod = (ruler: Ruler, start = ruler.period.start, end = ruler.period.end): Exact =>
  shareOf(ruler, { at: start, is: 'start' }, { at: end, is: 'end' })

const isSame = (a: Period, b: Period): boolean => a.start.equals(b.start) && a.end.equals(b.end)

const denominatorOf = (ruler: Ruler): bigint => {
  const { basis, denominator } = ruler.settings.proration
  if (denominator === 'standard_month') {
    const days = BigInt(monthsIn(ruler.regularPeriod, ruler.timeZone) * 30)
    return basis === 'second' || basis === 'none' ? days * 86_400n : days
  }
  const { start, end } = denominator === 'old_period' ? ruler.regularPeriod : ruler.newRegularPeriod
  const length = placeOf(ruler, end, basis) - placeOf(ruler, start, basis)
  return length > 0n ? length : 1n
}

/** Where an instant stands on the scale of the basis: seconds (parts are cut), local days, or days of months of thirty. */
const placeOf = ({ timeZone }: Ruler, at: Temporal.Instant, basis: ProrationRules['basis']): bigint => {
  if (basis === 'second' || basis === 'none') return BigInt(Math.floor(at.epochMilliseconds / 1_000))
  const date = at.toZonedDateTimeISO(timeZone).toPlainDate()
  return BigInt(basis === 'day' ? dayNumber(date) : thirtieth(date))
}

const epoch = Temporal.PlainDate.from('1970-01-01')
const dayNumber = (date: Temporal.PlainDate): number => epoch.until(date).days
// Each month has thirty days: the 31st is the 30th, and February lacks none.
const thirtieth = (date: Temporal.PlainDate): number => date.year * 360 + date.month * 30 + Math.min(date.day, 30)

const monthsIn = ({ start, end }: Period, timeZone: string): number => {
  const date = (at: Temporal.Instant): number => thirtieth(at.toZonedDateTimeISO(timeZone).toPlainDate())
  return Math.max(1, Math.round((date(end) - date(start)) / 30))
}

/** One more day for a part that owns the day on which it ends, one less for a part that does not own the day it begins. */
const ownedDay = ({ settings: { proration } }: Ruler, { is }: Edge): bigint => {
  if (proration.basis === 'second' || proration.basis === 'none') return 0n
  const { dayOfChange, dayOfEnd } = proration
  if (is === 'old_ends') return dayOfChange === 'old' || dayOfChange === 'both' ? 1n : 0n
  if (is === 'new_begins') return dayOfChange === 'old' || dayOfChange === 'neither' ? 1n : 0n
  return is === 'end' && dayOfEnd === 'counted' ? 1n : 0n
}
