import type { Micro } from '../../core/quantity.ts'
import { decideMetered, type LiveCustomer } from '../../modules/entitlements/index.ts'
import type { LimitRule } from '../../modules/usage/index.ts'

/** Every metered feature on the meter must allow it; the tightest limit is the one that answers name. */
export const limitsOf = (live: LiveCustomer, meter: string): { rule: LimitRule | null; limit: number | null } => {
  const features = live.content.entitlements.flatMap((entitlement) =>
    entitlement.kind === 'metered' && entitlement.meter === meter ? [entitlement] : [],
  )
  if (features.length === 0) return { rule: null, limit: null }
  const limits = features.flatMap((feature) =>
    feature.limit === null || feature.enforcement === 'soft' ? [] : [feature.limit],
  )
  return {
    limit: limits.length === 0 ? null : Math.min(...limits),
    rule: (used: Micro, quantity: Micro) => {
      for (const feature of features) {
        const { allowed, reason } = decideMetered(feature, live.content.withheld, used, quantity)
        if (!allowed)
          return {
            feature: feature.feature,
            code:
              reason === 'access_restricted'
                ? reason
                : reason === 'limit_reached' || reason === 'over_limit_after_downgrade'
                  ? 'limit_reached'
                  : 'not_included',
            limit: feature.limit,
          }
      }
      return null
    },
  }
}
