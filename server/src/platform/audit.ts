import type { Clock } from './clock.ts'
import { type Db, query, sql, type Tx } from './db.ts'

/** Who acts. `requestId` ties everything that one request or webhook caused into one chain. */
export type Actor = {
  kind: 'key' | 'person' | 'provider' | 'system' | 'anonymous'
  id: string
  requestId: string
  /** What all attempts of one repeatable request have in common: see `idFor`. */
  claim?: string
}

export const systemActor = (what: string, requestId: string): Actor => ({ kind: 'system', id: what, requestId })

export type AuditRecord = {
  tenantId: string | null
  actor: Actor
  action: string
  object?: string | null
  result?: 'allowed' | 'denied'
  before?: Record<string, unknown> | null
  after?: Record<string, unknown> | null
  reason?: string | null
}

/** Appends one record in the transaction of the change (AUD-1). */
export const appendAudit = async (tx: Tx, clock: Clock, record: AuditRecord): Promise<void> => {
  await query(tx, insert(clock, record))
}

/** Several records of one moment in one statement, for work on many customers at once. */
export const appendAudits = async (tx: Tx, clock: Clock, records: readonly AuditRecord[]): Promise<void> => {
  if (records.length === 0) return
  const rows = records.map(({ tenantId, actor, action, object, before, after, reason }) => ({
    t: tenantId,
    a: actor.id,
    k: actor.kind,
    w: action,
    o: object ?? null,
    b: before ?? null,
    n: after ?? null,
    r: reason ?? null,
    q: actor.requestId,
  }))
  await query(
    tx,
    sql`insert into audit_log (at, tenant_id, actor, actor_kind, action, object, result, before, after, reason, request_id)
        select ${clock.now().toString()}::timestamptz, t, a, k, w, o, 'allowed', nullif(b, 'null'), nullif(n, 'null'), r, q
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (t text, a text, k text, w text, o text, b jsonb, n jsonb, r text, q text)`,
  )
}

/** A denied attempt changes nothing else, so it is a statement of its own. */
export const recordDenial = async (db: Db, clock: Clock, record: Omit<AuditRecord, 'result'>): Promise<void> => {
  await query(db, insert(clock, { ...record, result: 'denied' }))
}

const insert = (clock: Clock, record: AuditRecord) => sql`
  insert into audit_log (at, tenant_id, actor, actor_kind, action, object, result, before, after, reason, request_id)
  values (${clock.now().toString()}, ${record.tenantId}, ${record.actor.id}, ${record.actor.kind}, ${record.action}, ${record.object ?? null},
    ${record.result ?? 'allowed'}, ${jsonOrNull(record.before)}, ${jsonOrNull(record.after)}, ${record.reason ?? null}, ${record.actor.requestId})`

const jsonOrNull = (value: Record<string, unknown> | null | undefined) => (value ? JSON.stringify(value) : null)
