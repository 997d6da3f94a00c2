import { instantOfRow, instantOfRowOrNull } from '../../core/period.ts'
import { type Db, query, sql, type Tx } from '../../platform/db.ts'
import type { Remediation } from './follow-remediation.ts'

type Row = {
  tenant_id: string
  remediation_id: string
  subscription_id: string
  kind: Remediation['kind']
  plan: string
  plan_version: number
  items: Remediation['items']
  started_at: string
  deadline: string | null
  reminders: number[]
  reminded_until: string
  enforced_at: string | null
  closed_at: string | null
  outcome: Remediation['outcome']
}

const fromRow = (row: Row): Remediation => ({
  tenantId: row.tenant_id,
  remediationId: row.remediation_id,
  subscriptionId: row.subscription_id,
  kind: row.kind,
  plan: row.plan,
  planVersion: row.plan_version,
  items: row.items,
  startedAt: instantOfRow(row.started_at),
  deadline: instantOfRowOrNull(row.deadline),
  reminders: row.reminders,
  remindedUntil: instantOfRow(row.reminded_until),
  enforcedAt: instantOfRowOrNull(row.enforced_at),
  closedAt: instantOfRowOrNull(row.closed_at),
  outcome: row.outcome,
})

const text = (instant: Temporal.Instant | null): string | null => instant?.toString() ?? null

/** Writes the whole remediation. The caller holds the customer's row. */
export const saveRemediation = async (tx: Tx, r: Remediation): Promise<void> => {
  await query(
    tx,
    sql`insert into remediations (tenant_id, remediation_id, subscription_id, kind, plan, plan_version, items, started_at, deadline, reminders, reminded_until, enforced_at, closed_at, outcome)
        values (${r.tenantId}, ${r.remediationId}, ${r.subscriptionId}, ${r.kind}, ${r.plan}, ${r.planVersion}, ${JSON.stringify(r.items)}, ${text(r.startedAt)}, ${text(r.deadline)}, ${JSON.stringify(r.reminders)},
          ${text(r.remindedUntil)}, ${text(r.enforcedAt)}, ${text(r.closedAt)}, ${r.outcome})
        on conflict (tenant_id, remediation_id) do update set plan = excluded.plan, plan_version = excluded.plan_version, reminded_until = excluded.reminded_until, enforced_at = excluded.enforced_at, closed_at = excluded.closed_at, outcome = excluded.outcome`,
  )
}

export const findOpenRemediations = async (on: Db | Tx, tenantId: string): Promise<Remediation[]> =>
  (
    await query<Row>(
      on,
      sql`select * from remediations where tenant_id = ${tenantId} and closed_at is null order by subscription_id`,
    )
  ).map(fromRow)

/** Open ones of everybody after a place in their order, for the sweep that sees whether they are met. */
export const listOpenRemediations = async (db: Db, after: string, limit: number): Promise<Remediation[]> =>
  (
    await query<Row>(
      db,
      sql`select * from remediations where closed_at is null and remediation_id > ${after} order by remediation_id limit ${limit}`,
    )
  ).map(fromRow)
