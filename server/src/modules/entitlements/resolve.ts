import type { AccessLevel, CatalogGrant, CatalogMeteredGrant, OverrideValue } from '@turnpike/contract'
import type { Static } from 'typebox'
import type { Interval } from '../../core/period.ts'
import { baselinePlan, type Catalog, findPlan, isLongerThanMonth, type PlanVersion } from '../catalog/index.ts'
import {
  accessLevelOf,
  lastEnd,
  leadingSubscription,
  readOnlyUntil,
  type SubscriptionRecord,
} from '../subscriptions/index.ts'
import { type Carried, carriedOver, type LeftOver } from './carry-over.ts'
import type { FeatureWindow } from './counting.ts'

type Origin = 'override' | 'plan' | 'add_on' | 'baseline' | 'none'
type EntitlementValue = boolean | number | string | string[]

type Common = {
  feature: string
  name: string
  origin: Origin
  upgradePlan: string | null
  /** More is in use than a smaller plan allows (SUB-5): the old limit stays until `until`, or nothing new is let in. */
  afterDowngrade?: { until: string | null }
}
/** One entitlement as it is kept in a snapshot. Limits are whole units of the meter; `null` is unlimited. */
export type ResolvedEntitlement =
  | (Common & { kind: 'boolean'; value: boolean })
  | (Common & {
      kind: 'value'
      value: EntitlementValue
      /** The level that says how much of it is in use. */
      usedBy?: string
    })
  | (Common & {
      kind: 'metered'
      meter: string
      unit: string
      included: number | null
      limit: number | null
      enforcement: 'hard' | 'soft'
      warnAtPercent: number[]
      /** The meter keeps the highest of what is reported. */
      highest?: true
      /** What it counts by, where that is not the usage period. */
      window?: FeatureWindow
      /** What earlier windows have left; it is in `included` and `limit` (ENT-8). */
      carried?: Carried
    })

/** Which usage period counts: the billing period of the leading subscription, or the calendar month for everybody else. */
export type WindowRule =
  | { kind: 'calendar_month' }
  /** `countedBy`: usage is counted by parts of the billing period, from its anchor on. */
  | { kind: 'billing_period'; start: string; end: string; anchor: string; interval: Interval; countedBy?: Interval }

/** What a customer may use. Plain JSON: this is what is stored, compared and read back (ENT-3). */
export type SnapshotContent = {
  accessLevel: AccessLevel
  plan: string
  planVersion: number
  subscriptionId: string | null
  /** The plan's grants are withheld because of the access level; the baseline applies. */
  withheld: boolean
  window: WindowRule
  budgetFeature: string | null
  validUntil: string | null
  /** The stage of dunning that was reached, when it is what access hangs on (DUN-1). */
  dunning?: { stage: AccessLevel; since: string; nextAt: string | null }
  entitlements: ResolvedEntitlement[]
  /** What the customer lets usage of a usage period cost (INV-5), and what else its cost follows from. */
  spendCap?: SpendCap
}

export type SpendCap = {
  amountMinor: string
  currency: string
  addOns: readonly { addOn: string; quantity: number }[]
  subscriptionStart: string
  trialEndsAt: string | null
  /** Of the customer, as the close reckons; UTC where a snapshot is older than this. */
  timeZone?: string
}

export type OverrideInForce = {
  overrideId: string
  feature: string
  set: Static<typeof OverrideValue>
  createdAt: Temporal.Instant
  expiresAt: Temporal.Instant | null
  withdrawnAt: Temporal.Instant | null
}

/** The stage of dunning of one subscription at the time that is resolved; `nextAt`: when access falls again. */
export type StageInForce = {
  subscriptionId: string
  stage: AccessLevel | null
  since: Temporal.Instant
  nextAt: Temporal.Instant | null
}

/** What is in use above the limits of a smaller plan: until a deadline, the old limits hold. */
type RemediationInForce = {
  subscriptionId: string
  /** Until when the old limits stay; null: the new ones hold at once. */
  deadline: Temporal.Instant | null
  /** `limit: null` is unlimited. */
  items: readonly { feature: string; oldLimit: number | null }[]
}

