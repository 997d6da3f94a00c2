import { type Static, Type } from 'typebox'
import { Id, Instant, Nullable, Page, strict, TenantId } from './common.ts'

export const noticeStates = ['waiting', 'sending', 'sent', 'retrying', 'failed', 'skipped', 'not_configured'] as const
const Severity = Type.Enum(['info', 'warning', 'critical'])
const Kind = Type.String({ pattern: '^[a-z][a-z_]{0,62}$', description: 'A kind of notice.' })
const Recipients = Type.Enum(['billing', 'owners', 'operators', 'address'])

/** A message to a customer, as it was or will be mailed (DUN-2). */
export const Notice = strict({
  id: Id('notice'),
  tenantId: TenantId,
  kind: Kind,
  severity: Severity,
  /** `skipped`: nobody to write to. `not_configured`: made while no mail server was named. */
  state: Type.Enum(noticeStates),
  eventId: Id('event'),
  subject: Type.String(),
  to: Type.Array(Type.String()),
  messageId: Type.String(),
  createdAt: Instant,
  sentAt: Nullable(Instant),
  attempts: Type.Integer(),
  nextAttemptAt: Nullable(Instant),
  lastError: Nullable(Type.String()),
})
export type Notice = Static<typeof Notice>

export const NoticeDetail = strict({
  ...Notice.properties,
  text: Nullable(Type.String()),
  html: Nullable(Type.String()),
  link: Nullable(Type.String()),
})
export type NoticeDetail = Static<typeof NoticeDetail>

export const NoticeQuery = strict({
  ...Page,
  tenantId: Type.Optional(TenantId),
  state: Type.Optional(Type.Enum(noticeStates)),
  kind: Type.Optional(Kind),
})
export const NoticeParams = strict({ noticeId: Type.String({ maxLength: 120 }) })

/** A message of now, in the words that were mailed. */
export const CurrentNotice = strict({
  id: Id('notice'),
  kind: Kind,
  severity: Severity,
  subject: Type.String(),
  text: Type.String(),
  link: Nullable(Type.String()),
  createdAt: Instant,
})
export type CurrentNotice = Static<typeof CurrentNotice>

export const NoticeTemplate = strict({
  kind: Kind,
  when: Type.String(),
  to: Recipients,
  severity: Severity,
  /** Switched off by the host product. */
  off: Type.Boolean(),
  subject: Type.String({ description: 'With example data.' }),
})
export type NoticeTemplate = Static<typeof NoticeTemplate>

export const NoticePreviewRequest = strict({ kind: Kind, customerId: Type.Optional(Id('customer')) })
export const NoticePreview = strict({
  kind: Kind,
  subject: Type.String(),
  text: Type.String(),
  html: Type.String(),
  link: Type.String(),
})
