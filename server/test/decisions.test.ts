import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from '@turnpike/client'
import type { DecisionRecord } from '@turnpike/contract'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseDocument } from 'yaml'
import { forgetDecisions } from '../src/flows/read-decisions.ts'
import { query, sql } from '../src/platform/db.ts'
import { type Service, startService } from './support/service.ts'

/** Every refusal and every decision that uses something up leaves a record, which can be made again (ENT-5). */

let service: Service
let client: Client
beforeAll(async () => {
  service = await startService()
  client = await service.as('service')
})
afterAll(() => service?.stop())

let tenants = 0
const newTenant = async (limits: Record<string, number | null> = {}): Promise<string> => {
  const tenantId = `decided-${++tenants}`
  await service.customer(tenantId)
  for (const [feature, limit] of Object.entries(limits)) await limitTo(tenantId, feature, limit)
  return tenantId
}
const limitTo = async (tenantId: string, feature: string, limit: number | null): Promise<string> =>
  (
    await service.operator.createOverride({
      body: { tenantId, feature, set: { limit }, reason: 'The limit of a test' },
    })
  ).data.id
const consume = async (tenantId: string, idempotencyKey: string, features: string[], quantity = 1) =>
  (await client.check({ body: { tenantId, features, quantity, consume: true, idempotencyKey } })).data
const report = async (tenantId: string, idempotencyKey: string, quantity = 1) =>
  (await client.reportUsage({ body: { tenantId, meter: 'api_calls', quantity, idempotencyKey } })).data
const decisionsOf = async (tenantId: string, more: object = {}): Promise<DecisionRecord[]> => {
  await service.app.deps.refusals.flush()
  return (await service.operator.listDecisions({ query: { tenantId, ...more } })).data
}
const detailOf = async (tenantId: string, decisionId: string) =>
  (await service.operator.getDecision({ params: { decisionId }, query: { tenantId } })).data

test('what is used up leaves a record with its snapshot, override and counter', async () => {
  const tenantId = await newTenant()
  const overrideId = await limitTo(tenantId, 'api_calls', 10)
  await consume(tenantId, 'work', ['api_calls'], 4)
  await consume(tenantId, 'too-much', ['api_calls'], 7)
  const [refused, allowed] = await decisionsOf(tenantId)
  const { version } = (await service.operator.getEntitlements({ query: { tenantId } })).data
  expect(allowed).toMatchObject({
    kind: 'consume',
    feature: 'api_calls',
    allowed: true,
    reason: 'within_limit',
    quantity: 4,
    snapshotVersion: version,
    overrideId,
    policy: { enforcement: 'hard' },
    counter: { used: 0, reserved: 0, limit: 10, carried: 0 },
    counterfactual: { allowedQuantity: 10, plan: null, override: null },
  })
  expect(refused).toMatchObject({
    kind: 'consume',
    allowed: false,
    reason: 'limit_reached',
    quantity: 7,
    snapshotVersion: version,
    overrideId,
    counter: { used: 4, reserved: 0, limit: 10, carried: 0 },
    counterfactual: { allowedQuantity: 6, plan: expect.any(String), override: { limit: 11 } },
  })
})

test('a record of usage is a decision too; a repeat of its key and a correction are none', async () => {
  const tenantId = await newTenant({ api_calls: 2 })
  for (const key of ['a', 'a', 'b', 'c', 'c']) await report(tenantId, key)
  const correction = { corrects: 'a', action: 'void', reason: 'Reported by mistake', idempotencyKey: 'void' } as const
  await service.operator.correctUsage({ body: { tenantId, ...correction } })
  const decisions = await decisionsOf(tenantId)
  expect(decisions.map(({ kind, allowed, idempotencyKey }) => [kind, allowed, idempotencyKey])).toEqual([
    ['report', false, 'c'],
    ['report', true, 'b'],
    ['report', true, 'a'],
  ])
})

