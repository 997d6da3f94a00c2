import { lockCustomer } from '../modules/customers/index.ts'
import type { CheckoutFact, InvoiceFact, PaymentMethodFact, SubscriptionFact } from '../modules/payments/index.ts'
import { findSubscriptions } from '../modules/subscriptions/index.ts'
import type { Actor } from '../platform/audit.ts'
import type { Tx } from '../platform/db.ts'
import { appendEvents, type NewEvent } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'
import { applyInvoices } from './steps/apply-invoices.ts'
import { applyMoneyBack, type MoneyBackFacts } from './steps/apply-money-back.ts'
import { applyPaymentMethods } from './steps/apply-payment-methods.ts'
import { applySubscriptions, type SubscriptionChange, subscriptionEvent } from './steps/apply-subscriptions.ts'
import { followDunning } from './steps/follow-dunning.ts'
import { applyDowngrades } from './steps/follow-remediations.ts'
import { followRetention } from './steps/follow-retention.ts'
import { followUsagePeriods } from './steps/follow-usage-periods.ts'
import { refreshEntitlements } from './steps/refresh-entitlements.ts'
import { remindersDue } from './steps/remind.ts'
import { settleCheckouts } from './steps/settle-checkouts.ts'
import { settleCommands } from './steps/settle-commands.ts'
import { takeBackCredit } from './steps/take-back-credit.ts'

/**
 * What was fetched from the provider under one lease: the whole of a customer's subscriptions, and some other objects.
 * `missing`: subscriptions that the provider, asked for them by id, does not know.
 */
export type ProviderFacts = {
  subscriptions: SubscriptionFact[]
  invoices: InvoiceFact[]
  checkouts: CheckoutFact[]
  missing?: string[]
  /** These two are left out when they were not looked at. `others`: known by what they have paid only. */
  moneyBack?: MoneyBackFacts
  paymentMethods?: { attached: PaymentMethodFact[]; others: PaymentMethodFact[] }
}

export type Applied = {
  changed: boolean
  subscriptions: number
  invoices: number
  snapshotVersion: number
  unmapped: string[]
  /** Facts that were dropped because nothing leads from our state to them. */
  stale: number
}

/**
 * Brings our state of one customer to what the provider says now: subscriptions, invoices, checkouts, then entitlements,
 * events and audit, all in the caller's transaction (WEB-3). Facts that bring nothing new leave no trace, so the same facts
 * may come any number of times, and only a validated subscription gives paid access (SUB-2).
 */
export const applyProviderFacts = async (
  tx: Tx,
  deps: Pick<Deps, 'clock' | 'catalog' | 'provider' | 'log' | 'live'>,
  tenantId: string,
  facts: ProviderFacts,
  actor: Actor,
): Promise<Applied | null> => {
  const customer = await lockCustomer(tx, tenantId)
  if (!customer) return null
  const at = deps.clock.now()
  const known = await findSubscriptions(tx, tenantId)
  const look = { deps, customer, known, actor }
  const { changes, unmapped, stale } = await applySubscriptions(tx, look, facts.subscriptions, facts.missing ?? [])
  const current = changes.length > 0 ? await findSubscriptions(tx, tenantId) : known
  const invoiceEvents = await applyInvoices(tx, deps, tenantId, facts.invoices, current, actor)
  const moneyBackEvents = facts.moneyBack ? await applyMoneyBack(tx, deps, tenantId, facts.moneyBack, actor) : []
  const methodEvents = facts.paymentMethods
    ? await applyPaymentMethods(tx, deps, tenantId, facts.paymentMethods, actor)
    : []
  const dunningEvents = await followDunning(tx, deps, tenantId, current, actor)
  const downgradeEvents = await applyDowngrades(tx, deps, known, changes, actor)
  const refreshed = await refreshEntitlements(
    tx,
    deps,
    customer,
    at,
    causeOf(changes),
    actor.requestId,
    changes
      .map(({ effectiveAt }) => effectiveAt)
      .sort(Temporal.Instant.compare)
      .at(-1),
  )
  await followUsagePeriods(tx, customer, current, changes, refreshed.content, at)
  const events: NewEvent[] = [
    ...changes.map((change) => subscriptionEvent(deps.catalog(), change)),
    ...invoiceEvents,
    ...moneyBackEvents,
    ...methodEvents,
    ...dunningEvents,
    ...downgradeEvents,
    ...refreshed.events,
    ...(await followRetention(tx, deps, tenantId, current, actor)),
    ...(await settleCheckouts(tx, deps, tenantId, facts.checkouts, current, refreshed.version, actor)),
    // After the purchases: a refund may be heard of before what it refunds.
    ...(await takeBackCredit(tx, deps, tenantId, { payments: paymentsOf(facts) }, actor)),
  ]
  await settleCommands(tx, deps, tenantId, facts.subscriptions, current, actor)
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
  }
  events.push(...(await remindersDue(tx, deps, current, actor)))
  await appendEvents(tx, deps.clock, customer, actor.requestId, events, refreshed.budgetNow)
  return {
    changed: events.length > 0,
    subscriptions: new Set(changes.map(({ record }) => record.subscriptionId)).size,
    invoices: invoiceEvents.length,
    snapshotVersion: refreshed.version,
    unmapped,
    stale,
  }
}

/** The payments that were refunded or made now. */
const paymentsOf = ({ moneyBack, checkouts }: ProviderFacts): string[] => [
  ...(moneyBack?.refunds ?? []).flatMap(({ providerIntentId }) => providerIntentId ?? []),
  ...checkouts.flatMap(({ providerPaymentId }) => providerPaymentId ?? []),
]

const causeOf = (changes: readonly SubscriptionChange[]): string =>
  changes.length === 0
    ? 'checked against the provider'
    : changes.map(({ type, record }) => `${type} (${record.status})`).join(', ')
