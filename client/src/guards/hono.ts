import type { Context, Hono, MiddlewareHandler } from 'hono'
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
 * Guards for Hono (ENT-10): `const needs = entitlementGuard({ checker, tenantOf })`, then `needs('reports')` before the
 * handler of a route, or `app.use('/reports/*', needs('reports'))` before those of many.
 */
export const entitlementGuard =
  (options: GuardOptions<Context>) =>
  (declaration: EntitlementDeclaration<Context>): MiddlewareHandler =>
    marked<MiddlewareHandler, Context>(async (context, next) => {
      const refusal = await judge(options, context, declaration)
      if (refusal) return context.body(JSON.stringify(refusal.body), refusal.status, refusal.headers)
      await next()
    }, declaration)

/**
 * Every endpoint and what it needs. What `app.use` and `app.mount` add cannot be told apart from middleware, which asks for
 * the next handler: guard what is mounted by hand.
 */
export const entitlementInventory = (app: Pick<Hono, 'routes'>): InventoryEntry[] => {
  const endpoints = new Map<string, InventoryEntry & { isLast: boolean }>()
  const inherited: { path: string; declaration: EntitlementDeclaration<never> }[] = []
  for (const { method, path, handler } of app.routes) {
    const inner = composed(handler)
    const declaration = markOf(inner)
    if (declaration !== undefined) {
      inherited.push({ path: method === 'ALL' ? path : `${method} ${path}`, declaration })
      continue
    }
    const isLast = inner.length < 2
    if (method === 'ALL' && !isLast) continue
    // Who does not ask for the next handler does the work; whatever is added behind is never reached.
    const name = `${method} ${path}`
    if (endpoints.get(name)?.isLast) continue
    const declared = inherited.findLast((each) => covers(each.path, method, path))?.declaration
    endpoints.set(name, { method, url: path, ...summaryOf(declared), isLast })
  }
  return [...endpoints.values()].map(({ isLast: _, ...entry }) => entry)
}

/** Throws when an endpoint says nothing: call it before listening, and in a test. */
export const assertGuarded = (app: Pick<Hono, 'routes'>): void =>
  refuseUndeclared(entitlementInventory(app), "Put needs('a feature') or needs('public') before their handlers.")

const covers = (guarded: string, method: string, path: string): boolean =>
  guarded === path ||
  guarded === `${method} ${path}` ||
  (guarded.endsWith('/*') && (path === guarded.slice(0, -2) || path.startsWith(guarded.slice(0, -1))))

/** A grouped application with an error handler of its own wraps its handlers, and says what is inside. */
const composed = (handler: object): { length: number } =>
  (handler as { __COMPOSED_HANDLER?: { length: number } }).__COMPOSED_HANDLER ?? (handler as { length: number })