test('a check that answers no leaves a record; equal ones share it, and one that answers yes leaves none', async () => {
  const tenantId = await newTenant({ api_calls: 5 })
  await report(tenantId, 'used', 3)
  for (let times = 0; times < 4; times++) await client.check({ body: { tenantId, feature: 'api_calls', quantity: 9 } })
  await client.check({ body: { tenantId, feature: 'api_calls', quantity: 8 } })
  await client.check({ body: { tenantId, feature: 'api_calls', quantity: 2 } })
  await service.app.deps.refusals.flush()
  await client.check({ body: { tenantId, feature: 'api_calls', quantity: 9 } })
  await client.check({ body: { tenantId, feature: 'sso' } })
  const checks = (await decisionsOf(tenantId)).filter(({ kind }) => kind === 'check')
  expect(
    checks
      .map(({ feature, quantity, attempts, reason, counter }) => [feature, quantity, attempts, reason, counter?.used])
      .sort(),
  ).toEqual([
    ['api_calls', 8, 1, 'limit_reached', 3],
    ['api_calls', 9, 5, 'limit_reached', 3],
    ['sso', 1, 1, 'not_included', undefined],
  ])
})

test('of an all-or-nothing question, what goes down with another feature says with which', async () => {
  const tenantId = await newTenant({ api_calls: 10, tokens: 0 })
  await consume(tenantId, 'both', ['api_calls', 'tokens'])
  const decisions = await decisionsOf(tenantId)
  expect(decisions.map(({ feature, allowed, because }) => [feature, allowed, because]).sort()).toEqual([
    ['api_calls', false, 'tokens'],
    ['tokens', false, null],
  ])
  for (const { id } of decisions) expect((await detailOf(tenantId, id)).replay.same).toBe(true)
})

test('a decision is explained with the snapshot of its time, whatever changed since', async () => {
  const tenantId = await newTenant({ api_calls: 1 })
  await consume(tenantId, 'first', ['api_calls'])
  await consume(tenantId, 'second', ['api_calls'])
  await limitTo(tenantId, 'api_calls', 1_000)
  const [refused] = await decisionsOf(tenantId, { outcome: 'refused' })
  const detail = await detailOf(tenantId, refused!.id)
  expect(detail).toMatchObject({
    reason: 'limit_reached',
    counter: { used: 1, limit: 1 },
    replay: { same: true, allowed: false, reason: 'limit_reached' },
  })
  expect(detail.steps.find(({ source }) => source === 'override')).toMatchObject({
    decided: true,
    detail: { overrideId: detail.overrideId, set: { limit: 1 } },
  })
  expect(detail.wouldAllow.length).toBeGreaterThan(0)
})

/** The same numbers for every run of the test. */
const numbersFrom = (seed: number) => () => {
  seed = (seed * 1_664_525 + 1_013_904_223) % 4_294_967_296
  return seed / 4_294_967_296
}

