import type { Client } from '@turnpike/client'
import type { NewCorrection } from '@turnpike/contract'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findCounterDifferences } from '../src/modules/usage/index.ts'
import { query, sql } from '../src/platform/db.ts'
import { type Service, startService } from './support/service.ts'

/** Corrections of usage through HTTP on real PostgreSQL (USE-2): lineage is kept, and counters are never wrong. */

let service: Service
let finance: Client
let reporter: Client
beforeAll(async () => {
  service = await startService()
  finance = await service.as('finance')
  reporter = await service.as('service')
})
afterAll(async () => {
  const differences = service && (await findCounterDifferences(service.app.deps.db, 10))
  await service?.stop()
  expect(differences).toEqual([])
})

let tenants = 0
const newTenant = async (): Promise<string> => {
  const tenantId = `corrected-${++tenants}`
  await service.customer(tenantId)
  return tenantId
}
const report = async (tenantId: string, idempotencyKey: string, quantity: number, more: object = {}) =>
  (await reporter.reportUsage({ body: { tenantId, meter: 'api_calls', quantity, idempotencyKey, ...more } })).data
const correct = async (tenantId: string, correction: Omit<NewCorrection, 'tenantId' | 'reason'>) =>
  (await finance.correctUsage({ body: { tenantId, reason: 'A test of corrections', ...correction } })).data
const usedOf = async (tenantId: string, meter = 'api_calls'): Promise<number> =>
  (await finance.getUsage({ query: { tenantId } })).data.meters.find((entry) => entry.meter === meter)!.used

test('what was used up under the longest key is corrected, and found by the key of its record', async () => {
  await service.customer('long-key')
  const tenantId = 'long-key'
  await service.operator.check({
    body: { tenantId, feature: 'api_calls', quantity: 3, consume: true, idempotencyKey: 'k'.repeat(255) },
  })
  const { data: kept } = await service.operator.listUsageRecords({ query: { tenantId, meter: 'api_calls' } })
  const key = kept[0]!.idempotencyKey
  expect(key).toHaveLength(271)
  const body = { tenantId, corrects: key, action: 'void', reason: 'never happened', idempotencyKey: 'v' } as const
  expect((await service.operator.correctUsage({ body })).data).toMatchObject({ corrects: key, after: 0 })
  const { data: found } = await service.operator.listUsageRecords({ query: { tenantId, key } })
  expect(found).toHaveLength(2)
})

test('a void takes back, an amendment sets, and the last one counts', async () => {
  const tenantId = await newTenant()
  await report(tenantId, 'a', 10)
  await report(tenantId, 'b', 5)
  expect(await correct(tenantId, { corrects: 'a', action: 'void', idempotencyKey: 'v1' })).toMatchObject({
    meter: 'api_calls',
    before: 10,
    after: 0,
    quantity: -10,
    repeated: false,
  })
  expect(await usedOf(tenantId)).toBe(5)
  expect(await correct(tenantId, { corrects: 'a', action: 'amend', quantity: 7, idempotencyKey: 'v2' })).toMatchObject({
    before: 0,
    after: 7,
  })
  // By the key of an earlier correction it is the same original.
  expect(await correct(tenantId, { corrects: 'v2', action: 'amend', quantity: 3, idempotencyKey: 'v3' })).toMatchObject(
    { corrects: 'a', before: 7, after: 3, quantity: -4 },
  )
  expect(await usedOf(tenantId)).toBe(8)
})

test('the lineage is shown, and quantities of the list add up to the counter', async () => {
  const tenantId = await newTenant()
  for (const n of [1, 2, 3, 4, 5]) await report(tenantId, `r${n}`, n)
  await correct(tenantId, { corrects: 'r4', action: 'void', idempotencyKey: 'c1' })
  await correct(tenantId, { corrects: 'r5', action: 'amend', quantity: 50, idempotencyKey: 'c2' })
  const seen: Awaited<ReturnType<typeof finance.listUsageRecords>>['data'] = []
  let cursor: string | undefined
  do {
    const page = await finance.listUsageRecords({
      query: { tenantId, meter: 'api_calls', limit: 2, ...(cursor ? { cursor } : {}) },
    })
    seen.push(...page.data)
    cursor = page.meta.cursor ?? undefined
  } while (cursor)
  expect(new Set(seen.map((each) => each.idempotencyKey)).size).toBe(7)
  expect(seen.reduce((sum, each) => sum + each.quantity, 0)).toBe(56)
  expect(await usedOf(tenantId)).toBe(56)
  const lineage = (await finance.listUsageRecords({ query: { tenantId, key: 'c1' } })).data
  expect(lineage.map(({ idempotencyKey, correction }) => [idempotencyKey, correction])).toEqual([
    ['r4', null],
    ['c1', 'void'],
  ])
  expect(lineage[0]).toMatchObject({
    effectiveQuantity: 0,
    corrections: [{ idempotencyKey: 'c1', action: 'void', before: 4, after: 0, reason: 'A test of corrections' }],
  })
})

