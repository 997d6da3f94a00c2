import { readerLocale } from './locale.ts'

/** The zone that billing counts in. Every printed time names it: 1 December 00:00 UTC is 30 November in Los Angeles. */
const billingZone = 'UTC'

/** `1 Dec 2026`, in the billing zone. */
export function formatDay(instant: string, locale = readerLocale()): string {
  return formatter(locale, { day: 'numeric', month: 'short', year: 'numeric' }).format(new Date(instant))
}

/** `1 Dec 2026, 00:00 UTC`. */
export function formatInstant(instant: string, options: { seconds?: boolean; locale?: string } = {}): string {
  const locale = options.locale ?? readerLocale()
  const clock = formatter(locale, {
    hour: '2-digit',
    minute: '2-digit',
    ...(options.seconds ? { second: '2-digit' } : {}),
    hourCycle: 'h23',
  }).format(new Date(instant))
  return `${formatDay(instant, locale)}, ${clock} ${billingZone}`
}

/** `14:03 UTC`, for moments of today. */
export function formatClock(instant: string, locale = readerLocale()): string {
  return `${formatter(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date(instant))} ${billingZone}`
}

/** `1 – 30 Nov 2026`: ends are exclusive, so the last day shown is the last one that belongs to the period. */
export function formatPeriod(period: { start: string; end: string }, locale = readerLocale()): string {
  const lastMoment = new Date(Math.max(Date.parse(period.end) - 1, Date.parse(period.start)))
  return formatter(locale, { day: 'numeric', month: 'short', year: 'numeric' }).formatRange(
    new Date(period.start),
    lastMoment,
  )
}

/** `in 3 days`, `4 minutes ago`: only beside an exact time, never instead of one. */
export function formatDistance(instant: string, now: number, locale = readerLocale()): string {
  const seconds = Math.round((Date.parse(instant) - now) / 1000)
  const [size, unit] = steps.find(([size]) => Math.abs(seconds) >= size) ?? [1, 'second']
  return new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(Math.trunc(seconds / size), unit)
}

const steps: [number, Intl.RelativeTimeFormatUnit][] = [
  [31_536_000, 'year'],
  [2_592_000, 'month'],
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
]

const formatters = new Map<string, Intl.DateTimeFormat>()
function formatter(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${JSON.stringify(options)}`
  const known = formatters.get(key)
  if (known) return known
  const made = new Intl.DateTimeFormat(locale, { ...options, timeZone: billingZone })
  formatters.set(key, made)
  return made
}
