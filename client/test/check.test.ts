import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createChecker, createClient, type FailurePolicy } from '../src/index.ts'
import { openSpool, type Spool } from '../src/spool/index.ts'
import { breakOff, decisionOf, startWire, type Wire } from './support/wire.ts'

let wire: Wire
let now: number
beforeEach(async () => {
  wire = await startWire()
  now = Date.parse('2026-11-21T12:00:00Z')
})
afterEach(() => wire.close())

const checkerOf = (policy: FailurePolicy, options: Partial<Parameters<typeof createChecker>[1]> = {}) =>
  createChecker(createClient({ baseUrl: wire.url, credential: 'key_1' }), {
    policies: { exports: policy },
    now: () => now,
    ...options,
  })

const answer = (decision: Parameters<typeof decisionOf>[0]) => {
  wire.handlers.check = (request) => {
    const body = request.body as { tenantId: string; feature: string; consume?: boolean }
    const decided = decisionOf({ ...decision, feature: body.feature })
    const consumed = decided.allowed && body.consume === true
    return wire.envelope({
      tenantId: body.tenantId,
      allowed: decided.allowed,
      decisions: [{ ...decided, consumed }],
      snapshotVersion: 1,
    })
  }
}
const outage = () => {
  wire.handlers.check = breakOff
}
const bodies = () => wire.requests.map(({ body }) => body as Record<string, unknown>)

test('the service decides as long as it answers', async () => {
  answer({ allowed: false, reason: 'limit_reached', remaining: 0, used: 100 })
  const refused = await checkerOf('open').check('ana', 'exports', 3)
  expect(refused).toMatchObject({ allowed: false, reason: 'limit_reached', used: 100, source: 'service' })
  expect(bodies()).toEqual([{ tenantId: 'ana', feature: 'exports', quantity: 3 }])
})

test.each([
  ['open', true],
  ['closed', false],
] as const)('in an outage a feature that fails %s is allowed: %s', async (policy, allowed) => {
  outage()
  expect(await checkerOf(policy).check('ana', 'exports')).toMatchObject({
    allowed,
    reason: 'service_unreachable',
    source: 'policy',
  })
})

test.each(['unavailable', 'internal_error', 'rate_limited'] as const)('%s counts as an outage', async (code) => {
  wire.handlers.check = (_request, reply) => wire.fail(reply, code)
  expect(await checkerOf('open').check('ana', 'exports')).toMatchObject({ allowed: true, source: 'policy' })
})

test('a feature without a policy fails closed unless told', async () => {
  outage()
  expect(await checkerOf('open').check('ana', 'sso')).toMatchObject({ allowed: false, source: 'policy' })
  const lenient = checkerOf('closed', { otherwise: 'open' })
  expect(await lenient.check('ana', 'sso')).toMatchObject({ allowed: true, source: 'policy' })
  // A name that every object inherits is no policy.
  expect(await lenient.check('ana', 'constructor')).toMatchObject({ allowed: true, source: 'policy' })
})

test('a wrong question is an error and not an outage', async () => {
  wire.handlers.check = (_request, reply) => wire.fail(reply, 'feature_unknown')
  await expect(checkerOf('open').check('ana', 'exports')).rejects.toMatchObject({ code: 'feature_unknown' })
})

test('the last known answer holds for its time and not longer', async () => {
  const checker = checkerOf({ lastKnownForMs: 60_000 })
  answer({ kind: 'boolean', reason: 'included' })
  await checker.check('ana', 'exports')
  outage()
  now += 59_999
  expect(await checker.check('ana', 'exports')).toMatchObject({
    allowed: true,
    reason: 'included',
    source: 'last_known',
  })
  now += 1
  expect(await checker.check('ana', 'exports')).toMatchObject({ allowed: false, source: 'policy' })
})

test('what was last known of one customer says nothing about another', async () => {
  const checker = checkerOf({ lastKnownForMs: 60_000, otherwise: 'open' })
  answer({ kind: 'boolean', allowed: false, reason: 'not_included' })
  await checker.check('ana', 'exports')
  outage()
  expect(await checker.check('ana', 'exports')).toMatchObject({ allowed: false, source: 'last_known' })
  expect(await checker.check('bob', 'exports')).toMatchObject({ allowed: true, source: 'policy' })
})

test('the last known answer of a meter is used for what follows from it', async () => {
  const checker = checkerOf({ lastKnownForMs: 60_000 })
  answer({ remaining: 5 })
  await checker.check('ana', 'exports', 2)
  outage()
  const sources = []
  for (const quantity of [1, 2, 5, 6]) sources.push((await checker.check('ana', 'exports', quantity)).source)
  expect(sources).toEqual(['last_known', 'last_known', 'last_known', 'policy'])
})

