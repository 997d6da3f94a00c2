import type { ReconciliationPhase } from '@turnpike/contract'
import { instantOfRow, instantOfRowOrNull } from '../../core/period.ts'
import { type Db, query, queryOne, type Sql, sql, type Tx } from '../../platform/db.ts'
import { presentProcesses } from '../../platform/notify.ts'
import type { FindingRecord, PhaseProgress, RunRecord } from './finding.ts'

type RunRow = {
  run_id: string
  scope: RunRecord['scope']
  tenant_id: string | null
  state: RunRecord['state']
  phase: ReconciliationPhase | null
  cursor: string | null
  progress: PhaseProgress[]
  found: number
  repaired: number
  waits_for: 'provider' | null
  started_by: string
  started_at: string
  finished_at: string | null
  failure: string | null
}

const runOf = (row: RunRow): RunRecord => ({
  runId: row.run_id,
  scope: row.scope,
  tenantId: row.tenant_id,
  state: row.state,
  phase: row.phase,
  cursor: row.cursor,
  progress: row.progress,
  found: row.found,
  repaired: row.repaired,
  waitsFor: row.waits_for,
  startedBy: row.started_by,
  startedAt: instantOfRow(row.started_at),
  finishedAt: instantOfRowOrNull(row.finished_at),
  failure: row.failure,
})

/** False when a run of this scope is under way already. */
export const insertRun = async (tx: Tx, run: RunRecord): Promise<boolean> =>
  (
    await query(
      tx,
      sql`insert into reconciliation_runs (run_id, scope, tenant_id, state, phase, started_by, started_at)
          values (${run.runId}, ${run.scope}, ${run.tenantId}, ${run.state}, ${run.phase}, ${run.startedBy}, ${run.startedAt.toString()}) on conflict do nothing returning run_id`,
    )
  ).length === 1

export const findRunUnderWay = async (
  on: Db | Tx,
  scope: RunRecord['scope'],
  tenantId: string | null,
): Promise<RunRecord | null> => {
  const row = await queryOne<RunRow>(
    on,
    sql`select * from reconciliation_runs where scope = ${scope} and coalesce(tenant_id, '') = ${tenantId ?? ''} and state = 'running'`,
  )
  return row && runOf(row)
}

export const findRun = async (on: Db | Tx, runId: string): Promise<RunRecord | null> => {
  const row = await queryOne<RunRow>(on, sql`select * from reconciliation_runs where run_id = ${runId}`)
  return row && runOf(row)
}

/** Newest first. */
export const listRuns = async (
  db: Db,
  page: { tenantId: string | null; before: string | null; limit: number },
): Promise<RunRecord[]> =>
  (
    await query<RunRow>(
      db,
      sql`select * from reconciliation_runs where (${page.tenantId}::text is null or tenant_id = ${page.tenantId}) 
            and (${page.before}::text is null or (started_at, run_id) < (select started_at, run_id from reconciliation_runs where run_id = ${page.before}))
          order by started_at desc, run_id desc limit ${page.limit}`,
    )
  ).map(runOf)

const isFree = (at: Temporal.Instant): Sql =>
  sql`(leased_until < ${at.toString()} or holder <> all (${presentProcesses}))`

/** Runs that nobody works on, the smallest first: one customer does not wait for everybody. */
export const runsToContinue = async (db: Db, at: Temporal.Instant): Promise<string[]> =>
  (
    await query<{ run_id: string }>(
      db,
      sql`select run_id from reconciliation_runs where state = 'running' and ${isFree(at)} order by scope = 'all', started_at limit 20`,
    )
  ).map((row) => row.run_id)

