import { randomUUID } from 'node:crypto'
import {
  apiPrefix,
  apiVersion,
  type Budget,
  type Decision,
  type EventEnvelope,
  type EventType,
  type ProblemCode,
  problems,
  type RouteName,
  type RoutingPolicy,
  routes,
} from '@turnpike/contract'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown

/**
 * The far end of the wire: requests are validated by the contract's own schemas and answered in its shapes. It decides
 * nothing; a test says what it answers, when it breaks, and which events it has.
 */
export const startWire = async () => {
  const app = Fastify({
    forceCloseConnections: true,
    ajv: { customOptions: { removeAdditional: false, allowUnionTypes: true } },
  })
  const requests: { name: RouteName; headers: FastifyRequest['headers']; body: unknown; url: string }[] = []
  const handlers: Partial<Record<RouteName, Handler>> = {}
  const faults: Handler[] = []
  const feed: EventEnvelope[] = []
  const lost = new Set<string>()
  const streams = new Set<() => void>()
  const sequences = new Map<string, number>()
  const budgets = new Map<string, Budget>()
  const settings = {
    policies: [] as RoutingPolicy[],
    pageSize: 200,
    /** Each stream is cut after so many events. */
    cutAfter: Number.POSITIVE_INFINITY,
    /** Bytes written at once, so that events arrive in pieces. */
    pieceBytes: Number.POSITIVE_INFINITY,
    /** How many further events every new stream repeats from before its position. */
    repeat: 0,
  }

  const envelope = (data: unknown, cursor?: string | null) => ({
    data,
    meta: { requestId: randomUUID(), apiVersion, ...(cursor === undefined ? {} : { cursor }) },
  })
  const fail = (reply: FastifyReply, code: ProblemCode, extra: Record<string, unknown> = {}) => {
    const { status, title, detail, next, retry } = problems[code]
    return reply
      .code(status)
      .type('application/problem+json')
      .send({ type: `/problems/${code}`, title, status, detail, code, next, retry, requestId: 'request_1', ...extra })
  }
  app.setErrorHandler((error: Error & { validation?: unknown }, _request, reply) =>
    error.validation ? fail(reply, 'invalid_request', { errors: error.validation }) : fail(reply, 'internal_error'),
  )

  const lastPosition = () => feed.at(-1)?.position ?? '0'
  const defaults: Partial<Record<RouteName, Handler>> = {
    getGatewaySnapshot: (request) => {
      const { cursor = '0', limit } = request.query as { cursor?: string; limit: number }
      const size = Math.min(limit, settings.pageSize)
      const rows = [...budgets.values()].slice(Number(cursor), Number(cursor) + size)
      const next = Number(cursor) + size
      return envelope({
        position: lastPosition(),
        budgets: rows,
        routingPolicies: settings.policies,
        cursor: next < budgets.size ? String(next) : null,
      })
    },
    listEvents: (request) => {
      const { after = '0', limit } = request.query as { after?: string; limit: number }
      const rows = feed.slice(Number(after), Number(after) + Math.min(limit, settings.pageSize))
      return envelope(rows, rows.at(-1)?.position ?? null)
    },
    streamEvents: (request, reply) => {
      const { after = '0' } = request.query as { after?: string }
      reply.hijack()
      reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
      // A stream begins with a word, so that the reader knows that it is open.
      reply.raw.write(':ok\n\n')
      let next = Math.max(0, Number(after) - settings.repeat)
      let sent = 0
      const flush = () => {
        while (next < feed.length && sent < settings.cutAfter && !reply.raw.destroyed) {
          const event = feed[next++]!
          if (lost.has(event.id)) continue
          sent++
          const text = `id: ${event.position}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
          for (const piece of piecesOf(Buffer.from(text), settings.pieceBytes)) reply.raw.write(piece)
        }
        if (sent >= settings.cutAfter) reply.raw.end()
      }
      streams.add(flush)
      reply.raw.on('close', () => streams.delete(flush))
      flush()
    },
  }

  for (const name of Object.keys(routes) as RouteName[]) {
    const route: (typeof routes)[RouteName] & { params?: unknown; query?: unknown; body?: unknown } = routes[name]
    app.route({
      method: route.method,
      url: apiPrefix + route.path.replace(/\{(\w+)\}/g, ':$1'),
      schema: {
        ...(route.params ? { params: route.params } : {}),
        ...(route.query ? { querystring: route.query } : {}),
        ...(route.body ? { body: route.body } : {}),
      },
      handler: (request, reply) => {
        requests.push({ name, headers: request.headers, body: request.body, url: request.url })
        const handle = faults.shift() ?? handlers[name] ?? defaults[name]
        return handle ? handle(request, reply) : fail(reply, 'not_found')
      },
    })
  }

  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const flushAll = () => {
    for (const flush of streams) flush()
  }

  return {
    url,
    requests,
    handlers,
    faults,
    feed,
    budgets,
    settings,
    envelope,
    fail,
    /** Publishes an event of a tenant with its next sequence; `change` makes the budget that it carries. */
    publish: (tenantId: string, type: EventType, change: Partial<Budget> | null, options: { lost?: boolean } = {}) => {
      const sequence = (sequences.get(tenantId) ?? 0) + 1
      sequences.set(tenantId, sequence)
      const before = budgets.get(tenantId) ?? budgetOf(tenantId)
      const budget = { ...before, ...change, sequence }
      budgets.set(tenantId, budget)
      const event = eventOf(tenantId, sequence, String(feed.length + 1), type, change ? { budget } : {})
      feed.push(event)
      if (options.lost) lost.add(event.id)
      flushAll()
      return event
    },
    cutStreams: () => app.server.closeAllConnections(),
    openStreams: () => streams.size,
    close: () => app.close(),
  }
}

export type Wire = Awaited<ReturnType<typeof startWire>>

/** Takes the request and breaks the connection instead of answering. */
export const breakOff: Handler = (request, reply) => {
  reply.hijack()
  request.raw.socket.destroy()
}

export const budgetOf = (tenantId: string, change: Partial<Budget> = {}): Budget => ({
  tenantId,
  customerId: `customer_${tenantId}`,
  subscriptionId: null,
  planId: 'free',
  feature: 'calls',
  totalBudget: 100,
  currentSpend: 0,
  periodStart: '2026-11-01T00:00:00Z',
  periodEnd: '2026-12-01T00:00:00Z',
  sequence: 0,
  ...change,
})

export const eventOf = (
  tenantId: string,
  sequence: number,
  position: string,
  type: EventType,
  data: Record<string, unknown>,
): EventEnvelope => ({
  specversion: '1.0',
  id: `event_${position}`,
  source: '/turnpike',
  type,
  subject: `customer_${tenantId}`,
  time: '2026-11-21T12:00:00Z',
  datacontenttype: 'application/json',
  dataschema: `/schemas/${type}/1`,
  tenantid: tenantId,
  sequence,
  position,
  correlationid: null,
  data,
})

export const decisionOf = (change: Partial<Decision> = {}): Decision => ({
  feature: 'exports',
  allowed: true,
  reason: 'within_limit',
  kind: 'metered',
  value: null,
  limit: 100,
  used: 10,
  remaining: 90,
  resetsAt: '2026-12-01T00:00:00Z',
  state: 'available',
  upgradePlan: null,
  consumed: false,
  ...change,
})

function* piecesOf(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
