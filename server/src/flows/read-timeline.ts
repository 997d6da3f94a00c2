import type { TimelineEntry } from '@turnpike/contract'
import { instantOfRow } from '../core/period.ts'
import type { CustomerRecord } from '../modules/customers/index.ts'
import { readTimelineRows } from '../platform/timeline.ts'
import type { Deps } from './deps.ts'

/** Everything that happened to a customer, newest first: webhooks, audit, events, snapshots and refused usage (UI-3). */
export const readTimeline = async (
  deps: Deps,
  customer: CustomerRecord,
  before: { at: string; id: string } | null,
  limit: number,
): Promise<TimelineEntry[]> =>
  (await readTimelineRows(deps.db, customer.tenantId, before, limit)).map((row) => ({
    id: row.id,
    at: instantOfRow(row.at).toString(),
    kind: row.kind,
    title: row.title,
    correlationId: row.correlation_id,
    actor: row.actor,
    object: row.object,
    detail: row.detail,
  }))
