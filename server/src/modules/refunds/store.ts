import { instantOfRow, instantOfRowOrNull } from '../../core/period.ts'
import { type Db, query, queryOne, sql, type Tx } from '../../platform/db.ts'
import type { MoneyBackRecord } from './money-back.ts'

type Row = {
  tenant_id: string
  money_back_id: string
  kind: MoneyBackRecord['kind']
  provider: string
  provider_invoice_id: string | null
  provider_id: string | null
  provider_intent_id: string | null
  state: MoneyBackRecord['state']
  amount: string
  currency: string
  before_payment: string
  after_payment: string
  refunded: string
  target: MoneyBackRecord['target']
  lines: { line: string; amount: string }[]
  number: string | null
  pdf_url: string | null
  asked_here: boolean
  reason: string | null
  reason_text: string | null
  actor: string | null
  actor_kind: string | null
  requested_at: string
  request_expires_at: string | null
  decided_by: string | null
  decided_at: string | null
  decision_reason: string | null
  attempts: number
  asked_at: string | null
  settled_at: string | null
  failure: string | null
}

const fromRow = (row: Row): MoneyBackRecord => ({
  tenantId: row.tenant_id,
  moneyBackId: row.money_back_id,
  kind: row.kind,
  provider: row.provider,
  providerInvoiceId: row.provider_invoice_id,
  providerId: row.provider_id,
  providerIntentId: row.provider_intent_id,
  state: row.state,
  amount: BigInt(row.amount),
  currency: row.currency,
  beforePayment: BigInt(row.before_payment),
  afterPayment: BigInt(row.after_payment),
  refunded: BigInt(row.refunded),
  target: row.target,
  lines: row.lines.map(({ line, amount }) => ({ providerLineId: line, amount: BigInt(amount) })),
  number: row.number,
  pdfUrl: row.pdf_url,
  askedHere: row.asked_here,
  reason: row.reason,
  reasonText: row.reason_text,
  actor: row.actor === null ? null : { id: row.actor, kind: row.actor_kind! },
  requestedAt: instantOfRow(row.requested_at),
  requestExpiresAt: instantOfRowOrNull(row.request_expires_at),
  decidedBy: row.decided_by,
  decidedAt: instantOfRowOrNull(row.decided_at),
  decisionReason: row.decision_reason,
  attempts: row.attempts,
  askedAt: instantOfRowOrNull(row.asked_at),
  settledAt: instantOfRowOrNull(row.settled_at),
  failure: row.failure,
})

const text = (instant: Temporal.Instant | null): string | null => instant?.toString() ?? null

/**
 * Writes a refund or credit note. The caller holds the customer's row. The database refuses one that is asked for here and
 * would be more than was paid or than is owed: see `isAboveWhatIsThere`.
 */
export const saveMoneyBack = async (tx: Tx, m: MoneyBackRecord, at: Temporal.Instant): Promise<void> => {
  // Not in one statement: the trigger would take each change for something new.
  const known = await query(
    tx,
    sql`update money_back set provider_invoice_id = ${m.providerInvoiceId}, provider_id = ${m.providerId}, provider_intent_id = ${m.providerIntentId}, state = ${m.state}, amount = ${String(m.amount)},
          before_payment = ${String(m.beforePayment)}, after_payment = ${String(m.afterPayment)}, refunded = ${String(m.refunded)}, target = ${m.target}, number = ${m.number}, pdf_url = ${m.pdfUrl},
          reason = ${m.reason}, request_expires_at = ${text(m.requestExpiresAt)}, decided_by = ${m.decidedBy}, decided_at = ${text(m.decidedAt)}, decision_reason = ${m.decisionReason},
          attempts = ${m.attempts}, asked_at = ${text(m.askedAt)}, settled_at = ${text(m.settledAt)}, failure = ${m.failure}, updated_at = ${text(at)}
        where tenant_id = ${m.tenantId} and money_back_id = ${m.moneyBackId} returning money_back_id`,
  )
  if (known.length > 0) return
  const lines = JSON.stringify(m.lines.map((line) => ({ line: line.providerLineId, amount: String(line.amount) })))
  await query(
    tx,
    sql`insert into money_back (tenant_id, money_back_id, kind, provider, provider_invoice_id, provider_id, provider_intent_id, state, amount, currency, before_payment, after_payment, refunded, target,
          lines, number, pdf_url, asked_here, reason, reason_text, actor, actor_kind, requested_at, request_expires_at, decided_by, decided_at, decision_reason, attempts, asked_at, settled_at, failure, updated_at)
        values (${m.tenantId}, ${m.moneyBackId}, ${m.kind}, ${m.provider}, ${m.providerInvoiceId}, ${m.providerId}, ${m.providerIntentId}, ${m.state}, ${String(m.amount)}, ${m.currency},
          ${String(m.beforePayment)}, ${String(m.afterPayment)}, ${String(m.refunded)}, ${m.target}, ${lines}::jsonb, ${m.number}, ${m.pdfUrl}, ${m.askedHere}, ${m.reason}, ${m.reasonText},
          ${m.actor?.id ?? null}, ${m.actor?.kind ?? null}, ${text(m.requestedAt)}, ${text(m.requestExpiresAt)}, ${m.decidedBy}, ${text(m.decidedAt)}, ${m.decisionReason}, ${m.attempts},
          ${text(m.askedAt)}, ${text(m.settledAt)}, ${m.failure}, ${text(at)})`,
  )
}

