import { type Micro, microOfText } from '../../../core/quantity.ts'
import { type Db, query, queryOne, sql, type Tx } from '../../../platform/db.ts'

export type Hour = { startMs: number; used: Micro }

/** What a meter counted in each hour that has usage, from the hour counters. */
export const readHours = async (
  on: Db | Tx,
  tenantId: string,
  meter: string,
  fromMs: number,
  toMs: number,
): Promise<Hour[]> =>
  (
    await query<{ start_ms: string; used: string }>(
      on,
      sql`select extract(epoch from window_start) * 1000 as start_ms, used from usage_counters
          where tenant_id = ${tenantId} and meter = ${meter} and span = 'hour'
            and window_start >= to_timestamp(${fromMs}::float8 / 1000.0) and window_start < to_timestamp(${toMs}::float8 / 1000.0) order by window_start`,
    )
  ).map((row) => ({ startMs: Number(row.start_ms), used: microOfText(row.used)! }))

/** The last hour with usage before a time: what a level was until it was reported again. */
export const lastHourBefore = async (
  on: Db | Tx,
  tenantId: string,
  meter: string,
  beforeMs: number,
): Promise<Hour | null> => {
  const row = await queryOne<{ start_ms: string; used: string }>(
    on,
    sql`select extract(epoch from window_start) * 1000 as start_ms, used from usage_counters
        where tenant_id = ${tenantId} and meter = ${meter} and span = 'hour' and window_start < to_timestamp(${beforeMs}::float8 / 1000.0)
        order by window_start desc limit 1`,
  )
  return row && { startMs: Number(row.start_ms), used: microOfText(row.used)! }
}

/** The first hour in which a meter counted anything, as far back as hours are kept. */
export const firstHour = async (on: Db | Tx, tenantId: string, meter: string): Promise<number | null> => {
  const row = await queryOne<{ start_ms: string | null }>(
    on,
    sql`select extract(epoch from min(window_start)) * 1000 as start_ms from usage_counters where tenant_id = ${tenantId} and meter = ${meter} and span = 'hour'`,
  )
  return row?.start_ms ? Number(row.start_ms) : null
}

/** What each meter counted in some hours, and when it first counted anything: for the pace of a projection. */
export const readPaces = async (
  on: Db | Tx,
  tenantId: string,
  meters: readonly string[],
  fromMs: number,
  toMs: number,
): Promise<Map<string, { used: Micro; firstMs: number | null }>> => {
  const rows = await query<{ meter: string; used: string; first_ms: string | null }>(
    on,
    sql`select m as meter,
          (select coalesce(sum(used), 0) from usage_counters where tenant_id = ${tenantId} and meter = m and span = 'hour'
             and window_start >= to_timestamp(${fromMs}::float8 / 1000.0) and window_start < to_timestamp(${toMs}::float8 / 1000.0)) as used,
          (select extract(epoch from min(window_start)) * 1000 from usage_counters where tenant_id = ${tenantId} and meter = m and span = 'hour') as first_ms
        from unnest(${[...meters]}::text[]) as m`,
  )
  return new Map(
    rows.map((row) => [
      row.meter,
      { used: microOfText(row.used)!, firstMs: row.first_ms === null ? null : Number(row.first_ms) },
    ]),
  )
}

/** What was used in each hour for each value of a property, from the records themselves: without a value it is null. */
export const readGroupedHours = async (
  on: Db | Tx,
  tenantId: string,
  meter: string,
  property: string,
  fromMs: number,
  toMs: number,
): Promise<(Hour & { value: string | null })[]> =>
  (
    await query<{ start_ms: string; value: string | null; used: string }>(
      on,
      sql`select extract(epoch from date_bin('1 hour', at, timestamptz 'epoch')) * 1000 as start_ms, properties::jsonb ->> ${property} as value, sum(quantity) as used
          from usage_records where tenant_id = ${tenantId} and (meter = ${meter} or (also is not null and ${meter} = any (also)))
            and at >= to_timestamp(${fromMs}::float8 / 1000.0) and at < to_timestamp(${toMs}::float8 / 1000.0)
          group by 1, 2 order by 1, 2`,
    )
  ).map((row) => ({ startMs: Number(row.start_ms), value: row.value, used: microOfText(row.used)! }))
/** Drops the hours of long ago of some tenants: what they were is in the records, and nobody draws them any more. */
export const dropOldHours = async (
  db: Db,
  tenantIds: readonly string[],
  meters: readonly string[],
  before: Temporal.Instant,
): Promise<number> =>
  (await queryOne<{ n: number }>(
    db,
    sql`with gone as (
          delete from usage_counters u using unnest(${[...tenantIds]}::text[]) as t, unnest(${[...meters]}::text[]) as m
          where u.tenant_id = t and u.meter = m and u.span = 'hour' and u.window_start < ${before.toString()} returning 1)
        select count(*)::int as n from gone`,
  ))!.n
