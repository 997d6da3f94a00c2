import { DatabaseSync } from 'node:sqlite'
import type { Budget, EventEnvelope, GatewaySnapshot, RoutingPolicy } from '@turnpike/contract'

/** What one event did. `gap`: an earlier event of this customer is missing, nothing was changed. */
export type Applied =
  | { outcome: 'applied'; budget: Budget | null }
  | { outcome: 'duplicate' }
  | { outcome: 'gap'; expected: number }

export type Gap = { tenantId: string; expected: number; received: number; detectedAt: string; healedAt: string | null }

export type Store = ReturnType<typeof openStore>

const schemaVersion = 1
// `budgets` and `routing_policies` are the published tables, for anybody who reads the file; how far each customer's
// events have been applied is the replica's own business and stays beside them.
const schema = `
  create table budgets (
    tenant_id text primary key, subscription_id text, plan_id text not null, total_budget real,
    current_spend real not null, period_start text not null, period_end text not null
  ) strict, without rowid;
  create table routing_policies (
    id text not null, plan_id text not null, priority integer not null, match_expression text not null,
    strategy text not null, targets text not null, primary key (plan_id, id)
  ) strict, without rowid;
  create table budget_sequences (
    tenant_id text primary key, customer_id text not null, feature text,
    event_sequence integer not null, budget_sequence integer not null
  ) strict, without rowid;
  create table replica_state (only_row integer primary key check (only_row = 1), position text not null) strict;
  create table gaps (
    tenant_id text not null, expected integer not null, received integer not null,
    detected_at text not null, healed_at text, primary key (tenant_id, expected)
  ) strict, without rowid;
  pragma user_version = ${schemaVersion};
`

/**
 * The replica's file: the only place with its SQL. Every change is one transaction together with the position that it was
 * made at, so that a process that is killed goes on exactly where its tables are (EVT-4).
 */
