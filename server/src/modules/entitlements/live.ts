import type { Micro } from '../../core/quantity.ts'
import { createBatcher } from '../../platform/batch.ts'
import { type Db, isConnectionLoss } from '../../platform/db.ts'
import { type CounterRow, currentCounters, hourCounters, hourNumber, type Sliding, setHour } from '../usage/index.ts'
import { type Counting, countingOf } from './counting.ts'
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
  /** The metered features, each with its counters: by feature, and by the meter that they limit. */
  countings: ReadonlyMap<string, Counting>
  limitsOn: ReadonlyMap<string, readonly Counting[]>
  /** The usage period that holds a time. */
  windowAt(atMs: number): LiveWindow
  /** By meter, span and window start → what was used and reserved, and which version of the counter said so. */
  counters: Map<string, LiveCounter>
  /** The hours of each sliding window, by span and meter. */
  sliding: Map<string, Sliding>
}
type LiveCounter = { used: Micro; reserved: Micro; version: number }
type MovedCounter = LiveCounter & { meter: string; windowStart: number; span: string }

export type LiveCustomers = {
  get(tenantId: string): LiveCustomer | undefined
  /**
   * From memory, or loaded; null for a tenant without a snapshot. While the database is away, the last that was known: whoever
   * was let in is not locked out because nobody can be asked (ENT-9).
   */
  load(tenantId: string, atMs: number): Promise<LiveCustomer | null>
  /** A newer snapshot exists: the next load fetches it. */
  snapshotChanged(tenantId: string, version: number): void
  counterMoved(tenantId: string, meter: string, windowStart: number, span: string, counter: LiveCounter): void
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
export const createLiveCustomers = (db: Db, max: number): LiveCustomers => {
  const customers = new Map<string, LiveCustomer>()
  // What was replaced and not loaded again yet: only for the time in which the database cannot be asked.
  let outdated = new Map<string, LiveCustomer>()
  const loading = new Map<
    string,
    {
      promise: Promise<LiveCustomer | null>
      minVersion: number
      moved: MovedCounter[]
      stale: boolean
    }
  >()

  const share = createSharing()
  const reader = createReader(db, share)

  const apply = (live: LiveCustomer, { meter, windowStart, span, used, reserved, version }: MovedCounter) => {
    const name = counterName(meter, windowStart, span)
    const known = live.counters.get(name)
    if (known && known.version >= version) return
    if (span === 'hour') {
      // Only sliding windows look at hours; they forget those that no window reaches any more.
      for (const { span: sliding } of live.limitsOn.get(meter) ?? []) {
        const window = live.sliding.get(sliding + meter)
        if (window) setHour(window, hourNumber(windowStart), used)
      }
      live.counters.delete(counterName(meter, windowStart - 2 * hoursKept * 3_600_000, span))
    }
    live.counters.set(name, { used, reserved, version })
  }

  const fetch = async (tenantId: string, atMs: number): Promise<LiveCustomer | null> => {
    for (;;) {
      const ticket = loading.get(tenantId)!
      ticket.stale = false
      const { snapshot, counters, entitlements } = await reader.add({ tenantId, atMs })
      if (!snapshot || !entitlements) return null
      if (ticket.stale || snapshot.version < ticket.minVersion) continue
      const live: LiveCustomer = {
        customerId: snapshot.customerId,
        version: snapshot.version,
        content: { ...snapshot.content, entitlements: entitlements.list },
        validUntilMs:
          snapshot.content.validUntil === null
            ? Number.POSITIVE_INFINITY
            : Temporal.Instant.from(snapshot.content.validUntil).epochMilliseconds,
        byFeature: entitlements.byFeature,
        countings: entitlements.countings,
        limitsOn: entitlements.limitsOn,
        windowAt: rememberWindow(snapshot.content.window),
        counters: new Map(
          counters.map(({ meter, windowStart, span, used, reserved, version }) => [
            counterName(meter, windowStart, span),
            { used, reserved, version },
          ]),
        ),
        sliding: entitlements.slides.length === 0 ? noSliding : slidingOf(entitlements, counters),
      }
      for (const counter of ticket.moved) apply(live, counter)
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
    counterMoved: (tenantId, meter, windowStart, span, counter) => {
      const moved = { meter, windowStart, span, ...counter }
      const known = customers.get(tenantId)
      if (known) apply(known, moved)
      // Windows that are over stay in memory until there are many of them.
      if (known && known.counters.size > countersMax) customers.delete(tenantId)
      loading.get(tenantId)?.moved.push(moved)
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

type Read = { snapshot: StoredSnapshot | null; entitlements: Shared | null; counters: CounterRow[] }

/** Reads customers that are asked for together in a few statements: after a start everybody is asked for. */
const createReader = (db: Db, share: (list: ResolvedEntitlement[]) => Shared) =>
  createBatcher<{ tenantId: string; atMs: number }, Read>({
    weightMax: 200,
    concurrency: 3,
    work: async (asked) => {
      const tenantIds = asked.map(({ tenantId }) => tenantId)
      const snapshots = new Map((await newestSnapshots(db, tenantIds)).map((snapshot) => [snapshot.tenantId, snapshot]))
      const earliestMs = Math.min(...asked.map(({ atMs }) => atMs))
      const shared = new Map([...snapshots].map(([tenantId, { content }]) => [tenantId, share(content.entitlements)]))
      const counters = Map.groupBy(await currentCounters(db, tenantIds, earliestMs), ({ tenantId }) => tenantId)
      const hours = [...shared].flatMap(([tenantId, { slides }]) =>
        slides.map(({ entitlement: { meter }, slidingHours }) => ({
          tenantId,
          meter,
          fromMs: earliestMs - (slidingHours! + 1) * hourMs,
        })),
      )
      const hourly = Map.groupBy(await hourCounters(db, hours), ({ tenantId }) => tenantId)
      return tenantIds.map((tenantId) => ({
        snapshot: snapshots.get(tenantId) ?? null,
        entitlements: shared.get(tenantId) ?? null,
        counters: [...(counters.get(tenantId) ?? []), ...(hourly.get(tenantId) ?? [])],
      }))
    },
  })

/** What most customers have, once: nothing is ever put in. */
const noSliding: Map<string, Sliding> = new Map()

/** The sliding windows of a customer, filled from their hours. */
const slidingOf = ({ slides }: Shared, counters: readonly CounterRow[]): Map<string, Sliding> =>
  new Map(
    slides.map(({ span, slidingHours, entitlement: { meter } }): [string, Sliding] => [
      span + meter,
      {
        hours: slidingHours!,
        used: new Map(
          counters.flatMap((counter) =>
            counter.span === 'hour' && counter.meter === meter
              ? [[hourNumber(counter.windowStart), counter.used] as const]
              : [],
          ),
        ),
        known: null,
      },
    ]),
  )

const sharedMax = 10_000
const hourMs = 3_600_000
/** More than the longest sliding window has. */
const hoursKept = 750
const countersMax = 5_000

/** What customers of one plan mostly have in common: kept once, a hundred thousand of them fit into memory. */
type Shared = Pick<LiveCustomer, 'byFeature' | 'countings' | 'limitsOn'> & {
  list: ResolvedEntitlement[]
  slides: readonly Counting[]
}

const createSharing = () => {
  const shared = new Map<string, Shared>()
  return (list: ResolvedEntitlement[]): Shared => {
    const text = JSON.stringify(list)
    const known = shared.get(text)
    if (known) return known
    if (shared.size >= sharedMax) shared.clear()
    const countings = list.flatMap((entitlement) => (entitlement.kind === 'metered' ? [countingOf(entitlement)] : []))
    const entry = {
      list,
      byFeature: new Map(list.map((entitlement) => [entitlement.feature, entitlement])),
      countings: new Map(countings.map((counting) => [counting.entitlement.feature, counting])),
      limitsOn: Map.groupBy(countings, ({ entitlement }) => entitlement.meter),
      slides: countings.filter(({ slidingHours }) => slidingHours !== null),
    }
    shared.set(text, entry)
    return entry
  }
}
