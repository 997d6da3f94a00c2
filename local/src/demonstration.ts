import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose'

/** What the demonstration made up on its first start. Kept, so that a second start finds its data with the same keys. */
export type DemonstrationSecrets = {
  operatorKey: string
  serviceKey: string | null
  gatewayKey: string | null
  stripeSecretKey: string
  webhookSecret: string
  sealSecret: string
  tokenKey: JWK
}

/** `demo.json`: all that a script needs to use the demonstration. */
export type Demonstration = {
  apiUrl: string
  consoleUrl: string
  sandboxUrl: string | null
  tenantId: string
  serviceKey: string
  gatewayKey: string
  operatorKey: string
  ownerToken: string
  memberToken: string
  otherTenantId: string
  otherOwnerToken: string
}

const issuer = 'https://demonstration.turnpike.invalid'
const audience = 'turnpike'
const tenants = [
  { tenantId: 'northwind', name: 'Northwind Traders', email: 'billing@northwind.example' },
  { tenantId: 'southwind', name: 'Southwind Imports', email: 'billing@southwind.example' },
] as const

export async function keptSecrets(dataDir: string): Promise<DemonstrationSecrets> {
  const file = join(dataDir, 'secrets.json')
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as DemonstrationSecrets
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const secrets: DemonstrationSecrets = {
    operatorKey: `tpk_${randomBytes(24).toString('hex')}`,
    serviceKey: null,
    gatewayKey: null,
    stripeSecretKey: `sk_test_${randomBytes(24).toString('hex')}`,
    webhookSecret: `whsec_${randomBytes(24).toString('hex')}`,
    sealSecret: randomBytes(33).toString('base64url'),
    tokenKey: { ...(await exportJWK(privateKey)), kid: 'demonstration', alg: 'ES256', use: 'sig' },
  }
  writePrivately(file, secrets)
  return secrets
}

/** The part of the service's environment that makes it trust the demonstration's issuer and its operator key. */
export function demonstrationEnvironment(dataDir: string, secrets: DemonstrationSecrets): NodeJS.ProcessEnv {
  const { d: _private, ...publicKey } = secrets.tokenKey
  const jwks = join(dataDir, 'jwks.json')
  writeFileSync(jwks, JSON.stringify({ keys: [publicKey] }, null, 2))
  return {
    TURNPIKE_DEMO: '1',
    TURNPIKE_BOOTSTRAP_OPERATOR_KEY: secrets.operatorKey,
    JWT_JWKS: jwks,
    JWT_ISSUER: issuer,
    JWT_AUDIENCE: audience,
  }
}

/**
 * Makes sure that two tenants and the keys of a service and a gateway exist, and writes `demo.json`. Goes through the
 * public API with the operator's key, as anybody's own set-up would. Repeating it changes nothing but the tokens' ends.
 */
export async function createDemonstration(options: {
  dataDir: string
  apiUrl: string
  sandboxUrl: string | null
  secrets: DemonstrationSecrets
  signal: AbortSignal
}): Promise<Demonstration> {
  const { dataDir, apiUrl, secrets, signal } = options
  const api = apiOf(apiUrl, signal)
  for (const tenant of tenants) {
    const answer = await api('POST', '/customers', secrets.operatorKey, tenant)
    if (answer.status !== 201 && answer.code !== 'customer_exists')
      throw unexpected(`the customer ${tenant.name}`, answer)
  }
  const serviceKey = await workingKey(api, secrets.operatorKey, secrets.serviceKey, 'service')
  const gatewayKey = await workingKey(api, secrets.operatorKey, secrets.gatewayKey, 'gateway')
  writePrivately(join(dataDir, 'secrets.json'), { ...secrets, serviceKey, gatewayKey })

  const [tenant, otherTenant] = tenants
  const demonstration: Demonstration = {
    apiUrl,
    consoleUrl: `${apiUrl}/`,
    sandboxUrl: options.sandboxUrl,
    tenantId: tenant.tenantId,
    serviceKey,
    gatewayKey,
    operatorKey: secrets.operatorKey,
    ownerToken: await signToken(secrets, {
      sub: 'user_olivia',
      name: 'Olivia Owner',
      role: 'owner',
      tenant_id: tenant.tenantId,
    }),
    memberToken: await signToken(secrets, {
      sub: 'user_marco',
      name: 'Marco Member',
      role: 'member',
      tenant_id: tenant.tenantId,
    }),
    otherTenantId: otherTenant.tenantId,
    otherOwnerToken: await signToken(secrets, {
      sub: 'user_otto',
      name: 'Otto Other',
      role: 'owner',
      tenant_id: otherTenant.tenantId,
    }),
  }
  writePrivately(join(dataDir, 'demo.json'), demonstration)
  return demonstration
}

type Answer = { status: number; code: string | null; data: Record<string, unknown> }
type Api = (method: string, path: string, key: string, body?: unknown) => Promise<Answer>

function apiOf(apiUrl: string, signal: AbortSignal): Api {
  return async (method, path, key, body) => {
    const response = await fetch(`${apiUrl}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      body: body ? JSON.stringify(body) : undefined,
      signal: AbortSignal.any([signal, AbortSignal.timeout(30_000)]),
    })
    const answer = (await response.json()) as { data?: Record<string, unknown>; code?: string }
    return { status: response.status, code: answer.code ?? null, data: answer.data ?? {} }
  }
}

/** The kept key, as long as the database behind the service knows it; otherwise a new one. */
async function workingKey(
  api: Api,
  operatorKey: string,
  kept: string | null,
  role: 'service' | 'gateway',
): Promise<string> {
  if (kept && (await api('GET', '/session', kept)).status === 200) return kept
  const answer = await api('POST', '/api-keys', operatorKey, { name: `Demonstration ${role}`, role, tenantId: null })
  if (answer.status !== 201 || typeof answer.data.key !== 'string') throw unexpected(`the key of the ${role}`, answer)
  return answer.data.key
}

function unexpected(what: string, answer: Answer): Error {
  return new Error(
    `The demonstration could not create ${what}: the service answered ${answer.status} ${answer.code ?? ''}`.trim(),
  )
}

async function signToken(
  secrets: DemonstrationSecrets,
  claims: { sub: string; name: string; role: string; tenant_id: string },
): Promise<string> {
  return (
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid: secrets.tokenKey.kid! })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt()
      // The service lives by the sandbox's clock, and whoever lets months and years pass there stays signed in.
      .setExpirationTime('100 years')
      .sign(await importJWK(secrets.tokenKey, 'ES256'))
  )
}

function writePrivately(file: string, content: unknown): void {
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
}
