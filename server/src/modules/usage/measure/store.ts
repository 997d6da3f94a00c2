import { instantOfRow, type Period } from '../../../core/period.ts'
import { type Micro, microOfText } from '../../../core/quantity.ts'
import { type Db, query, queryPrepared, sql, type Tx } from '../../../platform/db.ts'

/** A meter of a tenant over a stretch of time, and how its records make a number there: as counters name it. */
export type Stretch = { tenantId: string; meter: string; period: Period; aggregation: string }
export type MeasuredUsage = { used: Micro; records: number }

const micro = (text: string): Micro => microOfText(text)!

/** What the counters of usage periods say, in the order asked for; nothing for one that was never raised. */
export const readPeriodCounters = async (on: Db | Tx, asked: readonly Stretch[]): Promise<MeasuredUsage[]> => {
  if (asked.length === 0) return []
  const rows = await queryPrepared<{ n: bigint; used: string; records: bigint }>(
    on,
    'read_period_counters',
    sql`select c.n, u.used, u.records
        from unnest(${asked.map(({ tenantId }) => tenantId)}::text[], ${asked.map(({ meter }) => meter)}::text[], ${asked.map(({ period }) => period.start.toString())}::timestamptz[])
          with ordinality as c (t, m, s, n)
        join usage_counters u on u.tenant_id = c.t and u.meter = c.m and u.span = 'period' and u.window_start = c.s`,
  )
  const found = asked.map((): MeasuredUsage => ({ used: 0n, records: 0 }))
  for (const { n, used, records } of rows) found[Number(n) - 1] = { used: micro(used), records: Number(records) }
  return found
}

/** What the records of stretches of time come to by their own time, in the order asked for: where no counter is of them. */
export const measureRecords = async (on: Db | Tx, asked: readonly Stretch[]): Promise<MeasuredUsage[]> => {
  if (asked.length === 0) return []
  const rows = await query<{ used: string; records: bigint }>(
    on,
    sql`select c.used, c.records
        from unnest(${asked.map(({ tenantId }) => tenantId)}::text[], ${asked.map(({ meter }) => meter)}::text[], ${asked.map(({ period }) => period.start.toString())}::timestamptz[],
          ${asked.map(({ period }) => period.end.toString())}::timestamptz[], ${asked.map(({ aggregation }) => aggregation)}::text[]) with ordinality as s (t, m, a, z, how, n)
        cross join lateral usage_counted(s.t, s.m, 'time', s.a, s.z, s.how) c order by s.n`,
  )
  return rows.map(({ used, records }) => ({ used: micro(used), records: Number(records) }))
}

/**
 * Of stretches of time each record that was corrected, and how many of its rows are no record in effect: the corrections, and
 * itself when the last of them voids it. `of` is the place of the stretch among those asked for.
 */
export const readCorrected = async (
  on: Db | Tx,
  asked: readonly Omit<Stretch, 'aggregation'>[],
): Promise<{ of: number; at: Temporal.Instant; rows: number }[]> => {
  if (asked.length === 0) return []
  const rows = await query<{ n: bigint; at: string; rows: bigint }>(
    on,
    sql`select s.n, c.at, c.rows
        from unnest(${asked.map(({ tenantId }) => tenantId)}::text[], ${asked.map(({ meter }) => meter)}::text[], ${asked.map(({ period }) => period.start.toString())}::timestamptz[],
          ${asked.map(({ period }) => period.end.toString())}::timestamptz[]) with ordinality as s (t, m, a, z, n)
        cross join lateral (
          select min(r.at) as at, count(*) + ((array_agg(r.correction order by r.recorded_at desc))[1] = 'void')::int as rows
          from usage_records r where r.tenant_id = s.t and r.corrects is not null and (r.meter = s.m or s.m = any (r.also)) and r.at >= s.a and r.at < s.z
          group by r.corrects) c`,
  )
  return rows.map(({ n, at, rows: count }) => ({ of: Number(n) - 1, at: instantOfRow(at), rows: Number(count) }))
}

/** A record with what its corrections have made of it. */
export type EffectiveRecord = {
  id: string
  at: Temporal.Instant
  quantity: Micro
  properties: Record<string, string | number | boolean>
}

/** The records of a stretch of time as they count now, in order; with `levelBefore` the last one before it too. */
export const readRecords = async (
  on: Db | Tx,
  { tenantId, meter, period }: Omit<Stretch, 'aggregation'>,
  levelBefore: boolean,
): Promise<EffectiveRecord[]> => {
  const [start, end] = [period.start.toString(), period.end.toString()]
  const of = sql`r.tenant_id = ${tenantId} and (r.meter = ${meter} or ${meter} = any (r.also))`
  const effective = sql`coalesce(r.corrects, r.idempotency_key) as id, min(r.at) as at, max(r.ordinal) as ordinal, sum(r.quantity) as quantity, max(r.properties) filter (where r.corrects is null) as properties`
  // The last correction says whether it counts: what was voided may have been amended since.
  const counts = sql`(array_agg(r.correction order by r.recorded_at desc) filter (where r.corrects is not null))[1] is distinct from 'void'`
  const rows = await query<{ id: string; at: string; quantity: string; properties: string | null }>(
    on,
    sql`(select ${effective} from usage_records r where ${levelBefore} and ${of} and r.at < ${start} group by 1 having ${counts} order by at desc, ordinal desc limit 1)
        union all
        (select ${effective} from usage_records r where ${of} and r.at >= ${start} and r.at < ${end} group by 1 having ${counts})
        order by at, ordinal, id`,
  )
  return rows.map((row) => ({
    id: row.id,
    at: instantOfRow(row.at),
    quantity: micro(row.quantity),
    properties: row.properties === null ? {} : (JSON.parse(row.properties) as EffectiveRecord['properties']),
  }))
}

/** The hours of a stretch of time in which there was usage, in order: from counters that are of hours whatever the period. */
export const readUsedHours = async (
  on: Db | Tx,
  { tenantId, meter, period }: Omit<Stretch, 'aggregation'>,
): Promise<(MeasuredUsage & { start: Temporal.Instant })[]> =>
  (
    await query<{ window_start: string; used: string; records: bigint }>(
      on,
      sql`select window_start, used, records from usage_counters where tenant_id = ${tenantId} and meter = ${meter} and span = 'hour'
            and window_start >= ${period.start.toString()} and window_start < ${period.end.toString()} and records > 0 order by window_start`,
    )
  ).map((row) => ({ start: instantOfRow(row.window_start), used: micro(row.used), records: Number(row.records) }))
