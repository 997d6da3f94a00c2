import type { EventEnvelope } from '@turnpike/contract'
import { fail } from '../../core/errors.ts'
import { instantOfRow } from '../../core/period.ts'
import { readGatewaySnapshot } from '../../flows/read-gateway-snapshot.ts'
import { type OutboxRow, positionOfText, positionText, readEvents } from '../../platform/outbox.ts'
import { decodeCursor, encodeCursor, type Handlers } from '../handler.ts'
import { isPlace } from './customers.ts'

const envelope = (feedId: string, row: OutboxRow): EventEnvelope => ({
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
  position: positionText(feedId, row.position),
  correlationid: row.correlation_id,
  data: row.data,
})

const placeIn = (feedId: string, text: string | undefined): bigint => {
  const position = positionOfText(feedId, text)
  if (position === null)
    throw fail('invalid_request', {
      errors: [{ field: 'after', message: 'is not a position of this feed: begin anew' }],
    })
  return position
}

const heartbeatMs = 15_000
const pageSize = 200

export const eventHandlers: Handlers<'listEvents' | 'streamEvents' | 'getGatewaySnapshot'> = {
  listEvents: async ({ deps, tenantId, query }) => {
    const after = placeIn(deps.feedId, query.after)
    const rows = await readEvents(deps.db, after, query.limit ?? 200, tenantId)
    return {
      data: rows.map((row) => envelope(deps.feedId, row)),
      cursor: positionText(deps.feedId, rows.at(-1)?.position ?? after),
    }
  },

  /** Server-sent events: what is there, then what comes. The reader goes on after the last id that it has seen (EVT-2). */
  streamEvents: async ({ deps, tenantId, query, request, reply }) => {
    const lastId = request.headers['last-event-id']
    let after = placeIn(deps.feedId, typeof lastId === 'string' ? lastId : query.after)
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
      ...(reply.getHeaders() as Record<string, string>),
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
          reply.raw.write(
            `id: ${positionText(deps.feedId, row.position)}\nevent: ${row.type}\ndata: ${JSON.stringify(envelope(deps.feedId, row))}\n\n`,
          )
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
