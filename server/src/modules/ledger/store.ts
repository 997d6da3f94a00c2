import { instantOfRow, instantOfRowOrNull } from '../../core/period.ts'
import { type Db, query, queryOne, sql, type Tx } from '../../platform/db.ts'
import type { GrantBalance, GrantRecord } from './grant.ts'
import { type AccountKind, accountOf, type Posting, type PostingKind } from './posting.ts'

type GrantRow = {
  tenant_id: string
  grant_id: string
  state: GrantRecord['state']
  category: GrantRecord['category']
  currency: string
  amount_minor: bigint
  paid_minor: bigint
  priority: number
  charges: string[] | null
  granted_at: string
  expires_at: string | null
  reason: string
  granted_by: string
  checkout_id: string | null
  request_expires_at: string | null
  decided_by: string | null
  decided_at: string | null
  decision_reason: string | null
  voided_at: string | null
  balance_minor: bigint | null
}

const fromRow = (row: GrantRow): GrantBalance => ({
  tenantId: row.tenant_id,
  grantId: row.grant_id,
  state: row.state,
  category: row.category,
  currency: row.currency,
  amountMinor: row.amount_minor,
  paidMinor: row.paid_minor,
  priority: row.priority,
  charges: row.charges,
  grantedAt: instantOfRow(row.granted_at),
  expiresAt: instantOfRowOrNull(row.expires_at),
  reason: row.reason,
  grantedBy: row.granted_by,
  checkoutId: row.checkout_id,
  requestExpiresAt: instantOfRowOrNull(row.request_expires_at),
  decidedBy: row.decided_by,
  decidedAt: instantOfRowOrNull(row.decided_at),
  decisionReason: row.decision_reason,
  voidedAt: instantOfRowOrNull(row.voided_at),
  leftMinor: row.balance_minor ?? 0n,
})

const withBalance = sql`select g.*, a.balance_minor from credit_grants g left join ledger_accounts a on a.grant_id = g.grant_id`

export const insertGrant = async (tx: Tx, grant: GrantRecord): Promise<void> => {
  await query(
    tx,
    sql`insert into credit_grants (tenant_id, grant_id, state, category, currency, amount_minor, paid_minor, priority, charges, granted_at, expires_at, reason, granted_by, checkout_id, request_expires_at)
        values (${grant.tenantId}, ${grant.grantId}, ${grant.state}, ${grant.category}, ${grant.currency}, ${grant.amountMinor}, ${grant.paidMinor}, ${grant.priority}, ${grant.charges}::text[],
          ${grant.grantedAt.toString()}, ${grant.expiresAt?.toString() ?? null}, ${grant.reason}, ${grant.grantedBy}, ${grant.checkoutId}, ${grant.requestExpiresAt?.toString() ?? null})`,
  )
}

/** Writes what may change of a grant: how a request was decided, and whether it was taken back. */
export const saveGrant = async (tx: Tx, grant: GrantRecord): Promise<void> => {
  await query(
    tx,
    sql`update credit_grants set state = ${grant.state}, granted_at = ${grant.grantedAt.toString()}, decided_by = ${grant.decidedBy}, decided_at = ${grant.decidedAt?.toString() ?? null},
          decision_reason = ${grant.decisionReason}, voided_at = ${grant.voidedAt?.toString() ?? null}
        where tenant_id = ${grant.tenantId} and grant_id = ${grant.grantId}`,
  )
}

export const findGrantById = async (on: Db | Tx, grantId: string): Promise<GrantBalance | null> => {
  const row = await queryOne<GrantRow>(on, sql`${withBalance} where g.grant_id = ${grantId}`)
  return row && fromRow(row)
}

