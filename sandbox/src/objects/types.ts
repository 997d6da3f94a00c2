// The stored form of each object: as the API shows it, but for inner objects kept elsewhere (items, lines, prices) and
// for what only the engine knows, which lives under `_` and never leaves the server.

export type Metadata = Record<string, string>

export type Stored = {
  id: string
  object: string
  created?: number
  metadata?: Metadata | null
  _?: Record<string, unknown>
  [field: string]: unknown
}

export type EventObject = Stored & {
  object: 'event'
  type: string
  created: number
  data: { object: unknown; previous_attributes?: unknown }
}

export type WebhookEndpoint = Stored & {
  object: 'webhook_endpoint'
  url: string
  enabled_events: string[]
  status: 'enabled' | 'disabled'
  _: { secrets: string[] }
}

export type Customer = Stored & {
  object: 'customer'
  created: number
  email: string | null
  name: string | null
  phone: string | null
  address: unknown
  shipping: unknown
  balance: number
  currency: string | null
  delinquent: boolean
  discount: string | null
  invoice_prefix: string
  next_invoice_sequence: number
  invoice_settings: { default_payment_method: string | null; [field: string]: unknown }
  default_source: string | null
  tax_exempt: string
  test_clock: string | null
}

export type Product = Stored & {
  object: 'product'
  active: boolean
  name: string
  description: string | null
  images: string[]
  unit_label: string | null
  default_price: string | null
  updated: number
}

export type Interval = 'day' | 'week' | 'month' | 'year'

export type Tier = {
  up_to: number | null
  unit_amount: number | null
  unit_amount_decimal: string | null
  flat_amount: number | null
  flat_amount_decimal: string | null
}

export type Price = Stored & {
  object: 'price'
  active: boolean
  billing_scheme: 'per_unit' | 'tiered'
  created: number
  currency: string
  lookup_key: string | null
  nickname: string | null
  product: string
  recurring: {
    interval: Interval
    interval_count: number
    meter: string | null
    trial_period_days: number | null
    usage_type: 'licensed' | 'metered'
  } | null
  tiers_mode: 'graduated' | 'volume' | null
  transform_quantity: { divide_by: number; round: 'up' | 'down' } | null
  type: 'one_time' | 'recurring'
  unit_amount: number | null
  unit_amount_decimal: string | null
  _: { tiers: Tier[] | null; currency_options: Record<string, unknown> | null }
}

export type Coupon = Stored & {
  object: 'coupon'
  amount_off: number | null
  currency: string | null
  duration: 'once' | 'repeating' | 'forever'
  duration_in_months: number | null
  max_redemptions: number | null
  name: string | null
  percent_off: number | null
  redeem_by: number | null
  times_redeemed: number
  valid: boolean
  _: { products: string[] | null; deleted?: boolean }
}

export type PromotionCode = Stored & {
  object: 'promotion_code'
  active: boolean
  code: string
  customer: string | null
  expires_at: number | null
  max_redemptions: number | null
  times_redeemed: number
  restrictions: {
    first_time_transaction: boolean
    minimum_amount: number | null
    minimum_amount_currency: string | null
  }
  promotion: { type: 'coupon'; coupon: string }
  _: { coupon: string }
}

export type Discount = Stored & {
  object: 'discount'
  customer: string | null
  subscription: string | null
  invoice: string | null
  invoice_item: string | null
  subscription_item: string | null
  checkout_session: string | null
  promotion_code: string | null
  source: { type: 'coupon'; coupon: string }
  start: number
  end: number | null
  _: { used: boolean }
}

export type CardBehavior =
  | { kind: 'ok' }
  /** Refused already when it is saved. */
  | { kind: 'declines'; code: string; declineCode: string | null }
  /** Saved without complaint, but every charge fails. */
  | { kind: 'charge_fails'; code: string; declineCode: string | null }
  /** Asks the bank once; approved cards pass off-session afterwards unless `always`. */
  | { kind: 'authenticates'; always: boolean; thenDeclines: string | null }
  /** A bank debit: whether the money comes is known only later. */
  | { kind: 'delayed'; seconds: number; fails: string | null }
  /** The customer sends the money to an account of theirs, which pays what it can. */
  | { kind: 'transfers' }

export type PaymentMethod = Stored & {
  object: 'payment_method'
  type: string
  customer: string | null
  billing_details: {
    email: string | null
    name: string | null
    phone: string | null
    address: unknown
    [field: string]: unknown
  }
  card?: { brand: string; last4: string; exp_month: number; exp_year: number; [field: string]: unknown }
  _: { behavior: CardBehavior; setUp: boolean; used: boolean }
}

