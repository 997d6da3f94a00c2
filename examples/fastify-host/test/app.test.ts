import type { FastifyInstance } from 'fastify'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { decisionOf, startWire, type Wire } from '../../../client/test/support/wire.ts'
import { createHost } from '../src/app.ts'

let wire: Wire
let host: FastifyInstance
beforeEach(async () => {
  wire = await startWire()
  host = await createHost({ turnpikeUrl: wire.url, credential: 'key_1' })
})
afterEach(async () => {
  await host.close()
  await wire.close()
})

const headers = { 'x-account': 'northwind' }

/** Northwind has API access and exports, and no audit log. */
const northwind = () => {
  wire.handlers.check = (request) => {
    const { feature, consume = false } = request.body as { feature: string; consume?: boolean }
    const allowed = feature !== 'audit_log'
    const decision = decisionOf({ feature, allowed, reason: allowed ? 'included' : 'not_included', consumed: consume })
    const decisions = [{ ...decision, upgradePlan: allowed ? null : 'pro' }]
    return wire.envelope({ tenantId: 'northwind', allowed, decisions, snapshotVersion: 1 })
  }
}

test('it boots, and says what each of its endpoints needs', async () => {
  const inventory = (await host.inject('/entitlements')).json() as {
    method: string
    url: string
    entitlement: string
  }[]
  expect(inventory.filter(({ method }) => method !== 'HEAD').map(({ url, entitlement }) => [url, entitlement])).toEqual(
    [
      ['/health', 'public'],
      ['/entitlements', 'public'],
      ['/notes', 'api_access'],
      ['/notes', 'api_access'],
      ['/audit-log', 'audit_log'],
      ['/exports', 'exports'],
    ],
  )
})

test('it serves what the plan includes, counts exports, and names the plan that has the rest', async () => {
  northwind()
  const note = { method: 'POST', url: '/notes', headers, payload: { text: 'Buy milk' } } as const
  expect((await host.inject(note)).statusCode).toBe(201)
  expect((await host.inject({ url: '/notes', headers })).json()).toEqual(['Buy milk'])
  expect((await host.inject({ method: 'POST', url: '/exports', headers })).json()).toEqual({ file: 'Buy milk' })
  expect(wire.requests.at(-1)!.body).toMatchObject({ tenantId: 'northwind', feature: 'exports', consume: true })
  const refused = await host.inject({ url: '/audit-log', headers })
  expect(refused.statusCode).toBe(402)
  expect(refused.json()).toMatchObject({ reason: 'not_included', upgradePlan: 'pro' })
})

test('a route that somebody forgot to guard keeps it from starting', async () => {
  host.get('/secret-report', async () => ({}))
  await expect(host.ready()).rejects.toThrow('GET /secret-report')
})
