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
  subtotal: string
  discount: string
  tax: string
  total: string
  amount_remaining: string
  credited_before_payment: string
  credited_after_payment: string
  pdf_url: string | null
  lines: LineRow[]
  payments: PaymentRow[]
}

type LineRow = {
  provider_line_id: string
  description: string | null
  amount: string
  quantity: string | null
  period_start: string
  period_end: string
  proration: boolean
  lookup_key: string | null
  line_id: string | null
}
type PaymentRow = {
  provider_payment_id: string
  status: InvoiceFact['payments'][number]['status']
  amount: string
  provider_intent_id: string | null
  provider_method_id: string | null
  paid_at: string | null
  created_at: string
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
  subtotal: BigInt(row.subtotal),
  discount: BigInt(row.discount),
  tax: BigInt(row.tax),
  total: BigInt(row.total),
  amountRemaining: BigInt(row.amount_remaining),
  creditedBeforePayment: BigInt(row.credited_before_payment),
  creditedAfterPayment: BigInt(row.credited_after_payment),
  pdfUrl: row.pdf_url,
  lines: row.lines.map((line) => ({
    providerLineId: line.provider_line_id,
    description: line.description,
    amount: BigInt(line.amount),
    quantity: line.quantity,
    period: { start: instantOfRow(line.period_start), end: instantOfRow(line.period_end) },
    proration: line.proration,
    lookupKey: line.lookup_key,
    lineId: line.line_id,
  })),
  payments: row.payments.map(paymentOf),
})

const paymentOf = (row: PaymentRow): InvoiceFact['payments'][number] => ({
  providerPaymentId: row.provider_payment_id,
  status: row.status,
  amount: BigInt(row.amount),
  providerIntentId: row.provider_intent_id,
  providerMethodId: row.provider_method_id,
  paidAt: instantOfRowOrNull(row.paid_at),
  createdAt: instantOfRow(row.created_at),
})

// As text: JSON would lose digits, and the driver does not look into it.
const itsLines = sql`(select coalesce(json_agg(json_build_object('provider_line_id', l.provider_line_id, 'description', l.description, 'amount', l.amount::text, 'quantity', l.quantity::text,
    'period_start', l.period_start::text, 'period_end', l.period_end::text, 'proration', l.proration, 'lookup_key', l.lookup_key, 'line_id', l.line_id) order by l.position), '[]')
  from invoice_lines l where l.tenant_id = i.tenant_id and l.provider_invoice_id = i.provider_invoice_id) as lines`
const itsPayments = sql`(select coalesce(json_agg(json_build_object('provider_payment_id', p.provider_payment_id, 'status', p.status, 'amount', p.amount::text, 'provider_intent_id', p.provider_intent_id,
    'provider_method_id', p.provider_method_id, 'paid_at', p.paid_at::text, 'created_at', p.created_at::text) order by p.created_at, p.provider_payment_id), '[]')
  from invoice_payments p where p.tenant_id = i.tenant_id and p.provider_invoice_id = i.provider_invoice_id) as payments`

// A tenant may have had several customers at the provider: the living one, else the last that was deleted.
const itsCustomer = sql`select p.provider_customer_id from provider_customers p where p.tenant_id = i.tenant_id and p.provider = i.provider
  order by p.deleted_at desc nulls first limit 1`
const whole = sql`i.*, (${itsCustomer}) as provider_customer_id, ${itsLines}, ${itsPayments}`

export const findInvoice = async (
  on: Db | Tx,
  tenantId: string,
  providerInvoiceId: string,
): Promise<InvoiceRecord | null> => {
  const row = await queryOne<Row>(
    on,
    sql`select ${whole} from invoices i where tenant_id = ${tenantId} and provider_invoice_id = ${providerInvoiceId}`,
  )
  return row && fromRow(row)
}

