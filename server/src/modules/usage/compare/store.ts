import { type Micro, microOfText } from '../../../core/quantity.ts'
import { type Db, query, queryOne, sql, type Tx } from '../../../platform/db.ts'
import { noteMoves, seeAgain } from '../store.ts'

type CounterDifference = {
  tenantId: string
  meter: string
  span: string
  windowStart: string
  counted: string
  recorded: string
}

/**
 * Counters that differ from what their records, archived or not, add up to (USE-4); none, unless something is broken.
 * `hoursSince`: older hours are dropped by and by, and not looked at. Those of the usage
 * period are told by the window that took a record in, all others by its time. Sums of periods and hours, which are nearly
 * all of them, are compared in one go; what is no sum is made again one by one. A sliding window is no sum of its own.
 */
export const findCounterDifferences = async (
  on: Db | Tx,
  limit: number,
  tenantIds: readonly string[] | null = null,
  hoursSince: Temporal.Instant | null = null,
): Promise<CounterDifference[]> => {
  const of = tenantIds === null ? sql`true` : sql`tenant_id = any(${[...tenantIds]}::text[])`
  const since = hoursSince?.toString() ?? '-infinity'
  return query(
    on,
    sql`with counted as (select * from usage_counters where ${of} and span not like 'sliding:%' and (span <> 'hour' or window_start >= ${since}::timestamptz)),
             told as (select tenant_id, meter, at, window_start, quantity from usage_facts where ${of}
                      union all select tenant_id, d.meter, at, window_start, quantity from usage_facts cross join lateral unnest(also) as d (meter) where ${of} and also is not null),
             together as (select tenant_id, meter, 'period' as span, window_start, count(*) as records, sum(quantity) as used from told group by 1, 2, 4
                      union all select tenant_id, meter, 'hour', date_bin('1 hour', at, timestamptz 'epoch'), count(*), sum(quantity) from told
                        where date_bin('1 hour', at, timestamptz 'epoch') >= ${since}::timestamptz group by 1, 2, 4)
        select coalesce(c.tenant_id, t.tenant_id) as "tenantId", coalesce(c.meter, t.meter) as meter, coalesce(c.span, t.span) as span,
          coalesce(c.window_start, t.window_start) as "windowStart", coalesce(c.used, 0)::text as counted, coalesce(t.used, 0)::text as recorded
        from (select * from counted where span in ('period', 'hour')) c
        full join together t on t.tenant_id = c.tenant_id and t.meter = c.meter and t.span = c.span and t.window_start = c.window_start
        where (coalesce(c.aggregation, 'sum') = 'sum' and coalesce(c.used, 0) <> coalesce(t.used, 0)) or coalesce(c.records, 0) <> coalesce(t.records, 0)
        union all
        select c.tenant_id, c.meter, c.span, c.window_start, c.used::text, n.used::text
        from counted c cross join lateral usage_counted(c.tenant_id, c.meter, c.span, c.window_start, c.window_end, c.aggregation) n
        where not (c.aggregation = 'sum' and c.span in ('period', 'hour')) and (c.used <> n.used or c.records <> n.records)
        limit ${limit}`,
  )
}

type RebuiltCounter = { before: Micro; used: Micro; reserved: Micro; version: number; windowStartMs: number }

/** Sets a counter to what its records add up to. The caller holds the customer's row; answers what was counted before. */
export const rebuildCounter = async (
  tx: Tx,
  tenantId: string,
  meter: string,
  span: string,
  windowStart: Temporal.Instant,
): Promise<RebuiltCounter | null> => {
  const here = sql`tenant_id = ${tenantId} and meter = ${meter} and span = ${span} and window_start = ${windowStart.toString()}`
  // Locked in a statement of its own: the next one then sees every record that was counted before.
  const before = await queryOne<{ used: string; aggregation: string }>(
    tx,
    sql`select used, aggregation from usage_counters where ${here} for update`,
  )
  if (!before) return null
  const rebuilt = await queryOne<{ used: string; reserved: string; version: bigint }>(
    tx,
    sql`update usage_counters u set (used, records, level_at, version) =
            (select n.used, n.records, n.level_at, u.version + 1
             from usage_counted(u.tenant_id, u.meter, u.span, u.window_start, u.window_end, u.aggregation) n)
        where ${here} returning used, reserved, version`,
  )
  await noteMoves(tx, [{ tenantId, meter, span, windowStart: windowStart.epochMilliseconds }])
  await seeAgain(tx, tenantId, meter, span, windowStart.toString())
  return {
    before: microOfText(before.used)!,
    used: microOfText(rebuilt!.used)!,
    reserved: microOfText(rebuilt!.reserved)!,
    version: Number(rebuilt!.version),
    windowStartMs: windowStart.epochMilliseconds,
  }
}
