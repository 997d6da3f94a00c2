import { createClient } from '@turnpike/client'
import type { UsageAnswer } from '@turnpike/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { instantOfRow } from '../src/core/period.ts'
import { findCounterDifferences } from '../src/modules/usage/index.ts'
import { query, sql } from '../src/platform/db.ts'
import { readEvents } from '../src/platform/outbox.ts'
import { type Service, startService } from './support/service.ts'
import { eventually } from './support/world.ts'

/** Counting through HTTP on real PostgreSQL, with two processes on one database: everything is counted once, no limit is passed. */

let service: Service
/** The same API in two processes. */
let a: ReturnType<typeof createClient>
let b: ReturnType<typeof createClient>
let urls: [string, string]
beforeAll(async () => {
  service = await startService()
  const other = await service.another()
  urls = [service.app.url, other.url]
  const credential = await service.keyOf('service')
  a = createClient({ baseUrl: urls[0], credential })
  b = createClient({ baseUrl: urls[1], credential })
})
afterAll(async () => {
  const differences = service && (await findCounterDifferences(service.app.deps.db, 10))
  await service?.stop()
  expect(differences).toEqual([])
})

let tenants = 0
const newTenant = async (limits: Record<string, number | null> = {}): Promise<string> => {
  const tenantId = `tenant-${++tenants}`
  await service.customer(tenantId)
  for (const [feature, limit] of Object.entries(limits))
    await service.operator.createOverride({
      body: { tenantId, feature, set: { limit }, reason: 'The limit of a test' },
    })
  return tenantId
}
const batch = (tenantId: string, keys: readonly string[], more: object = {}) => ({
  body: { records: keys.map((idempotencyKey) => ({ tenantId, meter: 'api_calls', idempotencyKey, ...more })) },
})
const keysOf = (prefix: string, n: number) => Array.from({ length: n }, (_, index) => `${prefix}-${index}`)
const usedOf = async (client: typeof a, tenantId: string, meter = 'api_calls'): Promise<number> =>
  (await client.getUsage({ query: { tenantId } })).data.meters.find((entry) => entry.meter === meter)!.used
const recordsOf = async (tenantId: string): Promise<{ records: number; sum: number }> =>
  (
    await query<{ records: number; sum: number }>(
      service.app.deps.db,
      sql`select count(*)::int as records, coalesce(sum(quantity), 0)::float8 as sum from usage_records where tenant_id = ${tenantId}`,
    )
  )[0]!
const sumOf = (answers: readonly UsageAnswer[], field: 'accepted' | 'duplicates' | 'refused' | 'invalid') =>
  answers.reduce((total, answer) => total + answer[field], 0)

// First of all: after a repeat, or a counter that is not as it was left, a process holds its counters for a while.
describe('of what another process did meanwhile', () => {
  test('a refusal is the answer to its key', async () => {
    const tenantId = await newTenant({ api_calls: 3 })
    // This process knows the counter, and of nobody who was refused.
    for (const key of ['first', 'second']) await a.reportUsage(batch(tenantId, [key]))
    const request = batch(tenantId, ['refused'], { quantity: 2 })
    expect((await b.reportUsage(request)).data).toMatchObject({ refused: 1 })
    await service.operator.createOverride({
      body: { tenantId, feature: 'api_calls', set: { limit: 100 }, reason: 'Raised' },
    })
    expect((await a.reportUsage(request)).data).toMatchObject({ refused: 1, outcomes: [{ limit: 3 }] })
    expect(await recordsOf(tenantId)).toEqual({ records: 2, sum: 2 })
  })

  test('what was counted is counted on', async () => {
    const tenantId = await newTenant()
    const seen: unknown[] = []
    for (const [index, process] of [a, a, b, a, b, b, a].entries())
      seen.push((await process.reportUsage(batch(tenantId, [`turn-${index}`]))).data.outcomes[0]!.used)
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7])
  })
})

