import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { type NoticeSettings, readNoticeSettings } from './config-notices.ts'

/** Everything that the environment decides, checked before anything starts (SEC-3). */
export type Config = {
  environment: 'production' | 'development'
  host: string
  port: number
  publicUrl: string
  databaseUrl: string
  /** `sandbox` names the stand-in; `stripe` the real service. Both speak the same protocol. */
  provider: 'sandbox' | 'stripe'
  stripe: { secretKey: string; apiBase: string | null; webhookSecrets: string[]; timeoutMs: number }
  /** What seals previews and links. The first closes, all of them open. */
  sealSecrets: string[]
  tokens: { jwks: string; issuer: string; audience: string; algorithm: string } | null
  catalogFile: string | null
  consoleDir: string | null
  returnOrigins: string[]
  bootstrapOperatorKey: string | null
  demo: boolean
  logLevel: string
  rateLimitPerSecond: number
  /** Of the webhook intake: requests a second from one address, and how many may wait to be stored. */
  webhooks: { rateLimitPerSecond: number; queueMax: number }
  requestTimeoutMs: number
  /** How many customers are kept in memory; the one loaded first goes first (ENT-4). */
  customersInMemory: number
  /** Requests a second that reconciliation may make to the provider (REC-1). */
  reconcilePerSecond: number
  /** Whether reconciliation runs by itself: hourly what is new, daily everything. */
  reconcileSchedule: boolean
  notices: NoticeSettings
  roles: { api: boolean; worker: boolean }
}

type Problem = { variable: string; wrong: string; example: string }

