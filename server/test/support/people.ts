import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Role } from '@turnpike/contract'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

/** A host product that signs people in: the settings for the service, and tokens of people. */
export const startHost = async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwks = join(mkdtempSync(join(tmpdir(), 'turnpike-host-')), 'jwks.json')
  writeFileSync(jwks, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256' }] }))
  return {
    env: { JWT_JWKS: jwks, JWT_ISSUER: 'https://host.example', JWT_AUDIENCE: 'turnpike' },
    tokenOf: (personId: string, tenantId: string, role: Role, at: Temporal.Instant): Promise<string> =>
      new SignJWT({ tenant_id: tenantId, role, name: personId })
        .setProtectedHeader({ alg: 'ES256' })
        .setSubject(personId)
        .setIssuer('https://host.example')
        .setAudience('turnpike')
        .setIssuedAt(Math.floor(at.epochMilliseconds / 1_000) - 60)
        .setExpirationTime(Math.floor(at.epochMilliseconds / 1_000) + 86_400)
        .sign(privateKey),
  }
}
