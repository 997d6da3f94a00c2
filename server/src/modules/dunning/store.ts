import { instantOfRow, instantOfRowOrNull } from '../../core/period.ts'
import { type Db, query, queryOne, sql, type Tx } from '../../platform/db.ts'
import type { Outcome } from './follow-case.ts'

/** One unpaid invoice that is followed up. */
export type DunningCase = {
  tenantId: string
  caseId: string
  subscriptionId: string
  providerInvoiceId: string
  /** The provider's time: stages are counted from it. */
  startedAt: Temporal.Instant
  /** How far stages and reminders were told; null before the first look. */
  announcedUntil: Temporal.Instant | null
  /** When the next thing happens by itself. */
  dueAt: Temporal.Instant | null
  /** When the provider was first asked to end the subscription. */
  cancelAskedAt: Temporal.Instant | null
  closedAt: Temporal.Instant | null
  outcome: Outcome | null
}

type Row = {
  tenant_id: string
  case_id: string
  subscription_id: string
  provider_invoice_id: string
  started_at: string
  announced_until: string | null
  due_at: string | null
  cancel_asked_at: string | null
  closed_at: string | null
  outcome: Outcome | null
}

const fromRow = (row: Row): DunningCase => ({
  tenantId: row.tenant_id,
  caseId: row.case_id,
  subscriptionId: row.subscription_id,
  providerInvoiceId: row.provider_invoice_id,
  startedAt: instantOfRow(row.started_at),
  announcedUntil: instantOfRowOrNull(row.announced_until),
  dueAt: instantOfRowOrNull(row.due_at),
  cancelAskedAt: instantOfRowOrNull(row.cancel_asked_at),
  closedAt: instantOfRowOrNull(row.closed_at),
  outcome: row.outcome,
})

const text = (instant: Temporal.Instant | null): string | null => instant?.toString() ?? null

/** Writes the whole case. The caller holds the customer's row. */
export const saveCase = async (tx: Tx, c: DunningCase): Promise<void> => {
  await query(
    tx,
    sql`insert into dunning_cases (tenant_id, case_id, subscription_id, provider_invoice_id, started_at, announced_until, due_at, cancel_asked_at, closed_at, outcome)
        values (${c.tenantId}, ${c.caseId}, ${c.subscriptionId}, ${c.providerInvoiceId}, ${text(c.startedAt)}, ${text(c.announcedUntil)}, ${text(c.dueAt)}, ${text(c.cancelAskedAt)}, ${text(c.closedAt)}, ${c.outcome})
        on conflict (tenant_id, case_id) do update set announced_until = excluded.announced_until, due_at = excluded.due_at, cancel_asked_at = excluded.cancel_asked_at,
          closed_at = excluded.closed_at, outcome = excluded.outcome`,
  )
}

export const findOpenCases = async (on: Db | Tx, tenantId: string): Promise<DunningCase[]> =>
  (
    await query<Row>(
      on,
      sql`select * from dunning_cases where tenant_id = ${tenantId} and closed_at is null order by subscription_id`,
    )
  ).map(fromRow)

export const findCase = async (on: Db | Tx, caseId: string): Promise<DunningCase | null> => {
  const row = await queryOne<Row>(on, sql`select * from dunning_cases where case_id = ${caseId}`)
  return row && fromRow(row)
}

/** Open cases for which something is due, the longest waiting first, after a place in that order. */
export const findDueCases = async (
  db: Db,
  at: Temporal.Instant,
  after: Pick<DunningCase, 'dueAt' | 'caseId'> | null,
  limit: number,
): Promise<DunningCase[]> =>
  (
    await query<Row>(
      db,
      sql`select * from dunning_cases where closed_at is null and due_at <= ${at.toString()}
            and (${after === null} or (due_at, case_id) > (${text(after?.dueAt ?? null)}::timestamptz, ${after?.caseId ?? null}))
          order by due_at, case_id limit ${limit}`,
    )
  ).map(fromRow)
