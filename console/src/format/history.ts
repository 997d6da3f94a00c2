import type { MeterUsage, UsageHistory } from '@turnpike/contract'
import { formatDay, formatInstant } from './dates.ts'
import { readerLocale } from './locale.ts'
import { formatUnits } from './quantity.ts'

/** `1 Dec` for a day of the customer's time zone, `1 Dec, 14:00` for an hour. */
export function historyLabel(start: string, step: 'hour' | 'day', timeZone: string, locale = readerLocale()): string {
  return new Intl.DateTimeFormat(locale, {
    day: 'numeric',
    month: 'short',
    ...(step === 'hour' ? { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } : {}),
    timeZone,
  }).format(new Date(start))
}

/** What stands out, without saying that anything is wrong. */
export function anomalySentence(anomaly: UsageHistory['anomalies'][number], unit: string): string {
  const span = anomaly.span === 'hour' ? 'the last whole hour' : 'the last 24 hours'
  return `Unusually ${anomaly.kind === 'high' ? 'much' : 'little'} in ${span}: ${formatUnits(anomaly.value, unit)}, where the same time of past weeks had about ${formatUnits(anomaly.expected, unit)}.`
}

/** Where the meter is going at the pace of the last week; nothing when that is not known. */
export function projectionSentence(meter: MeterUsage): string | null {
  const { projection } = meter
  if (!projection) return null
  const expected = `At the pace of the last week, about ${formatUnits(projection.used, meter.unit)} by ${formatDay(meter.window.end)}`
  return projection.limitReachedAt === null
    ? `${expected}.`
    : `${expected}; the limit would be reached on ${formatInstant(projection.limitReachedAt)}.`
}
