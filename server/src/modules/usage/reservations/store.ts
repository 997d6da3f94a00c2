import type { ReservationAnswer } from '@turnpike/contract'
import { instantOfRow, instantOfRowOrNull } from '../../../core/period.ts'
import { type Micro, microOfText, textOfMicro } from '../../../core/quantity.ts'
import { type Db, query, queryOne, sql, type Tx } from '../../../platform/db.ts'
import { type CounterRef, type CounterRow, lockCounters, nameOf, noteMoves } from '../store.ts'

export type ReservationState = 'held' | 'committed' | 'released' | 'expired' | 'refused'
/**
 * `span` and `windowStart` name the counter that limits, `periodStart` the usage period whose counter holds the room too: that is
 * where a spend cap looks. Null for what was reserved before it did.
 */
type ReservedItem = {
  feature: string
  meter: string
  span: string
  windowStart: Temporal.Instant
  periodStart: Temporal.Instant | null
  quantity: Micro
  committed: Micro | null
}
/** What an item was decided with, and what about it alone was said; `because` names the feature that took it down with itself. */
export type ItemDecision = {
  used: Micro
  reserved: Micro
  windowStart: Temporal.Instant
  reason: string
  because: string | null
}
export type ReservationRecord = {
  tenantId: string
  reservationId: string
  idempotencyKey: string
  requestHash: Buffer
  state: ReservationState
  reservedAt: Temporal.Instant
  expiresAt: Temporal.Instant
  settledAt: Temporal.Instant | null
  snapshotVersion: number
  service: string | null
  correlationId: string
  /** What was said first. */
  answer: Omit<ReservationAnswer, 'reservation'>
  items: ReservedItem[]
}

type Row = {
  tenant_id: string
  reservation_id: string
  idempotency_key: string
  request_hash: Buffer
  state: ReservationState
  reserved_at: string
  expires_at: string
  settled_at: string | null
  snapshot_version: bigint
  service: string | null
  correlation_id: string | null
  answer: ReservationRecord['answer']
}
type ItemRow = {
  reservation_id: string
  feature: string
  meter: string
  span: string
  window_start: string
  period_start: string | null
  quantity: string
  committed: string | null
}

const withItems = async (on: Db | Tx, row: Row): Promise<ReservationRecord> =>
  (await withItemsOf(on, row.tenant_id, [row]))[0]!

const withItemsOf = async (on: Db | Tx, tenantId: string, rows: readonly Row[]): Promise<ReservationRecord[]> => {
  const items = await query<ItemRow>(
    on,
    sql`select reservation_id, feature, meter, span, window_start, period_start, quantity, committed from reservation_items
        where tenant_id = ${tenantId} and reservation_id = any(${rows.map((row) => row.reservation_id)}::text[]) order by feature`,
  )
  const of = Map.groupBy(items, (item) => item.reservation_id)
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    reservationId: row.reservation_id,
    idempotencyKey: row.idempotency_key,
    requestHash: row.request_hash,
    state: row.state,
    reservedAt: instantOfRow(row.reserved_at),
    expiresAt: instantOfRow(row.expires_at),
    settledAt: instantOfRowOrNull(row.settled_at),
    snapshotVersion: Number(row.snapshot_version),
    service: row.service,
    correlationId: row.correlation_id ?? '',
    answer: row.answer,
    items: (of.get(row.reservation_id) ?? []).map((item) => ({
      feature: item.feature,
      meter: item.meter,
      span: item.span,
      windowStart: instantOfRow(item.window_start),
      periodStart: instantOfRowOrNull(item.period_start),
      quantity: microOfText(item.quantity)!,
      committed: item.committed === null ? null : microOfText(item.committed)!,
    })),
  }))
}

/** A page of what was reserved for a tenant, newest first; what was refused is no reservation. */
export const listReservations = async (
  on: Db | Tx,
  tenantId: string,
  state: ReservationState | null,
  after: { at: string; id: string } | null,
  limit: number,
): Promise<ReservationRecord[]> =>
  withItemsOf(
    on,
    tenantId,
    await query<Row>(
      on,
      sql`select * from reservations where tenant_id = ${tenantId} and state <> 'refused' and (${state}::text is null or state = ${state})
            and (${after === null} or (reserved_at, reservation_id) < (${after?.at ?? null}::timestamptz, ${after?.id ?? null}))
          order by reserved_at desc, reservation_id desc limit ${limit}`,
    ),
  )

export const findReservation = async (on: Db | Tx, reservationId: string): Promise<ReservationRecord | null> => {
  const row = await queryOne<Row>(on, sql`select * from reservations where reservation_id = ${reservationId}`)
  return row && withItems(on, row)
}

export const findReservationByKey = async (
  tx: Tx,
  tenantId: string,
  key: string,
): Promise<ReservationRecord | null> => {
  const row = await queryOne<Row>(
    tx,
    sql`select * from reservations where tenant_id = ${tenantId} and idempotency_key = ${key}`,
  )
  return row && withItems(tx, row)
}