test('every decision of a random life is made again the same; with an altered snapshot it is not', async () => {
  const tenantId = await newTenant()
  const random = numbersFrom(5)
  const upTo = (n: number) => Math.floor(random() * n)
  const held: string[] = []
  for (let step = 0; step < 80; step++) {
    const way = upTo(10)
    if (way === 8) {
      const features = [
        { feature: 'api_calls', quantity: 1 + upTo(9) },
        { feature: 'tokens', quantity: 1 + upTo(9) },
      ]
      const { reservation } = (
        await client.createReservation({ body: { tenantId, features, idempotencyKey: `h${step}` } })
      ).data
      if (reservation) held.push(reservation.id)
    } else if (way === 9) {
      const [reservationId] = held.splice(upTo(held.length), 1)
      if (reservationId) await client.commitReservation({ params: { reservationId }, body: {} })
    } else if (way === 0) await limitTo(tenantId, ['api_calls', 'tokens'][upTo(2)]!, [null, 5, 20, 40, 80][upTo(5)]!)
    else if (way < 3) await report(tenantId, `r${step}`, 1 + upTo(6))
    else if (way < 6)
      await consume(tenantId, `c${step}`, [['api_calls'], ['tokens'], ['api_calls', 'tokens']][upTo(3)]!, 1 + upTo(9))
    else await client.check({ body: { tenantId, features: ['api_calls', 'sso', 'tokens'], quantity: 1 + upTo(50) } })
  }
  const decisions = await decisionsOf(tenantId, { limit: 200 })
  expect(decisions.filter(({ allowed }) => allowed).length).toBeGreaterThan(10)
  expect(decisions.filter(({ allowed }) => !allowed).length).toBeGreaterThan(10)
  const replays = async () => {
    const details = await Promise.all(decisions.map(({ id }) => detailOf(tenantId, id)))
    return details.filter(({ replay }) => !replay.same).map(({ kind, feature, reason }) => [kind, feature, reason])
  }
  expect(await replays()).toEqual([])
  // The service itself may not do this; whoever does it as the owner of the database is found out.
  const alter = sql`update entitlement_snapshots set content = jsonb_set(content, '{entitlements}',
      (select jsonb_agg(case when e ->> 'kind' = 'metered' then e || '{"limit": 100000, "origin": "plan"}' else e end) from jsonb_array_elements(content -> 'entitlements') e))
    where tenant_id = ${tenantId}`
  await expect(query(service.app.deps.db, alter)).rejects.toThrow('permission denied')
  const owner = new pg.Client({ connectionString: service.database.url })
  await owner.connect()
  await owner.query(alter.text, alter.values)
  await owner.end()
  expect((await replays()).length).toBeGreaterThan(5)
})

describe('the list', () => {
  test('is read page by page, newest first, by feature, outcome and time', async () => {
    const tenantId = await newTenant({ api_calls: 12 })
    for (let n = 0; n < 15; n++) await report(tenantId, `page-${n}`)
    await client.check({ body: { tenantId, feature: 'sso' } })
    const all = await decisionsOf(tenantId)
    expect(all).toHaveLength(16)
    const paged: DecisionRecord[] = []
    for await (const each of service.operator.paginate('listDecisions', { query: { tenantId, limit: 4 } }))
      paged.push(each)
    expect(paged.map(({ id }) => id)).toEqual(all.map(({ id }) => id))
    const times = all.map(({ at }) => Date.parse(at))
    expect(times).toEqual(times.toSorted((a, b) => b - a))
    expect(await decisionsOf(tenantId, { feature: 'sso' })).toHaveLength(1)
    expect(await decisionsOf(tenantId, { outcome: 'refused', feature: 'api_calls' })).toHaveLength(3)
    expect(await decisionsOf(tenantId, { outcome: 'allowed' })).toHaveLength(12)
    expect(await decisionsOf(tenantId, { to: all.at(-1)!.at })).toHaveLength(0)
    await expect(decisionsOf(tenantId, { feature: 'nothing' })).rejects.toMatchObject({ code: 'feature_unknown' })
  })

  test('holds nothing of another tenant, and its ids are unknown there', async () => {
    const [one, other] = [await newTenant({ api_calls: 0 }), await newTenant()]
    await report(one, 'theirs')
    const [theirs] = await decisionsOf(one)
    expect(await decisionsOf(other)).toEqual([])
    for (const id of [theirs!.id, 'decision_cAA', 'decision_xAAAA', 'decision_rAAAA'])
      await expect(detailOf(other, id)).rejects.toMatchObject({ code: 'not_found' })
  })
})