/** Reads the environment; every mistake at once, each with an example. */
export const readConfig = (env: NodeJS.ProcessEnv): { config: Config } | { problems: Problem[] } => {
  const problems: Problem[] = []
  const wrong = (variable: string, what: string, example: string) => {
    problems.push({ variable, wrong: what, example: `${variable}=${example}` })
  }
  const text = (variable: string): string | null =>
    env[variable] === undefined || env[variable]?.trim() === '' ? null : env[variable]!.trim()
  const needed = (variable: string, example: string): string => {
    const value = text(variable)
    if (value === null) wrong(variable, 'is not set', example)
    return value ?? ''
  }
  const url = (variable: string, value: string | null, protocols: string[], example: string): string | null => {
    if (value === null) return null
    if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol))
      wrong(variable, `is not a URL with ${protocols.join(' or ')}`, example)
    return value
  }
  const whole = (variable: string, fallback: number, min: number, max: number, example: string): number => {
    const value = text(variable)
    if (value === null) return fallback
    const number = Number(value)
    if (!/^\d+$/.test(value) || number < min || number > max)
      wrong(variable, `is not a whole number from ${min} to ${max}`, example)
    return number
  }
  const flag = (variable: string): boolean => {
    const value = text(variable)
    if (value !== null && !['0', '1', 'true', 'false'].includes(value)) wrong(variable, 'is neither 1 nor 0', '1')
    return value === '1' || value === 'true'
  }

  const environment = text('NODE_ENV') === 'production' ? 'production' : 'development'
  const host = text('HOST') ?? '127.0.0.1'
  const port = whole('PORT', 4000, 0, 65_535, '4000')
  const databaseUrl =
    url(
      'DATABASE_URL',
      needed('DATABASE_URL', 'postgres://user:password@127.0.0.1:5432/turnpike') || null,
      ['postgres:', 'postgresql:'],
      'postgres://user:password@127.0.0.1:5432/turnpike',
    ) ?? ''
  const provider = text('TURNPIKE_PROVIDER') ?? 'stripe'
  if (provider !== 'sandbox' && provider !== 'stripe')
    wrong('TURNPIKE_PROVIDER', 'is neither stripe nor sandbox', 'stripe')
  const secretKey = needed('STRIPE_SECRET_KEY', 'sk_test_…')
  if (secretKey !== '' && !/^(sk|rk)_(test|live)_/.test(secretKey))
    wrong('STRIPE_SECRET_KEY', 'does not look like a secret or restricted key', 'sk_test_…')
  const webhookSecrets = needed('STRIPE_WEBHOOK_SECRET', 'whsec_new,whsec_old')
    .split(',')
    .map((secret) => secret.trim())
    .filter((secret) => secret !== '')
  if (webhookSecrets.some((secret) => secret.length < 16 || /\s/.test(secret)))
    wrong('STRIPE_WEBHOOK_SECRET', 'has a secret that is too short or contains white space', 'whsec_new,whsec_old')
  const named = (text('TURNPIKE_SEAL_SECRET') ?? '')
    .split(',')
    .map((secret) => secret.trim())
    .filter((secret) => secret !== '')
  if (named.some((secret) => secret.length < 32))
    wrong('TURNPIKE_SEAL_SECRET', 'has a secret of less than 32 characters', 'new_secret,old_secret')
  if (named.length === 0 && environment === 'production')
    wrong('TURNPIKE_SEAL_SECRET', 'is not set', '$(openssl rand -base64 33)')
  // In development what was sealed may end with the process that sealed it.
  const sealSecrets = named.length > 0 ? named : [randomBytes(33).toString('base64url')]
  const apiBase = url('STRIPE_API_BASE', text('STRIPE_API_BASE'), ['http:', 'https:'], 'http://127.0.0.1:4010')
  if (provider === 'sandbox' && apiBase === null)
    wrong('STRIPE_API_BASE', 'is not set, but the provider is the sandbox', 'http://127.0.0.1:4010')

  const timeoutMs = whole('STRIPE_TIMEOUT_MS', 8_000, 100, 60_000, '8000')

  const demo = flag('TURNPIKE_DEMO')
  if (environment === 'production') {
    if (provider === 'sandbox' && !flag('TURNPIKE_ALLOW_SANDBOX_IN_PRODUCTION'))
      wrong(
        'TURNPIKE_ALLOW_SANDBOX_IN_PRODUCTION',
        'is not set: the sandbox moves no money and is refused in production unless asked for by name',
        '1',
      )
    if (demo && !flag('TURNPIKE_ALLOW_DEMO_IN_PRODUCTION'))
      wrong(
        'TURNPIKE_ALLOW_DEMO_IN_PRODUCTION',
        'is not set: demonstration data is refused in production unless asked for by name',
        '1',
      )
    if (apiBase !== null && provider === 'stripe')
      wrong('STRIPE_API_BASE', 'is set, but in production the provider is Stripe itself', '(leave it out)')
  }

  const jwks = text('JWT_JWKS')
  const tokens =
    jwks === null
      ? null
      : {
          jwks,
          issuer: needed('JWT_ISSUER', 'https://login.example.com'),
          audience: needed('JWT_AUDIENCE', 'turnpike'),
          algorithm: text('JWT_ALGORITHM') ?? 'ES256',
        }
  if (jwks !== null && !/^https?:/.test(jwks) && !existsSync(jwks))
    wrong('JWT_JWKS', 'names a file that does not exist', 'https://login.example.com/.well-known/jwks.json')
  if (tokens && !['ES256', 'ES384', 'EdDSA', 'RS256', 'PS256'].includes(tokens.algorithm))
    wrong('JWT_ALGORITHM', 'is not an asymmetric algorithm', 'ES256')

  const catalogFile = text('TURNPIKE_CATALOG')
  if (catalogFile !== null && !existsSync(catalogFile))
    wrong('TURNPIKE_CATALOG', 'names a file that does not exist', 'catalog/acme.yaml')
  const consoleDir = text('TURNPIKE_CONSOLE_DIR')
  const publicUrl =
    url('PUBLIC_URL', text('PUBLIC_URL'), ['http:', 'https:'], 'https://billing.example.com') ??
    `http://${host}:${port}`
  const returnOrigins = (text('RETURN_ORIGINS') ?? '')
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '')
  for (const origin of returnOrigins)
    if (!URL.canParse(origin) || new URL(origin).origin !== origin)
      wrong(
        'RETURN_ORIGINS',
        `has ${JSON.stringify(origin)}, which is not an origin`,
        'https://app.example.com,https://admin.example.com',
      )
  const bootstrapOperatorKey = text('TURNPIKE_BOOTSTRAP_OPERATOR_KEY')
  if (bootstrapOperatorKey !== null && !/^tpk_[A-Za-z0-9_-]{32,64}$/.test(bootstrapOperatorKey))
    wrong('TURNPIKE_BOOTSTRAP_OPERATOR_KEY', 'is not tpk_ and 32 to 64 letters and digits', 'tpk_…')
  const logLevel = text('LOG_LEVEL') ?? 'info'
  if (!['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'].includes(logLevel))
    wrong('LOG_LEVEL', 'is not a log level', 'info')
  const rateLimitPerSecond = whole('RATE_LIMIT_PER_SECOND', 50_000, 1, 10_000_000, '50000')
  const notices = readNoticeSettings({ text, whole, wrong })
  const reconcilePerSecond = whole('TURNPIKE_RECONCILE_PER_SECOND', 10, 1, 1_000, '10')
  const webhookRateLimit = whole('WEBHOOK_RATE_LIMIT_PER_SECOND', rateLimitPerSecond, 1, 10_000_000, '20000')
  const webhookQueueMax = whole('WEBHOOK_QUEUE_MAX', 10_000, 1, 1_000_000, '10000')
  const requestTimeoutMs = whole('REQUEST_TIMEOUT_MS', 30_000, 100, 600_000, '30000')
  const customersInMemory = whole('TURNPIKE_CUSTOMERS_IN_MEMORY', 500_000, 1, 10_000_000, '500000')
  if (!['on', 'off', null].includes(text('TURNPIKE_RECONCILE_SCHEDULE')))
    wrong('TURNPIKE_RECONCILE_SCHEDULE', 'is neither on nor off', 'on')
  const only = text('TURNPIKE_ONLY')
  if (only !== null && only !== 'api' && only !== 'worker') wrong('TURNPIKE_ONLY', 'is neither api nor worker', 'api')

  if (problems.length > 0) return { problems }
  return {
    config: {
      environment,
      host,
      port,
      publicUrl: publicUrl.replace(/\/$/, ''),
      databaseUrl,
      provider: provider as Config['provider'],
      stripe: { secretKey, apiBase, webhookSecrets, timeoutMs },
      sealSecrets,
      tokens,
      catalogFile,
      consoleDir,
      returnOrigins,
      bootstrapOperatorKey,
      demo,
      logLevel,
      rateLimitPerSecond,
      webhooks: { rateLimitPerSecond: webhookRateLimit, queueMax: webhookQueueMax },
      requestTimeoutMs,
      customersInMemory,
      reconcilePerSecond,
      reconcileSchedule: text('TURNPIKE_RECONCILE_SCHEDULE') !== 'off',
      notices,
      roles: { api: only !== 'worker', worker: only !== 'api' },
    },
  }
}
