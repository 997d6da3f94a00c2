import type { RatingPreviewRequest } from '@turnpike/contract'
import { type Fraction, nothing } from './slow-price.ts'

/** Days that are counted one by one, on the calendar of a time zone. */
export const ms = (at: string): number => Date.parse(at)
export const localDate = (at: number, timeZone: string): string =>
  Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone).toPlainDate().toString()
export const monthsLater = (from: string, months: number, timeZone: string): number =>
  Temporal.Instant.from(from).toZonedDateTimeISO(timeZone).add({ months }).epochMilliseconds
const nextDay = (date: string): string => Temporal.PlainDate.from(date).add({ days: 1 }).toString()
export const startOfDay = (date: string, timeZone: string): number =>
  Temporal.PlainDate.from(date).toZonedDateTime(timeZone).epochMilliseconds

const daysBetween = (from: string, to: string): string[] => {
  const days: string[] = []
  for (let day = from; day < to; day = nextDay(day)) days.push(day)
  return days
}
/** Of months of thirty days: the 31st is no day, the end of February is as many as are missing. */
const thirtiethsBetween = (from: string, to: string): number => {
  const place = (date: string) => {
    const [year, month, day] = date.split('-').map(Number)
    return (year! * 12 + month!) * 30 + Math.min(day!, 30)
  }
  return place(to) - place(from)
}

/** `kind`: the edge of the period, a start or end by itself, or a change from an old to a new. */
export type Mark = { at: number; kind: 'period' | 'start' | 'end' | 'change' }

/** Which share of the price of a regular period is due between two marks. */
export const slowShare = (
  request: RatingPreviewRequest,
  from: Mark,
  to: Mark,
  side: 'own' | 'rest_of_old' = 'own',
): Fraction => {
  const { settings, period } = request
  const {
    basis = 'second',
    denominator = 'old_period',
    dayOfChange = 'new',
    dayOfEnd = 'not_counted',
  } = settings?.proration ?? {}
  const regular = request.regularPeriod ?? period!
  const next = request.newRegularPeriod ?? regular
  const isWhole = ms(regular.start) === ms(period!.start) && ms(regular.end) === ms(period!.end)
  if (isWhole && from.at === ms(regular.start) && to.at === ms(regular.end)) return [1n, 1n]
  const zone = request.timeZone ?? 'UTC'
  const date = (at: number) => localDate(at, zone)
  const count = (a: number, b: number): number => {
    if (basis === 'thirtieths') return thirtiethsBetween(date(a), date(b))
    return basis === 'day' ? daysBetween(date(a), date(b)).length : Math.floor(b / 1000) - Math.floor(a / 1000)
  }
  let length = count(from.at, to.at)
  if (basis === 'day' || basis === 'thirtieths') {
    const oldPays = dayOfChange === 'old' || dayOfChange === 'both'
    const newPays = dayOfChange === 'new' || dayOfChange === 'both'
    // What is given back of an old price begins after the day that the old one pays.
    if (from.kind === 'change' && (side === 'own' ? !newPays : oldPays)) length -= 1
    if (from.kind === 'end' && side === 'rest_of_old' && dayOfEnd === 'counted') length -= 1
    if (to.kind === 'change' && oldPays) length += 1
    if (to.kind === 'end' && dayOfEnd === 'counted') length += 1
  }
  if (length <= 0) return nothing
  const months = Math.max(1, Math.round(thirtiethsBetween(date(ms(regular.start)), date(ms(regular.end))) / 30))
  const span =
    denominator === 'standard_month'
      ? months * 30 * (basis === 'day' || basis === 'thirtieths' ? 1 : 86_400)
      : denominator === 'new_period'
        ? count(ms(next.start), ms(next.end))
        : count(ms(regular.start), ms(regular.end))
  return [BigInt(length), BigInt(Math.max(span, 1))]
}
