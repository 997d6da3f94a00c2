import { type FindingKind, findingKinds } from '@turnpike/contract'
import { fail } from '../core/errors.ts'
import { lockCustomer } from '../modules/customers/index.ts'
import { findInvoice, saveInvoice } from '../modules/invoices/index.ts'
import {
  findCheckoutById,
  findProviderCustomer,
  findTenantOfProviderCustomer,
  markProviderCustomerDeleted,
} from '../modules/payments/index.ts'
import { type FindingRecord, findFinding, lockFinding } from '../modules/reconciliation/index.ts'
import { changedFields, findSubscriptions, saveSubscription } from '../modules/subscriptions/index.ts'
import { rebuildCounter } from '../modules/usage/index.ts'
import { type Actor, appendAudit } from '../platform/audit.ts'
import { type Tx, transact } from '../platform/db.ts'
import { giveBackLease, takeLease } from '../platform/inbox.ts'
import { notify } from '../platform/notify.ts'
import { appendEvents } from '../platform/outbox.ts'
import { applyProviderFacts } from './apply-provider-facts.ts'
import type { Deps } from './deps.ts'
import { lapse } from './lapse-entitlements.ts'
import { findOrLinkTenant } from './link-customer.ts'
import { type PushCatalogDeps, pushCatalog } from './push-catalog.ts'
import { replayWebhook } from './replay-webhook.ts'
import { subscriptionEvent } from './steps/apply-subscriptions.ts'
import { endCheckout } from './steps/end-checkout.ts'
import { closeFinding, type Kept, keepFindings } from './steps/keep-findings.ts'
import { lookAtCatalog, lookAtStranger } from './steps/look-at-house.ts'
import { lookAtTenant } from './steps/look-at-tenant.ts'
import { refreshEntitlements } from './steps/refresh-entitlements.ts'
import { subscriptionOfFact } from './steps/subscription-of-fact.ts'
import { sweepCheckouts } from './sweep-checkouts.ts'
import { sweepCommands } from './sweep-commands.ts'
import { sweepMoneyBack } from './sweep-money-back.ts'
import { leaseSeconds, syncProviderCustomer } from './sync-customer.ts'

export type ReconcileDeps = Deps & Pick<PushCatalogDeps, 'providerCatalog'>

/**
 * Does what a finding proposes and looks again (REC-2). A repeat of a repair that was done answers the finding as it is; a
 * finding whose difference is gone by itself is closed without anything being done to it.
 */
export const repairFinding = async (
  deps: ReconcileDeps,
  actor: Actor,
  findingId: string,
  reason: string,
): Promise<FindingRecord> => {
  const finding = await findFinding(deps.db, findingId)
  if (!finding) throw fail('not_found')
  if (finding.state === 'repaired') return finding
  if (finding.state !== 'open') throw fail('finding_closed')
  if (finding.repair === 'by_hand') throw fail('finding_needs_person')
  await doRepair(deps, actor, finding, reason, true)
  await lookAfter(deps, actor, finding, reason)
  const after = await findFinding(deps.db, findingId)
  if (after?.state === 'open') throw fail('finding_persists')
  return after!
}

/** Closes a finding without touching anything: `accepted` stays closed while the difference looks the same. */
export const closeByHand = (
  deps: Deps,
  actor: Actor,
  findingId: string,
  state: 'accepted' | 'dismissed',
  reason: string,
): Promise<FindingRecord> =>
  transact(deps.db, async (tx) => {
    const finding = await lockFinding(tx, findingId)
    if (!finding) throw fail('not_found')
    if (finding.state === state) return finding
    if (finding.state !== 'open') throw fail('finding_closed')
    return closeFinding(tx, deps, actor, finding, state, reason)
  })