/** A page of a customer's grants and requests for one, newest first. */
export const listGrants = async (
  on: Db | Tx,
  tenantId: string,
  before: { at: string; id: string } | null,
  limit: number,
): Promise<GrantBalance[]> =>
  (
    await query<GrantRow>(
      on,
      sql`${withBalance} where g.tenant_id = ${tenantId} and (${before === null} or (g.granted_at, g.grant_id) < (${before?.at ?? null}::timestamptz, ${before?.id ?? null}))
          order by g.granted_at desc, g.grant_id desc limit ${limit}`,
    )
  ).map(fromRow)

/** The grants of these customers of which something is left, as they stand now. */
export const grantsWithBalance = async (on: Db | Tx, tenantIds: readonly string[]): Promise<GrantBalance[]> =>
  (
    await query<GrantRow>(
      on,
      sql`${withBalance} where a.tenant_id = any(${[...tenantIds]}) and a.kind = 'credit' and a.balance_minor > 0 and g.voided_at is null order by g.grant_id`,
    )
  ).map(fromRow)

export const waitingGrants = async (on: Db | Tx, at: Temporal.Instant, limit: number): Promise<GrantBalance[]> =>
  (
    await query<GrantRow>(
      on,
      sql`${withBalance} where g.state = 'waiting_for_approval' and g.voided_at is null and g.request_expires_at > ${at.toString()} order by g.request_expires_at limit ${limit}`,
    )
  ).map(fromRow)

type Named = { tenantId: string; grantId: string }
const names = async (on: Db | Tx, statement: ReturnType<typeof sql>): Promise<Named[]> =>
  (await query<{ tenant_id: string; grant_id: string }>(on, statement)).map((row) => ({
    tenantId: row.tenant_id,
    grantId: row.grant_id,
  }))

/** Requests that nobody decided in time. */
export const lateGrantRequests = (on: Db | Tx, at: Temporal.Instant, limit: number): Promise<Named[]> =>
  names(
    on,
    sql`select tenant_id, grant_id from credit_grants where state = 'waiting_for_approval' and voided_at is null and request_expires_at <= ${at.toString()} order by request_expires_at limit ${limit}`,
  )

/** Credit that has ended, or was taken back, with something left of it. */
export const grantsToExpire = (on: Db | Tx, at: Temporal.Instant, limit: number): Promise<Named[]> =>
  names(
    on,
    sql`select g.tenant_id, g.grant_id from credit_grants g join ledger_accounts a on a.grant_id = g.grant_id
        where g.state = 'active' and a.balance_minor > 0 and (g.expires_at <= ${at.toString()} or g.voided_at is not null) order by g.expires_at, g.grant_id limit ${limit}`,
  )

/** Credit whose end comes before an instant and of whose end nobody was told. */
export const grantsToTell = (
  on: Db | Tx,
  at: Temporal.Instant,
  endBefore: Temporal.Instant,
  limit: number,
): Promise<Named[]> =>
  names(
    on,
    sql`select g.tenant_id, g.grant_id from credit_grants g join ledger_accounts a on a.grant_id = g.grant_id
        where g.state = 'active' and a.balance_minor > 0 and g.voided_at is null and g.told_expiring_at is null
          and g.expires_at > ${at.toString()} and g.expires_at <= ${endBefore.toString()} order by g.expires_at, g.grant_id limit ${limit}`,
  )

/** True when nobody was told until now. */
export const markToldExpiring = async (tx: Tx, grantId: string, at: Temporal.Instant): Promise<boolean> =>
  (
    await query(
      tx,
      sql`update credit_grants set told_expiring_at = ${at.toString()} where grant_id = ${grantId} and told_expiring_at is null returning 1`,
    )
  ).length === 1

/** How many entries an account has: with the lock on its customer, a number that no later movement can have. */
export const countMovements = async (tx: Tx, tenantId: string, grantId: string): Promise<number> =>
  Number(
    (await queryOne<{ n: bigint }>(
      tx,
      sql`select count(*) as n from ledger_entries where tenant_id = ${tenantId} and account = ${grantId}`,
    ))!.n,
  )

/**
 * Writes movements of any number of customers, which must be locked, in three statements. Gives the ids of those that were
 * not there yet: a repeat moves nothing.
 */
