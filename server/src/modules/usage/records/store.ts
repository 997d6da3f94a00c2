import { type Micro, microOfText, textOfMicro } from '../../../core/quantity.ts'
import { type Db, query, queryOne, sql, type Tx } from '../../../platform/db.ts'
import type { CorrectionAction } from '../decide-correction.ts'
import { counterOrder, noteMoves, seeAgain } from '../store.ts'

/** A record as it was kept. Times as the database says them, to the microsecond. */
export type KeptRecord = {
  idempotencyKey: string
  meter: string
  quantity: Micro
  at: string
  recordedAt: string
  windowStart: string
  service: string | null
  correlationId: string | null
  properties: string | null
  snapshotVersion: number | null
  corrects: string | null
  correction: CorrectionAction | null
}
export type KeptCorrection = {
  corrects: string
  number: number
  idempotencyKey: string
  action: CorrectionAction
  before: Micro
  after: Micro
  reason: string
  correctedBy: string
  recordedAt: string
}

type RecordRow = {
  idempotency_key: string
  meter: string
  quantity: string
  at: string
  recorded_at: string
  window_start: string
  service: string | null
  correlation_id: string | null
  properties: string | null
  snapshot_version: bigint | null
  corrects: string | null
  correction: CorrectionAction | null
}
const columns = sql`idempotency_key, meter, quantity, at, recorded_at, window_start, service, correlation_id, properties, snapshot_version, corrects, correction`

const recordFromRow = (row: RecordRow): KeptRecord => ({
  idempotencyKey: row.idempotency_key,
  meter: row.meter,
  quantity: microOfText(row.quantity)!,
  at: row.at,
  recordedAt: row.recorded_at,
  windowStart: row.window_start,
  service: row.service,
  correlationId: row.correlation_id,
  properties: row.properties,
  snapshotVersion: row.snapshot_version === null ? null : Number(row.snapshot_version),
  corrects: row.corrects,
  correction: row.correction,
})

/** By the time of use, after a place; also those of the meter that this one is derived from. */
export const listRecords = async (
  db: Db,
  tenantId: string,
  meter: string,
  period: { from: string | null; to: string | null },
  after: { at: string; key: string } | null,
  limit: number,
): Promise<KeptRecord[]> => {
  const from = after?.at ?? period.from ?? '-infinity'
  const page = (which: ReturnType<typeof sql>) =>
    sql`(select ${columns} from usage_records where tenant_id = ${tenantId} and ${which} and at >= ${from} and at < ${period.to ?? 'infinity'}
           and (${after === null} or (at, idempotency_key) > (${after?.at ?? from}::timestamptz, ${after?.key ?? ''})) order by at, idempotency_key limit ${limit})`
  const rows = await query<RecordRow>(
    db,
    sql`select * from (${page(sql`meter = ${meter}`)} union all ${page(sql`also is not null and ${meter} = any (also)`)}) r order by at, idempotency_key limit ${limit}`,
  )
  return rows.map(recordFromRow)
}

/** A record and what corrects it, by the key of any of them: the original first. */
export const findLineage = async (on: Db | Tx, tenantId: string, key: string): Promise<KeptRecord[]> => {
  const rows = await query<RecordRow>(
    on,
    sql`with original as (select coalesce(corrects, idempotency_key) as key from usage_records where tenant_id = ${tenantId} and idempotency_key = ${key})
        select ${columns} from usage_records where tenant_id = ${tenantId}
          and (idempotency_key = (select o.key from original o) or corrects = (select o.key from original o))
        order by corrects is not null, recorded_at`,
  )
  return rows.map(recordFromRow)
}

/** The corrections of some records, in their order. */
export const findCorrections = async (
  on: Db | Tx,
  tenantId: string,
  originals: readonly string[],
): Promise<KeptCorrection[]> => {
  if (originals.length === 0) return []
  type Row = Omit<KeptCorrection, 'before' | 'after'> & { before: string; after: string }
  const rows = await query<Row>(
    on,
    sql`select corrects, number, idempotency_key as "idempotencyKey", action, quantity_before as before, quantity_after as after, reason, corrected_by as "correctedBy", recorded_at as "recordedAt"
        from usage_corrections where tenant_id = ${tenantId} and corrects = any (${[...originals]}::text[]) order by corrects, number`,
  )
  return rows.map((row) => ({ ...row, before: microOfText(row.before)!, after: microOfText(row.after)! }))
}

export type CorrectedCounter = {
  meter: string
  span: string
  windowStartMs: number
  windowEndMs: number
  used: Micro
  reserved: Micro
  version: number
}

/** Whether a key is taken by a record or by a refusal: a correction must not share it. */
export const isKeyTaken = async (tx: Tx, tenantId: string, key: string): Promise<boolean> =>
  (await queryOne(
    tx,
    sql`select from usage_records where tenant_id = ${tenantId} and idempotency_key = ${key}
        union all select from usage_refusals where tenant_id = ${tenantId} and idempotency_key = ${key}`,
  )) !== null