test('the same key makes it once; with another content, or taken by a record, it is refused', async () => {
  const tenantId = await newTenant()
  await report(tenantId, 'a', 10)
  const once = { corrects: 'a', action: 'amend', quantity: 4, idempotencyKey: 'x' } as const
  const first = await correct(tenantId, once)
  expect(await correct(tenantId, once)).toEqual({ ...first, repeated: true })
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => correct(tenantId, { ...once, quantity: 6, idempotencyKey: 'y' })),
  )
  expect(answers.filter(({ repeated }) => !repeated)).toHaveLength(1)
  expect(await usedOf(tenantId)).toBe(6)
  for (const body of [
    { ...once, quantity: 5 },
    { ...once, reason: 'Another reason' },
    { corrects: 'a', action: 'amend', idempotencyKey: 'x' },
    { corrects: 'a', action: 'void', idempotencyKey: 'x' },
    // It cannot have named itself when it was made.
    { ...once, corrects: 'x' },
    { ...once, idempotencyKey: 'a' },
  ] as const)
    await expect(correct(tenantId, body)).rejects.toMatchObject({ code: 'idempotency_key_reused' })
  // Nor does a record take the key of a correction.
  await expect(report(tenantId, 'x', 4)).rejects.toMatchObject({ code: 'idempotency_key_reused' })
})

test('a limit that was used up has room again, at once', async () => {
  const tenantId = await newTenant()
  await service.operator.createOverride({
    body: { tenantId, feature: 'api_calls', set: { limit: 10 }, reason: 'The limit of a test' },
  })
  await report(tenantId, 'a', 10)
  expect((await report(tenantId, 'b', 1)).allowed).toBe(false)
  await correct(tenantId, { corrects: 'a', action: 'amend', quantity: 9, idempotencyKey: 'x' })
  expect((await service.operator.check({ body: { tenantId, feature: 'api_calls' } })).data.allowed).toBe(true)
  expect((await report(tenantId, 'c', 1)).allowed).toBe(true)
  // A correction says what was, and is not refused itself.
  await correct(tenantId, { corrects: 'a', action: 'amend', quantity: 500, idempotencyKey: 'y' })
  expect((await service.operator.check({ body: { tenantId, feature: 'api_calls' } })).data.allowed).toBe(false)
})

test('a window that is over is corrected in its own window', async () => {
  const tenantId = await newTenant()
  const at = service.clock
    .now()
    .subtract({ hours: 24 * 33 })
    .toString()
  await report(tenantId, 'old', 10, { at })
  await correct(tenantId, { corrects: 'old', action: 'amend', quantity: 4, idempotencyKey: 'x' })
  expect(await usedOf(tenantId)).toBe(0)
  const [old] = (await finance.listUsageRecords({ query: { tenantId, key: 'x' } })).data
  const counters = await query<{ used: number }>(
    service.app.deps.db,
    sql`select used::float8 as used from usage_counters where tenant_id = ${tenantId} and span = 'period' and window_start = ${old!.windowStart}`,
  )
  expect(counters).toEqual([{ used: 4 }])
})

test('a level stands as the newest report that was not taken back', async () => {
  const tenantId = await newTenant()
  const at = (hours: number) => service.clock.now().subtract({ hours }).toString()
  for (const [key, quantity, hours] of [
    ['one', 3, 3],
    ['two', 8, 2],
    ['three', 5, 1],
  ] as const)
    await report(tenantId, key, quantity, { meter: 'projects_in_use', at: at(hours) })
  expect(await usedOf(tenantId, 'projects_in_use')).toBe(5)
  await correct(tenantId, { corrects: 'three', action: 'void', idempotencyKey: 'x' })
  expect(await usedOf(tenantId, 'projects_in_use')).toBe(8)
  await correct(tenantId, { corrects: 'two', action: 'amend', quantity: 6, idempotencyKey: 'y' })
  expect(await usedOf(tenantId, 'projects_in_use')).toBe(6)
  await correct(tenantId, { corrects: 'three', action: 'amend', quantity: 4, idempotencyKey: 'z' })
  expect(await usedOf(tenantId, 'projects_in_use')).toBe(4)
})

