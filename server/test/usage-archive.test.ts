import { createHash } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { archiveUsage } from '../src/flows/archive-usage.ts'
import { sampleCounters } from '../src/flows/sample-counters.ts'
import { listFindings } from '../src/modules/reconciliation/index.ts'
import { findCounterDifferences } from '../src/modules/usage/index.ts'
import { query, sql } from '../src/platform/db.ts'
import { onFaultPoint } from '../src/platform/fault-points.ts'
import { type Service, startService } from './support/service.ts'

/** Raw records of long ago are packed and lose nothing; counters that go wrong are found (USE-4, PRV-1). */

let service: Service
let owner: pg.Client
beforeAll(async () => {
  service = await startService()
  owner = new pg.Client(service.database.url)
  await owner.connect()
})
afterAll(async () => {
  onFaultPoint(null)
  await owner?.end()
  await service?.stop()
})

const keeping = (keepDays: number | undefined) => {
  const { deps } = service.app
  const current = deps.catalog()
  const usage = { ...current.file.policies.usage, keepDays }
  const catalog = { ...current, file: { ...current.file, policies: { ...current.file.policies, usage } } }
  return { ...deps, catalog: () => catalog }
}
const report = async (tenantId: string, keys: readonly string[], more: object = {}) =>
  (
    await service.operator.reportUsage({
      body: { records: keys.map((idempotencyKey) => ({ tenantId, meter: 'tokens', idempotencyKey, ...more })) },
    })
  ).data
const keys = (prefix: string, n: number) => Array.from({ length: n }, (_, index) => `${prefix}-${index}`)
const rowsOf = async (tenantId: string) =>
  (
    await query<{ records: number; archives: number; archived: number; used: number }>(
      service.app.deps.db,
      sql`select (select count(*)::int from usage_records where tenant_id = ${tenantId}) as records, (select count(*)::int from usage_archives where tenant_id = ${tenantId}) as archives,
            (select coalesce(sum(records), 0)::int from usage_archives where tenant_id = ${tenantId}) as archived,
            (select sum(used)::float8 from usage_counters where tenant_id = ${tenantId} and span = 'period' and meter = 'tokens') as used`,
    )
  )[0]!
const differences = (tenantId: string) => findCounterDifferences(service.app.deps.db, 10, [tenantId])

test('only what ended longer ago than policy keeps is packed, in parts, with its hash', async () => {
  await service.customer('packed')
  await report('packed', keys('old', 250), { quantity: 2 })
  await service.operator.correctUsage({
    body: {
      tenantId: 'packed',
      corrects: 'old-7',
      action: 'void',
      reason: 'A test of archives',
      idempotencyKey: 'void-7',
    },
  })
  service.clock.advance('P2M')
  await report('packed', keys('later', 5))
  service.clock.advance('P2M')
  await report('packed', keys('new', 3))
  expect(await archiveUsage(keeping(undefined))).toBe(0)
  expect(await archiveUsage(keeping(60), 100)).toBe(251)
  expect(await rowsOf('packed')).toEqual({ records: 8, archives: 3, archived: 251, used: 506 })
  expect(await differences('packed')).toEqual([])

  const { data } = await service.operator.listUsageArchives({ query: { tenantId: 'packed', limit: 2 } })
  expect(data.map(({ part, records }) => [part, records])).toEqual([
    [1, 100],
    [2, 100],
  ])
  const { meter, windowStart, sha256 } = data[0]!
  const { data: part } = await service.operator.getUsageArchive({
    query: { tenantId: 'packed', meter, windowStart, part: 1 },
  })
  expect(createHash('sha256').update(part.content).digest('hex')).toBe(sha256)
  expect(JSON.parse(part.content)[0]).toMatchObject({ meter: 'tokens', quantity: 2, idempotency_key: 'old-0' })
})

test('what is archived is not corrected, and no file brings it in again', async () => {
  await expect(
    service.operator.correctUsage({
      body: { tenantId: 'packed', corrects: 'old-1', action: 'void', reason: 'too late', idempotencyKey: 'late' },
    }),
  ).rejects.toMatchObject({ code: 'usage_record_unknown' })
  const [{ at }] = (await owner.query(`select last_at::text as at from usage_archives where tenant_id = 'packed'`))
    .rows as [{ at: string }]
  const text = `at,meter,idempotencyKey\n${at.replace(' ', 'T').replace('+00', 'Z')},tokens,old-1\n`
  const { data: begun } = await service.operator.createUsageImport({
    body: {
      tenantId: 'packed',
      name: 'again.csv',
      format: 'csv',
      size: Buffer.byteLength(text),
      sha256: createHash('sha256').update(text).digest('hex'),
    },
  })
  const { data } = await service.operator.sendUsageImport({ params: { importId: begun.id }, body: { offset: 0, text } })
  expect(data).toMatchObject({ accepted: 0, invalid: 1, mistakes: [{ code: 'time_too_old' }] })
})

