import type { SubscriptionStatus } from '@turnpike/contract'
import type Stripe from 'stripe'
import { own } from '../../core/own.ts'
import type { Interval, Period } from '../../core/period.ts'
import type { CheckoutFact, InvoiceFact, SubscriptionFact } from '../../modules/payments/index.ts'

const instant = (seconds: number): Temporal.Instant => Temporal.Instant.fromEpochMilliseconds(seconds * 1_000)
const instantOrNull = (seconds: number | null | undefined): Temporal.Instant | null =>
  typeof seconds === 'number' ? instant(seconds) : null
const idOf = (reference: string | { id: string } | null | undefined): string | null =>
  typeof reference === 'string' ? reference : (reference?.id ?? null)

/** The canonical status of each status of Stripe: the names are the same, the list is ours (SUB-1). */
const statuses: Record<string, SubscriptionStatus> = {
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
  const status = own(statuses, subscription.status)
  const customer = idOf(subscription.customer)
  if (!status || customer === null) return null
  const items = subscription.items.data as ItemWithPeriod[]
  const outer = subscription as unknown as { current_period_start?: number; current_period_end?: number }
  const first = items[0]
  const start = first?.current_period_start ?? outer.current_period_start ?? subscription.start_date
  const end = first?.current_period_end ?? outer.current_period_end ?? start + 1
  const willEnd =
    status === 'canceled' || status === 'incomplete_expired'
      ? null
      : (subscription.cancel_at ?? (subscription.cancel_at_period_end ? end : null))
  return {
    providerSubscriptionId: subscription.id,
    providerCustomerId: customer,
    status,
    items: items.map((item) => ({
      lookupKey: item.price.lookup_key ?? null,
      quantity: item.quantity ?? 1,
      interval: intervalOf(item.price),
      currency: item.price.currency.toUpperCase(),
    })),
    period: { start: instant(start), end: instant(Math.max(end, start + 1)) },
    anchor: instant(subscription.billing_cycle_anchor ?? start),
    trialEndsAt: status === 'trialing' ? instantOrNull(subscription.trial_end) : null,
    endsAt: instantOrNull(willEnd),
    // A subscription that expired incomplete has no end of its own at Stripe; it has one here.
    endedAt:
      status === 'canceled' || status === 'incomplete_expired'
        ? (instantOrNull(subscription.ended_at) ?? instant(subscription.canceled_at ?? end))
        : null,
    startedAt: instant(subscription.start_date),
    planVersion: wholeOrNull(subscription.metadata?.turnpike_plan_version),
    scheduled,
  }
}

const wholeOrNull = (text: string | undefined): number | null =>
  text !== undefined && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : null

const units = ['day', 'week', 'month', 'year'] as const
const intervalOf = (price: Stripe.Price): Interval | null => {
  const unit = units.find((known) => known === price.recurring?.interval)
  return price.recurring && unit ? { unit, count: price.recurring.interval_count } : null
}

/** The next phase of a schedule, as the change that it is going to make. */
export const scheduledChange = (
  schedule: Stripe.SubscriptionSchedule,
  nowSeconds: number,
): SubscriptionFact['scheduled'] => {
  if (schedule.status !== 'active') return null
  const next = schedule.phases.find((phase) => phase.start_date > nowSeconds)
  if (!next) return null
  const lookupKeys = next.items
    .map((item) => (typeof item.price === 'object' && 'lookup_key' in item.price ? item.price.lookup_key : null))
    .filter((key): key is string => key !== null)
  return { lookupKeys, at: instant(next.start_date) }
}

const invoiceStatuses = ['draft', 'open', 'paid', 'uncollectible', 'void'] as const

type InvoiceShapes = Stripe.Invoice & {
  subscription?: string | { id: string } | null
  parent?: { subscription_details?: { subscription?: string | { id: string } } | null } | null
}

/** Stripe's invoice in our words: both shapes of its subscription reference, the service period from the lines. */
export const invoiceFact = (invoice: Stripe.Invoice): InvoiceFact | null => {
  const shaped = invoice as InvoiceShapes
  const customer = idOf(invoice.customer as string | { id: string } | null)
  const status = invoiceStatuses.find((known) => known === invoice.status)
  if (!invoice.id || customer === null || !status) return null
  const subscription = idOf(shaped.parent?.subscription_details?.subscription) ?? idOf(shaped.subscription)
  return {
    providerInvoiceId: invoice.id,
    providerCustomerId: customer,
    providerSubscriptionId: subscription,
    number: invoice.number ?? null,
    status,
    billingReason: invoice.billing_reason ?? 'manual',
    amountDue: BigInt(invoice.amount_due),
    amountPaid: BigInt(invoice.amount_paid),
    currency: invoice.currency.toUpperCase(),
    attemptCount: invoice.attempt_count,
    nextAttemptAt: instantOrNull(invoice.next_payment_attempt),
    // Tried, nothing counted as an attempt and still open: the bank asks for the customer.
    actionRequired: invoice.status === 'open' && invoice.attempted && invoice.attempt_count === 0,
    hostedInvoiceUrl: invoice.hosted_invoice_url ?? null,
    period: servicePeriod(invoice),
    createdAt: instant(invoice.created),
  }
}

const servicePeriod = (invoice: Stripe.Invoice): Period | null => {
  const periods = invoice.lines?.data.map((line) => line.period) ?? []
  if (periods.length === 0) return null
  const start = Math.min(...periods.map((period) => period.start))
  const end = Math.max(...periods.map((period) => period.end))
  return { start: instant(start), end: instant(end) }
}

export const checkoutFact = (session: Stripe.Checkout.Session): CheckoutFact => ({
  providerSessionId: session.id,
  checkoutId: session.client_reference_id ?? session.metadata?.turnpike_checkout ?? null,
  providerCustomerId: idOf(session.customer as string | { id: string } | null),
  state: session.status === 'complete' ? 'complete' : session.status === 'expired' ? 'expired' : 'open',
  paid: session.payment_status === 'paid' || session.payment_status === 'no_payment_required',
  providerSubscriptionId: idOf(session.subscription as string | { id: string } | null),
})
