import type { FastifyInstance } from 'fastify'
import type { ProviderAvailability } from '../modules/payments/index.ts'
import { readMetrics } from '../platform/telemetry.ts'
import { type Authenticator, requirePermission } from './auth.ts'
import type { HttpDeps } from './handler.ts'

const json = 'application/json; charset=utf-8'

/** What `/health` tells: whether requests are taken, and what each part says of itself. */
export type Health = {
  ready: boolean
  database: boolean
  listening: boolean
  catalogVersion: number | null
}

/**
 * What machines look at (OPS-1): alive, ready, each part, and the metrics. A silent provider leaves the service ready:
 * checks go on without it.
 */
export const addOperationRoutes = (
  app: FastifyInstance,
  deps: HttpDeps,
  authenticator: Authenticator,
  health: () => Promise<Health>,
): void => {
  app.get('/health/live', (_, reply) => reply.header('content-type', json).send('{"status":"live"}'))
  app.get('/health/ready', async (_, reply) => {
    const { ready } = await health()
    return reply
      .status(ready ? 200 : 503)
      .header('content-type', json)
      .send(JSON.stringify({ status: ready ? 'ready' : 'not_ready' }))
  })
  app.get('/health', async (_, reply) => {
    const { ready, database, listening, catalogVersion } = await health()
    const provider: ProviderAvailability = deps.provider.availability()
    const status = !ready ? 'not_ready' : provider.circuit === 'closed' ? 'ready' : 'degraded'
    return reply
      .status(ready ? 200 : 503)
      .header('content-type', json)
      .header('cache-control', 'no-store')
      .send(JSON.stringify({ status, parts: { database, listening, catalogVersion, provider } }))
  })
  app.get('/metrics', async (request, reply) => {
    const credential = await authenticator.authenticate(request.headers, request.id)
    await requirePermission(deps, credential, 'billing:metrics:read', request.id, 'readMetrics')
    return reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8').send(await readMetrics())
  })
}
