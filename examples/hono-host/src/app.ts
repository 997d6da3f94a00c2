import { createChecker, createClient } from '@turnpike/client'
import { assertGuarded, entitlementGuard } from '@turnpike/client/hono'
import { Hono } from 'hono'

/** The smallest product on Hono that sells with Turnpike: one route that is free, one that is sold, one that is used up. */
export const createHost = (options: { turnpikeUrl: string; credential: string }): Hono => {
  const client = createClient({ baseUrl: options.turnpikeUrl, credential: options.credential })
  const needs = entitlementGuard({
    checker: createChecker(client, { policies: { api_access: { lastKnownForMs: 3_600_000, otherwise: 'open' } } }),
    // Stands for the host's own sign-in. A real host takes the account from its session, never from a bare header.
    tenantOf: (context) => context.req.header('x-account') ?? null,
  })

  const app = new Hono()
  app.get('/health', needs('public'), (context) => context.json({ ok: true }))
  app.get('/notes', needs('api_access'), (context) => context.json(['Buy milk']))
  app.post('/exports', needs({ feature: 'exports', consume: true }), (context) => context.json({ file: 'Buy milk' }))
  // A route that says nothing keeps the host from starting, and its test from passing.
  assertGuarded(app)
  return app
}
