import type { SubscriptionStatus } from '@turnpike/contract'
import type Stripe from 'stripe'
import { own } from '../../core/own.ts'
import type { Interval, Period } from '../../core/period.ts'
import type { CheckoutFact, SubscriptionFact } from '../../modules/payments/index.ts'
import { currency, idOf, instant, instantOrNull, list, name, whole } from './shape.ts'

/** The canonical status of each status of Stripe: the names are the same, the list is ours (SUB-1). */
export const canonicalStatuses: Record<string, SubscriptionStatus> = {
  incomplete: 'incomplete',
  incomplete_expired: 'incomplete_expired',
  trialing: 'trialing',
  active: 'active',
  past_due: 'past_due',
  unpaid: 'unpaid',
  paused: 'paused',
  canceled: 'canceled',
}

type ItemWithPeriod = Stripe.SubscriptionItem & { current_period_start?: number; current_period_end?: number }

/**
 * Stripe's subscription in our words. Null for a state that this version does not know: never guessed, because access
 * would hang on the guess (SUB-2). The period stands on the items since basil, on the subscription before.
 */
export const subscriptionFact = (
  subscription: Stripe.Subscription,
  scheduled: SubscriptionFact['scheduled'] = null,
): SubscriptionFact | null => {
  const status = own(canonicalStatuses, subscription.status)
  const customer = idOf(subscription.customer)
  if (!status || customer === null) return null
  const items = list(subscription.items?.data as ItemWithPeriod[], 'the items of a subscription')
  const outer = subscription as unknown as { current_period_start?: number; current_period_end?: number }
  const first = items[0]
  const start = whole(
    first?.current_period_start ?? outer.current_period_start ?? subscription.start_date,
    'the start of a period',
  )
  const end = whole(first?.current_period_end ?? outer.current_period_end ?? start + 1, 'the end of a period')
  const willEnd =
    status === 'canceled' || status === 'incomplete_expired'
      ? null
      : (subscription.cancel_at ?? (subscription.cancel_at_period_end ? end : null))
  return {
    providerSubscriptionId: name(subscription.id, 'the id of a subscription'),
    providerCustomerId: customer,
    status,
    items: items.map((item) => ({
      lookupKey: item.price?.lookup_key ?? null,
      quantity: whole(item.quantity ?? 1, 'a quantity'),
      interval: intervalOf(item.price),
      currency: currency(item.price?.currency, 'the currency of a price'),
      ...(isPeriod(item.current_period_start, item.current_period_end)
        ? { period: periodOf(item.current_period_start!, item.current_period_end!) }
        : {}),
    })),
    period: {
      start: instant(start, 'the start of a period'),
      end: instant(Math.max(end, start + 1), 'the end of a period'),
    },
    anchor: instant(subscription.billing_cycle_anchor ?? start, 'the anchor'),
    trialEndsAt: status === 'trialing' ? instantOrNull(subscription.trial_end, 'the end of a trial') : null,
    endsAt: instantOrNull(willEnd, 'the time of a cancellation'),
    // A subscription that expired incomplete has no end of its own at Stripe; it has one here.
    endedAt:
      status === 'canceled' || status === 'incomplete_expired'
        ? (instantOrNull(subscription.ended_at, 'the end') ?? instant(subscription.canceled_at ?? end, 'the end'))
        : null,
    startedAt: instant(subscription.start_date, 'the start of a subscription'),
    ...standingOf(subscription, status),
    latestInvoiceId: idOf(subscription.latest_invoice),
    planVersion: wholeOrNull(subscription.metadata?.turnpike_plan_version),
    scheduled,
    unpaidChange: unpaidChange(subscription),
    discounts: discountsOf(subscription),
    orderedBy: subscription.metadata?.turnpike_command ?? null,
  }
}

const isPeriod = (start: number | undefined, end: number | undefined): boolean =>
  start !== undefined && end !== undefined && end > start
const periodOf = (start: number, end: number): Period => ({
  start: instant(start, 'the start of a period'),
  end: instant(end, 'the end of a period'),
})

type StandingShapes = {
  customer: string | { invoice_settings?: { default_payment_method?: unknown }; default_source?: unknown }
  default_payment_method?: unknown
  default_source?: unknown
  status_details?: {
    paused?: { subscription?: { type?: string }; transitioned_at?: number }
  } | null
}

