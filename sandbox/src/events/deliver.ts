import type { EventObject, WebhookEndpoint } from '../objects/types.ts'
import type { Delivery } from '../store/openStore.ts'
import { clockNow, type World } from '../world.ts'
import { signatureHeader } from './sign.ts'

/** Seconds from one failed attempt to the next; three days in all. */
const backoff = [2, 10, 60, 300, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 86_400]
const timeoutMs = 10_000

export type Delivering = ReturnType<typeof createDelivering>

/** Sends what is due, at once and by itself. All state is in the store, so a restart goes on where it stopped. */
export function createDelivering(getWorld: () => World) {
  const sending = new Map<number, Promise<void>>()
  const perEndpoint = new Map<string, number>()
  const listeners = new Set<() => void>()
  const aborting = new AbortController()
  let queued = false
  let stopped = false

  const announce = () => {
    for (const listener of listeners) listener()
  }

  const wake = (): void => {
    if (queued || stopped) return
    queued = true
    setImmediate(() => {
      queued = false
      if (!stopped) pump()
    })
  }

  const pump = (): void => {
    const world = getWorld()
    releaseReordered(world)
    for (const delivery of world.store.dueDeliveries(clockNow(world), 200)) {
      const busy = perEndpoint.get(delivery.endpoint) ?? 0
      if (sending.has(delivery.seq) || busy >= world.settings.webhookConcurrency) continue
      perEndpoint.set(delivery.endpoint, busy + 1)
      const done = send(world, delivery).finally(() => {
        sending.delete(delivery.seq)
        perEndpoint.set(delivery.endpoint, (perEndpoint.get(delivery.endpoint) ?? 1) - 1)
        announce()
        wake()
      })
      sending.set(delivery.seq, done)
    }
    announce()
  }

  const send = async (world: World, delivery: Delivery): Promise<void> => {
    const event = read<EventObject>(world, delivery.event)
    const endpoint = read<WebhookEndpoint>(world, delivery.endpoint)
    if (!event || !endpoint) {
      world.store.updateDelivery({ ...delivery, status: 'dropped' })
      return
    }
    const body = JSON.stringify(event, null, 2)
    const started = Date.now()
    let status: number | null = null
    let error: string | null = null
    try {
      const response = await fetch(endpoint.url, {
        method: 'POST',
        body,
        redirect: 'manual',
        signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), aborting.signal]),
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
          // Real time, never the sandbox's: the receiver judges a signature's age by its own clock.
          'stripe-signature': signatureHeader(body, endpoint._.secrets, Math.floor(started / 1000)),
        },
      })
      status = response.status
      await response.arrayBuffer()
    } catch (cause) {
      error =
        cause instanceof Error
          ? `${cause.message}${cause.cause instanceof Error ? `: ${cause.cause.message}` : ''}`
          : String(cause)
    }
    // A delivery that a shutdown cut off was never made: it is sent again after the restart.
    if (stopped && status === null) return
    const delivered = status !== null && status >= 200 && status < 300
    const attempts = [...delivery.attempts, { at: clockNow(world), status, error, ms: Date.now() - started }]
    const wait = backoff[attempts.length - 1]
    world.store.updateDelivery({
      ...delivery,
      attempts,
      status: delivered ? 'delivered' : wait === undefined ? 'failed' : 'pending',
      due: delivered || wait === undefined ? delivery.due : clockNow(world) + wait,
    })
    if (delivered) acknowledge(world, event)
  }

  const idle = (world: World): boolean =>
    sending.size === 0 && world.store.dueDeliveries(clockNow(world), 1).length === 0

  const until = (condition: () => boolean, timeoutMs: number): Promise<boolean> => {
    if (condition()) return Promise.resolve(true)
    return new Promise((resolve) => {
      const finish = (result: boolean) => {
        clearTimeout(timer)
        listeners.delete(check)
        resolve(result)
      }
      const check = () => {
        if (stopped || condition()) finish(!stopped)
      }
      const timer = setTimeout(() => finish(false), timeoutMs)
      listeners.add(check)
      wake()
    })
  }

  return {
    wake,
    /** Resolves when nothing is due any more or the time is over. Retries that wait for later do not count. */
    settled: (timeout: number): Promise<boolean> => until(() => idle(getWorld()), timeout),
    /** Resolves when every endpoint answered an event with 2xx, or at once when it is held or dropped. */
    acknowledged: (event: string, timeout: number): Promise<boolean> =>
      until(
        () =>
          getWorld()
            .store.deliveries({ event })
            .every((delivery) => delivery.status !== 'pending'),
        timeout,
      ),
    stop: async (): Promise<void> => {
      stopped = true
      aborting.abort()
      announce()
      await Promise.allSettled(sending.values())
    },
  }
}

// Events caught by a reorder fault go out in reverse once the fault caught all it wanted.
function releaseReordered(world: World): void {
  if (world.faults.list().some((fault) => fault.kind === 'webhook' && fault.action === 'reorder')) return
  const caught = world.store.deliveries({ status: 'held' }).filter((delivery) => delivery.due === -1)
  for (const [index, delivery] of caught.sort((a, b) => b.seq - a.seq).entries())
    world.store.updateDelivery({ ...delivery, status: 'pending', due: index })
}

function acknowledge(world: World, event: EventObject): void {
  const open = world.store.deliveries({ event: event.id }).some((delivery) => delivery.status === 'pending')
  if (open) return
  world.store.write(
    event.id,
    { type: 'event', customer: null, parent: null, clock: '', due: null, rank: 9 },
    JSON.stringify({ ...event, pending_webhooks: 0 }),
  )
}

function read<T>(world: World, id: string): T | undefined {
  const row = world.store.find(id)
  return row ? (JSON.parse(row.body) as T) : undefined
}