test('what is held for others is part of where the counter stood', async () => {
  const tenantId = await newTenant({ api_calls: 10 })
  const held = { tenantId, features: [{ feature: 'api_calls', quantity: 6 }], idempotencyKey: 'held' }
  const { reservation } = (await client.createReservation({ body: held })).data
  await consume(tenantId, 'fits', ['api_calls'], 2)
  await consume(tenantId, 'too-much', ['api_calls'], 3)
  await client.check({ body: { tenantId, feature: 'api_calls', quantity: 5 } })
  await client.releaseReservation({ params: { reservationId: reservation!.id } })
  const decisions = (await decisionsOf(tenantId)).filter(({ kind }) => kind !== 'reserve')
  const told = decisions.map(({ kind, allowed, counter, counterfactual }) => [
    kind,
    allowed,
    counter!.used,
    counter!.reserved,
    counterfactual.allowedQuantity,
  ])
  expect(told.toSorted()).toEqual([
    ['check', false, 2, 6, 2],
    ['consume', false, 2, 6, 2],
    ['consume', true, 0, 6, 4],
  ])
  for (const { id } of decisions) expect((await detailOf(tenantId, id)).replay.same).toBe(true)
})

test('what is reserved, or refused to be, is a decision: once for a key, whatever becomes of it, and made again the same', async () => {
  const tenantId = await newTenant({ api_calls: 10, tokens: 100 })
  const reserve = async (idempotencyKey: string, features: Record<string, number>) => {
    const each = Object.entries(features).map(([feature, quantity]) => ({ feature, quantity }))
    return (await client.createReservation({ body: { tenantId, features: each, idempotencyKey, service: 'works' } }))
      .data
  }
  await report(tenantId, 'before', 1)
  for (let times = 0; times < 2; times++) await reserve('fits', { api_calls: 6, tokens: 50 })
  await reserve('too-much', { tokens: 50, api_calls: 4 })
  const { reservation } = await reserve('later', { tokens: 50 })
  await client.commitReservation({ params: { reservationId: reservation!.id }, body: { quantities: { tokens: 20 } } })
  const all = await decisionsOf(tenantId)
  const decisions = all.filter(({ kind }) => kind === 'reserve')
  expect(all.filter(({ kind }) => kind !== 'reserve').map(({ idempotencyKey }) => idempotencyKey)).toEqual(['before'])
  const told = decisions.map(({ idempotencyKey, feature, quantity, allowed, reason, because, counter }) => [
    ...[idempotencyKey, feature, quantity, allowed, reason, because, counter!.used, counter!.reserved],
  ])
  expect(told.toSorted()).toEqual([
    ['fits', 'api_calls', 6, true, 'within_limit', null, 1, 0],
    ['fits', 'tokens', 50, true, 'within_limit', null, 0, 0],
    ['later', 'tokens', 50, true, 'within_limit', null, 0, 50],
    ['too-much', 'api_calls', 4, false, 'limit_reached', null, 1, 6],
    ['too-much', 'tokens', 50, false, 'within_limit', 'api_calls', 0, 50],
  ])
  const stranger = await newTenant({ api_calls: 10, tokens: 100 })
  for (const { id, service: by, correlationId } of decisions) {
    expect([by, correlationId]).toEqual(['works', expect.any(String)])
    expect((await detailOf(tenantId, id)).replay.same).toBe(true)
    await expect(detailOf(stranger, id)).rejects.toMatchObject({ code: 'not_found' })
  }
  // Page by page with what else was decided, and by outcome.
  const paged: DecisionRecord[] = []
  for await (const each of service.operator.paginate('listDecisions', { query: { tenantId, limit: 2 } }))
    paged.push(each)
  expect(paged.map(({ id }) => id)).toEqual(all.map(({ id }) => id))
  const refused = await decisionsOf(tenantId, { outcome: 'refused' })
  expect(refused.map(({ idempotencyKey }) => idempotencyKey)).toEqual(['too-much', 'too-much'])
  expect(await decisionsOf(tenantId, { feature: 'tokens', outcome: 'allowed' })).toHaveLength(2)
})