type SubscriptionStatus =
  | 'incomplete'
  | 'incomplete_expired'
  | 'trialing'
  | 'active'
  | 'past_due'
  | 'unpaid'
  | 'canceled'
  | 'paused'

export type Subscription = Stored & {
  object: 'subscription'
  billing_cycle_anchor: number
  cancel_at: number | null
  cancel_at_period_end: boolean
  canceled_at: number | null
  cancellation_details: {
    comment: string | null
    feedback: string | null
    reason: string | null
    [field: string]: unknown
  }
  collection_method: 'charge_automatically' | 'send_invoice'
  created: number
  currency: string
  customer: string
  days_until_due: number | null
  default_payment_method: string | null
  discounts: string[]
  ended_at: number | null
  latest_invoice: string | null
  metadata: Metadata
  pause_collection: { behavior: 'keep_as_draft' | 'mark_uncollectible' | 'void'; resumes_at: number | null } | null
  payment_settings: { save_default_payment_method: string | null; [field: string]: unknown }
  pending_setup_intent: string | null
  pending_update: { expires_at: number; [field: string]: unknown } | null
  schedule: string | null
  start_date: number
  status: SubscriptionStatus
  test_clock: string | null
  trial_end: number | null
  trial_start: number | null
  trial_settings: {
    end_behavior: { missing_payment_method: 'create_invoice' | 'cancel' | 'pause'; billing_cycle_anchor: string | null }
  } | null
  /** `nextPeriodEnd` is the earliest end among the items; the rest says which notices were already given. */
  _: {
    nextPeriodEnd: number
    trialNoticeFor: number | null
    upcomingNoticeFor: number | null
    pendingParams?: unknown
    /** The time from this end on was already given back. */
    creditedFrom?: number
    /** A paused subscription goes on when this invoice is paid, if that is in time. */
    resumption?: { invoice: string; expiresAt: number }
  }
}

export type SubscriptionItem = Stored & {
  object: 'subscription_item'
  created: number
  current_period_start: number
  current_period_end: number
  price: string
  quantity?: number
  subscription: string
  metadata: Metadata
  discounts: string[]
}

type InvoiceStatus = 'draft' | 'open' | 'paid' | 'uncollectible' | 'void'

export type Invoice = Stored & {
  object: 'invoice'
  amount_due: number
  amount_paid: number
  amount_remaining: number
  attempt_count: number
  attempted: boolean
  auto_advance: boolean
  automatically_finalizes_at: number | null
  billing_reason: string
  collection_method: 'charge_automatically' | 'send_invoice'
  created: number
  currency: string
  customer: string
  default_payment_method: string | null
  discounts: string[]
  due_date: number | null
  metadata: Metadata
  next_payment_attempt: number | null
  number: string | null
  parent: {
    type: 'subscription_details'
    quote_details: null
    subscription_details: { metadata: Metadata; subscription: string; subscription_proration_date?: number }
  } | null
  period_start: number
  period_end: number
  starting_balance: number
  ending_balance: number | null
  status: InvoiceStatus
  status_transitions: {
    finalized_at: number | null
    marked_uncollectible_at: number | null
    paid_at: number | null
    voided_at: number | null
  }
  subtotal: number
  total: number
  total_discount_amounts: { amount: number; discount: string }[]
  test_clock: string | null
  pre_payment_credit_notes_amount: number
  post_payment_credit_notes_amount: number
  /** `token` opens the hosted page; `intent` is the invoice's own payment intent. */
  _: {
    subscription: string | null
    token: string
    intent: string | null
    applyOnPayment?: unknown
    neverDiscount?: boolean
  }
}

export type InvoiceLine = Stored & {
  object: 'line_item'
  amount: number
  currency: string
  description: string | null
  discountable: boolean
  discount_amounts: { amount: number; discount: string }[]
  discounts: string[]
  invoice: string
  period: { start: number; end: number }
  pricing: {
    type: 'price_details'
    price_details: { price: string; product: string }
    unit_amount_decimal: string | null
  } | null
  quantity: number | null
  parent: Record<string, unknown>
  subscription: string | null
  _: { item: string | null; invoiceItem: string | null; proration: boolean; position: number }
}

export type InvoiceItem = Stored & {
  object: 'invoiceitem'
  amount: number
  currency: string
  customer: string
  date: number
  description: string | null
  discountable: boolean
  discounts: string[]
  invoice: string | null
  period: { start: number; end: number }
  pricing: InvoiceLine['pricing']
  proration: boolean
  quantity: number
  parent: {
    type: 'subscription_details'
    subscription_details: { subscription: string; subscription_item?: string }
  } | null
  test_clock: string | null
  _: {
    subscription: string | null
    item: string | null
    creditedItems: { invoice: string; invoice_line_items: string[] } | null
  }
}