/** Unpaid invoices that were tried, newest first: what a payment problem is about. */
export const findFailedInvoices = async (on: Db | Tx, tenantId: string): Promise<InvoiceRecord[]> =>
  (
    await query<Row>(
      on,
      sql`select ${whole} from invoices i
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
      sql`select ${whole} from invoices i
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
      sql`select ${whole} from invoices i
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
      sql`select ${whole} from invoices i
          where tenant_id = ${tenantId} and provider_subscription_id = ${providerSubscriptionId} order by created_at, provider_invoice_id`,
    )
  ).map(fromRow)

/** Writes the whole mirror of one invoice. The caller holds the customer's row. */
export const saveInvoice = async (tx: Tx, invoice: InvoiceRecord, at: Temporal.Instant): Promise<void> => {
  await query(
    tx,
    sql`insert into invoices (tenant_id, provider, provider_invoice_id, provider_subscription_id, number, status, billing_reason, amount_due, amount_paid, currency, attempt_count, next_attempt_at,
          action_required, hosted_invoice_url, period_start, period_end, created_at, finalized_at, updated_at, subtotal, discount, tax, total, amount_remaining, credited_before_payment,
          credited_after_payment, pdf_url)
        values (${invoice.tenantId}, ${invoice.provider}, ${invoice.providerInvoiceId}, ${invoice.providerSubscriptionId}, ${invoice.number}, ${invoice.status}, ${invoice.billingReason},
          ${String(invoice.amountDue)}, ${String(invoice.amountPaid)}, ${invoice.currency}, ${invoice.attemptCount}, ${invoice.nextAttemptAt?.toString() ?? null}, ${invoice.actionRequired},
          ${invoice.hostedInvoiceUrl}, ${invoice.period?.start.toString() ?? null}, ${invoice.period?.end.toString() ?? null}, ${invoice.createdAt.toString()}, ${invoice.finalizedAt?.toString() ?? null}, ${at.toString()},
          ${String(invoice.subtotal)}, ${String(invoice.discount)}, ${String(invoice.tax)}, ${String(invoice.total)}, ${String(invoice.amountRemaining)}, ${String(invoice.creditedBeforePayment)},
          ${String(invoice.creditedAfterPayment)}, ${invoice.pdfUrl})
        on conflict (tenant_id, provider_invoice_id) do update set number = excluded.number, status = excluded.status, amount_due = excluded.amount_due, amount_paid = excluded.amount_paid,
          attempt_count = excluded.attempt_count, next_attempt_at = excluded.next_attempt_at, action_required = excluded.action_required, hosted_invoice_url = excluded.hosted_invoice_url,
          period_start = excluded.period_start, period_end = excluded.period_end, finalized_at = excluded.finalized_at, updated_at = excluded.updated_at, subtotal = excluded.subtotal,
          discount = excluded.discount, tax = excluded.tax, total = excluded.total, amount_remaining = excluded.amount_remaining, credited_before_payment = excluded.credited_before_payment,
          credited_after_payment = excluded.credited_after_payment, pdf_url = excluded.pdf_url`,
  )
  await saveLines(tx, invoice)
  await savePayments(tx, invoice)
}

const saveLines = async (tx: Tx, { tenantId, providerInvoiceId, lines }: InvoiceRecord): Promise<void> => {
  const rows = lines.map((line, position) => ({
    position,
    provider_line_id: line.providerLineId,
    description: line.description,
    amount: String(line.amount),
    quantity: line.quantity,
    period_start: line.period.start.toString(),
    period_end: line.period.end.toString(),
    proration: line.proration,
    lookup_key: line.lookupKey,
    line_id: line.lineId,
  }))
  await query(
    tx,
    sql`delete from invoice_lines where tenant_id = ${tenantId} and provider_invoice_id = ${providerInvoiceId} and position >= ${rows.length}`,
  )
  if (rows.length === 0) return
  await query(
    tx,
    sql`insert into invoice_lines (tenant_id, provider_invoice_id, position, provider_line_id, description, amount, quantity, period_start, period_end, proration, lookup_key, line_id)
        select ${tenantId}, ${providerInvoiceId}, * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as line (position int, provider_line_id text, description text, amount numeric, quantity numeric,
          period_start timestamptz, period_end timestamptz, proration boolean, lookup_key text, line_id text)
        on conflict (tenant_id, provider_invoice_id, position) do update set provider_line_id = excluded.provider_line_id, description = excluded.description, amount = excluded.amount,
          quantity = excluded.quantity, period_start = excluded.period_start, period_end = excluded.period_end, proration = excluded.proration, lookup_key = excluded.lookup_key, line_id = excluded.line_id`,
  )
}

// Which method was used is told by an invoice fetched on its own; a list does not unsay it.
const savePayments = async (tx: Tx, { tenantId, providerInvoiceId, payments }: InvoiceRecord): Promise<void> => {
  const rows = payments.map((payment) => ({
    provider_payment_id: payment.providerPaymentId,
    status: payment.status,
    amount: String(payment.amount),
    provider_intent_id: payment.providerIntentId,
    provider_method_id: payment.providerMethodId,
    paid_at: payment.paidAt?.toString() ?? null,
    created_at: payment.createdAt.toString(),
  }))
  await query(
    tx,
    sql`delete from invoice_payments where tenant_id = ${tenantId} and provider_invoice_id = ${providerInvoiceId} and provider_payment_id <> all(${rows.map((row) => row.provider_payment_id)})`,
  )
  if (rows.length === 0) return
  await query(
    tx,
    sql`insert into invoice_payments as p (tenant_id, provider_invoice_id, provider_payment_id, status, amount, provider_intent_id, provider_method_id, paid_at, created_at)
        select ${tenantId}, ${providerInvoiceId}, * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as payment (provider_payment_id text, status text, amount numeric, provider_intent_id text,
          provider_method_id text, paid_at timestamptz, created_at timestamptz)
        on conflict (tenant_id, provider_invoice_id, provider_payment_id) do update set status = excluded.status, amount = excluded.amount, provider_intent_id = excluded.provider_intent_id,
          provider_method_id = coalesce(excluded.provider_method_id, p.provider_method_id), paid_at = excluded.paid_at, created_at = excluded.created_at`,
  )
}

export type InvoiceFilter = {
  /** Null for all tenants. */
  tenantId: string | null
  status: InvoiceFact['status'] | null
  /** The last one of the page before. */
  after: { at: string; id: string } | null
  limit: number
}

/** Newest first. */
export const listInvoices = async (db: Db, filter: InvoiceFilter): Promise<InvoiceRecord[]> =>
  (
    await query<Row>(
      db,
      sql`select ${whole} from invoices i
          where (${filter.tenantId}::text is null or i.tenant_id = ${filter.tenantId}) and (${filter.status}::text is null or i.status = ${filter.status})
            and (${filter.after?.at ?? null}::timestamptz is null or (i.created_at, i.provider_invoice_id) < (${filter.after?.at ?? null}::timestamptz, ${filter.after?.id ?? null}))
          order by i.created_at desc, i.provider_invoice_id desc limit ${filter.limit}`,
    )
  ).map(fromRow)

/** Whoever it belongs to: the caller checks that. */
export const findInvoiceById = async (on: Db | Tx, providerInvoiceId: string): Promise<InvoiceRecord | null> => {
  const row = await queryOne<Row>(
    on,
    sql`select ${whole} from invoices i where i.provider_invoice_id = ${providerInvoiceId}`,
  )
  return row && fromRow(row)
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

export type PaymentRecord = InvoiceFact['payments'][number] & {
  tenantId: string
  providerInvoiceId: string
  invoiceNumber: string | null
  currency: string
}

/** What was or is to be paid, newest first. */
export const listPayments = async (
  db: Db,
  filter: {
    tenantId: string | null
    providerInvoiceId: string | null
    after: InvoiceFilter['after']
    limit: number
  },
): Promise<PaymentRecord[]> =>
  (
    await query<
      PaymentRow & { tenant_id: string; provider_invoice_id: string; number: string | null; currency: string }
    >(
      db,
      sql`select p.*, i.number, i.currency from invoice_payments p join invoices i using (tenant_id, provider_invoice_id)
          where (${filter.tenantId}::text is null or p.tenant_id = ${filter.tenantId}) and (${filter.providerInvoiceId}::text is null or p.provider_invoice_id = ${filter.providerInvoiceId})
            and (${filter.after?.at ?? null}::timestamptz is null or (p.created_at, p.provider_payment_id) < (${filter.after?.at ?? null}::timestamptz, ${filter.after?.id ?? null}))
          order by p.created_at desc, p.provider_payment_id desc limit ${filter.limit}`,
    )
  ).map((row) => ({
    ...paymentOf(row),
    tenantId: row.tenant_id,
    providerInvoiceId: row.provider_invoice_id,
    invoiceNumber: row.number,
    currency: row.currency,
  }))