test('an allowance that was just used up is not known to be there', async () => {
  const checker = checkerOf({ lastKnownForMs: 60_000 })
  answer({ remaining: 0 })
  await checker.consume('ana', 'exports', 4, 'key_a')
  outage()
  expect(await checker.check('ana', 'exports', 4)).toMatchObject({ allowed: false, source: 'policy' })
})

test('a refusal for a little is a refusal for more', async () => {
  const checker = checkerOf({ lastKnownForMs: 60_000, otherwise: 'open' })
  answer({ allowed: false, reason: 'limit_reached', remaining: 1 })
  await checker.check('ana', 'exports', 2)
  outage()
  expect(await checker.check('ana', 'exports', 3)).toMatchObject({ allowed: false, source: 'last_known' })
  expect(await checker.check('ana', 'exports', 1)).toMatchObject({ allowed: true, source: 'policy' })
})

test('what was known of a window ends with the window', async () => {
  const checker = checkerOf({ lastKnownForMs: 60_000 })
  answer({ allowed: true, resetsAt: '2026-11-21T12:00:10Z' })
  await checker.check('ana', 'exports')
  outage()
  now += 9_999
  expect(await checker.check('ana', 'exports')).toMatchObject({ source: 'last_known' })
  now += 1
  expect(await checker.check('ana', 'exports')).toMatchObject({ source: 'policy' })
})

test('during an outage the service is left alone for a while and then asked again', async () => {
  const checker = checkerOf('closed', { retryOutageAfterMs: 1_000 })
  outage()
  await checker.check('ana', 'exports')
  await checker.check('ana', 'exports')
  expect(wire.requests).toHaveLength(1)
  answer({})
  now += 1_000
  expect(await checker.check('ana', 'exports')).toMatchObject({ allowed: true, source: 'service' })
})

test('the service is left alone for as long as it asks for', async () => {
  const checker = checkerOf('open', { retryOutageAfterMs: 1_000 })
  wire.handlers.check = (_request, reply) => wire.fail(reply.header('retry-after', '7'), 'unavailable')
  expect(await checker.check('ana', 'exports')).toMatchObject({ source: 'policy', retryAfterMs: 7_000 })
  answer({})
  now += 6_999
  expect(await checker.check('ana', 'exports')).toMatchObject({ source: 'policy', retryAfterMs: 1 })
  now += 1
  expect(await checker.check('ana', 'exports')).toMatchObject({ source: 'service' })
})

test('after an outage one request tries, and the others do not wait for it', async () => {
  const checker = checkerOf('open', { retryOutageAfterMs: 1_000 })
  outage()
  await checker.check('ana', 'exports')
  now += 1_000
  let reply: (() => void) | undefined
  wire.handlers.check = () =>
    new Promise((resolve) => {
      reply = () =>
        resolve(wire.envelope({ tenantId: 'ana', allowed: true, decisions: [decisionOf()], snapshotVersion: 1 }))
    })
  const first = checker.check('ana', 'exports')
  await expect.poll(() => reply).toBeDefined()
  expect(await checker.check('ana', 'exports')).toMatchObject({ source: 'policy' })
  expect(wire.requests).toHaveLength(2)
  reply!()
  expect(await first).toMatchObject({ source: 'service' })
  answer({})
  expect(await checker.check('ana', 'exports')).toMatchObject({ source: 'service' })
})

test('a wrong question shows that the service is there again', async () => {
  const checker = checkerOf('open', { retryOutageAfterMs: 1_000 })
  outage()
  await checker.check('ana', 'exports')
  now += 1_000
  wire.handlers.check = (_request, reply) => wire.fail(reply, 'feature_unknown')
  await expect(checker.check('ana', 'exports')).rejects.toMatchObject({ code: 'feature_unknown' })
  answer({})
  expect(await checker.check('ana', 'exports')).toMatchObject({ source: 'service' })
})

test('every check asks the service unless fresh answers may be used again', async () => {
  answer({})
  const asking = checkerOf('closed')
  await asking.check('ana', 'exports')
  await asking.check('ana', 'exports')
  expect(wire.requests).toHaveLength(2)
  const remembering = checkerOf('closed', { freshForMs: 500 })
  await remembering.check('ana', 'exports')
  now += 499
  expect(await remembering.check('ana', 'exports')).toMatchObject({ allowed: true, source: 'last_known' })
  expect(wire.requests).toHaveLength(3)
  now += 1
  expect(await remembering.check('ana', 'exports')).toMatchObject({ source: 'service' })
})

test('consuming sends the key and counts', async () => {
  answer({})
  const consumed = await checkerOf('closed', { service: 'notes' }).consume('ana', 'exports', 2, 'key_a')
  expect(consumed).toMatchObject({ allowed: true, consumed: true, source: 'service' })
  expect(bodies()[0]).toMatchObject({ consume: true, idempotencyKey: 'key_a', quantity: 2, service: 'notes' })
})

