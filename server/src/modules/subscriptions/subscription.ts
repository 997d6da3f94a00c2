import type { AccessLevel, PendingChange, SubscriptionStatus } from '@turnpike/contract'
import type { Static } from 'typebox'
import type { Interval, Period } from '../../core/period.ts'

/** The agreement of one customer to one plan, as the provider last validated it. */
export type SubscriptionRecord = {
  tenantId: string
  subscriptionId: string
  customerId: string
  provider: string
  providerSubscriptionId: string
  plan: string
  planVersion: number
  price: string
  currency: string
  interval: Interval
  seats: number
  addOns: { addOn: string; quantity: number }[]
  status: SubscriptionStatus
  period: Period
  anchor: Temporal.Instant
  trialEndsAt: Temporal.Instant | null
  endsAt: Temporal.Instant | null
  endedAt: Temporal.Instant | null
  pendingChange: Static<typeof PendingChange> | null
  standing: Standing
  /** What the provider last said of it that was recorded and not applied: so that it is recorded once. */
  noted: string | null
  startedAt: Temporal.Instant
  updatedAt: Temporal.Instant
}

/** What else stands about it at the provider. Plain JSON: this is how it is stored. */
type Standing = {
  paymentMethodOnFile: boolean
  /** Why and since when its status is `paused`. */
  paused: { reason: string | null; since: string | null } | null
  /** Its invoices are not collected for a while, which leaves the status as it is. */
  collectionPaused: { behavior: string; resumesAt: string | null } | null
  /** By the provider's coupon; absent where there never was one. */
  discounts?: { couponId: string; startsAt: string; endsAt: string | null }[]
}

/** Statuses that nothing leads out of (SUB-1). */
export const isTerminal = (status: SubscriptionStatus): boolean =>
  status === 'canceled' || status === 'incomplete_expired'

type AccessPolicy = Partial<Record<SubscriptionStatus, AccessLevel>>

/** What a status still allows by policy (SUB-2). A status that the policy does not name allows nothing. */
export const accessLevelOf = (status: SubscriptionStatus, policy: AccessPolicy): AccessLevel => policy[status] ?? 'none'

const strength: Record<AccessLevel, number> = { full: 4, grace: 3, restricted: 2, read_only: 1, none: 0 }

/** The subscription that decides what a customer has: the one with most access, then the one that began last. */
export const leadingSubscription = <S extends Pick<SubscriptionRecord, 'status' | 'startedAt' | 'subscriptionId'>>(
  subscriptions: readonly S[],
  policy: AccessPolicy,
): S | null => {
  const candidates = subscriptions.filter((subscription) => !isTerminal(subscription.status))
  candidates.sort(
    (a, b) =>
      strength[accessLevelOf(b.status, policy)] - strength[accessLevelOf(a.status, policy)] ||
      Temporal.Instant.compare(b.startedAt, a.startedAt) ||
      (a.subscriptionId < b.subscriptionId ? 1 : -1),
  )
  return candidates[0] ?? null
}
