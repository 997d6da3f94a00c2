import { instantOfRow, instantOfRowOrNull } from '../../core/period.ts'
import { type Db, query, queryOne, sql, type Tx } from '../../platform/db.ts'
import type { OwnerRecord, OwnerTransferRecord } from './owner-transfer.ts'

export type CustomerRecord = {
  tenantId: string
  customerId: string
  name: string
  email: string | null
  currency: string
  /** Where the customer's days, weeks, months and years begin (ENT-6). */
  timeZone: string
  createdAt: Temporal.Instant
  updatedAt: Temporal.Instant
}

type Row = {
  tenant_id: string
  customer_id: string
  name: string
  email: string | null
  currency: string
  time_zone: string
  created_at: string
  updated_at: string
}

const fromRow = (row: Row): CustomerRecord => ({
  tenantId: row.tenant_id,
  customerId: row.customer_id,
  name: row.name,
  email: row.email,
  currency: row.currency,
  timeZone: row.time_zone,
  createdAt: instantOfRow(row.created_at),
  updatedAt: instantOfRow(row.updated_at),
})

/** Inserts; false when the tenant has a customer already (CUS-1). */
export const insertCustomer = async (tx: Tx, customer: CustomerRecord): Promise<boolean> => {
  const rows = await query(
    tx,
    sql`insert into customers (tenant_id, customer_id, name, email, currency, time_zone, created_at, updated_at)
        values (${customer.tenantId}, ${customer.customerId}, ${customer.name}, ${customer.email}, ${customer.currency}, ${customer.timeZone}, ${customer.createdAt.toString()}, ${customer.updatedAt.toString()})
        on conflict do nothing returning tenant_id`,
  )
  return rows.length === 1
}

/** Takes the customer's row for this transaction: every flow that changes a customer does this first. */
export const lockCustomer = async (tx: Tx, tenantId: string): Promise<CustomerRecord | null> => {
  const row = await queryOne<Row>(tx, sql`select * from customers where tenant_id = ${tenantId} for update`)
  return row && fromRow(row)
}

/**
 * Takes the rows of several customers, in the order of their names. Those that another transaction holds are left out:
 * whoever works through many comes by again.
 */
export const lockFreeCustomers = async (tx: Tx, tenantIds: readonly string[]): Promise<CustomerRecord[]> =>
  (
    await query<Row>(
      tx,
      sql`select * from customers where tenant_id = any(${[...tenantIds]}) order by tenant_id for update skip locked`,
    )
  ).map(fromRow)

/** The time zones in which days of several customers begin. */
export const timeZonesOf = async (on: Db | Tx, tenantIds: readonly string[]): Promise<Map<string, string>> =>
  new Map(
    (
      await query<{ tenant_id: string; time_zone: string }>(
        on,
        sql`select tenant_id, time_zone from customers where tenant_id = any(${[...tenantIds]})`,
      )
    ).map((row) => [row.tenant_id, row.time_zone]),
  )

export const findCustomer = async (on: Db | Tx, tenantId: string): Promise<CustomerRecord | null> => {
  const row = await queryOne<Row>(on, sql`select * from customers where tenant_id = ${tenantId}`)
  return row && fromRow(row)
}

export const findCustomerById = async (on: Db | Tx, customerId: string): Promise<CustomerRecord | null> => {
  const row = await queryOne<Row>(on, sql`select * from customers where customer_id = ${customerId}`)
  return row && fromRow(row)
}

export const updateCustomer = async (tx: Tx, customer: CustomerRecord): Promise<void> => {
  await query(
    tx,
    sql`update customers set name = ${customer.name}, email = ${customer.email}, time_zone = ${customer.timeZone}, updated_at = ${customer.updatedAt.toString()} where tenant_id = ${customer.tenantId}`,
  )
}

/** Where a customer's calendar windows begin. */
export const timeZoneOf = async (on: Db | Tx, tenantId: string): Promise<string> =>
  (await queryOne<{ time_zone: string }>(on, sql`select time_zone from customers where tenant_id = ${tenantId}`))
    ?.time_zone ?? 'UTC'

