import type { FindingKind } from '@turnpike/contract'
import { findCommandUnderWay } from '../../modules/commands/index.ts'
import { findCustomer, resolvedCatalogOf } from '../../modules/customers/index.ts'
import { newestSnapshot } from '../../modules/entitlements/index.ts'
import { findInvoicesSince } from '../../modules/invoices/index.ts'
import {
  type CreditNoteFact,
  findPaymentMethods,
  findProviderCustomer,
  findUnfinishedCheckouts,
  type ListedInvoice,
  type ListedSubscription,
  type ListPage,
  type PaymentMethodFact,
  type RefundFact,
} from '../../modules/payments/index.ts'
import { findPlacedLines } from '../../modules/periods/index.ts'
import {
  compareChargeLines,
  compareCheckout,
  compareCommand,
  compareCount,
  compareCreditNote,
  compareInvoice,
  compareLink,
  compareMethods,
  compareRefund,
  compareSnapshot,
  compareStuckMoneyBack,
  compareSubscription,
  counterDifference,
  type Difference,
} from '../../modules/reconciliation/index.ts'
import { findMoneyBackOfFact, findStuckMoneyBack } from '../../modules/refunds/index.ts'
import { findSubscriptions, isTerminal } from '../../modules/subscriptions/index.ts'
import { findCounterDifferences } from '../../modules/usage/index.ts'
import { readInOneView, type Tx } from '../../platform/db.ts'
import { giveBackLease, takeLease, waitingSince } from '../../platform/inbox.ts'
import type { Deps } from '../deps.ts'
import { hoursComparedSince } from './hours-kept.ts'
import { reconciliationPolicy } from './reconciliation-policy.ts'
import { resolveStored } from './refresh-entitlements.ts'
import { oddityOf, subscriptionOfFact } from './subscription-of-fact.ts'

const leaseSeconds = 60

const ownKinds = ['snapshot_differs', 'counter_differs', 'checkout_stuck', 'command_stuck', 'money_back_stuck'] as const
const providerKinds = [
  'customer_without_subscription',
  'subscription_missing_here',
  'subscription_missing_at_provider',
  'subscription_ended_here',
  'status_differs',
  'plan_differs',
  'price_differs',
  'quantity_differs',
  'period_differs',
  'cancellation_differs',
  'pending_change_differs',
  'two_subscriptions',
  'subscription_unmapped',
  'customer_missing_at_provider',
  'invoice_missing_here',
  'invoice_differs',
  'invoice_missing_at_provider',
  'charge_line_differs',
  'payment_method_differs',
  'refund_differs',
  'credit_note_differs',
] as const

/** What one customer looks like. `covered`: the kinds that were looked for, so that their findings can be told as gone. */
export type Look = { covered: readonly FindingKind[]; differences: Difference[] }

/**
 * Compares everything about one customer, alone: under the customer's lease nobody applies facts meanwhile, so what differs
 * is not merely on its way through us. While webhooks, a checkout or a command of this customer are younger than policy
 * allows, nothing is said about the provider's side. Null when somebody else holds the lease.
 */
export const lookAtTenant = async (deps: Deps, tenantId: string): Promise<Look | null> => {
  const provider = deps.provider.name
  const providerCustomerId = await findProviderCustomer(deps.db, tenantId, provider)
  // Without a living customer there, nobody applies anything: what is here can only be asked for by its name.
  if (providerCustomerId === null) return compareAll(deps, tenantId, null)
  const fence = await takeLease(deps.db, provider, providerCustomerId, deps.presence, deps.clock.now(), leaseSeconds)
  if (fence === null) return null
  let look: Look
  try {
    look = await compareAll(deps, tenantId, providerCustomerId)
  } catch (error) {
    await giveBackLease(deps.db, provider, providerCustomerId, fence).catch(() => {})
    throw error
  }
  // Taken over meanwhile: what was seen may have been applied already.
  return (await giveBackLease(deps.db, provider, providerCustomerId, fence)) ? look : null
}

const compareAll = async (deps: Deps, tenantId: string, providerCustomerId: string | null): Promise<Look> => {
  const theirs = await gather(deps, tenantId, providerCustomerId)
  return readInOneView(deps.db, async (tx) => {
    const own = await compareOwn(tx, deps, tenantId)
    if (providerCustomerId !== null && (await isInFlight(tx, deps, tenantId, providerCustomerId))) return own
    const differences = await compareWithTheirs(tx, deps, tenantId, providerCustomerId, theirs)
    return { covered: [...own.covered, ...providerKinds], differences: [...own.differences, ...differences] }
  })
}