test('a batch of 1,000 records sent three times counts once', async () => {
  const tenantId = await newTenant()
  const request = batch(tenantId, keysOf('batch', 1_000))
  const first = (await a.reportUsage(request)).data
  expect(first).toMatchObject({ accepted: 1_000, duplicates: 0, refused: 0, invalid: 0, allowed: true })
  expect(first.outcomes.map((outcome) => outcome.index)).toEqual(keysOf('', 1_000).map((_, index) => index))
  expect(first.outcomes.map((outcome) => outcome.used)).toEqual(keysOf('', 1_000).map((_, index) => index + 1))
  for (const client of [b, a]) {
    const again = (await client.reportUsage(request)).data
    expect(again).toMatchObject({ accepted: 0, duplicates: 1_000, refused: 0, invalid: 0, allowed: true })
    expect(again.outcomes.map((outcome) => outcome.used)).toEqual(first.outcomes.map((outcome) => outcome.used))
  }
  expect(await recordsOf(tenantId)).toEqual({ records: 1_000, sum: 1_000 })
  expect(await usedOf(a, tenantId)).toBe(1_000)
})

test('a key twice in one batch counts once', async () => {
  const tenantId = await newTenant()
  const { data } = await a.reportUsage(batch(tenantId, ['twice', 'once', 'twice']))
  expect(data).toMatchObject({ accepted: 2, duplicates: 1 })
  expect(await recordsOf(tenantId)).toEqual({ records: 2, sum: 2 })
})

test('the same keys from two processes at once, in other orders, count once', async () => {
  const tenantId = await newTenant({ api_calls: null })
  const keys = keysOf('shared', 300)
  const mixed = (n: number) => [...keys.slice(n * 37), ...keys.slice(0, n * 37)]
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, n) =>
      (n % 2 ? a : b).reportUsage(batch(tenantId, n % 3 ? mixed(n) : mixed(n).reverse())),
    ),
  )
  const data = answers.map((answer) => answer.data)
  expect(sumOf(data, 'accepted')).toBe(300)
  expect(sumOf(data, 'duplicates')).toBe(7 * 300)
  expect(sumOf(data, 'invalid') + sumOf(data, 'refused')).toBe(0)
  expect(await recordsOf(tenantId)).toEqual({ records: 300, sum: 300 })
  expect(await usedOf(b, tenantId)).toBe(300)
})

test('many tenants in each batch of two processes do not wait for each other in a circle', async () => {
  const several = await Promise.all([1, 2, 3, 4, 5].map(() => newTenant({ api_calls: null, tokens: null })))
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, n) => {
      const records = several.flatMap((tenantId) =>
        ['api_calls', 'tokens'].map((meter) => ({ tenantId, meter, idempotencyKey: `${meter}-${n}` })),
      )
      return (n % 2 ? a : b).reportUsage({ body: { records: n % 4 < 2 ? records : records.reverse() } })
    }),
  )
  expect(
    sumOf(
      answers.map((answer) => answer.data),
      'accepted',
    ),
  ).toBe(12 * 10)
  for (const tenantId of several) expect(await recordsOf(tenantId)).toEqual({ records: 24, sum: 24 })
})

