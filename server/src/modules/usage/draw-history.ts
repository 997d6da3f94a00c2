import type { Micro } from '../../core/quantity.ts'
import { type Anomaly, anomalyWeeks, findAnomaly } from './find-anomaly.ts'
import type { Hour } from './history/store.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const weekMs = 7 * dayMs

/** How the hours of a longer step become one number: what is added, what is the highest, or what was last. */
export type Joined = 'sum' | 'max' | 'last'

/** The beginnings of the steps between two times: hours of UTC, or days that begin at midnight of a time zone. */
export const stepsBetween = (step: 'hour' | 'day', timeZone: string, fromMs: number, toMs: number): number[] => {
  if (step === 'hour') {
    const first = Math.floor(fromMs / hourMs) * hourMs
    return Array.from({ length: Math.max(0, Math.ceil((toMs - first) / hourMs)) }, (_, n) => first + n * hourMs)
  }
  const steps: number[] = []
  let day = Temporal.Instant.fromEpochMilliseconds(fromMs).toZonedDateTimeISO(timeZone).startOfDay()
  while (day.epochMilliseconds < toMs) {
    steps.push(day.epochMilliseconds)
    // A day of the clock has 23 or 25 hours where the clock is put forward or back.
    day = day.add({ days: 1 }).startOfDay()
  }
  return steps
}

/** One point for each step, with nothing where nothing was used. An hour counts for the step in which it begins. */
export const joinHours = (steps: readonly number[], hours: readonly Hour[], how: Joined): Hour[] => {
  const points = steps.map((startMs) => ({ startMs, used: 0n }))
  let at = 0
  let level = 0n
  for (const [index, point] of points.entries()) {
    const end = points[index + 1]?.startMs ?? Number.POSITIVE_INFINITY
    if (how === 'last') point.used = level
    for (; at < hours.length && hours[at]!.startMs < end; at++) {
      const { startMs, used } = hours[at]!
      // What was set before the first step still stands at its beginning.
      if (how === 'last' || startMs >= point.startMs) point.used = joined(point.used, used, how)
      level = used
    }
  }
  return points
}

const joined = (before: Micro, next: Micro, how: Joined): Micro =>
  how === 'sum' ? before + next : how === 'max' ? (next > before ? next : before) : next

export type FoundAnomaly = Anomaly & { span: 'hour' | 'day'; startMs: number; endMs: number }

/**
 * What is unusual in the last whole hour and in the last 24 whole hours, beside the same of up to eight weeks before. Weeks
 * before the first usage do not count. `hours`: those since `anomalySince`.
 */
export const findAnomalies = (hours: readonly Hour[], firstMs: number | null, atMs: number): FoundAnomaly[] => {
  if (firstMs === null) return []
  const end = Math.floor(atMs / hourMs) * hourMs
  const sumOf = (fromMs: number, toMs: number): Micro =>
    hours.reduce((sum, { startMs, used }) => (startMs >= fromMs && startMs < toMs ? sum + used : sum), 0n)
  return (['hour', 'day'] as const).flatMap((span) => {
    const start = end - (span === 'hour' ? hourMs : dayMs)
    const past: Micro[] = []
    for (let weeks = 1; weeks <= anomalyWeeks && start - weeks * weekMs >= firstMs; weeks++)
      past.push(sumOf(start - weeks * weekMs, end - weeks * weekMs))
    const found = findAnomaly(sumOf(start, end), past)
    return found ? [{ ...found, span, startMs: start, endMs: end }] : []
  })
}

/** From when on the hours are needed to say what is unusual. */
export const anomalySince = (atMs: number): number => atMs - anomalyWeeks * weekMs - dayMs - hourMs
