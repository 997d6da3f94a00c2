import { instantOfRow, instantOfRowOrNull } from '../../core/period.ts'
import { type Db, query, queryOne, sql, type Tx } from '../../platform/db.ts'
import type { CheckoutRecord, CheckoutState } from './checkout.ts'
import type { PaymentMethodFact } from './money-back.ts'
import type { PurchaseRecord } from './purchase.ts'

type Row = {
  tenant_id: string
  checkout_id: string
  kind: CheckoutRecord['kind']
  state: CheckoutState
  plan: string | null
  plan_version: number | null
  price: string | null
  product: string | null
  currency: string
  seats: number | null
  add_ons: CheckoutRecord['addOns']
  gives: CheckoutRecord['gives']
  coupon: string | null
  selection_hash: string
  return_url: string
  cancel_url: string
  provider: string
  provider_session_id: string | null
  session_url: string | null
  opened_by: string
  opened_at: string
  returned_at: string | null
  completed_at: string | null
  expires_at: string | null
  failure: string | null
}

const fromRow = (row: Row): CheckoutRecord => ({
  tenantId: row.tenant_id,
  checkoutId: row.checkout_id,
  kind: row.kind,
  state: row.state,
  plan: row.plan,
  planVersion: row.plan_version,
  price: row.price,
  product: row.product,
  currency: row.currency,
  seats: row.seats,
  addOns: row.add_ons,
  gives: row.gives,
  coupon: row.coupon,
  selectionHash: row.selection_hash,
  returnUrl: row.return_url,
  cancelUrl: row.cancel_url,
  provider: row.provider,
  providerSessionId: row.provider_session_id,
  sessionUrl: row.session_url,
  openedBy: row.opened_by,
  openedAt: instantOfRow(row.opened_at),
  returnedAt: instantOfRowOrNull(row.returned_at),
  completedAt: instantOfRowOrNull(row.completed_at),
  expiresAt: instantOfRowOrNull(row.expires_at),
  failure: row.failure,
})

export const insertCheckout = async (tx: Tx, checkout: CheckoutRecord): Promise<void> => {
  await query(
    tx,
    sql`insert into checkouts (tenant_id, checkout_id, kind, state, plan, plan_version, price, product, currency, seats, add_ons, gives, coupon, selection_hash, return_url, cancel_url, provider, opened_by, opened_at)
        values (${checkout.tenantId}, ${checkout.checkoutId}, ${checkout.kind}, ${checkout.state}, ${checkout.plan}, ${checkout.planVersion}, ${checkout.price}, ${checkout.product}, ${checkout.currency},
          ${checkout.seats}, ${JSON.stringify(checkout.addOns)}, ${checkout.gives && JSON.stringify(checkout.gives)}, ${checkout.coupon}, ${checkout.selectionHash}, ${checkout.returnUrl}, ${checkout.cancelUrl}, ${checkout.provider}, ${checkout.openedBy}, ${checkout.openedAt.toString()})`,
  )
}

/** Writes what may change of a checkout; its selection never does. */
export const saveCheckout = async (tx: Tx, checkout: CheckoutRecord): Promise<void> => {
  await query(
    tx,
    sql`update checkouts set state = ${checkout.state}, provider_session_id = ${checkout.providerSessionId}, session_url = ${checkout.sessionUrl},
          returned_at = ${checkout.returnedAt?.toString() ?? null}, completed_at = ${checkout.completedAt?.toString() ?? null}, expires_at = ${checkout.expiresAt?.toString() ?? null}, failure = ${checkout.failure}
        where tenant_id = ${checkout.tenantId} and checkout_id = ${checkout.checkoutId}`,
  )
}

export const findCheckoutById = async (on: Db | Tx, checkoutId: string): Promise<CheckoutRecord | null> => {
  const row = await queryOne<Row>(on, sql`select * from checkouts where checkout_id = ${checkoutId}`)
  return row && fromRow(row)
}

/** Checkouts of a tenant that have not ended for good, newest first. */
export const findUnfinishedCheckouts = async (on: Db | Tx, tenantId: string): Promise<CheckoutRecord[]> =>
  (
    await query<Row>(
      on,
      sql`select * from checkouts where tenant_id = ${tenantId} and state in ('opening', 'open', 'pending_sync', 'canceled') order by opened_at desc`,
    )
  ).map(fromRow)

/** Checkouts of anybody that need a look: stuck while opening, waiting for the provider, or past their end. */
export const findStaleCheckouts = async (
  db: Db,
  openedBefore: Temporal.Instant,
  at: Temporal.Instant,
  limit: number,
): Promise<CheckoutRecord[]> =>
  (
    await query<Row>(
      db,
      sql`select * from checkouts where (state in ('opening', 'pending_sync') and opened_at < ${openedBefore.toString()})
            or (state in ('open', 'canceled', 'pending_sync') and expires_at < ${at.toString()}) order by opened_at limit ${limit}`,
    )
  ).map(fromRow)

