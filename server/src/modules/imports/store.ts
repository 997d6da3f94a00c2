import type { ImportFormat, UsageImport } from '@turnpike/contract'
import { instantOfRow, instantOfRowOrNull } from '../../core/period.ts'
import { type Db, query, queryOne, sql, type Tx } from '../../platform/db.ts'
import type { Reading } from './read-rows.ts'

export type ImportRecord = {
  importId: string
  tenantId: string | null
  name: string
  format: ImportFormat
  size: number
  sha256: string
  reading: Reading
  readingSum: string
  heading: string[] | null
  state: 'receiving' | 'done'
  /** How many bytes of the file were taken in. */
  place: number
  lastPlace: number | null
  lastSum: string | null
  lines: number
  accepted: number
  duplicates: number
  invalid: number
  mistakes: UsageImport['mistakes']
  createdBy: string
  createdAt: Temporal.Instant
  updatedAt: Temporal.Instant
  finishedAt: Temporal.Instant | null
}

type ImportRow = {
  import_id: string
  tenant_id: string | null
  name: string
  format: ImportFormat
  size: bigint
  sha256: string
  reading: Reading
  reading_sum: string
  heading: string[] | null
  state: ImportRecord['state']
  place: bigint
  last_place: bigint | null
  last_sum: string | null
  lines: bigint
  accepted: bigint
  duplicates: bigint
  invalid: bigint
  mistakes: UsageImport['mistakes']
  created_by: string
  created_at: string
  updated_at: string
  finished_at: string | null
}

const fromRow = (row: ImportRow): ImportRecord => ({
  importId: row.import_id,
  tenantId: row.tenant_id,
  name: row.name,
  format: row.format,
  size: Number(row.size),
  sha256: row.sha256,
  reading: row.reading,
  readingSum: row.reading_sum,
  heading: row.heading,
  state: row.state,
  place: Number(row.place),
  lastPlace: row.last_place === null ? null : Number(row.last_place),
  lastSum: row.last_sum,
  lines: Number(row.lines),
  accepted: Number(row.accepted),
  duplicates: Number(row.duplicates),
  invalid: Number(row.invalid),
  mistakes: row.mistakes,
  createdBy: row.created_by,
  createdAt: instantOfRow(row.created_at),
  updatedAt: instantOfRow(row.updated_at),
  finishedAt: instantOfRowOrNull(row.finished_at),
})

/** False when there is an import of this file already. */
export const insertImport = async (tx: Tx, made: ImportRecord): Promise<boolean> =>
  (await queryOne(
    tx,
    sql`insert into usage_imports (import_id, tenant_id, name, format, size, sha256, reading, reading_sum, created_by, created_at, updated_at)
        values (${made.importId}, ${made.tenantId}, ${made.name}, ${made.format}, ${made.size}, ${made.sha256}, ${JSON.stringify(made.reading)}::jsonb,
          ${made.readingSum}, ${made.createdBy}, ${made.createdAt.toString()}, ${made.updatedAt.toString()})
        on conflict do nothing returning import_id`,
  )) !== null

/** The import of the same file, read in the same way under the same name. */
export const findSameImport = async (
  on: Db | Tx,
  like: Pick<ImportRecord, 'tenantId' | 'sha256' | 'name' | 'readingSum'>,
): Promise<ImportRecord | null> => {
  const row = await queryOne<ImportRow>(
    on,
    sql`select * from usage_imports where coalesce(tenant_id, '') = ${like.tenantId ?? ''} and sha256 = ${like.sha256} and name = ${like.name} and reading_sum = ${like.readingSum}`,
  )
  return row && fromRow(row)
}

export const findImport = async (on: Db | Tx, importId: string): Promise<ImportRecord | null> => {
  const row = await queryOne<ImportRow>(on, sql`select * from usage_imports where import_id = ${importId}`)
  return row && fromRow(row)
}

export const lockImport = async (tx: Tx, importId: string): Promise<ImportRecord> =>
  fromRow((await queryOne<ImportRow>(tx, sql`select * from usage_imports where import_id = ${importId} for update`))!)

export const saveProgress = async (tx: Tx, after: ImportRecord): Promise<void> => {
  await query(
    tx,
    sql`update usage_imports set heading = ${after.heading}, state = ${after.state}, place = ${after.place}, last_place = ${after.lastPlace}, last_sum = ${after.lastSum},
          lines = ${after.lines}, accepted = ${after.accepted}, duplicates = ${after.duplicates}, invalid = ${after.invalid}, mistakes = ${JSON.stringify(after.mistakes)}::jsonb,
          updated_at = ${after.updatedAt.toString()}, finished_at = ${after.finishedAt?.toString() ?? null}
        where import_id = ${after.importId}`,
  )
}

/** Newest first, after a place; of one tenant, or of all. */
export const listImports = async (
  db: Db,
  tenantId: string | null,
  before: string | null,
  limit: number,
): Promise<ImportRecord[]> =>
  (
    await query<ImportRow>(
      db,
      sql`select * from usage_imports where (${tenantId}::text is null or tenant_id = ${tenantId}) and (${before}::text is null or import_id < ${before})
          order by import_id desc limit ${limit}`,
    )
  ).map(fromRow)
