import type { ApiKey, InboxEntry } from '@turnpike/contract'
import { fail } from '../../core/errors.ts'
import { instantOfRow } from '../../core/period.ts'
import { createApiKey, revokeApiKey } from '../../flows/change-api-key.ts'
import { replayWebhook } from '../../flows/replay-webhook.ts'
import { type ApiKeyRecord, listApiKeys } from '../../modules/access/index.ts'
import { countWebhooks, type InboxRow, listWebhooks } from '../../platform/inbox.ts'
import { readAudit } from '../../platform/read-audit.ts'
import { decodeCursor, encodeCursor, type Handlers } from '../handler.ts'

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

const keyView = (key: ApiKeyRecord): ApiKey => ({
  id: key.keyId,
  name: key.name,
  role: key.role,
  tenantId: key.tenantId,
  permissions: key.permissions,
  prefix: key.prefix,
  createdAt: key.createdAt.toString(),
  expiresAt: key.expiresAt?.toString() ?? null,
  revokedAt: key.revokedAt?.toString() ?? null,
  lastUsedAt: key.lastUsedAt?.toString() ?? null,
})

const isNumber = (value: unknown): value is string => typeof value === 'string' && /^\d{1,18}$/.test(value)
const placeOf = (cursor: string | undefined): bigint | null => {
  const place = decodeCursor(cursor, isNumber)
  return place === null ? null : BigInt(place)
}
const after = <T>(rows: readonly T[], limit: number, id: (row: T) => bigint): string | null =>
  rows.length === limit ? encodeCursor(String(id(rows.at(-1)!))) : null

export const operatorHandlers: Handlers<
  | 'whoami'
  | 'listWebhooks'
  | 'countWebhooks'
  | 'replayWebhook'
  | 'listAudit'
  | 'createApiKey'
  | 'listApiKeys'
  | 'revokeApiKey'
> = {
  whoami: ({ deps, credential }) => ({
    actor: credential.id,
    name: credential.name,
    role: credential.role,
    tenantId: credential.tenantId,
    permissions: [...credential.permissions].sort(),
    demo: deps.demo,
    environment: deps.environment,
  }),

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

  replayWebhook: async ({ deps, actor, params }) => {
    if (!/^\d{1,18}$/.test(params.webhookId)) throw fail('not_found')
    return webhookView(await replayWebhook(deps, actor, BigInt(params.webhookId)))
  },

  listAudit: async ({ deps, tenantId, query }) => {
    const limit = query.limit ?? 50
    const rows = await readAudit(deps.db, {
      tenantId,
      result: query.result ?? null,
      action: query.action ?? null,
      before: placeOf(query.cursor),
      limit,
    })
    return {
      data: rows.map((row) => ({
        id: String(row.audit_id),
        at: instantOfRow(row.at).toString(),
        tenantId: row.tenant_id,
        actor: row.actor,
        actorKind: row.actor_kind,
        action: row.action,
        object: row.object,
        result: row.result,
        before: row.before,
        after: row.after,
        reason: row.reason,
        requestId: row.request_id,
      })),
      cursor: after(rows, limit, (row) => row.audit_id),
    }
  },

  createApiKey: async ({ deps, actor, body }) => {
    const { secret, key } = await createApiKey(deps, actor, body)
    return { key: secret, ...keyView(key) }
  },

  listApiKeys: async ({ deps }) => (await listApiKeys(deps.db)).map(keyView),

  revokeApiKey: async ({ deps, actor, params }) => keyView(await revokeApiKey(deps, actor, params.keyId)),
}
