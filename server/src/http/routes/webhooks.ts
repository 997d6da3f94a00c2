import type { InboxEntry } from '@turnpike/contract'
import { fail } from '../../core/errors.ts'
import { replayWebhook } from '../../flows/replay-webhook.ts'
import { replayWebhooks } from '../../flows/replay-webhooks.ts'
import { countWebhooks, findWebhook, type InboxRow, listWebhooks } from '../../platform/inbox.ts'
import { encodeCursor, type Handlers } from '../handler.ts'
import { after, placeOf } from '../number-cursor.ts'

const webhookView = (row: InboxRow): InboxEntry => ({
  id: String(row.webhookId),
  provider: row.provider,
  eventId: row.eventId,
  type: row.type,
  objectId: row.objectId,
  providerCustomerId: row.providerCustomerId,
  tenantId: row.tenantId,
  state: row.state,
  outcome: row.outcome,
  attempts: row.attempts,
  deliveries: row.deliveries,
  receivedAt: row.receivedAt.toString(),
  appliedAt: row.appliedAt?.toString() ?? null,
  nextAttemptAt: row.state === 'retrying' || row.state === 'pending' ? row.dueAt.toString() : null,
  lastError: row.lastError,
  traceId: row.traceId,
})

const numberOf = (id: string): bigint => {
  if (!/^\d{1,18}$/.test(id)) throw fail('not_found')
  return BigInt(id)
}

export const webhookHandlers: Handlers<
  'listWebhooks' | 'countWebhooks' | 'getWebhook' | 'replayWebhook' | 'replayWebhooks'
> = {
  listWebhooks: async ({ deps, query }) => {
    const limit = query.limit ?? 50
    const rows = await listWebhooks(deps.db, {
      state: query.state ?? null,
      tenantId: query.tenantId ?? null,
      before: placeOf(query.cursor),
      limit,
    })
    return { data: rows.map(webhookView), cursor: after(rows, limit, (row) => row.webhookId) }
  },

  countWebhooks: async ({ deps }) => {
    const { counts, oldestPending } = await countWebhooks(deps.db)
    return { counts, oldestPendingAt: oldestPending?.toString() ?? null }
  },

  getWebhook: async ({ deps, params }) => {
    const row = await findWebhook(deps.db, numberOf(params.webhookId))
    if (!row) throw fail('not_found')
    return {
      ...webhookView(row),
      eventAt: row.eventAt?.toString() ?? null,
      correlationId: row.correlationId,
      holds: row.holds,
      errors: row.errors,
    }
  },

  replayWebhook: async ({ deps, actor, params }) =>
    webhookView(await replayWebhook(deps, actor, numberOf(params.webhookId))),

  replayWebhooks: async ({ deps, actor, body }) => {
    const { last, ...result } = await replayWebhooks(deps, actor, body, placeOf(body.cursor) ?? 0n)
    return { ...result, cursor: last === null ? null : encodeCursor(String(last)) }
  },
}