/** Newest first; `search` looks into names, e-mails and our ids, or finds one exactly by the provider's id. */
export const listCustomers = async (
  on: Db | Tx,
  page: { search: string | null; after: { at: string; tenantId: string } | null; limit: number },
): Promise<CustomerRecord[]> => {
  const like = page.search === null ? null : `%${page.search.replace(/[\\%_]/g, '\\$&')}%`
  const rows = await query<Row>(
    on,
    sql`select * from customers c
        where (${like}::text is null or c.name ilike ${like} or c.email ilike ${like} or c.tenant_id ilike ${like} or c.customer_id = ${page.search}
               or exists (select from provider_customers p where p.tenant_id = c.tenant_id and p.provider_customer_id = ${page.search})
               or exists (select from subscriptions s where s.tenant_id = c.tenant_id and (s.subscription_id = ${page.search} or s.provider_subscription_id = ${page.search})))
          and (${page.after === null} or (c.created_at, c.tenant_id) < (${page.after?.at ?? null}::timestamptz, ${page.after?.tenantId ?? null}))
        order by c.created_at desc, c.tenant_id desc limit ${page.limit}`,
  )
  return rows.map(fromRow)
}

/** Remembers with which catalog the entitlements were resolved; writes only when that is another one. */
export const markResolved = async (
  tx: Tx,
  tenantId: string,
  catalogVersion: number,
  validUntil: string | null,
): Promise<void> => {
  await query(
    tx,
    sql`update customers set resolved_catalog = ${catalogVersion}, resolved_until = ${validUntil}
        where tenant_id = ${tenantId} and (resolved_catalog, resolved_until) is distinct from (${catalogVersion}::int, ${validUntil}::timestamptz)`,
  )
}

/** Tenants whose newest snapshot has run out, the longest ago first: a new one and its event are due. */
export const tenantsResolvedUntil = async (db: Db, at: Temporal.Instant, limit: number): Promise<string[]> =>
  (
    await query<{ tenant_id: string }>(
      db,
      sql`select tenant_id from customers where resolved_until <= ${at.toString()} order by resolved_until limit ${limit}`,
    )
  ).map((row) => row.tenant_id)

/** All tenants in the order of their names, a page at a time, with the catalog that their entitlements were resolved with. */
export const pageTenants = async (
  on: Db | Tx,
  after: string,
  limit: number,
): Promise<{ tenantId: string; resolvedCatalog: number }[]> =>
  (
    await query<{ tenant_id: string; resolved_catalog: number | bigint }>(
      on,
      sql`select tenant_id, resolved_catalog from customers where tenant_id > ${after} order by tenant_id limit ${limit}`,
    )
  ).map((row) => ({ tenantId: row.tenant_id, resolvedCatalog: Number(row.resolved_catalog) }))

/** One share of all tenants: the same tenants each time. */
export const sampleTenants = async (
  db: Db,
  { share, of }: { share: number; of: number },
  after: string,
  limit: number,
): Promise<string[]> =>
  (
    await query<{ tenant_id: string }>(
      db,
      sql`select tenant_id from customers where tenant_id > ${after} and mod(abs(hashtext(tenant_id)::bigint), ${of}) = ${share} order by tenant_id limit ${limit}`,
    )
  ).map((row) => row.tenant_id)

export const countCustomers = async (on: Db | Tx): Promise<number> =>
  Number((await queryOne<{ n: bigint }>(on, sql`select count(*) as n from customers`))!.n)

/** The catalog that a tenant's entitlements were resolved with. */
export const resolvedCatalogOf = async (on: Db | Tx, tenantId: string): Promise<number | null> => {
  const row = await queryOne<{ resolved_catalog: number | bigint }>(
    on,
    sql`select resolved_catalog from customers where tenant_id = ${tenantId}`,
  )
  return row && Number(row.resolved_catalog)
}

/** Tenants whose entitlements were resolved with an older catalog. */
export const tenantsResolvedBefore = async (db: Db, catalogVersion: number, limit: number): Promise<string[]> =>
  (
    await query<{ tenant_id: string }>(
      db,
      sql`select tenant_id from customers where resolved_catalog < ${catalogVersion} order by resolved_catalog limit ${limit}`,
    )
  ).map((row) => row.tenant_id)

type OwnerRow = { tenant_id: string; person_id: string; email: string; name: string; since: string }
const ownerFromRow = (row: OwnerRow): OwnerRecord => ({
  tenantId: row.tenant_id,
  personId: row.person_id,
  email: row.email,
  name: row.name,
  since: instantOfRow(row.since),
})

/** The billing owners of a customer, in the order in which they came (CUS-3). */
export const listOwners = async (on: Db | Tx, tenantId: string): Promise<OwnerRecord[]> =>
  (
    await query<OwnerRow>(on, sql`select * from billing_owners where tenant_id = ${tenantId} order by since, person_id`)
  ).map(ownerFromRow)

