import { readFileSync } from 'node:fs'
import { type Role, roles, tenantRoles } from '@turnpike/contract'
import { createLocalJWKSet, createRemoteJWKSet, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { type Credential, permissionsOfRole } from './credential.ts'

export type TokenVerifier = (token: string, at: Temporal.Instant) => Promise<Credential | null>

// Asymmetric only: with a shared secret anybody who can check a token can make one.
const algorithms = ['ES256', 'ES384', 'EdDSA', 'RS256', 'PS256']

/**
 * Checks JWTs of the host product with pinned issuer, audience and algorithm against a JWKS (a file or a URL) (SEC-1).
 * Claims: `sub`, `tenant_id`, `role` (a role of a tenant, or of the house without `tenant_id`), `name` optional.
 * Null for anything that does not hold; the reason stays inside.
 */
export const createTokenVerifier = (
  settings: { jwks: string; issuer: string; audience: string; algorithm: string } | null,
): TokenVerifier => {
  if (!settings) return async () => null
  const keys: JWTVerifyGetKey = /^https?:/.test(settings.jwks)
    ? createRemoteJWKSet(new URL(settings.jwks), { timeoutDuration: 5_000 })
    : createLocalJWKSet(JSON.parse(readFileSync(settings.jwks, 'utf8')))
  return async (token, at) => {
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer: settings.issuer,
        audience: settings.audience,
        algorithms: [settings.algorithm].filter((name) => algorithms.includes(name)),
        requiredClaims: ['sub', 'exp', 'iat', 'role'],
        currentDate: new Date(at.epochMilliseconds),
      })
      const role = payload.role as Role
      if (typeof payload.sub !== 'string' || !Object.hasOwn(roles, role)) return null
      const tenantId = typeof payload.tenant_id === 'string' && payload.tenant_id !== '' ? payload.tenant_id : null
      // A person of a tenant without a tenant would be nobody's, and therefore everybody's.
      if (tenantRoles.includes(role) !== (tenantId !== null)) return null
      return {
        kind: 'person',
        id: payload.sub.slice(0, 200),
        name: typeof payload.name === 'string' ? payload.name.slice(0, 200) : payload.sub,
        role,
        tenantId,
        permissions: permissionsOfRole(role),
      }
    } catch {
      return null
    }
  }
}
