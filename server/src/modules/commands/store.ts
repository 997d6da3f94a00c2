import { instantOfRow, instantOfRowOrNull } from '../../core/period.ts'
import { type Db, query, queryOne, sql, type Tx } from '../../platform/db.ts'
import type { CommandRecord } from './command.ts'

type Row = {
  tenant_id: string
  command_id: string
  subscription_id: string | null
  action: CommandRecord['action']
  request: CommandRecord['wish']
  decided: CommandRecord['decision']
  state: CommandRecord['state']
  repeat_key: string | null
  actor: string
  actor_kind: string
  attempts: number
  requested_at: string
  asked_at: string | null
  settled_at: string | null
  resumes_at: string | null
  failure: string | null
  invoice_url: string | null
}

const fromRow = (row: Row): CommandRecord => ({
  tenantId: row.tenant_id,
  commandId: row.command_id,
  subscriptionId: row.subscription_id,
  action: row.action,
  wish: row.request,
  decision: row.decided,
  state: row.state,
  repeatKey: row.repeat_key,
  actor: { id: row.actor, kind: row.actor_kind },
  attempts: row.attempts,
  requestedAt: instantOfRow(row.requested_at),
  askedAt: instantOfRowOrNull(row.asked_at),
  settledAt: instantOfRowOrNull(row.settled_at),
  resumesAt: instantOfRowOrNull(row.resumes_at),
  failure: row.failure,
  invoiceUrl: row.invoice_url,
})

const text = (instant: Temporal.Instant | null): string | null => instant?.toString() ?? null

export const insertCommand = async (tx: Tx, c: CommandRecord): Promise<void> => {
  await query(
    tx,
    sql`insert into subscription_commands (tenant_id, command_id, subscription_id, action, request, decided, state, repeat_key, actor, actor_kind, requested_at, asked_at, resumes_at)
        values (${c.tenantId}, ${c.commandId}, ${c.subscriptionId}, ${c.action}, ${JSON.stringify(c.wish)}, ${JSON.stringify(c.decision)}, ${c.state}, ${c.repeatKey}, ${c.actor.id}, ${c.actor.kind},
          ${text(c.requestedAt)}, ${text(c.askedAt)}, ${text(c.resumesAt)})`,
  )
}

/** Writes what may change of a command; what was asked never does. */
export const saveCommand = async (tx: Tx, c: CommandRecord): Promise<void> => {
  await query(
    tx,
    sql`update subscription_commands set subscription_id = ${c.subscriptionId}, state = ${c.state}, attempts = ${c.attempts}, asked_at = ${text(c.askedAt)}, settled_at = ${text(c.settledAt)},
          resumes_at = ${text(c.resumesAt)}, failure = ${c.failure}, invoice_url = ${c.invoiceUrl}
        where tenant_id = ${c.tenantId} and command_id = ${c.commandId}`,
  )
}

export const findCommand = async (on: Db | Tx, tenantId: string, commandId: string): Promise<CommandRecord | null> => {
  const row = await queryOne<Row>(
    on,
    sql`select * from subscription_commands where tenant_id = ${tenantId} and command_id = ${commandId}`,
  )
  return row && fromRow(row)
}

/** The one that is being worked on; there is at most one. */
export const findCommandUnderWay = async (on: Db | Tx, tenantId: string): Promise<CommandRecord | null> => {
  const row = await queryOne<Row>(
    on,
    sql`select * from subscription_commands where tenant_id = ${tenantId} and settled_at is null`,
  )
  return row && fromRow(row)
}

/** What a request with this key has done since a time; null when it has done nothing, or when what it wanted failed. */
export const findCommandDone = async (
  on: Db | Tx,
  tenantId: string,
  repeatKey: string,
  since: Temporal.Instant,
): Promise<CommandRecord | null> => {
  const row = await queryOne<Row>(
    on,
    sql`select * from subscription_commands where tenant_id = ${tenantId} and repeat_key = ${repeatKey} and state = 'done' and requested_at >= ${text(since)} order by requested_at desc limit 1`,
  )
  return row && fromRow(row)
}

/** Commands of anybody that nobody has touched for a while: one page after another, so that none can hold up the rest. */
export const findWaitingCommands = async (
  db: Db,
  untouchedSince: Temporal.Instant,
  after: string,
  limit: number,
): Promise<CommandRecord[]> =>
  (
    await query<Row>(
      db,
      sql`select * from subscription_commands where settled_at is null and coalesce(asked_at, requested_at) < ${text(untouchedSince)} and command_id > ${after} order by command_id limit ${limit}`,
    )
  ).map(fromRow)

/** Pauses that were to last until now. */
export const findEndedPauses = async (db: Db, at: Temporal.Instant, limit: number): Promise<CommandRecord[]> =>
  (
    await query<Row>(
      db,
      sql`select * from subscription_commands where state = 'done' and resumes_at <= ${text(at)} order by resumes_at limit ${limit}`,
    )
  ).map(fromRow)

/** Takes the ends off the pauses of a subscription that were before: another pause, or a resumption, has made them void. */
export const forgetPauseEnds = async (
  tx: Tx,
  { tenantId, subscriptionId, commandId }: Pick<CommandRecord, 'tenantId' | 'subscriptionId' | 'commandId'>,
): Promise<void> => {
  await query(
    tx,
    sql`update subscription_commands set resumes_at = null
        where tenant_id = ${tenantId} and subscription_id = ${subscriptionId} and command_id <> ${commandId} and resumes_at is not null`,
  )
}

/** When the pause of a subscription ends by itself, if that was said. */
export const findPauseEnd = async (
  on: Db | Tx,
  tenantId: string,
  subscriptionId: string,
): Promise<Temporal.Instant | null> => {
  const row = await queryOne<{ resumes_at: string }>(
    on,
    sql`select resumes_at from subscription_commands where tenant_id = ${tenantId} and subscription_id = ${subscriptionId} and state = 'done' and resumes_at is not null
        order by requested_at desc limit 1`,
  )
  return row && instantOfRow(row.resumes_at)
}
