import type { Budget, EventType, eventTypes } from '@turnpike/contract'
import type { Static } from 'typebox'
import { assert } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import type { Clock } from './clock.ts'
import { type Db, query, queryOne, queryPrepared, sql, type Tx, transact } from './db.ts'
import { notify } from './notify.ts'

export type EventData<T extends EventType> = Static<(typeof eventTypes)[T]['data']>
/** An event before it has its place: what carries a budget is made once the place is taken. */
export type NewEvent = {
  [T in EventType]: { type: T; data: EventData<T> | ((budget: Budget) => EventData<T>) }
}[EventType]

const schemaVersion = 1

/**
 * Appends events of one customer (EVT-1). Must be the last thing that a transaction locks: it takes the customer's event
 * stream, and nothing may be waited for while holding it. The relay gives them their place in the feed after the commit.
 * `budgetNow` is read after the place was taken: usage that was told of before is in it, usage that is not in it will be
 * told of later, so a reader's spend never goes back.
 */
export const appendEvents = async (
  tx: Tx,
  clock: Clock,
  customer: { tenantId: string; customerId: string },
  correlationId: string | null,
  events: NewEvent[],
  budgetNow: () => Promise<Omit<Budget, 'sequence'>> | null = () => null,
): Promise<void> => {
  if (events.length === 0) return
  const { tenantId, customerId } = customer
  const last = (await takePlaces(tx, new Map([[tenantId, events.length]]))).get(tenantId)!
  const first = last - events.length + 1
  const budget = await budgetNow()
  const dataOf = (data: NewEvent['data'], sequence: number): Record<string, unknown> => {
    if (typeof data !== 'function') return data
    assert(budget !== null, 'an event that carries a budget needs one to be read')
    return data({ ...budget, sequence })
  }
  await writeEvents(
    tx,
    clock,
    correlationId,
    events.map(({ type, data }, index) => ({
      tenantId,
      customerId,
      sequence: first + index,
      type,
      data: dataOf(data, first + index),
    })),
  )
}

/** Events of many customers at once; none of them carries a budget. The last that a transaction locks, as above. */
export const appendEventsOf = async (
  tx: Tx,
  clock: Clock,
  correlationId: string | null,
  all: readonly { customer: { tenantId: string; customerId: string }; events: readonly NewEvent[] }[],
): Promise<void> => {
  const told = all.filter(({ events }) => events.length > 0)
  if (told.length === 0) return
  const last = await takePlaces(tx, new Map(told.map(({ customer, events }) => [customer.tenantId, events.length])))
  await writeEvents(
    tx,
    clock,
    correlationId,
    told.flatMap(({ customer: { tenantId, customerId }, events }) =>
      events.map(({ type, data }, index) => {
        assert(typeof data !== 'function', 'an event of many customers carries no budget')
        return { tenantId, customerId, sequence: last.get(tenantId)! - events.length + 1 + index, type, data }
      }),
    ),
  )
}

/** Takes places in the streams of customers, in the order of tenants; gives the last of each. */
export const takePlaces = async (tx: Tx, counts: ReadonlyMap<string, number>): Promise<Map<string, number>> => {
  const rows = await queryPrepared<{ tenant_id: string; sequence: bigint }>(
    tx,
    'take_places',
    sql`insert into event_streams (tenant_id, sequence)
        select t, n from unnest(${[...counts.keys()]}::text[], ${[...counts.values()]}::bigint[]) as c (t, n) order by t
        on conflict (tenant_id) do update set sequence = event_streams.sequence + excluded.sequence returning tenant_id, sequence`,
  )
  return new Map(rows.map((row) => [row.tenant_id, Number(row.sequence)]))
}

/** Writes events at places that were taken in this transaction. */
export const writeEvents = async (
  tx: Tx,
  clock: Clock,
  correlationId: string | null,
  events: readonly {
    tenantId: string
    customerId: string
    sequence: number
    type: EventType
    data: Record<string, unknown>
  }[],
): Promise<void> => {
  const rows = events.map((event) => ({
    event_id: newId('event'),
    tenant_id: event.tenantId,
    customer_id: event.customerId,
    sequence: event.sequence,
    type: event.type,
    data: event.data,
  }))
  await queryPrepared(
    tx,
    'write_events',
    sql`insert into outbox (event_id, tenant_id, customer_id, sequence, type, schema_version, at, correlation_id, data)
        select event_id, tenant_id, customer_id, sequence, type, ${schemaVersion}::int, ${clock.now().toString()}::timestamptz, ${correlationId}, data
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (event_id text, tenant_id text, customer_id text, sequence bigint, type text, data jsonb)
        order by tenant_id, sequence`,
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
      // In the order of its index, which alone marks entries of placed events as dead and passes them by: there are as many as
      // events since the last vacuum.
      sql`select set_config('enable_bitmapscan', 'off', true), set_config('enable_seqscan', 'off', true), pg_try_advisory_xact_lock(hashtext('turnpike outbox')) as mine`,
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
export const readEvents = (db: Db | Tx, after: bigint, limit: number, tenantId: string | null): Promise<OutboxRow[]> =>
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