/** Takes a run in hand; null when somebody else has it or it is over. */
export const takeRun = async (
  db: Db,
  runId: string,
  holder: number,
  at: Temporal.Instant,
  seconds: number,
): Promise<{ run: RunRecord; fence: bigint } | null> => {
  const row = await queryOne<RunRow & { fence: bigint }>(
    db,
    sql`update reconciliation_runs set fence = fence + 1, holder = ${holder}, leased_until = ${at.add({ seconds }).toString()}
        where run_id = ${runId} and state = 'running' and ${isFree(at)} returning *`,
  )
  return row && { run: runOf(row), fence: row.fence }
}

/** Keeps a run's place and the lease for the next page; false when it was stopped or taken over meanwhile. */
export const saveRun = async (tx: Tx, run: RunRecord, fence: bigint, leasedUntil: Temporal.Instant): Promise<boolean> =>
  (
    await query(
      tx,
      sql`update reconciliation_runs set state = ${run.state}, phase = ${run.phase}, cursor = ${run.cursor === null ? null : JSON.stringify(run.cursor)}, progress = ${JSON.stringify(run.progress)},
            found = ${run.found}, repaired = ${run.repaired}, waits_for = ${run.waitsFor}, finished_at = ${run.finishedAt?.toString() ?? null}, failure = ${run.failure}, leased_until = ${leasedUntil.toString()}
          where run_id = ${run.runId} and fence = ${fence} and state = 'running' returning run_id`,
    )
  ).length === 1

export const saveCounts = async (tx: Tx, run: RunRecord, fence: bigint): Promise<void> => {
  await query(
    tx,
    sql`update reconciliation_runs set found = ${run.found}, repaired = ${run.repaired} where run_id = ${run.runId} and fence = ${fence}`,
  )
}

export const leaveRun = async (db: Db, runId: string, fence: bigint): Promise<void> => {
  await query(
    db,
    sql`update reconciliation_runs set leased_until = '-infinity' where run_id = ${runId} and fence = ${fence}`,
  )
}

/** True when it was running until now. */
export const stopRun = async (tx: Tx, runId: string, at: Temporal.Instant): Promise<boolean> =>
  (
    await query(
      tx,
      sql`update reconciliation_runs set state = 'stopped', finished_at = ${at.toString()}, waits_for = null where run_id = ${runId} and state = 'running' returning run_id`,
    )
  ).length === 1

export type SeenKind = 'subscription' | 'invoice' | 'customer'

export const markSeen = async (tx: Tx, runId: string, kind: SeenKind, objects: readonly string[]): Promise<void> => {
  if (objects.length === 0) return
  await query(
    tx,
    sql`insert into reconciliation_seen (run_id, kind, object) select ${runId}, ${kind}, unnest(${[...new Set(objects)]}::text[]) on conflict do nothing`,
  )
}

/** Those of the objects that the run has not met at the provider. */
export const unseen = async (db: Db, runId: string, kind: SeenKind, objects: readonly string[]): Promise<Set<string>> =>
  new Set(
    (
      await query<{ object: string }>(
        db,
        sql`select o.object from unnest(${[...objects]}::text[]) as o (object)
            where not exists (select from reconciliation_seen s where s.run_id = ${runId} and s.kind = ${kind} and s.object = o.object)`,
      )
    ).map((row) => row.object),
  )

/** Whom to look at again: a tenant, or a customer of the provider whom nobody here owns. */
export type Suspect = { tenantId: string | null; providerCustomerId: string | null }

export const addSuspects = async (tx: Tx, runId: string, suspects: readonly Suspect[]): Promise<void> => {
  if (suspects.length === 0) return
  await query(
    tx,
    sql`insert into reconciliation_suspects (run_id, tenant_id, provider_customer_id)
        select ${runId}, t, c from unnest(${suspects.map((suspect) => suspect.tenantId ?? '')}::text[], ${suspects.map((suspect) => (suspect.tenantId === null ? (suspect.providerCustomerId ?? '') : ''))}::text[]) as s (t, c)
        on conflict do nothing`,
  )
}

