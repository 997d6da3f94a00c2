import type { ApiKey } from '@turnpike/contract'
import { instantOfRow } from '../../core/period.ts'
import { createApiKey, revokeApiKey } from '../../flows/change-api-key.ts'
import { type ApiKeyRecord, listApiKeys } from '../../modules/access/index.ts'
import { readAudit } from '../../platform/read-audit.ts'
import type { Handlers } from '../handler.ts'
import { after, placeOf } from '../number-cursor.ts'

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

export const operatorHandlers: Handlers<'whoami' | 'listAudit' | 'createApiKey' | 'listApiKeys' | 'revokeApiKey'> = {
  whoami: ({ deps, credential }) => ({
    actor: credential.id,
    name: credential.name,
    role: credential.role,
    tenantId: credential.tenantId,
    permissions: [...credential.permissions].sort(),
    demo: deps.demo,
    environment: deps.environment,
    now: deps.clock.now().toString(),
  }),

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
