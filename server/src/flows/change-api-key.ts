import { type ApiKeyCreate, roles, tenantRoles } from '@turnpike/contract'
import type { Static } from 'typebox'
import { fail } from '../core/errors.ts'
import { idFor, newId } from '../core/ids.ts'
import { instantOrNull } from '../core/period.ts'
import {
  type ApiKeyRecord,
  findApiKey,
  hashKey,
  insertApiKey,
  newKeySecret,
  replaceSecret,
  revokeApiKey as revoke,
  upsertBootstrapKey,
} from '../modules/access/index.ts'
import { type Actor, appendAudit, systemActor } from '../platform/audit.ts'
import { transact } from '../platform/db.ts'
import { notify } from '../platform/notify.ts'
import type { Deps } from './deps.ts'

/**
 * Creates a key; the secret is answered once and only its hash is kept (SEC-1). A repeat of a request whose answer was lost
 * in a crash gives the same key another secret: nobody has seen the first.
 */
export const createApiKey = (
  deps: Deps,
  actor: Actor,
  request: Static<typeof ApiKeyCreate>,
): Promise<{ secret: string; key: ApiKeyRecord }> =>
  transact(deps.db, async (tx) => {
    const tenantId = request.tenantId ?? null
    if (tenantRoles.includes(request.role) && tenantId === null)
      throw fail('invalid_request', {
        errors: [{ field: 'tenantId', message: `The role ${request.role} belongs to a tenant.` }],
      })
    const held: readonly string[] = roles[request.role].permissions
    const beyond = request.permissions?.find((permission) => !held.includes(permission))
    if (beyond !== undefined)
      throw fail('invalid_request', {
        errors: [{ field: 'permissions', message: `The role ${request.role} does not hold ${beyond}.` }],
      })
    const at = deps.clock.now()
    const expiresAt = request.expiresAt ? instantOrNull(request.expiresAt) : null
    if (request.expiresAt && expiresAt === null)
      throw fail('invalid_request', { errors: [{ field: 'expiresAt', message: 'The year is not from 1 to 9999.' }] })
    if (expiresAt && Temporal.Instant.compare(expiresAt, at) <= 0)
      throw fail('invalid_request', { errors: [{ field: 'expiresAt', message: 'The end lies in the past.' }] })
    const secret = newKeySecret()
    const key = record(
      secret,
      {
        name: request.name,
        role: request.role,
        tenantId,
        permissions: request.permissions ?? null,
        createdBy: actor.id,
        expiresAt,
        keyId: idFor('key', actor.claim),
      },
      at,
    )
    const isRepeat = (await findApiKey(tx, key.keyId)) !== null
    if (isRepeat) await replaceSecret(tx, key.keyId, key.prefix, hashKey(secret))
    else await insertApiKey(tx, key, hashKey(secret))
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: isRepeat ? 'api_key.replace_secret' : 'api_key.create',
      object: key.keyId,
      after: { name: key.name, role: key.role, tenantId, expiresAt: request.expiresAt ?? null },
    })
    return { secret, key }
  })

/** Revokes a key at once, in every process; a second time changes nothing. */
export const revokeApiKey = (deps: Deps, actor: Actor, keyId: string): Promise<ApiKeyRecord> =>
  transact(deps.db, async (tx) => {
    const key = await findApiKey(tx, keyId)
    if (!key) throw fail('not_found')
    if (key.revokedAt) return key
    const at = deps.clock.now()
    await revoke(tx, keyId, at)
    await appendAudit(tx, deps.clock, {
      tenantId: key.tenantId,
      actor,
      action: 'api_key.revoke',
      object: keyId,
      before: { name: key.name, role: key.role },
    })
    await notify(tx, { kind: 'credentials' })
    return { ...key, revokedAt: at }
  })

/** Makes sure that the operator key of the environment works: how the first operator gets in. */
export const ensureBootstrapKey = (deps: Pick<Deps, 'db' | 'clock'>, secret: string): Promise<boolean> =>
  transact(deps.db, async (tx) => {
    const key = record(
      secret,
      {
        name: 'bootstrap operator',
        role: 'operator',
        tenantId: null,
        permissions: null,
        createdBy: 'environment',
        expiresAt: null,
        keyId: newId('key'),
      },
      deps.clock.now(),
    )
    const isNew = await upsertBootstrapKey(tx, key, hashKey(secret))
    if (isNew)
      await appendAudit(tx, deps.clock, {
        tenantId: null,
        actor: systemActor('environment', newId('request')),
        action: 'api_key.create',
        object: key.keyId,
        after: { name: key.name, role: key.role },
      })
    return isNew
  })

const record = (
  secret: string,
  settings: Pick<ApiKeyRecord, 'keyId' | 'name' | 'role' | 'tenantId' | 'permissions' | 'createdBy' | 'expiresAt'>,
  at: Temporal.Instant,
): ApiKeyRecord => ({
  ...settings,
  prefix: secret.slice(0, 10),
  createdAt: at,
  revokedAt: null,
  lastUsedAt: null,
})
