import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Answer, Checker } from '../check.ts'

/** What a route needs: a feature, a feature of which it uses something up, or nothing (`public`). */
export type EntitlementDeclaration =
  | 'public'
  | (string & Record<never, never>)
  | {
      feature: string
      /** Units of the feature's meter, 1 unless told; may depend on the request. */
      quantity?: number | ((request: FastifyRequest) => number)
      /** Count the quantity when it is allowed. */
      consume?: boolean
    }

export type EntitlementGuardOptions = {
  checker: Pick<Checker, 'check' | 'consume'>
  /** Whose request it is, from the host's own authentication (which runs in `onRequest`); null refuses. */
  tenantOf: (request: FastifyRequest) => string | null | Promise<string | null>
  /** Declares routes of other plugins (documentation pages, metrics), which cannot carry the declaration themselves. */
  declare?: (route: { method: string; url: string }) => EntitlementDeclaration | undefined
  /**
   * Under which key a request is counted; a new one for every request unless told. Give the caller's key only when the
   * host does the work once per key too: otherwise a caller who repeats one key is served often and counted once.
   */
  idempotencyKey?: (request: FastifyRequest) => string | undefined
}

export type InventoryEntry = {
  method: string
  url: string
  /** `null`: the route has no declaration, and the application does not start. */
  entitlement: string | null
  consumes: boolean
}

declare module 'fastify' {
  interface FastifyContextConfig {
    entitlement?: EntitlementDeclaration
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
  const declared = (route: { method: string; url: string; config?: { entitlement?: EntitlementDeclaration } }) =>
    route.config?.entitlement ?? options.declare?.({ method: route.method, url: route.url })

  app.addHook('onRoute', (route) => {
    for (const method of [route.method].flat()) {
      const entitlement = declared({ ...route, method })
      inventory.push({ method, url: route.url, ...summaryOf(entitlement) })
    }
  })
  app.decorate('entitlementInventory', () => inventory.map((entry) => ({ ...entry })))

  app.addHook('onReady', async () => {
    const open = inventory.filter((entry) => entry.entitlement === null)
    if (open.length === 0) return
    const names = open.map((entry) => `${entry.method} ${entry.url}`).join(', ')
    throw new Error(
      `Routes without an entitlement declaration: ${names}. Declare a feature or 'public' in their config.`,
    )
  })

  // After validation, so that a request that does not fit is never counted.
  app.addHook('preHandler', async (request, reply) => {
    if (request.is404) return
    const { config, url = '', method } = request.routeOptions
    const entitlement = declared({ config, url, method: [method].flat()[0] ?? request.method })
    if (entitlement === 'public') return
    // Cannot happen after `onReady`; stays shut if it does.
    if (entitlement === undefined) return refuse(reply, 403, 'not_declared', null)
    const tenantId = await options.tenantOf(request)
    if (!tenantId) return refuse(reply, 403, 'tenant_unknown', null)
    const answer = await ask(options, request, tenantId, entitlement)
    if (!answer.allowed) return refuse(reply, statusOf(answer), answer.reason, answer)
  })
}

/** Without this Fastify would keep the hooks to the plugin's own routes; it is what the package fastify-plugin sets. */
export const entitlementGuard = Object.assign(guard, { [Symbol.for('skip-override')]: true })

const ask = (
  { checker, idempotencyKey }: EntitlementGuardOptions,
  request: FastifyRequest,
  tenantId: string,
  entitlement: EntitlementDeclaration,
): Promise<Answer> => {
  if (typeof entitlement === 'string') return checker.check(tenantId, entitlement)
  const { feature, quantity = 1, consume = false } = entitlement
  const units = typeof quantity === 'function' ? quantity(request) : quantity
  if (!consume) return checker.check(tenantId, feature, units)
  // Fastify's request ids start again with the process, so they cannot be keys that hold for ever.
  return checker.consume(tenantId, feature, units, idempotencyKey?.(request) ?? crypto.randomUUID())
}

/** 402 when paying changes the answer, 403 when it does not, 503 when nobody can say: no one should be asked to pay then. */
const statusOf = (answer: Answer): number => {
  if (answer.reason === 'service_unreachable') return 503
  return answer.reason === 'disabled_by_override' || answer.reason === 'unknown_customer' ? 403 : 402
}

const titles: Record<number, string> = { 402: 'Payment required', 403: 'Not permitted', 503: 'Cannot be decided now' }

const refuse = (reply: FastifyReply, status: number, reason: string, answer: Answer | null): FastifyReply => {
  if (status === 503) reply.header('retry-after', '1')
  return reply
    .code(status)
    .type('application/problem+json')
    .send({
      type: 'about:blank',
      title: titles[status],
      status,
      code: 'entitlement_refused',
      reason,
      feature: answer?.feature ?? null,
      limit: answer?.limit ?? null,
      used: answer?.used ?? null,
      resetsAt: answer?.resetsAt ?? null,
      upgradePlan: answer?.upgradePlan ?? null,
    })
}

const summaryOf = (entitlement: EntitlementDeclaration | undefined) => ({
  entitlement: entitlement === undefined ? null : typeof entitlement === 'string' ? entitlement : entitlement.feature,
  consumes: typeof entitlement === 'object' && entitlement.consume === true,
})

const hasRoutes = (app: FastifyInstance): boolean => app.printRoutes() !== '(empty tree)'
