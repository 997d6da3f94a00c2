import type { Client } from '@turnpike/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findCounterDifferences, rebuildCounter } from '../../src/modules/usage/index.ts'
import { query, sql, transact } from '../../src/platform/db.ts'
import { readEvents } from '../../src/platform/outbox.ts'
import { type Service, startService } from '../support/service.ts'
import { eventually } from '../support/world.ts'
import { metered, meteringCatalog } from './support.ts'

/** Every aggregation through HTTP on real PostgreSQL: what is counted, what is refused, and that records say the same. */

let service: Service
let client: Client
beforeAll(async () => {
  service = await startService({ env: { TURNPIKE_CATALOG: meteringCatalog() } })
  client = await service.as('service')
})
afterAll(async () => {
  const differences = service && (await findCounterDifferences(service.app.deps.db, 10))
  await service?.stop()
  expect(differences).toEqual([])
})

const customer = async (tenantId: string) => {
  await service.customer(tenantId)
  return metered(client, tenantId)
}

test('the highest is kept, and only what is above it counts against the limit (USE-4)', async () => {
  const { report, allows, used } = await customer('highest')
  expect(await report('peak', 7)).toMatchObject({ status: 'accepted', used: 7, limit: 10 })
  expect(await report('peak', 4)).toMatchObject({ status: 'accepted', used: 7 })
  expect(await report('peak', 11)).toMatchObject({ status: 'refused', code: 'limit_reached', used: 7 })
  expect(await report('peak', 10)).toMatchObject({ status: 'accepted', used: 10 })
  expect(await used('peak')).toBe(10)
  expect(await allows('peak', 10)).toMatchObject({ allowed: true })
  expect(await allows('peak', 11)).toMatchObject({ allowed: false, reason: 'limit_reached' })
})

test('the history of a level begins with what it was before its first step (USE-6)', async () => {
  const { report, used } = await customer('level-of-long-ago')
  const daysAgo = (days: number) =>
    service.clock
      .now()
      .subtract({ hours: 24 * days })
      .toString()
  await report('projects', 3, { at: daysAgo(34) })
  await report('projects', 5, { at: daysAgo(33) })
  await report('projects', 7, { at: daysAgo(1) })
  expect(await used('projects')).toBe(7)
  const query = { tenantId: 'level-of-long-ago', meter: 'projects' }
  const { data } = await service.operator.getUsageHistory({ query })
  expect([data.points[0]!.used, data.points.at(-3)!.used, data.points.at(-1)!.used]).toEqual([5, 5, 7])
  // Before it was ever reported there was none.
  const { data: before } = await service.operator.getUsageHistory({ query: { ...query, from: daysAgo(36) } })
  expect(before.points[0]!.used).toBe(0)
})

test('what is no sum is not drawn by groups (USE-6)', async () => {
  const { report } = await customer('no-groups')
  for (const user of ['ana', 'ana']) await report('people', 1, { properties: { user, region: 'eu' } })
  const by = (meter: string) =>
    service.operator.getUsageHistory({ query: { tenantId: 'no-groups', meter, groupBy: 'region', step: 'hour' } })
  for (const meter of ['people', 'peak', 'projects', 'storage', 'long_calls'])
    await expect(by(meter)).rejects.toMatchObject({ status: 422, code: 'group_by_no_sum' })
  for (const quantity of [4, 9]) await report('jobs', quantity, { properties: { region: 'eu' } })
  expect((await by('jobs')).data.points.at(-1)).toMatchObject({ used: 2, groups: { eu: 2 } })
})

describe('unique values', () => {
  test('count once each, and one that was seen is always let in (USE-4)', async () => {
    const { report, used } = await customer('unique')
    const by = (user: string | number | boolean) => report('people', 1, { properties: { user } })
    for (const user of ['ana', 'ben', 'ana', 'cyd']) expect(await by(user)).toMatchObject({ status: 'accepted' })
    expect(await by('dan')).toMatchObject({ status: 'refused', used: 3 })
    expect(await by('ben')).toMatchObject({ status: 'accepted', used: 3 })
    expect(await used('people')).toBe(3)
  })

  test('a number is the same as its digits; a fraction is no value, and neither is nothing', async () => {
    const { report, used } = await customer('unique-numbers')
    await report('people', 1, { properties: { user: 7 } })
    await report('people', 1, { properties: { user: '7' } })
    expect(await used('people')).toBe(1)
    const without: (Record<string, string | number> | undefined)[] = [{ user: 0.5 }, { other: 'ana' }, undefined]
    for (const properties of without)
      await expect(report('people', 1, { properties })).rejects.toMatchObject({ status: 400 })
  })

  test('in one batch and from two requests at once they count once', async () => {
    const { used } = await customer('unique-batch')
    const records = (batch: number) =>
      Array.from({ length: 40 }, (_, n) => ({
        tenantId: 'unique-batch',
        meter: 'people',
        idempotencyKey: `u-${batch}-${n}`,
        properties: { user: `user ${n % 2}` },
      }))
    await Promise.all([1, 2, 3, 4].map((batch) => client.reportUsage({ body: { records: records(batch) } })))
    expect(await used('people')).toBe(2)
  })
})

