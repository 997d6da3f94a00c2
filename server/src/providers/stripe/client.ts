import Stripe from 'stripe'
import { fail } from '../../core/errors.ts'
import { passFaultPoint } from '../../platform/fault-points.ts'
import type { Log } from '../../platform/log.ts'

/** The official SDK, pointed at Stripe or at any server that speaks its protocol. */
export const createStripe = (settings: { secretKey: string; apiBase: string | null; timeoutMs?: number }): Stripe => {
  const base = settings.apiBase === null ? null : new URL(settings.apiBase)
  return new Stripe(settings.secretKey, {
    telemetry: false,
    maxNetworkRetries: 1,
    timeout: settings.timeoutMs ?? 8_000,
    ...(base
      ? {
          host: base.hostname,
          port: base.port || (base.protocol === 'https:' ? 443 : 80),
          protocol: base.protocol === 'https:' ? ('https' as const) : ('http' as const),
        }
      : {}),
  })
}

/** Runs a request; whatever the provider says when it fails stays in the log (API-3). */
export const asking = async <T>(log: Log, what: string, request: () => Promise<T>): Promise<T> => {
  try {
    passFaultPoint('before_provider_request', what)
    const answer = await request()
    passFaultPoint('after_provider_request', what)
    return answer
  } catch (error) {
    const { type, code, statusCode, requestId } = error as {
      type?: string
      code?: string
      statusCode?: number
      requestId?: string
    }
    log.warn(
      { what, provider: 'stripe', type, code, statusCode, providerRequestId: requestId },
      'provider request failed',
    )
    throw fail('provider_unavailable', { cause: error })
  }
}

/** The answer, or null when Stripe does not know the object, or the one that it was asked for by. */
export const orMissing = async <T>(request: Promise<T>): Promise<T | null> => {
  try {
    return await request
  } catch (error) {
    const { statusCode, code } = error as { statusCode?: number; code?: string }
    if (statusCode === 404 || code === 'resource_missing') return null
    throw error
  }
}
