import type { Override } from '@turnpike/contract'
import { instantOfRow, instantOfRowOrNull } from '../../core/period.ts'
import { type Db, query, queryOne, queryPrepared, sql, type Tx } from '../../platform/db.ts'
import type { OverrideInForce, SnapshotContent } from './resolve.ts'

export type StoredSnapshot = {
  customerId: string
  tenantId: string
  version: number
  effectiveFrom: Temporal.Instant
  cause: string
  content: SnapshotContent
}
type SnapshotRow = {
  tenant_id: string
  customer_id: string
  version: bigint
  effective_from: string
  cause: string
  content: SnapshotContent
}

const fromRow = (row: SnapshotRow): StoredSnapshot => ({
  tenantId: row.tenant_id,
  customerId: row.customer_id,
  version: Number(row.version),
  effectiveFrom: instantOfRow(row.effective_from),
  cause: row.cause,
  content: row.content,
})

/** The snapshot in force; null before the first. */
export const newestSnapshot = async (on: Db | Tx, tenantId: string): Promise<StoredSnapshot | null> => {
  const [row] = await queryPrepared<SnapshotRow>(
    on,
    'newest_snapshot',
    sql`select * from entitlement_snapshots where tenant_id = ${tenantId} order by version desc limit 1`,
  )
  return row ? fromRow(row) : null
}

/** The snapshots in force of several tenants, those that have one. */
export const newestSnapshots = async (on: Db | Tx, tenantIds: readonly string[]): Promise<StoredSnapshot[]> =>
  (
    await queryPrepared<SnapshotRow>(
      on,
      'newest_snapshots',
      sql`select s.* from unnest(${[...tenantIds]}::text[]) as t (tenant_id)
          cross join lateral (select * from entitlement_snapshots e where e.tenant_id = t.tenant_id order by e.version desc limit 1) s`,
    )
  ).map(fromRow)

/** The counting windows in force of several tenants, and the subscription that each is of. */
export const windowsInForce = async (
  on: Db | Tx,
  tenantIds: readonly string[],
): Promise<Map<string, Pick<SnapshotContent, 'window' | 'subscriptionId'>>> =>
  new Map(
    (
      await queryPrepared<{ tenant_id: string; window: SnapshotContent['window']; subscription_id: string | null }>(
        on,
        'windows_in_force',
        sql`select t.tenant_id, s.content -> 'window' as window, s.content ->> 'subscriptionId' as subscription_id from unnest(${[...tenantIds]}::text[]) as t (tenant_id)
            cross join lateral (select content from entitlement_snapshots e where e.tenant_id = t.tenant_id order by e.version desc limit 1) s`,
      )
    ).map((row) => [row.tenant_id, { window: row.window, subscriptionId: row.subscription_id }]),
  )

/** Snapshots of one tenant by their versions. */
export const findSnapshots = async (
  on: Db | Tx,
  tenantId: string,
  versions: readonly number[],
): Promise<StoredSnapshot[]> =>
  (
    await query<SnapshotRow>(
      on,
      sql`select * from entitlement_snapshots where tenant_id = ${tenantId} and version = any (${[...versions]}::bigint[])`,
    )
  ).map(fromRow)

/** What was in force at a past time (ENT-3). */
export const snapshotAt = async (
  on: Db | Tx,
  tenantId: string,
  at: Temporal.Instant,
): Promise<StoredSnapshot | null> => {
  const row = await queryOne<SnapshotRow>(
    on,
    sql`select * from entitlement_snapshots where tenant_id = ${tenantId} and effective_from <= ${at.toString()} order by version desc limit 1`,
  )
  return row && fromRow(row)
}

/** Versions only grow: a second writer of the same version fails, the customer's row keeps writers apart. */
export const insertSnapshot = async (tx: Tx, snapshot: StoredSnapshot, correlationId: string | null): Promise<void> => {
  await query(
    tx,
    sql`insert into entitlement_snapshots (tenant_id, customer_id, version, effective_from, valid_until, cause, correlation_id, content)
        values (${snapshot.tenantId}, ${snapshot.customerId}, ${snapshot.version}, ${snapshot.effectiveFrom.toString()}, ${snapshot.content.validUntil}, ${snapshot.cause}, ${correlationId}, ${JSON.stringify(snapshot.content)})`,
  )
}

export type OverrideRecord = OverrideInForce & {
  tenantId: string
  reason: string
  actor: string
  state: Override['state']
  /** Until when a waiting one can be decided. */
  requestExpiresAt: Temporal.Instant | null
  decidedBy: string | null
  decidedAt: Temporal.Instant | null
  decisionReason: string | null
}
type OverrideRow = {
  tenant_id: string
  override_id: string
  feature: string
  setting: OverrideInForce['set']
  reason: string
  actor: string
  created_at: string
  expires_at: string | null
  withdrawn_at: string | null
  state: Override['state']
  request_expires_at: string | null
  decided_by: string | null
  decided_at: string | null
  decision_reason: string | null
}