/** Repairs what policy lets be repaired without asking, of one customer; what is still there afterwards stays open. */
export const repairAutomatically = async (
  deps: ReconcileDeps,
  actor: Actor,
  tenantId: string,
  findings: readonly FindingRecord[],
  runId: string,
): Promise<Kept | null> => {
  const reason = 'repaired by policy'
  // One answer of the provider heals many differences at once.
  const done = new Set<string>()
  for (const finding of findings) {
    const name = finding.repair === 'resync' ? 'resync' : `${finding.repair} ${finding.object}`
    if (!done.has(name)) await doRepair(deps, actor, finding, reason, false)
    done.add(name)
  }
  const look = await lookAtTenant(deps, tenantId)
  if (!look) return null
  const findingIds = new Set(findings.map(({ findingId }) => findingId))
  return transact(deps.db, (tx) => keepFindings(tx, deps, { tenantId, ...look }, runId, actor, { findingIds, reason }))
}

/** Whether policy may repair a finding: only kinds that take nothing away, and only by their own repair. */
export const isAutomatic = (finding: FindingRecord, automatic: readonly FindingKind[]): boolean =>
  automatic.includes(finding.kind) && findingKinds[finding.kind].safe && finding.repair !== 'by_hand'

const lookAfter = async (deps: ReconcileDeps, actor: Actor, finding: FindingRecord, reason: string): Promise<void> => {
  const repaired = { findingIds: new Set([finding.findingId]), reason }
  if (finding.kind === 'webhook_dead') {
    // It is worked on in a moment; when it fails for good again, it is found again.
    await transact(deps.db, async (tx) => {
      const current = await lockFinding(tx, finding.findingId)
      if (current?.state === 'open') await closeFinding(tx, deps, actor, current, 'repaired', reason)
    })
    return
  }
  const look =
    finding.kind === 'catalog_differs'
      ? await lookAtCatalog(deps)
      : finding.tenantId === null
        ? await lookAtStranger(deps, finding.object)
        : await patiently(() => lookAtTenant(deps, finding.tenantId!))
  await transact(deps.db, (tx) =>
    keepFindings(tx, deps, { tenantId: finding.tenantId, ...look }, null, actor, repaired),
  )
}

