import type { ReconciliationPhase } from '@turnpike/contract'
import { canonicalJson } from '../../core/canonical.ts'
import { resolveLookupKey } from '../../modules/catalog/index.ts'
import { findWaitingCommands } from '../../modules/commands/index.ts'
import { countCustomers, findCustomer, pageTenants } from '../../modules/customers/index.ts'
import { newestSnapshots } from '../../modules/entitlements/index.ts'
import { findInvoicesByProviderIds, pageInvoices } from '../../modules/invoices/index.ts'
import {
  defaultMethods,
  pageProviderCustomers,
  tenantsOfProviderCustomers,
  tenantsWithOldCheckouts,
} from '../../modules/payments/index.ts'
import { findPlacedLines } from '../../modules/periods/index.ts'
import {
  compareChargeLines,
  compareCreditNote,
  compareInvoice,
  compareRefund,
  compareSubscription,
  type RunRecord,
  type SeenKind,
  type Suspect,
  unseen,
} from '../../modules/reconciliation/index.ts'
import { findMoneyBackByProviderIds, findWaitingMoneyBack } from '../../modules/refunds/index.ts'
import {
  countLiveSubscriptions,
  findSubscriptions,
  findSubscriptionsByProviderIds,
  isTerminal,
  pageLiveSubscriptions,
} from '../../modules/subscriptions/index.ts'
import { findCounterDifferences } from '../../modules/usage/index.ts'
import { readInOneView } from '../../platform/db.ts'
import type { Deps } from '../deps.ts'
import { hoursComparedSince } from './hours-kept.ts'
import { reconciliationPolicy } from './reconciliation-policy.ts'
import { resolveStored } from './refresh-entitlements.ts'
import { oddityOf, subscriptionOfFact } from './subscription-of-fact.ts'

/** What one page of a phase has shown. `after`: where the next page begins; null at the end of the phase. */
export type Page = {
  after: string | null
  looked: number
  total?: number
  seen?: { kind: SeenKind; objects: string[] }
  suspects: Suspect[]
}
type Pager = (deps: Deps, run: RunRecord) => Promise<Page>

const rowsAtOnce = 200
const lightDays = 2

const since = (deps: Deps, run: RunRecord): Temporal.Instant =>
  run.startedAt.subtract({ hours: 24 * (run.scope === 'light' ? lightDays : reconciliationPolicy(deps).invoiceDays) })

/** Which tenant the customer of a fact belongs to. */
const ownersOf = async (deps: Deps, facts: readonly { providerCustomerId: string | null }[]) => {
  const ids = facts.flatMap((fact) => fact.providerCustomerId ?? [])
  const owners = await tenantsOfProviderCustomers(deps.db, deps.provider.name, ids)
  return ({ providerCustomerId }: { providerCustomerId: string | null }): string | undefined =>
    providerCustomerId === null ? undefined : owners.get(providerCustomerId)
}

const knownMoneyBack = async (deps: Deps, providerIds: readonly string[]) => {
  const records = await findMoneyBackByProviderIds(deps.db, deps.provider.name, providerIds)
  const byId = new Map(records.map((record) => [record.providerId, record]))
  return (providerId: string) => byId.get(providerId) ?? null
}

const suspect = (tenantId: string): Suspect => ({ tenantId, providerCustomerId: null })
const stranger = (providerCustomerId: string): Suspect => ({ tenantId: null, providerCustomerId })

