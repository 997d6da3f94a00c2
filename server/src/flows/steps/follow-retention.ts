import type { Retention } from '@turnpike/contract'
import { findRetention, type RetentionRecord, saveRetention } from '../../modules/privacy/index.ts'
import { lastEnd, readOnlyUntil, type SubscriptionRecord } from '../../modules/subscriptions/index.ts'
import { type Actor, appendAudit } from '../../platform/audit.ts'
import type { Tx } from '../../platform/db.ts'
import type { NewEvent } from '../../platform/outbox.ts'
import type { Deps } from '../deps.ts'

/**
 * Begins to count the days when the last subscription has ended, and stops when there is one again (SUB-6): part of the
 * transaction that learns of it. The same subscriptions a second time change nothing.
 */
export const followRetention = async (
  tx: Tx,
  deps: Pick<Deps, 'clock' | 'catalog'>,
  tenantId: string,
  subscriptions: readonly SubscriptionRecord[],
  actor: Actor,
): Promise<NewEvent[]> => {
  const at = deps.clock.now()
  const endedAt = lastEnd(subscriptions)
  const known = await findRetention(tx, tenantId)
  if (endedAt === null) {
    // What was deleted stays deleted; only a deletion that has not ended can be stopped.
    if (known?.state !== 'waiting' && known?.state !== 'deleting') return []
    await saveRetention(tx, { ...known, state: 'reactivated' }, at)
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: 'retention.ended',
      before: { state: known.state, deleteAt: known.deleteAfter.toString() },
      after: { state: 'reactivated' },
    })
    return [{ type: 'retention.ended', data: { reason: 'reactivated' } }]
  }
  if (known && known.state !== 'reactivated' && Temporal.Instant.compare(known.endedAt, endedAt) >= 0) return []
  const policy = deps.catalog().file.policies.cancellation
  const retention: RetentionRecord = {
    tenantId,
    endedAt,
    readOnlyUntil: readOnlyUntil(endedAt, policy),
    deleteAfter: endedAt.add({ hours: 24 * policy.retentionDays }),
    reminded: [],
    readOnlyOver: false,
    state: 'waiting',
  }
  await saveRetention(tx, retention, at)
  const data = retentionView(retention)
  await appendAudit(tx, deps.clock, { tenantId, actor, action: 'retention.started', after: data })
  return [{ type: 'retention.started', data }]
}

export const retentionView = (retention: RetentionRecord): Retention => ({
  endedAt: retention.endedAt.toString(),
  readOnlyUntil: retention.readOnlyUntil?.toString() ?? null,
  exportUntil: retention.deleteAfter.toString(),
  deleteAt: retention.deleteAfter.toString(),
})
