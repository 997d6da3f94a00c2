import type { CatalogPolicies } from '@turnpike/contract'
import type { SubscriptionRecord } from './subscription.ts'

type ReminderKind = 'trial_ending' | 'renewal_upcoming'
export type Reminder = { kind: ReminderKind; about: Temporal.Instant }
type Remindable = Pick<SubscriptionRecord, 'status' | 'interval' | 'period' | 'trialEndsAt' | 'endsAt'>

/** How many days before an event customers are reminded, with what holds where the catalog says nothing. */
export const reminderDaysOf = (
  policy: CatalogPolicies['reminders'],
): { trialEnding: number; renewal: Partial<Record<SubscriptionRecord['interval']['unit'], number>> } => ({
  trialEnding: policy?.trialEndingDays ?? 3,
  renewal: policy?.renewalDays ?? { year: 7 },
})

/**
 * What a customer is to be reminded of at a time (SUB-3): that a trial ends, that a subscription renews. Only of what goes
 * on: a subscription that was canceled does not renew, and its trial ends as its customer wished. `about` names the event,
 * so that each is announced once.
 */
export const reminderOf = (
  subscription: Remindable,
  policy: CatalogPolicies['reminders'],
  at: Temporal.Instant,
): Reminder | null => {
  if (subscription.endsAt) return null
  const days = reminderDaysOf(policy)
  const within = (about: Temporal.Instant, before: number | undefined) =>
    before !== undefined &&
    before > 0 &&
    Temporal.Instant.compare(at, about) < 0 &&
    Temporal.Instant.compare(at, about.subtract({ hours: 24 * before })) >= 0
  if (subscription.status === 'trialing')
    return subscription.trialEndsAt && within(subscription.trialEndsAt, days.trialEnding)
      ? { kind: 'trial_ending', about: subscription.trialEndsAt }
      : null
  return subscription.status === 'active' && within(subscription.period.end, days.renewal[subscription.interval.unit])
    ? { kind: 'renewal_upcoming', about: subscription.period.end }
    : null
}
