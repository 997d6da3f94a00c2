import type { SubscriptionStatus } from '@turnpike/contract'
import type { Interval, Period } from '../../core/period.ts'
import type { ProviderListing } from './listing.ts'
import type { MoneyBack } from './money-back.ts'
import type { OrderOutcome, OrderPreview, OrderRequest, PriceLine } from './order.ts'
import type { InvoicePlacing } from './placing-port.ts'

/**
 * What we ask of a payment provider, in our words (PAY-3). Prices are named by our lookup keys; the adapter finds the
 * provider's ids. Every asking function takes the id of our own row as idempotency key, so that a repeat has one effect.
 * Failures: `provider_unavailable` when it could not be reached, `provider_refused` when it said no to this request,
 * `provider_data_invalid` when its answer made no sense.
 */
export type PaymentProvider = MoneyBack & {
  name: string
  /** Whether it answered lately. While it does not, background work waits instead of asking again and again. */
  availability(): ProviderAvailability
  /** All that it has, for comparing. */
  listing: ProviderListing
  /** How our lines reach its invoices. */
  placing: InvoicePlacing
  createCustomer(customer: {
    tenantId: string
    customerId: string
    name: string
    email: string | null
    /** How many of this customer were deleted at the provider before. */
    earlier?: number
  }): Promise<{ providerCustomerId: string }>
  /** Sets where the provider writes to. `changeId` names the change, so that a repeat has one effect. */
  updateCustomer(change: { providerCustomerId: string; email: string | null; changeId: string }): Promise<void>
  openCheckout(request: CheckoutRequest): Promise<OpenedSession>
  /** Ends an open checkout, so that nobody can pay it any more. True when it is closed now, false when it was paid already. */
  closeCheckout(providerSessionId: string): Promise<boolean>
  openPlanChange(request: PlanChangeRequest): Promise<OpenedSession>
  openPortal(request: {
    checkoutId: string
    providerCustomerId: string
    returnUrl: string
    offer: PortalOffer
  }): Promise<OpenedSession>
  /** What an order would bring, computed by the provider itself; nothing happens (SUB-4). */
  previewOrder(request: OrderRequest): Promise<OrderPreview>
  /** Carries an order out. `attempt` counts from 1; repeats of one command have one effect. */
  carryOut(request: OrderRequest & { commandId: string; attempt: number }): Promise<OrderOutcome>
  /** Whether a charge without the customer could be tried at all. */
  hasPaymentMethod(providerCustomerId: string, providerSubscriptionId: string | null): Promise<boolean>
  /** All of a customer. One that cannot be read is left out and told by its id: the others are not held up by it. */
  fetchSubscriptions(
    providerCustomerId: string,
    unreadable?: (providerSubscriptionId: string) => void,
  ): Promise<SubscriptionFact[]>
  fetchSubscription(providerSubscriptionId: string): Promise<SubscriptionFact | null>
  /** Null for one that the provider has never heard of. The ids are those that we, or somebody in our name, wrote on it. */
  fetchCustomer(
    providerCustomerId: string,
  ): Promise<{ deleted: boolean; tenantId: string | null; customerId: string | null } | null>
  fetchInvoice(providerInvoiceId: string): Promise<InvoiceFact | null>
  /** The ids of a customer's newest invoices, a dozen at most. */
  recentInvoices(providerCustomerId: string): Promise<string[]>
  /** What of a subscription is finalized and not paid, given up or not. */
  fetchUnpaidInvoices(providerSubscriptionId: string): Promise<InvoiceFact[]>
  fetchCheckout(providerSessionId: string): Promise<CheckoutFact | null>
  /** The hint of a genuine webhook, or why it is refused. The raw bytes are what was signed. */
  verifyWebhook(
    rawBody: Buffer,
    headers: Record<string, string | string[] | undefined>,
    at: Temporal.Instant,
  ):
    | { ok: true; hint: WebhookHint }
    | { ok: false; refusal: 'missing' | 'malformed' | 'mismatch' | 'too_old' | 'not_an_event' }
}

/** `open`: not asked until the time given. `half_open`: the next request tries. */
export type ProviderAvailability = { circuit: 'closed' | 'open' | 'half_open'; retryAfterSeconds: number | null }

type CheckoutRequest = {
  checkoutId: string
  tenantId: string
  providerCustomerId: string
  mode: 'subscription' | 'payment'
  lines: PriceLine[]
  trial: {
    days: number
    /** `optional`: the page asks for a card only if something is due at once. */
    paymentMethod: 'required' | 'optional'
    withoutPaymentMethod: 'cancel' | 'pause' | 'create_invoice'
  } | null
  planVersion: number | null
  /** The provider's coupon, which computes the discount. Refused as `coupon_not_usable` when it was used up. */
  couponId: string | null
  successUrl: string
  cancelUrl: string
}

/** What customers may change to in the portal, and how: the prices by lookup key and the catalog's policy of change. */
export type PortalOffer = {
  lookupKeys: string[]
  proration: 'always_invoice' | 'create_prorations' | 'none'
  downgradeAt: 'immediate' | 'period_end'
  cancelAt: 'immediate' | 'period_end'
}