/** That the database has refused a record because together it would be more than was paid, or than is owed. */
export const isAboveWhatIsThere = (error: unknown): boolean => {
  const { code, constraint } = error as { code?: unknown; constraint?: unknown }
  return code === '23514' && String(constraint).startsWith('money_back_within_')
}

/** Whoever it belongs to: the caller checks that. */
export const findMoneyBack = async (on: Db | Tx, moneyBackId: string): Promise<MoneyBackRecord | null> => {
  const row = await queryOne<Row>(on, sql`select * from money_back where money_back_id = ${moneyBackId}`)
  return row && fromRow(row)
}

/** By the provider's id, and by ours where it names one. */
export const findMoneyBackOfFact = async (
  on: Db | Tx,
  tenantId: string,
  provider: string,
  providerId: string,
  moneyBackId: string | null,
): Promise<MoneyBackRecord | null> => {
  const row = await queryOne<Row>(
    on,
    sql`select * from money_back where tenant_id = ${tenantId} and provider = ${provider}
          and (provider_id = ${providerId} or (money_back_id = ${moneyBackId} and provider_id is null)) order by provider_id nulls last limit 1`,
  )
  return row && fromRow(row)
}

/** Everything that was given back or asked for of one invoice, oldest first. */
export const findMoneyBackOfInvoice = async (
  on: Db | Tx,
  tenantId: string,
  providerInvoiceId: string,
): Promise<MoneyBackRecord[]> =>
  (
    await query<Row>(
      on,
      sql`select * from money_back where tenant_id = ${tenantId} and provider_invoice_id = ${providerInvoiceId} order by requested_at, money_back_id`,
    )
  ).map(fromRow)

/** How much of each payment of a tenant went back by refunds, or is on its way. */
export const refundedOfPayments = async (
  on: Db | Tx,
  tenantId: string,
  intentIds: readonly string[],
): Promise<Map<string, bigint>> =>
  intentIds.length === 0
    ? new Map()
    : new Map(
        (
          await query<{ intent: string; amount: string }>(
            on,
            sql`select provider_intent_id as intent, sum(amount) as amount from money_back
                where tenant_id = ${tenantId} and kind = 'refund' and money_back_counts(state) and provider_intent_id = any(${[...intentIds]}) group by 1`,
          )
        ).map((row) => [row.intent, BigInt(row.amount)]),
      )

/** What is known to be at the provider, by its ids. */
export const findMoneyBackByProviderIds = async (
  on: Db | Tx,
  provider: string,
  providerIds: readonly string[],
): Promise<MoneyBackRecord[]> =>
  (
    await query<Row>(
      on,
      sql`select * from money_back where provider = ${provider} and provider_id = any(${[...providerIds]})`,
    )
  ).map(fromRow)

/** Newest first. */
export const listMoneyBack = async (
  db: Db,
  page: {
    kind: MoneyBackRecord['kind']
    tenantId: string | null
    providerInvoiceId: string | null
    state: string | null
    after: { at: string; id: string } | null
    limit: number
  },
): Promise<MoneyBackRecord[]> =>
  (
    await query<Row>(
      db,
      sql`select * from money_back where kind = ${page.kind} and (${page.tenantId}::text is null or tenant_id = ${page.tenantId})
            and (${page.providerInvoiceId}::text is null or provider_invoice_id = ${page.providerInvoiceId}) and (${page.state}::text is null or state = ${page.state})
            and (${page.after?.at ?? null}::timestamptz is null or (requested_at, money_back_id) < (${page.after?.at ?? null}::timestamptz, ${page.after?.id ?? null}))
          order by requested_at desc, money_back_id desc limit ${page.limit}`,
    )
  ).map(fromRow)

/** Requests that nobody decided in time. */
export const lateMoneyBackRequests = async (
  db: Db,
  at: Temporal.Instant,
  limit: number,
): Promise<{ tenantId: string; moneyBackId: string }[]> =>
  (
    await query<{ tenant_id: string; money_back_id: string }>(
      db,
      sql`select tenant_id, money_back_id from money_back where state = 'waiting_for_approval' and request_expires_at <= ${text(at)} order by request_expires_at limit ${limit}`,
    )
  ).map((row) => ({ tenantId: row.tenant_id, moneyBackId: row.money_back_id }))

/** What waits for the provider's word and was not touched since some time: a page after another. */
export const findWaitingMoneyBack = async (
  on: Db | Tx,
  since: { asking: Temporal.Instant; onTheWay: Temporal.Instant },
  after: string,
  limit: number,
): Promise<MoneyBackRecord[]> =>
  (
    await query<Row>(
      on,
      sql`select * from money_back where money_back_id > ${after}
            and ((state = 'asking' and updated_at < ${text(since.asking)}) or (state in ('pending', 'requires_action') and updated_at < ${text(since.onTheWay)}))
          order by money_back_id limit ${limit}`,
    )
  ).map(fromRow)

/** Marks that the provider was asked how it stands, so that the next look is not at once. */
export const touchMoneyBack = async (tx: Tx, moneyBackId: string, at: Temporal.Instant): Promise<void> => {
  await query(tx, sql`update money_back set updated_at = ${text(at)} where money_back_id = ${moneyBackId}`)
}

/** What was agreed to for one tenant before a time and the provider does not know of, however often it was asked since. */
export const findStuckMoneyBack = async (
  on: Db | Tx,
  tenantId: string,
  before: Temporal.Instant,
): Promise<MoneyBackRecord[]> =>
  (
    await query<Row>(
      on,
      sql`select * from money_back where tenant_id = ${tenantId} and state = 'asking' and coalesce(decided_at, requested_at) < ${text(before)} order by money_back_id`,
    )
  ).map(fromRow)
