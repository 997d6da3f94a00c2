import { createServer } from 'node:net'
import { resolve } from 'node:path'
import pg from 'pg'
import { freePort } from './postgres.ts'

export type StartConfig = {
  port: number
  sandboxPort: number
  dataDir: string
  /** Null: the embedded PostgreSQL. */
  databaseUrl: string | null
  /** Null: the sandbox takes the provider's place. */
  stripe: { secretKey: string; webhookSecrets: string; apiBase: string | null } | null
  demonstration: boolean
}

type Environment = Record<string, string | undefined>

/**
 * Reads what `npm start` honours. Answers either the whole configuration or every problem at once, each naming the
 * variable, what is wrong with it and an example; nothing has been started or written by then.
 */
export async function readStartConfig(
  environment: Environment,
  root: string,
): Promise<{ config: StartConfig; problems: [] } | { config: null; problems: string[] }> {
  const problems: string[] = []
  const port = await readPort(environment, 'PORT', 4000, problems)
  const stripe = readStripe(environment, problems)
  const sandboxPort = stripe ? 0 : await readPort(environment, 'SANDBOX_PORT', 4010, problems)
  if (!stripe && port !== 0 && port === sandboxPort) {
    problems.push(`SANDBOX_PORT is ${sandboxPort}, which is PORT as well. Example: SANDBOX_PORT=${port + 10}`)
  }
  const databaseUrl = await readDatabaseUrl(environment, problems)
  const production = environment.NODE_ENV === 'production'
  const live = stripe?.secretKey.includes('_live_') ?? false
  const demonstration = environment.TURNPIKE_DEMO === '1' || (environment.TURNPIKE_DEMO !== '0' && !production && !live)
  if (production && !stripe && environment.TURNPIKE_PROVIDER !== 'sandbox') {
    problems.push(
      'STRIPE_SECRET_KEY is not set, and NODE_ENV=production refuses the sandbox unless it is asked for by name. Example: STRIPE_SECRET_KEY=rk_live_…, or TURNPIKE_PROVIDER=sandbox',
    )
  }
  if (!demonstration && !environment.JWT_JWKS) {
    problems.push(
      'JWT_JWKS is not set, and without the demonstration nobody could sign in. Example: JWT_JWKS=https://login.example.com/.well-known/jwks.json, or TURNPIKE_DEMO=1',
    )
  }
  if (problems.length > 0) return { config: null, problems }
  return {
    config: {
      port: port || (await freePort()),
      sandboxPort: sandboxPort || (await freePort()),
      dataDir: resolve(root, environment.TURNPIKE_DATA_DIR || '.turnpike'),
      databaseUrl,
      stripe,
      demonstration,
    },
    problems: [],
  }
}

async function readPort(environment: Environment, name: string, usual: number, problems: string[]): Promise<number> {
  const text = environment[name]?.trim() || String(usual)
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535) {
    problems.push(
      `${name} is "${text}", which is not a port: a whole number from 0 (any free one) to 65535. Example: ${name}=${usual}`,
    )
    return 0
  }
  const obstacle = port === 0 ? undefined : await whyNotListen(port)
  if (obstacle === 'EADDRINUSE') {
    problems.push(
      `${name} is ${port}, and another program listens there. Stop it, or take another. Example: ${name}=${port + 100}`,
    )
  } else if (obstacle) {
    problems.push(`${name} is ${port}, where listening is not possible (${obstacle}). Example: ${name}=${usual}`)
  }
  return port
}

async function whyNotListen(port: number): Promise<string | undefined> {
  const server = createServer()
  const obstacle = await new Promise<string | undefined>((settle) => {
    server.once('error', (error: NodeJS.ErrnoException) => settle(error.code ?? error.message))
    server.listen(port, '127.0.0.1', () => settle(undefined))
  })
  if (!obstacle) await new Promise((closed) => server.close(closed))
  return obstacle
}

function readStripe(environment: Environment, problems: string[]): StartConfig['stripe'] {
  const secretKey = environment.STRIPE_SECRET_KEY?.trim()
  if (!secretKey) return null
  if (!/^(sk|rk)_(test|live)_\S+$/.test(secretKey)) {
    problems.push(
      'STRIPE_SECRET_KEY is not a secret or restricted key of Stripe. Example: STRIPE_SECRET_KEY=sk_test_51…',
    )
  }
  const webhookSecrets = (environment.STRIPE_WEBHOOK_SECRET ?? '').split(',').map((secret) => secret.trim())
  if (webhookSecrets.join('') === '') {
    problems.push(
      'STRIPE_WEBHOOK_SECRET is not set, so no webhook of Stripe could be verified. Example: STRIPE_WEBHOOK_SECRET=whsec_…, several separated by commas',
    )
  } else if (!webhookSecrets.every((secret) => /^whsec_\S+$/.test(secret))) {
    problems.push(
      'STRIPE_WEBHOOK_SECRET holds something that is not a signing secret. Example: STRIPE_WEBHOOK_SECRET=whsec_new,whsec_old',
    )
  }
  const apiBase = environment.STRIPE_API_BASE?.trim() || null
  if (apiBase !== null && !/^https?:$/.test(URL.parse(apiBase)?.protocol ?? '')) {
    problems.push(
      `STRIPE_API_BASE is "${apiBase}", which is not a web address. Example: STRIPE_API_BASE=https://api.stripe.com`,
    )
  }
  return { secretKey, webhookSecrets: webhookSecrets.join(','), apiBase }
}

async function readDatabaseUrl(environment: Environment, problems: string[]): Promise<string | null> {
  const text = environment.DATABASE_URL?.trim()
  if (!text) return null
  const example = 'Example: DATABASE_URL=postgresql://user:password@127.0.0.1:5432/turnpike'
  // The password is in the text, so the text is never repeated.
  if (!/^postgres(ql)?:$/.test(URL.parse(text)?.protocol ?? '')) {
    problems.push(`DATABASE_URL is not the address of a PostgreSQL database. ${example}`)
    return text
  }
  const client = new pg.Client({ connectionString: text, connectionTimeoutMillis: 10_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ server_version_num: string }>('show server_version_num')
    const version = Math.floor(Number(rows[0]?.server_version_num) / 10_000)
    if (version < 15)
      problems.push(`DATABASE_URL names a PostgreSQL ${version}; Turnpike needs 15 or newer. ${example}`)
  } catch (error) {
    problems.push(`DATABASE_URL names a database that does not answer (${reason(error)}). ${example}`)
  } finally {
    await client.end().catch(() => {})
  }
  return text
}

function reason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reason).join(', ')
  return error instanceof Error ? error.message : String(error)
}
