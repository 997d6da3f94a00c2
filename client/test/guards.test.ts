import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import express, { Router } from 'express'
import { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import * as expressGuards from '../src/guards/express.ts'
import type { GuardOptions, InventoryEntry } from '../src/guards/guard.ts'
import * as honoGuards from '../src/guards/hono.ts'
import { type Checker, createChecker, createClient } from '../src/index.ts'
import { breakOff, decisionOf, startWire, type Wire } from './support/wire.ts'

/** The guards of Express and Hono over HTTP: the same routes, the same answers. */

let wire: Wire
let checker: Checker
let server: Server | null
let worked: string[]
beforeEach(async () => {
  wire = await startWire()
  checker = createChecker(createClient({ baseUrl: wire.url, credential: 'key_1' }), { policies: { notes: 'open' } })
  server = null
  worked = []
})
afterEach(async () => {
  server?.closeAllConnections()
  server?.close()
  await wire.close()
})

const listen = async (made: Server): Promise<string> => {
  server = made.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
type Host = { url: string; inventory: () => InventoryEntry[]; assert: () => void }
type Options = { keys?: boolean }

const expressHost = async ({ keys }: Options = {}): Promise<Host> => {
  const app = express()
  const options: GuardOptions<express.Request> = { checker, tenantOf: (request) => request.get('x-tenant') ?? null }
  const needs = expressGuards.entitlementGuard({
    ...options,
    ...(keys ? { idempotencyKey: (request) => request.get('idempotency-key') } : {}),
  })
  const work = (name: string) => (_request: express.Request, response: express.Response) => {
    worked.push(name)
    response.json({ name })
  }
  app.use(express.json())
  app.get('/health', needs('public'), work('health'))
  app.get('/notes', needs('notes'), work('notes'))
  app.post('/exports', needs({ feature: 'exports', quantity: 2, consume: true }), work('exports'))
  app.get('/print', needs({ feature: 'exports', quantity: (request) => Number(request.query.pages) }), work('print'))
  const reports = Router()
  reports.get('/:id', work('report'))
  app.use('/reports', needs('reports'), reports)
  return {
    url: await listen(createServer(app)),
    inventory: () => expressGuards.entitlementInventory(app),
    assert: () => expressGuards.assertGuarded(app),
  }
}

const honoHost = async ({ keys }: Options = {}): Promise<Host> => {
  const app = new Hono()
  const needs = honoGuards.entitlementGuard({
    checker,
    tenantOf: (context) => context.req.header('x-tenant') ?? null,
    ...(keys ? { idempotencyKey: (context) => context.req.header('idempotency-key') } : {}),
  })
  const work = (name: string) => (context: { json: (body: object) => Response }) => {
    worked.push(name)
    return context.json({ name })
  }
  app.use(async (_context, next) => next())
  app.get('/health', needs('public'), work('health'))
  app.get('/notes', needs('notes'), work('notes'))
  app.post('/exports', needs({ feature: 'exports', quantity: 2, consume: true }), work('exports'))
  app.get(
    '/print',
    needs({ feature: 'exports', quantity: (context) => Number(context.req.query('pages')) }),
    work('print'),
  )
  const reports = new Hono()
  reports.onError((_error, context) => context.text('reports are broken', 500))
  reports.get('/:id', work('report'))
  app.use('/reports/*', needs('reports'))
  app.route('/reports', reports)
  return {
    url: await listen(createServer(getRequestListener(app.fetch))),
    inventory: () => honoGuards.entitlementInventory(app),
    assert: () => honoGuards.assertGuarded(app),
  }
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

describe.each([
  ['Express', expressHost],
  ['Hono', honoHost],
])('%s', (_name, start) => {
  const get = async (host: Host, path: string, init: RequestInit = { headers }) => {
    const response = await fetch(host.url + path, init)
    return { status: response.status, headers: response.headers, json: (await response.json()) as object }
  }

  test('a public route asks nobody', async () => {
    expect((await get(await start(), '/health', {})).status).toBe(200)
    expect(wire.requests).toEqual([])
  })

  test('a guarded route works when its feature is allowed to the tenant of the request', async () => {
    answer({})
    expect((await get(await start(), '/notes')).json).toEqual({ name: 'notes' })
    expect(checks()).toEqual([{ tenantId: 'ana', feature: 'notes', quantity: 1 }])
  })

  test('a refusal is a problem document, and nothing is done', async () => {
    answer({ feature: 'notes', allowed: false, reason: 'limit_reached', used: 100, remaining: 0, upgradePlan: 'pro' })
    const { status, headers: sent, json } = await get(await start(), '/notes')
    expect(status).toBe(402)
    expect(sent.get('content-type')).toContain('application/problem+json')
    expect(json).toMatchObject({ code: 'entitlement_refused', reason: 'limit_reached', limit: 100, upgradePlan: 'pro' })
    expect(worked).toEqual([])
  })

  test('a request of nobody is refused without asking', async () => {
    const { status, json } = await get(await start(), '/notes', {})
    expect([status, json]).toMatchObject([403, { reason: 'tenant_unknown' }])
    expect([worked, wire.requests]).toEqual([[], []])
  })

  test('nobody is asked to pay because the billing service is away, and everybody is told when to come back', async () => {
    const host = await start()
    wire.handlers.check = (_request, reply) => wire.fail(reply.header('retry-after', '9'), 'unavailable')
    const closed = await get(host, '/exports', { method: 'POST', headers })
    expect([closed.status, closed.headers.get('retry-after')]).toEqual([503, '9'])
    wire.handlers.check = breakOff
    expect((await get(host, '/notes')).status).toBe(200)
    expect(worked).toEqual(['notes'])
  })

  test("a consuming route counts every request under a key of its own, or under the caller's", async () => {
    answer({ consumed: true })
    const request = { method: 'POST', headers: { ...headers, 'idempotency-key': 'note_7' } }
    const own = await start()
    await get(own, '/exports', request)
    await get(own, '/exports', request)
    expect(checks()).toMatchObject([{ feature: 'exports', quantity: 2, consume: true }, { consume: true }])
    expect(new Set(checks().map(({ idempotencyKey }) => idempotencyKey)).size).toBe(2)
    server!.close()
    await get(await start({ keys: true }), '/exports', request)
    expect(checks().at(-1)).toMatchObject({ idempotencyKey: 'note_7' })
  })

  test('the quantity may depend on the request', async () => {
    answer({})
    await get(await start(), '/print?pages=12')
    expect(checks()).toMatchObject([{ quantity: 12 }])
  })

  test('a guard before a group guards all of it', async () => {
    answer({ feature: 'reports', allowed: false, reason: 'not_included' })
    expect((await get(await start(), '/reports/7')).status).toBe(402)
    expect([worked, checks()]).toMatchObject([[], [{ feature: 'reports' }]])
  })

  test('the inventory lists what each endpoint needs', async () => {
    const host = await start()
    expect(host.inventory()).toEqual([
      { method: 'GET', url: '/health', entitlement: 'public', consumes: false },
      { method: 'GET', url: '/notes', entitlement: 'notes', consumes: false },
      { method: 'POST', url: '/exports', entitlement: 'exports', consumes: true },
      { method: 'GET', url: '/print', entitlement: 'exports', consumes: false },
      { method: 'GET', url: '/reports/:id', entitlement: 'reports', consumes: false },
    ])
    expect(host.assert).not.toThrow()
  })
})

describe('a route that somebody forgot to guard is named', () => {
  const reply = (_request: express.Request, response: express.Response) => void response.json({})
  const expressNeeds = () => expressGuards.entitlementGuard({ checker, tenantOf: () => 'ana' })
  const honoNeeds = () => honoGuards.entitlementGuard({ checker, tenantOf: () => 'ana' })

  test.each<[string, (app: express.Express) => void, string]>([
    ['by itself', (app) => app.get('/open', reply), 'GET /open'],
    ['in a router', (app) => app.use('/a', Router().use('/b', Router().delete('/:id', reply))), 'DELETE /a/b/:id'],
    ['with its guard behind the work', (app) => app.get('/late', reply, expressNeeds()('notes')), 'GET /late'],
    ['under one method only', (app) => app.route('/two').get(expressNeeds()('notes'), reply).post(reply), 'POST /two'],
    ['before the guard', (app) => app.get('/early', reply).use(expressNeeds()('notes')), 'GET /early'],
    ['beside a guarded group', (app) => app.use('/in', expressNeeds()('notes')).get('/inner', reply), 'GET /inner'],
    ['for every method', (app) => app.use(Router().all('/any', reply)), 'ALL /any'],
    ['in an application that is mounted', (app) => app.use('/docs', express().get('/', reply)), 'ALL /docs/*'],
  ])('Express, %s', (_how, add, name) => {
    const app = express()
    add(app)
    expect(() => expressGuards.assertGuarded(app)).toThrow(`declaration: ${name}. Put`)
  })

  test.each<[string, (app: Hono) => void, string]>([
    ['by itself', (app) => app.get('/open', (c) => c.json({})), 'GET /open'],
    [
      'in a group',
      (app) =>
        app.route(
          '/a',
          new Hono().delete('/:id', (c) => c.json({})),
        ),
      'DELETE /a/:id',
    ],
    ['with its guard behind the work', (app) => app.get('/late', (c) => c.json({}), honoNeeds()('notes')), 'GET /late'],
    ['before the guard', (app) => app.get('/early', (c) => c.json({})).use(honoNeeds()('notes')), 'GET /early'],
    [
      'beside a guarded group',
      (app) => app.use('/in/*', honoNeeds()('x')).get('/inner', (c) => c.json({})),
      'GET /inner',
    ],
    [
      'under another method',
      (app) => app.get('/two', honoNeeds()('x'), (c) => c.json({})).post((c) => c.json({})),
      'POST /two',
    ],
    ['for every method', (app) => app.all('/any', (c) => c.json({})), 'ALL /any'],
  ])('Hono, %s', (_how, add, name) => {
    const app = new Hono()
    add(app)
    expect(() => honoGuards.assertGuarded(app)).toThrow(`declaration: ${name}. Put`)
  })
})