test('levels are set, never refused, and stay; that they are weighted by time changes nothing of that', async () => {
  const { report, used, allows } = await customer('levels')
  expect(await report('storage', 80)).toMatchObject({ status: 'accepted', used: 80 })
  expect(await allows('storage', 1)).toMatchObject({ allowed: false, used: 80 })
  await report('storage', 20)
  await report('storage', 70, { at: service.clock.now().subtract({ hours: 3 }).toString() })
  expect(await used('storage')).toBe(20)
  expect(await allows('storage', 30)).toMatchObject({ allowed: true })
})

describe('a meter that is derived', () => {
  test('is raised by what fits its filter, and by nobody directly', async () => {
    const { report, used } = await customer('derived')
    const call = (quantity: number, model: string, user = 'ana') =>
      report('calls', quantity, { properties: { model, user } })
    await call(2.5, 'large')
    await call(4, 'small', 'ben')
    await call(1.25, 'huge')
    await report('calls', 1)
    expect([await used('calls'), await used('large_calls'), await used('callers'), await used('longest_call')]).toEqual(
      [8.75, 3.75, 2, 4],
    )
    await expect(report('large_calls', 1)).rejects.toMatchObject({ code: 'meter_unknown' })
    await expect(
      client.check({ body: { tenantId: 'derived', feature: 'callers', consume: true, idempotencyKey: 'x' } }),
    ).rejects.toMatchObject({ status: 400 })
  })

  test('refuses with its own limit, and then nothing of the record counts', async () => {
    const { report, used } = await customer('derived-limit')
    const call = (quantity: number, model: string) => report('calls', quantity, { properties: { model } })
    await call(20, 'large')
    expect(await call(1, 'large')).toMatchObject({ status: 'refused', code: 'limit_reached', used: 20, limit: 20 })
    expect(await call(1, 'small')).toMatchObject({ status: 'accepted', used: 21 })
    expect([await used('calls'), await used('large_calls')]).toEqual([21, 20])
  })
})

test('a group that is all or nothing gives back what it took, of every aggregation', async () => {
  const { consume, report, used } = await customer('given-back')
  await report('jobs', 1)
  await report('peak', 4)
  await report('people', 1, { properties: { user: 'ana' } })
  await report('recent', 2)
  const before = await Promise.all(['jobs', 'peak', 'recent', 'by_day', 'by_hour'].map(used))
  // The last one has no room for so much.
  expect((await consume(['jobs', 'peak', 'recent', 'by_day', 'by_hour', 'ever'], 9)).allowed).toBe(false)
  expect(await Promise.all(['jobs', 'peak', 'recent', 'by_day', 'by_hour'].map(used))).toEqual(before)
})

test('a counter that was changed by hand is found and made again from its records, with the values that it has seen', async () => {
  const { report, used } = await customer('rebuilt')
  for (const user of ['ana', 'ben']) await report('people', 1, { properties: { user } })
  await report('peak', 6)
  const { db } = service.app.deps
  const rows = await query<{ meter: string; span: string; window_start: string }>(
    db,
    sql`update usage_counters set used = used + 1 where tenant_id = 'rebuilt' returning meter, span, window_start`,
  )
  await query(db, sql`delete from usage_seen where tenant_id = 'rebuilt'`)
  expect((await findCounterDifferences(db, 20, ['rebuilt'])).length).toBe(rows.length)
  for (const { meter, span, window_start } of rows)
    await transact(db, (tx) =>
      rebuildCounter(tx, 'rebuilt', meter, span, Temporal.Instant.from(window_start.replace(' ', 'T'))),
    )
  expect(await findCounterDifferences(db, 20, ['rebuilt'])).toEqual([])
  await report('people', 1, { properties: { user: 'ana' } })
  expect(await findCounterDifferences(db, 20, ['rebuilt'])).toEqual([])
  expect(await used('people')).toBe(2)
})

test('a threshold is told once in a window', async () => {
  const { report } = await customer('warned')
  for (const quantity of [79, 1, 5, 5, 10]) await report('calls', quantity)
  const told = async () =>
    (await readEvents(service.app.deps.db, 0n, 1_000, 'warned'))
      .filter(({ type }) => type === 'usage.threshold_reached')
      .map(({ data }) => data.percent)
  await eventually(told, (percents) => percents.length >= 2)
  expect(await told()).toEqual([80, 100])
})
