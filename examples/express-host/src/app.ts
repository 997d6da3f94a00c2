import { createChecker, createClient } from '@turnpike/client'
import { assertGuarded, entitlementGuard } from '@turnpike/client/express'
import express, { type Express } from 'express'

/** The smallest product on Express that sells with Turnpike: one route that is free, one that is sold, one that is used up. */
export const createHost = (options: { turnpikeUrl: string; credential: string }): Express => {
  const client = createClient({ baseUrl: options.turnpikeUrl, credential: options.credential })
  const needs = entitlementGuard({
    checker: createChecker(client, { policies: { api_access: { lastKnownForMs: 3_600_000, otherwise: 'open' } } }),
    // Stands for the host's own sign-in. A real host takes the account from its session, never from a bare header.
    tenantOf: (request) => request.get('x-account') ?? null,
  })

  const app = express()
  app.get('/health', needs('public'), (_request, response) => void response.json({ ok: true }))
  app.get('/notes', needs('api_access'), (_request, response) => void response.json(['Buy milk']))
  app.post('/exports', needs({ feature: 'exports', consume: true }), (_request, response) => {
    response.json({ file: 'Buy milk' })
  })
  // A route that says nothing keeps the host from starting, and its test from passing.
  assertGuarded(app)
  return app
}
