import type { Budget, EventEnvelope, GatewaySnapshot, RoutingPolicy } from '@turnpike/contract'
import type { Client } from '../client.ts'
import { isOutage, TurnpikeError } from '../errors.ts'
import { type BudgetDecision, type BudgetOptions, createBudgets } from './budgets.ts'
import { createRouter, type Log, type Route, type RoutedRequest } from './routing.ts'
import { type Gap, openStore } from './store.ts'

export type ReplicaOptions = BudgetOptions & {
  /** The SQLite file; one replica per file. Other processes may read it. */
  file: string
  /** With the credential of a gateway: one that is not bound to a tenant. */
  client: Pick<Client, 'getGatewaySnapshot' | 'streamEvents'>
  onGap?: (gap: { tenantId: string; expected: number; received: number }) => void
  log?: Log
  /** How often routing policies are read again, because no event carries them; 5 minutes unless told. */
  policiesEveryMs?: number
  /** How long to rest when following the stream failed; 1 s unless told. */
  restMs?: number
}

export type ReplicaStatus = {
  position: string
  /** How old the last event was when it was applied; without a connection, how long nothing has been heard. */
  lagMs: number
  connected: boolean
  gaps: { detected: number; healed: number }
  budgets: number
}

export type Replica = {
  budget: {
    check: (tenantId: string, amount?: number) => BudgetDecision
    spend: (tenantId: string, amount: number) => void
  }
  route: (request: RoutedRequest, tenantId: string) => Route | null
  status: () => ReplicaStatus
  gaps: () => Gap[]
  refreshPolicies: () => Promise<void>
  close: () => Promise<void>
}

/**
 * Opens the gateway's copy of budgets and routing policies and keeps it current (EVT-4). A new file begins with a
 * snapshot, and opening it fails when that cannot be had; a file that has one goes on from its position and decides at once,
 * also while the service is away.
 */
