import { instantOfRow, instantOfRowOrNull } from '../../core/period.ts'
import { type Db, query, queryOne, sql, type Tx } from '../../platform/db.ts'
import type { InvoiceFact } from '../payments/index.ts'

/** A mirrored invoice (INV-2): the provider's, in our words. */
export type InvoiceRecord = InvoiceFact & { tenantId: string; provider: string }

type Row = {
  tenant_id: string
  provider: string
  provider_invoice_id: string
  provider_customer_id: string
  provider_subscription_id: string | null
  number: string | null
  status: InvoiceFact['status']
  billing_reason: string
  amount_due: string
  amount_paid: string
  currency: string
  attempt_count: number
  next_attempt_at: string | null
  action_required: boolean
  hosted_invoice_url: string | null
  period_start: string | null
  period_end: string | null
  created_at: string
  finalized_at: string | null
}

const fromRow = (row: Row): InvoiceRecord => ({
  tenantId: row.tenant_id,
  provider: row.provider,
  providerInvoiceId: row.provider_invoice_id,
  providerCustomerId: row.provider_customer_id,
  providerSubscriptionId: row.provider_subscription_id,
  number: row.number,
  status: row.status,
  billingReason: row.billing_reason,
  amountDue: BigInt(row.amount_due),
  amountPaid: BigInt(row.amount_paid),
  currency: row.currency,
  attemptCount: row.attempt_count,
  nextAttemptAt: instantOfRowOrNull(row.next_attempt_at),
  actionRequired: row.action_required,
  hostedInvoiceUrl: row.hosted_invoice_url,
  period:
    row.period_start !== null && row.period_end !== null
      ? { start: instantOfRow(row.period_start), end: instantOfRow(row.period_end) }
      : null,
  createdAt: instantOfRow(row.created_at),
  finalizedAt: instantOfRowOrNull(row.finalized_at),
})

// A tenant may have had several customers at the provider: the living one, else the last that was deleted.
const itsCustomer = sql`select p.provider_customer_id from provider_customers p where p.tenant_id = i.tenant_id and p.provider = i.provider
  order by p.deleted_at desc nulls first limit 1`

export const findInvoice = async (
  on: Db | Tx,
  tenantId: string,
  providerInvoiceId: string,
): Promise<InvoiceRecord | null> => {
  const row = await queryOne<Row>(
    on,
    sql`select i.*, (${itsCustomer}) as provider_customer_id from invoices i where tenant_id = ${tenantId} and provider_invoice_id = ${providerInvoiceId}`,
  )
  return row && fromRow(row)
}

/** Unpaid invoices that were tried, newest first: what a payment problem is about. */
export const findFailedInvoices = async (on: Db | Tx, tenantId: string): Promise<InvoiceRecord[]> =>
  (
    await query<Row>(
      on,
      sql`select i.*, (${itsCustomer}) as provider_customer_id from invoices i
          where tenant_id = ${tenantId} and status in ('open', 'uncollectible') and (attempt_count > 0 or action_required) order by created_at desc`,
    )
  ).map(fromRow)

/** A tenant's invoices made since a time, newest first. */
export const findInvoicesSince = async (
  on: Db | Tx,
  tenantId: string,
  since: Temporal.Instant,
): Promise<InvoiceRecord[]> =>
  (
    await query<Row>(
      on,
      sql`select i.*, (${itsCustomer}) as provider_customer_id from invoices i
          where tenant_id = ${tenantId} and created_at >= ${since.toString()} order by created_at desc, provider_invoice_id`,
    )
  ).map(fromRow)

/** The mirrors of these invoices of the provider, whoever they belong to. */
export const findInvoicesByProviderIds = async (
  on: Db | Tx,
  provider: string,
  providerInvoiceIds: readonly string[],
): Promise<InvoiceRecord[]> =>
  (
    await query<Row>(
      on,
      sql`select i.*, (${itsCustomer}) as provider_customer_id from invoices i
          where i.provider = ${provider} and i.provider_invoice_id = any(${[...providerInvoiceIds]})`,
    )
  ).map(fromRow)

/** All of one subscription, oldest first. */
export const findInvoicesOf = async (
  on: Db | Tx,
  tenantId: string,
  providerSubscriptionId: string,
): Promise<InvoiceRecord[]> =>
  (
    await query<Row>(
      on,
      sql`select i.*, p.provider_customer_id from invoices i join provider_customers p using (tenant_id, provider)
          where tenant_id = ${tenantId} and provider_subscription_id = ${providerSubscriptionId} order by created_at, provider_invoice_id`,
    )
  ).map(fromRow)

/** Writes the whole mirror of one invoice. The caller holds the customer's row. */
export const saveInvoice = async (tx: Tx, invoice: InvoiceRecord, at: Temporal.Instant): Promise<void> => {
  await query(
    tx,
    sql`insert into invoices (tenant_id, provider, provider_invoice_id, provider_subscription_id, number, status, billing_reason, amount_due, amount_paid, currency, attempt_count, next_attempt_at,
          action_required, hosted_invoice_url, period_start, period_end, created_at, finalized_at, updated_at)
        values (${invoice.tenantId}, ${invoice.provider}, ${invoice.providerInvoiceId}, ${invoice.providerSubscriptionId}, ${invoice.number}, ${invoice.status}, ${invoice.billingReason},
          ${String(invoice.amountDue)}, ${String(invoice.amountPaid)}, ${invoice.currency}, ${invoice.attemptCount}, ${invoice.nextAttemptAt?.toString() ?? null}, ${invoice.actionRequired},
          ${invoice.hostedInvoiceUrl}, ${invoice.period?.start.toString() ?? null}, ${invoice.period?.end.toString() ?? null}, ${invoice.createdAt.toString()}, ${invoice.finalizedAt?.toString() ?? null}, ${at.toString()})
        on conflict (tenant_id, provider_invoice_id) do update set number = excluded.number, status = excluded.status, amount_due = excluded.amount_due, amount_paid = excluded.amount_paid,
          attempt_count = excluded.attempt_count, next_attempt_at = excluded.next_attempt_at, action_required = excluded.action_required, hosted_invoice_url = excluded.hosted_invoice_url,
          period_start = excluded.period_start, period_end = excluded.period_end, finalized_at = excluded.finalized_at, updated_at = excluded.updated_at`,
  )
}

/** Mirrors of invoices made since a time, in the order of their ids, a page at a time. */
export const pageInvoices = async (
  on: Db | Tx,
  provider: string,
  since: Temporal.Instant,
  after: string,
  limit: number,
): Promise<{ tenantId: string; providerInvoiceId: string }[]> =>
  (
    await query<{ tenant_id: string; provider_invoice_id: string }>(
      on,
      sql`select tenant_id, provider_invoice_id from invoices where provider = ${provider} and created_at >= ${since.toString()} and provider_invoice_id > ${after} order by provider_invoice_id limit ${limit}`,
    )
  ).map((row) => ({ tenantId: row.tenant_id, providerInvoiceId: row.provider_invoice_id }))