/** Locks every counter that a record moved, in the order of their keys. */
export const lockCountersOf = async (tx: Tx, tenantId: string, key: string): Promise<void> => {
  await query(
    tx,
    sql`select from usage_counters u, (select meter, also, at, window_start from usage_records where tenant_id = ${tenantId} and idempotency_key = ${key}) r
        where u.tenant_id = ${tenantId} and (u.meter = r.meter or u.meter = any (r.also)) and ${isCounterOf}
        order by ${counterOrder} for update of u`,
  )
}

/** Of the usage period by the window that took the record in, all others by its time. */
const isCounterOf = sql`case u.span when 'period' then u.window_start = r.window_start
  when 'hour' then u.window_start = date_bin('1 hour', r.at, timestamptz 'epoch')
  else r.at >= u.window_start and r.at < u.window_end and u.span not like 'sliding:%' end`

/**
 * Keeps a correction of a record whose counters are locked, and moves them by it: sums by the difference, what is no sum is
 * made again from the records.
 */
export const insertCorrection = async (
  tx: Tx,
  tenantId: string,
  correction: Omit<KeptCorrection, 'recordedAt'> & {
    delta: Micro
    recordedAt: Temporal.Instant
    correlationId: string
  },
): Promise<CorrectedCounter[]> => {
  const { corrects, idempotencyKey, action } = correction
  const delta = textOfMicro(correction.delta)
  // Corrections of one record have an order, also when they come within the same moment.
  const recordedAt = sql`greatest(${correction.recordedAt.toString()}::timestamptz,
    (select max(c.recorded_at) + interval '1 microsecond' from usage_corrections c where c.tenant_id = ${tenantId} and c.corrects = ${corrects}))`
  await query(
    tx,
    sql`insert into usage_records (tenant_id, idempotency_key, meter, quantity, at, window_start, used_after, recorded_at, service, correlation_id, properties, ordinal, snapshot_version, corrects, correction, also)
        select tenant_id, ${idempotencyKey}, meter, ${delta}::numeric, at, window_start, ${textOfMicro(correction.after)}::numeric, ${recordedAt}, service, ${correction.correlationId}, properties, null, snapshot_version, idempotency_key, ${action}, also
        from usage_records where tenant_id = ${tenantId} and idempotency_key = ${corrects}`,
  )
  await query(
    tx,
    sql`insert into usage_corrections (tenant_id, corrects, number, idempotency_key, action, quantity_before, quantity_after, reason, corrected_by, recorded_at)
        values (${tenantId}, ${corrects}, ${correction.number}, ${idempotencyKey}, ${action}, ${textOfMicro(correction.before)}::numeric, ${textOfMicro(correction.after)}::numeric,
          ${correction.reason}, ${correction.correctedBy}, (select recorded_at from usage_records where tenant_id = ${tenantId} and idempotency_key = ${idempotencyKey}))`,
  )
  type Row = {
    meter: string
    span: string
    start_ms: string
    end_ms: string
    used: string
    reserved: string
    version: bigint
  }
  const rows = await query<Row>(
    tx,
    sql`update usage_counters u set
          (used, records, level_at) = (
            select case when u.aggregation = 'sum' then u.used + ${delta}::numeric else n.used end, case when u.aggregation = 'sum' then u.records + 1 else n.records end,
              case when u.aggregation = 'sum' then u.level_at else n.level_at end
            from (select 1) one left join lateral (
              select * from usage_counted(u.tenant_id, u.meter, u.span, u.window_start, u.window_end, u.aggregation) where u.aggregation <> 'sum') n on true),
          version = u.version + 1
        from (select meter, also, at, window_start from usage_records where tenant_id = ${tenantId} and idempotency_key = ${corrects}) r
        where u.tenant_id = ${tenantId} and (u.meter = r.meter or u.meter = any (r.also)) and ${isCounterOf}
        returning u.meter, u.span, extract(epoch from u.window_start) * 1000 as start_ms, extract(epoch from u.window_end) * 1000 as end_ms, u.used, u.reserved, u.version`,
  )
  await query(
    tx,
    sql`update usage_counters set peak = used where tenant_id = ${tenantId} and meter = any (${rows.map((row) => row.meter)}::text[]) and peak < used`,
  )
  await noteMoves(
    tx,
    rows.map(({ meter, span, start_ms }) => ({ tenantId, meter, span, windowStart: Number(start_ms) })),
  )
  // Values that nobody but the record had are there no more.
  for (const row of rows)
    await seeAgain(
      tx,
      tenantId,
      row.meter,
      row.span,
      Temporal.Instant.fromEpochMilliseconds(Number(row.start_ms)).toString(),
    )
  return rows.map((row) => ({
    meter: row.meter,
    span: row.span,
    windowStartMs: Number(row.start_ms),
    windowEndMs: Number(row.end_ms),
    used: microOfText(row.used)!,
    reserved: microOfText(row.reserved)!,
    version: Number(row.version),
  }))
}
