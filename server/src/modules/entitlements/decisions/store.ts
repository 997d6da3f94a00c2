import { instantOfRow, instantOfRowOrNull } from '../../../core/period.ts'
import { type Micro, microOfText, textOfMicro } from '../../../core/quantity.ts'
import { type Db, query, queryOne, sql } from '../../../platform/db.ts'
import type { DecisionFilter } from '../../usage/index.ts'

/** Refused checks that were the same: one question, one snapshot, one counter, one answer, within an hour. */
export type CheckDecision = {
  tenantId: string
  key: string
  feature: string
  reason: string
  quantity: Micro
  snapshotVersion: number
  used: Micro | null
  reserved: Micro
  windowStart: Temporal.Instant | null
  because: string | null
  firstAt: Temporal.Instant
  at: Temporal.Instant
  attempts: number
}
type Row = {
  tenant_id: string
  decision_key: string
  feature: string
  reason: string
  quantity: string
  snapshot_version: bigint
  used: string | null
  reserved: string
  window_start: string | null
  because: string | null
  first_at: string
  at: string
  attempts: bigint
}

/** Adds to the row of each, or makes it. */
export const addCheckDecisions = async (db: Db, decisions: readonly CheckDecision[]): Promise<void> => {
  const rows = decisions.map((each) => ({
    tenant_id: each.tenantId,
    decision_key: each.key,
    feature: each.feature,
    reason: each.reason,
    quantity: textOfMicro(each.quantity),
    snapshot_version: each.snapshotVersion,
    used: each.used === null ? null : textOfMicro(each.used),
    reserved: textOfMicro(each.reserved),
    window_start: each.windowStart?.toString() ?? null,
    because: each.because,
    first_at: each.firstAt.toString(),
    at: each.at.toString(),
    attempts: each.attempts,
  }))
  // In the order of keys, so that two processes never wait for each other in a circle.
  await query(
    db,
    sql`insert into check_decisions (tenant_id, decision_key, feature, reason, quantity, snapshot_version, used, reserved, window_start, because, first_at, at, attempts)
        select tenant_id, decision_key, feature, reason, quantity, snapshot_version, used, reserved, window_start, because, first_at, at, attempts
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (tenant_id text, decision_key text, feature text, reason text, quantity numeric, snapshot_version bigint,
          used numeric, reserved numeric, window_start timestamptz, because text, first_at timestamptz, at timestamptz, attempts bigint)
        order by tenant_id, decision_key
        on conflict (tenant_id, decision_key) do update set attempts = check_decisions.attempts + excluded.attempts,
          at = greatest(check_decisions.at, excluded.at), first_at = least(check_decisions.first_at, excluded.first_at)`,
  )
}

/** The newest first. */
export const listCheckDecisions = async (
  db: Db,
  tenantId: string,
  features: readonly string[],
  { from, to, outcome, before }: DecisionFilter,
  limit: number,
): Promise<(CheckDecision & { tie: string })[]> => {
  if (outcome === 'allowed') return []
  const rows = await query<Row & { tie: string }>(
    db,
    sql`select *, md5('c' || decision_key) as tie from check_decisions
        where tenant_id = ${tenantId} and feature = any (${[...features]}::text[]) and at >= ${from ?? '-infinity'} and at < ${to ?? 'infinity'} and at <= ${before?.at ?? 'infinity'}
          and (${before === null} or (at, md5('c' || decision_key)) < (${before?.at ?? 'infinity'}::timestamptz, ${before?.tie ?? ''}))
        order by at desc, tie desc limit ${limit}`,
  )
  return rows.map((row) => ({ ...fromRow(row), tie: row.tie }))
}

export const findCheckDecision = async (db: Db, tenantId: string, key: string): Promise<CheckDecision | null> => {
  const row = await queryOne<Row>(
    db,
    sql`select * from check_decisions where tenant_id = ${tenantId} and decision_key = ${key}`,
  )
  return row && fromRow(row)
}

/** Forgets some of what is older than a time; answers how many. */
export const forgetCheckDecisions = async (db: Db, before: Temporal.Instant, limit: number): Promise<number> =>
  (
    await query(
      db,
      sql`delete from check_decisions where (tenant_id, decision_key) in
            (select tenant_id, decision_key from check_decisions where at < ${before.toString()} order by at limit ${limit}) returning 1`,
    )
  ).length

const fromRow = (row: Row): CheckDecision => ({
  tenantId: row.tenant_id,
  key: row.decision_key,
  feature: row.feature,
  reason: row.reason,
  quantity: microOfText(row.quantity)!,
  snapshotVersion: Number(row.snapshot_version),
  used: row.used === null ? null : microOfText(row.used)!,
  reserved: microOfText(row.reserved)!,
  windowStart: instantOfRowOrNull(row.window_start),
  because: row.because,
  firstAt: instantOfRow(row.first_at),
  at: instantOfRow(row.at),
  attempts: Number(row.attempts),
})
