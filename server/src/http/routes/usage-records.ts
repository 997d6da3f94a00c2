import { fail } from '../../core/errors.ts'
import { correctUsage } from '../../flows/correct-usage.ts'
import { readHistory } from '../../flows/read-history.ts'
import { type RecordPlace, readLineage, readRecords } from '../../flows/read-records.ts'
import { decodeCursor, encodeCursor, type Handlers } from '../handler.ts'

const isPlace = (value: unknown): value is RecordPlace => {
  const { at, key } = (value ?? {}) as Partial<RecordPlace>
  return (
    typeof at === 'string' &&
    /^\d{4}-\d\d-\d\d [\d:.]{8,15}\+00$/.test(at) &&
    typeof key === 'string' &&
    key.length <= 255
  )
}

export const usageRecordHandlers: Handlers<'listUsageRecords' | 'correctUsage' | 'getUsageHistory'> = {
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
