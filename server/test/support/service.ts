import { type Client, createClient } from '@turnpike/client'
import type { Role } from '@turnpike/contract'
import { createTestDatabase } from '@turnpike/local/test-database'
import { type App, startApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { createLog } from '../../src/platform/log.ts'
import { testClock } from './test-clock.ts'

const operatorKey = `tpk_${'operator'.repeat(5)}`

export type Answer = { status: number; headers: Headers; text: string; json: Record<string, unknown> }
type Request = { body?: string | Buffer; headers?: Record<string, string>; key?: string | null; at?: string }

/**
 * The service on real PostgreSQL with nobody at the provider's address: for everything that must work, or say no clearly,
 * without one. The whole world with the sandbox is `startWorld`.
 */
export const startService = async (options: { env?: NodeJS.ProcessEnv } = {}) => {
  const database = await createTestDatabase()
  const clock = testClock()
  const apps: App[] = []
  const start = async (): Promise<App> => {
    const read = readConfig({
      DATABASE_URL: database.url,
      PORT: '0',
      PUBLIC_URL: 'http://127.0.0.1:4000',
      STRIPE_SECRET_KEY: 'sk_test_service',
      // The discard port: nobody answers.
      STRIPE_API_BASE: 'http://127.0.0.1:9',
      STRIPE_WEBHOOK_SECRET: 'whsec_of_the_test_service_0123456789',
      TURNPIKE_CATALOG: 'catalog/acme.yaml',
      TURNPIKE_BOOTSTRAP_OPERATOR_KEY: operatorKey,
      RATE_LIMIT_PER_SECOND: '1000000',
      LOG_LEVEL: process.env.TEST_LOG ?? 'silent',
      ...options.env,
    })
    if ('problems' in read) throw new Error(JSON.stringify(read.problems))
    const app = await startApp(read.config, createLog(read.config.logLevel), clock)
    apps.push(app)
    return app
  }
  const app = await start()

  const service = {
    app,
    clock,
    database,
    operatorKey,
    operator: createClient({ baseUrl: app.url, credential: operatorKey }),
    /** A second process on the same database, as far as one test process can tell. */
    another: start,
    keyOf: async (role: Role, tenantId: string | null = null, permissions?: string[]): Promise<string> =>
      (await service.operator.createApiKey({ body: { name: `test ${role}`, role, tenantId, permissions } })).data.key,
    as: async (role: Role, tenantId: string | null = null, baseUrl = app.url): Promise<Client> =>
      createClient({ baseUrl, credential: await service.keyOf(role, tenantId) }),
    customer: async (tenantId: string): Promise<string> =>
      (await service.operator.createCustomer({ body: { tenantId, name: `Customer ${tenantId}` } })).data.id,
    /** One raw request, for everything that the typed client would not let through. `key: null` sends no credential. */
    send: async (method: string, path: string, { body, headers, key, at }: Request = {}): Promise<Answer> => {
      const response = await fetch(`${at ?? app.url}${path}`, {
        method,
        headers: {
          ...(key === null ? {} : { authorization: `Bearer ${key ?? operatorKey}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        body: body as BodyInit | undefined,
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
      await Promise.all(apps.map((each) => each.stop()))
      await database.drop()
    },
  }
  return service
}

export type Service = Awaited<ReturnType<typeof startService>>
