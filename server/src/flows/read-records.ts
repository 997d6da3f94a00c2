import type { RecordedUsage } from '@turnpike/contract'
import { instantOfRow } from '../core/period.ts'
import { numberOfMicro } from '../core/quantity.ts'
import {
  findCorrections,
  findLineage,
  type KeptCorrection,
  type KeptRecord,
  listRecords,
} from '../modules/usage/index.ts'
import type { Deps } from './deps.ts'

/** The place behind a record, exact to the microsecond of the database. */
export type RecordPlace = { at: string; key: string }

/** Records of one meter by the time of use, each with what corrected it: their quantities add up to what was counted (USE-2). */
export const readRecords = async (
  deps: Deps,
  tenantId: string,
  asked: { meter: string; from: string | null; to: string | null; after: RecordPlace | null; limit: number },
): Promise<{ records: RecordedUsage[]; after: RecordPlace | null }> => {
  const { meter, from, to, after, limit } = asked
  const rows = await listRecords(deps.db, tenantId, meter, { from, to }, after, limit)
  const last = rows.at(-1)
  return {
    records: await withCorrections(deps, tenantId, rows),
    after: rows.length === limit && last ? { at: last.at, key: last.idempotencyKey } : null,
  }
}

/** One record and its corrections, by the key of any of them; nothing when there is none. */
export const readLineage = async (deps: Deps, tenantId: string, key: string): Promise<RecordedUsage[]> =>
  withCorrections(deps, tenantId, await findLineage(deps.db, tenantId, key))

const withCorrections = async (deps: Deps, tenantId: string, rows: readonly KeptRecord[]): Promise<RecordedUsage[]> => {
  const originals = rows.filter((row) => row.corrects === null).map((row) => row.idempotencyKey)
  const corrections = Map.groupBy(await findCorrections(deps.db, tenantId, originals), ({ corrects }) => corrects)
  return rows.map((row) => viewOf(tenantId, row, corrections.get(row.idempotencyKey) ?? []))
}

const viewOf = (tenantId: string, row: KeptRecord, corrections: readonly KeptCorrection[]): RecordedUsage => ({
  tenantId,
  idempotencyKey: row.idempotencyKey,
  meter: row.meter,
  quantity: numberOfMicro(row.quantity),
  at: instantOfRow(row.at).toString(),
  recordedAt: instantOfRow(row.recordedAt).toString(),
  windowStart: instantOfRow(row.windowStart).toString(),
  service: row.service,
  correlationId: row.correlationId,
  properties: row.properties === null ? null : JSON.parse(row.properties),
  snapshotVersion: row.snapshotVersion,
  corrects: row.corrects,
  correction: row.correction,
  effectiveQuantity: row.corrects === null ? numberOfMicro(corrections.at(-1)?.after ?? row.quantity) : null,
  corrections: corrections.map(({ idempotencyKey, action, before, after, reason, correctedBy, recordedAt }) => ({
    idempotencyKey,
    action,
    before: numberOfMicro(before),
    after: numberOfMicro(after),
    reason,
    correctedBy,
    recordedAt: instantOfRow(recordedAt).toString(),
  })),
})