type Theirs = {
  isThere: boolean
  subscriptions: Map<string, ListedSubscription>
  missingSubscriptions: Set<string>
  invoices: Map<string, ListedInvoice>
  missingInvoices: Set<string>
  methods: PaymentMethodFact[]
  refunds: RefundFact[]
  creditNotes: CreditNoteFact[]
}

const gather = async (deps: Deps, tenantId: string, providerCustomerId: string | null): Promise<Theirs> => {
  const { listing, fetchCustomer, fetchPaymentMethods, fetchRefunds, fetchSubscription } = deps.provider
  const since = invoicesSince(deps)
  const subscriptions: Theirs['subscriptions'] = new Map()
  const invoices: Theirs['invoices'] = new Map()
  let isThere = true
  let methods: PaymentMethodFact[] = []
  const refunds: RefundFact[] = []
  const creditNotes: CreditNoteFact[] = []
  if (providerCustomerId !== null) {
    await listing.turn()
    const customer = await fetchCustomer(providerCustomerId)
    isThere = customer !== null && !customer.deleted
    for (const listed of await everyPage((after) => listing.subscriptions({ after, providerCustomerId })))
      subscriptions.set(listed.providerSubscriptionId, listed)
    for (const listed of await everyPage((after) =>
      listing.invoices({ after, providerCustomerId, createdSince: since }),
    ))
      invoices.set(listed.providerInvoiceId, listed)
    await listing.turn()
    if (isThere) methods = await fetchPaymentMethods(providerCustomerId)
    const page = { providerCustomerId, createdSince: since }
    creditNotes.push(...(await everyPage((after) => listing.creditNotes({ after, ...page }))))
    // Refunds cannot be listed by customer: those of every payment of the invoices that are looked at.
    for (const { fact } of invoices.values())
      for (const { status, providerIntentId } of fact?.payments ?? [])
        if (status === 'paid' && providerIntentId !== null) {
          await listing.turn()
          refunds.push(...(await fetchRefunds({ intent: providerIntentId })))
        }
  }
  // What is not in a list is asked for by its name: only a clear no is one.
  const missingSubscriptions = new Set<string>()
  for (const ours of await findSubscriptions(deps.db, tenantId)) {
    const id = ours.providerSubscriptionId
    if (ours.provider !== deps.provider.name || isTerminal(ours.status) || subscriptions.has(id)) continue
    await listing.turn()
    const fact = await fetchSubscription(id)
    if (fact === null && !(await listing.knowsSubscription(id))) missingSubscriptions.add(id)
    else
      subscriptions.set(id, {
        providerSubscriptionId: id,
        providerCustomerId: fact?.providerCustomerId ?? null,
        // Somebody else's says nothing about this customer.
        fact: providerCustomerId === null || fact?.providerCustomerId === providerCustomerId ? fact : null,
      })
  }
  const missingInvoices = new Set<string>()
  for (const ours of await findInvoicesSince(deps.db, tenantId, since)) {
    const id = ours.providerInvoiceId
    if (ours.provider !== deps.provider.name || invoices.has(id)) continue
    const found = await listing.invoice(id)
    if (found) invoices.set(id, found)
    else missingInvoices.add(id)
  }
  return { isThere, subscriptions, missingSubscriptions, invoices, missingInvoices, methods, refunds, creditNotes }
}

const everyPage = async <T>(ask: (after: string | null) => Promise<ListPage<T>>): Promise<T[]> => {
  const all: T[] = []
  let after: string | null = null
  do {
    const page: ListPage<T> = await ask(after)
    all.push(...page.items)
    after = page.after
  } while (after !== null)
  return all
}

const invoicesSince = (deps: Deps): Temporal.Instant =>
  deps.clock.now().subtract({ hours: 24 * reconciliationPolicy(deps).invoiceDays })

const isInFlight = async (tx: Tx, deps: Deps, tenantId: string, providerCustomerId: string): Promise<boolean> => {
  const began = [
    await waitingSince(tx, deps.provider.name, providerCustomerId),
    (await findCommandUnderWay(tx, tenantId))?.requestedAt ?? null,
    ...(await findUnfinishedCheckouts(tx, tenantId)).map(({ state, returnedAt }) =>
      state === 'pending_sync' ? returnedAt : null,
    ),
  ].filter((at) => at !== null)
  const patient = deps.clock.now().subtract({ minutes: reconciliationPolicy(deps).patienceMinutes })
  return began.length > 0 && began.every((at) => Temporal.Instant.compare(at, patient) > 0)
}