/** Everybody with an open finding, so that what went by itself is told. */
export const suspectOpenFindings = async (tx: Tx, runId: string): Promise<void> => {
  await query(
    tx,
    sql`insert into reconciliation_suspects (run_id, tenant_id, provider_customer_id)
        select distinct ${runId}, coalesce(tenant_id, ''), case when tenant_id is null then object else '' end from findings
        where state = 'open' and (tenant_id is not null or kind = 'provider_customer_unlinked') on conflict do nothing`,
  )
}

export const nextSuspects = async (db: Db, runId: string, limit: number): Promise<Suspect[]> =>
  (
    await query<{ tenant_id: string; provider_customer_id: string }>(
      db,
      sql`select tenant_id, provider_customer_id from reconciliation_suspects where run_id = ${runId} order by tenant_id, provider_customer_id limit ${limit}`,
    )
  ).map((row) => ({ tenantId: row.tenant_id || null, providerCustomerId: row.provider_customer_id || null }))

export const countSuspects = async (db: Db, runId: string): Promise<number> =>
  Number(
    (await queryOne<{ n: bigint }>(db, sql`select count(*) as n from reconciliation_suspects where run_id = ${runId}`))!
      .n,
  )

export const removeSuspects = async (tx: Tx, runId: string, suspects: readonly Suspect[]): Promise<void> => {
  await query(
    tx,
    sql`delete from reconciliation_suspects r using unnest(${suspects.map((suspect) => suspect.tenantId ?? '')}::text[], ${suspects.map((suspect) => (suspect.tenantId === null ? (suspect.providerCustomerId ?? '') : ''))}::text[]) as s (t, c)
        where r.run_id = ${runId} and r.tenant_id = s.t and r.provider_customer_id = s.c`,
  )
}

/** What a run remembers only while it runs. */
export const forgetWorkings = async (tx: Tx, runId: string): Promise<void> => {
  await query(tx, sql`delete from reconciliation_seen where run_id = ${runId}`)
  await query(tx, sql`delete from reconciliation_suspects where run_id = ${runId}`)
}

type FindingRow = {
  tenant_id: string | null
  finding_id: string
  kind: FindingRecord['kind']
  object: string
  here: FindingRecord['here']
  there: FindingRecord['there']
  repair: FindingRecord['repair']
  state: FindingRecord['state']
  first_seen_at: string
  last_seen_at: string
  closed_at: string | null
  closed_by: string | null
  reason: string | null
  first_run_id: string | null
  last_run_id: string | null
}

const findingOf = (row: FindingRow): FindingRecord => ({
  tenantId: row.tenant_id,
  findingId: row.finding_id,
  kind: row.kind,
  object: row.object,
  here: row.here,
  there: row.there,
  repair: row.repair,
  state: row.state,
  firstSeenAt: instantOfRow(row.first_seen_at),
  lastSeenAt: instantOfRow(row.last_seen_at),
  closedAt: instantOfRowOrNull(row.closed_at),
  closedBy: row.closed_by,
  reason: row.reason,
  firstRunId: row.first_run_id,
  lastRunId: row.last_run_id,
})

/** Findings that are open or accepted, of a tenant or of nobody, of some kinds. Kept from other writers until the transaction ends. */
export const lockStandingFindings = async (
  tx: Tx,
  tenantId: string | null,
  kinds: readonly string[],
): Promise<FindingRecord[]> =>
  (
    await query<FindingRow>(
      tx,
      sql`select * from findings where coalesce(tenant_id, '') = ${tenantId ?? ''} and kind = any(${[...kinds]}) and state in ('open', 'accepted') order by finding_id for update`,
    )
  ).map(findingOf)

export const lockFinding = async (tx: Tx, findingId: string): Promise<FindingRecord | null> => {
  const row = await queryOne<FindingRow>(tx, sql`select * from findings where finding_id = ${findingId} for update`)
  return row && findingOf(row)
}

