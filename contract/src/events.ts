import { Type } from 'typebox'
import { Checkout, ExcessItem, Subscription, subscriptionStatuses } from './schemas/billing.ts'
import { Id, Instant, Key, Money, Nullable, Quantity, strict } from './schemas/common.ts'
import { CreditGrant, Purchase } from './schemas/credit.ts'
import { Override } from './schemas/entitlement.ts'
import { Budget } from './schemas/event.ts'
import { ownerTransferStates } from './schemas/owner.ts'
import { Retention } from './schemas/privacy.ts'
import { CreditNote, Refund } from './schemas/refund.ts'

const Invoice = strict({
  providerInvoiceId: Type.String(),
  subscriptionId: Nullable(Type.String()),
  number: Nullable(Type.String()),
  status: Type.Enum(['draft', 'open', 'paid', 'uncollectible', 'void']),
  amountDueMinor: Type.String(),
  amountPaidMinor: Type.String(),
  currency: Type.String(),
  billingReason: Type.String(),
  hostedInvoiceUrl: Nullable(Type.String()),
  /** The bank wants the customer to confirm the payment. */
  actionRequired: Type.Boolean(),
  periodStart: Nullable(Instant),
  periodEnd: Nullable(Instant),
})

/** What brought a change of status about (SUB-1): the triggers of the transition table. */
export const transitionTriggers = [
  'started',
  'trial_started',
  'found',
  'payment_succeeded',
  'payment_failed',
  'retries_exhausted',
  'trial_ended',
  'paused',
  'resumed',
  'canceled',
  'expired',
  'missing',
  'contradiction',
] as const

/** Null where the status stayed. `from` is null for a subscription that had ended when it was first seen. */
const Transition = Nullable(
  strict({
    from: Nullable(Type.Enum(subscriptionStatuses)),
    to: Type.Enum(subscriptionStatuses),
    trigger: Type.Enum(transitionTriggers),
  }),
)

const DunningMoment = strict({
  subscriptionId: Type.String(),
  plan: Key,
  /** What dunning allows from here on; `canceled` when the subscription has ended unpaid. */
  stage: Type.Enum(['grace', 'restricted', 'read_only', 'none', 'canceled']),
  /** When the stage began, which may be earlier than when it was told. */
  since: Instant,
  invoiceUrl: Nullable(Type.String()),
  amount: Nullable(Money),
  nextStage: Nullable(Type.String()),
  nextAt: Nullable(Instant),
})
const RemediationData = strict({
  subscriptionId: Type.String(),
  plan: Key,
  kind: Type.Enum(['cleanup_window', 'soft_lock']),
  /** What is in use above the limits now; empty when nothing is. */
  items: Type.Array(ExcessItem),
  /** Until when the old limits stay; null when the new ones hold at once. */
  deadline: Nullable(Instant),
})

const RatedPeriod = strict({
  periodId: Id('period'),
  subscriptionId: Type.String(),
  start: Instant,
  end: Instant,
  lines: Type.Array(
    strict({
      lineId: Id('line'),
      charge: Type.String(),
      name: Type.String(),
      quantity: Type.String(),
      amountMinor: Type.String(),
    }),
  ),
  amount: Money,
})

/**
 * Every domain event (EVT-1) with the schema of its `data`; a change of a schema is a new version in `dataschema`.
 * `budget` is the customer's budget after the change, so that a replica needs nothing else (EVT-4).
 */