/** Only those that the list was asked to expand; a reference alone says nothing. */
const discountsOf = (subscription: Stripe.Subscription): SubscriptionFact['discounts'] =>
  ((subscription.discounts ?? []) as (string | DiscountShape)[]).flatMap((discount) => {
    if (typeof discount === 'string') return []
    const coupon = discount.source?.coupon ?? discount.coupon
    const couponId = idOf(coupon as string | { id: string } | null)
    return couponId === null
      ? []
      : [
          {
            couponId,
            startsAt: instant(discount.start, 'the start of a discount'),
            endsAt: instantOrNull(discount.end, 'the end of a discount'),
          },
        ]
  })
// Before the version of 2025-09-30 the coupon stood in the discount itself.
type DiscountShape = { start: number; end: number | null; source?: { coupon?: unknown }; coupon?: unknown }

/** Payment method and pauses. The customer's own default counts when the list was asked to expand the customer. */
const standingOf = (
  subscription: Stripe.Subscription,
  status: SubscriptionStatus,
): Pick<SubscriptionFact, 'paymentMethodOnFile' | 'paused' | 'collectionPaused'> => {
  const shaped = subscription as unknown as StandingShapes
  const customer = typeof shaped.customer === 'string' ? null : shaped.customer
  const details = shaped.status_details?.paused
  const collection = subscription.pause_collection
  return {
    paymentMethodOnFile: [
      shaped.default_payment_method,
      shaped.default_source,
      customer?.invoice_settings?.default_payment_method,
      customer?.default_source,
    ].some((method) => method !== null && method !== undefined),
    paused:
      status === 'paused'
        ? {
            reason: details?.subscription?.type ?? null,
            since: instantOrNull(details?.transitioned_at, 'the time of a pause'),
          }
        : null,
    collectionPaused: collection
      ? { behavior: collection.behavior, resumesAt: instantOrNull(collection.resumes_at, 'the end of a pause') }
      : null,
  }
}

const wholeOrNull = (text: string | undefined): number | null =>
  text !== undefined && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : null

const units = ['day', 'week', 'month', 'year'] as const
const intervalOf = (price: Stripe.Price | undefined): Interval | null => {
  const unit = units.find((known) => known === price?.recurring?.interval)
  return price?.recurring && unit ? { unit, count: whole(price.recurring.interval_count, 'an interval') } : null
}

/** The next phase of a schedule, as the change that it is going to make. */
export const scheduledChange = (
  schedule: Stripe.SubscriptionSchedule,
  nowSeconds: number,
): SubscriptionFact['scheduled'] => {
  if (schedule.status !== 'active') return null
  const next = schedule.phases.find((phase) => phase.start_date > nowSeconds)
  if (!next) return null
  return {
    items: next.items.flatMap(({ price, quantity }) =>
      typeof price === 'object' && 'lookup_key' in price ? [itemOf(price, quantity)] : [],
    ),
    at: instant(next.start_date, 'the start of a phase'),
  }
}

/** A change that was accepted on condition that it is paid: the items that it would leave behind. */
const unpaidChange = (subscription: Stripe.Subscription): SubscriptionFact['unpaidChange'] => {
  const pending = subscription.pending_update
  if (!pending?.subscription_items?.length) return null
  return {
    items: pending.subscription_items.map(({ price, quantity }) => itemOf(price, quantity)),
    at: instant(pending.expires_at, 'the end of a pending update'),
  }
}

const itemOf = (price: Stripe.Price, quantity: number | undefined) => ({
  lookupKey: price.lookup_key ?? null,
  quantity: whole(quantity ?? 1, 'a quantity'),
  interval: intervalOf(price),
})

export const checkoutFact = (session: Stripe.Checkout.Session): CheckoutFact => ({
  providerSessionId: session.id,
  checkoutId: session.client_reference_id ?? session.metadata?.turnpike_checkout ?? null,
  providerCustomerId: idOf(session.customer as string | { id: string } | null),
  state: session.status === 'complete' ? 'complete' : session.status === 'expired' ? 'expired' : 'open',
  paid: session.payment_status === 'paid' || session.payment_status === 'no_payment_required',
  amountMinor: BigInt(session.amount_total ?? 0),
  providerPaymentId: idOf(session.payment_intent as string | { id: string } | null),
  providerSubscriptionId: idOf(session.subscription as string | { id: string } | null),
})
