import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Client, createClient } from '@turnpike/client'
import { startPostgres } from '@turnpike/local/postgres'
import pg from 'pg'
import { startLoad } from './load.ts'

const root = join(import.meta.dirname, '../..')
const operatorKey = `tpk_${'benchmark'.repeat(4)}`
export const webhookSecret = 'whsec_of_the_benchmark_0123456789'
/** As many connections as the service opens, so that a bare insert has the same. */
const poolMax = 12

/**
 * Everything that is measured: PostgreSQL that flushes each commit to disk, the service and what it is compared with as
 * processes of their own. The data lies beside the project, because a folder in memory would make flushing free.
 */
export const startWorld = async () => {
  mkdirSync(join(root, '.turnpike'), { recursive: true })
  const dataDir = mkdtempSync(join(root, '.turnpike/bench-'))
  const parts: (() => unknown)[] = [() => rmSync(dataDir, { recursive: true, force: true })]
  const stop = async () => {
    for (const part of parts.splice(0).reverse()) await part()
  }
  try {
    const postgres = await startPostgres({ dataDir })
    parts.push(() => postgres.stop())
    const sql = new pg.Pool({ connectionString: postgres.url, max: 2 })
    sql.on('error', () => {})
    parts.push(() => sql.end())

    const env = { ...process.env, ...serviceEnv(postgres.url) }
    const service = spawn(
      process.execPath,
      [...(process.env.BENCH_SERVICE_FLAGS ?? '').split(' ').filter(Boolean), join(root, 'server/src/main.ts')],
      { env, cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
    )
    parts.push(() => end(service))
    const apiUrl = await addressOf(service)

    const baseline = fork(new URL('./baseline-process.ts', import.meta.url), {
      env: { ...process.env, DATABASE_URL: postgres.url, POOL_MAX: String(poolMax) },
    })
    parts.push(() => end(baseline))
    const [{ url: baselineUrl }] = (await once(baseline, 'message')) as [{ url: string }]
    const load = await startLoad()
    parts.push(() => load.stop())

    const operator = createClient({ baseUrl: apiUrl, credential: operatorKey })
    const keyOf = async (role: 'service' | 'gateway'): Promise<string> =>
      (await operator.createApiKey({ body: { name: `bench ${role}`, role, tenantId: null } })).data.key
    return {
      sql,
      operator,
      load,
      apiUrl,
      apiPort: Number(new URL(apiUrl).port),
      baselinePort: Number(new URL(baselineUrl).port),
      databaseUrl: postgres.url,
      serviceKey: await keyOf('service'),
      gatewayKey: await keyOf('gateway'),
      dataDir,
      /** Records a second of a bare multi-row insert by the same driver. */
      insertBare: async (order: { size: number; tenants: number; atATime: number; durationMs: number }) => {
        baseline.send(order)
        const [{ perSecond }] = (await once(baseline, 'message')) as [{ perSecond: number }]
        return perSecond
      },
      /** What the service has in memory now, in MiB; null where the system does not tell. */
      serviceMemory: (): number | null => {
        const status = `/proc/${service.pid}/status`
        if (!existsSync(status)) return null
        return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(status, 'utf8'))![1]) / 1_024)
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

export type World = Awaited<ReturnType<typeof startWorld>>

const serviceEnv = (databaseUrl: string): Record<string, string> => ({
  DATABASE_URL: databaseUrl,
  NODE_ENV: 'development',
  PORT: '0',
  TURNPIKE_PROVIDER: 'stripe',
  STRIPE_SECRET_KEY: 'sk_test_bench',
  // Nobody is there: only what the service does by itself is measured.
  STRIPE_API_BASE: 'http://127.0.0.1:9',
  STRIPE_WEBHOOK_SECRET: webhookSecret,
  TURNPIKE_CATALOG: join(root, 'catalog/acme.yaml'),
  TURNPIKE_BOOTSTRAP_OPERATOR_KEY: operatorKey,
  RATE_LIMIT_PER_SECOND: '10000000',
  TURNPIKE_CUSTOMERS_IN_MEMORY: '1200000',
  LOG_LEVEL: 'info',
})

const addressOf = async (service: ChildProcess): Promise<string> => {
  const words: string[] = []
  for await (const line of createInterface({ input: service.stdout! })) {
    words.push(line)
    if (!line.includes('"url"')) continue
    // Nobody reads on, and a full pipe must not stop the service.
    service.stdout!.resume()
    return (JSON.parse(line) as { url: string }).url
  }
  throw new Error(`the service did not start:\n${words.join('\n')}`)
}

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

/**
 * Customers `prefix0`, `prefix1` … as copies of one that was made over the API, with a limit so high that it is looked at
 * and never met. Written by SQL, because a hundred thousand requests would say nothing that is asked here.
 */
export const seedCustomers = async (world: World, prefix: string, count: number): Promise<void> => {
  const template = `${prefix}template`
  await createCustomer(world.operator, template)
  await world.operator.createOverride({
    body: { tenantId: template, feature: 'api_calls', set: { limit: 1_000_000_000 }, reason: 'benchmark' },
  })
  await world.sql.query(
    `insert into customers (tenant_id, customer_id, name, email, currency, created_at, updated_at, resolved_catalog)
     select $1 || n, $1 || 'customer_' || n, name, email, currency, created_at, updated_at, resolved_catalog
     from customers, generate_series(0, $3 - 1) as n where tenant_id = $2`,
    [prefix, template, count],
  )
  await world.sql.query(
    `insert into entitlement_snapshots (tenant_id, customer_id, version, effective_from, valid_until, cause, content)
     select $1 || n, $1 || 'customer_' || n, 1, effective_from, valid_until, cause, content
     from (select * from entitlement_snapshots where tenant_id = $2 order by version desc limit 1) s, generate_series(0, $3 - 1) as n`,
    [prefix, template, count],
  )
  await world.sql.query('analyze customers, entitlement_snapshots')
}

export const createCustomer = async (operator: Client, tenantId: string): Promise<void> => {
  await operator.createCustomer({
    body: { tenantId, name: `Customer ${tenantId}`, email: 'billing@customer.example' },
  })
}