test.each([
  ['an unknown record', { corrects: 'nobody', action: 'void' }, 'usage_record_unknown'],
  ['a void with a quantity', { corrects: 'a', action: 'void', quantity: 1 }, 'correction_invalid'],
  ['an amendment without one', { corrects: 'a', action: 'amend' }, 'correction_invalid'],
  ['less than nothing', { corrects: 'a', action: 'amend', quantity: -1 }, 'quantity_invalid'],
] as const)('refuses %s', async (_, body, code) => {
  const tenantId = await newTenant()
  await report(tenantId, 'a', 10)
  await expect(correct(tenantId, { ...body, idempotencyKey: 'x' })).rejects.toMatchObject({ code })
  expect(await usedOf(tenantId)).toBe(10)
})

test('it is told, and written down with who and why', async () => {
  const tenantId = await newTenant()
  await report(tenantId, 'a', 10)
  await correct(tenantId, { corrects: 'a', action: 'void', idempotencyKey: 'x' })
  const audit = await query(
    service.app.deps.db,
    sql`select action, object, before, reason from audit_log where tenant_id = ${tenantId} and action = 'usage.void'`,
  )
  expect(audit).toEqual([
    { action: 'usage.void', object: 'a', before: { quantity: 10 }, reason: 'A test of corrections' },
  ])
  const told = (
    await query<{ type: string }>(service.app.deps.db, sql`select type from outbox where tenant_id = ${tenantId}`)
  ).map(({ type }) => type)
  expect(told.filter((type) => type === 'usage.corrected')).toHaveLength(1)
})

test('a property: after any reports and corrections, every counter is what its records add up to', async () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant('report' as const),
      meter: fc.constantFrom('api_calls', 'tokens', 'projects_in_use', 'exports'),
      quantity: fc.nat(50),
      hoursAgo: fc.nat(24 * 34),
    }),
    fc.record({
      do: fc.constant('correct' as const),
      which: fc.nat(),
      quantity: fc.option(fc.nat(50)),
    }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 25 }), async (steps) => {
      const tenantId = await newTenant()
      await service.operator.createOverride({
        body: { tenantId, feature: 'api_calls', set: { limit: null }, reason: 'No limit in this test' },
      })
      const effective = new Map<string, { meter: string; quantity: number }>()
      for (const [n, each] of steps.entries()) {
        if (each.do === 'report') {
          const at = service.clock.now().subtract({ hours: each.hoursAgo }).toString()
          const { accepted } = await report(tenantId, `r${n}`, each.quantity, { meter: each.meter, at })
          if (accepted === 1) effective.set(`r${n}`, each)
          continue
        }
        const keys = [...effective.keys()]
        const corrects = keys[each.which % keys.length]
        if (corrects === undefined) continue
        // A meter that counts records is only voided.
        const { meter } = effective.get(corrects)!
        const quantity = meter === 'exports' ? null : each.quantity
        await correct(tenantId, {
          corrects,
          idempotencyKey: `c${n}`,
          ...(quantity === null ? { action: 'void' } : { action: 'amend', quantity }),
        })
        effective.set(corrects, { meter, quantity: quantity ?? 0 })
      }
      expect(await findCounterDifferences(service.app.deps.db, 10, [tenantId])).toEqual([])
      const sums = await query<{ meter: string; used: number }>(
        service.app.deps.db,
        sql`select meter, sum(used)::float8 as used from usage_counters where tenant_id = ${tenantId} and span = 'hour' and aggregation = 'sum' group by 1 order by 1`,
      )
      for (const { meter, used } of sums)
        expect(used).toBe(
          [...effective.values()].reduce((sum, each) => sum + (each.meter === meter ? each.quantity : 0), 0),
        )
    }),
    { numRuns: 25 },
  )
}, 120_000)