export type InvoicePayment = Stored & {
  object: 'invoice_payment'
  amount_paid: number | null
  amount_requested: number
  invoice: string
  is_default: boolean
  payment: { type: string; payment_intent?: string }
  status: 'open' | 'paid' | 'canceled'
  status_transitions: { canceled_at: number | null; paid_at: number | null }
}

type IntentStatus =
  | 'requires_payment_method'
  | 'requires_confirmation'
  | 'requires_action'
  | 'processing'
  | 'requires_capture'
  | 'succeeded'
  | 'canceled'

export type PaymentIntent = Stored & {
  object: 'payment_intent'
  amount: number
  amount_capturable: number
  amount_received: number
  canceled_at: number | null
  cancellation_reason: string | null
  capture_method: string
  client_secret: string
  confirmation_method: string
  created: number
  currency: string
  customer: string | null
  description: string | null
  last_payment_error: Record<string, unknown> | null
  latest_charge: string | null
  metadata: Metadata
  next_action: Record<string, unknown> | null
  payment_method: string | null
  setup_future_usage: string | null
  status: IntentStatus
  receipt_email: string | null
  shipping: unknown
  _: {
    invoice: string | null
    authentication: string | null
    returnUrl: string | null
    /** When a bank debit is known to have worked or not. */
    settlesAt?: number | null
    /** The Checkout Session that waits for it. */
    session?: string | null
    /** Whether dunning goes on if it fails. */
    scheduled?: boolean
  }
}

export type SetupIntent = Stored & {
  object: 'setup_intent'
  cancellation_reason: string | null
  client_secret: string
  created: number
  customer: string | null
  last_setup_error: Record<string, unknown> | null
  metadata: Metadata
  next_action: Record<string, unknown> | null
  payment_method: string | null
  status: Exclude<IntentStatus, 'requires_capture'>
  usage: string
  _: { authentication: string | null; returnUrl: string | null }
}

export type Charge = Stored & {
  object: 'charge'
  amount: number
  amount_captured: number
  amount_refunded: number
  captured: boolean
  currency: string
  customer: string | null
  paid: boolean
  payment_intent: string | null
  payment_method: string | null
  refunded: boolean
  status: 'succeeded' | 'pending' | 'failed'
}

export type Refund = Stored & {
  object: 'refund'
  amount: number
  charge: string
  payment_intent: string | null
  status: string
  /** Set while a test card keeps the refund's fate open. */
  _?: { settlesAt: number | null; fails: boolean }
}

export type CheckoutItem = Stored & {
  object: 'item'
  amount_discount: number
  amount_subtotal: number
  amount_total: number
  price: string
  quantity: number
  description: string | null
  adjustable_quantity: { enabled: boolean; maximum: number | null; minimum: number | null } | null
  _: { session: string }
}

export type CheckoutSession = Stored & {
  object: 'checkout.session'
  amount_subtotal: number | null
  amount_total: number | null
  allow_promotion_codes: boolean | null
  cancel_url: string | null
  client_reference_id: string | null
  created: number
  currency: string | null
  customer: string | null
  customer_creation: string | null
  customer_details: Record<string, unknown> | null
  customer_email: string | null
  discounts: { coupon: string | null; promotion_code: string | null }[] | null
  expires_at: number
  invoice: string | null
  metadata: Metadata
  mode: 'subscription' | 'payment' | 'setup'
  payment_intent: string | null
  payment_method_collection: string | null
  payment_status: 'paid' | 'unpaid' | 'no_payment_required'
  setup_intent: string | null
  status: 'open' | 'complete' | 'expired'
  subscription: string | null
  success_url: string | null
  total_details: Record<string, unknown> | null
  url: string | null
  _: {
    subscriptionData: Record<string, unknown>
    paymentIntentData: Record<string, unknown>
    setupIntentData: Record<string, unknown>
    /** What the payment page tells a customer who comes back from the bank. */
    lastError: string | null
  }
}

export type PaymentLink = Stored & {
  object: 'payment_link'
  active: boolean
  after_completion: {
    type: 'hosted_confirmation' | 'redirect'
    hosted_confirmation?: { custom_message: string | null }
    redirect?: { url: string }
  }
  allow_promotion_codes: boolean
  currency: string
  metadata: Metadata
  payment_method_types: string[] | null
  url: string
  _: { mode: 'subscription' | 'payment'; code: string }
}

export type TaxId = Stored & {
  object: 'tax_id'
  customer: string | null
  type: string
  value: string
}

