import { readFileSync } from 'node:fs'
import { createTestDatabase, type TestDatabase } from '@turnpike/local/test-database'
import pg from 'pg'
import { beforeEach, expect, test } from 'vitest'
import {
  type Catalog,
  type CatalogFacts,
  catalogHistory,
  findPlan,
  loadCatalog,
  lookupKeyOf,
  nextCatalog,
  parseCatalog,
  resolveLookupKey,
} from '../modules/catalog/index.ts'
import { systemActor } from '../platform/audit.ts'
import { movableClock } from '../platform/clock.ts'
import { closeDb, type Db, openDb, query, sql } from '../platform/db.ts'
import { createLog } from '../platform/log.ts'
import { applyCatalog, type CatalogChangeDeps, planCatalog } from './apply-catalog.ts'

const acme = readFileSync(new URL('../../../catalog/acme.yaml', import.meta.url), 'utf8')
const dearer = acme.replace('amounts: { USD: 4900, EUR: 4500 }', 'amounts: { USD: 5900, EUR: 4500 }')
const actor = systemActor('test', 'request_1')
const clock = movableClock('2026-01-31T10:00:00Z')

let database: TestDatabase
let db: Db
let facts: CatalogFacts
let deps: CatalogChangeDeps
beforeEach(async () => {
  database = await createTestDatabase()
  db = openDb(database.url, { log: createLog('silent') })
  facts = { subscriptions: [], onBaseline: 0 }
  deps = { db, clock, catalogFacts: async () => facts }
  return async () => {
    await closeDb(db)
    await database.drop()
  }
})

const apply = async (source: string) =>
  applyCatalog(deps, { source, artifact: await planCatalog(deps, source), reason: 'A test' }, actor)
const current = async (): Promise<Catalog> => (await loadCatalog(db))!

test('before the first catalog there is none', async () => {
  expect(await loadCatalog(db)).toBeNull()
  expect(await catalogHistory(db)).toEqual([])
})

test('what was applied is what is loaded, in the order of the file', async () => {
  const applied = await apply(acme)
  expect(applied).toMatchObject({
    version: 1,
    appliedBy: actor.id,
    plans: { free: 1, starter: 1, pro: 1, scale: 1, classic: 1 },
  })
  const parsed = parseCatalog(acme)
  if (!parsed.ok) throw new Error('acme.yaml has mistakes')
  const catalog = await current()
  expect(catalog).toEqual(nextCatalog(null, parsed.file))
  expect(Object.keys(catalog.file.features)).toEqual(Object.keys(parsed.file.features))
  expect(Object.keys(catalog.file.plans)).toEqual(['free', 'starter', 'pro', 'scale', 'classic'])
})

test('a second catalog gives changed plans a new version, keeps the others, and keeps what was', async () => {
  await apply(acme)
  const first = await current()
  const applied = await apply(dearer)
  const second = await current()
  expect(applied).toMatchObject({ version: 2, summary: '2 changed', plans: { free: 1, pro: 2, scale: 1 } })
  expect(findPlan(second, 'pro', 1)).toEqual(findPlan(first, 'pro'))
  const ref = { kind: 'plan', plan: 'pro', price: 'monthly', currency: 'USD' } as const
  expect(resolveLookupKey(second, lookupKeyOf(first, ref)!)?.planVersion).toBe(1)
  expect(resolveLookupKey(second, lookupKeyOf(second, ref)!)?.planVersion).toBe(2)
  expect((await catalogHistory(db)).map(({ version }) => version)).toEqual([2, 1])
})

test('going back to an earlier content is a new version, not the old one', async () => {
  await apply(acme)
  await apply(dearer)
  expect(await apply(acme)).toMatchObject({ version: 3, plans: { pro: 3 } })
})

test('the old price of an add-on can still be looked up after two more catalogs', async () => {
  await apply(acme)
  const ref = { kind: 'add_on', addOn: 'extra_projects', price: 'monthly', currency: 'USD' } as const
  const key = lookupKeyOf(await current(), ref)!
  await apply(acme.replace('USD: 900,', 'USD: 950,'))
  await apply(acme.replace('USD: 900,', 'USD: 990,'))
  expect(resolveLookupKey(await current(), key)).toMatchObject({ ref, planVersion: null })
})

test('applying the same again, also with the old artifact, changes nothing', async () => {
  const artifact = await planCatalog(deps, acme)
  const first = await applyCatalog(deps, { source: acme, artifact }, actor)
  clock.advance('PT1H')
  expect(await applyCatalog(deps, { source: acme, artifact }, actor)).toEqual(first)
  expect(await apply(`# only a comment\n${acme}`)).toEqual(first)
  expect(await catalogHistory(db)).toHaveLength(1)
  expect(await query(db, sql`select 1 from audit_log where action = 'catalog.apply'`)).toHaveLength(1)
})

