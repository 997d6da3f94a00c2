import type { CatalogPolicies, OverrideValue } from '@turnpike/contract'
import type { Static } from 'typebox'

type OverridePolicy = CatalogPolicies['overrides']
type Wish = { feature: string; set: Static<typeof OverrideValue>; expiresAt: Temporal.Instant | null }

const days = (wish: Wish, at: Temporal.Instant): number | null =>
  wish.expiresAt === null ? null : (wish.expiresAt.epochMilliseconds - at.epochMilliseconds) / 86_400_000

/** What policy has against the end of an override; null when nothing. */
export const policyBreach = (policy: OverridePolicy, wish: Wish, at: Temporal.Instant): string | null => {
  const lasting = days(wish, at)
  if (lasting === null && (policy?.requireExpiry === true || policy?.maxDays !== undefined))
    return 'Policy asks for an end.'
  return lasting !== null && policy?.maxDays !== undefined && lasting > policy.maxDays
    ? `Policy lets an override last ${policy.maxDays} days at most.`
    : null
}

/**
 * Whether policy wants a second person (ENT-2): for the features that it names, for what lasts longer than it says (without
 * an end is longer than anything), and for what takes a limit away altogether.
 */
export const approvalNeeded = (policy: OverridePolicy, wish: Wish, at: Temporal.Instant): boolean => {
  const second = policy?.secondPerson
  if (!second) return false
  const lasting = days(wish, at)
  return (
    (second.features?.includes(wish.feature) ?? false) ||
    (second.aboveDays !== undefined && (lasting === null || lasting > second.aboveDays)) ||
    (second.unlimited === true && 'limit' in wish.set && wish.set.limit === null)
  )
}
