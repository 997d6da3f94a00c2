import type { Actor } from './audit.ts'
import { type Db, query, sql } from './db.ts'

export type AuditRow = {
  audit_id: bigint
  at: string
  tenant_id: string | null
  actor: string
  actor_kind: Actor['kind']
  action: string
  object: string | null
  result: 'allowed' | 'denied'
  before: Record<string, unknown> | null
  after: Record<string, unknown> | null
  reason: string | null
  request_id: string | null
}

/** Newest first. */
export const readAudit = (
  db: Db,
  filter: {
    tenantId: string | null
    result: string | null
    action: string | null
    before: bigint | null
    limit: number
  },
): Promise<AuditRow[]> =>
  query<AuditRow>(
    db,
    sql`select * from audit_log where (${filter.tenantId}::text is null or tenant_id = ${filter.tenantId}) and (${filter.result}::text is null or result = ${filter.result})
          and (${filter.action}::text is null or action = ${filter.action}) and (${filter.before}::bigint is null or audit_id < ${filter.before}) order by audit_id desc limit ${filter.limit}`,
  )