test('broken off anywhere, it goes on and loses nothing', async () => {
  await service.customer('broken-off')
  await report('broken-off', keys('r', 40))
  service.clock.advance('P4M')
  for (let place = 1; ; place++) {
    let passed = 0
    let died = false
    onFaultPoint(() => {
      if (!new Error().stack?.includes('archive-usage.ts') || ++passed !== place) return
      died = true
      throw new Error('died here')
    })
    await archiveUsage(keeping(60), 10)
    onFaultPoint(null)
    const { records, archived, used } = await rowsOf('broken-off')
    expect([records + archived, used]).toEqual([40, 40])
    expect(await differences('broken-off')).toEqual([])
    if (!died) break
  }
  expect(await rowsOf('broken-off')).toMatchObject({ records: 0, archived: 40 })
})

test('what billing still looks at is not packed', async () => {
  const customerId = await service.customer('unsettled')
  await report('unsettled', keys('r', 4))
  await owner.query(
    `insert into usage_periods (tenant_id, period_id, customer_id, subscription_id, period_start, period_end, regular_start, regular_end, state, opened_at, rated_at)
     select tenant_id, 'period_of_a_test', $2, 'subscription_of_a_test', window_start, window_end, window_start, window_end, 'placed', window_start, window_end
     from usage_counters where tenant_id = $1 and span = 'period'`,
    ['unsettled', customerId],
  )
  service.clock.advance('P4M')
  await archiveUsage(keeping(60))
  expect(await rowsOf('unsettled')).toMatchObject({ records: 4, archived: 0 })
  await owner.query(`update usage_periods set state = 'settled' where tenant_id = 'unsettled'`)
  await archiveUsage(keeping(60))
  expect(await rowsOf('unsettled')).toMatchObject({ records: 0, archived: 4 })
})

test('a counter that went wrong is found by the daily sample, in any span, and made again from archives', async () => {
  await service.customer('sampled')
  await report('sampled', keys('r', 30))
  service.clock.advance('P4M')
  await archiveUsage(keeping(60))
  await report('sampled', keys('n', 4))
  await owner.query(`update usage_counters set used = used + 7 where tenant_id = 'sampled'`)
  // Each day another share: within thirty days everybody was looked at.
  let found = 0
  for (let day = 0; day < 30 && found === 0; day++) {
    found = await sampleCounters(service.app.deps)
    service.clock.advance('P1D')
  }
  expect(found).toBe(4)
  const open = await listFindings(service.app.deps.db, {
    state: 'open',
    kind: 'counter_differs',
    tenantId: 'sampled',
    before: null,
    limit: 10,
  })
  expect(new Set(open.map(({ object }) => object)).size).toBe(4)
  const { data: findings } = await service.operator.listFindings({ query: { tenantId: 'sampled', state: 'open' } })
  for (const { id } of findings)
    await service.operator.repairFinding({ params: { findingId: id }, body: { reason: 'A test of archives' } })
  expect(await differences('sampled')).toEqual([])
  expect(await rowsOf('sampled')).toMatchObject({ records: 4, archived: 30, used: 34 })
})

test('hours of long ago are dropped, and their absence is no difference', async () => {
  await service.customer('hourly')
  await report('hourly', keys('r', 3))
  const hours = async () =>
    (await owner.query(`select count(*)::int as n from usage_counters where tenant_id = 'hourly' and span = 'hour'`))
      .rows[0].n
  expect(await hours()).toBe(1)
  service.clock.advance('P401D')
  await archiveUsage(keeping(undefined))
  expect(await hours()).toBe(0)
  const since = service.clock.now().subtract({ hours: 24 * 398 })
  expect(await findCounterDifferences(service.app.deps.db, 10, ['hourly'], since)).toEqual([])
})

test('the application may neither write archives nor pack what is not over', async () => {
  const { db } = service.app.deps
  await expect(query(db, sql`delete from usage_archives`)).rejects.toThrow(/permission denied/)
  await service.customer('current')
  await report('current', ['a'])
  await expect(
    query(
      db,
      sql`select archive_usage('current', 'tokens', (select window_start from usage_counters where tenant_id = 'current' and span = 'period'), ${service.clock.now().toString()}, 10)`,
    ),
  ).rejects.toThrow(/is not over/)
})
