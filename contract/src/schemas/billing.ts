import { type Static, Type } from 'typebox'
import { Currency, Id, Instant, Key, Money, Nullable, Period, Quantity, strict, TenantId } from './common.ts'
import { Retention } from './privacy.ts'

/** The canonical statuses (SUB-1). Which provider status maps to which is the adapter's business. */
export const subscriptionStatuses = [
  'incomplete',
  'incomplete_expired',
  'trialing',
  'active',
  'past_due',
  'unpaid',
  'paused',
  'canceled',
] as const
export type SubscriptionStatus = (typeof subscriptionStatuses)[number]

/** What a status still allows, by policy of the catalog (SUB-2). */
export const accessLevels = ['full', 'grace', 'restricted', 'read_only', 'none'] as const
export type AccessLevel = (typeof accessLevels)[number]

export const PlanRef = strict({ plan: Key, version: Type.Integer({ minimum: 1 }), name: Type.String() })

/** What may be asked of a subscription (SUB-3). */
export const commandActions = [
  'change',
  'cancel',
  'undo_cancel',
  'pause',
  'resume',
  'undo_change',
  'end_trial',
] as const

/**
 * What is agreed and not yet in force. `plan_change` begins at `effectiveAt`; `payment_required` begins once its invoice is
 * paid, and is dropped at `effectiveAt` if it is not.
 */
export const PendingChange = strict({
  kind: Type.Enum(['plan_change', 'cancellation', 'payment_required']),
  effectiveAt: Instant,
  to: Nullable(PlanRef),
  price: Nullable(Key),
  interval: Nullable(Type.String()),
  seats: Nullable(Type.Integer({ minimum: 0 })),
  addOns: Type.Array(strict({ addOn: Key, quantity: Type.Integer({ minimum: 1 }) })),
})

export const Subscription = strict({
  id: Id('subscription'),
  tenantId: TenantId,
  customerId: Id('customer'),
  plan: PlanRef,
  price: Key,
  interval: Type.String({ description: '`month`, `year`, or a count: `3 month`.' }),
  currency: Currency,
  seats: Type.Integer({ minimum: 0 }),
  addOns: Type.Array(strict({ addOn: Key, quantity: Type.Integer({ minimum: 1 }) })),
  status: Type.Enum(subscriptionStatuses),
  accessLevel: Type.Enum(accessLevels),
  period: Period,
  trialEndsAt: Nullable(Instant),
  renewsAt: Nullable(Instant),
  endsAt: Nullable(Instant),
  endedAt: Nullable(Instant),
  pendingChange: Nullable(PendingChange),
  /** What takes something off its invoices; `coupon` is null for one that the catalog does not have. */
  discounts: Type.Array(
    strict({
      coupon: Nullable(Key),
      name: Nullable(Type.String()),
      startsAt: Nullable(Instant),
      endsAt: Nullable(Instant),
    }),
  ),
  providerSubscriptionId: Type.String(),
  startedAt: Instant,
  updatedAt: Instant,
})
export type Subscription = Static<typeof Subscription>

export const SeatCount = Type.Integer({ minimum: 1, maximum: 100_000 })
const Url = Type.String({ format: 'uri', maxLength: 2_000, pattern: '^https?://' })

/** A hosted page of the provider: a checkout (subscribe, purchase), a confirmed plan change, or the portal (PAY-1). */
export const SessionCreate = strict({
  tenantId: Type.Optional(TenantId),
  kind: Type.Optional(Type.Enum(['plan', 'product', 'portal'], { default: 'plan' })),
  plan: Type.Optional(Key),
  price: Type.Optional(Key),
  product: Type.Optional(Key),
  currency: Type.Optional(Currency),
  seats: Type.Optional(SeatCount),
  addOns: Type.Optional(
    Type.Array(strict({ addOn: Key, quantity: Type.Integer({ minimum: 1, maximum: 1_000 }) }), { maxItems: 20 }),
  ),
  /** A coupon of the catalog, by its name or by its code. */
  coupon: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{1,63}$' })),
  returnUrl: Type.Optional(Url),
  cancelUrl: Type.Optional(Url),
  replaceOpen: Type.Optional(Type.Boolean()),
})
export type SessionCreate = Static<typeof SessionCreate>