export const openStore = (file: string) => {
  const db = new DatabaseSync(file)
  db.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma busy_timeout = 5000')
  prepareSchema(db)

  const readPosition = db.prepare('select position from replica_state')
  const writePosition = db.prepare('insert or replace into replica_state (only_row, position) values (1, ?)')
  const readSequences = db.prepare(
    'select event_sequence as event, budget_sequence as budget from budget_sequences where tenant_id = ?',
  )
  const writeSequences = db.prepare(
    `insert into budget_sequences (tenant_id, customer_id, feature, event_sequence, budget_sequence)
     values (?, ?, ?, ?, ?) on conflict (tenant_id) do update set customer_id = excluded.customer_id,
     feature = excluded.feature, event_sequence = excluded.event_sequence, budget_sequence = excluded.budget_sequence`,
  )
  const advanceEvent = db.prepare('update budget_sequences set event_sequence = ? where tenant_id = ?')
  const writeBudget = db.prepare('insert or replace into budgets values (?, ?, ?, ?, ?, ?, ?)')
  const writePolicy = db.prepare('insert or replace into routing_policies values (?, ?, ?, ?, ?, ?)')
  const writeGap = db.prepare('insert or ignore into gaps values (?, ?, ?, ?, null)')
  const healGaps = db.prepare(
    'update gaps set healed_at = ? where tenant_id = ? and received <= ? and healed_at is null',
  )

  const transact = <T>(work: () => T): T => {
    db.exec('begin immediate')
    try {
      const result = work()
      db.exec('commit')
      return result
    } catch (error) {
      if (db.isTransaction) db.exec('rollback')
      throw error
    }
  }

  const putBudget = (budget: Budget, eventSequence: number): void => {
    const { tenantId, customerId, subscriptionId, planId, feature, totalBudget, currentSpend, periodStart, periodEnd } =
      budget
    writeBudget.run(tenantId, subscriptionId, planId, totalBudget, currentSpend, periodStart, periodEnd)
    writeSequences.run(tenantId, customerId, feature, eventSequence, budget.sequence)
  }
  const putPolicies = (policies: RoutingPolicy[]): void => {
    db.exec('delete from routing_policies')
    for (const { id, planId, priority, matchExpression, strategy, targets } of policies) {
      writePolicy.run(id, planId, priority, matchExpression, strategy, JSON.stringify(targets))
    }
  }
  const sequencesOf = (tenantId: string) => readSequences.get(tenantId) as { event: number; budget: number } | undefined

  return {
    /** Where to go on; null before the first snapshot. */
    position: (): string | null => (readPosition.get()?.position as string | undefined) ?? null,

    /** Begins anew from a whole snapshot. */
    install: (snapshot: Omit<GatewaySnapshot, 'cursor'>): void =>
      transact(() => {
        db.exec('delete from budgets; delete from budget_sequences')
        for (const budget of snapshot.budgets) putBudget(budget, budget.sequence)
        putPolicies(snapshot.routingPolicies)
        writePosition.run(snapshot.position)
      }),

    /**
     * Applies one event, once and in order. A duplicate changes nothing, the position included. `force` takes the event
     * although earlier ones are missing: the last resort when no snapshot has them either.
     */
    apply: (event: EventEnvelope, force = false): Applied =>
      transact(() => {
        const known = sequencesOf(event.tenantid)
        const expected = (known?.event ?? 0) + 1
        if (event.sequence < expected) return { outcome: 'duplicate' }
        if (event.sequence > expected && !force) return { outcome: 'gap', expected }
        const budget = budgetOf(event)
        // A row may run ahead of its event when one transaction published several; an older row never replaces it.
        const newer = budget !== null && budget.sequence >= (known?.budget ?? 0)
        if (newer) putBudget(budget, event.sequence)
        else advanceEvent.run(event.sequence, event.tenantid)
        writePosition.run(event.position)
        return { outcome: 'applied', budget: newer ? budget : null }
      }),

    recordGap: (gap: { tenantId: string; expected: number; received: number; at: string }): boolean =>
      writeGap.run(gap.tenantId, gap.expected, gap.received, gap.at).changes > 0,

    /** Replaces one customer's row by a snapshot's, unless the events have been applied further than that. */
    heal: (budget: Budget, at: string): boolean =>
      transact(() => {
        // A snapshot just short of the event is enough: the event itself carries on from there.
        healGaps.run(at, budget.tenantId, budget.sequence + 1)
        if (budget.sequence < (sequencesOf(budget.tenantId)?.event ?? 0)) return false
        putBudget(budget, budget.sequence)
        return true
      }),

    replacePolicies: (policies: RoutingPolicy[]): void => transact(() => putPolicies(policies)),

    budgets: (): Budget[] =>
      db
        .prepare(
          `select tenant_id as tenantId, customer_id as customerId, subscription_id as subscriptionId, plan_id as planId,
                  feature, total_budget as totalBudget, current_spend as currentSpend, period_start as periodStart,
                  period_end as periodEnd, budget_sequence as sequence
           from budgets join budget_sequences using (tenant_id)`,
        )
        .all() as unknown as Budget[],

    policies: (): RoutingPolicy[] =>
      db
        .prepare(
          `select id, plan_id as planId, priority, match_expression as matchExpression, strategy, targets
           from routing_policies order by plan_id, priority, id`,
        )
        .all()
        .map((row) => ({ ...row, targets: JSON.parse(row.targets as string) }) as unknown as RoutingPolicy),

    gaps: (): Gap[] =>
      db
        .prepare(
          `select tenant_id as tenantId, expected, received, detected_at as detectedAt, healed_at as healedAt from gaps`,
        )
        .all() as unknown as Gap[],

    close: (): void => db.close(),
  }
}

/** Not every event changes a budget; those that do carry the whole row. */
const budgetOf = (event: EventEnvelope): Budget | null => (event.data.budget as Budget | undefined) ?? null

/** A file of another version holds nothing that a snapshot does not give again. */
const prepareSchema = (db: DatabaseSync): void => {
  const version = db.prepare('pragma user_version').get()?.user_version
  if (version === schemaVersion) return
  db.exec('begin immediate')
  for (const table of ['budgets', 'routing_policies', 'budget_sequences', 'replica_state', 'gaps']) {
    db.exec(`drop table if exists ${table}`)
  }
  db.exec(schema)
  db.exec('commit')
}
