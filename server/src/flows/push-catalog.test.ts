import { readFileSync } from 'node:fs'
import { createTestDatabase, type TestDatabase } from '@turnpike/local/test-database'
import { startSandbox } from '@turnpike/sandbox'
import type Stripe from 'stripe'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { loadCatalog, lookupKeyOf, wantedAtProvider, wantedCoupons } from '../modules/catalog/index.ts'
import { systemActor } from '../platform/audit.ts'
import { movableClock } from '../platform/clock.ts'
import { closeDb, type Db, openDb, query, sql } from '../platform/db.ts'
import { createLog } from '../platform/log.ts'
import { createStripeCatalog } from '../providers/stripe/catalog.ts'
import { createStripe } from '../providers/stripe/index.ts'
import { applyCatalog, planCatalog } from './apply-catalog.ts'
import { diffCatalog } from './diff-catalog.ts'
import { type PushCatalogDeps, pushCatalog } from './push-catalog.ts'

const acme = readFileSync(new URL('../../../catalog/acme.yaml', import.meta.url), 'utf8')
const actor = systemActor('test', 'request_1')
const log = createLog('silent')

let sandbox: Awaited<ReturnType<typeof startSandbox>>
beforeAll(async () => {
  sandbox = await startSandbox({ port: 0 })
})
afterAll(() => sandbox.close())

let database: TestDatabase
let db: Db
let stripe: Stripe
let deps: PushCatalogDeps
// Each test has a catalog of its own name, so that they can share one account, as catalogs may.
let name: string
let count = 0
beforeEach(async () => {
  database = await createTestDatabase()
  db = openDb(database.url, { log })
  stripe = createStripe({ secretKey: 'sk_test_catalog', apiBase: sandbox.url })
  name = `acme${++count}`
  deps = {
    db,
    clock: movableClock('2026-01-31T10:00:00Z'),
    providerCatalog: (catalog) => createStripeCatalog(stripe, { log, catalog }),
  }
  return async () => {
    await closeDb(db)
    await database.drop()
  }
})

const apply = async (source: string) => {
  const named = source.replace('catalog: acme', `catalog: ${name}`)
  const catalogDeps = { ...deps, catalogFacts: async () => ({ subscriptions: [], onBaseline: 0 }) }
  await applyCatalog(catalogDeps, { source: named, artifact: await planCatalog(catalogDeps, named) }, actor)
  return (await loadCatalog(db))!
}
const monthly = { kind: 'plan', plan: 'pro', price: 'monthly', currency: 'USD' } as const
const priceAt = async (lookupKey: string) => (await stripe.prices.list({ lookup_keys: [lookupKey] })).data[0]!

test('before the push everything is missing, after it nothing', async () => {
  const catalog = await apply(acme)
  const wanted = wantedAtProvider(catalog)
  const all = wanted.products.length + wanted.prices.length + wantedCoupons(catalog).length
  const before = await diffCatalog(deps)
  expect(before.inSync).toBe(false)
  expect(before.differences).toHaveLength(all)
  expect(new Set(before.differences.map(({ kind }) => kind))).toEqual(new Set(['missing_at_provider']))

  const pushed = await pushCatalog(deps, actor)
  expect(pushed.created).toHaveLength(all)
  expect(pushed).toMatchObject({ updated: [], unchanged: 0 })
  expect(await diffCatalog(deps)).toEqual({ inSync: true, differences: [] })
})

test('prices are made as the file says, with names that people recognise', async () => {
  const catalog = await apply(acme)
  await pushCatalog(deps, actor)
  expect(await priceAt(lookupKeyOf(catalog, { ...monthly, price: 'yearly', currency: 'EUR' })!)).toMatchObject({
    active: true,
    product: `${name}_pro`,
    currency: 'eur',
    unit_amount: 45000,
    nickname: 'Pro per year',
    recurring: { interval: 'year', interval_count: 1, usage_type: 'licensed' },
    metadata: { turnpike_catalog: name, turnpike_kind: 'plan', turnpike_plan: 'pro', turnpike_price: 'yearly' },
  })
  expect(
    await priceAt(lookupKeyOf(catalog, { kind: 'seat', plan: 'pro', price: 'monthly', currency: 'USD' })!),
  ).toMatchObject({
    product: `${name}_pro`,
    unit_amount: 1200,
    nickname: 'Pro: seat per month',
  })
  expect(
    await priceAt(lookupKeyOf(catalog, { kind: 'product', product: 'onboarding', currency: 'USD' })!),
  ).toMatchObject({
    type: 'one_time',
    unit_amount: 50000,
    recurring: null,
  })
  expect(await stripe.products.retrieve(`${name}_pro`)).toMatchObject({
    name: 'Pro',
    description: 'For teams in production.',
  })
})

test('a second push makes nothing and is not audited', async () => {
  const catalog = await apply(acme)
  const { created } = await pushCatalog(deps, actor)
  expect(await pushCatalog(deps, actor)).toEqual({ created: [], updated: [], unchanged: created.length })
  expect((await stripe.prices.list({ lookup_keys: [lookupKeyOf(catalog, monthly)!] })).data).toHaveLength(1)
  expect(await query(db, sql`select 1 from audit_log where action = 'catalog.push'`)).toHaveLength(1)
})

