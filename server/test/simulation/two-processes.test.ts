import { readFileSync } from 'node:fs'
import { createClient } from '@turnpike/client'
import { freePort } from '@turnpike/local/postgres'
import { createTestDatabase, type TestDatabase } from '@turnpike/local/test-database'
import { type Sandbox, startSandbox } from '@turnpike/sandbox'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, operatorKey } from '../support/world.ts'
import { buyersOf, eventsAt, stripeAt } from './support/buyers.ts'
import { findFaults } from './support/find-faults.ts'
import { type ServiceProcess, startServiceProcess } from './support/service-process.ts'
import { countedIn, serviceKey, startUsage } from './support/usage-sender.ts'
import { chanceOf, deliver, withHands } from './support/webhook-sender.ts'

let database: TestDatabase
let sandbox: Sandbox
let one: ServiceProcess
let two: ServiceProcess
const at = (service: ServiceProcess, credential = operatorKey) => createClient({ baseUrl: service.url, credential })

beforeAll(async () => {
  database = await createTestDatabase()
  sandbox = await startSandbox({ port: 0 })
  const start = async () =>
    startServiceProcess({ databaseUrl: database.url, sandboxUrl: sandbox.url, port: await freePort() })
  // Both at once on an empty database: whoever comes second finds what the first one made.
  ;[one, two] = await Promise.all([start(), start()])
}, 120_000)
afterAll(async () => {
  await Promise.all([one?.kill(), two?.kill()])
  await sandbox?.close()
  await database?.drop()
})

test('every webhook goes to both, and has one effect; the feed is one order while both write it', async () => {
  const stripe = stripeAt(sandbox.url)
  const tenants = Array.from({ length: 20 }, (_, index) => `both-${index}`)
  await buyersOf(one.url, stripe, tenants)
  const events = chanceOf(3).shuffled(await eventsAt(stripe))
  const usage = await Promise.all([
    startUsage(one.url, tenants.slice(0, 10)),
    // The same reports through the other door: counted once.
    startUsage(two.url, tenants.slice(0, 10)),
  ])
  const db = new pg.Client(database.url)
  await db.connect()
  // A reader follows the feed while it grows: what it has passed must never change.
  let reading = true
  const seen: string[] = []
  const follow = async () => {
    const feed = at(two, await serviceKey(two.url))
    for (let after: string | undefined; ; ) {
      const last = !reading
      const { data, meta } = await feed.listEvents({ query: { after, limit: 1_000 } })
      seen.push(...data.map((event) => event.id))
      after = meta.cursor ?? after
      if (last && data.length === 0) return
    }
  }
  const following = follow()
  try {
    await withHands(8, events, (event) => Promise.all([deliver(one.url, event), deliver(two.url, event)]))
    await eventually(
      async () => usage.map((sender) => sender.answers()),
      (answers) => answers.every((count) => count > 200),
    )
    const [first, second] = await Promise.all(usage.map((sender) => sender.stop()))
    await eventually(
      () => findFaults(database.url),
      (found) => found.length === 0,
      60_000,
    )
    reading = false
    await following
    const placed = await db.query<{ event_id: string }>('select event_id from outbox order by position')
    expect(seen).toEqual(placed.rows.map((row) => row.event_id))
    const { rows } = await db.query('select count(*)::int as webhooks, min(deliveries) as least from webhook_inbox')
    expect(rows).toEqual([{ webhooks: events.length, least: 2 }])
    expect(usage.flatMap((sender) => [...sender.refusals])).toEqual([])
    const larger = [...first!].map(([tenantId, quantity]): [string, number] => [
      tenantId,
      Math.max(quantity, second!.get(tenantId) ?? 0),
    ])
    expect([...(await countedIn(database.url))].sort()).toEqual(larger.sort())
  } finally {
    reading = false
    await db.end()
  }
}, 180_000)

test('what one process changes is in force in the other', async () => {
  await at(one).createCustomer({ body: { tenantId: 'shared', name: 'Customer of both' } })
  const key = await serviceKey(one.url)
  const allowed = async (service: ServiceProcess) =>
    (await at(service, key).check({ body: { tenantId: 'shared', feature: 'sso' } })).data.allowed
  expect(await allowed(two)).toBe(false)
  await at(one).createOverride({
    body: { tenantId: 'shared', feature: 'sso', set: { enabled: true }, reason: 'seen by both' },
  })
  await eventually(
    () => allowed(two),
    (seen) => seen,
  )

  const used = async (service: ServiceProcess) =>
    (await at(service, key).check({ body: { tenantId: 'shared', feature: 'api_calls' } })).data.decisions[0]?.used
  expect(await used(two)).toBe(0)
  await at(one, key).reportUsage({
    body: { tenantId: 'shared', meter: 'api_calls', quantity: 7, idempotencyKey: 'through-one' },
  })
  await eventually(
    () => used(two),
    (seen) => seen === 7,
  )
})

test('a key that one process revokes is refused by both', async () => {
  const { data: made } = await at(one).createApiKey({ body: { name: 'short-lived', role: 'service', tenantId: null } })
  await at(one).createCustomer({ body: { tenantId: 'guarded', name: 'Guarded' } })
  const status = async (service: ServiceProcess): Promise<number> =>
    (
      await fetch(`${service.url}/api/v1/entitlements/check`, {
        method: 'POST',
        body: JSON.stringify({ tenantId: 'guarded', feature: 'sso' }),
        headers: { authorization: `Bearer ${made.key}`, 'content-type': 'application/json' },
      })
    ).status
  expect([await status(one), await status(two)]).toEqual([200, 200])
  await at(one).revokeApiKey({ params: { keyId: made.id } })
  // Long before anything that was believed is asked again by itself.
  await eventually(
    async () => [await status(one), await status(two)],
    ([here, there]) => here === 401 && there === 401,
    5_000,
  )
})

test('a catalog that is applied through one is in force in the other', async () => {
  const source = readFileSync('catalog/acme.yaml', 'utf8').replace('projects: 2\n', 'projects: 3\n')
  await at(one).createCustomer({ body: { tenantId: 'planned', name: 'Planned' } })
  const projects = async (service: ServiceProcess) =>
    (await at(service).check({ body: { tenantId: 'planned', feature: 'projects' } })).data.decisions[0]?.value
  expect(await projects(two)).toBe(2)
  const { data: artifact } = await at(one).planCatalog({ body: { source } })
  await at(one).applyCatalog({ body: { source, artifact, reason: 'one more project' } })
  await eventually(
    () => Promise.all([projects(one), projects(two)]),
    (seen) => seen.every((value) => value === 3),
    // Long before either looks again by itself.
    5_000,
  )
})
