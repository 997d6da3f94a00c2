import { instantOfRow } from '../../core/period.ts'
import { type Db, query, queryOne, sql, type Tx } from '../../platform/db.ts'
import type { BudgetAlert, BudgetRecord } from './budget.ts'

type Row = {
  tenant_id: string
  amount_minor: bigint
  currency: string
  alert_at_percent: number[]
  cap: boolean
  set_by: string
  set_at: string
}

const fromRow = (row: Row): BudgetRecord => ({
  tenantId: row.tenant_id,
  amountMinor: row.amount_minor,
  currency: row.currency,
  alertAtPercent: row.alert_at_percent,
  cap: row.cap,
  setBy: row.set_by,
  setAt: instantOfRow(row.set_at),
})

export const findBudget = async (on: Db | Tx, tenantId: string): Promise<BudgetRecord | null> => {
  const row = await queryOne<Row>(on, sql`select * from budgets where tenant_id = ${tenantId}`)
  return row && fromRow(row)
}

export const saveBudget = async (tx: Tx, budget: BudgetRecord): Promise<void> => {
  await query(
    tx,
    sql`insert into budgets (tenant_id, amount_minor, currency, alert_at_percent, cap, set_by, set_at)
        values (${budget.tenantId}, ${budget.amountMinor}, ${budget.currency}, ${budget.alertAtPercent}::int[], ${budget.cap}, ${budget.setBy}, ${budget.setAt.toString()})
        on conflict (tenant_id) do update set amount_minor = excluded.amount_minor, currency = excluded.currency, alert_at_percent = excluded.alert_at_percent,
          cap = excluded.cap, set_by = excluded.set_by, set_at = excluded.set_at`,
  )
}

export const deleteBudget = async (tx: Tx, tenantId: string): Promise<void> => {
  await query(tx, sql`delete from budgets where tenant_id = ${tenantId}`)
}

/** Which of these tenants have a budget. */
export const tenantsWithBudget = async (on: Db | Tx, tenantIds: readonly string[]): Promise<string[]> =>
  (
    await query<{ tenant_id: string }>(
      on,
      sql`select tenant_id from budgets where tenant_id = any(${[...tenantIds]}) order by tenant_id`,
    )
  ).map((row) => row.tenant_id)

/** All tenants with a budget, a page at a time. */
export const pageBudgets = async (on: Db | Tx, after: string, limit: number): Promise<string[]> =>
  (
    await query<{ tenant_id: string }>(
      on,
      sql`select tenant_id from budgets where tenant_id > ${after} order by tenant_id limit ${limit}`,
    )
  ).map((row) => row.tenant_id)

/** What was told of a budget in a usage period, lowest threshold first. */
export const findAlerts = async (
  on: Db | Tx,
  { tenantId, amountMinor, currency }: Pick<BudgetRecord, 'tenantId' | 'amountMinor' | 'currency'>,
  windowStart: Temporal.Instant,
): Promise<BudgetAlert[]> =>
  (
    await query<{ percent: number; cost_minor: bigint; told_at: string }>(
      on,
      sql`select percent, cost_minor, told_at from budget_alerts where tenant_id = ${tenantId} and window_start = ${windowStart.toString()}
            and amount_minor = ${amountMinor} and currency = ${currency} order by percent`,
    )
  ).map((row) => ({ percent: row.percent, costMinor: row.cost_minor, toldAt: instantOfRow(row.told_at) }))

/** True when nobody was told of it until now. */
export const insertAlert = async (
  tx: Tx,
  budget: Pick<BudgetRecord, 'tenantId' | 'amountMinor' | 'currency'>,
  windowStart: Temporal.Instant,
  alert: BudgetAlert,
): Promise<boolean> =>
  (
    await query(
      tx,
      sql`insert into budget_alerts (tenant_id, window_start, percent, amount_minor, currency, cost_minor, told_at)
          values (${budget.tenantId}, ${windowStart.toString()}, ${alert.percent}, ${budget.amountMinor}, ${budget.currency}, ${alert.costMinor}, ${alert.toldAt.toString()}) on conflict do nothing returning 1`,
    )
  ).length === 1

/** Whether a cap has refused something since a time. */
export const hasCapRefused = async (on: Db | Tx, tenantId: string, since: Temporal.Instant): Promise<boolean> =>
  (
    await query(
      on,
      sql`select from usage_refusals where tenant_id = ${tenantId} and code = 'spend_cap_reached' and recorded_at >= ${since.toString()}
          union all
          select from reservations r join reservation_items i using (tenant_id, reservation_id)
          where r.tenant_id = ${tenantId} and r.reserved_at >= ${since.toString()} and r.state = 'refused' and i.reason = 'spend_cap_reached' limit 1`,
    )
  ).length > 0
