import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EntitlementGuardOptions, entitlementGuard } from '../src/guards/fastify.ts'
import { createChecker, createClient } from '../src/index.ts'
import { breakOff, decisionOf, startWire, type Wire } from './support/wire.ts'

let wire: Wire
let app: FastifyInstance
let worked: string[]
beforeEach(async () => {
  wire = await startWire()
  app = Fastify()
  worked = []
})
afterEach(async () => {
  await app.close()
  await wire.close()
})

const guarded = async (options: Partial<EntitlementGuardOptions> = {}) => {
  const checker = createChecker(createClient({ baseUrl: wire.url, credential: 'key_1' }), {
    policies: { notes: 'open' },
  })
  await app.register(entitlementGuard, {
    checker,
    tenantOf: (request) => (request.headers['x-tenant'] as string | undefined) ?? null,
    ...options,
  })
  const work = (name: string) => async () => {
    worked.push(name)
    return { name }
  }
  app.get('/health', { config: { entitlement: 'public' } }, work('health'))
  app.get('/notes', { config: { entitlement: 'notes' } }, work('notes'))
  app.post('/exports', { config: { entitlement: { feature: 'exports', quantity: 2, consume: true } } }, work('exports'))
  return app
}
const answer = (decision: Parameters<typeof decisionOf>[0]) => {
  wire.handlers.check = (request) => {
    const { tenantId } = request.body as { tenantId: string }
    const decided = decisionOf(decision)
    return wire.envelope({ tenantId, allowed: decided.allowed, decisions: [decided], snapshotVersion: 1 })
  }
}
const checks = () => wire.requests.map(({ body }) => body as Record<string, unknown>)
const headers = { 'x-tenant': 'ana' }

test('a public route asks nobody', async () => {
  await guarded()
  expect((await app.inject('/health')).statusCode).toBe(200)
  expect(wire.requests).toEqual([])
})

test('a guarded route works when its feature is allowed to the tenant of the request', async () => {
  await guarded()
  answer({})
  expect((await app.inject({ url: '/notes', headers })).json()).toEqual({ name: 'notes' })
  expect(checks()).toEqual([{ tenantId: 'ana', feature: 'notes', quantity: 1 }])
})

test('a refusal is a problem document with reason, limit, used, reset and the plan that would allow it', async () => {
  await guarded()
  answer({ feature: 'notes', allowed: false, reason: 'limit_reached', used: 100, remaining: 0, upgradePlan: 'pro' })
  const response = await app.inject({ url: '/notes', headers })
  expect(response.statusCode).toBe(402)
  expect(response.headers['content-type']).toContain('application/problem+json')
  expect(response.json()).toMatchObject({
    status: 402,
    code: 'entitlement_refused',
    reason: 'limit_reached',
    limit: 100,
    used: 100,
    resetsAt: '2026-12-01T00:00:00Z',
    upgradePlan: 'pro',
  })
  expect(worked).toEqual([])
})

test.each([
  ['not_included', 402],
  ['access_restricted', 402],
  ['disabled_by_override', 403],
  ['unknown_customer', 403],
] as const)('%s answers %i', async (reason, status) => {
  await guarded()
  answer({ allowed: false, reason })
  expect((await app.inject({ url: '/notes', headers })).statusCode).toBe(status)
})

test('a request of nobody is refused without asking', async () => {
  await guarded()
  const response = await app.inject('/notes')
  expect(response.statusCode).toBe(403)
  expect(response.json()).toMatchObject({ reason: 'tenant_unknown' })
  expect([worked, wire.requests]).toEqual([[], []])
})

test('nobody is asked to pay because the billing service is away', async () => {
  await guarded()
  wire.handlers.check = breakOff
  const closed = await app.inject({ method: 'POST', url: '/exports', headers })
  expect(closed.statusCode).toBe(503)
  expect(closed.headers['retry-after']).toBe('1')
  expect((await app.inject({ url: '/notes', headers })).statusCode).toBe(200)
  expect(worked).toEqual(['notes'])
})

test('a consuming route counts every request under a key of its own', async () => {
  await guarded()
  answer({ consumed: true })
  const request = { method: 'POST', url: '/exports', headers: { ...headers, 'idempotency-key': 'same' } } as const
  await app.inject(request)
  await app.inject(request)
  const keys = checks().map(({ idempotencyKey }) => idempotencyKey)
  expect(checks()).toMatchObject([{ feature: 'exports', quantity: 2, consume: true }, { consume: true }])
  expect(new Set(keys).size).toBe(2)
})

test("a host that works once per key may count under the caller's key", async () => {
  await guarded({ idempotencyKey: (request) => request.headers['idempotency-key'] as string | undefined })
  answer({ consumed: true })
  await app.inject({ method: 'POST', url: '/exports', headers: { ...headers, 'idempotency-key': 'note_7' } })
  expect(checks()).toMatchObject([{ idempotencyKey: 'note_7' }])
})

test('a request that does not fit is not counted', async () => {
  await guarded()
  app.post(
    '/imports',
    {
      config: { entitlement: { feature: 'exports', consume: true } },
      schema: { body: { type: 'object', required: ['file'] } },
    },
    async () => ({}),
  )
  expect((await app.inject({ method: 'POST', url: '/imports', headers, payload: {} })).statusCode).toBe(400)
  expect(wire.requests).toEqual([])
})

test('the quantity may depend on the request', async () => {
  await guarded()
  const quantity = (request: { query: unknown }) => Number((request.query as { pages: string }).pages)
  app.get('/print', { config: { entitlement: { feature: 'exports', quantity } } }, async () => ({}))
  answer({})
  await app.inject({ url: '/print?pages=12', headers })
  expect(checks()).toMatchObject([{ quantity: 12 }])
})

test('routes inside plugins are guarded too', async () => {
  await guarded()
  await app.register(async (inner) => {
    inner.get('/inner', { config: { entitlement: 'notes' } }, async () => ({}))
  })
  answer({ allowed: false, reason: 'not_included' })
  expect((await app.inject({ url: '/inner', headers })).statusCode).toBe(402)
})

test('an application with undeclared routes does not start, and each is named', async () => {
  await guarded()
  app.get('/forgotten', async () => ({}))
  await app.register(async (inner) => {
    inner.delete('/also/:id', async () => ({}))
  })
  await expect(app.ready()).rejects.toThrow(/GET \/forgotten.*DELETE \/also\/:id/)
})

test('routes of other plugins are declared beside them', async () => {
  await guarded({ declare: ({ url }) => (url.startsWith('/docs') ? 'public' : undefined) })
  app.get('/docs/index', async () => ({ docs: true }))
  expect((await app.inject('/docs/index')).json()).toEqual({ docs: true })
})

test('routes that were added before the guard would escape it, so that is refused', async () => {
  app.get('/early', async () => ({}))
  await expect(guarded().then(() => app.ready())).rejects.toThrow('before the first route')
})

test('the inventory lists what each endpoint needs', async () => {
  await guarded()
  await app.ready()
  expect(app.entitlementInventory().filter(({ method }) => method !== 'HEAD')).toEqual([
    { method: 'GET', url: '/health', entitlement: 'public', consumes: false },
    { method: 'GET', url: '/notes', entitlement: 'notes', consumes: false },
    { method: 'POST', url: '/exports', entitlement: 'exports', consumes: true },
  ])
})

test('an address that does not exist is not found', async () => {
  await guarded()
  expect((await app.inject('/nowhere')).statusCode).toBe(404)
})
