import { instantOfRow, instantOfRowOrNull } from '../core/period.ts'
import { type Db, query, queryOne, queryPrepared, type Sql, sql, type Tx } from './db.ts'
import { presentProcesses } from './notify.ts'

/** A verified webhook before it is stored: the minimum of its payload (WEB-5). */
export type NewWebhook = {
  provider: string
  eventId: string
  type: string
  objectId: string | null
  providerCustomerId: string | null
  relevant: boolean
  /** Why it is kept as ignored; `not_relevant` unless told. */
  ignoredAs?: 'not_relevant' | 'wrong_mode'
  /** When the provider made the event. */
  createdAt?: Temporal.Instant
  traceId: string
}
export type InboxState = 'pending' | 'applied' | 'ignored' | 'retrying' | 'dead'
/** What went wrong at one try. `held`: it was nobody's fault of this event, so it costs no attempt. */
type InboxError = { at: string; error: string; held: boolean }
export type InboxRow = {
  webhookId: bigint
  provider: string
  eventId: string
  type: string
  objectId: string | null
  providerCustomerId: string | null
  tenantId: string | null
  state: InboxState
  outcome: string | null
  attempts: number
  /** How often it waited for a provider that did not answer; that costs no attempt. */
  holds: number
  errors: InboxError[]
  eventAt: Temporal.Instant | null
  deliveries: number
  receivedAt: Temporal.Instant
  dueAt: Temporal.Instant
  appliedAt: Temporal.Instant | null
  lastError: string | null
  traceId: string | null
  correlationId: string | null
}

export type InboxDbRow = {
  webhook_id: bigint
  provider: string
  event_id: string
  type: string
  object_id: string | null
  provider_customer_id: string | null
  tenant_id: string | null
  state: InboxState
  outcome: string | null
  attempts: number
  holds: number
  errors: InboxError[]
  event_at: string | null
  deliveries: number
  received_at: string
  due_at: string
  applied_at: string | null
  last_error: string | null
  trace_id: string | null
  correlation_id: string | null
}

export const inboxRowOf = (row: InboxDbRow): InboxRow => ({
  webhookId: row.webhook_id,
  provider: row.provider,
  eventId: row.event_id,
  type: row.type,
  objectId: row.object_id,
  providerCustomerId: row.provider_customer_id,
  tenantId: row.tenant_id,
  state: row.state,
  outcome: row.outcome,
  attempts: row.attempts,
  holds: row.holds,
  errors: row.errors,
  eventAt: instantOfRowOrNull(row.event_at),
  deliveries: row.deliveries,
  receivedAt: instantOfRow(row.received_at),
  dueAt: instantOfRow(row.due_at),
  appliedAt: instantOfRowOrNull(row.applied_at),
  lastError: row.last_error,
  traceId: row.trace_id,
  correlationId: row.correlation_id,
})

/**
 * Stores webhooks and wakes the drain in one statement (WEB-2): durable when it answers. A repeated event id only counts a
 * delivery. Events that concern nothing of ours are kept as ignored.
 */
export const storeWebhooks = async (
  db: Db,
  webhooks: readonly NewWebhook[],
  receivedAt: Temporal.Instant,
): Promise<void> => {
  const unique = new Map<string, NewWebhook>()
  // One statement cannot touch the same row twice.
  for (const webhook of webhooks) unique.set(`${webhook.provider} ${webhook.eventId}`, webhook)
  const rows = [...unique.values()].map((w) => ({
    p: w.provider,
    e: w.eventId,
    t: w.type,
    o: w.objectId,
    c: w.providerCustomerId,
    s: w.relevant ? 'pending' : 'ignored',
    x: w.relevant ? null : (w.ignoredAs ?? 'not_relevant'),
    r: w.traceId,
    d: w.createdAt?.toString() ?? null,
  }))
  rows.sort((a, b) => (a.p + a.e < b.p + b.e ? -1 : 1))
  await queryPrepared(
    db,
    'store_webhooks',
    sql`with stored as (
          insert into webhook_inbox (provider, event_id, type, object_id, provider_customer_id, state, outcome, received_at, due_at, trace_id, event_at)
          select p, e, t, o, c, s, x, ${receivedAt.toString()}::timestamptz, ${receivedAt.toString()}::timestamptz, r, d
          from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as w (p text, e text, t text, o text, c text, s text, x text, r text, d timestamptz)
          on conflict (provider, event_id) do update set deliveries = webhook_inbox.deliveries + 1 returning state)
        select pg_notify('turnpike', '{"kind":"inbox"}') from stored where state = 'pending' limit 1`,
  )
}