export const post = async (
  tx: Tx,
  postings: readonly Posting[],
  recordedAt: Temporal.Instant,
): Promise<ReadonlySet<string>> => {
  if (postings.length === 0) return new Set()
  const entries = postings.flatMap((posting) =>
    posting.entries.map((entry, line) => ({
      tenant_id: posting.tenantId,
      posting_id: posting.postingId,
      line,
      account: accountOf(entry),
      currency: posting.currency,
      kind: entry.kind,
      grant_id: entry.grantId,
      amount_minor: String(entry.amountMinor),
    })),
  )
  await query(
    tx,
    sql`insert into ledger_accounts (tenant_id, account, currency, kind, grant_id)
        select distinct tenant_id, account, currency, kind, grant_id
        from jsonb_to_recordset(${JSON.stringify(entries)}::jsonb) as e (tenant_id text, account text, currency text, kind text, grant_id text)
        on conflict do nothing`,
  )
  const rows = postings.map((posting) => ({
    tenant_id: posting.tenantId,
    posting_id: posting.postingId,
    kind: posting.kind,
    currency: posting.currency,
    at: posting.at.toString(),
    reference: posting.reference,
    reason: posting.reason,
    actor: posting.actor,
    entries: posting.entries.length,
  }))
  const written = await query<{ posting_id: string }>(
    tx,
    sql`insert into ledger_postings (tenant_id, posting_id, kind, currency, at, recorded_at, reference, reason, actor, entries)
        select tenant_id, posting_id, kind, currency, at, ${recordedAt.toString()}::timestamptz, reference, reason, actor, entries
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as p (tenant_id text, posting_id text, kind text, currency text, at timestamptz, reference text, reason text, actor text, entries int)
        on conflict do nothing returning posting_id`,
  )
  const fresh = new Set(written.map((row) => row.posting_id))
  const kept = entries.filter((entry) => fresh.has(entry.posting_id))
  if (kept.length > 0)
    await query(
      tx,
      sql`insert into ledger_entries (tenant_id, posting_id, line, account, currency, amount_minor)
          select tenant_id, posting_id, line, account, currency, amount_minor
          from jsonb_to_recordset(${JSON.stringify(kept)}::jsonb) as e (tenant_id text, posting_id text, line int, account text, currency text, amount_minor bigint)
          order by tenant_id, posting_id, line`,
    )
  return fresh
}

/** What periods have burnt of each grant, less what went back; by period. */
export const burntByPeriods = async (
  tx: Tx,
  tenantIds: readonly string[],
  periodIds: readonly string[],
): Promise<Map<string, Map<string, bigint>>> => {
  const burnt = new Map<string, Map<string, bigint>>()
  if (periodIds.length === 0) return burnt
  const rows = await query<{ reference: string; account: string; amount: string }>(
    tx,
    sql`select p.reference, e.account, -sum(e.amount_minor) as amount
        from ledger_postings p join ledger_entries e on e.tenant_id = p.tenant_id and e.posting_id = p.posting_id
          join ledger_accounts a on a.tenant_id = e.tenant_id and a.account = e.account and a.currency = e.currency
        where p.tenant_id = any(${[...tenantIds]}) and p.reference = any(${[...periodIds]}) and p.kind in ('burn', 'give_back') and a.kind = 'credit'
        group by p.reference, e.account having sum(e.amount_minor) <> 0 order by min(e.number)`,
  )
  for (const { reference, account, amount } of rows)
    burnt.set(reference, (burnt.get(reference) ?? new Map()).set(account, BigInt(amount)))
  return burnt
}

