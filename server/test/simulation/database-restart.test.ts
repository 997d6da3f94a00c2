import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@turnpike/client'
import { freePort, type Postgres, startPostgres } from '@turnpike/local/postgres'
import { type Sandbox, startSandbox } from '@turnpike/sandbox'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, operatorKey } from '../support/world.ts'
import { buyersOf, eventsAt, stripeAt } from './support/buyers.ts'
import { findFaults } from './support/find-faults.ts'
import { howMuch } from './support/how-much.ts'
import { type ServiceProcess, startServiceProcess } from './support/service-process.ts'
import { countedIn, serviceKey, startUsage } from './support/usage-sender.ts'
import { deliver, withHands } from './support/webhook-sender.ts'

const crashes = howMuch(6, 40)

let dataDir: string
let postgres: Postgres
let sandbox: Sandbox
let service: ServiceProcess
let second: ServiceProcess | undefined
beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'turnpike-restart-'))
  postgres = await startPostgres({ dataDir, settings: { fsync: 'off' } })
  sandbox = await startSandbox({ port: 0 })
})
afterAll(async () => {
  await Promise.all([service?.kill(), second?.kill()])
  await sandbox?.close()
  await postgres?.stop('immediate')
  rmSync(dataDir, { recursive: true, force: true })
})

test(`the database crashes ${crashes} times under load: the service lives on, and everything answered has happened once`, async () => {
  service = await startServiceProcess({ databaseUrl: postgres.url, sandboxUrl: sandbox.url, port: await freePort() })
  const { url } = service
  const stripe = stripeAt(sandbox.url)
  const tenants = Array.from({ length: 12 }, (_, index) => `tenant-${index}`)
  await buyersOf(url, stripe, tenants)
  for (let month = 0; month < 2; month++)
    await fetch(`${sandbox.url}/sandbox/clock/advance`, {
      method: 'POST',
      body: JSON.stringify({ seconds: 31 * 86_400 }),
    })
  const events = await eventsAt(stripe)

  const usage = await startUsage(url, tenants)
  const refusals = new Set<number | null>()
  const portion = Math.ceil(events.length / crashes)
  const deliveries: Promise<void>[] = []
  for (let crash = 0; crash < crashes; crash++) {
    const key = await serviceKey(url)
    const ask = (path: string, body: Record<string, unknown>) => post(`${url}/api/v1${path}`, body, key)
    const check = () => ask('/entitlements/check', { tenantId: 'tenant-0', feature: 'api_access' })
    const report = { tenantId: 'tenant-0', meter: 'api_calls', idempotencyKey: `in-crash-${crash}` }
    const answeredBefore = usage.answers()
    const portionOf = events.slice(crash * portion, (crash + 1) * portion)
    const send = (part: typeof events) =>
      deliveries.push(withHands(4, part, (event) => deliver(url, event, (status) => refusals.add(status))))
    send(portionOf.filter((_, index) => index % 2 === 1))
    await eventually(
      async () => usage.answers() - answeredBefore,
      (answered) => answered > 30,
    )
    // A credential that was believed a moment ago stays believed while nobody can be asked.
    await check()
    // Also when something newer was committed that nobody has read yet: the last that was known goes on.
    await override(url, 'tenant-0', crash)
    await postgres.stop('immediate')
    // Some come while nothing can be stored, however quickly the others were taken in.
    send(portionOf.filter((_, index) => index % 2 === 0))

    expect(await check()).toEqual({ status: 200, code: null, allowed: true })
    expect(await ask('/usage-records', report)).toEqual({ status: 503, code: 'unavailable' })
    expect(
      await ask('/entitlements/check', {
        tenantId: 'tenant-0',
        feature: 'api_calls',
        consume: true,
        idempotencyKey: report.idempotencyKey,
      }),
    ).toEqual({ status: 503, code: 'unavailable' })
    expect(await health(url)).toEqual({ live: 200, ready: 503 })
    postgres = await startPostgres({ dataDir, port: postgres.port, settings: { fsync: 'off' } })
    await eventually(
      () => health(url),
      ({ ready }) => ready === 200,
    )
  }
  await Promise.all(deliveries)
  const answered = await usage.stop()

  expect(service.alive()).toBe(true)
  // Whatever could not be kept was refused by its name, and never with a defect.
  expect([...usage.refusals]).toEqual(['503 unavailable'])
  expect([...refusals]).toEqual([503])
  await eventually(
    () => findFaults(postgres.url),
    (found) => found.length === 0,
    60_000,
  )
  expect(await countedIn(postgres.url)).toEqual(answered)

  // The schedule goes on too.
  await withClient(postgres.url, async (client) => {
    await client.query("select graphile_worker.add_job('lapse_entitlements')")
    await eventually(
      async () =>
        (
          await client.query(
            "select count(*)::int as n from graphile_worker.jobs where task_identifier = 'lapse_entitlements'",
          )
        ).rows[0].n,
      (waiting) => waiting === 0,
      30_000,
    )
  })

  // It listens again: what another process changes arrives in what this one keeps in memory.
  second = await startServiceProcess({ databaseUrl: postgres.url, sandboxUrl: sandbox.url, port: await freePort() })
  const operator = createClient({ baseUrl: second.url, credential: operatorKey })
  const supported = async (): Promise<unknown> => {
    const here = createClient({ baseUrl: url, credential: operatorKey })
    return (await here.check({ body: { tenantId: 'tenant-0', feature: 'priority_support' } })).data.allowed
  }
  const before = await supported()
  await operator.createOverride({
    body: { tenantId: 'tenant-0', feature: 'priority_support', set: { enabled: !before }, reason: 'seen by both' },
  })
  await eventually(supported, (allowed) => allowed === !before)
}, 1_200_000)

const post = async (url: string, body: Record<string, unknown>, key: string) => {
  const response = await fetch(url, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
  })
  const answer = (await response.json()) as { code?: string; data?: { allowed?: boolean } }
  return { status: response.status, code: answer.code ?? null, allowed: answer.data?.allowed }
}

const override = async (url: string, tenantId: string, crash: number): Promise<void> => {
  const operator = createClient({ baseUrl: url, credential: operatorKey })
  await operator.createOverride({
    body: { tenantId, feature: 'exports', set: { limit: 1_000 + crash }, reason: 'committed just before the crash' },
  })
}

const health = async (url: string): Promise<{ live: number; ready: number }> => ({
  live: (await fetch(`${url}/health/live`)).status,
  ready: (await fetch(`${url}/health/ready`)).status,
})

const withClient = async <T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> => {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
