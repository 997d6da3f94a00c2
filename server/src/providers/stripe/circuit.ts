import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel'
import Stripe from 'stripe'
import type { ProviderAvailability } from '../../modules/payments/index.ts'
import { systemClock } from '../../platform/clock.ts'
import { counter } from '../../platform/telemetry.ts'

/** So many failures in a row open the circuit. */
export const failuresToOpen = 5
const firstPauseMs = 1_000
export const longestPauseMs = 30_000
/** A `Retry-After` is followed up to here. */
const longestRetryAfterMs = 60_000

const attempts = counter('turnpike_provider_http_attempts', 'Requests on the wire to the payment provider, by result')
const opened = counter('turnpike_provider_circuit_opened', 'How often the circuit to the payment provider opened')

export type Circuit = { httpClient: Stripe.HttpClient; availability(): ProviderAvailability }

type Answer = Awaited<ReturnType<Stripe.HttpClient['makeRequest']>>

/**
 * Between the SDK and the wire: every attempt is limited in time as a whole, body included, and after five failures in a
 * row nobody is asked for a while; then one request tries. A failure is an outage, a limit, a broken or an endless answer.
 * A refusal of one request (4xx) is an answer: it says that the provider is there.
 */
export const createCircuit = (settings: { attemptMs: number; inner?: Stripe.HttpClient }): Circuit => {
  const inner = settings.inner ?? Stripe.createNodeHttpClient()
  let retryAfterMs = 0
  let asksAgainAtMs = 0

  type Pauses = { next(context: { attempt: number }): Pauses & { duration: number } }
  const pauses: Pauses = {
    next: ({ attempt }) => {
      const duration = Math.max(Math.min(firstPauseMs * 2 ** (attempt - 1), longestPauseMs), retryAfterMs)
      asksAgainAtMs = systemClock.nowMs() + duration
      return { ...pauses, duration }
    },
  }
  const breaker = circuitBreaker(
    handleAll.orWhenResult((answer) => isFailure((answer as Answer).getStatusCode())),
    { breaker: new ConsecutiveBreaker(failuresToOpen), halfOpenAfter: pauses },
  )
  breaker.onBreak(() => opened())

  const attempt = async (args: Parameters<Stripe.HttpClient['makeRequest']>): Promise<Answer> => {
    let raw: { destroy?(error?: Error): void } | null = null
    let timer: NodeJS.Timeout | undefined
    const tooLong = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(Object.assign(new Error('the answer took too long'), { code: 'ETIMEDOUT' }))
        raw?.destroy?.()
      }, settings.attemptMs)
    })
    const whole = async (): Promise<Answer> => {
      const answer = await inner.makeRequest(...args)
      raw = answer.getRawResponse() as typeof raw
      // The body belongs to the attempt: one that breaks off or never ends is no answer.
      const body = await answer.toJSON()
      return answerOf(answer.getStatusCode(), answer.getHeaders(), body, raw)
    }
    const asking = whole()
    asking.catch(() => {})
    try {
      const answer = await Promise.race([asking, tooLong])
      const retryAfter = Number(answer.getHeaders()['retry-after'])
      retryAfterMs = retryAfter > 0 ? Math.min(retryAfter * 1_000, longestRetryAfterMs) : 0
      attempts({ result: String(answer.getStatusCode()) })
      return answer
    } catch (error) {
      retryAfterMs = 0
      attempts({ result: (error as { code?: string }).code === 'ETIMEDOUT' ? 'timeout' : 'broken' })
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  const availability = (): ProviderAvailability => {
    if (breaker.state === CircuitState.Closed) return { circuit: 'closed', retryAfterSeconds: null }
    const waitMs = asksAgainAtMs - systemClock.nowMs()
    // Whoever asks next is the one request that tries.
    if (breaker.state === CircuitState.HalfOpen || waitMs <= 0) return { circuit: 'half_open', retryAfterSeconds: null }
    return { circuit: 'open', retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1_000)) }
  }

  return {
    availability,
    httpClient: {
      getClientName: () => 'node',
      makeRequest: (...args) =>
        breaker
          .execute(() => attempt(args))
          .catch((error: unknown) => {
            if ((error as { isBrokenCircuitError?: boolean }).isBrokenCircuitError !== true) throw error
            // An answer that the SDK does not try again: nobody was asked.
            return answerOf(
              503,
              {
                'stripe-should-retry': 'false',
                'retry-after': String(availability().retryAfterSeconds ?? 1),
              },
              { error: { type: 'api_error', code: 'circuit_open', message: 'not asked: the circuit is open' } },
              null,
            )
          }) as ReturnType<Stripe.HttpClient['makeRequest']>,
    },
  }
}

const isFailure = (status: number): boolean => status >= 500 || status === 429

const answerOf = (status: number, headers: ReturnType<Answer['getHeaders']>, body: unknown, raw: unknown): Answer =>
  ({
    getStatusCode: () => status,
    getHeaders: () => headers,
    getRawResponse: () => raw,
    toStream: () => raw,
    toJSON: () => Promise.resolve(body),
  }) as Answer
