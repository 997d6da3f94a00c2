import type { Micro } from '../../core/quantity.ts'
import { createBatcher } from '../../platform/batch.ts'
import { type Db, isConnectionLoss } from '../../platform/db.ts'
import { type CounterRow, currentCounters } from '../usage/index.ts'
import type { ResolvedEntitlement, SnapshotContent } from './resolve.ts'
import { newestSnapshots, type StoredSnapshot } from './store.ts'
import { type LiveWindow, rememberWindow } from './window.ts'

/** What a check needs about one customer, in memory. */
export type LiveCustomer = {
  customerId: string
  version: number
  content: SnapshotContent
  validUntilMs: number
  byFeature: ReadonlyMap<string, ResolvedEntitlement>
  /** The counting window that holds a time. */
  windowAt(atMs: number): LiveWindow
  /** By meter, span and window start → what was used and reserved, and which version of the counter said so. */
  counters: Map<string, LiveCounter>
}
type LiveCounter = { used: Micro; reserved: Micro; version: number }

export type LiveCustomers = {
  get(tenantId: string): LiveCustomer | undefined
  /**
   * From memory, or loaded; null for a tenant without a snapshot. While the database is away, the last that was known: whoever
   * was let in is not locked out because nobody can be asked (ENT-9).
   */
  load(tenantId: string, atMs: number): Promise<LiveCustomer | null>
  /** A newer snapshot exists: the next load fetches it. */
  snapshotChanged(tenantId: string, version: number): void
  counterMoved(tenantId: string, name: string, counter: LiveCounter): void
  /** Notices may have been missed: nothing in memory can be trusted to be current. */
  forgetAll(): void
  size(): number
}

export const counterName = (meter: string, windowStart: number, span = 'period'): string =>
  `${meter} ${span} ${windowStart}`

/**
 * Snapshots and counters in memory, loaded on first use and kept current by what commits announce: this is why a check is
 * constant-time and asks nobody (ENT-4). Versions decide which of two pieces of news is newer, in whatever order they come.
 */
export const createLiveCustomers = (db: Db, max = 500_000): LiveCustomers => {
  const customers = new Map<string, LiveCustomer>()
  // What was replaced and not loaded again yet: only for the time in which the database cannot be asked.
  let outdated = new Map<string, LiveCustomer>()
  const loading = new Map<
    string,
    {
      promise: Promise<LiveCustomer | null>
      minVersion: number
      moved: [string, LiveCounter][]
      stale: boolean
    }
  >()

  const reader = createReader(db)
  const share = createSharing()

  const apply = (live: LiveCustomer, name: string, counter: LiveCounter) => {
    const known = live.counters.get(name)
    if (!known || known.version < counter.version) live.counters.set(name, counter)
  }

  const fetch = async (tenantId: string, atMs: number): Promise<LiveCustomer | null> => {
    for (;;) {
      const ticket = loading.get(tenantId)!
      ticket.stale = false
      const { snapshot, counters } = await reader.add({ tenantId, atMs })
      if (!snapshot) return null
      if (ticket.stale || snapshot.version < ticket.minVersion) continue
      const entitlements = share(snapshot.content.entitlements)
      const live: LiveCustomer = {
        customerId: snapshot.customerId,
        version: snapshot.version,
        content: { ...snapshot.content, entitlements: entitlements.list },
        validUntilMs:
          snapshot.content.validUntil === null
            ? Number.POSITIVE_INFINITY
            : Temporal.Instant.from(snapshot.content.validUntil).epochMilliseconds,
        byFeature: entitlements.byFeature,
        windowAt: rememberWindow(snapshot.content.window),
        counters: new Map(
          counters.map(({ meter, windowStart, span, used, reserved, version }) => [
            counterName(meter, windowStart, span),
            { used, reserved, version },
          ]),
        ),
      }
      for (const [name, counter] of ticket.moved) apply(live, name, counter)
      if (customers.size >= max) customers.delete(customers.keys().next().value!)
      customers.set(tenantId, live)
      outdated.delete(tenantId)
      return live
    }
  }

  return {
    get: (tenantId) => customers.get(tenantId),
    load: (tenantId, atMs) => {
      const known = customers.get(tenantId)
      if (known) return Promise.resolve(known)
      const underWay = loading.get(tenantId)
      if (underWay) return underWay.promise
      const ticket = { promise: null as never as Promise<LiveCustomer | null>, minVersion: 0, moved: [], stale: false }
      loading.set(tenantId, ticket)
      ticket.promise = fetch(tenantId, atMs)
        .catch((error: unknown) => {
          const last = outdated.get(tenantId)
          if (!last || !isConnectionLoss(error)) throw error
          return last
        })
        .finally(() => loading.delete(tenantId))
      return ticket.promise
    },
    snapshotChanged: (tenantId, version) => {
      const known = customers.get(tenantId)
      if (known && known.version < version) {
        customers.delete(tenantId)
        if (outdated.size >= outdatedMax) outdated.delete(outdated.keys().next().value!)
        outdated.set(tenantId, known)
      }
      const ticket = loading.get(tenantId)
      if (ticket) ticket.minVersion = Math.max(ticket.minVersion, version)
    },
    counterMoved: (tenantId, name, counter) => {
      const known = customers.get(tenantId)
      if (known) apply(known, name, counter)
      loading.get(tenantId)?.moved.push([name, counter])
    },
    forgetAll: () => {
      // The whole memory at once: nothing is copied, and each is dropped when it was loaded again.
      if (customers.size > 0) outdated = new Map(customers)
      customers.clear()
      for (const ticket of loading.values()) ticket.stale = true
    },
    size: () => customers.size,
  }
}

const outdatedMax = 50_000

/** Reads customers that are asked for together in two statements: after a start everybody is asked for. */
const createReader = (db: Db) =>
  createBatcher<{ tenantId: string; atMs: number }, { snapshot: StoredSnapshot | null; counters: CounterRow[] }>({
    weightMax: 200,
    concurrency: 3,
    work: async (asked) => {
      const tenantIds = asked.map(({ tenantId }) => tenantId)
      const snapshots = new Map((await newestSnapshots(db, tenantIds)).map((snapshot) => [snapshot.tenantId, snapshot]))
      const earliestMs = Math.min(...asked.map(({ atMs }) => atMs))
      const counters = Map.groupBy(await currentCounters(db, tenantIds, earliestMs), ({ tenantId }) => tenantId)
      return tenantIds.map((tenantId) => ({
        snapshot: snapshots.get(tenantId) ?? null,
        counters: counters.get(tenantId) ?? [],
      }))
    },
  })

const sharedMax = 10_000

/** Customers of one plan mostly have the same entitlements: kept once, a hundred thousand of them fit into memory. */
const createSharing = () => {
  const shared = new Map<string, { list: ResolvedEntitlement[]; byFeature: ReadonlyMap<string, ResolvedEntitlement> }>()
  return (list: ResolvedEntitlement[]) => {
    const text = JSON.stringify(list)
    const known = shared.get(text)
    if (known) return known
    if (shared.size >= sharedMax) shared.clear()
    const entry = { list, byFeature: new Map(list.map((entitlement) => [entitlement.feature, entitlement])) }
    shared.set(text, entry)
    return entry
  }
}
