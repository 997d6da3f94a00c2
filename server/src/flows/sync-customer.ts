import { Failure, fail } from '../core/errors.ts'
import { findOpenCases } from '../modules/dunning/index.ts'
import {
  findProviderCustomer,
  findUnfinishedCheckouts,
  markProviderCustomerDeleted,
} from '../modules/payments/index.ts'
import { findSubscriptions, isTerminal } from '../modules/subscriptions/index.ts'
import { type Actor, appendAudit } from '../platform/audit.ts'
import { type Tx, transact } from '../platform/db.ts'
import { giveBackLease, takeLease } from '../platform/inbox.ts'
import { type Applied, applyProviderFacts, type ProviderFacts } from './apply-provider-facts.ts'
import type { Deps } from './deps.ts'
import { gatherMoneyBack, type MoneyBackWish } from './steps/gather-money-back.ts'
import { gatherPaymentMethods } from './steps/gather-payment-methods.ts'

/** Longer than a look mostly takes. One that takes longer may lose its lease, and then the fence keeps its facts out. */
export const leaseSeconds = 25
/** Objects of one customer that are fetched beside each other. */
const fetchedAtOnce = 8

export type SyncWish = {
  providerInvoiceIds: string[]
  providerSessionIds: string[]
  customer?: boolean
  /** Payment methods too. */
  methods?: boolean
  /** The newest invoices, whichever are known. */
  recent?: boolean
  moneyBack?: MoneyBackWish
}

/** An object that was asked for and not applied: it could not be had this time, or there is nothing of it to apply. */
export type LeftOut = { failed: string } | { ignored: 'object_missing' | 'other_customer' }

export type SyncOutcome =
  | { kind: 'applied'; applied: Applied; leftOut: ReadonlyMap<string, LeftOut> }
  | { kind: 'busy' }
  /** Somebody else took the lease over: what was fetched is stale and was dropped. */
  | { kind: 'overtaken' }
  | { kind: 'unknown_customer' }

/**
 * Asks the provider for one customer and applies the answer, alone: under a lease whose fence is checked in the applying
 * transaction, so that an older look can never overwrite a newer one (WEB-3). `alsoIn` joins that transaction. One object
 * that cannot be had holds nothing else up: the rest is applied without it, and it is told as left out.
 */
export const syncProviderCustomer = async (
  deps: Deps,
  providerCustomerId: string,
  tenantId: string | null,
  wish: SyncWish,
  actor: Actor,
  alsoIn: (tx: Tx, outcome: SyncOutcome) => Promise<void> = async () => {},
): Promise<SyncOutcome> => {
  const provider = deps.provider.name
  const fence = await takeLease(deps.db, provider, providerCustomerId, deps.presence, deps.clock.now(), leaseSeconds)
  if (fence === null) return { kind: 'busy' }
  try {
    const gathered = tenantId === null ? null : await gather(deps, providerCustomerId, tenantId, wish)
    return await transact(deps.db, async (tx): Promise<SyncOutcome> => {
      if (!(await giveBackLease(tx, provider, providerCustomerId, fence))) return { kind: 'overtaken' }
      const applied =
        gathered && tenantId !== null ? await applyProviderFacts(tx, deps, tenantId, gathered.facts, actor) : null
      if (applied && gathered?.deleted) await markDeleted(tx, deps, tenantId!, providerCustomerId, actor)
      const outcome: SyncOutcome = applied
        ? { kind: 'applied', applied, leftOut: gathered!.leftOut }
        : { kind: 'unknown_customer' }
      await alsoIn(tx, outcome)
      return outcome
    })
  } catch (error) {
    await giveBackLease(deps.db, provider, providerCustomerId, fence).catch(() => {})
    throw error
  }
}

type Gathered = { facts: ProviderFacts; leftOut: Map<string, LeftOut>; deleted: boolean }

