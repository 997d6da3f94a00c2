import type { MeterUsage } from '@turnpike/contract'
import { formatInstant } from './dates.ts'
import { formatQuantity, formatUnits, plural } from './quantity.ts'
import type { Tone } from './words.ts'

export type MeterView = {
  /** `8,730 of 10,000 calls`. */
  figure: string
  /** What that means and until when. */
  sentence: string
  tone: Tone
  /** Filled share of the bar, 0 to 100; null where there is nothing to measure against. */
  fill: number | null
  /** Where on the bar the included part ends, when usage may go on above it. */
  includedAt: number | null
  /** A full bar that refuses is hatched, so that it is not told by colour alone. */
  hatched: boolean
  state: MeterUsage['state'] | 'unlimited' | 'overage' | 'not_included'
}

/** Levels and counts that never start again have one window, up to the last day that there is. */
export const isForLife = (meter: MeterUsage): boolean => meter.window.end.startsWith('9999-')

/** A meter in words and proportions: the four states, and unlimited, overage and not included. */
export function viewMeter(meter: MeterUsage): MeterView {
  const { used, included, limit, unit } = meter
  const ceiling = limit ?? included
  const units = plural(2, unit)
  const resets = isForLife(meter) ? null : formatInstant(meter.window.end)
  const untilThen = resets ? ` until ${resets}` : ''
  const again = resets ? ` The count starts again on ${resets}.` : ''
  const share = (part: number) => (ceiling ? Math.min(100, Math.max(0, (part / ceiling) * 100)) : 0)
  const base = {
    figure: ceiling === null ? formatUnits(used, unit) : `${formatQuantity(used)} of ${formatUnits(ceiling, unit)}`,
    fill: ceiling === null ? null : share(used),
    includedAt: limit !== null && included !== null && included < limit ? share(included) : null,
    hatched: false,
  }
  const refused =
    meter.refusedAttempts > 0
      ? ` ${formatQuantity(meter.refusedAttempts)} ${plural(meter.refusedAttempts, 'attempt was', 'attempts were')} refused.`
      : ''

  if (ceiling === null) {
    return { ...base, state: 'unlimited', tone: 'neutral', sentence: `No limit.${again}` }
  }
  if (ceiling === 0) {
    const sentence = `Your plan does not include ${units}.${refused}`
    return { ...base, figure: formatUnits(used, unit), fill: null, state: 'not_included', tone: 'neutral', sentence }
  }
  if (meter.state === 'blocked' || meter.state === 'upgrade_available') {
    const sentence = `New ${units} are refused${untilThen}.${refused}`
    return { ...base, fill: 100, hatched: true, state: meter.state, tone: 'danger', sentence }
  }
  if (meter.overage > 0) {
    const over = `${formatUnits(meter.overage, unit)} above the ${formatQuantity(included ?? ceiling)} included`
    const cap =
      limit !== null && included !== null && included < limit
        ? ` Refused from ${formatQuantity(limit)} on.`
        : ' Nothing is refused.'
    return {
      ...base,
      state: 'overage',
      tone: 'warning',
      sentence: `${over}.${cap}${again}`,
    }
  }
  const left = meter.remaining === null ? '' : `${formatQuantity(meter.remaining)} left${untilThen}.`
  if (meter.state === 'nearing_limit') {
    const sentence = `${wholePercent(meter)}% used. ${left}${refused}`.trim()
    return { ...base, state: 'nearing_limit', tone: 'warning', sentence }
  }
  return { ...base, state: 'available', tone: 'neutral', sentence: `${left}${refused}`.trim() }
}

/** `2 meters are fine, 1 is near its limit, 1 has reached it.` */
export function summariseMeters(meters: MeterUsage[]): string {
  const count = (...states: MeterView['state'][]) =>
    meters.filter((meter) => states.includes(viewMeter(meter).state)).length
  const part = (number: number, one: string, many: string) =>
    number === 0 ? [] : [`${number} ${plural(number, one, many)}`]
  const parts = [
    ...part(count('available', 'unlimited', 'not_included'), 'meter is fine', 'meters are fine'),
    ...part(count('nearing_limit'), 'is near its limit', 'are near their limit'),
    ...part(count('overage'), 'is above what is included', 'are above what is included'),
    ...part(count('blocked', 'upgrade_available'), 'has reached its limit', 'have reached their limit'),
  ]
  return parts.length === 0 ? 'No meters yet.' : `${parts.join(', ')}.`
}

/** The meters that need attention first. */
export function byUrgency(a: MeterUsage, b: MeterUsage): number {
  return shareUsed(b) - shareUsed(a) || a.name.localeCompare(b.name, 'en')
}

const shareUsed = (meter: MeterUsage): number =>
  meter.state === 'blocked' || meter.state === 'upgrade_available' ? Number.POSITIVE_INFINITY : (meter.percent ?? -1)

// Rounded down: 99.9 % used is not a limit reached.
const wholePercent = (meter: MeterUsage): number => Math.floor(meter.percent ?? 0)
