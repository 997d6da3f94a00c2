import { expect, test } from 'vitest'
import { decisionOf, startWire } from '../../../client/test/support/wire.ts'
import { createHost } from '../src/app.ts'

test('it serves what is free and what the plan includes, and refuses what is used up', async () => {
  const wire = await startWire()
  wire.handlers.check = (request) => {
    const { feature } = request.body as { feature: string }
    const allowed = feature === 'api_access'
    const decisions = [decisionOf({ feature, allowed, reason: allowed ? 'included' : 'limit_reached' })]
    return wire.envelope({ tenantId: 'northwind', allowed, decisions, snapshotVersion: 1 })
  }
  // It starts: every route says what it needs.
  const host = createHost({ turnpikeUrl: wire.url, credential: 'key_1' })
  const headers = { 'x-account': 'northwind' }
  expect((await host.request('/health')).status).toBe(200)
  expect(await (await host.request('/notes', { headers })).json()).toEqual(['Buy milk'])
  expect((await host.request('/exports', { method: 'POST', headers })).status).toBe(402)
  await wire.close()
})
