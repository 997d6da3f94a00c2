import { isTerminal, type SubscriptionRecord } from './subscription.ts'

type Ending = Pick<SubscriptionRecord, 'status' | 'endedAt'>

/**
 * When the last subscription ended; null while one lives, and for customers who never had one. A purchase that was begun
 * and not paid neither keeps a customer nor makes one leave.
 */
export const lastEnd = (subscriptions: readonly Ending[]): Temporal.Instant | null => {
  if (subscriptions.some(({ status }) => !isTerminal(status) && status !== 'incomplete')) return null
  const ends = subscriptions.flatMap(({ status, endedAt }) => (status === 'canceled' && endedAt ? [endedAt] : []))
  return ends.sort(Temporal.Instant.compare).at(-1) ?? null
}

/** Until when access is read-only after an end; null when the policy has no such time. Days are of 24 hours. */
export const readOnlyUntil = (
  endedAt: Temporal.Instant | null,
  policy: { readOnlyDays: number },
): Temporal.Instant | null =>
  endedAt === null || policy.readOnlyDays === 0 ? null : endedAt.add({ hours: 24 * policy.readOnlyDays })
