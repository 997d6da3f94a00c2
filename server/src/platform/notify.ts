import pg from 'pg'
import { query, sql, type Tx } from './db.ts'
import type { Log } from './log.ts'

/** What processes on one database tell each other at commit. Small: the reader fetches what it needs. */
export type Notice =
  | { kind: 'outbox' }
  | { kind: 'events' }
  | { kind: 'inbox' }
  | { kind: 'catalog' }
  | { kind: 'credentials' }
  | { kind: 'snapshot'; tenantId: string; version: number }
  /** `[tenant, meter, window start in epoch ms, used in millionths, version]` of each counter that moved. */
  | { kind: 'counters'; moved: [string, string, number, string, number][] }

const channel = 'turnpike'
// PostgreSQL refuses payloads of 8,000 bytes and more.
export const noticeBytesMax = 7_500

/** Sent when the transaction commits, to every process, in commit order. */
export const notify = async (tx: Tx, notice: Notice): Promise<void> => {
  await query(tx, sql`select pg_notify(${channel}, ${JSON.stringify(notice)})`)
}

export type Listener = {
  on(kind: Notice['kind'], handler: (notice: Notice) => void): () => void
  connected(): boolean
  close(): Promise<void>
}

/**
 * Listens on one connection of its own. When the connection was lost, notices may have been missed: `onRestored` is
 * called after listening again, and everything kept in memory must be forgotten then.
 */
export const listen = async (databaseUrl: string, log: Log, onRestored: () => void): Promise<Listener> => {
  const handlers = new Map<string, ((notice: Notice) => void)[]>()
  let client: pg.Client | null = null
  let closed = false
  let retry: NodeJS.Timeout | undefined

  const connect = async (): Promise<void> => {
    const next = new pg.Client({
      connectionString: databaseUrl,
      application_name: 'turnpike listen',
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    })
    const lost = (error?: Error) => {
      if (client !== next && client !== null) return
      client = null
      if (closed) return
      log.warn({ err: error }, 'listening connection lost')
      scheduleRetry()
    }
    next.on('error', lost)
    next.on('end', () => lost())
    next.on('notification', (message) => {
      const notice = JSON.parse(message.payload ?? '{}') as Notice
      for (const handler of handlers.get(notice.kind) ?? []) handler(notice)
    })
    await next.connect()
    await next.query(`listen ${channel}`)
    client = next
  }

  const scheduleRetry = () => {
    if (closed || retry) return
    retry = setTimeout(() => {
      retry = undefined
      connect().then(onRestored, () => scheduleRetry())
    }, 250)
  }

  await connect()
  return {
    on: (kind, handler) => {
      handlers.set(kind, [...(handlers.get(kind) ?? []), handler])
      return () => {
        handlers.set(
          kind,
          (handlers.get(kind) ?? []).filter((other) => other !== handler),
        )
      }
    },
    connected: () => client !== null,
    close: async () => {
      closed = true
      clearTimeout(retry)
      await client?.end()
    },
  }
}
