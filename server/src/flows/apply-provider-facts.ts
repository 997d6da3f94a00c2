import type { Checkout, Subscription } from '@turnpike/contract'
import { newId } from '../core/ids.ts'
import { type Catalog, findPlan, intervalText } from '../modules/catalog/index.ts'
import { type CustomerRecord, lockCustomer } from '../modules/customers/index.ts'
import { findInvoice, invoiceNews, saveInvoice } from '../modules/invoices/index.ts'
import {
  type CheckoutFact,
  type CheckoutRecord,
  findUnfinishedCheckouts,
  type InvoiceFact,
  nextCheckoutState,
  type SubscriptionFact,
  saveCheckout,
} from '../modules/payments/index.ts'
import {
  changedFields,
  findSubscriptions,
  isTerminal,
  type SubscriptionRecord,
  saveSubscription,
} from '../modules/subscriptions/index.ts'
import { type Actor, appendAudit } from '../platform/audit.ts'
import type { Tx } from '../platform/db.ts'
import { appendEvents, type EventData, type NewEvent } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'
import { followRetention } from './steps/follow-retention.ts'
import { refreshEntitlements } from './steps/refresh-entitlements.ts'
import { termsOf } from './steps/terms-of-items.ts'
import { checkoutView, subscriptionView } from './steps/views.ts'

/** What was fetched from the provider under one lease: the whole of a customer's subscriptions, and some other objects. */
export type ProviderFacts = { subscriptions: SubscriptionFact[]; invoices: InvoiceFact[]; checkouts: CheckoutFact[] }

export type Applied = {
  changed: boolean
  subscriptions: number
  invoices: number
  snapshotVersion: number
  unmapped: string[]
}

/**
 * Brings our state of one customer to what the provider says now: subscriptions, invoices, checkouts, then entitlements,
 * events and audit, all in the caller's transaction (WEB-3). Facts that bring nothing new leave no trace, so the same facts
 * may come any number of times, and only a validated subscription gives paid access (SUB-2).
 */
export const applyProviderFacts = async (
  tx: Tx,
  deps: Pick<Deps, 'clock' | 'catalog' | 'provider' | 'log'>,
  tenantId: string,
  facts: ProviderFacts,
  actor: Actor,
): Promise<Applied | null> => {
  const customer = await lockCustomer(tx, tenantId)
  if (!customer) return null
  const at = deps.clock.now()
  const catalog = deps.catalog()
  const provider = deps.provider.name
  const known = await findSubscriptions(tx, tenantId)
  const changes: {
    type: 'subscription.created' | 'subscription.updated' | 'subscription.canceled'
    record: SubscriptionRecord
    changed: string[]
  }[] = []
  const events: NewEvent[] = []
  const unmapped: string[] = []

  for (const fact of facts.subscriptions) {
    const before = known.find((record) => record.providerSubscriptionId === fact.providerSubscriptionId) ?? null
    // Nothing leads out of an ended subscription: a fact that says so is stale or wrong.
    if (before && isTerminal(before.status)) continue
    const record = recordOf(catalog, customer, provider, fact, before, at)
    if (!record) {
      unmapped.push(fact.providerSubscriptionId)
      deps.log.error(
        { tenantId, subscription: fact.providerSubscriptionId },
        'a subscription holds no price of the catalog; it grants nothing',
      )
      continue
    }
    const changed = before ? changedFields(before, record) : []
    if (before && changed.length === 0) continue
    await saveSubscription(tx, record)
    // One that was bought and ended before we looked has begun here too: who follows the events meets no end without a start.
    const types = before
      ? [isTerminal(record.status) ? ('subscription.canceled' as const) : ('subscription.updated' as const)]
      : ['subscription.created' as const, ...(isTerminal(record.status) ? ['subscription.canceled' as const] : [])]
    for (const type of types) {
      changes.push({ type, record, changed })
      await appendAudit(tx, deps.clock, {
        tenantId,
        actor,
        action: type,
        object: record.subscriptionId,
        before: before && summary(before),
        after: summary(record),
        reason: changed.length > 0 ? changed.join(', ') : null,
      })
    }
  }

  const current = changes.length > 0 ? await findSubscriptions(tx, tenantId) : known
  const invoiceEvents: {
    type: 'invoice.paid' | 'invoice.payment_failed' | 'invoice.updated'
    invoice: EventData<'invoice.updated'>['invoice']
  }[] = []
  for (const fact of facts.invoices) {
    const before = await findInvoice(tx, tenantId, fact.providerInvoiceId)
    const news = invoiceNews(before, fact)
    if (news === null) continue
    await saveInvoice(tx, { ...fact, tenantId, provider }, at)
    const subscriptionId =
      current.find((record) => record.providerSubscriptionId === fact.providerSubscriptionId)?.subscriptionId ?? null
    invoiceEvents.push({
      type: news === 'paid' ? 'invoice.paid' : news === 'payment_failed' ? 'invoice.payment_failed' : 'invoice.updated',
      invoice: invoiceData(fact, subscriptionId),
    })
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: `invoice.${news}`,
      object: fact.providerInvoiceId,
      before: before && { status: before.status, attempts: before.attemptCount },
      after: { status: fact.status, attempts: fact.attemptCount },
    })
  }

  const refreshed = await refreshEntitlements(tx, deps, customer, at, causeOf(changes), actor.requestId)
  for (const { type, record, changed } of changes) {
    const subscription: Subscription = subscriptionView(catalog, record)
    if (type === 'subscription.updated') events.push({ type, data: (budget) => ({ subscription, changed, budget }) })
    else events.push({ type, data: (budget) => ({ subscription, budget }) })
  }
  for (const { type, invoice } of invoiceEvents)
    events.push(
      type === 'invoice.paid' ? { type, data: (budget) => ({ invoice, budget }) } : { type, data: { invoice } },
    )
  events.push(...refreshed.events)
  events.push(...(await followRetention(tx, deps, tenantId, current, actor)))

  for (const checkout of await findUnfinishedCheckouts(tx, tenantId)) {
    const after = settle(checkout, facts, current, at)
    if (!after || after.state === checkout.state) continue
    await saveCheckout(tx, after)
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: `checkout.${after.state}`,
      object: checkout.checkoutId,
      before: { state: checkout.state },
      after: { state: after.state },
    })
    const view: Checkout = checkoutView(catalog, after, refreshed.version, at)
    events.push({
      type: after.state === 'completed' ? 'checkout.completed' : 'checkout.ended',
      data: { checkout: view },
    })
  }

  if (events.length > 0) {
    const leading = current.find((record) => record.subscriptionId === refreshed.content.subscriptionId) ?? null
    events.push({
      type: 'billing.updated',
      data: {
        status: leading?.status ?? 'no_subscription',
        accessLevel: refreshed.content.accessLevel,
        plan: refreshed.content.plan,
        reason: events.map((event) => event.type).join(', '),
      },
    })
    await appendEvents(tx, deps.clock, customer, actor.requestId, events, refreshed.budgetNow)
  }
  return {
    changed: events.length > 0,
    subscriptions: new Set(changes.map(({ record }) => record.subscriptionId)).size,
    invoices: invoiceEvents.length,
    snapshotVersion: refreshed.version,
    unmapped,
  }
}