/** What else bears on what a customer has, besides subscriptions and overrides. */
export type Restraints = {
  stages?: readonly StageInForce[]
  remediations?: readonly RemediationInForce[]
  /** Where the customer's days begin; UTC where left out. */
  timeZone?: string
  /** What earlier windows have left of metered features. */
  left?: LeftOver
}

const strength: Record<AccessLevel, number> = { full: 4, grace: 3, restricted: 2, read_only: 1, none: 0 }
const weaker = (a: AccessLevel, b: AccessLevel): AccessLevel => (strength[b] < strength[a] ? b : a)

const isMetered = (grant: CatalogGrant | undefined): grant is CatalogMeteredGrant =>
  typeof grant === 'object' && !Array.isArray(grant)

/** Overrides that hold at a time, the newest of a feature only: end exclusive. */
export const overridesAt = (
  overrides: readonly OverrideInForce[],
  at: Temporal.Instant,
): Map<string, OverrideInForce> => {
  const holding = overrides.filter(
    (override) =>
      Temporal.Instant.compare(override.createdAt, at) <= 0 &&
      (override.expiresAt === null || Temporal.Instant.compare(at, override.expiresAt) < 0) &&
      (override.withdrawnAt === null || Temporal.Instant.compare(at, override.withdrawnAt) < 0),
  )
  holding.sort((a, b) => Temporal.Instant.compare(a.createdAt, b.createdAt) || (a.overrideId < b.overrideId ? -1 : 1))
  return new Map(holding.map((override) => [override.feature, override]))
}

/**
 * What a customer may use at a time: override over active subscription (plan, then add-ons) over baseline (ENT-2).
 * Pure: the same inputs give the same answer. `validUntil` is the next time at which the answer changes by itself.
 */