test('an artifact made before another catalog came into force is stale', async () => {
  await apply(acme)
  const artifact = await planCatalog(deps, dearer)
  await apply(acme.replace('projects: 20\n', 'projects: 25\n'))
  await expect(applyCatalog(deps, { source: dearer, artifact }, actor)).rejects.toMatchObject({ code: 'catalog_stale' })
  expect(await catalogHistory(db)).toHaveLength(2)
})

test('an artifact of another file is stale', async () => {
  const artifact = await planCatalog(deps, acme)
  await expect(applyCatalog(deps, { source: dearer, artifact }, actor)).rejects.toMatchObject({ code: 'catalog_stale' })
  expect(await loadCatalog(db)).toBeNull()
})

test('two who apply at once: one comes first, the other is told that its plan is stale', async () => {
  const planned = await Promise.all([planCatalog(deps, acme), planCatalog(deps, dearer)])
  const outcomes = await Promise.allSettled([
    applyCatalog(deps, { source: acme, artifact: planned[0] }, actor),
    applyCatalog(deps, { source: dearer, artifact: planned[1] }, actor),
  ])
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'catalog_stale' } })
  expect(await catalogHistory(db)).toHaveLength(1)
})

test('a file with mistakes is refused with each mistake and its place', async () => {
  const broken = acme.replace('baseline: free', 'baseline: fre')
  const line = broken.split('\n').findIndex((text) => text.startsWith('baseline:')) + 1
  const problem = {
    code: 'catalog_invalid',
    errors: [{ field: `${line}:11 baseline`, message: 'There is no plan "fre"; perhaps "free" is meant.' }],
  }
  await expect(planCatalog(deps, broken)).rejects.toMatchObject(problem)
  const artifact = await planCatalog(deps, acme)
  await expect(applyCatalog(deps, { source: broken, artifact }, actor)).rejects.toMatchObject(problem)
})

test('a blocked change is planned with its reason and refused when applied', async () => {
  await apply(acme)
  const source = acme.replace('aggregation: count', 'aggregation: sum')
  expect((await planCatalog(deps, source)).blocked).toBe(true)
  await expect(apply(source)).rejects.toMatchObject({ code: 'catalog_invalid', errors: [{ field: 'meter exports' }] })
  // An artifact that was edited by hand does not help.
  const artifact = { ...(await planCatalog(deps, source)), blocked: false, changes: [] }
  await expect(applyCatalog(deps, { source, artifact }, actor)).rejects.toMatchObject({ code: 'catalog_invalid' })
  expect(await catalogHistory(db)).toHaveLength(1)
})

test('the plan counts who is affected from the facts of the moment', async () => {
  await apply(acme)
  facts = {
    subscriptions: [{ plan: 'pro', version: 1, price: 'monthly', currency: 'USD', seats: 3, customers: 2 }],
    onBaseline: 5,
  }
  const artifact = await planCatalog(deps, dearer)
  expect(artifact.affectedCustomers).toEqual([{ plan: 'pro', version: 1, customers: 2, staysOnVersion: true }])
  expect(artifact.recurringRevenueDelta).toEqual([{ currency: 'USD', amountMinor: '2000' }])
})

test('applying is audited with who, why, before and after', async () => {
  await apply(acme)
  const rows = await query(db, sql`select tenant_id, actor, action, object, reason, before, after from audit_log`)
  expect(rows).toMatchObject([
    {
      tenant_id: null,
      actor: actor.id,
      action: 'catalog.apply',
      object: 'catalog 1',
      reason: 'A test',
      before: null,
      after: { version: 1 },
    },
  ])
})

test('every process hears that a catalog came into force, and nothing when nothing changed', async () => {
  const listener = new pg.Client(database.url)
  const heard: unknown[] = []
  listener.on('notification', ({ payload }) => heard.push(payload))
  await listener.connect()
  await listener.query('listen turnpike')
  await apply(acme)
  await apply(acme)
  // The answer to a later query comes after the notices of earlier commits.
  await listener.query('select 1')
  await listener.end()
  expect(heard).toEqual(['{"kind":"catalog"}'])
})

const changes = [
  sql`update plan_versions set content = '{}' where plan_key = 'pro'`,
  sql`delete from plan_versions`,
  sql`truncate plan_versions cascade`,
  sql`update catalog_versions set source = ''`,
  sql`delete from catalog_versions`,
]
test.each(['turnpike_app', 'none'])(
  'the database itself refuses to change what was applied, with the rights of %s',
  async (role) => {
    await apply(acme)
    const other = openDb(database.url, { log: createLog('silent'), role })
    try {
      for (const change of changes) await expect(query(other, change)).rejects.toMatchObject({ code: '42501' })
    } finally {
      await closeDb(other)
    }
    expect(findPlan(await current(), 'pro')?.content.name).toBe('Pro')
  },
)