/** Who is an owner already gets the newer address and name. */
export const saveOwner = async (tx: Tx, owner: OwnerRecord): Promise<void> => {
  await query(
    tx,
    sql`insert into billing_owners (tenant_id, person_id, email, name, since)
        values (${owner.tenantId}, ${owner.personId}, ${owner.email}, ${owner.name}, ${owner.since.toString()})
        on conflict (tenant_id, person_id) do update set email = excluded.email, name = excluded.name`,
  )
}

export const deleteOwner = async (tx: Tx, tenantId: string, personId: string): Promise<void> => {
  await query(tx, sql`delete from billing_owners where tenant_id = ${tenantId} and person_id = ${personId}`)
}

type TransferRow = {
  tenant_id: string
  transfer_id: string
  state: OwnerTransferRecord['state']
  from_person_id: string | null
  to_email: string
  to_name: string
  to_person_id: string | null
  requested_by: string
  requested_at: string
  expires_at: string
  ended_at: string | null
}
const transferFromRow = (row: TransferRow): OwnerTransferRecord => ({
  tenantId: row.tenant_id,
  transferId: row.transfer_id,
  state: row.state,
  fromPersonId: row.from_person_id,
  toEmail: row.to_email,
  toName: row.to_name,
  toPersonId: row.to_person_id,
  requestedBy: row.requested_by,
  requestedAt: instantOfRow(row.requested_at),
  expiresAt: instantOfRow(row.expires_at),
  endedAt: instantOfRowOrNull(row.ended_at),
})

export const saveTransfer = async (tx: Tx, transfer: OwnerTransferRecord): Promise<void> => {
  await query(
    tx,
    sql`insert into owner_transfers (tenant_id, transfer_id, state, from_person_id, to_email, to_name, to_person_id, requested_by, requested_at, expires_at, ended_at)
        values (${transfer.tenantId}, ${transfer.transferId}, ${transfer.state}, ${transfer.fromPersonId}, ${transfer.toEmail}, ${transfer.toName}, ${transfer.toPersonId}, ${transfer.requestedBy},
          ${transfer.requestedAt.toString()}, ${transfer.expiresAt.toString()}, ${transfer.endedAt?.toString() ?? null})
        on conflict (tenant_id, transfer_id) do update set state = excluded.state, ended_at = excluded.ended_at, to_person_id = excluded.to_person_id`,
  )
}

export const findTransferById = async (on: Db | Tx, transferId: string): Promise<OwnerTransferRecord | null> => {
  const row = await queryOne<TransferRow>(on, sql`select * from owner_transfers where transfer_id = ${transferId}`)
  return row && transferFromRow(row)
}

/** Newest first. */
export const listTransfers = async (on: Db | Tx, tenantId: string): Promise<OwnerTransferRecord[]> =>
  (
    await query<TransferRow>(
      on,
      sql`select * from owner_transfers where tenant_id = ${tenantId} order by requested_at desc, transfer_id desc limit 200`,
    )
  ).map(transferFromRow)

/** Transfers that nobody answered in time. */
export const transfersToExpire = async (db: Db, at: Temporal.Instant, limit: number): Promise<OwnerTransferRecord[]> =>
  (
    await query<TransferRow>(
      db,
      sql`select * from owner_transfers where state = 'requested' and expires_at <= ${at.toString()} order by expires_at limit ${limit}`,
    )
  ).map(transferFromRow)

/** Notes that the provider has to be told who is to be written to. */
export const queueContactUpdate = async (tx: Tx, tenantId: string, at: Temporal.Instant): Promise<void> => {
  await query(
    tx,
    sql`insert into contact_updates (tenant_id, since) values (${tenantId}, ${at.toString()})
        on conflict (tenant_id) do update set since = excluded.since, version = default`,
  )
}

/** What waits of one tenant, or of all after a place in the order of their names. */
export const listContactUpdates = async (
  db: Db,
  { only, after, limit }: { only: string | null; after: string; limit: number },
): Promise<{ tenantId: string; version: bigint }[]> =>
  query<{ tenantId: string; version: bigint }>(
    db,
    sql`select tenant_id as "tenantId", version from contact_updates
        where (${only}::text is null or tenant_id = ${only}) and tenant_id > ${after} order by tenant_id limit ${limit}`,
  )

/** The provider knows; a change that came meanwhile has another version and stays. */
export const dropContactUpdate = async (tx: Tx, tenantId: string, version: bigint): Promise<void> => {
  await query(tx, sql`delete from contact_updates where tenant_id = ${tenantId} and version = ${version}`)
}
