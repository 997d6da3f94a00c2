import type { Answer, Checker } from '../check.ts'

/** What a route needs: a feature, a feature of which it uses something up, or nothing (`public`). */
export type EntitlementDeclaration<Request> =
  | 'public'
  | (string & Record<never, never>)
  | {
      feature: string
      /** Units of the feature's meter, 1 unless told; may depend on the request. */
      quantity?: number | ((request: Request) => number)
      /** Count the quantity when it is allowed. */
      consume?: boolean
    }

export type GuardOptions<Request> = {
  checker: Pick<Checker, 'check' | 'consume'>
  /** Whose request it is, from the host's own authentication; null refuses. */
  tenantOf: (request: Request) => string | null | Promise<string | null>
  /**
   * Under which key a request is counted; a new one for every request unless told. Give the caller's key only when the
   * host does the work once per key too: otherwise a caller who repeats one key is served often and counted once.
   */
  idempotencyKey?: (request: Request) => string | undefined
}

export type InventoryEntry = {
  method: string
  url: string
  /** `null`: the route has no declaration. */
  entitlement: string | null
  consumes: boolean
}

/** How a request is turned away: a problem document, the same from every guard. */
export type Refusal = {
  status: 402 | 403 | 503
  headers: Record<string, string>
  body: Record<string, unknown>
}

/** Decides one request; null lets it through. */
export const judge = async <Request>(
  options: GuardOptions<Request>,
  request: Request,
  declaration: EntitlementDeclaration<Request>,
): Promise<Refusal | null> => {
  if (declaration === 'public') return null
  const tenantId = await options.tenantOf(request)
  if (!tenantId) return refusalOf(403, 'tenant_unknown', null)
  const answer = await ask(options, request, tenantId, declaration)
  return answer.allowed ? null : refusalOf(statusOf(answer), answer.reason, answer)
}

const ask = <Request>(
  { checker, idempotencyKey }: GuardOptions<Request>,
  request: Request,
  tenantId: string,
  declaration: EntitlementDeclaration<Request>,
): Promise<Answer> => {
  if (typeof declaration === 'string') return checker.check(tenantId, declaration)
  const { feature, quantity = 1, consume = false } = declaration
  const units = typeof quantity === 'function' ? quantity(request) : quantity
  if (!consume) return checker.check(tenantId, feature, units)
  // Request ids of frameworks start again with the process, so they cannot be keys that hold for ever.
  return checker.consume(tenantId, feature, units, idempotencyKey?.(request) ?? crypto.randomUUID())
}

/** 402 when paying changes the answer, 403 when it does not, 503 when nobody can say: no one should be asked to pay then. */
const statusOf = (answer: Answer): Refusal['status'] => {
  if (answer.reason === 'service_unreachable') return 503
  return answer.reason === 'disabled_by_override' || answer.reason === 'unknown_customer' ? 403 : 402
}

const titles = { 402: 'Payment required', 403: 'Not permitted', 503: 'Cannot be decided now' }

export const refusalOf = (status: Refusal['status'], reason: string, answer: Answer | null): Refusal => ({
  status,
  headers: {
    'content-type': 'application/problem+json',
    // Not before the service is asked again.
    ...(status === 503 ? { 'retry-after': String(Math.max(1, Math.ceil((answer?.retryAfterMs ?? 0) / 1_000))) } : {}),
  },
  body: {
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
  },
})

export const summaryOf = (declaration: EntitlementDeclaration<never> | undefined) => ({
  entitlement: declaration === undefined ? null : typeof declaration === 'string' ? declaration : declaration.feature,
  consumes: typeof declaration === 'object' && declaration.consume === true,
})

/** Throws with the name of every route that says nothing (ENT-10). */
export const refuseUndeclared = (inventory: readonly InventoryEntry[], how: string): void => {
  const open = inventory.filter((entry) => entry.entitlement === null)
  if (open.length === 0) return
  const names = open.map((entry) => `${entry.method} ${entry.url}`).join(', ')
  throw new Error(`Routes without an entitlement declaration: ${names}. ${how}`)
}

const mark = Symbol.for('turnpike.entitlement')

/** A handler carries what it guards, so that an inventory can be made of the routes as they are. */
export const marked = <Handler extends object, Request>(
  handler: Handler,
  declaration: EntitlementDeclaration<Request>,
): Handler => Object.assign(handler, { [mark]: declaration })

export const markOf = (handler: unknown): EntitlementDeclaration<never> | undefined =>
  (handler as { [mark]?: EntitlementDeclaration<never> } | undefined)?.[mark]