type PlanChangeRequest = {
  checkoutId: string
  providerCustomerId: string
  providerSubscriptionId: string
  /** The price held and the one wanted; the rest of the subscription stays. */
  fromLookupKey: string
  lookupKey: string
  quantity: number
  returnUrl: string
  offer: PortalOffer
}

type OpenedSession = { providerSessionId: string; url: string; expiresAt: Temporal.Instant | null }

/** A subscription as the provider states it now, in our words. `items` name our lookup keys; null for prices that are not ours. */
export type SubscriptionFact = {
  providerSubscriptionId: string
  providerCustomerId: string
  status: SubscriptionStatus
  /** Each with its own period: intervals may be mixed. */
  items: { lookupKey: string | null; quantity: number; interval: Interval | null; currency: string; period?: Period }[]
  period: Period
  anchor: Temporal.Instant
  trialEndsAt: Temporal.Instant | null
  /** Set when it is going to end, however that was asked for. */
  endsAt: Temporal.Instant | null
  endedAt: Temporal.Instant | null
  startedAt: Temporal.Instant
  paymentMethodOnFile: boolean
  /** Why and since when it is paused; null in every other status. */
  paused: { reason: string | null; since: Temporal.Instant | null } | null
  /** Its invoices are not collected for a while; the status stays. */
  collectionPaused: { behavior: string; resumesAt: Temporal.Instant | null } | null
  latestInvoiceId: string | null
  planVersion: number | null
  /** A change that the provider has scheduled. */
  scheduled: PlannedItems | null
  /** A change that waits for its invoice to be paid, and when it is dropped. */
  unpaidChange: PlannedItems | null
  /** What takes something off its invoices, by the provider's coupon. */
  discounts: { couponId: string; startsAt: Temporal.Instant; endsAt: Temporal.Instant | null }[]
  /** The command of ours that made it, if one did. */
  orderedBy: string | null
}

type PlannedItems = {
  items: { lookupKey: string | null; quantity: number; interval: Interval | null }[]
  at: Temporal.Instant
}

export type InvoiceFact = {
  providerInvoiceId: string
  providerCustomerId: string
  providerSubscriptionId: string | null
  number: string | null
  status: 'draft' | 'open' | 'paid' | 'uncollectible' | 'void'
  billingReason: string
  amountDue: bigint
  amountPaid: bigint
  currency: string
  attemptCount: number
  nextAttemptAt: Temporal.Instant | null
  actionRequired: boolean
  hostedInvoiceUrl: string | null
  /** The service period of the lines, not the span of the invoice items. */
  period: Period | null
  createdAt: Temporal.Instant
  /** When it became due; null for drafts. */
  finalizedAt: Temporal.Instant | null
  /** Below zero where credits outweigh charges. `total` is after discounts and with tax; what is due may be less. */
  subtotal: bigint
  discount: bigint
  tax: bigint
  total: bigint
  amountRemaining: bigint
  /** By credit notes: off what was owed, and off what had been paid. */
  creditedBeforePayment: bigint
  creditedAfterPayment: bigint
  pdfUrl: string | null
  /** All of them, in their order. */
  lines: InvoiceLineFact[]
  payments: PaymentFact[]
}

export type InvoiceLineFact = {
  providerLineId: string
  description: string | null
  /** Below zero for credits. */
  amount: bigint
  /** As a decimal; null for a line without one. */
  quantity: string | null
  period: Period
  proration: boolean
  /** Null for a price that is not ours, or none. */
  lookupKey: string | null
  /** The line of ours that it was made from. */
  lineId: string | null
}

/** What was or is to be paid towards an invoice. */
export type PaymentFact = {
  providerPaymentId: string
  status: 'open' | 'paid' | 'canceled'
  amount: bigint
  /** What refunds name; null for money that came another way. */
  providerIntentId: string | null
  /** Null also where a list does not tell. */
  providerMethodId: string | null
  paidAt: Temporal.Instant | null
  createdAt: Temporal.Instant
}

export type CheckoutFact = {
  providerSessionId: string
  checkoutId: string | null
  providerCustomerId: string | null
  state: 'open' | 'complete' | 'expired'
  paid: boolean
  /** What it costs as a whole, with discount and tax. */
  amountMinor: bigint
  /** The payment that was made for it; null for what was free, and for subscriptions, which are paid by invoices. */
  providerPaymentId: string | null
  providerSubscriptionId: string | null
}

/** What a webhook tells us: where to look. Its content is never believed (WEB-3). */
export type WebhookHint = {
  eventId: string
  type: string
  createdAt: Temporal.Instant
  objectId: string | null
  providerCustomerId: string | null
  /** What to fetch again; `nothing` for events that concern no customer of ours. */
  concerns: 'subscription' | 'invoice' | 'checkout' | 'customer' | 'payment_method' | 'money_back' | 'nothing'
  /** A test event sent to a live service, or the other way round. */
  wrongMode: boolean
}
