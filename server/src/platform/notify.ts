import { randomInt } from 'node:crypto'
import pg from 'pg'
import { query, type Sql, sql, type Tx } from './db.ts'
import type { Log } from './log.ts'

/** What processes on one database tell each other at commit. Small: the reader fetches what it needs. */
export type Notice =
  | { kind: 'outbox' }
  | { kind: 'events' }
  | { kind: 'inbox' }
  | { kind: 'catalog' }
  | { kind: 'credentials' }
  | { kind: 'snapshot'; tenantId: string; version: number }
  /** `[tenant, meter, span, window start in epoch ms, used and reserved in millionths, version]` of each counter that moved. */
  | { kind: 'counters'; moved: MovedCounter[] }

export type MovedCounter = [string, string, string, number, string, string, number]

const channel = 'turnpike'
// PostgreSQL refuses payloads of 8,000 bytes and more.
export const noticeBytesMax = 7_500

/** Sent when the transaction commits, to every process, in commit order. */
export const notify = async (tx: Tx, notice: Notice): Promise<void> => {
  await query(tx, sql`select pg_notify(${channel}, ${JSON.stringify(notice)})`)
}

/** Several at once. */
export const notifyAll = async (tx: Tx, notices: readonly Notice[]): Promise<void> => {
  await query(tx, sql`select ${notifying(notices)}`)
}

/** The same as a part of another statement, a value that counts them: a hot path saves the way to the database. */
export const notifying = (notices: readonly Notice[]): Sql =>
  sql`(select count(pg_notify(${channel}, payload)) from unnest(${notices.map((notice) => JSON.stringify(notice))}::text[]) as payload)`

/** First half of the advisory locks that say who is here. */
const presenceLocks = 7_701

/**
 * The processes that are connected, as an array of their numbers. Each holds a lock on its listening connection, and the
 * database drops it the moment that the process is gone, however it went.
 */
export const presentProcesses: Sql = sql`array(select objid::bigint from pg_locks where locktype = 'advisory' and classid = ${presenceLocks}
  and database = (select oid from pg_database where datname = current_database()))`

export type Listener = {
  /** The number under which other processes see this one, as long as it listens. */
  presence: number
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

  const presence = randomInt(1, 2 ** 31)

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
    // Shared, so that two processes with the same number would both be here rather than one waiting for the other.
    await next.query('select pg_advisory_lock_shared($1, $2)', [presenceLocks, presence])
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
    presence,
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