/** What refunds have taken of each grant of a customer, less what came back of it. */
export const takenByRefunds = async (
  on: Db | Tx,
  tenantId: string,
  grantIds: readonly string[],
): Promise<Map<string, bigint>> =>
  grantIds.length === 0
    ? new Map()
    : new Map(
        (
          await query<{ account: string; amount: string }>(
            on,
            sql`select e.account, -sum(e.amount_minor) as amount
                from ledger_entries e join ledger_postings p on p.tenant_id = e.tenant_id and p.posting_id = e.posting_id
                where e.tenant_id = ${tenantId} and e.account = any(${[...grantIds]}) and p.kind = 'refund' group by e.account`,
          )
        ).map((row) => [row.account, BigInt(row.amount)]),
      )

/** Grants by their ids, whatever is left of them. */
export const findGrants = async (on: Db | Tx, grantIds: readonly string[]): Promise<GrantBalance[]> =>
  grantIds.length === 0
    ? []
    : (await query<GrantRow>(on, sql`${withBalance} where g.grant_id = any(${[...grantIds]})`)).map(fromRow)

export type AccountBalance = { account: string; kind: AccountKind; currency: string; balanceMinor: bigint }

/** The balances of a customer's accounts, those of grants summed up by currency. */
export const accountBalances = async (on: Db | Tx, tenantId: string): Promise<AccountBalance[]> =>
  (
    await query<{ kind: AccountKind; currency: string; balance: string }>(
      on,
      sql`select kind, currency, sum(balance_minor) as balance from ledger_accounts where tenant_id = ${tenantId} group by kind, currency order by currency, kind`,
    )
  ).map((row) => ({ account: row.kind, kind: row.kind, currency: row.currency, balanceMinor: BigInt(row.balance) }))

export type EntryRow = {
  number: bigint
  postingId: string
  kind: PostingKind
  account: string
  accountKind: AccountKind
  currency: string
  amountMinor: bigint
  at: Temporal.Instant
  recordedAt: Temporal.Instant
  reference: string
  reason: string | null
  actor: string
}

/** A page of a customer's entries, newest first. */
export const listEntries = async (
  on: Db | Tx,
  tenantId: string,
  filter: { before: bigint | null; grantId: string | null; limit: number },
): Promise<EntryRow[]> =>
  (
    await query<{
      number: bigint
      posting_id: string
      kind: PostingKind
      account: string
      account_kind: AccountKind
      currency: string
      amount_minor: bigint
      at: string
      recorded_at: string
      reference: string
      reason: string | null
      actor: string
    }>(
      on,
      sql`select e.number, e.posting_id, p.kind, e.account, a.kind as account_kind, e.currency, e.amount_minor, p.at, p.recorded_at, p.reference, p.reason, p.actor
          from ledger_entries e join ledger_postings p on p.tenant_id = e.tenant_id and p.posting_id = e.posting_id join ledger_accounts a on a.tenant_id = e.tenant_id and a.account = e.account and a.currency = e.currency
          where e.tenant_id = ${tenantId} and (${filter.before}::bigint is null or e.number < ${filter.before}) and (${filter.grantId}::text is null or e.account = ${filter.grantId})
          order by e.number desc limit ${filter.limit}`,
    )
  ).map((row) => ({
    number: row.number,
    postingId: row.posting_id,
    kind: row.kind,
    account: row.account,
    accountKind: row.account_kind,
    currency: row.currency,
    amountMinor: row.amount_minor,
    at: instantOfRow(row.at),
    recordedAt: instantOfRow(row.recorded_at),
    reference: row.reference,
    reason: row.reason,
    actor: row.actor,
  }))

/** Customers whose ledger does not add up: entries with a sum, or a balance that is not that of its entries. None, ever. */
export const unbalancedTenants = async (on: Db | Tx): Promise<string[]> =>
  (
    await query<{ tenant_id: string }>(
      on,
      sql`select tenant_id from ledger_accounts a
            left join lateral (select coalesce(sum(amount_minor), 0) as amount from ledger_entries e where e.tenant_id = a.tenant_id and e.account = a.account and e.currency = a.currency) s on true
            where s.amount <> a.balance_minor
          union select tenant_id from ledger_entries group by tenant_id, currency having sum(amount_minor) <> 0`,
    )
  ).map((row) => row.tenant_id)