export const resolve = (
  catalog: Catalog,
  subscriptions: readonly SubscriptionRecord[],
  overrides: readonly OverrideInForce[],
  at: Temporal.Instant,
  restraints: Restraints = {},
): SnapshotContent => {
  const policy = catalog.file.policies.access
  const leading = leadingSubscription(subscriptions, policy)
  const baseline = baselinePlan(catalog)
  // Who has left looks on for a while with what the baseline grants, and then has the baseline (SUB-6).
  const lookingOn = leading ? null : readOnlyUntil(lastEnd(subscriptions), catalog.file.policies.cancellation)
  const looksOn = lookingOn !== null && Temporal.Instant.compare(at, lookingOn) < 0
  const inForce = restraints.stages?.find(({ subscriptionId }) => subscriptionId === leading?.subscriptionId) ?? null
  const byStatus = leading ? accessLevelOf(leading.status, policy) : looksOn ? 'read_only' : 'full'
  // The weaker of what the status allows and what the stage of dunning does.
  const accessLevel = inForce?.stage ? weaker(byStatus, inForce.stage) : byStatus
  const withheld = leading !== null && accessLevel !== 'full' && accessLevel !== 'grace'
  const held = leading ? findPlan(catalog, leading.plan, leading.planVersion) : null
  const granting = held && !withheld ? held : baseline
  const addOns = granting === held && leading ? leading.addOns : []
  const holding = overridesAt(overrides, at)
  const remediation =
    granting === held
      ? (restraints.remediations?.find(({ subscriptionId }) => subscriptionId === leading?.subscriptionId) ?? null)
      : null
  const inCleanup = remediation?.deadline != null && Temporal.Instant.compare(at, remediation.deadline) < 0
  const mark = remediation && { until: inCleanup ? remediation.deadline!.toString() : null }
  /** The limit during a cleanup window: the old one where it was higher. */
  const kept = (item: { oldLimit: number | null } | undefined, limit: number | null): number | null => {
    if (!inCleanup || item === undefined || limit === null) return limit
    return item.oldLimit === null ? null : Math.max(limit, item.oldLimit)
  }

  const usagePeriod: WindowRule = leading && held ? usagePeriodOf(leading, held) : { kind: 'calendar_month' }
  /** The ends of the windows in which something was carried: what is left then is carried again. */
  const windowEnds: Temporal.Instant[] = []

  const entitlements = Object.entries(catalog.file.features)
    .map(([feature, definition]): ResolvedEntitlement => {
      const base = granted(granting, feature, granting === baseline ? 'baseline' : 'plan')
      const common = { feature, name: definition.name }
      const added = addOns.flatMap(({ addOn, quantity }) => {
        const grant = catalog.file.addOns?.[addOn]?.grants[feature]
        return grant === undefined ? [] : [{ grant, quantity }]
      })
      const override = holding.get(feature)?.set
      const lifted = remediation?.items.find((item) => item.feature === feature)
      const marked = lifted && mark && !override ? { afterDowngrade: mark } : {}
      if (definition.kind === 'boolean') {
        let value = base.grant === true
        let origin = value ? base.origin : 'none'
        if (!value && added.some(({ grant }) => grant === true)) [value, origin] = [true, 'add_on']
        if (override && 'enabled' in override) [value, origin] = [override.enabled, 'override']
        return {
          ...common,
          kind: 'boolean',
          value,
          origin: origin as Origin,
          upgradePlan: value ? null : planGiving(catalog, granting, feature, value),
        }
      }
      if (definition.kind === 'value') {
        let value: EntitlementValue =
          typeof base.grant === 'number' || typeof base.grant === 'string' || Array.isArray(base.grant)
            ? base.grant
            : definition.type === 'number'
              ? 0
              : definition.type === 'set'
                ? []
                : ''
        let origin: Origin = base.grant === undefined ? 'none' : base.origin
        for (const { grant, quantity } of added) {
          if (typeof grant === 'object' && 'add' in grant && typeof value === 'number')
            [value, origin] = [value + grant.add * quantity, 'add_on']
          if (typeof grant === 'object' && 'join' in grant && Array.isArray(value))
            [value, origin] = [[...new Set([...value, ...grant.join])].sort(), 'add_on']
        }
        const upgradePlan = planGiving(catalog, granting, feature, value)
        if (typeof value === 'number') value = kept(lifted, value) ?? Number.MAX_SAFE_INTEGER
        if (override && 'value' in override) [value, origin] = [override.value, 'override']
        return {
          ...common,
          kind: 'value',
          value,
          origin,
          upgradePlan: override ? planGiving(catalog, granting, feature, value) : upgradePlan,
          ...(definition.usedBy === undefined ? {} : { usedBy: definition.usedBy }),
          ...marked,
        }
      }
      const metered = isMetered(base.grant) ? base.grant : null
      let limit = metered ? metered.limit : 0
      let included = metered ? (metered.included === undefined ? metered.limit : metered.included) : 0
      let origin: Origin = metered ? base.origin : 'none'
      for (const { grant, quantity } of added) {
        if (typeof grant !== 'object' || !('addLimit' in grant)) continue
        if (limit !== null) limit += grant.addLimit * quantity
        if (included !== null) included += grant.addLimit * quantity
        origin = 'add_on'
      }
      limit = kept(lifted, limit)
      const allowance = included ?? limit
      if (override && 'limit' in override) {
        // Without a price for it, what an override allows is included.
        if (metered?.included === undefined) included = override.limit
        limit = override.limit
        origin = 'override'
      }
      const window = windowOf(metered?.window, restraints.timeZone ?? 'UTC')
      let carried: Carried | null = null
      if (metered?.rollover) {
        // An override says what is allowed in all; what was carried waits for its end.
        const overridden = origin === 'override'
        carried = carriedOver(
          feature,
          metered.rollover,
          overridden ? allowance : (included ?? limit),
          window,
          usagePeriod,
          at,
          restraints.left,
        )
        const more = overridden ? 0 : carried.lots.reduce((sum, lot) => sum + lot.quantity, 0)
        if (limit !== null) limit += more
        if (included !== null) included += more
        windowEnds.push(Temporal.Instant.from(carried.windowEnd))
      }
      return {
        ...common,
        kind: 'metered',
        meter: definition.meter,
        unit: catalog.file.meters[definition.meter]?.unit ?? '',
        ...(catalog.file.meters[definition.meter]?.aggregation === 'max' ? { highest: true as const } : {}),
        ...(window ? { window } : {}),
        ...(carried ? { carried } : {}),
        included,
        limit,
        enforcement: metered?.enforcement ?? 'hard',
        warnAtPercent: [...(metered?.warnAtPercent ?? [])].sort((a, b) => a - b),
        origin,
        upgradePlan: planGiving(catalog, granting, feature, limit),
        ...marked,
      }
    })
    .sort((a, b) => (a.feature < b.feature ? -1 : 1))

  const ends = [...holding.values()].flatMap((override) => (override.expiresAt ? [override.expiresAt] : []))
  const starts = overrides.flatMap((override) =>
    override.withdrawnAt === null && Temporal.Instant.compare(override.createdAt, at) > 0 ? [override.createdAt] : [],
  )
  const restrained = [...(inForce?.nextAt ? [inForce.nextAt] : []), ...(inCleanup ? [remediation!.deadline!] : [])]
  const next = [...ends, ...starts, ...(looksOn ? [lookingOn] : []), ...restrained, ...windowEnds].sort(
    Temporal.Instant.compare,
  )[0]
  return {
    accessLevel,
    plan: (held ?? baseline).key,
    planVersion: (held ?? baseline).version,
    subscriptionId: leading?.subscriptionId ?? null,
    withheld,
    window: usagePeriod,
    budgetFeature: (held ?? baseline).content.gateway?.budgetFeature ?? null,
    validUntil: next?.toString() ?? null,
    ...(inForce?.stage
      ? {
          dunning: {
            stage: inForce.stage,
            since: inForce.since.toString(),
            nextAt: inForce.nextAt?.toString() ?? null,
          },
        }
      : {}),
    entitlements,
  }
}