const compareWithTheirs = async (
  tx: Tx,
  deps: Deps,
  tenantId: string,
  providerCustomerId: string | null,
  theirs: Theirs,
): Promise<Difference[]> => {
  const customer = await findCustomer(tx, tenantId)
  if (!customer) return []
  const [at, catalog, provider] = [deps.clock.now(), deps.catalog(), deps.provider.name]
  const since = invoicesSince(deps)
  const ours = (await findSubscriptions(tx, tenantId)).filter((record) => record.provider === provider)
  const ourInvoices = (await findInvoicesSince(tx, tenantId, since)).filter((record) => record.provider === provider)
  const around = { anotherLiveHere: ours.some((record) => !isTerminal(record.status)), historySince: since }
  const pairs = [...theirs.subscriptions.values()].map((listed) => {
    const record = ours.find((each) => each.providerSubscriptionId === listed.providerSubscriptionId) ?? null
    const isOurs = listed.fact !== null && !oddityOf(catalog, listed.fact)?.startsWith('no price')
    const expected = isOurs ? subscriptionOfFact(catalog, customer, provider, listed.fact!, record, at) : null
    return { record, theirs: { listed, expected } }
  })
  return [
    ...(providerCustomerId === null ? [] : compareLink(providerCustomerId, theirs.isThere)),
    ...pairs.flatMap((pair) => compareSubscription(pair.record, pair.theirs, around)),
    ...ours
      .filter((record) => theirs.missingSubscriptions.has(record.providerSubscriptionId))
      .flatMap((record) => compareSubscription(record, null, around)),
    ...compareCount(
      providerCustomerId ?? tenantId,
      pairs.map((pair) => pair.theirs),
    ),
    ...compareChargeLines(
      await findPlacedLines(tx, [...theirs.invoices.keys()]),
      new Map([...theirs.invoices].flatMap(([id, { fact }]) => (fact ? [[id, fact]] : []))),
    ),
    ...[...theirs.invoices.values()].flatMap((listed) =>
      compareInvoice(
        ourInvoices.find((record) => record.providerInvoiceId === listed.providerInvoiceId) ?? null,
        listed,
      ),
    ),
    ...ourInvoices
      .filter((record) => theirs.missingInvoices.has(record.providerInvoiceId))
      .flatMap((record) => compareInvoice(record, null)),
    ...(providerCustomerId !== null && theirs.isThere
      ? compareMethods(await findPaymentMethods(tx, tenantId), theirs.methods)
      : []),
    ...(await compareMoneyBack(tx, deps, tenantId, theirs)),
  ]
}

const compareMoneyBack = async (
  tx: Tx,
  deps: Deps,
  tenantId: string,
  { refunds, creditNotes }: Pick<Theirs, 'refunds' | 'creditNotes'>,
): Promise<Difference[]> => {
  const around = { tenantId, provider: deps.provider.name, at: deps.clock.now() }
  const found: Difference[] = []
  for (const fact of refunds) {
    const ours = await findMoneyBackOfFact(tx, tenantId, around.provider, fact.providerRefundId, fact.refundId)
    found.push(...compareRefund(ours, fact, around))
  }
  for (const fact of creditNotes) {
    const ours = await findMoneyBackOfFact(tx, tenantId, around.provider, fact.providerCreditNoteId, fact.creditNoteId)
    found.push(...compareCreditNote(ours, fact, around))
  }
  return found
}

/** What can be told without the provider. */
const compareOwn = async (tx: Tx, deps: Deps, tenantId: string): Promise<Look> => {
  const at = deps.clock.now()
  const patient = at.subtract({ minutes: reconciliationPolicy(deps).patienceMinutes })
  const differences = [
    ...(await findCounterDifferences(tx, 100, [tenantId], hoursComparedSince(at))).map(counterDifference),
    ...(await findUnfinishedCheckouts(tx, tenantId)).flatMap((checkout) => compareCheckout(checkout, patient)),
    ...compareCommand(await findCommandUnderWay(tx, tenantId), patient),
    ...compareStuckMoneyBack(await findStuckMoneyBack(tx, tenantId, patient)),
  ]
  const stored = await newestSnapshot(tx, tenantId)
  const ranOutAt = stored?.content.validUntil ? Temporal.Instant.from(stored.content.validUntil) : null
  const isDue = ranOutAt !== null && Temporal.Instant.compare(ranOutAt, at) <= 0
  // Not resolved again yet, which is on its way: because a catalog was applied, or because a time has come just now.
  if (
    (await resolvedCatalogOf(tx, tenantId)) === deps.catalog().version &&
    !(isDue && Temporal.Instant.compare(ranOutAt, patient) > 0)
  )
    differences.push(...compareSnapshot(stored, await resolveStored(tx, deps, tenantId, at)))
  return { covered: ownKinds, differences }
}
