import { instantOfRow, instantOfRowOrNull } from '../../core/period.ts'
import { type Db, query, queryOne, sql, type Tx } from '../../platform/db.ts'
import type { RetentionRecord } from './retention.ts'

type RetentionRow = {
  tenant_id: string
  ended_at: string
  read_only_until: string | null
  delete_after: string
  reminded: number[]
  read_only_over: boolean
  state: RetentionRecord['state']
}

const retentionFromRow = (row: RetentionRow): RetentionRecord => ({
  tenantId: row.tenant_id,
  endedAt: instantOfRow(row.ended_at),
  readOnlyUntil: instantOfRowOrNull(row.read_only_until),
  deleteAfter: instantOfRow(row.delete_after),
  reminded: row.reminded,
  readOnlyOver: row.read_only_over,
  state: row.state,
})

export const findRetention = async (on: Db | Tx, tenantId: string): Promise<RetentionRecord | null> => {
  const row = await queryOne<RetentionRow>(on, sql`select * from retentions where tenant_id = ${tenantId}`)
  return row && retentionFromRow(row)
}

export const saveRetention = async (tx: Tx, retention: RetentionRecord, at: Temporal.Instant): Promise<void> => {
  const { tenantId, endedAt, readOnlyUntil, deleteAfter, reminded, readOnlyOver, state } = retention
  await query(
    tx,
    sql`insert into retentions (tenant_id, ended_at, read_only_until, delete_after, reminded, read_only_over, state, updated_at)
        values (${tenantId}, ${endedAt.toString()}, ${readOnlyUntil?.toString() ?? null}, ${deleteAfter.toString()}, ${reminded}::int[], ${readOnlyOver}, ${state}, ${at.toString()})
        on conflict (tenant_id) do update set ended_at = excluded.ended_at, read_only_until = excluded.read_only_until, delete_after = excluded.delete_after,
          reminded = excluded.reminded, read_only_over = excluded.read_only_over, state = excluded.state, updated_at = excluded.updated_at`,
  )
}

/** Retentions in which something may be due, page by page; `before` is how long ahead of the deletion the first reminder is. */
export const retentionsToFollow = async (
  db: Db,
  at: Temporal.Instant,
  before: { hours: number },
  from: { deleteAfter: Temporal.Instant; tenantId: string } | null,
  limit: number,
): Promise<RetentionRecord[]> =>
  (
    await query<RetentionRow>(
      db,
      sql`select * from retentions
          where (state = 'deleting' or (state = 'waiting' and (delete_after <= ${at.add(before).toString()} or (not read_only_over and read_only_until <= ${at.toString()}))))
            and (${from === null} or (delete_after, tenant_id) > (${from?.deleteAfter.toString() ?? null}::timestamptz, ${from?.tenantId ?? null}))
          order by delete_after, tenant_id limit ${limit}`,
    )
  ).map(retentionFromRow)

export type ExportRecord = {
  tenantId: string
  exportId: string
  requestedBy: string
  createdAt: Temporal.Instant
  expiresAt: Temporal.Instant
  downloads: number
  lastDownloadedAt: Temporal.Instant | null
}
type ExportRow = {
  tenant_id: string
  export_id: string
  requested_by: string
  created_at: string
  expires_at: string
  downloads: number
  last_downloaded_at: string | null
}
const exportFromRow = (row: ExportRow): ExportRecord => ({
  tenantId: row.tenant_id,
  exportId: row.export_id,
  requestedBy: row.requested_by,
  createdAt: instantOfRow(row.created_at),
  expiresAt: instantOfRow(row.expires_at),
  downloads: row.downloads,
  lastDownloadedAt: instantOfRowOrNull(row.last_downloaded_at),
})

export const insertExport = async (tx: Tx, made: ExportRecord): Promise<void> => {
  await query(
    tx,
    sql`insert into exports (tenant_id, export_id, requested_by, created_at, expires_at)
        values (${made.tenantId}, ${made.exportId}, ${made.requestedBy}, ${made.createdAt.toString()}, ${made.expiresAt.toString()})`,
  )
}

export const findExport = async (tx: Tx, tenantId: string, exportId: string): Promise<ExportRecord | null> => {
  const row = await queryOne<ExportRow>(
    tx,
    sql`select * from exports where tenant_id = ${tenantId} and export_id = ${exportId}`,
  )
  return row && exportFromRow(row)
}

/** Newest first. */
export const listExports = async (db: Db, tenantId: string): Promise<ExportRecord[]> =>
  (
    await query<ExportRow>(
      db,
      sql`select * from exports where tenant_id = ${tenantId} order by created_at desc, export_id desc limit 200`,
    )
  ).map(exportFromRow)

/** Counts a download and gives what is downloaded; null for an archive that is not there any more. */
export const countDownload = async (tx: Tx, exportId: string, at: Temporal.Instant): Promise<ExportRecord | null> => {
  const row = await queryOne<ExportRow>(
    tx,
    sql`update exports set downloads = downloads + 1, last_downloaded_at = ${at.toString()}
        where export_id = ${exportId} and expires_at > ${at.toString()} returning *`,
  )
  return row && exportFromRow(row)
}
