import type { Notice } from '@turnpike/contract'
import { instantOfRow, instantOfRowOrNull } from '../../core/period.ts'
import { type Db, query, queryOne, sql, type Tx } from '../../platform/db.ts'
import { presentProcesses } from '../../platform/notify.ts'
import type { NoticeKind } from './kinds.ts'
import type { AfterFailure } from './next-attempt.ts'

type NoticeState = Notice['state']

export type NoticeRecord = {
  tenantId: string
  noticeId: string
  eventId: string
  kind: NoticeKind
  topic: string
  recipients: string[]
  data: Record<string, unknown>
  subject: string
  /** Null when its template could not be rendered. */
  text: string | null
  html: string | null
  link: string | null
  state: NoticeState
  attempts: number
  copies: number
  createdAt: Temporal.Instant
  showUntil: Temporal.Instant
  dueAt: Temporal.Instant
  sentAt: Temporal.Instant | null
  lastError: string | null
}
type Row = {
  tenant_id: string
  notice_id: string
  event_id: string
  kind: NoticeKind
  topic: string
  recipients: string[]
  data: Record<string, unknown>
  subject: string
  body_text: string | null
  body_html: string | null
  link: string | null
  state: NoticeState
  attempts: number
  copies: number
  created_at: string
  show_until: string
  due_at: string
  sent_at: string | null
  last_error: string | null
}

const fromRow = (row: Row): NoticeRecord => ({
  tenantId: row.tenant_id,
  noticeId: row.notice_id,
  eventId: row.event_id,
  kind: row.kind,
  topic: row.topic,
  recipients: row.recipients,
  data: row.data,
  subject: row.subject,
  text: row.body_text,
  html: row.body_html,
  link: row.link,
  state: row.state,
  attempts: row.attempts,
  copies: row.copies,
  createdAt: instantOfRow(row.created_at),
  showUntil: instantOfRow(row.show_until),
  dueAt: instantOfRow(row.due_at),
  sentAt: instantOfRowOrNull(row.sent_at),
  lastError: row.last_error,
})

/** Takes the cursor for this transaction; null while another process reads on. */
export const takeCursor = async (tx: Tx): Promise<bigint | null> =>
  (await queryOne<{ position: bigint }>(tx, sql`select position from notice_cursor for update skip locked`))
    ?.position ?? null

export const moveCursor = async (tx: Tx, position: bigint): Promise<void> => {
  await query(tx, sql`update notice_cursor set position = ${position}`)
}

/** Inserts those that are new: an event makes a notice of a kind once, whatever is repeated. */
export const insertNotices = async (tx: Tx, notices: readonly NoticeRecord[]): Promise<void> => {
  for (const notice of notices)
    await query(
      tx,
      sql`insert into notices (tenant_id, notice_id, event_id, kind, topic, recipients, data, subject, body_text, body_html, link, state, created_at, show_until, due_at, last_error)
          values (${notice.tenantId}, ${notice.noticeId}, ${notice.eventId}, ${notice.kind}, ${notice.topic}, ${notice.recipients}::text[], ${JSON.stringify(notice.data)}, ${notice.subject}, ${notice.text}, ${notice.html}, ${notice.link}, ${notice.state}, ${notice.createdAt.toString()}, ${notice.showUntil.toString()}, ${notice.dueAt.toString()}, ${notice.lastError})
          on conflict (tenant_id, event_id, kind) do nothing`,
    )
}

/**
 * Claims the next notice that is due, and writes the attempt down before it is made. One that a process died over is free
 * as soon as the database has seen it go, or when its lease is over.
 */
