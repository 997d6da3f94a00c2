import Stripe from 'stripe'
import { Failure, fail } from '../../core/errors.ts'
import { systemClock } from '../../platform/clock.ts'
import { passFaultPoint } from '../../platform/fault-points.ts'
import type { Log } from '../../platform/log.ts'
import { counter, seconds } from '../../platform/telemetry.ts'
import { type Circuit, createCircuit } from './circuit.ts'

/** The SDK waits so long for the provider to move; a whole attempt may take half as long again. */
const patienceMs = 8_000

export const createStripeCircuit = (timeoutMs: number = patienceMs): Circuit =>
  createCircuit({ attemptMs: timeoutMs * 1.5 })

/** The official SDK, pointed at Stripe or at any server that speaks its protocol. */
export const createStripe = (settings: {
  secretKey: string
  apiBase: string | null
  timeoutMs?: number
  circuit?: Circuit
}): Stripe => {
  const base = settings.apiBase === null ? null : new URL(settings.apiBase)
  return new Stripe(settings.secretKey, {
    telemetry: false,
    maxNetworkRetries: 1,
    timeout: settings.timeoutMs ?? patienceMs,
    httpClient: (settings.circuit ?? createStripeCircuit(settings.timeoutMs)).httpClient,
    ...(base
      ? {
          host: base.hostname,
          port: base.port || (base.protocol === 'https:' ? 443 : 80),
          protocol: base.protocol === 'https:' ? ('https' as const) : ('http' as const),
        }
      : {}),
  })
}

const requests = counter('turnpike_provider_requests', 'Requests to the payment provider by operation and outcome')
const durations = seconds('turnpike_provider_request_seconds', 'Requests to the payment provider, repeats included')

type SdkError = {
  type?: string
  code?: string
  decline_code?: string
  statusCode?: number
  requestId?: string
  headers?: Record<string, string>
}

/**
 * Runs a request; whatever the provider says when it fails stays in the log (API-3). It fails as `provider_unavailable`
 * when the same request may work later, as `provider_refused` when the provider has understood and said no.
 */
export const asking = async <T>(log: Log, what: string, request: () => Promise<T>): Promise<T> => {
  const begunMs = systemClock.nowMs()
  const ended = (outcome: string) => {
    requests({ operation: what, outcome })
    durations((systemClock.nowMs() - begunMs) / 1_000, { operation: what })
  }
  try {
    passFaultPoint('before_provider_request', what)
    const answer = await request()
    passFaultPoint('after_provider_request', what)
    ended('ok')
    return answer
  } catch (error) {
    const { type, code, decline_code: declineCode, statusCode, requestId, headers } = error as SdkError
    const refused = isRefusal(error as SdkError)
    ended(refused ? 'refused' : code === 'circuit_open' ? 'not_asked' : 'unavailable')
    log.warn(
      { what, provider: 'stripe', type, code, declineCode, statusCode, providerRequestId: requestId },
      'provider request failed',
    )
    if (refused) throw fail('provider_refused', { cause: error })
    const retryAfterSeconds = Number(headers?.['retry-after'])
    throw fail('provider_unavailable', {
      cause: error,
      extra: retryAfterSeconds > 0 ? { retryAfterSeconds: Math.ceil(retryAfterSeconds) } : {},
    })
  }
}

/** The provider has read the request and said no: another try would be told the same. A bad key is our trouble, not its. */
const isRefusal = ({ statusCode, code }: SdkError): boolean =>
  (statusCode === 400 || statusCode === 402 || statusCode === 403 || statusCode === 404) && code !== 'lock_timeout'

/** Why the provider refused, from a failure of `asking`: its own code, and the bank's when a card was declined. */
export const refusalOf = (
  failure: unknown,
): { status: number; code: string | null; declineCode: string | null } | null => {
  if (!(failure instanceof Failure) || failure.code !== 'provider_refused') return null
  const { statusCode, code, decline_code } = failure.cause as SdkError
  return { status: statusCode ?? 400, code: code ?? null, declineCode: decline_code ?? null }
}

/** The answer, or null when Stripe does not know the object, or the one that it was asked for by. */
export const orMissing = async <T>(request: Promise<T>): Promise<T | null> => {
  try {
    return await request
  } catch (error) {
    const { statusCode, code } = error as SdkError
    if (statusCode === 404 || code === 'resource_missing') return null
    throw error
  }
}
