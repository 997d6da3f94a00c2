import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify'
import {
  type EntitlementDeclaration,
  type GuardOptions,
  type InventoryEntry,
  judge,
  refusalOf,
  refuseUndeclared,
  summaryOf,
} from './guard.ts'

type Declaration = EntitlementDeclaration<FastifyRequest>

export type EntitlementGuardOptions = GuardOptions<FastifyRequest> & {
  /** Declares routes of other plugins (documentation pages, metrics), which cannot carry the declaration themselves. */
  declare?: (route: { method: string; url: string }) => Declaration | undefined
}

declare module 'fastify' {
  interface FastifyContextConfig {
    entitlement?: EntitlementDeclaration<FastifyRequest>
  }
  interface FastifyInstance {
    /** Every endpoint and what it needs (ENT-10). */
    entitlementInventory: () => InventoryEntry[]
  }
}

/**
 * Guards every route by its declaration, and refuses to start when one has none (ENT-10). Register it first and await it:
 * Fastify tells plugins only of routes that are added after them.
 */
const guard: FastifyPluginAsync<EntitlementGuardOptions> = async (app: FastifyInstance, options) => {
  if (hasRoutes(app)) {
    throw new Error('Routes exist already: `await app.register(entitlementGuard, …)` before the first route is added.')
  }
  const inventory: InventoryEntry[] = []
  const declared = (route: { method: string; url: string; config?: { entitlement?: Declaration } }) =>
    route.config?.entitlement ?? options.declare?.({ method: route.method, url: route.url })

  app.addHook('onRoute', (route) => {
    for (const method of [route.method].flat()) {
      const entitlement = declared({ ...route, method })
      inventory.push({ method, url: route.url, ...summaryOf(entitlement) })
    }
  })
  app.decorate('entitlementInventory', () => inventory.map((entry) => ({ ...entry })))

  app.addHook('onReady', async () => {
    refuseUndeclared(inventory, "Declare a feature or 'public' in their config.")
  })

  // After validation, so that a request that does not fit is never counted.
  app.addHook('preHandler', async (request, reply) => {
    if (request.is404) return
    const { config, url = '', method } = request.routeOptions
    const entitlement = declared({ config, url, method: [method].flat()[0] ?? request.method })
    // Cannot happen after `onReady`; stays shut if it does.
    const refusal =
      entitlement === undefined ? refusalOf(403, 'not_declared', null) : await judge(options, request, entitlement)
    if (refusal) return reply.code(refusal.status).headers(refusal.headers).send(refusal.body)
  })
}

/** Without this Fastify would keep the hooks to the plugin's own routes; it is what the package fastify-plugin sets. */
export const entitlementGuard = Object.assign(guard, { [Symbol.for('skip-override')]: true })

const hasRoutes = (app: FastifyInstance): boolean => app.printRoutes() !== '(empty tree)'