test('two pushes at once make each thing once', async () => {
  const catalog = await apply(acme)
  await Promise.all([pushCatalog(deps, actor), pushCatalog(deps, actor)])
  expect(await diffCatalog(deps)).toEqual({ inSync: true, differences: [] })
  for (const { lookupKey } of wantedAtProvider(catalog).prices.slice(0, 5))
    expect((await stripe.prices.list({ lookup_keys: [lookupKey] })).data).toHaveLength(1)
})

test('a changed price is a new one at the provider; the old one stays for who has it', async () => {
  const first = await apply(acme)
  await pushCatalog(deps, actor)
  const second = await apply(acme.replace('USD: 4900,', 'USD: 5900,'))
  expect((await pushCatalog(deps, actor)).created).toEqual([lookupKeyOf(second, monthly)])
  expect(await priceAt(lookupKeyOf(first, monthly)!)).toMatchObject({ active: true, unit_amount: 4900 })
  expect(await priceAt(lookupKeyOf(second, monthly)!)).toMatchObject({ active: true, unit_amount: 5900 })
  expect(await diffCatalog(deps)).toEqual({ inSync: true, differences: [] })
})

test('a changed name or description is brought up to date, one that went is taken away', async () => {
  await apply(acme)
  await pushCatalog(deps, actor)
  await apply(acme.replace('    name: Pro\n    description: For teams in production.\n', '    name: Team\n'))
  expect((await diffCatalog(deps)).differences.map(({ key, field }) => [key, field])).toEqual([
    [`${name}_pro`, 'name'],
    [`${name}_pro`, 'description'],
  ])
  expect(await pushCatalog(deps, actor)).toMatchObject({ created: [], updated: [`${name}_pro`] })
  expect(await stripe.products.retrieve(`${name}_pro`)).toMatchObject({ name: 'Team', description: null })
  expect((await diffCatalog(deps)).inSync).toBe(true)
})

test('an archived price is named and neither woken up nor made again', async () => {
  const catalog = await apply(acme)
  await pushCatalog(deps, actor)
  const key = lookupKeyOf(catalog, monthly)!
  await stripe.prices.update((await priceAt(key)).id, { active: false })
  expect((await diffCatalog(deps)).differences).toMatchObject([{ kind: 'inactive_at_provider', object: 'price', key }])
  expect((await pushCatalog(deps, actor)).created).toEqual([])
  expect((await diffCatalog(deps)).differences).toHaveLength(1)
})

test('a price that somebody made by hand on our product is named and left alone', async () => {
  await apply(acme)
  await pushCatalog(deps, actor)
  const made = await stripe.prices.create({
    product: `${name}_pro`,
    currency: 'usd',
    unit_amount: 100,
    recurring: { interval: 'month' },
  })
  await pushCatalog(deps, actor)
  expect((await diffCatalog(deps)).differences).toMatchObject([
    { kind: 'unknown_to_catalog', object: 'price', key: made.id, theirs: '100 USD' },
  ])
  expect(await stripe.prices.retrieve(made.id)).toMatchObject({ active: true, unit_amount: 100 })
})

test('a product of somebody else under our id is named and keeps its name', async () => {
  await stripe.products.create({ id: `${name}_pro`, name: 'Something else' })
  await apply(acme)
  await pushCatalog(deps, actor)
  expect((await diffCatalog(deps)).differences).toMatchObject([
    { kind: 'differs', object: 'product', key: `${name}_pro`, field: 'metadata' },
  ])
  expect(await stripe.products.retrieve(`${name}_pro`)).toMatchObject({ name: 'Something else' })
})

test('a product with our mark is found behind more products of others than fit on a page', async () => {
  await apply(acme)
  await pushCatalog(deps, actor)
  await stripe.products.create({ id: `${name}_gold`, name: 'Gold', metadata: { turnpike_catalog: name } })
  for (let n = 0; n < 105; n++) await stripe.products.create({ name: `Other ${n}` })
  expect((await diffCatalog(deps)).differences).toMatchObject([
    { kind: 'unknown_to_catalog', object: 'product', key: `${name}_gold` },
  ])
})

test('without a catalog there is nothing to push or compare', async () => {
  await expect(pushCatalog(deps, actor)).rejects.toMatchObject({ code: 'not_found' })
  await expect(diffCatalog(deps)).rejects.toMatchObject({ code: 'not_found' })
})

test('a provider that cannot be reached is a failure that says so, and the catalog stays as it is', async () => {
  await apply(acme)
  const nowhere = createStripe({ secretKey: 'sk_test_catalog', apiBase: 'http://127.0.0.1:1' })
  const lost = { ...deps, providerCatalog: (catalog: string) => createStripeCatalog(nowhere, { log, catalog }) }
  await expect(pushCatalog(lost, actor)).rejects.toMatchObject({ code: 'provider_unavailable' })
  await expect(diffCatalog(lost)).rejects.toMatchObject({ code: 'provider_unavailable' })
})