/** The first look: lists of both sides, page by page. Whoever looks wrong is suspected, nothing more. */
export const pagers: Record<Exclude<ReconciliationPhase, 'catalog' | 'second_look'>, Pager> = {
  provider_subscriptions: async (deps, run) => {
    const { items, after } = await deps.provider.listing.subscriptions({
      after: run.cursor,
      ...(run.scope === 'light' ? { createdSince: since(deps, run) } : {}),
    })
    const { name } = deps.provider
    const owners = await tenantsOfProviderCustomers(
      deps.db,
      name,
      items.flatMap((listed) => listed.providerCustomerId ?? []),
    )
    const ours = await findSubscriptionsByProviderIds(
      deps.db,
      name,
      items.map((listed) => listed.providerSubscriptionId),
    )
    const suspects: Suspect[] = []
    const liveOf = new Map<string, number>()
    const catalog = deps.catalog()
    for (const listed of items) {
      if (listed.providerCustomerId === null || listed.fact === null) continue
      const { fact } = listed
      const tenantId = owners.get(listed.providerCustomerId)
      if (tenantId === undefined) {
        if (fact.items.some(({ lookupKey }) => lookupKey !== null && resolveLookupKey(catalog, lookupKey) !== null))
          suspects.push(stranger(listed.providerCustomerId))
        continue
      }
      if (!isTerminal(fact.status)) liveOf.set(tenantId, (liveOf.get(tenantId) ?? 0) + 1)
      const customer = await findCustomer(deps.db, tenantId)
      if (!customer) continue
      const record = ours.find((each) => each.providerSubscriptionId === listed.providerSubscriptionId) ?? null
      const isOurs = !oddityOf(catalog, fact)?.startsWith('no price')
      const expected = isOurs ? subscriptionOfFact(catalog, customer, name, fact, record, run.startedAt) : null
      const around = { anotherLiveHere: true, historySince: since(deps, run) }
      if (compareSubscription(record, { listed, expected }, around).length > 0) suspects.push(suspect(tenantId))
    }
    for (const [tenantId, live] of liveOf) {
      const here = (await findSubscriptions(deps.db, tenantId)).filter((record) => !isTerminal(record.status)).length
      if (live > 1 || here > 1) suspects.push(suspect(tenantId))
    }
    const objects = items.map((listed) => listed.providerSubscriptionId)
    return { after, looked: items.length, seen: { kind: 'subscription', objects }, suspects }
  },

  our_subscriptions: async (deps, run) => {
    const rows = await pageLiveSubscriptions(deps.db, deps.provider.name, run.cursor ?? '', rowsAtOnce)
    const missing = await unseen(
      deps.db,
      run.runId,
      'subscription',
      rows.map((row) => row.providerSubscriptionId),
    )
    return {
      after: rows.length === rowsAtOnce ? rows.at(-1)!.subscriptionId : null,
      looked: rows.length,
      total: await countLiveSubscriptions(deps.db),
      suspects: rows.filter((row) => missing.has(row.providerSubscriptionId)).map((row) => suspect(row.tenantId)),
    }
  },

  provider_invoices: async (deps, run) => {
    const { items, after } = await deps.provider.listing.invoices({
      after: run.cursor,
      createdSince: since(deps, run),
    })
    const owners = await tenantsOfProviderCustomers(
      deps.db,
      deps.provider.name,
      items.flatMap((listed) => listed.providerCustomerId ?? []),
    )
    const objects = items.map((listed) => listed.providerInvoiceId)
    const ours = new Map(
      (await findInvoicesByProviderIds(deps.db, deps.provider.name, objects)).map((record) => [
        record.providerInvoiceId,
        record,
      ]),
    )
    const suspects = items.flatMap((listed) => {
      const tenantId = listed.providerCustomerId === null ? undefined : owners.get(listed.providerCustomerId)
      if (tenantId === undefined) return []
      return compareInvoice(ours.get(listed.providerInvoiceId) ?? null, listed).length > 0 ? [suspect(tenantId)] : []
    })
    // Lines that we have put on these invoices, of whom ever: their mirror may say the same as the provider and lack them too.
    const lines = await findPlacedLines(deps.db, objects)
    const differing = new Set(
      compareChargeLines(
        lines,
        new Map(items.flatMap(({ providerInvoiceId: id, fact }) => (fact ? [[id, fact]] : []))),
      ).map(({ object }) => object),
    )
    const ofLines = lines.flatMap(({ lineId, tenantId }) => (differing.has(lineId) ? [suspect(tenantId)] : []))
    return { after, looked: items.length, seen: { kind: 'invoice', objects }, suspects: [...suspects, ...ofLines] }
  },

  our_invoices: async (deps, run) => {
    const rows = await pageInvoices(deps.db, deps.provider.name, since(deps, run), run.cursor ?? '', rowsAtOnce)
    const missing = await unseen(
      deps.db,
      run.runId,
      'invoice',
      rows.map((row) => row.providerInvoiceId),
    )
    return {
      after: rows.length === rowsAtOnce ? rows.at(-1)!.providerInvoiceId : null,
      looked: rows.length,
      suspects: rows.filter((row) => missing.has(row.providerInvoiceId)).map((row) => suspect(row.tenantId)),
    }
  },

  provider_refunds: async (deps, run) => {
    const { items, after } = await deps.provider.listing.refunds({ after: run.cursor, createdSince: since(deps, run) })
    const tenantOf = await ownersOf(deps, items)
    const ours = await knownMoneyBack(
      deps,
      items.map((fact) => fact.providerRefundId),
    )
    const suspects = items.flatMap((fact) => {
      const tenantId = tenantOf(fact)
      if (tenantId === undefined) return []
      const around = { tenantId, provider: deps.provider.name, at: run.startedAt }
      return compareRefund(ours(fact.providerRefundId), fact, around).length > 0 ? [suspect(tenantId)] : []
    })
    return { after, looked: items.length, suspects }
  },

  provider_credit_notes: async (deps, run) => {
    const page = { after: run.cursor, createdSince: since(deps, run) }
    const { items, after } = await deps.provider.listing.creditNotes(page)
    const tenantOf = await ownersOf(deps, items)
    const ours = await knownMoneyBack(
      deps,
      items.map((fact) => fact.providerCreditNoteId),
    )
    const suspects = items.flatMap((fact) => {
      const tenantId = tenantOf(fact)
      if (tenantId === undefined) return []
      const around = { tenantId, provider: deps.provider.name, at: run.startedAt }
      return compareCreditNote(ours(fact.providerCreditNoteId), fact, around).length > 0 ? [suspect(tenantId)] : []
    })
    return { after, looked: items.length, suspects }
  },

  provider_customers: async (deps, run) => {
    const { items, after } = await deps.provider.listing.customers({ after: run.cursor })
    const objects = items.map((listed) => listed.providerCustomerId)
    const owners = await tenantsOfProviderCustomers(deps.db, deps.provider.name, objects)
    const marked = items.filter((listed) => listed.tenantId !== null && !owners.has(listed.providerCustomerId))
    const defaults = await defaultMethods(deps.db, deps.provider.name, [...owners.values()])
    const charged = items.flatMap(({ providerCustomerId, defaultMethodId }) => {
      const tenantId = owners.get(providerCustomerId)
      return tenantId !== undefined && (defaults.get(tenantId) ?? null) !== defaultMethodId ? [suspect(tenantId)] : []
    })
    return {
      after,
      looked: items.length,
      seen: { kind: 'customer', objects },
      suspects: [...marked.map((listed) => stranger(listed.providerCustomerId)), ...charged],
    }
  },

  our_customers: async (deps, run) => {
    const rows = await pageProviderCustomers(deps.db, deps.provider.name, run.cursor ?? '', rowsAtOnce)
    const missing = await unseen(
      deps.db,
      run.runId,
      'customer',
      rows.map((row) => row.providerCustomerId),
    )
    return {
      after: rows.length === rowsAtOnce ? rows.at(-1)!.tenantId : null,
      looked: rows.length,
      suspects: rows.filter((row) => missing.has(row.providerCustomerId)).map((row) => suspect(row.tenantId)),
    }
  },

  snapshots: async (deps, run) => {
    const rows = await pageTenants(deps.db, run.cursor ?? '', rowsAtOnce)
    const at = deps.clock.now()
    const suspects = await readInOneView(deps.db, async (tx) => {
      const tenantIds = rows.map((row) => row.tenantId)
      const stored = new Map(
        (await newestSnapshots(tx, tenantIds)).map((snapshot) => [snapshot.tenantId, canonicalJson(snapshot.content)]),
      )
      const wrong: Suspect[] = []
      for (const { tenantId, resolvedCatalog } of rows) {
        // Those that a new catalog has not reached yet are on their way.
        if (resolvedCatalog !== deps.catalog().version) continue
        if (stored.get(tenantId) !== canonicalJson(await resolveStored(tx, deps, tenantId, at)))
          wrong.push(suspect(tenantId))
      }
      return wrong
    })
    return {
      after: rows.length === rowsAtOnce ? rows.at(-1)!.tenantId : null,
      looked: rows.length,
      total: await countCustomers(deps.db),
      suspects,
    }
  },

  counters: async (deps, run) => {
    const rows = await pageTenants(deps.db, run.cursor ?? '', rowsAtOnce)
    const differences = await findCounterDifferences(
      deps.db,
      rowsAtOnce,
      rows.map((row) => row.tenantId),
      hoursComparedSince(deps.clock.now()),
    )
    return {
      after: rows.length === rowsAtOnce ? rows.at(-1)!.tenantId : null,
      looked: rows.length,
      total: await countCustomers(deps.db),
      suspects: differences.map((difference) => suspect(difference.tenantId)),
    }
  },

  // Whatever waits: open pages that may have been paid, and commands without an answer.
  waiting: async (deps) => {
    const at = deps.clock.now()
    const checkouts = await tenantsWithOldCheckouts(deps.db, at.subtract({ minutes: 5 }), rowsAtOnce)
    const patient = at.subtract({ minutes: reconciliationPolicy(deps).patienceMinutes })
    const commands = await findWaitingCommands(deps.db, patient, '', rowsAtOnce)
    const moneyBack = await findWaitingMoneyBack(deps.db, { asking: patient, onTheWay: patient }, '', rowsAtOnce)
    const waiting = [...commands, ...moneyBack].map(({ tenantId }) => tenantId)
    const suspects = [...checkouts, ...waiting].map(suspect)
    return { after: null, looked: suspects.length, suspects }
  },
}