/** Whoever has the customer's lease mostly gives it back in a moment. */
const patiently = async <T>(attempt: () => Promise<T | null>): Promise<T> => {
  for (let tries = 0; tries < 50; tries++) {
    const result = await attempt()
    if (result !== null) return result
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw fail('unavailable')
}

/** `byPerson`: somebody has decided that the provider is right, so that its word is taken where rules would not take it. */
const doRepair = async (
  deps: ReconcileDeps,
  actor: Actor,
  finding: FindingRecord,
  reason: string,
  byPerson: boolean,
): Promise<void> => {
  const { tenantId, object } = finding
  if (finding.repair === 'push_catalog') {
    await pushCatalog(deps, actor)
    return
  }
  if (finding.repair === 'replay_webhook') {
    await replayWebhook(deps, actor, BigInt(object))
    return
  }
  if (finding.repair === 'link_customer') {
    const linked = await findOrLinkTenant(deps, object, actor)
    if (linked === null) throw fail('finding_needs_person')
    await resync(deps, actor, linked, [])
    return
  }
  if (tenantId === null) throw fail('finding_needs_person')
  if (finding.repair === 'resync') {
    if (finding.kind === 'checkout_stuck') await sweepCheckouts(deps)
    if (finding.kind === 'command_stuck') await sweepCommands(deps)
    await resync(deps, actor, tenantId, [])
    if (finding.kind === 'checkout_stuck') await giveUpCheckout(deps, actor, object)
    if (byPerson) await adopt(deps, actor, finding, reason)
  }
  if (finding.repair === 'reopen_here') await adopt(deps, actor, finding, reason)
  if (finding.repair === 'recompute') await lapse(deps, tenantId, reason)
  if (finding.repair === 'mirror_invoice') {
    await resync(deps, actor, tenantId, [object])
    if (byPerson) await mirror(deps, actor, tenantId, object, reason)
  }
  if (finding.repair === 'mirror_money_back') await mirrorMoneyBack(deps, actor, tenantId, finding)
  if (finding.repair === 'void_here') await voidHere(deps, actor, tenantId, object, reason)
  if (finding.repair === 'end_here') await endHere(deps, actor, finding)
  if (finding.repair === 'unlink_customer') await unlink(deps, actor, tenantId, object, reason)
  if (finding.repair === 'rebuild_counter') await rebuild(deps, actor, tenantId, object, reason)
}

const resync = async (
  deps: Deps,
  actor: Actor,
  tenantId: string,
  providerInvoiceIds: string[],
  moneyBack: string[] = [],
): Promise<void> => {
  const providerCustomerId = await findProviderCustomer(deps.db, tenantId, deps.provider.name)
  if (providerCustomerId === null) return
  await deps.provider.listing.turn()
  await patiently(async () => {
    const wish = {
      ...{ providerInvoiceIds, providerSessionIds: [], customer: true, methods: true },
      moneyBack: { providerIds: moneyBack, ofInvoices: providerInvoiceIds },
    }
    const outcome = await syncProviderCustomer(deps, providerCustomerId, tenantId, wish, actor)
    return outcome.kind === 'busy' || outcome.kind === 'overtaken' ? null : outcome
  })
}

/** Of what is stuck the sweep finds out; the rest is fetched by its own name, with its invoice. */
const mirrorMoneyBack = async (deps: Deps, actor: Actor, tenantId: string, finding: FindingRecord): Promise<void> => {
  if (finding.kind === 'money_back_stuck') {
    await sweepMoneyBack(deps)
    return
  }
  await resync(deps, actor, tenantId, [], [finding.object])
}

/** Ends a checkout of which the provider says that it is over, or that there is none. */
const giveUpCheckout = async (deps: Deps, actor: Actor, checkoutId: string): Promise<void> => {
  const waiting = await findCheckoutById(deps.db, checkoutId)
  if (!waiting?.providerSessionId) return
  const fact = await deps.provider.fetchCheckout(waiting.providerSessionId)
  if (fact !== null && fact.state !== 'expired') return
  await endCheckout(deps, actor, waiting)
}

/**
 * Applies what is fetched under the customer's lease: nobody applies anything newer between the look and its taking effect
 * (WEB-3). Without a living customer there, nobody else applies anything.
 */
const takeOver = async <F>(
  deps: Deps,
  tenantId: string,
  fetch: () => Promise<F | null>,
  apply: (tx: Tx, fact: F) => Promise<void>,
): Promise<void> => {
  const provider = deps.provider.name
  const providerCustomerId = await findProviderCustomer(deps.db, tenantId, provider)
  if (providerCustomerId === null) {
    const fact = await fetch()
    if (fact !== null) await transact(deps.db, (tx) => apply(tx, fact))
    return
  }
  await patiently(async () => {
    const fence = await takeLease(deps.db, provider, providerCustomerId, deps.presence, deps.clock.now(), leaseSeconds)
    if (fence === null) return null
    try {
      const fact = await fetch()
      return await transact(deps.db, async (tx) => {
        if (!(await giveBackLease(tx, provider, providerCustomerId, fence))) return null
        if (fact !== null) await apply(tx, fact)
        return true
      })
    } catch (error) {
      await giveBackLease(deps.db, provider, providerCustomerId, fence).catch(() => {})
      throw error
    }
  })
}

/** Writes the provider's state of a subscription over ours, whatever the table of transitions says. */
const adopt = async (deps: Deps, actor: Actor, finding: FindingRecord, reason: string): Promise<void> => {
  const tenantId = finding.tenantId!
  const held = (await findSubscriptions(deps.db, tenantId)).find((each) => each.subscriptionId === finding.object)
  if (!held) return
  const fetch = () => deps.provider.fetchSubscription(held.providerSubscriptionId)
  await takeOver(deps, tenantId, fetch, async (tx, fact) => {
    const customer = await lockCustomer(tx, tenantId)
    const before = (await findSubscriptions(tx, tenantId)).find((each) => each.subscriptionId === finding.object)
    if (!customer || !before) return
    const at = deps.clock.now()
    const record = subscriptionOfFact(deps.catalog(), customer, deps.provider.name, fact, before, at)
    const changed = record ? changedFields(before, record) : []
    if (!record || changed.length === 0) return
    await saveSubscription(tx, record)
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: 'subscription.adopted',
      object: record.subscriptionId,
      before: { status: before.status, plan: before.plan, seats: before.seats },
      after: { status: record.status, plan: record.plan, seats: record.seats },
      reason,
    })
    const { events, budgetNow } = await refreshEntitlements(tx, deps, customer, at, reason, actor.requestId)
    const updated = { type: 'subscription.updated', record, changed, transition: null, effectiveAt: at } as const
    const told = [subscriptionEvent(deps.catalog(), updated), ...events]
    await appendEvents(tx, deps.clock, customer, actor.requestId, told, budgetNow)
  })
}

