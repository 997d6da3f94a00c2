import { isBefore, type Period } from '../../core/period.ts'
import type { UsagePeriod } from './usage-period.ts'

type OpenPeriod = Pick<UsagePeriod, 'periodId' | 'subscriptionId' | 'period' | 'regular' | 'byRecords'>

/** The window in which a customer's usage counts now, and the subscription that pays for it. */
export type WindowInForce = { subscriptionId: string; window: Period }

export type PeriodChanges<P extends OpenPeriod> = {
  /** Never came to pass: a window that began elsewhere took their place. */
  removed: P[]
  /** Begins as before and ends at another time. */
  moved: P[]
  opened: { subscriptionId: string; period: Period; regular: Period; byRecords: boolean } | null
}

/**
 * What the window in force means for the periods that are not rated yet: one of them is current, those that it cuts short
 * end where it begins, and those of a subscription that has ended end with it. What is rated stays as it is, so a window
 * that reaches into it begins where it ends. Pure; the same window again changes nothing.
 */
export const followPeriods = <P extends OpenPeriod>(
  open: readonly P[],
  ratedUntil: Temporal.Instant | null,
  inForce: WindowInForce | null,
  endOf: (subscriptionId: string) => Temporal.Instant | null,
): PeriodChanges<P> => {
  const changes: PeriodChanges<P> = { removed: [], moved: [], opened: null }
  const over: P[] = []
  const living: P[] = []
  for (const period of open) {
    const end = endOf(period.subscriptionId)
    if (end === null) living.push(period)
    else if (!isBefore(period.period.start, end)) changes.removed.push(period)
    else {
      const cut = isBefore(end, period.period.end) ? endingAt(period, end) : period
      if (cut !== period) changes.moved.push(cut)
      over.push(cut)
    }
  }
  // A window that is rated is past: the provider has not told of the next one yet.
  if (inForce === null || (ratedUntil !== null && !isBefore(ratedUntil, inForce.window.end))) return changes
  const start = latest(inForce.window.start, ratedUntil, ...over.map(({ period }) => period.end))
  const end = inForce.window.end
  if (!isBefore(start, end)) return changes
  let found = false
  let cutsIn = !start.equals(inForce.window.start)
  for (const period of living) {
    const isSame = period.subscriptionId === inForce.subscriptionId && period.period.start.equals(start)
    if (isSame) {
      found = true
      if (!period.period.end.equals(end))
        changes.moved.push({ ...period, period: { start, end }, regular: inForce.window })
    } else if (!isBefore(period.period.start, start)) changes.removed.push(period)
    else if (isBefore(start, period.period.end)) {
      changes.moved.push(endingAt(period, start))
      cutsIn = true
    }
  }
  if (!found)
    changes.opened = {
      subscriptionId: inForce.subscriptionId,
      period: { start, end },
      regular: inForce.window,
      // What was used until the change was heard of stands in the counter of the window before.
      byRecords: cutsIn,
    }
  return changes
}

const endingAt = <P extends OpenPeriod>(period: P, end: Temporal.Instant): P => ({
  ...period,
  period: { start: period.period.start, end },
  byRecords: true,
})

const latest = (first: Temporal.Instant, ...others: (Temporal.Instant | null)[]): Temporal.Instant =>
  others.reduce<Temporal.Instant>((last, at) => (at !== null && isBefore(last, at) ? at : last), first)
