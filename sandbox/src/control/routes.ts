import type { FastifyInstance } from 'fastify'
import { advanceClock, clockAhead } from '../engine/clock.ts'
import type { Delivery } from '../store/openStore.ts'
import { clockNow, type Settings, type World } from '../world.ts'
import { type ApiFault, apiActions, type WebhookFault } from './faults.ts'

type FaultBody = Record<string, unknown>

/** The sandbox's own levers under `/sandbox/…`, JSON in and out, no key. Real Stripe has nothing of this. */
export function controlRoutes(app: FastifyInstance, world: World): void {
  app.get('/sandbox/state', () => ({
    url: world.url,
    now: clockNow(world),
    offset: world.clock.offset,
    advancing: world.clock.advancing !== null,
    settings: world.settings,
    objects: world.store.count(),
    pendingDeliveries: world.store.deliveries({ status: 'pending' }).length,
    heldDeliveries: world.store.deliveries({ status: 'held' }).length,
  }))

  app.get<{ Querystring: { follower?: string; after?: string } }>('/sandbox/clock', async (request, reply) => {
    const { follower, after = '' } = request.query
    const gone = new AbortController()
    reply.raw.once('close', () => gone.abort())
    if (follower) await world.followers.ask(follower, after, gone.signal)
    return { step: world.followers.step(), ahead: world.followers.tell(clockAhead(world)), now: clockNow(world) }
  })

  app.post<{ Body: string }>('/sandbox/settings', (request) => {
    Object.assign(world.settings, bodyOf<Partial<Settings>>(request.body))
    world.store.setMeta('settings', JSON.stringify(world.settings))
    return world.settings
  })

  app.post<{ Body: string }>('/sandbox/clock/advance', async (request, reply) => {
    const { seconds, to } = bodyOf<{ seconds?: number; to?: number }>(request.body)
    if (typeof seconds !== 'number' && typeof to !== 'number')
      return reply.code(400).send({ error: 'Say `seconds` or `to`.' })
    const target = typeof to === 'number' ? to : clockNow(world) + seconds!
    if (target < clockNow(world)) return reply.code(400).send({ error: 'The clock only goes forward.' })
    await advanceClock(world, target)
    return { now: clockNow(world) }
  })

  app.get('/sandbox/faults', () => ({ faults: world.faults.list() }))
  app.post<{ Body: string }>('/sandbox/faults', (request, reply) => {
    const fault = faultOf(bodyOf<FaultBody>(request.body))
    return fault ? world.faults.add(fault) : reply.code(400).send({ error: 'Unknown kind or action of fault.' })
  })
  app.delete('/sandbox/faults', () => {
    world.faults.clear()
    world.delivering.wake()
    return { faults: [] }
  })
  app.delete<{ Params: { id: string } }>('/sandbox/faults/:id', (request) => {
    world.faults.clear(request.params.id)
    world.delivering.wake()
    return { faults: world.faults.list() }
  })

  app.get<{ Querystring: { event?: string; status?: Delivery['status'] } }>('/sandbox/deliveries', (request) => ({
    deliveries: world.store.deliveries(request.query).map((delivery) => ({
      ...delivery,
      type: JSON.parse(world.store.find(delivery.event)?.body ?? '{"type":null}').type as string,
    })),
  }))
  app.post<{ Body: string }>('/sandbox/webhooks/release', (request) => {
    const { events } = bodyOf<{ events?: string[] }>(request.body)
    const held = world.store.deliveries({ status: 'held' }).sort((a, b) => a.seq - b.seq)
    const chosen = events ? events.flatMap((id) => held.filter((delivery) => delivery.event === id)) : held
    // The smallest due time goes first, so the wanted order is written as due times.
    for (const [index, delivery] of chosen.entries())
      world.store.updateDelivery({ ...delivery, status: 'pending', due: index })
    world.delivering.wake()
    return { released: chosen.length }
  })
  app.post<{ Params: { id: string } }>('/sandbox/events/:id/redeliver', (request, reply) => {
    const known = world.store.deliveries({ event: request.params.id })
    if (known.length === 0)
      return reply.code(404).send({ error: 'No endpoint listens to this event, or there is no such event.' })
    for (const endpoint of new Set(known.map((delivery) => delivery.endpoint)))
      world.store.addDelivery(request.params.id, endpoint, 'pending', clockNow(world))
    world.delivering.wake()
    return { redelivered: request.params.id }
  })
  app.post<{ Body: string }>('/sandbox/webhooks/flush', async (request) => {
    const { timeoutMs } = bodyOf<{ timeoutMs?: number }>(request.body)
    return { settled: await world.delivering.settled(timeoutMs ?? 10_000) }
  })
}

function bodyOf<T>(text: string | undefined): T {
  return (text ? JSON.parse(text) : {}) as T
}

function faultOf(body: FaultBody): Omit<ApiFault, 'id'> | Omit<WebhookFault, 'id'> | null {
  const count = typeof body.count === 'number' ? body.count : null
  if (body.kind === 'webhook') {
    const what = {
      kind: 'webhook' as const,
      type: typeof body.type === 'string' ? body.type : '*',
      ...(typeof body.customer === 'string' ? { customer: body.customer } : {}),
      count,
    }
    if (body.action === 'delay') {
      const seconds = typeof body.seconds === 'number' ? body.seconds : 'hold'
      return { ...what, action: 'delay', seconds } as Omit<WebhookFault, 'id'>
    }
    if (body.action === 'duplicate' || body.action === 'drop' || body.action === 'reorder')
      return { ...what, action: body.action } as Omit<WebhookFault, 'id'>
    return null
  }
  const action = apiActions.find((each) => each === body.action)
  if (body.kind !== 'api' || !action) return null
  return {
    kind: 'api',
    action,
    count,
    method: typeof body.method === 'string' ? body.method.toUpperCase() : '*',
    path: typeof body.path === 'string' ? body.path : '*',
    ms: typeof body.ms === 'number' ? body.ms : 1000,
    after: body.after === true,
    ...(typeof body.status === 'number' ? { status: body.status } : {}),
    ...(typeof body.patch === 'object' && body.patch !== null ? { patch: body.patch as Record<string, unknown> } : {}),
  }
}
