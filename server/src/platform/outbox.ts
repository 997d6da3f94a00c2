import type { EventType, eventTypes } from '@turnpike/contract'
import type { Static } from 'typebox'
import { newId } from '../core/ids.ts'
import type { Clock } from './clock.ts'
import { type Db, query, queryOne, sql, type Tx, transact } from './db.ts'
import { notify } from './notify.ts'

export type EventData<T extends EventType> = Static<(typeof eventTypes)[T]['data']>
/** An event before it has its place: `data` is made once the sequence is known, because budgets carry it. */
export type NewEvent = {
  [T in EventType]: { type: T; data: EventData<T> | ((sequence: number) => EventData<T>) }
}[EventType]

const schemaVersion = 1

/**
 * Appends events of one customer (EVT-1). Must be the last thing that a transaction locks: it takes the customer's event
 * stream, and nothing may be waited for while holding it. The relay gives them their place in the feed after the commit.
 */
export const appendEvents = async (
  tx: Tx,
  clock: Clock,
  customer: { tenantId: string; customerId: string },
  correlationId: string | null,
  events: NewEvent[],
): Promise<void> => {
  if (events.length === 0) return
  const stream = await queryOne<{ sequence: bigint }>(
    tx,
    sql`insert into event_streams (tenant_id, sequence) values (${customer.tenantId}, ${events.length})
        on conflict (tenant_id) do update set sequence = event_streams.sequence + ${events.length} returning sequence`,
  )
  const first = Number(stream!.sequence) - events.length + 1
  const at = clock.now().toString()
  const rows = events.map((event, index) => ({
    event_id: newId('event'),
    sequence: first + index,
    type: event.type,
    data: typeof event.data === 'function' ? event.data(first + index) : event.data,
  }))
  await query(
    tx,
    sql`insert into outbox (event_id, tenant_id, customer_id, sequence, type, schema_version, at, correlation_id, data)
        select event_id, ${customer.tenantId}, ${customer.customerId}, sequence, type, ${schemaVersion}, ${at}, ${correlationId}, data
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (event_id text, sequence bigint, type text, data jsonb) order by sequence`,
  )
  await notify(tx, { kind: 'outbox' })
}

/** The sequence that a customer's event stream has reached; 0 before its first event. */
export const streamSequence = async (on: Db | Tx, tenantId: string): Promise<number> =>
  Number(
    (await queryOne<{ sequence: bigint }>(on, sql`select sequence from event_streams where tenant_id = ${tenantId}`))
      ?.sequence ?? 0n,
  )

const batchSize = 1_000

/**
 * Gives committed events their place in the feed, in the order they were written. One process at a time, under an
 * advisory lock: positions therefore become visible in order, and a reader after position n never misses one before it.
 * Answers how many events were placed; call again while that is not 0.
 */
export const placeEvents = (db: Db): Promise<number> =>
  transact(db, async (tx) => {
    const turn = await queryOne<{ mine: boolean }>(
      tx,
      sql`select pg_try_advisory_xact_lock(hashtext('turnpike outbox')) as mine`,
    )
    if (!turn?.mine) return 0
    const placed = await query<{ position: bigint }>(
      tx,
      sql`with next as (select tenant_id, sequence, written from outbox where position is null order by written limit ${batchSize}),
               numbered as (select tenant_id, sequence, nextval('outbox_position') as position from (select * from next order by written) ordered)
          update outbox set position = numbered.position from numbered
          where outbox.tenant_id = numbered.tenant_id and outbox.sequence = numbered.sequence returning outbox.position`,
    )
    if (placed.length > 0) await notify(tx, { kind: 'events' })
    return placed.length
  })

export type OutboxRow = {
  event_id: string
  tenant_id: string
  customer_id: string
  sequence: bigint
  position: bigint
  type: string
  schema_version: number
  at: string
  correlation_id: string | null
  data: Record<string, unknown>
}

/** Placed events after a position, oldest first; of one tenant or of all. */
export const readEvents = (db: Db, after: bigint, limit: number, tenantId: string | null): Promise<OutboxRow[]> =>
  query<OutboxRow>(
    db,
    tenantId === null
      ? sql`select * from outbox where position > ${after} order by position limit ${limit}`
      : sql`select * from outbox where position > ${after} and tenant_id = ${tenantId} order by position limit ${limit}`,
  )

/** The newest position in the feed; 0 before the first event. */
export const newestPosition = async (on: Db | Tx): Promise<bigint> =>
  (
    await queryOne<{ position: bigint | null }>(
      on,
      sql`select max(position) as position from outbox where position is not null`,
    )
  )?.position ?? 0n

/** The name of this feed; positions carry it, so that a position of another database is not mistaken for one of ours. */
export const readFeedId = async (db: Db): Promise<string> =>
  (await queryOne<{ feed_id: string }>(db, sql`select feed_id from feed`))!.feed_id

export const positionText = (feedId: string, position: bigint): string => `${feedId}-${position}`

/** The place after which to read; null for text that is no position of this feed. `0` is the beginning of any. */
export const positionOfText = (feedId: string, text: string | undefined): bigint | null => {
  if (text === undefined || text === '0') return 0n
  const [feed, position, more] = text.split('-')
  return feed === feedId && more === undefined && position !== undefined && /^\d{1,18}$/.test(position)
    ? BigInt(position)
    : null
}
