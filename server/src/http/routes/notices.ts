import type { CurrentNotice, Notice } from '@turnpike/contract'
import { fail } from '../../core/errors.ts'
import { previewNotice } from '../../flows/preview-notice.ts'
import { resendNotice } from '../../flows/resend-notice.ts'
import { findCustomer } from '../../modules/customers/index.ts'
import {
  currentNotices,
  definitionOf,
  findNotice,
  isNoticeKind,
  listNotices,
  messageIdOf,
  type NoticeRecord,
  noticeKindNames,
} from '../../modules/notices/index.ts'
import { type Context, decodeCursor, encodeCursor, type Handlers, type HttpDeps } from '../handler.ts'

const noticeView = (deps: HttpDeps, notice: NoticeRecord): Notice => ({
  id: notice.noticeId,
  tenantId: notice.tenantId,
  kind: notice.kind,
  severity: definitionOf(notice.kind).severity,
  state: notice.state,
  eventId: notice.eventId,
  subject: notice.subject,
  to: notice.recipients,
  messageId: messageIdOf(notice, deps.notices.from),
  createdAt: notice.createdAt.toString(),
  sentAt: notice.sentAt?.toString() ?? null,
  attempts: notice.attempts,
  nextAttemptAt: notice.state === 'waiting' || notice.state === 'retrying' ? notice.dueAt.toString() : null,
  lastError: notice.lastError,
})

const isPlace = (value: unknown): value is { at: string; noticeId: string } =>
  typeof value === 'object' &&
  value !== null &&
  'at' in value &&
  typeof value.at === 'string' &&
  /^\d{4}-[0-9T:.-]+Z$/.test(value.at) &&
  'noticeId' in value &&
  typeof value.noticeId === 'string'

/** What the house is written about a customer is not that customer's to read. */
const ofTheHouse = noticeKindNames.filter((kind) => definitionOf(kind).to === 'operators')
const hiddenFrom = ({ credential }: Pick<Context<'getNotice'>, 'credential'>) =>
  credential.tenantId === null ? [] : ofTheHouse

const readable = async (
  context: Pick<Context<'getNotice'>, 'deps' | 'credential' | 'params' | 'own'>,
): Promise<NoticeRecord> => {
  const notice = await findNotice(context.deps.db, context.params.noticeId)
  if (!notice) throw fail('not_found')
  await context.own(notice.tenantId)
  if (hiddenFrom(context).includes(notice.kind)) throw fail('not_found')
  return notice
}

/** More than anybody has topics. */
const lookBack = 200

export const noticeHandlers: Handlers<
  'listNotices' | 'listNoticeTemplates' | 'previewNotice' | 'getNotice' | 'resendNotice' | 'listCurrentNotices'
> = {
  listNotices: async ({ deps, credential, tenantId, query }) => {
    const limit = query.limit ?? 50
    if (query.kind !== undefined && !isNoticeKind(query.kind)) return { data: [], cursor: null }
    const rows = await listNotices(deps.db, {
      tenantId,
      state: query.state ?? null,
      kind: query.kind ?? null,
      hidden: hiddenFrom({ credential }),
      after: decodeCursor(query.cursor, isPlace),
      limit,
    })
    const last = rows.length === limit ? rows.at(-1)! : null
    return {
      data: rows.map((row) => noticeView(deps, row)),
      cursor: last && encodeCursor({ at: last.createdAt.toString(), noticeId: last.noticeId }),
    }
  },

  listNoticeTemplates: async ({ deps }) =>
    Promise.all(
      noticeKindNames.map(async (kind) => {
        const { when, to, severity } = definitionOf(kind)
        const { subject } = await previewNotice(deps, { kind })
        return { kind, when, to, severity, off: deps.notices.off.includes(kind), subject }
      }),
    ),

  previewNotice: ({ deps, body }) => previewNotice(deps, body),

  getNotice: async (context) => {
    const notice = await readable(context)
    return { ...noticeView(context.deps, notice), text: notice.text, html: notice.html, link: notice.link }
  },

  resendNotice: async (context) => {
    const { deps, actor } = context
    const { noticeId } = await readable(context)
    return noticeView(deps, await resendNotice(deps, actor, noticeId))
  },

  listCurrentNotices: async ({ deps, tenantId }) => {
    if (!(await findCustomer(deps.db, tenantId))) throw fail('not_found')
    const all = await listNotices(deps.db, {
      tenantId,
      state: null,
      kind: null,
      hidden: ofTheHouse,
      after: null,
      limit: lookBack,
    })
    return currentNotices(all, deps.clock.now()).flatMap((notice): CurrentNotice[] =>
      notice.text === null
        ? []
        : [
            {
              id: notice.noticeId,
              kind: notice.kind,
              severity: definitionOf(notice.kind).severity,
              subject: notice.subject,
              text: notice.text,
              link: notice.link,
              createdAt: notice.createdAt.toString(),
            },
          ],
    )
  },
}
