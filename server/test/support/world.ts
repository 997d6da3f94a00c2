import { type Client, createClient } from '@turnpike/client'
import type { Role } from '@turnpike/contract'
import { freePort } from '@turnpike/local/postgres'
import { createTestDatabase } from '@turnpike/local/test-database'
import { startSandbox } from '@turnpike/sandbox'
import { type App, startApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { createLog } from '../../src/platform/log.ts'
import { ownCatalog } from './own-catalog.ts'
import { testClock } from './test-clock.ts'

export const operatorKey = `tpk_${'operator'.repeat(5)}`
export const webhookSecret = 'whsec_of_the_test_world_0123456789'

const control = async <T>(sandboxUrl: string, method: string, path: string, body?: unknown): Promise<T> => {
  const response = await fetch(`${sandboxUrl}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  return (await response.json()) as T
}

/**
 * Everything real on free ports: PostgreSQL, the sandbox over HTTP with signed webhooks, the service with its worker. The
 * clock of billing and the sandbox's are moved together. `catalog` changes that of the example.
 */
export const startWorld = async (
  options: { env?: NodeJS.ProcessEnv; connectWebhooks?: boolean; catalog?: Parameters<typeof ownCatalog>[0] } = {},
) => {
  const own = options.catalog && ownCatalog(options.catalog)
  const database = await createTestDatabase()
  const port = await freePort()
  const webhook = { url: `http://127.0.0.1:${port}/api/v1/billing/webhooks/stripe`, secret: webhookSecret }
  const sandbox = await startSandbox({ port: 0, ...(options.connectWebhooks === false ? {} : { webhook }) })
  const clock = testClock()
  await control(sandbox.url, 'POST', '/sandbox/clock/advance', { to: Math.floor(clock.nowMs() / 1_000) })
  const env: NodeJS.ProcessEnv = {
    DATABASE_URL: database.url,
    PORT: '0',
    PUBLIC_URL: 'http://127.0.0.1:4000',
    RETURN_ORIGINS: 'http://127.0.0.1:9999',
    TURNPIKE_PROVIDER: 'sandbox',
    STRIPE_SECRET_KEY: 'sk_test_world',
    STRIPE_API_BASE: sandbox.url,
    STRIPE_WEBHOOK_SECRET: webhookSecret,
    TURNPIKE_CATALOG: own?.file ?? 'catalog/acme.yaml',
    TURNPIKE_BOOTSTRAP_OPERATOR_KEY: operatorKey,
    RATE_LIMIT_PER_SECOND: '1000000',
    // The schedule is by the real clock; tests say when they reconcile, and do not wait for the pace.
    TURNPIKE_RECONCILE_SCHEDULE: 'off',
    TURNPIKE_RECONCILE_PER_SECOND: '1000',
    LOG_LEVEL: process.env.TEST_LOG ?? 'silent',
    ...options.env,
  }
  const start = async (more: NodeJS.ProcessEnv = {}): Promise<App> => {
    const read = readConfig({ ...env, ...more })
    if ('problems' in read) throw new Error(JSON.stringify(read.problems))
    return startApp(read.config, createLog(read.config.logLevel), clock)
  }
  const app = await start({ PORT: String(port) })
  const others: App[] = []

  const world = {
    app,
    clock,
    database,
    sandbox,
    operator: createClient({ baseUrl: app.url, credential: operatorKey }),
    /** A second process on the same database, as far as one test process can tell. */
    another: async (more: NodeJS.ProcessEnv = {}): Promise<App> => {
      const other = await start(more)
      others.push(other)
      return other
    },
    /** A client with a fresh key of a role, bound to a tenant or serving all. */
    as: async (role: Role, tenantId: string | null = null, baseUrl = app.url): Promise<Client> =>
      createClient({ baseUrl, credential: await world.keyOf(role, tenantId) }),
    keyOf: async (role: Role, tenantId: string | null = null): Promise<string> => {
      const { data } = await world.operator.createApiKey({ body: { name: `test ${role}`, role, tenantId } })
      return data.key
    },
    tenant: async (tenantId: string): Promise<Client> => {
      await world.operator.createCustomer({
        body: { tenantId, name: `Customer ${tenantId}`, email: `billing@${tenantId}.example` },
      })
      return world.as('owner', tenantId)
    },
    /** Moves both clocks; what falls due at the provider happens with its webhooks. */
    advance: async (duration: string): Promise<void> => {
      const before = clock.now()
      clock.advance(duration)
      await world.control('POST', '/sandbox/clock/advance', {
        seconds: Math.round(clock.now().since(before).total('seconds')),
      })
    },
    /** The sandbox's own levers: clock, faults, deliveries. */
    control: <T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T> =>
      control<T>(sandbox.url, method, path, body),
    /** One raw request, for everything that the typed client would not let through. */
    send: async (
      method: string,
      path: string,
      request: { body?: string | Buffer; headers?: Record<string, string>; key?: string | null } = {},
    ): Promise<{ status: number; headers: Headers; text: string; json: Record<string, unknown> }> => {
      const response = await fetch(`${app.url}${path}`, {
        method,
        headers: {
          ...(request.key === null ? {} : { authorization: `Bearer ${request.key ?? operatorKey}` }),
          ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...request.headers,
        },
        body: request.body as BodyInit | undefined,
      })
      const text = await response.text()
      return {
        status: response.status,
        headers: response.headers,
        text,
        json: text.startsWith('{') ? JSON.parse(text) : {},
      }
    },
    stop: async (): Promise<void> => {
      await Promise.all([...others, app].map((each) => each.stop()))
      await sandbox.close()
      await database.drop()
      own?.remove()
    },
  }
  return world
}

export type World = Awaited<ReturnType<typeof startWorld>>

/** Waits until something holds, asking again and again; fails with what it saw last. */
export const eventually = async <T>(
  look: () => Promise<T>,
  holds: (seen: T) => boolean,
  withinMs = 10_000,
): Promise<T> => {
  const end = Date.now() + withinMs
  for (;;) {
    const seen = await look()
    if (holds(seen)) return seen
    if (Date.now() > end)
      throw new Error(
        `did not come true; last seen: ${JSON.stringify(seen, (_, value) => (typeof value === 'bigint' ? String(value) : value))?.slice(0, 2_000)}`,
      )
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
