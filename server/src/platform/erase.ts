import { type Db, query, queryOne, sql, type Tx } from './db.ts'

/** What takes the place of a name that was erased. */
export const erasedName = 'Deleted customer'

/**
 * Everything that goes when the retention of a customer has ended (PRV-1), as much as `batch` rows at a time. It cuts
 * across the tables of several parts, so that what goes can be read in one place: that is why it stands here and not in a
 * module. Each step says how many rows it took; 0 means that nothing is left, so it may be broken off and gone on with.
 */
export const erasures: Record<string, (tx: Tx, tenantId: string, batch: number) => Promise<number>> = {
  usageRecords: async (tx, tenantId, batch) =>
    (await queryOne<{ erased: number }>(tx, sql`select erase_usage(${tenantId}, ${batch}) as erased`))!.erased,
  usageArchives: async (tx, tenantId, batch) =>
    (await queryOne<{ erased: number }>(tx, sql`select erase_usage_archives(${tenantId}, ${batch}) as erased`))!.erased,
  usageCorrections: (tx, tenantId, batch) =>
    counted(
      tx,
      sql`with gone as (delete from usage_corrections where tenant_id = ${tenantId} and idempotency_key in
            (select idempotency_key from usage_corrections where tenant_id = ${tenantId} limit ${batch}) returning 1) select count(*)::int as n from gone`,
    ),
  usageImports: (tx, tenantId) =>
    counted(
      tx,
      sql`with gone as (delete from usage_imports where tenant_id = ${tenantId} returning 1) select count(*)::int as n from gone`,
    ),
  usageCounters: (tx, tenantId, batch) =>
    counted(
      tx,
      sql`with gone as (delete from usage_counters where tenant_id = ${tenantId} and (meter, span, window_start) in
            (select meter, span, window_start from usage_counters where tenant_id = ${tenantId} limit ${batch}) returning 1) select count(*)::int as n from gone`,
    ),
  usageSeen: (tx, tenantId, batch) =>
    counted(
      tx,
      sql`with gone as (delete from usage_seen where tenant_id = ${tenantId} and (meter, span, window_start, value_hash) in
            (select meter, span, window_start, value_hash from usage_seen where tenant_id = ${tenantId} limit ${batch}) returning 1) select count(*)::int as n from gone`,
    ),
  reservations: (tx, tenantId, batch) =>
    counted(
      tx,
      sql`with gone as (delete from reservations where tenant_id = ${tenantId} and reservation_id in
            (select reservation_id from reservations where tenant_id = ${tenantId} limit ${batch}) returning 1) select count(*)::int as n from gone`,
    ),
  usageRefusals: (tx, tenantId, batch) =>
    counted(
      tx,
      sql`with gone as (delete from usage_refusals where tenant_id = ${tenantId} and idempotency_key in
            (select idempotency_key from usage_refusals where tenant_id = ${tenantId} limit ${batch}) returning 1) select count(*)::int as n from gone`,
    ),
  checkRefusals: (tx, tenantId, batch) =>
    counted(
      tx,
      sql`with gone as (delete from check_refusals where tenant_id = ${tenantId} and (feature, reason, hour) in
            (select feature, reason, hour from check_refusals where tenant_id = ${tenantId} limit ${batch}) returning 1) select count(*)::int as n from gone`,
    ),
  checkDecisions: (tx, tenantId, batch) =>
    counted(
      tx,
      sql`with gone as (delete from check_decisions where tenant_id = ${tenantId} and decision_key in
            (select decision_key from check_decisions where tenant_id = ${tenantId} limit ${batch}) returning 1) select count(*)::int as n from gone`,
    ),
  webhooks: (tx, tenantId, batch) =>
    counted(
      tx,
      sql`with gone as (delete from webhook_inbox where webhook_id in
            (select webhook_id from webhook_inbox where tenant_id = ${tenantId} and state in ('applied', 'ignored', 'dead') limit ${batch}) returning 1) select count(*)::int as n from gone`,
    ),
  notices: (tx, tenantId, batch) =>
    counted(
      tx,
      sql`with gone as (delete from notices where tenant_id = ${tenantId} and notice_id in
            (select notice_id from notices where tenant_id = ${tenantId} limit ${batch}) returning 1) select count(*)::int as n from gone`,
    ),
  snapshots: (tx, tenantId, batch) =>
    counted(
      tx,
      sql`with gone as (delete from entitlement_snapshots where tenant_id = ${tenantId} and version in
            (select version from entitlement_snapshots where tenant_id = ${tenantId}
               and version < (select max(version) from entitlement_snapshots where tenant_id = ${tenantId}) limit ${batch}) returning 1) select count(*)::int as n from gone`,
    ),
  overrides: (tx, tenantId, batch) =>
    counted(
      tx,
      sql`with gone as (delete from overrides where tenant_id = ${tenantId} and override_id in
            (select override_id from overrides where tenant_id = ${tenantId} limit ${batch}) returning 1) select count(*)::int as n from gone`,
    ),
  pages: (tx, tenantId, batch) =>
    counted(
      tx,
      sql`with gone as (update checkouts set session_url = null, return_url = '', cancel_url = '' where tenant_id = ${tenantId} and checkout_id in
            (select checkout_id from checkouts where tenant_id = ${tenantId} and return_url <> '' and state in ('completed', 'failed', 'expired', 'canceled') limit ${batch}) returning 1)
          select count(*)::int as n from gone`,
    ),
  paymentMethods: (tx, tenantId) =>
    counted(
      tx,
      sql`with gone as (delete from payment_methods where tenant_id = ${tenantId} returning 1) select count(*)::int as n from gone`,
    ),
  exports: (tx, tenantId) =>
    counted(
      tx,
      sql`with gone as (delete from exports where tenant_id = ${tenantId} returning 1) select count(*)::int as n from gone`,
    ),
  owners: (tx, tenantId) =>
    counted(
      tx,
      sql`with transfers as (delete from owner_transfers where tenant_id = ${tenantId} returning 1), owners as (delete from billing_owners where tenant_id = ${tenantId} returning 1)
          select (select count(*) from transfers)::int + (select count(*) from owners)::int as n`,
    ),
  names: (tx, tenantId, batch) =>
    counted(
      tx,
      sql`with gone as (update outbox set data = data || jsonb_build_object('name', ${erasedName}::text) where tenant_id = ${tenantId} and sequence in
            (select sequence from outbox where tenant_id = ${tenantId} and type in ('customer.created', 'customer.updated') and data ->> 'name' <> ${erasedName} limit ${batch}) returning 1)
          select count(*)::int as n from gone`,
    ),
}

const counted = async (tx: Tx, statement: ReturnType<typeof sql>): Promise<number> =>
  (await queryOne<{ n: number }>(tx, statement))!.n

/** When the newest usage of a customer was reported; null without any. */
export const lastUsageOf = async (db: Db | Tx, tenantId: string): Promise<string | null> =>
  (
    await query<{ at: string | null }>(
      db,
      sql`select max(recorded_at) as at from usage_records where tenant_id = ${tenantId}`,
    )
  )[0]!.at