export const sessionKinds = ['checkout', 'plan_change', 'purchase', 'portal'] as const
export const Session = strict({
  kind: Type.Enum(sessionKinds),
  sessionUrl: Type.String(),
  /** Ask `GET /billing/checkouts/{checkoutId}` how it went; a portal visit has none. */
  checkoutId: Nullable(Id('checkout')),
  expiresAt: Nullable(Instant),
})
export type Session = Static<typeof Session>

export const nextActionKinds = [
  'choose_plan',
  'finish_checkout',
  'wait_for_provider',
  'update_payment_method',
  'pay_invoice',
  'upgrade_plan',
  'undo_cancellation',
  'undo_change',
  'open_session',
  'preview_change',
  'resume',
  'resubscribe',
  'reduce_usage',
  'export_data',
  'contact_owner',
] as const
export const NextAction = strict({
  action: Type.Enum(nextActionKinds),
  sentence: Type.String(),
  url: Nullable(Type.String()),
})
export type NextAction = Static<typeof NextAction>

export const checkoutStates = ['opening', 'open', 'pending_sync', 'completed', 'failed', 'canceled', 'expired'] as const
export const Checkout = strict({
  id: Id('checkout'),
  tenantId: TenantId,
  kind: Type.Enum(sessionKinds),
  state: Type.Enum(checkoutStates),
  plan: Nullable(PlanRef),
  product: Nullable(Key),
  price: Nullable(Key),
  currency: Currency,
  seats: Nullable(Type.Integer()),
  coupon: Nullable(Key),
  sessionUrl: Nullable(Type.String()),
  openedAt: Instant,
  returnedAt: Nullable(Instant),
  completedAt: Nullable(Instant),
  expiresAt: Nullable(Instant),
  snapshotVersion: Nullable(Type.Integer()),
  nextActions: Type.Array(NextAction),
})
export type Checkout = Static<typeof Checkout>

/** Something of which more is in use than a plan allows, and by how much to reduce it (SUB-5). */
export const ExcessItem = strict({
  feature: Key,
  name: Type.String(),
  /** `level`: as many exist. `usage`: counted until the window ends. `seats`: of the subscription. */
  kind: Type.Enum(['level', 'usage', 'seats']),
  used: Quantity,
  limit: Quantity,
  reduceBy: Quantity,
})
export type ExcessItem = Static<typeof ExcessItem>