export const eventTypes = {
  'customer.created': {
    meaning: 'A customer exists from now on',
    data: strict({ name: Type.String(), budget: Budget }),
  },
  'customer.updated': { meaning: 'Name or contact changed', data: strict({ name: Type.String() }) },
  'checkout.opened': { meaning: 'A hosted checkout was opened', data: strict({ checkout: Checkout }) },
  'checkout.completed': { meaning: 'A checkout ended with its effect', data: strict({ checkout: Checkout }) },
  'checkout.ended': { meaning: 'A checkout ended without effect', data: strict({ checkout: Checkout }) },
  'subscription.created': {
    meaning: 'A subscription is known from now on',
    data: strict({ subscription: Subscription, budget: Budget }),
  },
  'subscription.updated': {
    meaning: 'Status, plan, quantity, period or pending change differ',
    data: strict({
      subscription: Subscription,
      changed: Type.Array(Type.String()),
      transition: Transition,
      /** From when the change counts (SUB-8): the provider's time where it tells one, else when it was seen. */
      effectiveAt: Instant,
      budget: Budget,
    }),
  },
  'subscription.canceled': {
    meaning: 'The subscription has ended',
    data: strict({ subscription: Subscription, transition: Transition, effectiveAt: Instant, budget: Budget }),
  },
  'subscription.trial_ending': {
    meaning: 'A trial ends in a few days; sent once per trial',
    data: strict({ subscription: Subscription, endsAt: Instant, paymentMethodOnFile: Type.Boolean() }),
  },
  'subscription.renewal_upcoming': {
    meaning: 'A subscription renews in a few days; sent once per period',
    data: strict({
      subscription: Subscription,
      at: Instant,
      /** The recurring prices by the catalog, before usage, discounts and tax; null where the catalog has none. */
      amount: Nullable(Money),
    }),
  },
  'subscription.change_failed': {
    meaning: 'A command on a subscription had no effect: what was held before stays',
    data: strict({
      subscription: Nullable(Subscription),
      action: Type.String(),
      code: Type.String(),
      invoiceUrl: Nullable(Type.String()),
    }),
  },
  'invoice.paid': { meaning: 'An invoice was paid', data: strict({ invoice: Invoice, budget: Budget }) },
  'invoice.payment_failed': { meaning: 'A payment attempt failed', data: strict({ invoice: Invoice }) },
  'invoice.updated': { meaning: 'An invoice is known or changed', data: strict({ invoice: Invoice }) },
  'refund.requested': {
    meaning: 'A refund waits for a second person',
    data: strict({ refund: Refund, requestExpiresAt: Instant }),
  },
  'refund.decided': {
    meaning: 'A waiting refund was approved or rejected, or nobody decided in time',
    data: strict({ refund: Refund, decision: Type.Enum(['approved', 'rejected', 'expired']) }),
  },
  'refund.issued': { meaning: 'The provider has a refund: the money is on its way', data: strict({ refund: Refund }) },
  'refund.updated': { meaning: 'A refund has come further', data: strict({ refund: Refund }) },
  'refund.failed': {
    meaning: 'A refund was refused, or came back: the customer does not get it',
    /** Whether it was on its way before. */
    data: strict({ refund: Refund, wasIssued: Type.Boolean() }),
  },
  'credit_note.requested': {
    meaning: 'A credit note waits for a second person',
    data: strict({ creditNote: CreditNote, requestExpiresAt: Instant }),
  },
  'credit_note.decided': {
    meaning: 'A waiting credit note was approved or rejected, or nobody decided in time',
    data: strict({ creditNote: CreditNote, decision: Type.Enum(['approved', 'rejected', 'expired']) }),
  },
  'credit_note.issued': { meaning: 'A credit note is in force', data: strict({ creditNote: CreditNote }) },
  'credit_note.updated': { meaning: 'A credit note has changed', data: strict({ creditNote: CreditNote }) },
  'credit_note.failed': { meaning: 'A credit note was refused', data: strict({ creditNote: CreditNote }) },
  'credit_note.voided': {
    meaning: 'A credit note is void: what it took off is owed again',
    data: strict({ creditNote: CreditNote }),
  },
  // Nothing of the cards themselves: the feed is kept for longer than they are.
  'payment_methods.updated': {
    meaning: 'What a customer may be charged by has changed',
    data: strict({ count: Type.Integer(), hasDefault: Type.Boolean() }),
  },
  'entitlements.updated': {
    meaning: 'A new snapshot is in force',
    data: strict({
      version: Type.Integer(),
      cause: Type.String(),
      effectiveFrom: Instant,
      accessLevel: Type.String(),
      plan: Key,
      gained: Type.Array(Key),
      lost: Type.Array(Key),
      changed: Type.Array(Key),
      budget: Budget,
    }),
  },
  'usage.updated': {
    meaning: 'Counters moved; sent at most a few times a second per customer',
    data: strict({
      meters: Type.Array(strict({ meter: Key, used: Quantity, windowStart: Instant, windowEnd: Instant })),
      budget: Budget,
    }),
  },
  'usage.corrected': {
    meaning: 'A usage record was taken back, or its quantity was set',
    data: strict({
      meter: Key,
      /** The key of the record. */
      corrects: Type.String(),
      action: Type.Enum(['void', 'amend']),
      before: Quantity,
      after: Quantity,
      at: Instant,
      windowStart: Instant,
    }),
  },
  'usage.threshold_reached': {
    meaning: 'A warning threshold or the limit was crossed',
    data: strict({
      feature: Key,
      meter: Key,
      percent: Type.Integer(),
      used: Quantity,
      limit: Quantity,
      windowStart: Instant,
      windowEnd: Instant,
    }),
  },
  'retention.started': {
    meaning: 'The last subscription has ended: from here on count the days until deletion',
    data: Retention,
  },
  'retention.export_ending': {
    meaning: 'Deletion comes nearer: a last chance to export or to come back',
    data: strict({ deleteAt: Instant, days: Type.Integer() }),
  },
  'retention.ended': {
    meaning: 'Nothing will be deleted: there is a subscription again',
    data: strict({ reason: Type.Enum(['reactivated']) }),
  },
  'retention.deleted': {
    meaning: 'What may be deleted was deleted; invoices, subscriptions and audit stay',
    data: strict({ deletedAt: Instant }),
  },
  // No link and no address of a person is in the feed: who sends the letter looks them up by the id.
  'export.created': {
    meaning: 'An archive was asked for',
    data: strict({ exportId: Id('export'), expiresAt: Instant }),
  },
  'owner.transfer_requested': {
    meaning: 'Somebody was asked to become billing owner',
    data: strict({ transferId: Id('transfer'), expiresAt: Instant }),
  },
  'owner.changed': {
    meaning: 'A billing owner has come, gone, or both',
    data: strict({ personId: Nullable(Type.String()), previousPersonId: Nullable(Type.String()) }),
  },
  'owner.transfer_ended': {
    meaning: 'A transfer of ownership was answered, taken back or has expired',
    data: strict({ transferId: Id('transfer'), state: Type.Enum(ownerTransferStates) }),
  },
  'override.requested': {
    meaning: 'An override waits for a second person',
    data: strict({ override: Override, requestExpiresAt: Instant }),
  },
  'override.decided': {
    meaning: 'A waiting override was approved or rejected, or nobody decided in time',
    data: strict({ override: Override, decision: Type.Enum(['approved', 'rejected', 'expired']) }),
  },
  'budget.updated': {
    meaning: 'A customer wants to spend another amount on usage, or has no budget any more',
    data: strict({
      budget: Nullable(strict({ amount: Money, alertAtPercent: Type.Array(Type.Integer()), cap: Type.Boolean() })),
    }),
  },
  'budget.alert': {
    meaning: 'What usage costs has reached a threshold of the budget; told once in a usage period',
    data: strict({
      percent: Type.Integer(),
      amount: Money,
      cost: Money,
      cap: Type.Boolean(),
      /** The cap has refused usage that would have cost more. */
      refusing: Type.Boolean(),
      periodStart: Instant,
      periodEnd: Instant,
    }),
  },
  'credit.requested': {
    meaning: 'Credit waits for a second person',
    data: strict({ grant: CreditGrant, requestExpiresAt: Instant }),
  },
  'credit.decided': {
    meaning: 'Waiting credit was approved or rejected, or nobody decided in time',
    data: strict({ grant: CreditGrant, decision: Type.Enum(['approved', 'rejected', 'lapsed']) }),
  },
  'credit.granted': { meaning: 'A customer has more credit', data: strict({ grant: CreditGrant }) },
  'credit.burnt': {
    meaning: 'Credit paid for a usage period, or was given back by a correction',
    data: strict({ periodId: Type.String(), amount: Money }),
  },
  'credit.expiring': {
    meaning: 'Credit ends in a few days with something left of it; told once',
    data: strict({ grant: CreditGrant }),
  },
  'credit.expired': {
    meaning: 'Credit has ended and the rest of it is gone',
    data: strict({ grant: CreditGrant, amount: Money }),
  },
  'credit.voided': {
    meaning: 'What was left of a credit was taken back',
    data: strict({ grant: CreditGrant, amount: Money, toRefund: Money, reason: Type.String() }),
  },
  'credit.refunded': {
    meaning: 'A purchase was refunded and took what was left of its credit; below zero when a refund came to nothing',
    data: strict({ grant: CreditGrant, amount: Money, purchase: Purchase }),
  },
  'purchase.completed': {
    meaning: 'Something was bought once, confirmed by the provider',
    data: strict({ purchase: Purchase }),
  },
  'dunning.stage_reached': {
    meaning: 'An unpaid invoice has led to the next stage of dunning; told once for each stage, in order',
    data: DunningMoment,
  },
  'dunning.reminded': {
    meaning: 'A day on which the customer is told again of an unpaid invoice',
    data: DunningMoment,
  },
  'dunning.recovered': {
    meaning: 'What was unpaid is settled; access is what the status allows',
    data: strict({
      subscriptionId: Type.String(),
      plan: Key,
      outcome: Type.Enum(['recovered', 'written_off']),
      startedAt: Instant,
      invoiceUrl: Nullable(Type.String()),
      amount: Nullable(Money),
    }),
  },
  'downgrade.remediation_started': {
    meaning: 'A smaller plan is in force while more is in use than it allows',
    data: RemediationData,
  },
  'downgrade.remediation_reminded': { meaning: 'The end of a cleanup window comes nearer', data: RemediationData },
  'downgrade.remediation_met': { meaning: 'What is in use fits the smaller plan', data: RemediationData },
  'downgrade.remediation_enforced': {
    meaning: 'The cleanup window has ended: the limits of the smaller plan hold, nothing was destroyed',
    data: RemediationData,
  },
  'usage_period.rated': {
    meaning: 'A period is over: what was used in it is charged with these lines',
    data: RatedPeriod,
  },
  'usage_period.adjusted': {
    meaning: 'Later usage or a correction of a period that was rated: these lines make up the difference',
    data: RatedPeriod,
  },
  'usage_period.placed': {
    meaning: 'Lines for usage are on an invoice of the provider',
    data: strict({
      subscriptionId: Type.String(),
      providerInvoiceId: Type.String(),
      lines: Type.Integer(),
      amount: Money,
    }),
  },
  'billing.updated': {
    meaning: 'Any of the above changed what the status answers',
    data: strict({ status: Type.String(), accessLevel: Type.String(), plan: Key, reason: Type.String() }),
  },
} as const

export type EventType = keyof typeof eventTypes
