import { type Static, Type } from 'typebox'
import { Id, Instant, Nullable, strict, TenantId } from './common.ts'

/** What follows the end of the last subscription (SUB-6): each time is the end of what it names. */
export const Retention = strict({
  endedAt: Instant,
  /** Until then access is `read_only`; null when the policy has no such time. */
  readOnlyUntil: Nullable(Instant),
  exportUntil: Instant,
  deleteAt: Instant,
})
export type Retention = Static<typeof Retention>

/** A complete archive of what is kept about a customer. It is made while it is fetched; the link ends at `expiresAt`. */
export const Export = strict({
  id: Id('export'),
  tenantId: TenantId,
  requestedBy: Type.String(),
  createdAt: Instant,
  expiresAt: Instant,
  /** Needs no credential: whoever has it can fetch the archive. Null once it has expired. */
  downloadUrl: Nullable(Type.String()),
  downloads: Type.Integer({ minimum: 0 }),
  lastDownloadedAt: Nullable(Instant),
})
export type Export = Static<typeof Export>

export const ExportLinkParams = strict({ token: Type.String({ maxLength: 600 }) })
