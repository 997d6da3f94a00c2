import type { Reason } from '@turnpike/contract'
import type { Micro } from '../../core/quantity.ts'
import { decide } from './decide.ts'
import { inWindow } from './in-window.ts'
import type { ResolvedEntitlement, SnapshotContent } from './resolve.ts'

/** What a decision was made with and what it was, as its record says. `used` and `reserved`: before it. */
export type DecisionFacts = {
  kind: 'check' | 'consume' | 'report' | 'reserve'
  feature: string
  quantity: Micro
  used: Micro | null
  reserved: Micro
  /** Of the counter that decided; null where nothing is counted. */
  windowStart: Temporal.Instant | null
  allowed: boolean
  /** Null for what was allowed: a record of usage does not say how far from a limit it was. */
  reason: string | null
  because: string | null
}
export type Replay = { same: boolean; allowed: boolean; reason: Reason | null }

/**
 * Makes a decision again: the same rule, with the snapshot and the counter of its time (ENT-5). It gives the same answer,
 * unless the snapshot or the record was changed since. Of an all-or-nothing question, what went down with another feature
 * was allowed by itself.
 */
export const replay = (content: SnapshotContent, facts: DecisionFacts): Replay => {
  const entitlement = entitlementOf(content, facts)
  if (!entitlement) return { same: false, allowed: false, reason: null }
  const counter = facts.used === null ? null : { used: facts.used, reserved: facts.reserved, resetsAt: '' }
  const { allowed, reason } = decide(content, entitlement, counter, facts.quantity)
  // The cap looks at all that costs something, which one counter does not say: the limit let it through, and there was a cap.
  if (facts.reason === 'spend_cap_reached')
    return { same: allowed && content.spendCap !== undefined, allowed: false, reason: facts.reason }
  if (facts.because !== null) return { same: allowed && !facts.allowed, allowed: false, reason }
  const same = allowed === facts.allowed && (allowed || facts.reason === codeOf(facts.kind, reason))
  return { same, allowed, reason }
}

/** As it held in the window of the decision: what was carried into another window is not there. */
export const entitlementOf = (content: SnapshotContent, facts: DecisionFacts): ResolvedEntitlement | undefined => {
  const entitlement = content.entitlements.find(({ feature }) => feature === facts.feature)
  return entitlement?.kind === 'metered' && facts.windowStart !== null
    ? inWindow(entitlement, facts.windowStart.epochMilliseconds)
    : entitlement
}

/** Usage that is refused is told in fewer words than a check. */
const codeOf = (kind: DecisionFacts['kind'], reason: Reason): Reason => {
  if (kind === 'check' || kind === 'reserve' || reason === 'access_restricted' || reason === 'limit_reached')
    return reason
  return reason === 'over_limit_after_downgrade' ? 'limit_reached' : 'not_included'
}
