import { newId } from '../../core/ids.ts'
import { type Catalog, findPlan, intervalText, resolveLookupKey } from '../../modules/catalog/index.ts'
import type { CustomerRecord } from '../../modules/customers/index.ts'
import type { SubscriptionFact } from '../../modules/payments/index.ts'
import type { SubscriptionRecord } from '../../modules/subscriptions/index.ts'
import { termsOf } from './terms-of-items.ts'

/**
 * Our record of a fact. Null when none of its prices is ours and we do not know it yet: such a subscription is not guessed
 * to be a plan. One that we know keeps its terms, so that its status and its end are still followed.
 */
export const subscriptionOfFact = (
  catalog: Catalog,
  customer: CustomerRecord,
  provider: string,
  fact: SubscriptionFact,
  before: SubscriptionRecord | null,
  at: Temporal.Instant,
): SubscriptionRecord | null => {
  const terms = termsOf(catalog, heldItems(fact), before, fact.planVersion)
  if (!terms && !before) return null
  const { plan, planVersion, price, currency, seats, addOns, interval } = terms ?? before!
  return {
    tenantId: customer.tenantId,
    subscriptionId: before?.subscriptionId ?? newId('subscription'),
    customerId: customer.customerId,
    provider,
    providerSubscriptionId: fact.providerSubscriptionId,
    plan,
    planVersion,
    price,
    currency,
    seats,
    addOns,
    interval: interval ?? { unit: 'month', count: 1 },
    status: fact.status,
    period: planItem(catalog, fact)?.period ?? fact.period,
    anchor: fact.anchor,
    trialEndsAt: fact.trialEndsAt,
    endsAt: fact.endsAt,
    endedAt: fact.endedAt,
    pendingChange: pendingOf(catalog, fact, before),
    standing: {
      paymentMethodOnFile: fact.paymentMethodOnFile,
      paused: fact.paused && { reason: fact.paused.reason, since: fact.paused.since?.toString() ?? null },
      collectionPaused: fact.collectionPaused && {
        behavior: fact.collectionPaused.behavior,
        resumesAt: fact.collectionPaused.resumesAt?.toString() ?? null,
      },
      // Left out where there is none, so that subscriptions from before are seen as unchanged.
      ...(fact.discounts.length === 0
        ? {}
        : {
            discounts: fact.discounts.map(({ couponId, startsAt, endsAt }) => ({
              couponId,
              startsAt: startsAt.toString(),
              endsAt: endsAt?.toString() ?? null,
            })),
          }),
    },
    noted: before?.noted ?? null,
    startedAt: fact.startedAt,
    updatedAt: at,
  }
}

/** What in a fact is not ours or makes no sense, in words for the audit; null when all of it is understood. */
export const oddityOf = (catalog: Catalog, fact: SubscriptionFact): string | null => {
  const keys = fact.items.map(({ lookupKey }) => lookupKey)
  const unknown = keys.filter((key) => key === null || resolveLookupKey(catalog, key) === null)
  const plans = heldItems(fact).filter((item) => isPlan(catalog, item.lookupKey))
  if (plans.length === 0) return `no price of a plan: ${keys.map((key) => key ?? 'unnamed').join(', ')}`
  if (plans.length > 1) return `several plans at once: ${plans.map(({ lookupKey }) => lookupKey).join(', ')}`
  return unknown.length > 0 ? `prices that are not ours: ${unknown.map((key) => key ?? 'unnamed').join(', ')}` : null
}

/** None of something is not held, whatever its price says. */
const heldItems = (fact: SubscriptionFact) => fact.items.filter(({ quantity }) => quantity > 0)

const isPlan = (catalog: Catalog, lookupKey: string | null): boolean =>
  lookupKey !== null && resolveLookupKey(catalog, lookupKey)?.ref.kind === 'plan'

/** The plan's own item: where intervals are mixed, its period is the subscription's. */
const planItem = (catalog: Catalog, fact: SubscriptionFact) =>
  heldItems(fact).find((item) => isPlan(catalog, item.lookupKey))

/** What is agreed and not yet in force. A cancellation covers whatever else was planned. */
const pendingOf = (
  catalog: Catalog,
  fact: SubscriptionFact,
  before: SubscriptionRecord | null,
): SubscriptionRecord['pendingChange'] => {
  if (fact.endsAt)
    return {
      kind: 'cancellation',
      effectiveAt: fact.endsAt.toString(),
      to: null,
      price: null,
      interval: null,
      seats: null,
      addOns: [],
    }
  const waiting = fact.unpaidChange ?? fact.scheduled
  const terms = waiting && termsOf(catalog, waiting.items, before, null)
  if (!waiting || !terms) return null
  return {
    kind: waiting === fact.unpaidChange ? 'payment_required' : 'plan_change',
    effectiveAt: waiting.at.toString(),
    to: {
      plan: terms.plan,
      version: terms.planVersion,
      name: findPlan(catalog, terms.plan, terms.planVersion)!.content.name,
    },
    price: terms.price,
    interval: terms.interval && intervalText(terms.interval),
    seats: terms.seats,
    addOns: terms.addOns,
  }
}
