import type { IncomingHttpHeaders } from 'node:http'
import type { Permission } from '@turnpike/contract'
import { fail } from '../core/errors.ts'
import { authenticateKey, type Credential, markKeysUsed, type TokenVerifier } from '../modules/access/index.ts'
import { type Actor, recordDenial } from '../platform/audit.ts'
import type { Clock } from '../platform/clock.ts'
import { type Db, isConnectionLoss } from '../platform/db.ts'
import type { Log } from '../platform/log.ts'

/** A proven credential is believed this long without asking again; a revocation is announced and ends it at once. */
const believedMs = 15_000
/** While the database is away nothing can be revoked, and who was proven before is believed for longer. */
const believedWithoutDatabaseMs = 15 * 60_000
const entriesMax = 20_000

export type Authenticator = {
  /** A credential that was proven a moment ago; null when it must be proven. */
  recall(headers: IncomingHttpHeaders): Credential | null
  authenticate(headers: IncomingHttpHeaders, requestId: string): Promise<Credential>
  forget(): void
  /** Writes which keys were used since the last call. */
  flush(): Promise<void>
}

export const createAuthenticator = (
  deps: { db: Db; clock: Clock; log: Log },
  verifyToken: TokenVerifier,
): Authenticator => {
  const believed = new Map<string, { credential: Credential; until: number }>()
  let used = new Set<string>()
  const recall = (headers: IncomingHttpHeaders): Credential | null => {
    const known = headers.authorization === undefined ? undefined : believed.get(headers.authorization)
    if (!known || deps.clock.nowMs() >= known.until) return null
    if (known.credential.kind === 'key') used.add(known.credential.id)
    return known.credential
  }
  return {
    recall,
    authenticate: async (headers, requestId) => {
      const known = recall(headers)
      if (known) return known
      const secret = bearerOf(headers.authorization)
      if (secret === null) throw fail('unauthenticated')
      const at = deps.clock.now()
      let credential: Credential | null
      try {
        credential = secret.startsWith('tpk_')
          ? await authenticateKey(deps.db, secret, at)
          : await verifyToken(secret, at)
      } catch (error) {
        const last = believed.get(headers.authorization!)
        const isBelieved = last && at.epochMilliseconds < last.until + believedWithoutDatabaseMs
        if (!isBelieved || !isConnectionLoss(error)) throw error
        return last.credential
      }
      if (!credential) {
        await deny(
          deps,
          { kind: 'anonymous', id: 'unknown credential', requestId },
          null,
          'authenticate',
          'unauthenticated',
        )
        throw fail('unauthenticated')
      }
      if (believed.size >= entriesMax) believed.clear()
      believed.set(headers.authorization!, { credential, until: at.epochMilliseconds + believedMs })
      if (credential.kind === 'key') used.add(credential.id)
      return credential
    },
    forget: () => believed.clear(),
    flush: async () => {
      if (used.size === 0) return
      const taken = [...used]
      used = new Set()
      await markKeysUsed(deps.db, taken, deps.clock.now())
    },
  }
}

const bearerOf = (header: string | undefined): string | null => {
  const match = header === undefined ? null : /^Bearer ([A-Za-z0-9._~+/=-]{8,8192})$/i.exec(header)
  return match?.[1] ?? null
}

export const actorOf = (credential: Credential, requestId: string): Actor => ({
  kind: credential.kind,
  id: credential.id,
  requestId,
})

/** Records a denied attempt (AUD-1). A database that is away must not turn a no into something else. */
const deny = async (
  deps: { db: Db; clock: Clock; log: Log },
  actor: Actor,
  tenantId: string | null,
  action: string,
  reason: string,
): Promise<void> => {
  deps.log.warn({ actor: actor.id, action, reason, requestId: actor.requestId, security: true }, 'denied')
  await recordDenial(deps.db, deps.clock, { tenantId, actor, action, reason }).catch((error: unknown) =>
    deps.log.error({ err: error }, 'a denial could not be recorded'),
  )
}

/** Refuses a credential without the permission, and says which one it is. */
export const requirePermission = async (
  deps: { db: Db; clock: Clock; log: Log },
  credential: Credential,
  permission: Permission,
  requestId: string,
  action: string,
): Promise<void> => {
  if (credential.permissions.has(permission)) return
  await deny(deps, actorOf(credential, requestId), credential.tenantId, action, `lacks ${permission}`)
  throw fail('forbidden', { extra: { permission } })
}

/** Another tenant's things look exactly like things that do not exist (CUS-2). */
export const requireTenant = async (
  deps: { db: Db; clock: Clock; log: Log },
  credential: Credential,
  tenantId: string,
  requestId: string,
  action: string,
): Promise<void> => {
  if (credential.tenantId === null || credential.tenantId === tenantId) return
  await deny(deps, actorOf(credential, requestId), credential.tenantId, action, 'belongs to another tenant')
  throw fail('not_found')
}
