import type { EventEnvelope } from '@turnpike/contract'
import { fail } from '../../core/errors.ts'
import { instantOfRow } from '../../core/period.ts'
import { readGatewaySnapshot } from '../../flows/read-gateway-snapshot.ts'
import { type OutboxRow, readEvents } from '../../platform/outbox.ts'
import { decodeCursor, encodeCursor, type Handlers } from '../handler.ts'
import { isPlace } from './customers.ts'

const envelope = (row: OutboxRow): EventEnvelope => ({
  specversion: '1.0',
  id: row.event_id,
  source: '/turnpike',
  type: row.type,
  subject: row.customer_id,
  time: instantOfRow(row.at).toString(),
  datacontenttype: 'application/json',
  dataschema: `/reference/events/${row.type}/${row.schema_version}`,
  tenantid: row.tenant_id,
  sequence: Number(row.sequence),
  position: String(row.position),
  correlationid: row.correlation_id,
  data: row.data,
})

const positionOf = (text: string | undefined): bigint => {
  if (text === undefined) return 0n
  if (!/^\d{1,18}$/.test(text))
    throw fail('invalid_request', { errors: [{ field: 'after', message: 'is not a position of the feed' }] })
  return BigInt(text)
}

const heartbeatMs = 15_000
const pageSize = 200

export const eventHandlers: Handlers<'listEvents' | 'streamEvents' | 'getGatewaySnapshot'> = {
  listEvents: async ({ deps, tenantId, query }) => {
    const after = positionOf(query.after)
    const rows = await readEvents(deps.db, after, query.limit ?? 200, tenantId)
    return { data: rows.map(envelope), cursor: String(rows.at(-1)?.position ?? after) }
  },

  /** Server-sent events: what is there, then what comes. The reader goes on after the last id that it has seen (EVT-2). */
  streamEvents: async ({ deps, tenantId, query, request, reply }) => {
    const lastId = request.headers['last-event-id']
    let after = positionOf(typeof lastId === 'string' ? lastId : query.after)
    let wake = () => {}
    let open = true
    const close = () => {
      open = false
      wake()
    }
    const unsubscribe = deps.listener.on('events', () => wake())
    request.raw.on('close', close)
    deps.stopping.addEventListener('abort', close)
    reply.hijack()
    reply.raw.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      connection: 'keep-alive',
      'x-accel-buffering': 'no',
    })
    reply.raw.write(': connected\n\n')
    try {
      while (open) {
        // Armed before reading: news that comes meanwhile is not slept through.
        const news = new Promise<void>((resolve) => {
          wake = resolve
        })
        const rows = await readEvents(deps.db, after, pageSize, tenantId)
        for (const row of rows)
          reply.raw.write(`id: ${row.position}\nevent: ${row.type}\ndata: ${JSON.stringify(envelope(row))}\n\n`)
        after = rows.at(-1)?.position ?? after
        if (reply.raw.writableNeedDrain)
          await new Promise<void>((resolve) => {
            reply.raw.once('drain', resolve)
            request.raw.once('close', resolve)
          })
        if (rows.length === pageSize) continue
        const timer = setTimeout(() => {
          if (open) reply.raw.write(': still here\n\n')
          wake()
        }, heartbeatMs)
        await news
        clearTimeout(timer)
      }
    } catch (error) {
      // The reader connects again and goes on where it was.
      deps.log.warn({ err: error }, 'event stream ended')
    } finally {
      unsubscribe()
      deps.stopping.removeEventListener('abort', close)
      reply.raw.end()
    }
    return undefined
  },

  getGatewaySnapshot: async ({ deps, query }) => {
    const { next, ...snapshot } = await readGatewaySnapshot(
      deps,
      decodeCursor(query.cursor, isPlace),
      query.limit ?? 200,
    )
    return { ...snapshot, cursor: next && encodeCursor(next) }
  },
}