export const claimNotice = async (
  db: Db,
  holder: number,
  at: Temporal.Instant,
  leaseSeconds: number,
): Promise<NoticeRecord | null> => {
  const row = await queryOne<Row>(
    db,
    sql`update notices n set state = 'sending', attempts = n.attempts + 1, holder = ${holder}, leased_until = ${at.add({ seconds: leaseSeconds }).toString()}
        from (select tenant_id, event_id, kind from notices
              where (state in ('waiting', 'retrying') and due_at <= ${at.toString()})
                 or (state = 'sending' and (leased_until <= ${at.toString()} or holder <> all (${presentProcesses})))
              order by due_at, notice_id limit 1 for update skip locked) next
        where n.tenant_id = next.tenant_id and n.event_id = next.event_id and n.kind = next.kind returning n.*`,
  )
  return row && fromRow(row)
}

/** Writes down how an attempt ended; nothing when the notice was claimed by another meanwhile. */
export const finishAttempt = async (
  db: Db,
  notice: Pick<NoticeRecord, 'tenantId' | 'noticeId' | 'attempts'>,
  outcome: { state: 'sent' } | AfterFailure,
  at: Temporal.Instant,
  isForgotten: boolean,
): Promise<void> => {
  const isSent = outcome.state === 'sent'
  const forget = isForgotten && outcome.state !== 'retrying'
  const dueAt = outcome.state === 'retrying' ? at.add({ seconds: outcome.waitSeconds }) : at
  await query(
    db,
    sql`update notices set state = ${outcome.state}, sent_at = ${isSent ? at.toString() : null}, due_at = ${dueAt.toString()}, last_error = ${isSent ? null : outcome.error}, holder = null, leased_until = null,
          recipients = case when ${forget} then '{}' else recipients end, body_text = case when ${forget} then null else body_text end, body_html = case when ${forget} then null else body_html end
        where tenant_id = ${notice.tenantId} and notice_id = ${notice.noticeId} and state = 'sending' and attempts = ${notice.attempts}`,
  )
}

/** Puts a notice back to the beginning: the next copy, with a count of attempts of its own. */
export const queueCopy = async (
  tx: Tx,
  notice: Pick<NoticeRecord, 'tenantId' | 'noticeId' | 'recipients' | 'subject' | 'text' | 'html' | 'link'>,
  at: Temporal.Instant,
): Promise<NoticeRecord> => {
  const row = await queryOne<Row>(
    tx,
    sql`update notices set state = 'waiting', attempts = 0, copies = copies + 1, due_at = ${at.toString()}, last_error = null, recipients = ${notice.recipients}::text[],
          subject = ${notice.subject}, body_text = ${notice.text}, body_html = ${notice.html}, link = ${notice.link}
        where tenant_id = ${notice.tenantId} and notice_id = ${notice.noticeId} returning *`,
  )
  return fromRow(row!)
}

export const findNotice = async (on: Db | Tx, noticeId: string): Promise<NoticeRecord | null> => {
  const row = await queryOne<Row>(on, sql`select * from notices where notice_id = ${noticeId}`)
  return row && fromRow(row)
}

/** As above, kept from others for this transaction. */
export const lockNotice = async (tx: Tx, noticeId: string): Promise<NoticeRecord | null> => {
  const row = await queryOne<Row>(tx, sql`select * from notices where notice_id = ${noticeId} for update`)
  return row && fromRow(row)
}

export type NoticePlace = { at: string; noticeId: string }

/** Newest first; of one tenant or of all. */
export const listNotices = async (
  on: Db | Tx,
  page: {
    tenantId: string | null
    state: NoticeState | null
    kind: NoticeKind | null
    /** Kinds that this reader is not shown. */
    hidden: readonly NoticeKind[]
    after: NoticePlace | null
    limit: number
  },
): Promise<NoticeRecord[]> =>
  (
    await query<Row>(
      on,
      sql`select * from notices
          where (${page.tenantId}::text is null or tenant_id = ${page.tenantId})
            and (${page.state}::text is null or state = ${page.state}) and (${page.kind}::text is null or kind = ${page.kind})
            and kind <> all (${[...page.hidden]}::text[])
            and (${page.after === null} or (created_at, notice_id) < (${page.after?.at ?? null}::timestamptz, ${page.after?.noticeId ?? null}))
          order by created_at desc, notice_id desc limit ${page.limit}`,
    )
  ).map(fromRow)