export const openReplica = async (options: ReplicaOptions): Promise<Replica> => {
  const { client, now = Date.now, restMs = 1_000, log = () => undefined } = options
  const store = openStore(options.file)
  const budgets = createBudgets(options)
  const router = createRouter(log)
  const closing = new AbortController()
  let plansWithPolicies = new Set<string>()
  let refreshing: Promise<void> | null = null
  let connected = false
  let heardAt = now()
  let lagMs = 0

  const usePolicies = (policies: RoutingPolicy[]): void => {
    router.setPolicies(policies)
    // Also plans without any policy: that they have none is known too.
    plansWithPolicies = budgets.plans().union(new Set(policies.map(({ planId }) => planId)))
  }
  const showStore = (): void => {
    budgets.replaceAll(store.budgets())
    usePolicies(store.policies())
  }

  const beginAnew = async (): Promise<void> => {
    const whole = await readSnapshot(client, closing.signal)
    store.install(whole)
    showStore()
  }

  const refreshPolicies = (): Promise<void> => {
    refreshing ??= client
      .getGatewaySnapshot({ query: { limit: 1 }, signal: closing.signal })
      .then(({ data }) => {
        if (closing.signal.aborted) return
        store.replacePolicies(data.routingPolicies)
        usePolicies(data.routingPolicies)
      })
      .finally(() => {
        refreshing = null
      })
    return refreshing
  }
  const refreshPoliciesSoon = (): void => {
    refreshPolicies().catch((error) => {
      if (!closing.signal.aborted)
        log('Routing policies could not be read; the known ones stay.', { error: String(error) })
    })
  }

  const show = (budget: Budget): void => {
    budgets.put(budget)
    if (plansWithPolicies.has(budget.planId)) return
    plansWithPolicies.add(budget.planId)
    refreshPoliciesSoon()
  }

  /** Fills a gap from a snapshot: events that are missing are in it. Throws when it cannot be read; then nothing moves. */
  const heal = async (event: EventEnvelope, expected: number): Promise<void> => {
    const gap = { tenantId: event.tenantid, expected, received: event.sequence }
    if (store.recordGap({ ...gap, at: instant(now()) })) {
      log('Events of a customer are missing; its budget is read again.', gap)
      options.onGap?.(gap)
    }
    for await (const page of pagesOf(client, closing.signal)) {
      const budget = page.budgets.find(({ tenantId }) => tenantId === event.tenantid)
      if (!budget) continue
      if (store.heal(budget, instant(now()))) show(budget)
      return
    }
  }

  const take = async (event: EventEnvelope): Promise<void> => {
    let applied = store.apply(event)
    if (applied.outcome === 'gap') {
      await heal(event, applied.expected)
      // When the snapshot has not got that far, the event's own row is the newest there is.
      applied = store.apply(event, true)
    }
    heardAt = now()
    lagMs = Math.max(0, heardAt - Date.parse(event.time))
    if (applied.outcome === 'applied' && applied.budget) show(applied.budget)
  }

  const follow = async (): Promise<void> => {
    const stream = client.streamEvents({
      after: store.position()!,
      signal: closing.signal,
      onState: (state) => {
        connected = state === 'connected'
        heardAt = now()
      },
    })
    for await (const event of stream) await take(event)
  }

  const followForEver = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        await follow()
      } catch (error) {
        if (closing.signal.aborted) return
        connected = false
        log('Following the events failed; it goes on from the last one applied.', { error: String(error) })
        await rest(restMs, closing.signal)
        // The feed does not know our position any more: only a snapshot leads back to it.
        const lost = error instanceof TurnpikeError && !isOutage(error) && error.code === 'invalid_request'
        if (lost) await beginAnew().catch((failure) => log('No snapshot could be read.', { error: String(failure) }))
      }
    }
  }

  try {
    if (store.position() === null) await beginAnew()
    else showStore()
  } catch (error) {
    store.close()
    throw error
  }
  const following = followForEver()
  const timer = setInterval(refreshPoliciesSoon, options.policiesEveryMs ?? 300_000)
  timer.unref()

  return {
    budget: { check: budgets.check, spend: budgets.spend },
    route: (request, tenantId) => {
      const budget = budgets.get(tenantId)
      return budget ? router.route(request, budget, budgets.check(tenantId)) : null
    },
    status: () => {
      const gaps = store.gaps()
      return {
        position: store.position()!,
        lagMs: connected ? lagMs : Math.max(0, now() - heardAt),
        connected,
        gaps: { detected: gaps.length, healed: gaps.filter(({ healedAt }) => healedAt !== null).length },
        budgets: budgets.size(),
      }
    },
    gaps: store.gaps,
    refreshPolicies,
    close: async () => {
      clearInterval(timer)
      closing.abort()
      await following
      await refreshing?.catch(() => undefined)
      store.close()
    },
  }
}

async function* pagesOf(client: ReplicaOptions['client'], signal: AbortSignal): AsyncGenerator<GatewaySnapshot> {
  let cursor: string | undefined
  do {
    const { data } = await client.getGatewaySnapshot({ query: { cursor, limit: 200 }, signal })
    yield data
    cursor = data.cursor ?? undefined
  } while (cursor !== undefined)
}

/** All pages as one. The first page's position counts: what happens while the others are read is streamed again after it. */
const readSnapshot = async (
  client: ReplicaOptions['client'],
  signal: AbortSignal,
): Promise<Omit<GatewaySnapshot, 'cursor'>> => {
  let whole: Omit<GatewaySnapshot, 'cursor'> | null = null
  for await (const page of pagesOf(client, signal)) {
    whole ??= { position: page.position, budgets: [], routingPolicies: page.routingPolicies }
    for (const budget of page.budgets) whole.budgets.push(budget)
  }
  return whole!
}

const instant = (ms: number): string => new Date(ms).toISOString()

const rest = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true },
    )
  })
