import { calendarMonthAt, contains, instantOf, isBefore, type Period, periodAt } from '../../core/period.ts'
import type { WindowRule } from './resolve.ts'

/**
 * The usage period that holds a time. Outside the known billing period the grid of its anchor goes on, so that usage
 * right after a renewal counts in the new period even before the provider has told us of it.
 */
export const windowAt = (rule: WindowRule, at: Temporal.Instant): Period => {
  if (rule.kind === 'calendar_month') return calendarMonthAt(at)
  const billed = billingPeriodAt(rule, at)
  if (!rule.countedBy) return billed
  // Parts of the billing period: the first begins and the last ends with it.
  const part = periodAt(instantOf(rule.anchor), rule.countedBy, at)
  return {
    start: isBefore(part.start, billed.start) ? billed.start : part.start,
    end: isBefore(billed.end, part.end) ? billed.end : part.end,
  }
}

/**
 * The usage period that a rule stands for at a time: of its own billing period, whether that has begun or is over by our
 * clock. Null for those who have none.
 */
export const usagePeriodInForce = (rule: WindowRule, at: Temporal.Instant): Period | null => {
  if (rule.kind === 'calendar_month') return null
  const [start, end] = [instantOf(rule.start), instantOf(rule.end)]
  const inside = isBefore(at, start) ? start : isBefore(at, end) ? at : end.subtract({ nanoseconds: 1 })
  return windowAt(rule, inside)
}

const billingPeriodAt = (rule: Extract<WindowRule, { kind: 'billing_period' }>, at: Temporal.Instant): Period => {
  const known = { start: instantOf(rule.start), end: instantOf(rule.end) }
  if (contains(known, at)) return known
  const grid = periodAt(instantOf(rule.anchor), rule.interval, at)
  // The known period wins where the grid would overlap it.
  if (Temporal.Instant.compare(at, known.end) >= 0)
    return Temporal.Instant.compare(grid.start, known.end) < 0 ? { start: known.end, end: grid.end } : grid
  return Temporal.Instant.compare(grid.end, known.start) > 0 ? { start: grid.start, end: known.start } : grid
}

/** A window as hot paths need it: epoch milliseconds, and the end as answers print it. */
export type LiveWindow = { startMs: number; endMs: number; resetsAt: string }

/** As `windowAt`, remembering the last window: nearly every question is about the same one, and calendars are slow. */
export const rememberWindow = (rule: WindowRule): ((atMs: number) => LiveWindow) => {
  let known: LiveWindow | null = null
  return (atMs) => {
    if (known && atMs >= known.startMs && atMs < known.endMs) return known
    const { start, end } = windowAt(rule, Temporal.Instant.fromEpochMilliseconds(atMs))
    const window = { startMs: start.epochMilliseconds, endMs: end.epochMilliseconds, resetsAt: end.toString() }
    // Windows of a provider begin on whole seconds; one that did not could not be told apart in milliseconds.
    if (start.epochNanoseconds % 1_000_000n === 0n && end.epochNanoseconds % 1_000_000n === 0n) known = window
    return window
  }
}