/** By what usage of a subscription is counted, limited and charged. */
export const usagePeriodOf = (held: SubscriptionRecord, plan: PlanVersion | null): WindowRule => ({
  kind: 'billing_period',
  start: held.period.start.toString(),
  end: held.period.end.toString(),
  anchor: held.anchor.toString(),
  interval: held.interval,
  ...(plan?.content.usageInterval === 'month' && isLongerThanMonth(held.interval)
    ? { countedBy: { unit: 'month', count: 1 } }
    : {}),
})

const windowOf = (window: CatalogMeteredGrant['window'], timeZone: string): FeatureWindow | null => {
  if (window === undefined || window === 'billing_period') return null
  if (typeof window === 'object') return { kind: 'sliding', hours: window.slidingHours }
  return window === 'lifetime' ? { kind: 'lifetime' } : { kind: 'calendar', unit: window, timeZone }
}

const granted = (
  plan: PlanVersion,
  feature: string,
  origin: Origin,
): { grant: CatalogGrant | undefined; origin: Origin } => ({ grant: plan.content.grants[feature], origin })

/** The lowest active plan above this one that gives more of the feature; null when there is none. */
const planGiving = (
  catalog: Catalog,
  current: PlanVersion,
  feature: string,
  value: EntitlementValue | null,
): string | null => {
  if (value === null) return null
  const higher = Object.entries(catalog.file.plans)
    .filter(([key, plan]) => plan.status === 'active' && plan.rank > current.content.rank && key !== current.key)
    .sort(([, a], [, b]) => a.rank - b.rank)
  return higher.find(([, plan]) => givesMore(plan.grants[feature], value))?.[0] ?? null
}

const givesMore = (grant: CatalogGrant | undefined, value: EntitlementValue): boolean => {
  if (grant === undefined) return false
  if (typeof grant === 'boolean') return grant && value === false
  if (isMetered(grant)) return grant.limit === null || (typeof value === 'number' && grant.limit > value)
  if (typeof grant === 'number') return typeof value === 'number' && grant > value
  if (Array.isArray(grant)) return Array.isArray(value) && grant.some((item) => !value.includes(item))
  return value === ''
}