export const findProviderCustomer = async (on: Db | Tx, tenantId: string, provider: string): Promise<string | null> =>
  (
    await queryOne<{ provider_customer_id: string }>(
      on,
      sql`select provider_customer_id from provider_customers where tenant_id = ${tenantId} and provider = ${provider} and deleted_at is null`,
    )
  )?.provider_customer_id ?? null

export const findTenantOfProviderCustomer = async (
  on: Db | Tx,
  provider: string,
  providerCustomerId: string,
): Promise<string | null> =>
  (
    await queryOne<{ tenant_id: string }>(
      on,
      sql`select tenant_id from provider_customers where provider = ${provider} and provider_customer_id = ${providerCustomerId}`,
    )
  )?.tenant_id ?? null

/** True when it was alive until now. */
export const markProviderCustomerDeleted = async (
  tx: Tx,
  provider: string,
  providerCustomerId: string,
  at: Temporal.Instant,
): Promise<boolean> =>
  (
    await query(
      tx,
      sql`update provider_customers set deleted_at = ${at.toString()} where provider = ${provider} and provider_customer_id = ${providerCustomerId} and deleted_at is null returning 1`,
    )
  ).length === 1

/** How many customers of a tenant were deleted at the provider. */
export const countDeletedProviderCustomers = async (on: Db | Tx, tenantId: string, provider: string): Promise<number> =>
  Number(
    (
      await queryOne<{ n: bigint }>(
        on,
        sql`select count(*) as n from provider_customers where tenant_id = ${tenantId} and provider = ${provider} and deleted_at is not null`,
      )
    )?.n ?? 0,
  )

/** Remembers the provider's customer; the first one that is alive stays. */
export const saveProviderCustomer = async (
  tx: Tx,
  tenantId: string,
  provider: string,
  providerCustomerId: string,
): Promise<void> => {
  await query(
    tx,
    sql`insert into provider_customers (tenant_id, provider, provider_customer_id) values (${tenantId}, ${provider}, ${providerCustomerId}) on conflict do nothing`,
  )
}

export const readProviderSetting = async (on: Db | Tx, provider: string, setting: string): Promise<string | null> =>
  (
    await queryOne<{ value: string }>(
      on,
      sql`select value from provider_settings where provider = ${provider} and setting = ${setting}`,
    )
  )?.value ?? null

export const saveProviderSetting = async (tx: Tx, provider: string, setting: string, value: string): Promise<void> => {
  await query(
    tx,
    sql`insert into provider_settings (provider, setting, value) values (${provider}, ${setting}, ${value}) on conflict (provider, setting) do update set value = excluded.value`,
  )
}

/** Living customers at the provider in the order of their tenants, a page at a time. */
export const pageProviderCustomers = async (
  on: Db | Tx,
  provider: string,
  after: string,
  limit: number,
): Promise<{ tenantId: string; providerCustomerId: string }[]> =>
  (
    await query<{ tenant_id: string; provider_customer_id: string }>(
      on,
      sql`select tenant_id, provider_customer_id from provider_customers where provider = ${provider} and deleted_at is null and tenant_id > ${after} order by tenant_id limit ${limit}`,
    )
  ).map((row) => ({ tenantId: row.tenant_id, providerCustomerId: row.provider_customer_id }))

/** Whose these customers of the provider are. */
export const tenantsOfProviderCustomers = async (
  on: Db | Tx,
  provider: string,
  providerCustomerIds: readonly string[],
): Promise<Map<string, string>> =>
  new Map(
    (
      await query<{ tenant_id: string; provider_customer_id: string }>(
        on,
        sql`select tenant_id, provider_customer_id from provider_customers where provider = ${provider} and provider_customer_id = any(${[...new Set(providerCustomerIds)]})`,
      )
    ).map((row) => [row.provider_customer_id, row.tenant_id]),
  )

/** Tenants with a checkout that was opened before a time and has not ended. */
export const tenantsWithOldCheckouts = async (
  on: Db | Tx,
  openedBefore: Temporal.Instant,
  limit: number,
): Promise<string[]> =>
  (
    await query<{ tenant_id: string }>(
      on,
      sql`select distinct tenant_id from checkouts where state in ('opening', 'open', 'pending_sync', 'canceled') and opened_at < ${openedBefore.toString()} order by tenant_id limit ${limit}`,
    )
  ).map((row) => row.tenant_id)

/** A payment method of a customer, as much of it as is kept (INV-2). */
export type PaymentMethodRecord = PaymentMethodFact & { tenantId: string; provider: string }

type MethodRow = {
  tenant_id: string
  provider: string
  provider_method_id: string
  type: string
  brand: string | null
  last4: string | null
  expiry_month: number | null
  expiry_year: number | null
  is_default: boolean
  attached: boolean
}