/**
 * A lease `l` that nobody holds: its time is over, or its holder is gone. A holder that only lost its connection is seen as
 * gone too; then the fence keeps it from applying what it fetched.
 */
const isFree = (at: Temporal.Instant): Sql =>
  sql`(l.leased_until < ${at.toString()} or l.holder <> all (${presentProcesses}))`

/** How far down a backlog one look goes: enough to fill every hand, whatever its length. */
const looked = 1_000

/** Customers of the provider with webhooks that are due and in nobody's hand, the longest waiting first. */
export const dueCustomers = async (
  db: Db,
  at: Temporal.Instant,
  limit: number,
): Promise<{ provider: string; providerCustomerId: string }[]> =>
  (
    await query<{ provider: string; provider_customer_id: string }>(
      db,
      sql`with oldest as (
            select w.provider, w.provider_customer_id, w.webhook_id from webhook_inbox w
            where w.state in ('pending', 'retrying') and w.due_at <= ${at.toString()}
              and not exists (select from provider_leases l where l.provider = w.provider and l.provider_customer_id = w.provider_customer_id and not ${isFree(at)})
            order by w.webhook_id limit ${looked})
          select provider, provider_customer_id from oldest group by 1, 2 order by min(webhook_id) limit ${limit}`,
    )
  ).map((row) => ({ provider: row.provider, providerCustomerId: row.provider_customer_id }))

/** The webhooks of one customer that are due, in the order of arrival. */
export const dueWebhooks = async (
  db: Db,
  provider: string,
  providerCustomerId: string,
  at: Temporal.Instant,
  limit: number,
): Promise<InboxRow[]> =>
  (
    await query<InboxDbRow>(
      db,
      sql`select * from webhook_inbox where provider = ${provider} and provider_customer_id = ${providerCustomerId} and state in ('pending', 'retrying') and due_at <= ${at.toString()}
          order by webhook_id limit ${limit}`,
    )
  ).map(inboxRowOf)

/**
 * Ends webhooks in the transaction that applied them. Only those still waiting: a repeat changes nothing. One that came
 * after a newer event about the same object is told as out of order: what it announced was old news.
 */
export const finishWebhooks = async (
  tx: Tx,
  webhookIds: readonly bigint[],
  result: {
    state: 'applied' | 'ignored'
    outcome: string
    tenantId: string | null
    correlationId: string
    at: Temporal.Instant
  },
): Promise<void> => {
  const ids = webhookIds.map(String)
  await query(
    tx,
    sql`update webhook_inbox w set state = ${result.state}, tenant_id = ${result.tenantId}, correlation_id = ${result.correlationId}, applied_at = ${result.at.toString()},
          attempts = attempts + 1, last_error = null,
          outcome = case when ${result.state} = 'applied' and exists (
              select from webhook_inbox newer where newer.object_id = w.object_id and newer.provider = w.provider and newer.webhook_id < w.webhook_id
                and newer.event_at > w.event_at and (newer.state = 'applied' or newer.webhook_id = any(${ids}::bigint[])))
            then 'out_of_order' else ${result.outcome} end
        where webhook_id = any(${ids}::bigint[]) and state in ('pending', 'retrying')`,
  )
}

/** So many failed tries make a dead letter: with the pauses between them about four hours. */
export const attemptsMax = 16
/** An event waits so long for a provider that does not answer, and is tried at least so often, before it is a dead letter. */
export const holdDaysMax = 7
const holdsMin = 50
const errorsKept = 20

const withError = (error: string, held: boolean, at: Temporal.Instant): Sql =>
  sql`case when jsonb_array_length(errors) >= ${errorsKept} then errors - 0 else errors end || ${JSON.stringify([{ at: at.toString(), error, held }])}::jsonb`

/** Puts webhooks off after a failure of their own, doubling up to an hour; after the last attempt they are dead letters (WEB-4). */
export const postponeWebhooks = (
  db: Db | Tx,
  webhookIds: readonly bigint[],
  error: string,
  at: Temporal.Instant,
): Promise<InboxRow[]> =>
  putOff(
    db,
    sql`update webhook_inbox set attempts = attempts + 1, last_error = ${error}, errors = ${withError(error, false, at)},
          state = case when attempts + 1 >= ${attemptsMax} then 'dead' else 'retrying' end,
          due_at = ${at.toString()}::timestamptz + least(interval '1 hour', interval '1 second' * power(2, attempts))
        where webhook_id = any(${webhookIds.map(String)}::bigint[]) and state in ('pending', 'retrying') returning *`,
  )