describe('a hard limit', () => {
  test('is reached exactly and not passed by one, from two processes at once', async () => {
    const tenantId = await newTenant({ api_calls: 137 })
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        (n % 2 ? a : b).reportUsage({ body: { tenantId, meter: 'api_calls', idempotencyKey: `single-${n}` } }),
      ),
    )
    const data = answers.map((answer) => answer.data)
    expect(sumOf(data, 'accepted')).toBe(137)
    expect(sumOf(data, 'refused')).toBe(63)
    expect(await recordsOf(tenantId)).toEqual({ records: 137, sum: 137 })
    // What was answered is what stands: each accepted one saw its own count.
    const seen = data.filter((answer) => answer.allowed).map((answer) => answer.outcomes[0]!.used)
    expect(seen.sort((x, y) => x! - y!)).toEqual(Array.from({ length: 137 }, (_, n) => n + 1))
  })

  test('refuses a record as a whole and lets a smaller one in', async () => {
    const tenantId = await newTenant({ api_calls: 10 })
    const report = (idempotencyKey: string, quantity: number) =>
      a.reportUsage({ body: { tenantId, meter: 'api_calls', idempotencyKey, quantity } })
    expect((await report('first', 8)).data).toMatchObject({ allowed: true })
    expect((await report('too-much', 3)).data).toMatchObject({
      allowed: false,
      refused: 1,
      outcomes: [{ status: 'refused', code: 'limit_reached', used: 8, limit: 10 }],
    })
    expect((await report('fits', 2)).data).toMatchObject({ allowed: true, outcomes: [{ used: 10 }] })
    expect((await report('one-more', 1)).data).toMatchObject({ allowed: false })
  })

  test('answers a refused key the same, also after the limit was raised', async () => {
    const tenantId = await newTenant({ api_calls: 1 })
    const request = { body: { tenantId, meter: 'api_calls', idempotencyKey: 'refused', quantity: 2 } }
    expect((await a.reportUsage(request)).data).toMatchObject({ refused: 1 })
    await service.operator.createOverride({
      body: { tenantId, feature: 'api_calls', set: { limit: 100 }, reason: 'Raised' },
    })
    expect((await b.reportUsage(request)).data).toMatchObject({
      refused: 1,
      outcomes: [{ code: 'limit_reached', limit: 1 }],
    })
    expect(await recordsOf(tenantId)).toEqual({ records: 0, sum: 0 })
    const [meter] = (await a.getUsage({ query: { tenantId } })).data.meters
    expect(meter).toMatchObject({ refusedAttempts: 1, used: 0 })
  })

  test('of the catalog: Free counts 1,000 calls and refuses the next', async () => {
    const tenantId = await newTenant()
    await a.reportUsage({ body: { tenantId, meter: 'api_calls', idempotencyKey: 'all', quantity: 1_000 } })
    const { data } = await a.reportUsage({ body: { tenantId, meter: 'api_calls', idempotencyKey: 'next' } })
    expect(data.outcomes[0]).toMatchObject({ status: 'refused', code: 'limit_reached', used: 1_000, limit: 1_000 })
  })
})