/** A key that is there already fails with the violation of its constraint. `decided`: of each item, in their order. */
export const insertReservation = async (
  tx: Tx,
  reservation: ReservationRecord,
  decided: readonly ItemDecision[],
): Promise<void> => {
  const { tenantId, reservationId, items } = reservation
  await query(
    tx,
    sql`insert into reservations (tenant_id, reservation_id, idempotency_key, request_hash, state, reserved_at, expires_at, snapshot_version, service, correlation_id, answer)
        values (${tenantId}, ${reservationId}, ${reservation.idempotencyKey}, ${reservation.requestHash}, ${reservation.state}, ${reservation.reservedAt.toString()}, ${reservation.expiresAt.toString()},
          ${reservation.snapshotVersion}, ${reservation.service}, ${reservation.correlationId}, ${JSON.stringify(reservation.answer)})`,
  )
  await query(
    tx,
    sql`insert into reservation_items (tenant_id, reservation_id, feature, meter, span, window_start, period_start, quantity, used, reserved, decided_in, reason, because)
        select ${tenantId}, ${reservationId}, f, m, p, s, ps, q, u, h, d, r, b
        from unnest(${items.map((item) => item.feature)}::text[], ${items.map((item) => item.meter)}::text[], ${items.map((item) => item.span)}::text[],
          ${items.map((item) => item.windowStart.toString())}::timestamptz[], ${items.map((item) => item.periodStart?.toString() ?? null)}::timestamptz[], ${items.map((item) => textOfMicro(item.quantity))}::numeric[],
          ${decided.map((each) => textOfMicro(each.used))}::numeric[], ${decided.map((each) => textOfMicro(each.reserved))}::numeric[], ${decided.map((each) => each.windowStart.toString())}::timestamptz[],
          ${decided.map((each) => each.reason)}::text[], ${decided.map((each) => each.because)}::text[]) as i (f, m, p, s, ps, q, u, h, d, r, b)`,
  )
}

/** Locks a reservation. Its counters are locked before: whoever holds them decides. */
export const lockReservation = async (tx: Tx, reservationId: string): Promise<ReservationRecord> => {
  const row = await queryOne<Row>(
    tx,
    sql`select * from reservations where reservation_id = ${reservationId} for update`,
  )
  return withItems(tx, row!)
}

export const settleReservation = async (
  tx: Tx,
  { tenantId, reservationId, items }: ReservationRecord,
  state: ReservationState,
  at: Temporal.Instant,
): Promise<void> => {
  await query(
    tx,
    sql`update reservations set state = ${state}, settled_at = ${at.toString()} where tenant_id = ${tenantId} and reservation_id = ${reservationId}`,
  )
  if (state !== 'committed') return
  await query(
    tx,
    sql`update reservation_items i set committed = c.q
        from unnest(${items.map((item) => item.feature)}::text[], ${items.map((item) => textOfMicro(item.committed ?? 0n))}::numeric[]) as c (f, q)
        where i.tenant_id = ${tenantId} and i.reservation_id = ${reservationId} and i.feature = c.f`,
  )
}

/** Held reservations whose time is over, the longest ago first. */
export const reservationsToExpire = async (db: Db, at: Temporal.Instant, limit: number): Promise<string[]> =>
  (
    await query<{ reservation_id: string }>(
      db,
      sql`select reservation_id from reservations where state = 'held' and expires_at <= ${at.toString()} order by expires_at limit ${limit}`,
    )
  ).map((row) => row.reservation_id)

/** Holds more room (or, with negative quantities, less) in counters that are locked; answers them as they are then. */
export const addReserved = async (
  tx: Tx,
  changes: readonly { counter: CounterRow; quantity: Micro }[],
): Promise<CounterRow[]> => {
  const counters = changes.map(({ counter }) => counter)
  await query(
    tx,
    sql`update usage_counters u set reserved = u.reserved + c.q, version = u.version + 1
        from unnest(${counters.map((c) => c.tenantId)}::text[], ${counters.map((c) => c.meter)}::text[], ${counters.map((c) => c.span)}::text[], ${counters.map((c) => c.windowStart)}::float8[],
          ${changes.map(({ quantity }) => textOfMicro(quantity))}::numeric[]) as c (t, m, p, s, q)
        where u.tenant_id = c.t and u.meter = c.m and u.span = c.p and u.window_start = to_timestamp(c.s / 1000.0)`,
  )
  await noteMoves(tx, counters)
  return changes.map(({ counter, quantity }) => ({
    ...counter,
    reserved: counter.reserved + quantity,
    version: counter.version + 1,
  }))
}

/** How much room items hold in which counters, each counter once. They are there: nothing is made of these names. */
export const roomOf = (
  tenantId: string,
  items: readonly Pick<ReservedItem, 'meter' | 'span' | 'windowStart' | 'periodStart' | 'quantity'>[],
): { ref: CounterRef; quantity: Micro }[] => {
  const room = new Map<string, { ref: CounterRef; quantity: Micro }>()
  for (const { meter, span, windowStart, periodStart, quantity } of items) {
    const places = [{ span, start: windowStart }]
    if (span !== 'period' && periodStart !== null) places.push({ span: 'period', start: periodStart })
    for (const place of places) {
      const windowStart = place.start.epochMilliseconds
      const ref = { tenantId, meter, span: place.span, windowStart, windowEnd: windowStart, aggregation: 'sum' }
      const before = room.get(nameOf(ref))?.quantity ?? 0n
      room.set(nameOf(ref), { ref, quantity: before + quantity })
    }
  }
  return [...room.values()]
}

/** The counters in which a reservation holds room, after others, locked in the order of their keys. */
export const lockReserved = (tx: Tx, { tenantId, items }: ReservationRecord, others: readonly CounterRef[]) => {
  const named = new Set(others.map(nameOf))
  const held = roomOf(tenantId, items).map(({ ref }) => ref)
  return lockCounters(tx, [...others, ...held.filter((ref) => !named.has(nameOf(ref)))])
}
