import { createServer } from 'node:net'
import { resolve } from 'node:path'
import pg from 'pg'
import { readConfig } from '../../server/src/config.ts'
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
 * variable, what is wrong with it and an example; nothing has been started or written by then. What the service itself
 * would refuse is asked of the service's own rules.
 */
export async function readStartConfig(
  environment: Environment,
  root: string,
): Promise<{ config: StartConfig; problems: [] } | { config: null; problems: string[] }> {
  const stripe = readStripe(environment)
  const production = environment.NODE_ENV === 'production'
  const live = stripe?.secretKey.includes('_live_') ?? false
  const demonstration = environment.TURNPIKE_DEMO
    ? ['1', 'true'].includes(environment.TURNPIKE_DEMO)
    : !live && (!production || environment.TURNPIKE_ALLOW_DEMO_IN_PRODUCTION === '1')

  const problems = problemsOfService(environment, stripe, demonstration)
  const port = await readPort(environment, 'PORT', 4000, problems)
  const sandboxPort = stripe ? 0 : await readPort(environment, 'SANDBOX_PORT', 4010, problems)
  if (!stripe && port !== 0 && port === sandboxPort) {
    problems.push(`SANDBOX_PORT is ${sandboxPort}, which is PORT as well. Example: SANDBOX_PORT=${port + 10}`)
  }
  const databaseUrl = environment.DATABASE_URL?.trim() || null
  if (databaseUrl && !problems.some((problem) => problem.startsWith('DATABASE_URL '))) {
    const obstacle = await whyNotConnect(databaseUrl)
    if (obstacle) problems.push(`DATABASE_URL names ${obstacle}. Example: DATABASE_URL=${exampleDatabaseUrl}`)
  }
  if (!demonstration && !environment.JWT_JWKS) {
    problems.push(
      'JWT_JWKS is not set, and without the demonstration nobody could sign in. Example: JWT_JWKS=https://login.example.com/.well-known/jwks.json',
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

const exampleDatabaseUrl = 'postgresql://user:password@127.0.0.1:5432/turnpike'

function problemsOfService(environment: Environment, stripe: StartConfig['stripe'], demonstration: boolean): string[] {
  // What `npm start` will make up itself stands here as something that is surely right.
  const read = readConfig({
    ...environment,
    DATABASE_URL: environment.DATABASE_URL?.trim() || exampleDatabaseUrl,
    TURNPIKE_SEAL_SECRET: environment.TURNPIKE_SEAL_SECRET?.trim() || 'made up later and then kept in the data folder',
    ...(stripe
      ? {}
      : {
          TURNPIKE_PROVIDER: 'sandbox',
          STRIPE_SECRET_KEY: 'sk_test_made_up_later',
          STRIPE_WEBHOOK_SECRET: 'whsec_made_up_later',
          STRIPE_API_BASE: 'http://127.0.0.1',
        }),
    ...(demonstration
      ? { TURNPIKE_DEMO: '1', JWT_JWKS: 'https://made-up-later.invalid', JWT_ISSUER: 'later', JWT_AUDIENCE: 'later' }
      : {}),
  })
  if (!('problems' in read)) return []
  return read.problems.map(({ variable, wrong, example }) => `${variable} ${wrong}. Example: ${example}`)
}

/** A port that can be listened on; 0 means any free one. What is no port at all, the service has told for its own. */
async function readPort(environment: Environment, name: string, usual: number, problems: string[]): Promise<number> {
  const text = environment[name]?.trim() || String(usual)
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535) {
    const told = problems.some((problem) => problem.startsWith(`${name} `))
    if (!told) problems.push(`${name} is not a whole number from 0 to 65535. Example: ${name}=${usual}`)
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

function readStripe(environment: Environment): StartConfig['stripe'] {
  const secretKey = environment.STRIPE_SECRET_KEY?.trim()
  if (!secretKey) return null
  return {
    secretKey,
    webhookSecrets: environment.STRIPE_WEBHOOK_SECRET?.trim() ?? '',
    apiBase: environment.STRIPE_API_BASE?.trim() || null,
  }
}

/** The address holds a password, so that it is never repeated in an answer. */
async function whyNotConnect(databaseUrl: string): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 10_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ server_version_num: string }>('show server_version_num')
    const version = Math.floor(Number(rows[0]?.server_version_num) / 10_000)
    return version < 15 ? `a PostgreSQL ${version}; Turnpike needs 15 or newer` : undefined
  } catch (error) {
    return `a database that does not answer (${reason(error)})`
  } finally {
    await client.end().catch(() => {})
  }
}

function reason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reason).join(', ')
  return error instanceof Error ? error.message : String(error)
}