describe('consuming', () => {
  const consume = (client: typeof a, tenantId: string, idempotencyKey: string, features: string[], quantity = 1) =>
    client.check({ body: { tenantId, features, quantity, consume: true, idempotencyKey } })

  test('is all or nothing over the features asked for', async () => {
    const tenantId = await newTenant({ api_calls: 100, tokens: 5 })
    expect((await consume(a, tenantId, 'fits', ['api_calls', 'tokens'], 5)).data).toMatchObject({
      allowed: true,
      decisions: [{ consumed: true }, { consumed: true }],
    })
    for (const features of [
      ['api_calls', 'tokens'],
      ['tokens', 'api_calls'],
    ]) {
      const { data } = await consume(a, tenantId, `no-${features[0]}`, features)
      expect(data.allowed).toBe(false)
      expect(data.decisions.map((decision) => decision.consumed)).toEqual([false, false])
    }
    expect(await usedOf(a, tenantId, 'api_calls')).toBe(5)
    expect(await usedOf(a, tenantId, 'tokens')).toBe(5)
  })

  test('a repeat of what was refused takes nothing, also when one part has room by now', async () => {
    const tenantId = await newTenant({ api_calls: 100, tokens: 0 })
    for (let times = 0; times < 3; times++) {
      const { data } = await consume(times % 2 ? b : a, tenantId, 'again', ['api_calls', 'tokens'])
      expect(data).toMatchObject({ allowed: false, decisions: [{ consumed: false }, { consumed: false }] })
    }
    await service.operator.createOverride({
      body: { tenantId, feature: 'tokens', set: { limit: 9 }, reason: 'Raised' },
    })
    expect((await consume(a, tenantId, 'again', ['api_calls', 'tokens'])).data.allowed).toBe(false)
    expect(await recordsOf(tenantId)).toEqual({ records: 0, sum: 0 })
  })

  test('a repeat of what was allowed gets the first answer and takes nothing', async () => {
    const tenantId = await newTenant({ api_calls: 3 })
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => consume(n % 2 ? a : b, tenantId, 'same', ['api_calls'], 3)),
    )
    expect(new Set(answers.map((answer) => JSON.stringify(answer.data.decisions))).size).toBe(1)
    expect(answers[0]!.data).toMatchObject({ allowed: true, decisions: [{ used: 3, consumed: true }] })
    expect(await recordsOf(tenantId)).toEqual({ records: 1, sum: 3 })
  })

  test('a key with another quantity was used before, and nothing of the request is taken', async () => {
    const tenantId = await newTenant({ api_calls: 100, tokens: 100 })
    await consume(a, tenantId, 'key', ['tokens'], 1)
    await expect(consume(a, tenantId, 'key', ['api_calls', 'tokens'], 2)).rejects.toMatchObject({
      code: 'idempotency_key_reused',
    })
    expect(await usedOf(a, tenantId, 'api_calls')).toBe(0)
  })

  test('from two processes at once never passes the limit by one', async () => {
    const tenantId = await newTenant({ api_calls: 40, tokens: 25 })
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, n) => consume(n % 2 ? a : b, tenantId, `race-${n}`, ['api_calls', 'tokens'])),
    )
    expect(answers.filter((answer) => answer.data.allowed)).toHaveLength(25)
    expect(await recordsOf(tenantId)).toEqual({ records: 50, sum: 50 })
  })

  test('what was let through while the service was away is counted in its own time, and a repeat is the same work', async () => {
    const tenantId = await newTenant({ api_calls: 100 })
    const at = service.clock
      .now()
      .subtract({ hours: 30 * 24 })
      .round('second')
    const late = { tenantId, feature: 'api_calls', consume: true, idempotencyKey: 'late', at: at.toString() }
    expect((await a.check({ body: late })).data.allowed).toBe(true)
    expect((await a.check({ body: { ...late, at: undefined } })).data).toMatchObject({ allowed: true })
    expect(await recordsOf(tenantId)).toEqual({ records: 1, sum: 1 })
    const rows = await query<{ at: string }>(
      service.app.deps.db,
      sql`select at from usage_records where tenant_id = ${tenantId}`,
    )
    expect(rows.map((row) => instantOfRow(row.at).equals(at))).toEqual([true])
    const tooOld = at.subtract({ hours: 24 * 30 }).toString()
    await expect(a.check({ body: { ...late, idempotencyKey: 'older', at: tooOld } })).rejects.toMatchObject({
      code: 'time_out_of_range',
      errors: [{ field: 'at' }],
    })
    await expect(a.check({ body: { ...late, consume: false } })).rejects.toMatchObject({ errors: [{ field: 'at' }] })
  })

  test('a check without consuming counts nothing', async () => {
    const tenantId = await newTenant()
    for (let times = 0; times < 5; times++) await a.check({ body: { tenantId, feature: 'api_calls', quantity: 10 } })
    expect(await recordsOf(tenantId)).toEqual({ records: 0, sum: 0 })
  })
})

describe('another process', () => {
  const decisionIn = async (client: typeof a, tenantId: string) =>
    (await client.check({ body: { tenantId, feature: 'api_calls' } })).data.decisions[0]!

  test('sees the usage that this one recorded', async () => {
    const tenantId = await newTenant({ api_calls: 10 })
    expect(await decisionIn(b, tenantId)).toMatchObject({ allowed: true, used: 0 })
    await a.reportUsage({ body: { tenantId, meter: 'api_calls', idempotencyKey: 'x', quantity: 10 } })
    expect(await decisionIn(a, tenantId)).toMatchObject({ allowed: false, used: 10, reason: 'limit_reached' })
    await eventually(
      () => decisionIn(b, tenantId),
      (decision) => !decision.allowed && decision.used === 10,
    )
  })

  test('sees an override that was granted here, and its withdrawal', async () => {
    const tenantId = await newTenant()
    const sso = async (client: typeof a) => (await client.check({ body: { tenantId, feature: 'sso' } })).data
    expect(await sso(b)).toMatchObject({ allowed: false })
    const { data } = await service.operator.createOverride({
      body: { tenantId, feature: 'sso', set: { enabled: true }, reason: 'A test' },
    })
    await eventually(
      () => sso(b),
      (answer) => answer.allowed,
    )
    await service.operator.withdrawOverride({ params: { overrideId: data.id } })
    await eventually(
      () => sso(b),
      (answer) => !answer.allowed,
    )
  })

  test('refuses a key that was revoked here', async () => {
    const { data } = await service.operator.createApiKey({ body: { name: 'short', role: 'service' } })
    const there = createClient({ baseUrl: urls[1], credential: data.key, retries: 0 })
    expect((await there.whoami()).data.actor).toBe(data.id)
    await service.operator.revokeApiKey({ params: { keyId: data.id } })
    await eventually(
      () =>
        there.whoami().then(
          () => 'let in',
          (error: { code: string }) => error.code,
        ),
      (code) => code === 'unauthenticated',
    )
  })
})

