import type { Micro } from '../../core/quantity.ts'
import { type Counting, decideMetered, inWindow, type LiveCustomer } from '../../modules/entitlements/index.ts'
import type { Target } from '../../modules/usage/index.ts'

/**
 * What limits a meter in one window: the rule of the feature that counts by it, on the counter of its span, and the hard
 * limit that answers name. One meter has one feature.
 */
export const limitOf = (
  live: LiveCustomer,
  limits: readonly { counter: number; counting: Counting; windowStart: number }[],
): Pick<Target, 'limit'> & { hardest: number | null } => {
  const [first] = limits
  if (!first) return { limit: null, hardest: null }
  const entitlement = inWindow(first.counting.entitlement, first.windowStart)
  const { withheld } = live.content
  return {
    hardest: entitlement.enforcement === 'soft' ? null : entitlement.limit,
    limit: {
      counter: first.counter,
      rule: (used: Micro, quantity: Micro) => {
        const { allowed, reason } = decideMetered(entitlement, withheld, used, quantity)
        if (allowed) return null
        return {
          feature: entitlement.feature,
          code:
            reason === 'access_restricted'
              ? reason
              : reason === 'limit_reached' || reason === 'over_limit_after_downgrade'
                ? 'limit_reached'
                : 'not_included',
          limit: entitlement.limit,
        }
      },
    },
  }
}