const overrideFromRow = (row: OverrideRow): OverrideRecord => ({
  tenantId: row.tenant_id,
  overrideId: row.override_id,
  feature: row.feature,
  set: row.setting,
  reason: row.reason,
  actor: row.actor,
  createdAt: instantOfRow(row.created_at),
  expiresAt: instantOfRowOrNull(row.expires_at),
  withdrawnAt: instantOfRowOrNull(row.withdrawn_at),
  state: row.state,
  requestExpiresAt: instantOfRowOrNull(row.request_expires_at),
  decidedBy: row.decided_by,
  decidedAt: instantOfRowOrNull(row.decided_at),
  decisionReason: row.decision_reason,
})

export const insertOverride = async (tx: Tx, override: OverrideRecord): Promise<void> => {
  await query(
    tx,
    sql`insert into overrides (tenant_id, override_id, feature, setting, reason, actor, created_at, expires_at, state, request_expires_at)
        values (${override.tenantId}, ${override.overrideId}, ${override.feature}, ${JSON.stringify(override.set)}, ${override.reason}, ${override.actor}, ${override.createdAt.toString()}, ${override.expiresAt?.toString() ?? null}, ${override.state}, ${override.requestExpiresAt?.toString() ?? null})`,
  )
}

/**
 * Overrides that were in force at some time, newest first: approved ones only, however they were asked for (ENT-2). One that
 * waited counts from its approval on, never from before.
 */
export const findOverrides = async (on: Db | Tx, tenantId: string): Promise<OverrideRecord[]> =>
  (await listOverrides(on, tenantId))
    .filter((override) => override.state === 'approved')
    .map((override) => ({ ...override, createdAt: override.decidedAt ?? override.createdAt }))
    .sort((a, b) => Temporal.Instant.compare(b.createdAt, a.createdAt))

/** All overrides and requests for one, newest first. */
export const listOverrides = async (on: Db | Tx, tenantId: string): Promise<OverrideRecord[]> =>
  (
    await query<OverrideRow>(
      on,
      sql`select * from overrides where tenant_id = ${tenantId} order by created_at desc, override_id desc`,
    )
  ).map(overrideFromRow)

export const findOverrideById = async (on: Db | Tx, overrideId: string): Promise<OverrideRecord | null> => {
  const row = await queryOne<OverrideRow>(on, sql`select * from overrides where override_id = ${overrideId}`)
  return row && overrideFromRow(row)
}

/** Writes down who decided a waiting override, and how. */
export const saveDecision = async (tx: Tx, override: OverrideRecord): Promise<void> => {
  await query(
    tx,
    sql`update overrides set state = ${override.state}, decided_by = ${override.decidedBy}, decided_at = ${override.decidedAt?.toString() ?? null}, decision_reason = ${override.decisionReason}
        where tenant_id = ${override.tenantId} and override_id = ${override.overrideId} and state = 'waiting_for_approval'`,
  )
}

/** Requests for an override that nobody decided in time. */
export const lateRequests = async (db: Db, at: Temporal.Instant, limit: number): Promise<OverrideRecord[]> =>
  (
    await query<OverrideRow>(
      db,
      sql`select * from overrides where state = 'waiting_for_approval' and withdrawn_at is null and request_expires_at <= ${at.toString()} order by request_expires_at limit ${limit}`,
    )
  ).map(overrideFromRow)

/** Requests of everybody that can still be decided, the next to lapse first. */
export const waitingRequests = async (db: Db, at: Temporal.Instant, limit: number): Promise<OverrideRecord[]> =>
  (
    await query<OverrideRow>(
      db,
      sql`select * from overrides where state = 'waiting_for_approval' and withdrawn_at is null and request_expires_at > ${at.toString()} order by request_expires_at limit ${limit}`,
    )
  ).map(overrideFromRow)

/** A second withdrawal keeps the first time. */
export const withdrawOverride = async (
  tx: Tx,
  tenantId: string,
  overrideId: string,
  at: Temporal.Instant,
): Promise<void> => {
  await query(
    tx,
    sql`update overrides set withdrawn_at = ${at.toString()} where tenant_id = ${tenantId} and override_id = ${overrideId} and withdrawn_at is null`,
  )
}

/** Counts checks that answered no (ENT-7). */
export const addCheckRefusals = async (
  db: Db,
  refusals: { tenantId: string; feature: string; reason: string; hour: string; attempts: number }[],
): Promise<void> => {
  await query(
    db,
    sql`insert into check_refusals (tenant_id, feature, reason, hour, attempts)
        select tenant_id, feature, reason, hour, attempts from jsonb_to_recordset(${JSON.stringify(refusals.map((r) => ({ tenant_id: r.tenantId, feature: r.feature, reason: r.reason, hour: r.hour, attempts: r.attempts })))}::jsonb)
          as r (tenant_id text, feature text, reason text, hour timestamptz, attempts bigint) order by 1, 2, 3, 4
        on conflict (tenant_id, feature, reason, hour) do update set attempts = check_refusals.attempts + excluded.attempts`,
  )
}
