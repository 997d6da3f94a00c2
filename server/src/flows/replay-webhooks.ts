import type { WebhookReplay, WebhookReplayResult } from '@turnpike/contract'
import { fail } from '../core/errors.ts'
import { type Actor, appendAudit } from '../platform/audit.ts'
import { transact } from '../platform/db.ts'
import { notify } from '../platform/notify.ts'
import { countReplayable, type ReplayFilter, requeueWebhooks } from '../platform/replay-inbox.ts'
import type { Deps } from './deps.ts'

export const partSize = 2_000
const everyState = ['applied', 'ignored', 'retrying', 'dead'] as const

/**
 * Makes webhooks due again by object, tenant, time or state, part by part: each part is one transaction with one audit
 * record of its numbers (WEB-4, AUD-1), so a break between two loses nothing and `after` goes on.
 */
export const replayWebhooks = async (
  deps: Deps,
  actor: Actor,
  request: WebhookReplay,
  after: bigint,
): Promise<Omit<WebhookReplayResult, 'cursor'> & { last: bigint | null }> => {
  const { objectId = null, tenantId = null, from, to, states, dryRun = false, limit = partSize } = request
  if (objectId === null && tenantId === null && from === undefined && to === undefined && states === undefined)
    throw fail('invalid_request', {
      errors: [{ field: 'body', message: 'must name an objectId, a tenantId, a time or states' }],
    })
  const filter: ReplayFilter = {
    objectId,
    tenantId,
    from: from === undefined ? null : Temporal.Instant.from(from),
    to: to === undefined ? null : Temporal.Instant.from(to),
    states: states ?? (objectId === null ? ['dead'] : everyState),
    after,
  }
  if (dryRun) {
    const webhooks = await countReplayable(deps.db, filter)
    return { dryRun, webhooks, total: sum(webhooks), last: null }
  }
  return transact(deps.db, async (tx) => {
    const { byState, last } = await requeueWebhooks(tx, filter, limit, deps.clock.now())
    const total = sum(byState)
    if (total > 0) {
      await appendAudit(tx, deps.clock, {
        tenantId,
        actor,
        action: 'webhooks.replay',
        object: objectId,
        before: { ...byState },
        after: { total, states: filter.states, from: from ?? null, to: to ?? null, goesOn: last !== null },
      })
      await notify(tx, { kind: 'inbox' })
    }
    return { dryRun, webhooks: byState, total, last }
  })
}

const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((total, count) => total + count, 0)
