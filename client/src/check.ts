import type { CheckRequest, Decision } from '@turnpike/contract'
import type { Client } from './client.ts'
import { isOutage, TurnpikeError } from './errors.ts'
import { createMemory } from './memory.ts'

/**
 * What to answer while the service cannot be reached (ENT-9). `lastKnownForMs`: the last answer of the service, as long as
 * it is not older than that; after it, and when there is none, `otherwise` (closed unless told).
 */
export type FailurePolicy = 'open' | 'closed' | { lastKnownForMs: number; otherwise?: 'open' | 'closed' }

/** `last_known`: an answer of the service from memory; `policy`: the service could not be asked and nothing is known. */
export type Answer = Omit<Decision, 'reason'> & {
  reason: Decision['reason'] | 'service_unreachable'
  source: 'service' | 'last_known' | 'policy'
}

export type CheckerOptions = {
  policies: Record<string, FailurePolicy>
  /** For features without a policy of their own; closed unless told. */
  otherwise?: FailurePolicy
  /** Answers of the service may be used again for so long without asking; 0, and thus never, unless told. */
  freshForMs?: number
  /** A check that takes longer counts as an outage; 1 s unless told. */
  timeoutMs?: number
  /** After an outage the policy answers at once for so long, then the service is asked again; 1 s unless told. */
  retryOutageAfterMs?: number
  /** Named in usage records as the service that reported. */
  service?: string
  /** Told of a consumption that was let through in an outage and that the service afterwards turned down as wrong. */
  onUncounted?: (consumption: Consumption, error: TurnpikeError) => void
  now?: () => number
}

type Consumption = { tenantId: string; feature: string; quantity: number; idempotencyKey: string }

/** More than this that was let through and could not be counted is a long outage: the oldest stay, new ones are refused. */
const mostUnsettled = 10_000
const turnedDown: ReadonlySet<number> = new Set([400, 404, 409, 422])

export type Checker = ReturnType<typeof createChecker>

/** Checks that never throw because the service is away. They still throw when the question is wrong (an unknown feature). */
export const createChecker = (client: Pick<Client, 'check'>, options: CheckerOptions) => {
  const { freshForMs = 0, timeoutMs = 1_000, retryOutageAfterMs = 1_000, now = Date.now } = options
  const memory = createMemory()
  const unsettled: Consumption[] = []
  let outageUntil = Number.NEGATIVE_INFINITY
  let settling: Promise<void> | null = null

  const ask = async (body: CheckRequest & { tenantId: string; quantity: number }): Promise<Answer> => {
    const { data } = await client.check({ body, timeoutMs, retries: 0, idempotencyKey: body.idempotencyKey })
    const answer: Answer = { ...data.decisions[0]!, source: 'service' }
    memory.remember(body.tenantId, answer, body.quantity, now())
    outageUntil = Number.NEGATIVE_INFINITY
    return answer
  }

  /** The service's answer, or null when it cannot be had now. */
  const askOrNull = async (body: CheckRequest & { tenantId: string; quantity: number }): Promise<Answer | null> => {
    if (now() < outageUntil) return null
    try {
      return await ask(body)
    } catch (error) {
      if (!isOutage(error)) throw error
      outageUntil = now() + retryOutageAfterMs
      return null
    }
  }

  const withoutService = (tenantId: string, feature: string, quantity: number): Answer => {
    const policy = Object.hasOwn(options.policies, feature)
      ? options.policies[feature]!
      : (options.otherwise ?? 'closed')
    if (typeof policy === 'string') return unreachable(feature, policy === 'open')
    const known = memory.recall(tenantId, feature, quantity, now(), policy.lastKnownForMs)
    return known ? known.answer : unreachable(feature, policy.otherwise === 'open')
  }

  const askFirst = async (tenantId: string, feature: string, quantity: number): Promise<Answer> => {
    const answer = await askOrNull({ tenantId, feature, quantity, service: options.service })
    if (answer) settleSoon()
    return answer ?? withoutService(tenantId, feature, quantity)
  }

  /** Whether it is allowed now, without counting it. */
  const check = (tenantId: string, feature: string, quantity = 1): Promise<Answer> => {
    if (freshForMs > 0) {
      const known = memory.recall(tenantId, feature, quantity, now(), freshForMs)
      if (known) return known.promise
    }
    return askFirst(tenantId, feature, quantity)
  }

  /**
   * Checks and counts in one step; the same key counts once. What a policy lets through during an outage is kept and
   * counted under its key when the service is back, so that failing open does not lose usage.
   */
  const consume = async (
    tenantId: string,
    feature: string,
    quantity: number,
    idempotencyKey: string,
  ): Promise<Answer> => {
    const request = { tenantId, feature, quantity, idempotencyKey }
    const answer = await askOrNull({ ...request, consume: true, service: options.service })
    if (answer) {
      settleSoon()
      return answer
    }
    const local = withoutService(tenantId, feature, quantity)
    if (!local.allowed) return local
    if (unsettled.length >= mostUnsettled) return unreachable(feature, false)
    unsettled.push(request)
    return { ...local, consumed: false }
  }

  const settleAll = async (): Promise<void> => {
    while (unsettled.length > 0) {
      const next = unsettled[0]!
      try {
        await ask({ ...next, consume: true, service: options.service })
      } catch (error) {
        if (isOutage(error)) outageUntil = now() + retryOutageAfterMs
        // Only a consumption that the service understood and turned down is given up; a missing right may come back.
        if (!(error instanceof TurnpikeError) || !turnedDown.has(error.status)) return
        options.onUncounted?.(next, error)
      }
      unsettled.shift()
    }
  }

  /** Counts what was let through during an outage. Runs by itself after the next answer; await it before shutting down. */
  const settle = (): Promise<void> => {
    settling ??= settleAll().finally(() => {
      settling = null
    })
    return settling
  }
  const settleSoon = () => {
    if (unsettled.length > 0) void settle()
  }

  return {
    check,
    consume,
    settle,
    /** How many consumptions wait to be counted. */
    unsettled: () => unsettled.length,
  }
}

const unreachable = (feature: string, allowed: boolean): Answer => ({
  feature,
  allowed,
  reason: 'service_unreachable',
  kind: 'boolean',
  value: null,
  limit: null,
  used: null,
  remaining: null,
  resetsAt: null,
  state: allowed ? 'available' : 'blocked',
  upgradePlan: null,
  consumed: false,
  source: 'policy',
})
