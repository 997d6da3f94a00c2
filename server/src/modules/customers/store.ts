import { instantOfRow } from '../../core/period.ts'
import { type Db, query, queryOne, sql, type Tx } from '../../platform/db.ts'

export type CustomerRecord = {
  tenantId: string
  customerId: string
  name: string
  email: string | null
  currency: string
  createdAt: Temporal.Instant
  updatedAt: Temporal.Instant
}

type Row = {
  tenant_id: string
  customer_id: string
  name: string
  email: string | null
  currency: string
  created_at: string
  updated_at: string
}

const fromRow = (row: Row): CustomerRecord => ({
  tenantId: row.tenant_id,
  customerId: row.customer_id,
  name: row.name,
  email: row.email,
  currency: row.currency,
  createdAt: instantOfRow(row.created_at),
  updatedAt: instantOfRow(row.updated_at),
})

/** Inserts; false when the tenant has a customer already (CUS-1). */
export const insertCustomer = async (tx: Tx, customer: CustomerRecord): Promise<boolean> => {
  const rows = await query(
    tx,
    sql`insert into customers (tenant_id, customer_id, name, email, currency, created_at, updated_at)
        values (${customer.tenantId}, ${customer.customerId}, ${customer.name}, ${customer.email}, ${customer.currency}, ${customer.createdAt.toString()}, ${customer.updatedAt.toString()})
        on conflict do nothing returning tenant_id`,
  )
  return rows.length === 1
}

/** Takes the customer's row for this transaction: every flow that changes a customer does this first. */
export const lockCustomer = async (tx: Tx, tenantId: string): Promise<CustomerRecord | null> => {
  const row = await queryOne<Row>(tx, sql`select * from customers where tenant_id = ${tenantId} for update`)
  return row && fromRow(row)
}

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
    sql`update customers set name = ${customer.name}, email = ${customer.email}, updated_at = ${customer.updatedAt.toString()} where tenant_id = ${customer.tenantId}`,
  )
}

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
export const markResolved = async (tx: Tx, tenantId: string, catalogVersion: number): Promise<void> => {
  await query(
    tx,
    sql`update customers set resolved_catalog = ${catalogVersion} where tenant_id = ${tenantId} and resolved_catalog <> ${catalogVersion}`,
  )
}

/** Tenants whose entitlements were resolved with an older catalog. */
export const tenantsResolvedBefore = async (db: Db, catalogVersion: number, limit: number): Promise<string[]> =>
  (
    await query<{ tenant_id: string }>(
      db,
      sql`select tenant_id from customers where resolved_catalog < ${catalogVersion} order by resolved_catalog limit ${limit}`,
    )
  ).map((row) => row.tenant_id)
