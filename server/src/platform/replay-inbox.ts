import { type Db, query, queryOne, type Sql, sql, type Tx } from './db.ts'
import { type InboxDbRow, type InboxRow, type InboxState, inboxRowOf } from './inbox.ts'

export const lockWebhook = async (tx: Tx, webhookId: bigint): Promise<InboxRow | null> => {
  const row = await queryOne<InboxDbRow>(
    tx,
    sql`select * from webhook_inbox where webhook_id = ${webhookId} for update`,
  )
  return row && inboxRowOf(row)
}

const afresh = (at: Temporal.Instant): Sql =>
  sql`state = 'pending', attempts = 0, holds = 0, due_at = ${at.toString()}, outcome = null, last_error = null`

/** Makes a webhook due again, with all its attempts. What went wrong before stays on its record. */
export const requeueWebhook = async (tx: Tx, webhookId: bigint, at: Temporal.Instant): Promise<void> => {
  await query(tx, sql`update webhook_inbox set ${afresh(at)} where webhook_id = ${webhookId}`)
}

/** Which webhooks to work on again. `after` is the place that an earlier part ended at. */
export type ReplayFilter = {
  objectId: string | null
  tenantId: string | null
  from: Temporal.Instant | null
  to: Temporal.Instant | null
  states: readonly InboxState[]
  after: bigint
}

// Those that concern nobody of the provider's customers have nothing to apply, and one that waits is not replayed.
const chosen = (filter: ReplayFilter): Sql => sql`
  select webhook_id, state from webhook_inbox where webhook_id > ${filter.after} and provider_customer_id is not null and state <> 'pending'
    and state = any(${[...filter.states]}::text[]) and (${filter.objectId}::text is null or object_id = ${filter.objectId})
    and (${filter.tenantId}::text is null or tenant_id = ${filter.tenantId})
    and (${filter.from?.toString() ?? null}::timestamptz is null or received_at >= ${filter.from?.toString() ?? null}::timestamptz)
    and (${filter.to?.toString() ?? null}::timestamptz is null or received_at < ${filter.to?.toString() ?? null}::timestamptz)`

export const countReplayable = async (db: Db, filter: ReplayFilter): Promise<Record<string, number>> => {
  const rows = await query<{ state: string; n: bigint }>(
    db,
    sql`select state, count(*) as n from (${chosen(filter)}) as c group by state`,
  )
  return Object.fromEntries(rows.map((row) => [row.state, Number(row.n)]))
}

/** Makes the first `limit` of them due again; `last` is the place to go on after, null when these were all. */
export const requeueWebhooks = async (
  tx: Tx,
  filter: ReplayFilter,
  limit: number,
  at: Temporal.Instant,
): Promise<{ byState: Record<string, number>; last: bigint | null }> => {
  const rows = await query<{ webhook_id: bigint; was: string }>(
    tx,
    sql`with c as (${chosen(filter)} order by webhook_id limit ${limit} for update)
        update webhook_inbox w set ${afresh(at)} from c where w.webhook_id = c.webhook_id returning w.webhook_id, c.state as was`,
  )
  const byState: Record<string, number> = {}
  let last = 0n
  for (const row of rows) {
    byState[row.was] = (byState[row.was] ?? 0) + 1
    if (row.webhook_id > last) last = row.webhook_id
  }
  return { byState, last: rows.length === limit ? last : null }
}

/** Makes due again what was ignored because nobody knew its customer; the index of strangers finds it. */
export const requeueStrangers = async (
  tx: Tx,
  provider: string,
  providerCustomerId: string,
  at: Temporal.Instant,
): Promise<number> =>
  (
    await query(
      tx,
      sql`update webhook_inbox set ${afresh(at)} where provider = ${provider} and provider_customer_id = ${providerCustomerId} and outcome = 'unknown_customer' and state = 'ignored' returning 1`,
    )
  ).length
