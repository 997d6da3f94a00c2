import type { Invoice, Subscription } from '../objects/types.ts'
import { clockNow, type World } from '../world.ts'

/** How far one press of a button moves the clock. */
export const levers: Readonly<Record<string, { words: string; by: Temporal.DurationLike }>> = {
  hour: { words: 'One hour', by: { hours: 1 } },
  day: { words: 'One day', by: { days: 1 } },
  week: { words: 'One week', by: { weeks: 1 } },
  month: { words: 'One month', by: { months: 1 } },
}

/** Where a lever moves the clock to, in unix seconds; null when there is no such lever, or nothing to move to. */
export function leverTarget(world: World, lever: string): number | null {
  if (lever === 'renewal') return nextBilled(world)
  if (!Object.hasOwn(levers, lever)) return null
  const now = Temporal.Instant.fromEpochMilliseconds(clockNow(world) * 1000).toZonedDateTimeISO('UTC')
  return Math.floor(now.add(levers[lever]!.by).epochMilliseconds / 1000)
}

/** When the next renewal is over: its invoice was a draft for its hour, and was collected. */
export function nextBilled(world: World): number | null {
  const now = clockNow(world)
  const renewals = world.store
    .list('subscription')
    .map((body) => JSON.parse(body) as Subscription)
    .filter(({ status, test_clock: clock }) => !clock && ['active', 'trialing', 'past_due', 'unpaid'].includes(status))
    .filter(({ cancel_at: end, _: own }) => own.nextPeriodEnd > now && (end === null || end > own.nextPeriodEnd))
    .map(({ _: own }) => own.nextPeriodEnd)
    .map((end) => end + world.settings.draftSeconds)
  // One that has begun is not over while its invoice is a draft.
  const drafts = world.store
    .list('invoice')
    .map((body) => JSON.parse(body) as Invoice)
    .filter(({ status, test_clock: clock, auto_advance: advances }) => !clock && status === 'draft' && advances)
    .flatMap(({ automatically_finalizes_at: at }) => (at !== null && at >= now ? [at] : []))
  const ends = [...renewals, ...drafts]
  return ends.length === 0 ? null : Math.min(...ends) + 60
}
