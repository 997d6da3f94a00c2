import type { Express, Request, RequestHandler } from 'express'
import {
  type EntitlementDeclaration,
  type GuardOptions,
  type InventoryEntry,
  judge,
  marked,
  markOf,
  refuseUndeclared,
  summaryOf,
} from './guard.ts'

/**
 * Guards for Express (ENT-10): `const needs = entitlementGuard({ checker, tenantOf })`, then `needs('reports')` before the
 * handler of a route, or `app.use('/reports', needs('reports'))` before those of many.
 */
export const entitlementGuard =
  (options: GuardOptions<Request>) =>
  (declaration: EntitlementDeclaration<Request>): RequestHandler =>
    marked(async (request, response, next) => {
      const refusal = await judge(options, request, declaration)
      if (!refusal) return next()
      response.status(refusal.status).set(refusal.headers).send(JSON.stringify(refusal.body))
    }, declaration) satisfies RequestHandler

/** Every endpoint and what it needs. A mounted application counts as one endpoint, guarded by what stands before it. */
export const entitlementInventory = (app: Express): InventoryEntry[] =>
  walk((app as unknown as { router: Router }).router, '', [])

/** Throws when an endpoint says nothing: call it before listening, and in a test. */
export const assertGuarded = (app: Express): void =>
  refuseUndeclared(entitlementInventory(app), "Put needs('a feature') or needs('public') before their handlers.")

/** As much of Express as is looked at: its own types say nothing of it. */
type Layer = {
  handle: { stack?: Layer[] }
  name: string
  rawPath: unknown
  method?: string
  route?: { path: unknown; stack: Layer[] }
}
type Router = { stack: Layer[] }
type Inherited = { prefix: string; declaration: EntitlementDeclaration<never> }

const walk = (router: Router, prefix: string, above: readonly Inherited[]): InventoryEntry[] => {
  const inherited = [...above]
  return router.stack.flatMap((layer): InventoryEntry[] => {
    const url = prefix + pathOf(layer.route ? layer.route.path : layer.rawPath)
    const fromAbove = inherited.findLast(
      (each) => url === each.prefix || url.startsWith(`${each.prefix}/`),
    )?.declaration
    const { route } = layer
    if (route) {
      return [...Map.groupBy(route.stack, ({ method }) => method ?? 'all')].map(([method, handlers]) => {
        // Whoever stands before the work guards it; the last handler does it.
        const own = handlers.slice(0, -1).map(({ handle }) => markOf(handle))
        const declaration = own.find((each) => each !== undefined) ?? fromAbove
        return { method: method.toUpperCase(), url: url || '/', ...summaryOf(declaration) }
      })
    }
    const declaration = markOf(layer.handle)
    if (declaration !== undefined) inherited.push({ prefix: url, declaration })
    if (layer.handle.stack) return walk(layer.handle as Router, url, inherited)
    return layer.name === 'mounted_app' ? [{ method: 'ALL', url: `${url}/*`, ...summaryOf(fromAbove) }] : []
  })
}

const pathOf = (path: unknown): string => (path === '/' ? '' : String(path))
