import type { SubscriptionRecord } from './subscription.ts'
import type { EffectiveTime } from './transition.ts'

type Times = Pick<SubscriptionRecord, 'period' | 'trialEndsAt' | 'endsAt' | 'endedAt' | 'startedAt' | 'standing'>

/**
 * The exact time from which a change counts (SUB-8): the provider's where it tells one, else the time at which we saw it.
 * Never later than that: what was seen has happened.
 */
export const effectiveTimeOf = (
  effective: EffectiveTime,
  before: Times | null,
  after: Times,
  seenAt: Temporal.Instant,
): Temporal.Instant => earlier(told(effective, before, after) ?? seenAt, seenAt)

const told = (effective: EffectiveTime, before: Times | null, after: Times): Temporal.Instant | null => {
  switch (effective) {
    case 'started_at':
      return after.startedAt
    // A trial that was ended early ends where the first paid period begins.
    case 'trial_end':
      return before && isLater(after.period.start, before.period.start)
        ? after.period.start
        : (before?.trialEndsAt ?? null)
    case 'period_end':
      return before?.period.end ?? null
    case 'paused_at':
      return instantOrNull(after.standing.paused?.since ?? null)
    case 'ended_at':
      return after.endedAt
    // A period that has gone on dates what changed with it: a renewal, a change that waited for it, a new anchor.
    case 'period_start':
      return before && isLater(after.period.start, before.period.start) ? after.period.start : null
    case 'now':
      return null
  }
}

const isLater = (a: Temporal.Instant, b: Temporal.Instant): boolean => Temporal.Instant.compare(a, b) > 0
const earlier = (a: Temporal.Instant, b: Temporal.Instant): Temporal.Instant => (isLater(a, b) ? b : a)
const instantOrNull = (text: string | null): Temporal.Instant | null =>
  text === null ? null : Temporal.Instant.from(text)