/** Subscriptions always as a whole list; the rest as asked for, plus every checkout that still waits. */
const gather = async (deps: Deps, providerCustomerId: string, tenantId: string, wish: SyncWish): Promise<Gathered> => {
  const { provider } = deps
  const leftOut = new Map<string, LeftOut>()
  const fetchEach = async <F extends { providerCustomerId: string | null }>(
    ids: readonly string[],
    fetch: (id: string) => Promise<F | null>,
  ): Promise<F[]> => {
    const facts: F[] = []
    const unique = [...new Set(ids)]
    for (let from = 0; from < unique.length; from += fetchedAtOnce)
      await Promise.all(
        unique.slice(from, from + fetchedAtOnce).map(async (id) => {
          try {
            const fact = await fetch(id)
            if (fact?.providerCustomerId === providerCustomerId) facts.push(fact)
            else leftOut.set(id, { ignored: fact ? 'other_customer' : 'object_missing' })
          } catch (error) {
            if (!(error instanceof Failure)) throw error
            leftOut.set(id, { failed: error.code })
          }
        }),
      )
    return facts
  }
  const waiting = (await findUnfinishedCheckouts(deps.db, tenantId)).flatMap((checkout) =>
    checkout.providerSessionId && checkout.kind !== 'plan_change' ? [checkout.providerSessionId] : [],
  )
  const checkouts = await fetchEach([...wish.providerSessionIds, ...waiting], provider.fetchCheckout)
  const recent = wish.recent ? await provider.recentInvoices(providerCustomerId) : []
  const invoices = await fetchEach([...wish.providerInvoiceIds, ...recent], provider.fetchInvoice)
  // Subscriptions last: a checkout that is complete then has its subscription in the list. Without the list there is no
  // look at all: that it fails is a failure of the whole.
  const listed = await provider.fetchSubscriptions(providerCustomerId, (id) =>
    leftOut.set(id, { failed: 'provider_data_invalid' }),
  )
  const subscriptions = listed.filter((fact) => fact.providerCustomerId === providerCustomerId)
  // The list of a customer that was deleted there may be empty; what we know of is then asked for by its name.
  const held = await findSubscriptions(deps.db, tenantId)
  const missing = held.filter(
    (known) =>
      known.provider === provider.name &&
      !isTerminal(known.status) &&
      !leftOut.has(known.providerSubscriptionId) &&
      !listed.some((fact) => fact.providerSubscriptionId === known.providerSubscriptionId),
  )
  const found = await fetchEach(
    missing.map((known) => known.providerSubscriptionId),
    provider.fetchSubscription,
  )
  // What is unpaid is looked at whichever webhook has come, or has not: dunning counts from it (DUN-1).
  const failing = [...subscriptions, ...found].filter(({ status }) => status === 'past_due' || status === 'unpaid')
  for (const { providerSubscriptionId } of failing)
    for (const fact of await provider.fetchUnpaidInvoices(providerSubscriptionId))
      if (
        fact.providerCustomerId === providerCustomerId &&
        !invoices.some(({ providerInvoiceId }) => providerInvoiceId === fact.providerInvoiceId)
      )
        invoices.push(fact)
  const followed = (await findOpenCases(deps.db, tenantId)).map(({ providerInvoiceId }) => providerInvoiceId)
  invoices.push(
    ...(await fetchEach(
      followed.filter((id) => !invoices.some(({ providerInvoiceId }) => providerInvoiceId === id)),
      provider.fetchInvoice,
    )),
  )
  const fetchMore = async (ids: readonly string[]): Promise<void> => {
    const known = new Set(invoices.map(({ providerInvoiceId }) => providerInvoiceId))
    invoices.push(
      ...(await fetchEach(
        ids.filter((id) => !known.has(id)),
        provider.fetchInvoice,
      )),
    )
  }
  const moneyBack = await gatherMoneyBack(
    deps,
    tenantId,
    providerCustomerId,
    wish.moneyBack ?? { providerIds: [], ofInvoices: [] },
    fetchMore,
    invoices,
    leftOut,
  )
  const paymentMethods = await gatherPaymentMethods(deps, tenantId, providerCustomerId, wish.methods ?? false, invoices)
  // Subscriptions end with their customer: an end may be the first that is heard of its deletion.
  const ends = listed.some(
    (fact) =>
      isTerminal(fact.status) &&
      held.some((known) => known.providerSubscriptionId === fact.providerSubscriptionId && !isTerminal(known.status)),
  )
  const deleted =
    wish.customer || ends || missing.length > 0
      ? ((await provider.fetchCustomer(providerCustomerId))?.deleted ?? false)
      : false
  return {
    facts: {
      subscriptions: [...subscriptions, ...found],
      invoices,
      checkouts,
      moneyBack,
      ...(paymentMethods ? { paymentMethods } : {}),
    },
    leftOut,
    deleted,
  }
}

/** Late webhooks of it still find their tenant; the next purchase makes another customer there. */
const markDeleted = async (
  tx: Tx,
  deps: Deps,
  tenantId: string,
  providerCustomerId: string,
  actor: Actor,
): Promise<void> => {
  if (!(await markProviderCustomerDeleted(tx, deps.provider.name, providerCustomerId, deps.clock.now()))) return
  await appendAudit(tx, deps.clock, {
    tenantId,
    actor,
    action: 'provider_customer.deleted',
    object: providerCustomerId,
    reason: 'deleted at the payment provider',
  })
}

/** As above for a tenant, waiting its turn. Without a customer at the provider there is nothing to ask. */
export const syncTenant = async (
  deps: Deps,
  tenantId: string,
  actor: Actor,
  wish: Partial<SyncWish> = {},
): Promise<Applied | null> => {
  const providerCustomerId = await findProviderCustomer(deps.db, tenantId, deps.provider.name)
  if (providerCustomerId === null) return null
  for (let attempt = 0; attempt < 20; attempt++) {
    const outcome = await syncProviderCustomer(
      deps,
      providerCustomerId,
      tenantId,
      { providerInvoiceIds: [], providerSessionIds: [], ...wish },
      actor,
    )
    if (outcome.kind === 'applied') {
      // What could be applied was; who asked is told that it was not everything.
      for (const left of outcome.leftOut.values())
        if ('failed' in left) throw fail(left.failed as ConstructorParameters<typeof Failure>[0])
      return outcome.applied
    }
    if (outcome.kind === 'unknown_customer') return null
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw fail('unavailable')
}
