import { createChecker, createClient } from '@turnpike/client'
import { entitlementGuard } from '@turnpike/client/fastify'
import Fastify, { type FastifyInstance } from 'fastify'

export type HostOptions = { turnpikeUrl: string; credential: string }

/** A note-taking product that sells what Turnpike's catalog says: API access, an audit log, and a number of exports. */
export const createHost = async (options: HostOptions): Promise<FastifyInstance> => {
  const app = Fastify()
  const client = createClient({ baseUrl: options.turnpikeUrl, credential: options.credential })
  const checker = createChecker(client, {
    service: 'notes',
    policies: {
      // Reading one's notes goes on while the billing service is away.
      api_access: { lastKnownForMs: 3_600_000, otherwise: 'open' },
      audit_log: { lastKnownForMs: 300_000 },
      exports: 'closed',
    },
  })

  // Before the first route, and awaited: a route without a declaration then keeps the host from starting.
  await app.register(entitlementGuard, {
    checker,
    // Stands for the host's own sign-in. A real host takes the account from its session, never from a bare header.
    tenantOf: (request) => (request.headers['x-account'] as string | undefined) ?? null,
  })
  app.addHook('onClose', () => checker.settle())

  const notes = new Map<string, string[]>()
  const notesOf = (account: unknown) => notes.get(String(account)) ?? []

  app.get('/health', { config: { entitlement: 'public' } }, async () => ({ ok: true }))
  app.get('/entitlements', { config: { entitlement: 'public' } }, async () => app.entitlementInventory())

  app.get('/notes', { config: { entitlement: 'api_access' } }, async (request) => notesOf(request.headers['x-account']))
  app.post<{ Body: { text: string } }>(
    '/notes',
    {
      config: { entitlement: 'api_access' },
      schema: { body: { type: 'object', required: ['text'], properties: { text: { type: 'string' } } } },
    },
    async (request, reply) => {
      const account = String(request.headers['x-account'])
      notes.set(account, [...notesOf(account), request.body.text])
      return reply.code(201).send({ text: request.body.text })
    },
  )
  app.get('/audit-log', { config: { entitlement: 'audit_log' } }, async () => [])
  app.post('/exports', { config: { entitlement: { feature: 'exports', consume: true } } }, async (request) => ({
    file: notesOf(request.headers['x-account']).join('\n'),
  }))
  return app
}
