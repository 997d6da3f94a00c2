import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { decisionOf, startWire, type Wire } from '../../../client/test/support/wire.ts'
import { createHost } from '../src/app.ts'

let wire: Wire
let server: Server
let url: string
beforeEach(async () => {
  wire = await startWire()
  wire.handlers.check = (request) => {
    const { feature } = request.body as { feature: string }
    const allowed = feature === 'api_access'
    const decisions = [decisionOf({ feature, allowed, reason: allowed ? 'included' : 'limit_reached' })]
    return wire.envelope({ tenantId: 'northwind', allowed, decisions, snapshotVersion: 1 })
  }
  // It starts: every route says what it needs.
  server = createHost({ turnpikeUrl: wire.url, credential: 'key_1' }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await wire.close()
})

test('it serves what is free and what the plan includes, and refuses what is used up', async () => {
  const headers = { 'x-account': 'northwind' }
  expect((await fetch(`${url}/health`)).status).toBe(200)
  expect(await (await fetch(`${url}/notes`, { headers })).json()).toEqual(['Buy milk'])
  expect((await fetch(`${url}/exports`, { method: 'POST', headers })).status).toBe(402)
})