/**
 * Lets webhooks wait for a provider that does not answer: that costs no attempt, so an outage makes no dead letters. They
 * wait up to five minutes at a time, and end as dead letters only after days of silence.
 */
export const holdWebhooks = (
  db: Db | Tx,
  webhookIds: readonly bigint[],
  error: string,
  at: Temporal.Instant,
): Promise<InboxRow[]> =>
  putOff(
    db,
    sql`update webhook_inbox set holds = holds + 1, last_error = ${error}, errors = ${withError(error, true, at)},
          state = case when holds + 1 >= ${holdsMin} and received_at < ${at.subtract({ hours: 24 * holdDaysMax }).toString()} then 'dead' else 'retrying' end,
          due_at = ${at.toString()}::timestamptz + least(interval '5 minutes', interval '1 second' * power(2, least(holds, 20)))
        where webhook_id = any(${webhookIds.map(String)}::bigint[]) and state in ('pending', 'retrying') returning *`,
  )

const putOff = async (db: Db | Tx, statement: Sql): Promise<InboxRow[]> =>
  (await query<InboxDbRow>(db, statement)).map(inboxRowOf)

/** Takes one customer's lease for the process `holder`: whoever has it asks the provider. Null when somebody else holds it. */
export const takeLease = async (
  db: Db,
  provider: string,
  providerCustomerId: string,
  holder: number,
  at: Temporal.Instant,
  seconds: number,
): Promise<bigint | null> =>
  (
    await queryOne<{ fence: bigint }>(
      db,
      sql`insert into provider_leases as l (provider, provider_customer_id, fence, leased_until, holder) values (${provider}, ${providerCustomerId}, 1, ${at.add({ seconds }).toString()}, ${holder})
          on conflict (provider, provider_customer_id) do update set fence = l.fence + 1, leased_until = excluded.leased_until, holder = excluded.holder where ${isFree(at)} returning fence`,
    )
  )?.fence ?? null

/** Gives the lease back; false when it was lost meanwhile: what was fetched under it is stale and must not be applied. */
export const giveBackLease = async (
  on: Db | Tx,
  provider: string,
  providerCustomerId: string,
  fence: bigint,
): Promise<boolean> =>
  (
    await query(
      on,
      sql`update provider_leases set leased_until = '-infinity' where provider = ${provider} and provider_customer_id = ${providerCustomerId} and fence = ${fence} returning fence`,
    )
  ).length === 1

/** Newest first. */
export const listWebhooks = async (
  db: Db,
  filter: { state: InboxState | null; tenantId: string | null; before: bigint | null; limit: number },
): Promise<InboxRow[]> =>
  (
    await query<InboxDbRow>(
      db,
      sql`select * from webhook_inbox where (${filter.state}::text is null or state = ${filter.state}) and (${filter.tenantId}::text is null or tenant_id = ${filter.tenantId})
            and (${filter.before}::bigint is null or webhook_id < ${filter.before}) order by webhook_id desc limit ${filter.limit}`,
    )
  ).map(inboxRowOf)

export const countWebhooks = async (
  db: Db,
): Promise<{ counts: Record<string, number>; oldestPending: Temporal.Instant | null }> => {
  const rows = await query<{ state: string; n: bigint; oldest: string }>(
    db,
    sql`select state, count(*) as n, min(received_at) as oldest from webhook_inbox group by state`,
  )
  const waiting = rows
    .filter((row) => row.state === 'pending' || row.state === 'retrying')
    .map((row) => instantOfRow(row.oldest))
  return {
    counts: Object.fromEntries(rows.map((row) => [row.state, Number(row.n)])),
    oldestPending: waiting.sort(Temporal.Instant.compare)[0] ?? null,
  }
}

export const findWebhook = async (db: Db, webhookId: bigint): Promise<InboxRow | null> => {
  const row = await queryOne<InboxDbRow>(db, sql`select * from webhook_inbox where webhook_id = ${webhookId}`)
  return row && inboxRowOf(row)
}

/** Since when webhooks of a customer wait to be applied; null when none does. */
export const waitingSince = async (
  on: Db | Tx,
  provider: string,
  providerCustomerId: string,
): Promise<Temporal.Instant | null> => {
  const row = await queryOne<{ oldest: string | null }>(
    on,
    sql`select min(received_at) as oldest from webhook_inbox where provider = ${provider} and provider_customer_id = ${providerCustomerId} and state in ('pending', 'retrying')`,
  )
  return instantOfRowOrNull(row?.oldest ?? null)
}
