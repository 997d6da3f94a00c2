import { type Micro, microOfText } from '../../../core/quantity.ts'
import { type Db, query, queryOne, sql, type Tx } from '../../../platform/db.ts'

export type UsageWindow = { tenantId: string; meter: string; windowStart: string; windowEnd: string }

/** Windows of some tenants that were over before a time and still have raw records. */
export const windowsToArchive = (
  db: Db,
  tenantIds: readonly string[],
  endedBefore: Temporal.Instant,
): Promise<UsageWindow[]> =>
  query(
    db,
    sql`select c.tenant_id as "tenantId", c.meter, c.window_start as "windowStart", c.window_end as "windowEnd" from usage_counters c
          cross join lateral (select from usage_records r where r.tenant_id = c.tenant_id and r.meter = c.meter and r.at >= c.window_start and r.at < c.window_end and r.window_start = c.window_start limit 1) one
        where c.tenant_id = any (${[...tenantIds]}::text[]) and c.span = 'period' and c.span <> 'hour' and c.window_end < ${endedBefore.toString()}
        order by 1, 2, 3`,
  )

/** Moves the oldest raw records of a window into an archive; answers how many. The caller holds the customer's row. */
export const archiveRecords = async (
  tx: Tx,
  { tenantId, meter, windowStart }: UsageWindow,
  at: Temporal.Instant,
  batch: number,
): Promise<number> =>
  (await queryOne<{ moved: number }>(
    tx,
    sql`select archive_usage(${tenantId}, ${meter}, ${windowStart}, ${at.toString()}, ${batch}) as moved`,
  ))!.moved

export type ArchiveRow = {
  meter: string
  windowStart: string
  part: number
  records: number
  quantity: Micro
  firstAt: string
  lastAt: string
  sha256: string
  archivedAt: string
}
type Row = Omit<ArchiveRow, 'quantity'> & { quantity: string; content?: string }
const columns = sql`meter, window_start as "windowStart", part, records, quantity, first_at as "firstAt", last_at as "lastAt", sha256, archived_at as "archivedAt"`
const fromRow = ({ quantity, ...row }: Row) => ({ ...row, quantity: microOfText(quantity)! })

/** What is archived of a tenant, by meter and window. */
export const listArchives = async (
  db: Db,
  tenantId: string,
  after: { meter: string; windowStart: string; part: number } | null,
  limit: number,
): Promise<ArchiveRow[]> =>
  (
    await query<Row>(
      db,
      sql`select ${columns} from usage_archives where tenant_id = ${tenantId}
            and (${after === null} or (meter, window_start, part) > (${after?.meter ?? ''}, ${after?.windowStart ?? '-infinity'}::timestamptz, ${after?.part ?? 0}))
          order by meter, window_start, part limit ${limit}`,
    )
  ).map(fromRow)

/** One archive with its records, as JSON whose hash is `sha256`. */
export const readArchive = async (
  db: Db,
  tenantId: string,
  of: { meter: string; windowStart: Temporal.Instant; part: number },
): Promise<(ArchiveRow & { content: string }) | null> => {
  const row = await queryOne<Row & { content: string }>(
    db,
    sql`select ${columns}, content from usage_archives where tenant_id = ${tenantId} and meter = ${of.meter} and window_start = ${of.windowStart.toString()} and part = ${of.part}`,
  )
  return row && { ...fromRow(row), content: row.content }
}

/** Until when usage of tenants is archived: what is as old cannot be told from a repeat any more. */
export const archivedUntil = async (db: Db, tenantIds: readonly string[]): Promise<Map<string, number>> =>
  new Map(
    (
      await query<{ tenant_id: string; until_ms: string }>(
        db,
        sql`select tenant_id, extract(epoch from max(last_at)) * 1000 as until_ms from usage_archives where tenant_id = any (${[...tenantIds]}::text[]) group by 1`,
      )
    ).map((row) => [row.tenant_id, Number(row.until_ms)]),
  )
