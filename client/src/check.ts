import type { CheckRequest, Decision } from '@turnpike/contract'
import { createCircuit } from './circuit.ts'
import type { Client } from './client.ts'
import { isOutage, type TurnpikeError } from './errors.ts'
import { createMemory } from './memory.ts'
import type { Spool } from './spool/index.ts'
import { createUnsettled, type Keeper, type LetThrough } from './unsettled.ts'

/**
 * What to answer while the service cannot be reached (ENT-9). `lastKnownForMs`: the last answer of the service, as long as
 * it is not older than that; after it, and when there is none, `otherwise` (closed unless told).
 */
export type FailurePolicy = 'open' | 'closed' | { lastKnownForMs: number; otherwise?: 'open' | 'closed' }

/** `last_known`: an answer of the service from memory; `policy`: the service could not be asked and nothing is known. */
export type Answer = Omit<Decision, 'reason'> & {
  reason: Decision['reason'] | 'service_unreachable'
  source: 'service' | 'last_known' | 'policy'
  /** When the service will be asked again; only where it could not be asked. */
  retryAfterMs?: number
}

export type CheckerOptions = {
  policies: Record<string, FailurePolicy>
  /** For features without a policy of their own; closed unless told. */
  otherwise?: FailurePolicy
  /** Answers of the service may be used again for so long without asking; 0, and thus never, unless told. */
  freshForMs?: number
  /** A check that takes longer counts as an outage; 1 s unless told. */
  timeoutMs?: number
  /**
   * After an outage the policy answers at once for so long (1 s unless told), or for as long as the service asked for; then
   * one request tries it again.
   */
  retryOutageAfterMs?: number
  /**
   * Where what is let through waits to be counted (`@turnpike/client/spool`). Without one it waits in memory, and is lost
   * with the process.
   */
  spool?: Pick<Spool, 'keep' | 'flush' | 'status'>
  /** Named in usage records as the service that reported. */
  service?: string
  /** Told of a use that was let through, waited in memory, and was then turned down as wrong. A spool keeps its own list. */
  onUncounted?: (use: LetThrough, error: TurnpikeError) => void
  now?: () => number
}

export type Checker = ReturnType<typeof createChecker>

/** Checks that never throw because the service is away. They still throw when the question is wrong (an unknown feature). */
export const createChecker = (client: Pick<Client, 'check'>, options: CheckerOptions) => {
  const { freshForMs = 0, timeoutMs = 1_000, retryOutageAfterMs = 1_000, now = Date.now, spool, service } = options
  const memory = createMemory()
  const circuit = createCircuit(retryOutageAfterMs, now)

  type Question = CheckRequest & { tenantId: string; quantity: number }
  const ask = async (body: Question): Promise<Answer> => {
    const { data } = await client.check({ body, timeoutMs, retries: 0, idempotencyKey: body.idempotencyKey })
    const answer: Answer = { ...data.decisions[0]!, source: 'service' }
    memory.remember(body.tenantId, answer, body.quantity, now())
    return answer
  }

  const keeper: Keeper<LetThrough> = spool
    ? {
        keep: async (use) => {
          const at = new Date(now()).toISOString()
          return (await spool.keep({ ...use, at, ...(service === undefined ? {} : { service }) })).status === 'spooled'
        },
        settle: spool.flush,
        waiting: () => spool.status().waiting,
      }
    : createUnsettled({
        tell: (use) => ask({ ...use, consume: true, service }),
        onOutage: circuit.failed,
        onUncounted: options.onUncounted,
      })
  const settleSoon = (wasAway: boolean) => {
    // A spool tries again by itself; that the service is back is news to it.
    if ((wasAway || !spool) && keeper.waiting() > 0) void keeper.settle()
  }

  /** The service's answer, or null when it cannot be had now. */
  const askOrNull = async (body: Question): Promise<Answer | null> => {
    if (!circuit.enter()) return null
    try {
      const answer = await ask(body)
      settleSoon(circuit.succeeded())
      return answer
    } catch (error) {
      if (isOutage(error)) circuit.failed(error)
      else circuit.succeeded()
      if (!isOutage(error)) throw error
      return null
    }
  }
  const unreachable = (feature: string, allowed: boolean): Answer => ({
    ...withoutAnswer,
    feature,
    allowed,
    state: allowed ? 'available' : 'blocked',
    retryAfterMs: circuit.waitMs(),
  })

  const withoutService = (tenantId: string, feature: string, quantity: number): Answer => {
    const policy = Object.hasOwn(options.policies, feature)
      ? options.policies[feature]!
      : (options.otherwise ?? 'closed')
    if (typeof policy === 'string') return unreachable(feature, policy === 'open')
    const known = memory.recall(tenantId, feature, quantity, now(), policy.lastKnownForMs)
    return known ? known.answer : unreachable(feature, policy.otherwise === 'open')
  }

  const askFirst = async (tenantId: string, feature: string, quantity: number): Promise<Answer> =>
    (await askOrNull({ tenantId, feature, quantity, service })) ?? withoutService(tenantId, feature, quantity)

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
   * counted under its key, at its time, when the service is back: failing open does not lose usage. What cannot be kept is
   * not let through.
   */
  const consume = async (
    tenantId: string,
    feature: string,
    quantity: number,
    idempotencyKey: string,
  ): Promise<Answer> => {
    const use = { tenantId, feature, quantity, idempotencyKey }
    const answer = await askOrNull({ ...use, consume: true, service })
    if (answer) return answer
    const local = withoutService(tenantId, feature, quantity)
    if (!local.allowed) return local
    // Taken before anything is waited for, so that two at once do not both get the last one.
    memory.use(tenantId, feature, quantity)
    return (await keeper.keep(use)) ? { ...local, consumed: false } : unreachable(feature, false)
  }

  return {
    check,
    consume,
    /** Counts what was let through during an outage. Runs by itself after the next answer; await it before shutting down. */
    settle: async (): Promise<void> => void (await keeper.settle()),
    /** How many uses wait to be counted. */
    unsettled: keeper.waiting,
  }
}

const withoutAnswer = {
  reason: 'service_unreachable',
  kind: 'boolean',
  value: null,
  limit: null,
  used: null,
  remaining: null,
  resetsAt: null,
  upgradePlan: null,
  consumed: false,
  source: 'policy',
} as const
