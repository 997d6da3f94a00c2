import { calendarMonthAt, contains, instantOf, type Period, periodAt } from '../../core/period.ts'
import type { WindowRule } from './resolve.ts'

/**
 * The counting window that holds a time. Outside the known billing period the grid of its anchor goes on, so that usage
 * right after a renewal counts in the new period even before the provider has told us of it.
 */
export const windowAt = (rule: WindowRule, at: Temporal.Instant): Period => {
  if (rule.kind === 'calendar_month') return calendarMonthAt(at)
  const known = { start: instantOf(rule.start), end: instantOf(rule.end) }
  if (contains(known, at)) return known
  const grid = periodAt(instantOf(rule.anchor), rule.interval, at)
  // The known period wins where the grid would overlap it.
  if (Temporal.Instant.compare(at, known.end) >= 0)
    return Temporal.Instant.compare(grid.start, known.end) < 0 ? { start: known.end, end: grid.end } : grid
  return Temporal.Instant.compare(grid.end, known.start) > 0 ? { start: grid.start, end: known.start } : grid
}
