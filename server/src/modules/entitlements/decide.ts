import type { Decision, Reason } from '@turnpike/contract'
import { type Micro, microOfWhole, numberOfMicro } from '../../core/quantity.ts'
import type { Metered } from './counting.ts'
import type { ResolvedEntitlement, SnapshotContent } from './resolve.ts'

/**
 * Whether a quantity more is allowed on top of what was used: a hard limit refuses, a soft one warns and lets through
 * (ENT-6). The limit itself is still allowed; one millionth above it is not.
 */
export const decideMetered = (
  entitlement: Metered,
  withheld: boolean,
  used: Micro,
  quantity: Micro,
): { allowed: boolean; reason: Reason } => {
  if (entitlement.limit === null)
    return { allowed: true, reason: entitlement.origin === 'override' ? 'override' : 'unlimited' }
  const after = used + quantity
  if (after <= microOfWhole(entitlement.limit)) {
    if (entitlement.origin === 'none')
      return { allowed: quantity === 0n, reason: withheld ? 'access_restricted' : 'not_included' }
    return {
      allowed: true,
      reason:
        entitlement.included !== null && after > microOfWhole(entitlement.included) ? 'within_overage' : 'within_limit',
    }
  }
  if (entitlement.origin === 'none') return { allowed: false, reason: withheld ? 'access_restricted' : 'not_included' }
  if (entitlement.enforcement === 'soft') return { allowed: true, reason: 'soft_limit_exceeded' }
  if (entitlement.afterDowngrade && used > microOfWhole(entitlement.limit))
    return { allowed: false, reason: 'over_limit_after_downgrade' }
  return { allowed: false, reason: withheld ? 'access_restricted' : 'limit_reached' }
}

/** How much further a quantity moves the counter: of the highest only what is above it. */
const stepOf = ({ highest }: Metered, used: Micro, quantity: Micro): Micro => {
  if (!highest) return quantity
  return quantity > used ? quantity - used : 0n
}

/** What percentages count against: the included amount, or the limit when nothing else is named. */
const warningBase = (entitlement: Metered): number | null => entitlement.included ?? entitlement.limit

/** The four states of a meter, for pages and answers (ENT-4). */
export const meterState = (entitlement: Metered, used: Micro): Decision['state'] => {
  if (entitlement.limit !== null && used >= microOfWhole(entitlement.limit) && entitlement.enforcement === 'hard')
    return entitlement.upgradePlan ? 'upgrade_available' : 'blocked'
  const base = warningBase(entitlement)
  const first = entitlement.warnAtPercent[0]
  return base !== null && first !== undefined && used * 100n >= microOfWhole(base) * BigInt(first)
    ? 'nearing_limit'
    : 'available'
}

/** Warning thresholds and the limit that a step from `before` to `after` crosses, lowest first. */
export const thresholdsCrossed = (
  entitlement: Metered,
  before: Micro,
  after: Micro,
): { percent: number; limit: number }[] => {
  const crossed: { percent: number; limit: number }[] = []
  const base = warningBase(entitlement)
  if (base !== null && base > 0) {
    for (const percent of entitlement.warnAtPercent) {
      const line = (microOfWhole(base) * BigInt(percent)) / 100n
      if (before < line && after >= line) crossed.push({ percent, limit: base })
    }
  }
  const limit = entitlement.limit
  const announced = crossed.some((entry) => entry.percent === 100 && entry.limit === limit)
  if (limit !== null && limit > 0 && !announced && before < microOfWhole(limit) && after >= microOfWhole(limit))
    crossed.push({ percent: 100, limit })
  return crossed
}

/** The whole answer to a check of one feature (ENT-4). `quantity` is what is wanted on top. */
export const decide = (
  content: SnapshotContent,
  entitlement: ResolvedEntitlement,
  counter: { used: Micro; reserved?: Micro; resetsAt: string } | null,
  quantity: Micro,
): Decision => {
  const base = {
    feature: entitlement.feature,
    kind: entitlement.kind,
    upgradePlan: entitlement.upgradePlan,
    consumed: false,
  }
  if (entitlement.kind === 'metered') {
    const used = counter?.used ?? 0n
    // What is reserved for work under way is not there for anybody else.
    const taken = used + (counter?.reserved ?? 0n)
    const { allowed, reason } = decideMetered(entitlement, content.withheld, taken, stepOf(entitlement, used, quantity))
    const limit = entitlement.limit
    const remaining =
      limit === null ? null : numberOfMicro(microOfWhole(limit) > taken ? microOfWhole(limit) - taken : 0n)
    return {
      ...base,
      allowed,
      reason,
      value: null,
      limit,
      used: numberOfMicro(used),
      remaining,
      resetsAt: counter?.resetsAt ?? null,
      state: allowed ? meterState(entitlement, taken) : entitlement.upgradePlan ? 'upgrade_available' : 'blocked',
    }
  }
  const used = usedOf(entitlement, counter)
  const allowed = allowsValue(entitlement, used, quantity)
  const refusal: Reason =
    entitlement.origin === 'override' ? 'disabled_by_override' : content.withheld ? 'access_restricted' : 'not_included'
  return {
    ...base,
    allowed,
    reason: allowed
      ? entitlement.origin === 'override'
        ? 'override'
        : 'included'
      : entitlement.kind === 'value' && typeof entitlement.value === 'number' && entitlement.value > 0
        ? entitlement.afterDowngrade && used !== null && used > microOfNumber(entitlement.value)
          ? 'over_limit_after_downgrade'
          : 'limit_reached'
        : refusal,
    value: entitlement.value,
    limit: typeof entitlement.value === 'number' ? entitlement.value : null,
    used: used === null ? null : numberOfMicro(used),
    remaining: used === null ? null : numberOfMicro(leftOf(entitlement.value, used)),
    resetsAt: null,
    state: allowed ? 'available' : entitlement.upgradePlan ? 'upgrade_available' : 'blocked',
  }
}

type Unmetered = Exclude<ResolvedEntitlement, { kind: 'metered' }>

const microOfNumber = (value: number): Micro => BigInt(Math.round(value * 1_000_000))

/** How much of a number is in use; null when nothing says so. */
const usedOf = (entitlement: Unmetered, counter: { used: Micro } | null): Micro | null =>
  entitlement.kind === 'value' && entitlement.usedBy !== undefined && typeof entitlement.value === 'number'
    ? (counter?.used ?? 0n)
    : null

const leftOf = (value: Unmetered['value'], used: Micro): Micro => {
  const left = (typeof value === 'number' ? microOfNumber(value) : 0n) - used
  return left > 0n ? left : 0n
}

/**
 * Numbers allow up to their value, on top of what is in use where that is known; nothing more is always allowed of what is
 * granted at all. The rest allow when there is something.
 */
const allowsValue = (entitlement: Unmetered, used: Micro | null, quantity: Micro): boolean => {
  const { value } = entitlement
  if (typeof value === 'boolean') return value
  if (typeof value === 'number')
    return (used ?? 0n) + quantity <= microOfNumber(value) || (used !== null && quantity === 0n && value > 0)
  return value.length > 0
}