export const findFinding = async (on: Db | Tx, findingId: string): Promise<FindingRecord | null> => {
  const row = await queryOne<FindingRow>(on, sql`select * from findings where finding_id = ${findingId}`)
  return row && findingOf(row)
}

/** Writes the whole record; two looks that find the same at once make one. */
export const saveFinding = async (tx: Tx, f: FindingRecord): Promise<void> => {
  await query(
    tx,
    sql`insert into findings (tenant_id, finding_id, kind, object, here, there, repair, state, first_seen_at, last_seen_at, closed_at, closed_by, reason, first_run_id, last_run_id)
        values (${f.tenantId}, ${f.findingId}, ${f.kind}, ${f.object}, ${json(f.here)}, ${json(f.there)}, ${f.repair}, ${f.state}, ${f.firstSeenAt.toString()}, ${f.lastSeenAt.toString()},
          ${f.closedAt?.toString() ?? null}, ${f.closedBy}, ${f.reason}, ${f.firstRunId}, ${f.lastRunId})
        on conflict (finding_id) do update set here = excluded.here, there = excluded.there, repair = excluded.repair, state = excluded.state, last_seen_at = excluded.last_seen_at,
          closed_at = excluded.closed_at, closed_by = excluded.closed_by, reason = excluded.reason, last_run_id = excluded.last_run_id`,
  )
}

const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value))

/** Newest first. */
export const listFindings = async (
  db: Db,
  page: { tenantId: string | null; kind: string | null; state: string | null; before: string | null; limit: number },
): Promise<FindingRecord[]> =>
  (
    await query<FindingRow>(
      db,
      sql`select * from findings where (${page.tenantId}::text is null or tenant_id = ${page.tenantId}) and (${page.kind}::text is null or kind = ${page.kind})
            and (${page.state}::text is null or state = ${page.state}) and (${page.before}::text is null or finding_id < ${page.before})
          order by finding_id desc limit ${page.limit}`,
    )
  ).map(findingOf)

export type FindingFigures = {
  openByKind: Record<string, number>
  oldestOpenAt: Temporal.Instant | null
  firstSeen: number
  medianSecondsToCorrect: number | null
  customers: number
  lastRunFinishedAt: Temporal.Instant | null
  lastFullRunFinishedAt: Temporal.Instant | null
}

/** Counts for alerts (REC-4): what is open now, and what was seen and corrected since a time. */
export const findingFigures = async (db: Db, since: Temporal.Instant): Promise<FindingFigures> => {
  const open = await query<{ kind: string; n: bigint; oldest: string }>(
    db,
    sql`select kind, count(*) as n, min(first_seen_at) as oldest from findings where state = 'open' group by kind`,
  )
  const sums = (await queryOne<{
    seen: bigint
    median: number | null
    customers: bigint
    last_run: string | null
    last_full: string | null
  }>(
    db,
    sql`select (select count(*) from findings where first_seen_at >= ${since.toString()}) as seen,
          (select percentile_cont(0.5) within group (order by extract(epoch from closed_at - first_seen_at))::float8 from findings where state in ('repaired', 'gone') and closed_at >= ${since.toString()}) as median,
          (select count(*) from customers) as customers,
          (select max(finished_at) from reconciliation_runs where state = 'done') as last_run,
          (select max(finished_at) from reconciliation_runs where state = 'done' and scope = 'all') as last_full`,
  ))!
  return {
    openByKind: Object.fromEntries(open.map((row) => [row.kind, Number(row.n)])),
    oldestOpenAt: open.map((row) => instantOfRow(row.oldest)).sort(Temporal.Instant.compare)[0] ?? null,
    firstSeen: Number(sums.seen),
    medianSecondsToCorrect: sums.median,
    customers: Number(sums.customers),
    lastRunFinishedAt: instantOfRowOrNull(sums.last_run),
    lastFullRunFinishedAt: instantOfRowOrNull(sums.last_full),
  }
}
