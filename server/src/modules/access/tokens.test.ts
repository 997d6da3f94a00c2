import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTokenVerifier, type TokenVerifier } from './tokens.ts'

const issuer = 'https://login.example.com'
const audience = 'turnpike'
const at = Temporal.Instant.from('2026-11-21T12:00:00Z')
const now = Math.floor(at.epochMilliseconds / 1_000)

let dir: string
let verify: TokenVerifier
let keys: Awaited<ReturnType<typeof generateKeyPair>>
let strangers: Awaited<ReturnType<typeof generateKeyPair>>

beforeAll(async () => {
  keys = await generateKeyPair('ES256', { extractable: true })
  strangers = await generateKeyPair('ES256', { extractable: true })
  dir = mkdtempSync(join(tmpdir(), 'jwks-'))
  const jwks = join(dir, 'jwks.json')
  writeFileSync(
    jwks,
    JSON.stringify({ keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }] }),
  )
  verify = createTokenVerifier({ jwks, issuer, audience, algorithm: 'ES256' })
})
afterAll(() => rmSync(dir, { recursive: true }))

type Changes = {
  claims?: Record<string, unknown>
  issuer?: string
  audience?: string
  expires?: number
  issued?: number
  key?: CryptoKey
}
const token = (changes: Changes = {}) =>
  new SignJWT({ role: 'owner', tenant_id: 'acme', name: 'Ana', ...changes.claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
    .setSubject('user_1')
    .setIssuer(changes.issuer ?? issuer)
    .setAudience(changes.audience ?? audience)
    .setIssuedAt(changes.issued ?? now - 60)
    .setExpirationTime(changes.expires ?? now + 60)
    .sign(changes.key ?? keys.privateKey)

test('a token of the host product becomes a credential of its tenant with the role of the table (SEC-1)', async () => {
  const credential = await verify(await token(), at)
  expect(credential).toMatchObject({ kind: 'person', id: 'user_1', name: 'Ana', role: 'owner', tenantId: 'acme' })
  expect(credential?.permissions.has('billing:session:create')).toBe(true)
  expect(credential?.permissions.has('billing:audit:read')).toBe(false)
})

test.each<[string, Changes]>([
  ['another issuer', { issuer: 'https://evil.example.com' }],
  ['another audience', { audience: 'somebody-else' }],
  ['an end in the past', { expires: now - 1 }],
  ['an unknown role', { claims: { role: 'emperor' } }],
  ['a role named like what every object has', { claims: { role: 'constructor' } }],
  ['a role of a tenant without a tenant', { claims: { tenant_id: undefined } }],
  ['an empty tenant', { claims: { tenant_id: '' } }],
  ['a role of the house with a tenant', { claims: { role: 'operator' } }],
  ['no role', { claims: { role: undefined } }],
])('%s is refused', async (_, changes) => {
  expect(await verify(await token(changes), at)).toBeNull()
})

test('a signature by another key is refused', async () => {
  expect(await verify(await token({ key: strangers.privateKey }), at)).toBeNull()
})

test('no signature, and one with the public key as a shared secret, are refused: the algorithm is pinned', async () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = part({
    iss: issuer,
    aud: audience,
    sub: 'user_1',
    role: 'owner',
    tenant_id: 'acme',
    iat: now,
    exp: now + 60,
  })
  expect(await verify(`${part({ alg: 'none' })}.${claims}.`, at)).toBeNull()
  const shared = new TextEncoder().encode(JSON.stringify(await exportJWK(keys.publicKey)))
  const forged = await new SignJWT({ role: 'owner', tenant_id: 'acme' })
    .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
    .setSubject('user_1')
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt(now)
    .setExpirationTime(now + 60)
    .sign(shared)
  expect(await verify(forged, at)).toBeNull()
})

test('every bit of a signature counts', async () => {
  const [head, claims, signature] = (await token()).split('.') as [string, string, string]
  const bytes = Buffer.from(signature, 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit += 37) {
    const changed = Buffer.from(bytes)
    changed[bit >> 3]! ^= 1 << (bit & 7)
    expect(await verify(`${head}.${claims}.${changed.toString('base64url')}`, at)).toBeNull()
  }
})

test('without settings nobody gets in by token', async () => {
  expect(await createTokenVerifier(null)(await token(), at)).toBeNull()
})

test('the keys may lie behind a URL; while they cannot be had nobody gets in', async () => {
  const server = createServer((_, response) => response.end(readFileSync(join(dir, 'jwks.json'))))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const jwks = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`
  const settings = { jwks, issuer, audience, algorithm: 'ES256' }
  expect(await createTokenVerifier(settings)(await token(), at)).toMatchObject({ id: 'user_1', tenantId: 'acme' })
  expect(await createTokenVerifier(settings)(await token({ key: strangers.privateKey }), at)).toBeNull()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  expect(await createTokenVerifier(settings)(await token(), at)).toBeNull()
})