test('every threshold is announced once, whoever crossed it', async () => {
  const tenantId = await newTenant()
  // Free warns at 80 and 100 per cent of 1,000 calls.
  await Promise.all(
    Array.from({ length: 100 }, (_, n) =>
      (n % 2 ? a : b).reportUsage({ body: { tenantId, meter: 'api_calls', idempotencyKey: `t-${n}`, quantity: 10 } }),
    ),
  )
  await a.reportUsage({ body: { tenantId, meter: 'api_calls', idempotencyKey: 'over' } })
  const announced = await eventually(
    async () =>
      (await readEvents(service.app.deps.db, 0n, 10_000, tenantId)).filter(
        (event) => event.type === 'usage.threshold_reached',
      ),
    (events) => events.length >= 2,
  )
  expect(announced.map((event) => event.data.percent)).toEqual([80, 100])
  expect(announced[0]!.data).toMatchObject({ feature: 'api_calls', meter: 'api_calls', limit: 1_000 })
  const unplaced = await query(
    service.app.deps.db,
    sql`select type from outbox where tenant_id = ${tenantId} and type = 'usage.threshold_reached'`,
  )
  expect(unplaced).toHaveLength(2)
})

test('what moved is told soon, as often as needed and with the newest count', async () => {
  const tenantId = await newTenant()
  await a.reportUsage(batch(tenantId, keysOf('told', 50)))
  const events = await eventually(
    async () =>
      (await readEvents(service.app.deps.db, 0n, 10_000, tenantId)).filter((event) => event.type === 'usage.updated'),
    (seen) => seen.length > 0,
  )
  expect(events).toHaveLength(1)
  expect(events[0]!.data).toMatchObject({
    meters: [{ meter: 'api_calls', used: 50 }],
    budget: { currentSpend: 50, tenantId },
  })
})

// These move the clock, which everybody shares: they come last.
describe('time', () => {
  test('an override ends by the clock: the end itself is outside', async () => {
    const tenantId = await newTenant()
    const expiresAt = service.clock.now().add({ hours: 1 }).toString()
    await service.operator.createOverride({
      body: { tenantId, feature: 'sso', set: { enabled: true }, reason: 'For an hour', expiresAt },
    })
    const sso = async (client: typeof a) => (await client.check({ body: { tenantId, feature: 'sso' } })).data
    expect(await sso(a)).toMatchObject({ allowed: true, decisions: [{ reason: 'override' }] })
    const before = (await a.getEntitlements({ query: { tenantId } })).data
    expect(before.validUntil).toBe(expiresAt)
    service.clock.advance('PT1H')
    expect(await sso(a)).toMatchObject({ allowed: false, decisions: [{ reason: 'not_included' }] })
    await eventually(
      () => sso(b),
      (answer) => !answer.allowed,
    )
    const after = (await a.getEntitlements({ query: { tenantId } })).data
    expect(after).toMatchObject({ version: before.version + 1, validUntil: null })
    // The past stays what it was.
    const then = Temporal.Instant.from(expiresAt).subtract({ seconds: 1 }).toString()
    expect((await a.getEntitlements({ query: { tenantId, at: then } })).data).toEqual(before)
  })

  test('a new window begins with nothing used, and late usage counts where it belongs', async () => {
    const tenantId = await newTenant({ api_calls: 10 })
    const here = service.clock.now()
    await a.reportUsage({ body: { tenantId, meter: 'api_calls', idempotencyKey: 'full', quantity: 10 } })
    expect((await a.check({ body: { tenantId, feature: 'api_calls' } })).data.allowed).toBe(false)
    service.clock.advance('P1M')
    expect((await a.check({ body: { tenantId, feature: 'api_calls' } })).data).toMatchObject({
      allowed: true,
      decisions: [{ used: 0 }],
    })
    const late = await a.reportUsage({
      body: { tenantId, meter: 'api_calls', idempotencyKey: 'late', at: here.toString() },
    })
    expect(late.data).toMatchObject({ refused: 1, outcomes: [{ used: 10 }] })
    const now = await a.reportUsage({ body: { tenantId, meter: 'api_calls', idempotencyKey: 'now' } })
    expect(now.data).toMatchObject({ accepted: 1, outcomes: [{ used: 1 }] })
  })
})

