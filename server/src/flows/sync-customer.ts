import { fail } from '../core/errors.ts'
import { findProviderCustomer, findUnfinishedCheckouts } from '../modules/payments/index.ts'
import type { Actor } from '../platform/audit.ts'
import { type Tx, transact } from '../platform/db.ts'
import { giveBackLease, takeLease } from '../platform/inbox.ts'
import { type Applied, applyProviderFacts, type ProviderFacts } from './apply-provider-facts.ts'
import type { Deps } from './deps.ts'

/** Longer than a look mostly takes. One that takes longer may lose its lease, and then the fence keeps its facts out. */
const leaseSeconds = 25

export type SyncWish = { providerInvoiceIds: string[]; providerSessionIds: string[] }

export type SyncOutcome = { kind: 'applied'; applied: Applied } | { kind: 'busy' } | { kind: 'unknown_customer' }

/**
 * Asks the provider for one customer and applies the answer, alone: under a lease whose fence is checked in the applying
 * transaction, so that an older look can never overwrite a newer one (WEB-3). `alsoIn` joins that transaction.
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
    const facts = tenantId === null ? null : await gather(deps, providerCustomerId, tenantId, wish)
    return await transact(deps.db, async (tx) => {
      if (!(await giveBackLease(tx, provider, providerCustomerId, fence))) throw fail('unavailable')
      const applied = facts && tenantId !== null ? await applyProviderFacts(tx, deps, tenantId, facts, actor) : null
      const outcome: SyncOutcome = applied ? { kind: 'applied', applied } : { kind: 'unknown_customer' }
      await alsoIn(tx, outcome)
      return outcome
    })
  } catch (error) {
    await giveBackLease(deps.db, provider, providerCustomerId, fence).catch(() => {})
    throw error
  }
}

/** Subscriptions always as a whole list; the rest as asked for, plus every checkout that still waits. */
const gather = async (
  deps: Deps,
  providerCustomerId: string,
  tenantId: string,
  wish: SyncWish,
): Promise<ProviderFacts> => {
  const waiting = (await findUnfinishedCheckouts(deps.db, tenantId)).flatMap((checkout) =>
    checkout.providerSessionId && checkout.kind !== 'plan_change' ? [checkout.providerSessionId] : [],
  )
  const [checkouts, invoices] = await Promise.all([
    Promise.all([...new Set([...wish.providerSessionIds, ...waiting])].map((id) => deps.provider.fetchCheckout(id))),
    Promise.all([...new Set(wish.providerInvoiceIds)].map((id) => deps.provider.fetchInvoice(id))),
  ])
  // Subscriptions last: a checkout that is complete then has its subscription in the list.
  const subscriptions = await deps.provider.fetchSubscriptions(providerCustomerId)
  const theirs = <F extends { providerCustomerId: string | null }>(looked: (F | null)[]): F[] =>
    looked.filter((fact): fact is F => fact?.providerCustomerId === providerCustomerId)
  return { subscriptions: theirs(subscriptions), invoices: theirs(invoices), checkouts: theirs(checkouts) }
}

/** As above for a tenant, waiting its turn. Without a customer at the provider there is nothing to ask. */
export const syncTenant = async (deps: Deps, tenantId: string, actor: Actor): Promise<Applied | null> => {
  const providerCustomerId = await findProviderCustomer(deps.db, tenantId, deps.provider.name)
  if (providerCustomerId === null) return null
  for (let attempt = 0; attempt < 20; attempt++) {
    const outcome = await syncProviderCustomer(
      deps,
      providerCustomerId,
      tenantId,
      { providerInvoiceIds: [], providerSessionIds: [] },
      actor,
    )
    if (outcome.kind === 'applied') return outcome.applied
    if (outcome.kind === 'unknown_customer') return null
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw fail('unavailable')
}