test('a past time is explained with the counter as it stood then', async () => {
  const tenantId = await newTenant({ api_calls: 10 })
  await report(tenantId, 'early', 3)
  const then = service.clock.now()
  service.clock.advance('PT2S')
  await report(tenantId, 'later', 4)
  // Used before that time and told after it: nobody could know of it then.
  const late = { tenantId, meter: 'api_calls', quantity: 2, idempotencyKey: 'late' }
  await client.reportUsage({ body: { ...late, at: then.subtract({ milliseconds: 1 }).toString() } })
  const correction = {
    corrects: 'early',
    action: 'void',
    reason: 'Reported by mistake',
    idempotencyKey: 'void',
  } as const
  await service.operator.correctUsage({ body: { tenantId, ...correction } })
  const usedAt = async (at?: string) =>
    (await service.operator.explain({ params: { feature: 'api_calls' }, query: { tenantId, at } })).data.decision.used
  expect(await usedAt(then.toString())).toBe(3)
  expect(await usedAt(service.clock.now().toString())).toBe(6)
  expect(await usedAt()).toBe(6)
})

test('a feature that counts by a window of its own is decided, and made again, in that window', async () => {
  const catalog = parseDocument(readFileSync('catalog/acme.yaml', 'utf8'))
  catalog.setIn(['plans', 'free', 'grants', 'api_calls'], { limit: 3, enforcement: 'hard', window: 'day' })
  catalog.setIn(['plans', 'free', 'grants', 'tokens'], { limit: 9, enforcement: 'hard', window: { slidingHours: 2 } })
  const folder = mkdtempSync(join(tmpdir(), 'turnpike-windows-'))
  writeFileSync(join(folder, 'catalog.yaml'), String(catalog))
  const other = await startService({ env: { TURNPIKE_CATALOG: join(folder, 'catalog.yaml') } })
  const tenantId = 'by-the-day'
  await other.customer(tenantId)
  const use = (feature: string, key: string, quantity: number) =>
    other.operator.check({ body: { tenantId, feature, quantity, consume: true, idempotencyKey: key } })
  // From midnight on, so that no day ends in between.
  const now = other.clock.now().toZonedDateTimeISO('UTC')
  other.clock.advance(now.until(now.add({ days: 1 }).startOfDay()).toString())
  await use('api_calls', 'yesterday', 3)
  await use('tokens', 'yesterday', 9)
  other.clock.advance('P1D')
  const today = other.clock.now().toZonedDateTimeISO('UTC').startOfDay().toInstant()
  await use('api_calls', 'today', 2)
  await use('api_calls', 'too-much', 2)
  await use('tokens', 'today', 5)
  await use('tokens', 'too-much', 5)
  const features = ['api_calls', 'tokens'].map((feature) => ({ feature, quantity: feature === 'tokens' ? 5 : 1 }))
  await other.operator.createReservation({ body: { tenantId, features, idempotencyKey: 'held' } })
  const decisions = (await other.operator.listDecisions({ query: { tenantId, from: today.toString() } })).data
  const told = decisions.map(({ feature, allowed, counter }) => [feature, allowed, counter!.used, counter!.limit])
  expect(told.toSorted()).toEqual([
    ['api_calls', false, 2, 3],
    ['api_calls', false, 2, 3],
    ['api_calls', true, 0, 3],
    ['tokens', false, 5, 9],
    ['tokens', false, 5, 9],
    ['tokens', true, 0, 9],
  ])
  for (const { id, feature, policy } of decisions) {
    const { data } = await other.operator.getDecision({ params: { decisionId: id }, query: { tenantId } })
    expect(data.replay.same).toBe(true)
    if (feature === 'api_calls') expect(policy.windowStart).toBe(today.toString())
  }
  await other.stop()
  rmSync(folder, { recursive: true })
})

test('refused checks are forgotten when their time is over; what used something up stays', async () => {
  const tenantId = await newTenant({ api_calls: 1 })
  await report(tenantId, 'stays')
  await client.check({ body: { tenantId, feature: 'sso' } })
  expect(await decisionsOf(tenantId)).toHaveLength(2)
  service.clock.advance('P91D')
  expect(await forgetDecisions(service.app.deps)).toBeGreaterThan(0)
  expect((await decisionsOf(tenantId)).map(({ idempotencyKey }) => idempotencyKey)).toEqual(['stays'])
})
