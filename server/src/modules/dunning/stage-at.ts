import type { CatalogDunning } from '@turnpike/contract'

type Stage = CatalogDunning['stages'][number]['access']
/** Where a case of dunning stands at a time. `nextAt` is when the next stage begins, or when the subscription is due to end. */
export type StageAt = {
  stage: Stage | null
  since: Temporal.Instant | null
  next: Stage | 'canceled' | null
  nextAt: Temporal.Instant | null
}

/** A time at which the customer is told something. */
export type Moment = StageAt & { kind: 'stage' | 'reminder'; at: Temporal.Instant }

/** Days of dunning are of 24 hours, so that a stage begins at the same time for everybody whatever their clocks do. */
const daysAfter = (start: Temporal.Instant, days: number): Temporal.Instant => start.add({ hours: 24 * days })

/** When the policy ends the subscription; null when it leaves that to the provider. */
export const endsAfter = (policy: CatalogDunning, startedAt: Temporal.Instant): Temporal.Instant | null =>
  policy.cancelAfterDays === null ? null : daysAfter(startedAt, policy.cancelAfterDays)

/**
 * The stage that was reached (DUN-1). Depends on the policy, the provider's time of the invoice and the time asked about, and
 * on nothing else: neither on when we heard of it nor on whether anybody was looking.
 */
export const stageAt = (policy: CatalogDunning, startedAt: Temporal.Instant, at: Temporal.Instant): StageAt => {
  const reached = policy.stages.filter(
    ({ afterDays }) => Temporal.Instant.compare(daysAfter(startedAt, afterDays), at) <= 0,
  )
  const now = reached.at(-1)
  const following = policy.stages[reached.length]
  return {
    stage: now?.access ?? null,
    since: now ? daysAfter(startedAt, now.afterDays) : null,
    next: following?.access ?? (policy.cancelAfterDays === null ? null : 'canceled'),
    nextAt: following ? daysAfter(startedAt, following.afterDays) : endsAfter(policy, startedAt),
  }
}

/** When access falls by itself after `at`: the end of the subscription is not such a time, because the provider confirms it. */
export const nextAccessChange = (
  policy: CatalogDunning,
  startedAt: Temporal.Instant,
  at: Temporal.Instant,
): Temporal.Instant | null => {
  const { next, nextAt } = stageAt(policy, startedAt, at)
  return next === 'canceled' ? null : nextAt
}

/** All times at which something is told, in order. A reminder on the day of a stage says nothing that the stage does not. */
const momentsOf = (policy: CatalogDunning, startedAt: Temporal.Instant): Moment[] => {
  const days = new Map<number, Moment['kind']>((policy.reminders ?? []).map((day) => [day, 'reminder']))
  for (const { afterDays } of policy.stages) days.set(afterDays, 'stage')
  return [...days]
    .sort(([a], [b]) => a - b)
    .map(([day, kind]) => {
      const at = daysAfter(startedAt, day)
      return { kind, at, ...stageAt(policy, startedAt, at) }
    })
}

/** What was to be told after one time up to another, each once and in order, however long nobody was there to tell it. */
export const momentsBetween = (
  policy: CatalogDunning,
  startedAt: Temporal.Instant,
  after: Temporal.Instant | null,
  until: Temporal.Instant,
): Moment[] =>
  momentsOf(policy, startedAt).filter(
    ({ at }) => Temporal.Instant.compare(at, until) <= 0 && (after === null || Temporal.Instant.compare(at, after) > 0),
  )

/** When a case has to be looked at again after a time: the next thing to tell, or the end. */
export const nextDue = (
  policy: CatalogDunning,
  startedAt: Temporal.Instant,
  after: Temporal.Instant,
): Temporal.Instant | null => {
  const end = endsAfter(policy, startedAt)
  const times = [...momentsOf(policy, startedAt).map(({ at }) => at), ...(end ? [end] : [])]
  const coming = times.filter((at) => Temporal.Instant.compare(at, after) > 0).sort(Temporal.Instant.compare)
  // An end that is due stays due until the provider has confirmed it.
  return end && Temporal.Instant.compare(end, after) <= 0 ? end : (coming[0] ?? null)
}
