import type { Interval } from '../objects/types.ts'

type Cycle = { interval: Interval; interval_count: number }

const second = 1000

/** `count` intervals after an anchor: months clamp to their last day and return to the anchor's day afterwards. */
export function stepFrom(anchor: number, cycle: Cycle, steps: number): number {
  const amount = cycle.interval_count * steps
  if (cycle.interval === 'day') return anchor + amount * 86_400
  if (cycle.interval === 'week') return anchor + amount * 7 * 86_400
  return addMonths(anchor, cycle.interval === 'year' ? amount * 12 : amount)
}

export function addMonths(from: number, months: number): number {
  const date = new Date(from * second)
  const month = date.getUTCMonth() + months
  const year = date.getUTCFullYear() + Math.floor(month / 12)
  const inYear = ((month % 12) + 12) % 12
  const lastDay = new Date(Date.UTC(year, inYear + 1, 0)).getUTCDate()
  const day = Math.min(date.getUTCDate(), lastDay)
  return Date.UTC(year, inYear, day, date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()) / second
}

/** The period [start, end) of the anchored cycle that contains `at`. */
export function periodAt(anchor: number, cycle: Cycle, at: number): { start: number; end: number } {
  const length = { day: 1, week: 7, month: 30.436875, year: 365.2425 }[cycle.interval] * 86_400 * cycle.interval_count
  let step = Math.floor((at - anchor) / length) - 1
  while (stepFrom(anchor, cycle, step + 1) <= at) step++
  return { start: stepFrom(anchor, cycle, step), end: stepFrom(anchor, cycle, step + 1) }
}

/**
 * The end of the period that starts at `at`. An item that changed its interval starts on a day of the anchor without lying
 * on the new interval's grid: its period is whole all the same, and the anchor's day of the month is kept.
 */
export function nextBoundary(anchor: number, cycle: Cycle, at: number): number {
  if (cycle.interval === 'month' || cycle.interval === 'year') {
    const months = monthsBetween(anchor, at)
    if (addMonths(anchor, months) === at)
      return addMonths(anchor, months + cycle.interval_count * (cycle.interval === 'year' ? 12 : 1))
  }
  return periodAt(anchor, cycle, at).end
}

function monthsBetween(anchor: number, at: number): number {
  const from = new Date(anchor * second)
  const to = new Date(at * second)
  return (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth()
}