test('what is let through in an outage is counted under its key when the service is back', async () => {
  const checker = checkerOf('open')
  outage()
  const keys = ['key_a', 'key_b', 'key_c']
  for (const key of keys) {
    expect(await checker.consume('ana', 'exports', 1, key)).toMatchObject({ allowed: true, consumed: false })
  }
  expect(checker.unsettled()).toBe(3)
  await checker.settle()
  expect(checker.unsettled()).toBe(3)
  answer({})
  wire.requests.length = 0
  now += 1_000
  await checker.check('ana', 'exports')
  await checker.settle()
  expect(checker.unsettled()).toBe(0)
  expect(bodies().flatMap(({ idempotencyKey }) => idempotencyKey ?? [])).toEqual(keys)
})

test('what is let through in an outage leaves less of what was last known', async () => {
  const checker = checkerOf({ lastKnownForMs: 60_000 })
  answer({ remaining: 5, used: 95 })
  await checker.check('ana', 'exports', 2)
  outage()
  const answers = []
  for (const key of ['a', 'b', 'c', 'd']) answers.push(await checker.consume('ana', 'exports', 2, `key_${key}`))
  expect(answers.map(({ allowed, source }) => [allowed, source])).toEqual([
    [true, 'last_known'],
    [true, 'last_known'],
    [false, 'policy'],
    [false, 'policy'],
  ])
  expect(await checker.check('ana', 'exports', 1)).toMatchObject({ allowed: true, used: 99, remaining: 1 })
  expect(checker.unsettled()).toBe(2)
})

test('many at once do not get the last one twice', async () => {
  const checker = checkerOf({ lastKnownForMs: 60_000 })
  answer({ remaining: 3 })
  await checker.check('ana', 'exports')
  outage()
  await checker.check('bob', 'exports')
  const keys = Array.from({ length: 10 }, (_, n) => `key_${n}`)
  const answers = await Promise.all(keys.map((key) => checker.consume('ana', 'exports', 1, key)))
  expect(answers.filter(({ allowed }) => allowed)).toHaveLength(3)
})

test('above a soft limit everything is let through, in an outage too', async () => {
  const checker = checkerOf({ lastKnownForMs: 60_000 })
  answer({ reason: 'soft_limit_exceeded', remaining: 0, used: 120 })
  await checker.consume('ana', 'exports', 1, 'key_a')
  outage()
  expect(await checker.consume('ana', 'exports', 7, 'key_b')).toMatchObject({ allowed: true, source: 'last_known' })
})

test('what a spool has no room for is not let through', async () => {
  const spool = {
    keep: async () => ({ status: 'not_kept', reason: 'spool_full' }) as const,
    flush: async () => true,
    status: () => ({ waiting: 0 }) as ReturnType<Spool['status']>,
  }
  outage()
  expect(await checkerOf('open', { spool }).consume('ana', 'exports', 1, 'key_a')).toMatchObject({ allowed: false })
})

test('what is let through waits in the spool with its time, and is told when the service is back', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'turnpike-checker-'))
  const spool = openSpool({ folder, client: createClient({ baseUrl: wire.url, credential: 'key_1' }), now: () => now })
  const checker = checkerOf('open', { spool, service: 'notes' })
  outage()
  expect(await checker.consume('ana', 'exports', 2, 'key_a')).toMatchObject({ allowed: true, source: 'policy' })
  expect(checker.unsettled()).toBe(1)
  answer({})
  wire.requests.length = 0
  now += 1_000
  await checker.check('ana', 'exports')
  await checker.settle()
  expect(bodies().find(({ consume }) => consume)).toEqual({
    tenantId: 'ana',
    feature: 'exports',
    quantity: 2,
    idempotencyKey: 'key_a',
    at: '2026-11-21T12:00:00.000Z',
    service: 'notes',
    consume: true,
  })
  expect(checker.unsettled()).toBe(0)
  await spool.close()
  rmSync(folder, { recursive: true })
})

test('what is refused in an outage is not counted later', async () => {
  const checker = checkerOf('closed')
  outage()
  expect(await checker.consume('ana', 'exports', 1, 'key_a')).toMatchObject({ allowed: false })
  expect(checker.unsettled()).toBe(0)
})

test('usage is kept while the credential is turned down, and given up with a word when it is wrong itself', async () => {
  const given: unknown[] = []
  const checker = checkerOf('open', { onUncounted: (consumption, error) => given.push([consumption, error.code]) })
  outage()
  await checker.consume('ana', 'exports', 1, 'key_a')
  wire.handlers.check = (_request, reply) => wire.fail(reply, 'unauthenticated')
  await checker.settle()
  expect(checker.unsettled()).toBe(1)
  wire.handlers.check = (_request, reply) => wire.fail(reply, 'feature_unknown')
  await checker.settle()
  expect(checker.unsettled()).toBe(0)
  expect(given).toEqual([
    [{ tenantId: 'ana', feature: 'exports', quantity: 1, idempotencyKey: 'key_a' }, 'feature_unknown'],
  ])
})