export const billingStatuses = ['no_subscription', 'pending_sync', ...subscriptionStatuses] as const
export const BillingStatus = strict({
  tenantId: TenantId,
  customerId: Id('customer'),
  status: Type.Enum(billingStatuses),
  accessLevel: Type.Enum(accessLevels),
  plan: PlanRef,
  price: Nullable(Key),
  amount: Nullable(Money),
  interval: Nullable(Type.String()),
  seats: Nullable(strict({ held: Type.Integer(), included: Type.Integer(), max: Nullable(Type.Integer()) })),
  period: Nullable(Period),
  trialEndsAt: Nullable(Instant),
  renewsAt: Nullable(Instant),
  endsAt: Nullable(Instant),
  pendingChange: Nullable(PendingChange),
  pendingSync: Nullable(strict({ since: Instant, checkoutId: Id('checkout') })),
  openCheckout: Nullable(
    strict({
      checkoutId: Id('checkout'),
      kind: Type.Enum(sessionKinds),
      plan: Nullable(Key),
      sessionUrl: Nullable(Type.String()),
      expiresAt: Nullable(Instant),
    }),
  ),
  paymentProblem: Nullable(
    strict({
      kind: Type.Enum(['payment_failed', 'action_required']),
      since: Instant,
      invoiceUrl: Nullable(Type.String()),
    }),
  ),
  /** Set while an invoice stays unpaid (DUN-1). */
  dunning: Nullable(
    strict({
      stage: Nullable(Type.Enum(accessLevels)),
      since: Nullable(Instant),
      nextStage: Nullable(Type.Enum([...accessLevels, 'canceled'])),
      nextAt: Nullable(Instant),
      /** When the subscription ends unpaid; later while the provider still plans to try. */
      cancelAt: Nullable(Instant),
    }),
  ),
  /** Set while more is in use than a smaller plan allows (SUB-5). */
  remediation: Nullable(
    strict({
      kind: Type.Enum(['cleanup_window', 'soft_lock']),
      plan: PlanRef,
      startedAt: Instant,
      deadline: Nullable(Instant),
      /** The limits of the smaller plan hold already. */
      enforced: Type.Boolean(),
      items: Type.Array(ExcessItem),
    }),
  ),
  subscription: Nullable(Subscription),
  /** What was asked of the subscription and has not settled: `queued` while the provider is silent (SUB-3). */
  command: Nullable(
    strict({
      id: Id('command'),
      action: Type.Enum(['create', ...commandActions]),
      state: Type.Enum(['under_way', 'queued']),
      requestedAt: Instant,
      effectiveAt: Instant,
    }),
  ),
  /** While it is paused: when it goes on by itself, if that was said. */
  resumesAt: Nullable(Instant),
  /** Set once the last subscription has ended, until there is one again (SUB-6). */
  retention: Nullable(Retention),
  nextActions: Type.Array(NextAction),
  snapshotVersion: Type.Integer(),
  asOf: Instant,
})
export type BillingStatus = Static<typeof BillingStatus>

/** How a plan of the catalog stands to the customer's own: the one enum that every plan button reads. */
export const planRelations = [
  'current',
  'scheduled',
  'upgrade',
  'downgrade',
  'switch_interval',
  'start',
  'not_available',
] as const
export const PlanOffer = strict({
  plan: Key,
  version: Type.Integer(),
  name: Type.String(),
  description: Type.String(),
  model: Type.Enum(['subscription', 'usage', 'hybrid', 'one_time', 'free']),
  rank: Type.Integer(),
  trialDays: Type.Integer(),
  prices: Type.Array(
    strict({
      price: Key,
      interval: Type.String(),
      amount: Money,
      /** Of each seat above those included; null where none can be added. */
      perSeat: Nullable(Money),
      relation: Type.Enum(planRelations),
    }),
  ),
  seats: Nullable(strict({ included: Type.Integer(), max: Nullable(Type.Integer()) })),
  /** What usage costs, in words. */
  usagePrices: Type.Array(strict({ price: Key, name: Type.String(), sentence: Type.String() })),
  /** What may be held on top, with the amount of one for each price of the plan that has it. */
  addOns: Type.Array(
    strict({ addOn: Key, name: Type.String(), prices: Type.Array(strict({ price: Key, amount: Money })) }),
  ),
  features: Type.Array(
    strict({
      feature: Key,
      name: Type.String(),
      kind: Type.Enum(['boolean', 'value', 'metered']),
      included: Type.Boolean(),
      sentence: Type.String(),
    }),
  ),
  relation: Type.Enum(planRelations),
})
export type PlanOffer = Static<typeof PlanOffer>

export const CheckoutParams = strict({ checkoutId: Type.String({ maxLength: 120 }) })
export const SubscriptionParams = strict({ subscriptionId: Type.String({ maxLength: 120 }) })
export const SyncRequest = strict({ tenantId: Type.Optional(TenantId) })
export const SyncResult = strict({
  changed: Type.Boolean(),
  subscriptions: Type.Integer(),
  invoices: Type.Integer(),
  snapshotVersion: Type.Integer(),
})
export const ReturnReport = strict({ outcome: Type.Enum(['returned', 'canceled']) })