export type Meter = Stored & {
  object: 'billing.meter'
  customer_mapping: { event_payload_key: string; type: 'by_id' }
  default_aggregation: { formula: 'count' | 'last' | 'sum' }
  display_name: string
  event_name: string
  status: 'active' | 'inactive'
  status_transitions: { deactivated_at: number | null }
  value_settings: { event_payload_key: string }
}

export type MeterEvent = Stored & {
  object: 'billing.meter_event'
  event_name: string
  identifier: string
  payload: Record<string, string>
  timestamp: number
  _: { meter: string; customer: string; value: number; canceled: boolean }
}

export type Quote = Stored & {
  object: 'quote'
  amount_subtotal: number
  amount_total: number
  collection_method: 'charge_automatically' | 'send_invoice'
  currency: string | null
  customer: string | null
  description: string | null
  discounts: string[]
  expires_at: number
  footer: string | null
  header: string | null
  invoice: string | null
  invoice_settings: { days_until_due: number | null; [field: string]: unknown }
  metadata: Metadata
  number: string | null
  status: 'draft' | 'open' | 'accepted' | 'canceled'
  status_transitions: { accepted_at: number | null; canceled_at: number | null; finalized_at: number | null }
  subscription: string | null
  subscription_data: {
    description: string | null
    effective_date: number | null
    metadata: Metadata | null
    trial_period_days: number | null
    [field: string]: unknown
  }
  subscription_schedule: string | null
  test_clock: string | null
  _: { coupon: string | null; promotionCode: string | null }
}

export type PortalConfiguration = Stored & {
  object: 'billing_portal.configuration'
  active: boolean
  is_default: boolean
  default_return_url: string | null
  business_profile: { headline: string | null; privacy_policy_url: string | null; terms_of_service_url: string | null }
  features: {
    customer_update: { allowed_updates: string[]; enabled: boolean }
    invoice_history: { enabled: boolean }
    payment_method_update: { enabled: boolean; [field: string]: unknown }
    subscription_cancel: {
      enabled: boolean
      mode: 'at_period_end' | 'immediately'
      proration_behavior: string
      cancellation_reason: { enabled: boolean; options: string[]; [field: string]: unknown }
    }
    subscription_update: {
      enabled: boolean
      default_allowed_updates: string[]
      proration_behavior: 'always_invoice' | 'create_prorations' | 'none'
      products?: {
        product: string
        prices: string[]
        adjustable_quantity: { enabled: boolean; maximum: number | null; minimum: number }
      }[]
      schedule_at_period_end: { conditions: { type: string }[] }
      [field: string]: unknown
    }
    [field: string]: unknown
  }
}

export type PortalFlowData = {
  type: string
  after_completion: {
    type: 'portal_homepage' | 'redirect' | 'hosted_confirmation'
    redirect: { return_url: string } | null
    hosted_confirmation: { custom_message: string | null } | null
  }
  subscription_cancel: { subscription: string; [field: string]: unknown } | null
  subscription_update: { subscription: string } | null
  subscription_update_confirm: {
    subscription: string
    items: { id: string | null; price: string | null; quantity?: number }[]
    [field: string]: unknown
  } | null
  [field: string]: unknown
}

export type PortalSession = Stored & {
  object: 'billing_portal.session'
  configuration: string
  customer: string
  flow: PortalFlowData | null
  return_url: string | null
  created: number
  _: { token: string }
}

export type SchedulePhase = {
  start_date: number
  end_date: number
  items: { price: string; quantity?: number; metadata: Metadata; [field: string]: unknown }[]
  proration_behavior: 'always_invoice' | 'create_prorations' | 'none'
  billing_cycle_anchor: string | null
  trial_end: number | null
  metadata: Metadata
  [field: string]: unknown
}

export type SubscriptionSchedule = Stored & {
  object: 'subscription_schedule'
  canceled_at: number | null
  completed_at: number | null
  created: number
  current_phase: { start_date: number; end_date: number } | null
  customer: string
  end_behavior: string
  metadata: Metadata
  phases: SchedulePhase[]
  released_at: number | null
  released_subscription: string | null
  status: 'not_started' | 'active' | 'completed' | 'released' | 'canceled'
  subscription: string | null
  test_clock: string | null
}

export type TestClock = Stored & {
  object: 'test_helpers.test_clock'
  frozen_time: number
  status: 'ready' | 'advancing' | 'internal_failure'
  status_details: Record<string, unknown>
}

export type Authentication = Stored & {
  object: 'authentication'
  intent: string
  state: 'pending' | 'approved' | 'failed'
  /** Where the browser goes afterwards. */
  returnUrl: string | null
  /** Where it goes instead when the bank said no, if that is another place. */
  failureUrl: string | null
  session: string | null
}
