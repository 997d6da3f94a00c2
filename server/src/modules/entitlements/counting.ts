import { type CalendarUnit, calendarAt } from '../../core/period.ts'
import type { ResolvedEntitlement } from './resolve.ts'
import type { LiveWindow } from './window.ts'

export type Metered = Extract<ResolvedEntitlement, { kind: 'metered' }>

/** What a metered feature counts by, where it is not the usage period. */
export type FeatureWindow =
  | { kind: 'calendar'; unit: CalendarUnit; timeZone: string }
  | { kind: 'lifetime' }
  /** The hour that runs and so many whole hours before it. */
  | { kind: 'sliding'; hours: number }

/** The counters of a metered feature: how their span is called, and which of them holds a time. */
export type Counting = {
  entitlement: Metered
  span: string
  /** Null: the usage period, which is the customer's own. */
  windowAt: ((atMs: number) => LiveWindow) | null
  slidingHours: number | null
}

const hourMs = 3_600_000
const forever: LiveWindow = { startMs: 0, endMs: Date.parse('9999-12-31T00:00:00Z'), resetsAt: '9999-12-31T00:00:00Z' }

export const countingOf = (entitlement: Metered): Counting => {
  const { window } = entitlement
  if (!window) return { entitlement, span: 'period', windowAt: null, slidingHours: null }
  if (window.kind === 'lifetime') return { entitlement, span: 'lifetime', windowAt: () => forever, slidingHours: null }
  if (window.kind === 'sliding')
    return {
      entitlement,
      span: `sliding:${window.hours}`,
      windowAt: slidingWindow(window.hours),
      slidingHours: window.hours,
    }
  const unit = window.unit === 'hour' ? 'clock_hour' : window.unit
  return {
    entitlement,
    // Of another time zone it is another span: windows that begin together need not end together.
    span: window.timeZone === 'UTC' ? unit : `${unit}:${window.timeZone}`,
    windowAt: calendarWindow(window.unit, window.timeZone),
    slidingHours: null,
  }
}

/** As `calendarAt`, remembering the last window: nearly every question is about the same one, and calendars are slow. */
const calendarWindow = (unit: CalendarUnit, timeZone: string) => {
  let known: LiveWindow | null = null
  return (atMs: number): LiveWindow => {
    if (known && atMs >= known.startMs && atMs < known.endMs) return known
    const { start, end } = calendarAt(unit, timeZone, Temporal.Instant.fromEpochMilliseconds(atMs))
    known = { startMs: start.epochMilliseconds, endMs: end.epochMilliseconds, resetsAt: end.toString() }
    return known
  }
}

/** Something may leave the window when the hour that runs is over. */
const slidingWindow = (hours: number) => {
  let known: LiveWindow | null = null
  return (atMs: number): LiveWindow => {
    const hour = Math.floor(atMs / hourMs) * hourMs
    if (known?.endMs === hour + hourMs) return known
    const endMs = hour + hourMs
    known = {
      startMs: hour - hours * hourMs,
      endMs,
      resetsAt: Temporal.Instant.fromEpochMilliseconds(endMs).toString(),
    }
    return known
  }
}
