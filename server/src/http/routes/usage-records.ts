import type { UsageArchive } from '@turnpike/contract'
import { fail } from '../../core/errors.ts'
import { instantOfRow } from '../../core/period.ts'
import { numberOfMicro } from '../../core/quantity.ts'
import { correctUsage } from '../../flows/correct-usage.ts'
import { readHistory } from '../../flows/read-history.ts'
import { type RecordPlace, readLineage, readRecords } from '../../flows/read-records.ts'
import { type ArchiveRow, listArchives, readArchive } from '../../modules/usage/index.ts'
import { decodeCursor, encodeCursor, type Handlers } from '../handler.ts'

// As the database prints it.
const isRowTime = /^\d{4}-\d\d-\d\d [\d:.]{8,15}\+00$/

const isPlace = (value: unknown): value is RecordPlace => {
  const { at, key } = (value ?? {}) as Partial<RecordPlace>
  return typeof at === 'string' && isRowTime.test(at) && typeof key === 'string' && key.length <= 255
}

const archiveView = (tenantId: string, row: ArchiveRow): UsageArchive => ({
  tenantId,
  meter: row.meter,
  windowStart: instantOfRow(row.windowStart).toString(),
  part: row.part,
  records: row.records,
  quantity: numberOfMicro(row.quantity),
  firstAt: instantOfRow(row.firstAt).toString(),
  lastAt: instantOfRow(row.lastAt).toString(),
  sha256: row.sha256,
  archivedAt: instantOfRow(row.archivedAt).toString(),
})

type ArchivePlace = { meter: string; windowStart: string; part: number }
const isArchivePlace = (value: unknown): value is ArchivePlace => {
  const { meter, windowStart, part } = (value ?? {}) as Partial<ArchivePlace>
  return (
    typeof meter === 'string' &&
    typeof windowStart === 'string' &&
    isRowTime.test(windowStart) &&
    Number.isInteger(part)
  )
}

export const usageRecordHandlers: Handlers<
  'listUsageRecords' | 'correctUsage' | 'getUsageHistory' | 'listUsageArchives' | 'getUsageArchive'
> = {
  listUsageArchives: async ({ deps, tenantId, query }) => {
    const limit = query.limit ?? 50
    const rows = await listArchives(deps.db, tenantId, decodeCursor(query.cursor, isArchivePlace), limit)
    const last = rows.at(-1)
    return {
      data: rows.map((row) => archiveView(tenantId, row)),
      cursor:
        last && rows.length === limit
          ? encodeCursor({ meter: last.meter, windowStart: last.windowStart, part: last.part })
          : null,
    }
  },

  getUsageArchive: async ({ deps, tenantId, query }) => {
    const { meter, windowStart, part } = query
    const found = await readArchive(deps.db, tenantId, { meter, windowStart: Temporal.Instant.from(windowStart), part })
    if (!found) throw fail('not_found')
    return { ...archiveView(tenantId, found), content: found.content }
  },

  listUsageRecords: async ({ deps, tenantId, query }) => {
    const { key, meter, from, to, cursor, limit } = query
    if (key !== undefined) return { data: await readLineage(deps, tenantId, key), cursor: null }
    if (meter === undefined)
      throw fail('invalid_request', { errors: [{ field: 'query.meter', message: 'or `key` must be named' }] })
    const place = decodeCursor(cursor, isPlace)
    const page = { meter, from: from ?? null, to: to ?? null, after: place, limit: limit ?? 50 }
    const { records, after } = await readRecords(deps, tenantId, page)
    return { data: records, cursor: after && encodeCursor(after) }
  },

  correctUsage: ({ deps, actor, tenantId, body }) => correctUsage(deps, actor, tenantId, body),

  getUsageHistory: ({ deps, tenantId, query }) =>
    readHistory(deps, tenantId, {
      meter: query.meter,
      step: query.step ?? 'day',
      from: query.from ?? null,
      to: query.to ?? null,
      groupBy: query.groupBy ?? null,
    }),
}
