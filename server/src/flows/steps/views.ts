import type { Checkout, Override, PlanOffer, Subscription, SubscriptionCommand } from '@turnpike/contract'
import { type Catalog, findPlan, intervalText, resolveCoupon } from '../../modules/catalog/index.ts'
import type { CommandRecord } from '../../modules/commands/index.ts'
import type { OverrideRecord } from '../../modules/entitlements/index.ts'
import { type CheckoutRecord, canStillBePaid, checkoutActions } from '../../modules/payments/index.ts'
import { accessLevelOf, isTerminal, type SubscriptionRecord } from '../../modules/subscriptions/index.ts'

const textOrNull = (instant: Temporal.Instant | null): string | null => instant?.toString() ?? null

export const planRef = (
  catalog: Catalog,
  plan: string,
  version: number | null,
): { plan: string; version: number; name: string } => {
  const found = findPlan(catalog, plan, version ?? undefined)
  return { plan, version: found?.version ?? version ?? 1, name: found?.content.name ?? plan }
}

/** A subscription as the API and events show it. */
export const subscriptionView = (catalog: Catalog, record: SubscriptionRecord): Subscription => ({
  id: record.subscriptionId,
  tenantId: record.tenantId,
  customerId: record.customerId,
  plan: planRef(catalog, record.plan, record.planVersion),
  price: record.price,
  interval: intervalText(record.interval),
  currency: record.currency,
  seats: record.seats,
  addOns: record.addOns,
  status: record.status,
  accessLevel: accessLevelOf(record.status, catalog.file.policies.access),
  period: { start: record.period.start.toString(), end: record.period.end.toString() },
  trialEndsAt: textOrNull(record.trialEndsAt),
  renewsAt: isTerminal(record.status) || record.endsAt ? null : record.period.end.toString(),
  endsAt: textOrNull(record.endsAt),
  endedAt: textOrNull(record.endedAt),
  pendingChange: record.pendingChange,
  discounts: (record.standing.discounts ?? []).map(({ couponId, startsAt, endsAt }) => {
    const coupon = resolveCoupon(catalog, couponId)
    return { coupon: coupon?.key ?? null, name: coupon?.name ?? null, startsAt, endsAt }
  }),
  providerSubscriptionId: record.providerSubscriptionId,
  startedAt: record.startedAt.toString(),
  updatedAt: record.updatedAt.toString(),
})

/** A command as the API shows it: whether somebody waits for an answer or lost it is ours to know. */
export const commandView = (command: CommandRecord): SubscriptionCommand => ({
  id: command.commandId,
  subscriptionId: command.subscriptionId,
  action: command.action,
  state: command.state === 'asking' || command.state === 'unknown' ? 'under_way' : command.state,
  effectiveAt: command.decision.effectiveAt,
  resumesAt: textOrNull(command.resumesAt),
  requestedAt: command.requestedAt.toString(),
  settledAt: textOrNull(command.settledAt),
  failure: command.failure,
})

/** A checkout as the API and events show it. */
export const checkoutView = (
  catalog: Catalog,
  record: CheckoutRecord,
  snapshotVersion: number | null,
  at: Temporal.Instant,
): Checkout => {
  const alive = canStillBePaid(record, at)
  return {
    id: record.checkoutId,
    tenantId: record.tenantId,
    kind: record.kind,
    state: record.state,
    plan: record.plan === null ? null : planRef(catalog, record.plan, record.planVersion),
    product: record.product,
    price: record.price,
    currency: record.currency,
    seats: record.seats,
    coupon: record.coupon,
    sessionUrl: alive ? record.sessionUrl : null,
    openedAt: record.openedAt.toString(),
    returnedAt: textOrNull(record.returnedAt),
    completedAt: textOrNull(record.completedAt),
    expiresAt: textOrNull(record.expiresAt),
    snapshotVersion: record.state === 'completed' ? snapshotVersion : null,
    nextActions: checkoutActions(record, alive),
  }
}

/** An override as the API and events show it. */
export const overrideView = (override: OverrideRecord): Override => ({
  id: override.overrideId,
  tenantId: override.tenantId,
  feature: override.feature,
  set: override.set,
  reason: override.reason,
  actor: override.actor,
  createdAt: override.createdAt.toString(),
  expiresAt: textOrNull(override.expiresAt),
  withdrawnAt: textOrNull(override.withdrawnAt),
  state: override.state,
  requestExpiresAt: textOrNull(override.requestExpiresAt),
  decidedBy: override.decidedBy,
  decidedAt: textOrNull(override.decidedAt),
  decisionReason: override.decisionReason,
})

/** One sentence per grant, for plan comparison. */
export const grantSentence = (catalog: Catalog, feature: string, grant: unknown): string => {
  const definition = catalog.file.features[feature]
  if (grant === undefined || grant === false) return 'Not included'
  if (grant === true) return 'Included'
  if (definition?.kind === 'metered' && typeof grant === 'object' && grant !== null && 'limit' in grant) {
    const { included, limit, enforcement } = grant as {
      included?: number | null
      limit: number | null
      enforcement: string
    }
    const unit = catalog.file.meters[definition.meter]?.unit ?? 'unit'
    if (included !== undefined && included !== null && included !== limit)
      return `${number(included)} ${unit}s included${limit === null ? ', more as you go' : `, up to ${number(limit)}`}`
    return limit === null ? 'Unlimited' : `${number(limit)} ${unit}s${enforcement === 'soft' ? ' (soft limit)' : ''}`
  }
  if (Array.isArray(grant)) return grant.length === 0 ? 'None' : grant.join(', ')
  return typeof grant === 'number' ? number(grant) : String(grant)
}

const number = (value: number): string => value.toLocaleString('en-US')

/** How a plan stands to the one held: the enum behind every plan button. */
export const relationOf = (
  held: { plan: string; price: string; rank: number; pendingPlan: string | null } | null,
  offer: { plan: string; price: string | null; rank: number; free: boolean },
): PlanOffer['relation'] => {
  if (held?.pendingPlan === offer.plan) return 'scheduled'
  if (held === null) return offer.free ? 'current' : 'start'
  if (held.plan === offer.plan)
    return offer.price === null || held.price === offer.price ? 'current' : 'switch_interval'
  if (offer.free) return 'not_available'
  return offer.rank > held.rank ? 'upgrade' : 'downgrade'
}
