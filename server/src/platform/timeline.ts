import type { TimelineEntry } from '@turnpike/contract'
import { type Db, query, sql } from './db.ts'

export type TimelineRow = {
  id: string
  at: string
  kind: TimelineEntry['kind']
  title: string
  correlation_id: string | null
  actor: string | null
  object: string | null
  detail: Record<string, unknown>
}

/**
 * One page of a customer's history over all records that carry its tenant. It reads across the tables of several parts, and
 * only reads: that is why it stands here and not in a module.
 */
export const readTimelineRows = (
  db: Db,
  tenantId: string,
  before: { at: string; id: string } | null,
  limit: number,
): Promise<TimelineRow[]> => {
  const at = before?.at ?? 'infinity'
  const edge = sql`<= ${at}::timestamptz`
  return query<TimelineRow>(
    db,
    sql`select * from (
      (select 'webhook:' || webhook_id as id, received_at as at, 'webhook' as kind, type as title, coalesce(correlation_id, trace_id) as correlation_id, provider as actor, object_id as object,
         jsonb_build_object('state', state, 'outcome', outcome, 'eventId', event_id, 'attempts', attempts, 'deliveries', deliveries, 'appliedAt', applied_at, 'lastError', last_error) as detail
       from webhook_inbox where tenant_id = ${tenantId} and received_at ${edge} order by received_at desc limit ${limit + 1})
      union all
      (select 'audit:' || audit_id, at, 'audit', action, request_id, actor, object,
         jsonb_build_object('actorKind', actor_kind, 'result', result, 'before', before, 'after', after, 'reason', reason)
       from audit_log where tenant_id = ${tenantId} and at ${edge} order by at desc limit ${limit + 1})
      union all
      (select 'event:' || event_id, at, 'event', type, correlation_id, null, event_id, jsonb_build_object('sequence', sequence, 'position', position, 'data', data)
       from outbox where tenant_id = ${tenantId} and at ${edge} order by at desc limit ${limit + 1})
      union all
      (select 'snapshot:' || version, effective_from, 'snapshot', cause, correlation_id, null, 'v' || version,
         jsonb_build_object('version', version, 'accessLevel', content -> 'accessLevel', 'plan', content -> 'plan', 'planVersion', content -> 'planVersion')
       from entitlement_snapshots where tenant_id = ${tenantId} and effective_from ${edge} order by effective_from desc limit ${limit + 1})
      union all
      (select 'refusal:' || idempotency_key, recorded_at, 'decision', 'refused: ' || feature, correlation_id, service, feature,
         jsonb_build_object('code', code, 'quantity', quantity, 'used', used, 'limit', usage_limit, 'meter', meter, 'snapshotVersion', snapshot_version,
           'decisionId', 'decision_r' || translate(encode(convert_to(idempotency_key, 'UTF8'), 'base64'), E'+/=\\n', '-_'))
       from usage_refusals where tenant_id = ${tenantId} and recorded_at ${edge} order by recorded_at desc limit ${limit + 1})
      union all
      (select 'checks:' || feature || ':' || reason || ':' || extract(epoch from hour), hour, 'decision', 'checks refused: ' || feature, null, null, feature, jsonb_build_object('reason', reason, 'attempts', attempts, 'from', hour)
       from check_refusals where tenant_id = ${tenantId} and hour ${edge} order by hour desc limit ${limit + 1})
    ) entries
    where ${before === null} or (at, id) < (${at}::timestamptz, ${before?.id ?? ''})
    order by at desc, id desc limit ${limit}`,
  )
}