const causeOf = (changes: { type: string; record: SubscriptionRecord }[]): string =>
  changes.length === 0
    ? 'checked against the provider'
    : changes.map(({ type, record }) => `${type} (${record.status})`).join(', ')

const summary = (record: SubscriptionRecord): Record<string, unknown> => ({
  status: record.status,
  plan: record.plan,
  planVersion: record.planVersion,
  price: record.price,
  seats: record.seats,
  periodEnd: record.period.end.toString(),
  endsAt: record.endsAt?.toString() ?? null,
})

/** Our record of a fact. Null when none of its prices is ours: such a subscription is not guessed to be a plan. */
export const recordOf = (
  catalog: Catalog,
  customer: CustomerRecord,
  provider: string,
  fact: SubscriptionFact,
  before: SubscriptionRecord | null,
  at: Temporal.Instant,
): SubscriptionRecord | null => {
  const terms = termsOf(catalog, fact.items, before, fact.planVersion)
  if (!terms) return null
  return {
    tenantId: customer.tenantId,
    subscriptionId: before?.subscriptionId ?? newId('subscription'),
    customerId: customer.customerId,
    provider,
    providerSubscriptionId: fact.providerSubscriptionId,
    ...terms,
    interval: terms.interval ?? { unit: 'month', count: 1 },
    status: fact.status,
    period: fact.period,
    anchor: fact.anchor,
    trialEndsAt: fact.trialEndsAt,
    endsAt: fact.endsAt,
    endedAt: fact.endedAt,
    pendingChange: pendingOf(catalog, fact, before),
    startedAt: fact.startedAt,
    updatedAt: at,
  }
}

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

/** What facts mean for an intent. Null when they say nothing about it. */
const settle = (
  checkout: CheckoutRecord,
  facts: ProviderFacts,
  subscriptions: readonly SubscriptionRecord[],
  at: Temporal.Instant,
): CheckoutRecord | null => {
  const completed = (): CheckoutRecord => ({
    ...checkout,
    state: nextCheckoutState(checkout.state, 'paid'),
    completedAt: at,
  })
  if (checkout.kind === 'plan_change') {
    // A change that waits for the end of the period has been agreed to: that is all the intent was for.
    const changed = subscriptions.some(
      (record) =>
        !isTerminal(record.status) &&
        ((record.plan === checkout.plan && record.price === checkout.price) ||
          record.pendingChange?.to?.plan === checkout.plan),
    )
    return changed ? completed() : null
  }
  const fact = facts.checkouts.find(
    (candidate) =>
      candidate.checkoutId === checkout.checkoutId || candidate.providerSessionId === checkout.providerSessionId,
  )
  if (!fact) return null
  if (fact.state === 'expired') return { ...checkout, state: nextCheckoutState(checkout.state, 'expired') }
  if (fact.state !== 'complete') return null
  // A completed subscription checkout counts once its subscription is here and was paid for: what became of it since, also
  // its end, takes nothing back of the purchase.
  if (
    checkout.kind === 'checkout' &&
    !subscriptions.some(
      (record) => record.providerSubscriptionId === fact.providerSubscriptionId && !neverBegan(record.status),
    )
  )
    return null
  return fact.paid || checkout.kind === 'checkout' ? completed() : null
}

const neverBegan = (status: SubscriptionRecord['status']): boolean =>
  status === 'incomplete' || status === 'incomplete_expired'

const invoiceData = (fact: InvoiceFact, subscriptionId: string | null): EventData<'invoice.updated'>['invoice'] => ({
  providerInvoiceId: fact.providerInvoiceId,
  subscriptionId,
  number: fact.number,
  status: fact.status,
  amountDueMinor: String(fact.amountDue),
  amountPaidMinor: String(fact.amountPaid),
  currency: fact.currency,
  billingReason: fact.billingReason,
  hostedInvoiceUrl: fact.hostedInvoiceUrl,
  periodStart: fact.period?.start.toString() ?? null,
  periodEnd: fact.period?.end.toString() ?? null,
})