/** All that were ever known, so that what they paid can name them; the default one first. */
export const findPaymentMethods = async (on: Db | Tx, tenantId: string): Promise<PaymentMethodRecord[]> =>
  (
    await query<MethodRow>(
      on,
      sql`select * from payment_methods where tenant_id = ${tenantId} order by is_default desc, provider_method_id`,
    )
  ).map((row) => ({
    tenantId: row.tenant_id,
    provider: row.provider,
    providerMethodId: row.provider_method_id,
    type: row.type,
    brand: row.brand,
    last4: row.last4,
    expiryMonth: row.expiry_month,
    expiryYear: row.expiry_year,
    isDefault: row.is_default,
    attached: row.attached,
  }))

/** The caller holds the customer's row. */
export const savePaymentMethod = async (tx: Tx, method: PaymentMethodRecord, at: Temporal.Instant): Promise<void> => {
  await query(
    tx,
    sql`insert into payment_methods (tenant_id, provider, provider_method_id, type, brand, last4, expiry_month, expiry_year, is_default, attached, updated_at)
        values (${method.tenantId}, ${method.provider}, ${method.providerMethodId}, ${method.type}, ${method.brand}, ${method.last4}, ${method.expiryMonth}, ${method.expiryYear},
          ${method.isDefault}, ${method.attached}, ${at.toString()})
        on conflict (tenant_id, provider_method_id) do update set type = excluded.type, brand = excluded.brand, last4 = excluded.last4, expiry_month = excluded.expiry_month,
          expiry_year = excluded.expiry_year, is_default = excluded.is_default, attached = excluded.attached, updated_at = excluded.updated_at`,
  )
}

/** Which tenants have which method as their default. */
export const defaultMethods = async (
  on: Db | Tx,
  provider: string,
  tenantIds: readonly string[],
): Promise<Map<string, string>> =>
  new Map(
    (
      await query<{ tenant_id: string; provider_method_id: string }>(
        on,
        sql`select tenant_id, provider_method_id from payment_methods where provider = ${provider} and is_default and tenant_id = any(${[...tenantIds]})`,
      )
    ).map((row) => [row.tenant_id, row.provider_method_id]),
  )

/** A second row for one checkout is a bug, and the constraint says so. */
export const insertPurchase = async (tx: Tx, purchase: PurchaseRecord): Promise<void> => {
  await query(
    tx,
    sql`insert into purchases (tenant_id, purchase_id, checkout_id, product, name, currency, amount_minor, provider_payment_id, purchased_at, credit_grant_id)
        values (${purchase.tenantId}, ${purchase.purchaseId}, ${purchase.checkoutId}, ${purchase.product}, ${purchase.name}, ${purchase.currency}, ${purchase.amountMinor}, ${purchase.providerPaymentId},
          ${purchase.purchasedAt.toString()}, ${purchase.creditGrantId})`,
  )
}

type PurchaseRow = {
  tenant_id: string
  purchase_id: string
  checkout_id: string
  product: string
  name: string
  currency: string
  amount_minor: bigint
  provider_payment_id: string | null
  purchased_at: string
  credit_grant_id: string | null
}

const purchaseOf = (row: PurchaseRow): PurchaseRecord => ({
  tenantId: row.tenant_id,
  purchaseId: row.purchase_id,
  checkoutId: row.checkout_id,
  product: row.product,
  name: row.name,
  currency: row.currency,
  amountMinor: row.amount_minor,
  providerPaymentId: row.provider_payment_id,
  purchasedAt: instantOfRow(row.purchased_at),
  creditGrantId: row.credit_grant_id,
})

/** A page of what a tenant bought, newest first. */
export const listPurchases = async (
  on: Db | Tx,
  tenantId: string,
  before: { at: string; id: string } | null,
  limit: number,
): Promise<PurchaseRecord[]> =>
  (
    await query<PurchaseRow>(
      on,
      sql`select * from purchases where tenant_id = ${tenantId} and (${before === null} or (purchased_at, purchase_id) < (${before?.at ?? null}::timestamptz, ${before?.id ?? null}))
          order by purchased_at desc, purchase_id desc limit ${limit}`,
    )
  ).map(purchaseOf)

/** What a tenant bought by these payments, or that brought these grants of credit. */
export const findPurchases = async (
  on: Db | Tx,
  tenantId: string,
  of: { payments?: readonly string[]; grants?: readonly string[] },
): Promise<PurchaseRecord[]> =>
  (
    await query<PurchaseRow>(
      on,
      sql`select * from purchases where tenant_id = ${tenantId}
            and (provider_payment_id = any(${[...(of.payments ?? [])]}) or credit_grant_id = any(${[...(of.grants ?? [])]})) order by purchase_id`,
    )
  ).map(purchaseOf)