/** Ends what the provider positively does not know, asked once more at this moment. */
const endHere = async (deps: Deps, actor: Actor, finding: FindingRecord): Promise<void> => {
  const tenantId = finding.tenantId!
  const held = (await findSubscriptions(deps.db, tenantId)).find((each) => each.subscriptionId === finding.object)
  if (!held || (await deps.provider.listing.knowsSubscription(held.providerSubscriptionId))) return
  await transact(deps.db, (tx) =>
    applyProviderFacts(
      tx,
      deps,
      tenantId,
      { subscriptions: [], invoices: [], checkouts: [], missing: [held.providerSubscriptionId] },
      actor,
    ),
  )
}

const mirror = async (
  deps: Deps,
  actor: Actor,
  tenantId: string,
  providerInvoiceId: string,
  reason: string,
): Promise<void> => {
  const fetch = () => deps.provider.fetchInvoice(providerInvoiceId)
  await takeOver(deps, tenantId, fetch, async (tx, fact) => {
    await lockCustomer(tx, tenantId)
    if ((await findTenantOfProviderCustomer(tx, deps.provider.name, fact.providerCustomerId)) !== tenantId) return
    const before = await findInvoice(tx, tenantId, providerInvoiceId)
    await saveInvoice(tx, { ...fact, tenantId, provider: deps.provider.name }, deps.clock.now())
    if (before?.status === fact.status) return
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: 'invoice.adopted',
      object: providerInvoiceId,
      before: before && { status: before.status },
      after: { status: fact.status },
      reason,
    })
  })
}

const voidHere = async (
  deps: Deps,
  actor: Actor,
  tenantId: string,
  providerInvoiceId: string,
  reason: string,
): Promise<void> => {
  if (await deps.provider.listing.invoice(providerInvoiceId)) return
  await transact(deps.db, async (tx) => {
    await lockCustomer(tx, tenantId)
    const before = await findInvoice(tx, tenantId, providerInvoiceId)
    if (!before || before.status === 'void') return
    await saveInvoice(tx, { ...before, status: 'void', nextAttemptAt: null, actionRequired: false }, deps.clock.now())
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: 'invoice.void_here',
      object: providerInvoiceId,
      before: { status: before.status },
      after: { status: 'void' },
      reason,
    })
  })
}

const unlink = async (
  deps: Deps,
  actor: Actor,
  tenantId: string,
  providerCustomerId: string,
  reason: string,
): Promise<void> => {
  // What ended with the customer is taken over first, as long as the provider can still tell.
  await resync(deps, actor, tenantId, [])
  const seen = await deps.provider.fetchCustomer(providerCustomerId)
  if (seen && !seen.deleted) return
  await transact(deps.db, async (tx) => {
    await lockCustomer(tx, tenantId)
    const { name } = deps.provider
    if (!(await markProviderCustomerDeleted(tx, name, providerCustomerId, deps.clock.now()))) return
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: 'provider_customer.deleted',
      object: providerCustomerId,
      reason,
    })
  })
}

const rebuild = (deps: Deps, actor: Actor, tenantId: string, object: string, reason: string): Promise<void> => {
  // Findings of the time when the usage period was the only span name none.
  const [meter, windowStart, span = 'period'] = object.split(' ')
  return transact(deps.db, async (tx) => {
    await lockCustomer(tx, tenantId)
    const rebuilt = await rebuildCounter(tx, tenantId, meter!, span, Temporal.Instant.from(windowStart!))
    if (!rebuilt) throw fail('finding_needs_person')
    const { before, used, reserved, version, windowStartMs } = rebuilt
    await notify(tx, {
      kind: 'counters',
      moved: [[tenantId, meter!, span, windowStartMs, String(used), String(reserved), version]],
    })
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: 'usage.counter_rebuilt',
      object,
      before: { used: String(before) },
      after: { used: String(used) },
      reason,
    })
  })
}