test('usage for another tenant looks like usage for nobody, and the attempt is recorded (CUS-2, AUD-1)', async () => {
  const [mine, theirs] = [await newTenant(), await newTenant()]
  const bound = createClient({ baseUrl: urls[0], credential: await service.keyOf('service', mine) })
  const report = (tenantId: string) =>
    bound.reportUsage({
      body: { records: [{ tenantId, meter: 'api_calls', idempotencyKey: `stolen-${tenantId}` }] },
    })
  const [stolen, invented] = [await report(theirs), await report('nobody-has-this')]
  const said = ({ data }: typeof stolen) => data.outcomes.map(({ status, code, detail }) => ({ status, code, detail }))
  expect(said(stolen)).toEqual(said(invented))
  expect(said(stolen)).toMatchObject([{ status: 'invalid', code: 'customer_unknown' }])
  const { data: denied } = await service.operator.listAudit({ query: { result: 'denied', tenantId: mine } })
  expect(denied).toContainEqual(expect.objectContaining({ action: 'reportUsage', reason: 'belongs to another tenant' }))
})

test('the spend that events tell never goes back, however changes and usage meet (EVT-4)', async () => {
  const tenantId = await newTenant({ api_calls: null })
  const changes = Array.from({ length: 25 }, (_, index) => async () => {
    const { data } = await service.operator.createOverride({
      body: { tenantId, feature: 'sso', set: { enabled: index % 2 === 0 }, reason: 'A change in the middle of usage' },
    })
    await service.operator.withdrawOverride({ params: { overrideId: data.id } })
  })
  const reports = Array.from(
    { length: 200 },
    (_, index) => () =>
      (index % 2 === 0 ? a : b).reportUsage({
        body: { tenantId, meter: 'api_calls', idempotencyKey: `spend-${index}` },
      }),
  )
  await Promise.all([
    (async () => {
      for (const change of changes) await change()
    })(),
    (async () => {
      for (let from = 0; from < reports.length; from += 4)
        await Promise.all(reports.slice(from, from + 4).map((report) => report()))
    })(),
  ])
  const events = await eventually(
    async () => (await a.listEvents({ query: { tenantId, limit: 1_000 } })).data,
    (seen) => seen.some(({ data }) => (data.budget as { currentSpend?: number } | undefined)?.currentSpend === 200),
  )
  const spends = events.flatMap(({ data }) => {
    const budget = data.budget as { currentSpend: number; sequence: number } | undefined
    return budget ? [budget.currentSpend] : []
  })
  expect(spends.length).toBeGreaterThan(50)
  expect(spends).toEqual([...spends].sort((x, y) => x - y))
})

test('a use at a time that lies ahead says that it does: its sender tells it again without the time', async () => {
  await service.customer('clock-ahead')
  const at = service.clock.now().add({ minutes: 10 }).toString()
  const body = { tenantId: 'clock-ahead', feature: 'api_calls', consume: true, idempotencyKey: 'ahead', at }
  await expect(service.operator.check({ body })).rejects.toMatchObject({
    code: 'time_out_of_range',
    problem: { usageCode: 'time_in_future' },
  })
})
