import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient } from '@turnpike/client'
import { freePort } from '@turnpike/local/postgres'
import { createTestDatabase } from '@turnpike/local/test-database'
import { startSandbox } from '@turnpike/sandbox'
import pg from 'pg'
import type Stripe from 'stripe'
import { parseDocument } from 'yaml'
import { eventually, operatorKey, webhookSecret } from '../../support/world.ts'
import { stripeAt } from './buyers.ts'
import type { Answer, Order } from './fragile-service.ts'
import { type ServiceProcess, startServiceProcess } from './service-process.ts'

/** What a flow of the crash sweep is played on: a service that is started again whenever it has died. */
export type Stage = {
  /** Asks again and again under one idempotency key until somebody answers. */
  operator: Client
  /** As the operator, with another credential. */
  as(credential: string): Client
  stripe: Stripe
  /** Rows of the database, for what no page shows. */
  rows<R>(statement: string, values?: unknown[]): Promise<R[]>
  /** Starts a job of the schedule now. */
  job(task: string): Promise<void>
  /** Moves the clocks of the service and of the provider. */
  advance(by: string): Promise<void>
  control(path: string, body: unknown): Promise<void>
  /** What the clock of the service shows. */
  nowMs(): number
}

/** What is other in the catalog than in that of the demonstration. */
type Settings = readonly (readonly [path: readonly string[], value: unknown])[]

export const openStage = async (settings: Settings = []) => {
  const folder = mkdtempSync(join(tmpdir(), 'turnpike-crash-'))
  const catalog = parseDocument(readFileSync('catalog/acme.yaml', 'utf8'))
  for (const [path, value] of settings) catalog.setIn(path, value)
  const catalogFile = join(folder, 'catalog.yaml')
  writeFileSync(catalogFile, String(catalog))
  const database = await createTestDatabase()
  const port = await freePort()
  const webhook = { url: `http://127.0.0.1:${port}/api/v1/billing/webhooks/stripe`, secret: webhookSecret }
  const sandbox = await startSandbox({ port: 0, webhook })
  const db = new pg.Client(database.url)
  await db.connect()
  let aheadMs = 0
  let ended = false
  let deaths = 0
  let service: ServiceProcess
  let watching: Promise<void> = Promise.resolve()

  const control = async (path: string, body: unknown): Promise<void> => {
    const response = await fetch(`${sandbox.url}${path}`, { method: 'POST', body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`)
  }
  const start = async (): Promise<void> => {
    service = await startServiceProcess({
      databaseUrl: database.url,
      sandboxUrl: sandbox.url,
      port,
      entry: 'server/test/simulation/support/fragile-service.ts',
      env: { AHEAD_MS: String(aheadMs), TURNPIKE_CATALOG: catalogFile },
    })
    watching = watch(service)
  }
  const watch = async (watched: ServiceProcess): Promise<void> => {
    await watched.gone
    if (ended) return
    deaths += 1
    // Long enough that a request which died with it may be repeated under its key.
    aheadMs += 61_000
    await start()
    // Now the provider tries again what nobody took.
    await control('/sandbox/clock/advance', { seconds: 61 })
  }
  const advance = async (by: string): Promise<void> => {
    const now = Date.now() + aheadMs
    const then = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO('UTC').add(by)
    const seconds = Math.round((then.epochMilliseconds - now) / 1_000)
    aheadMs += seconds * 1_000
    // One that is just starting again may have begun before this leap: it is told where the clocks are until it hears.
    while (!(await service.order<Answer>({ do: 'advance', aheadMs }))) await watching
    await control('/sandbox/clock/advance', { seconds })
  }
  const order = async (what: Order): Promise<string[]> => (await service.order<Answer>(what))?.places ?? []

  const as = (credential: string): Client =>
    createClient({
      baseUrl: `http://127.0.0.1:${port}`,
      credential,
      retries: 2_000,
      wait: () => new Promise((resolve) => setTimeout(resolve, 30)),
    })

  await start()
  const stage: Stage = {
    operator: as(operatorKey),
    as,
    stripe: stripeAt(sandbox.url),
    rows: async <R>(statement: string, values: unknown[] = []) => (await db.query(statement, values)).rows as R[],
    // Asked for again and again, it waits once.
    job: async (task) => void (await db.query('select graphile_worker.add_job($1, job_key => $1)', [task])),
    advance,
    control,
    nowMs: () => Date.now() + aheadMs,
  }
  return {
    ...stage,
    databaseUrl: database.url,
    /** Everything that is passed from now on, until it is asked for. */
    watch: () => order({ do: 'watch' }),
    places: () => order({ do: 'report' }),
    /** The service kills itself when it next comes by this place. */
    dieAt: (place: string) => order({ do: 'die_at', place }),
    deaths: () => deaths,
    log: () => service.log(),
    close: async () => {
      ended = true
      await service.kill()
      await watching
      await db.end()
      await sandbox.close()
      await database.drop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** One operation as the sweep plays it. */
export type Flow = {
  name: string
  catalog?: Settings
  /** What stands before; nothing dies here. */
  before(stage: Stage, tenantId: string): Promise<void>
  /** The operation. Whatever it asks for, it asks until it is answered. */
  act(stage: Stage, tenantId: string): Promise<void>
  /** Whether everything that follows from it has happened. */
  done(stage: Stage, tenantId: string): Promise<boolean>
  /** What must be the same, wherever the service died. */
  outcome(stage: Stage, tenantId: string): Promise<unknown>
}

/** Plays a flow for a tenant of its own until all has happened, and tells how it came out. */
export const play = async (
  stage: Stage,
  flow: Flow,
  tenantId: string,
  between: () => Promise<unknown> = async () => {},
): Promise<unknown> => {
  await flow.before(stage, tenantId)
  await between()
  await flow.act(stage, tenantId)
  await eventually(
    () => flow.done(stage, tenantId),
    (done) => done,
    60_000,
  )
  return flow.outcome(stage, tenantId)
}
