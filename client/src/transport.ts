import { apiPrefix } from '@turnpike/contract'
import { errorOf, TurnpikeError } from './errors.ts'

export type TransportOptions = {
  /** Where the service listens, without `/api/v1`; empty in a page that the service itself serves. */
  baseUrl: string
  /** API key or token, or a function that gives the current one; asked before every attempt, so that it may rotate. */
  credential: string | (() => string | Promise<string>)
  /** For one attempt, answer included; 10 s unless told. */
  timeoutMs?: number
  /** Further attempts after the first; 2 unless told. */
  retries?: number
  fetch?: typeof globalThis.fetch
  /** How to wait between attempts. Tests give their own, so that nothing sleeps. */
  wait?: (ms: number, signal?: AbortSignal) => Promise<void>
}

export type TransportRequest = {
  method: string
  path: string
  query?: Record<string, unknown>
  body?: unknown
  idempotencyKey?: string
  signal?: AbortSignal
  timeoutMs?: number
  retries?: number
}

type Meta = { requestId: string; apiVersion: string; cursor?: string | null }
export type Envelope = { data: unknown; meta: Meta }

const longestWaitMs = 30_000

/** Sends requests. Retries only what may be repeated without a second effect: GET, and what writes under one idempotency key. */
export const createTransport = (options: TransportOptions) => {
  const base = options.baseUrl.replace(/\/+$/, '') + apiPrefix
  const wait = options.wait ?? pause

  const open = async (request: TransportRequest, accept: string, signal?: AbortSignal): Promise<Response> => {
    const fetch = options.fetch ?? globalThis.fetch
    const headers: Record<string, string> = { accept }
    const credential = await currentCredential(options.credential)
    if (credential) headers.authorization = `Bearer ${credential}`
    if (request.idempotencyKey !== undefined) headers['idempotency-key'] = request.idempotencyKey
    if (request.body !== undefined) headers['content-type'] = 'application/json'
    return fetch(base + request.path + queryOf(request.query), {
      method: request.method,
      headers,
      body: request.body === undefined ? undefined : JSON.stringify(request.body),
      signal,
      // The API never redirects; following one could carry the request to another host.
      redirect: 'error',
    })
  }

  const attempt = async (request: TransportRequest): Promise<Envelope> => {
    const timeout = AbortSignal.timeout(request.timeoutMs ?? options.timeoutMs ?? 10_000)
    const signal = request.signal ? AbortSignal.any([request.signal, timeout]) : timeout
    try {
      const response = await open(request, 'application/json', signal)
      const text = await response.text()
      if (!response.ok) throw errorOf(response, text)
      return envelopeOf(response, text)
    } catch (cause) {
      throw failureOf(cause, request.signal, timeout)
    }
  }

  const send = async (request: TransportRequest): Promise<Envelope> => {
    const mayRepeat = request.method === 'GET' || request.idempotencyKey !== undefined
    const retries = mayRepeat ? (request.retries ?? options.retries ?? 2) : 0
    for (let failures = 0; ; failures++) {
      try {
        return await attempt(request)
      } catch (error) {
        const waitMs = failures < retries ? retryWaitMs(error, failures) : null
        if (waitMs === null) throw error
        await wait(waitMs, request.signal)
      }
    }
  }

  /** Opens a server-sent stream once. Only the time to the first byte is bounded; the caller watches the rest. */
  const openStream = async (request: TransportRequest): Promise<ReadableStream<Uint8Array>> => {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), request.timeoutMs ?? options.timeoutMs ?? 10_000)
    try {
      const signal = request.signal ? AbortSignal.any([request.signal, late.signal]) : late.signal
      const response = await open(request, 'text/event-stream', signal)
      if (!response.ok) throw errorOf(response, await response.text())
      if (!response.body || !response.headers.get('content-type')?.startsWith('text/event-stream')) {
        throw new TurnpikeError('unexpected_answer', 'The service did not answer with an event stream.', {
          status: response.status,
        })
      }
      return response.body
    } catch (cause) {
      throw failureOf(cause, request.signal, late.signal)
    } finally {
      clearTimeout(timer)
    }
  }

  return { send, openStream, wait }
}

export type Transport = ReturnType<typeof createTransport>

/** Full jitter between nothing and the doubled base, so that clients that failed together do not return together. */
export const backoffMs = (failures: number, baseMs = 200, mostMs = 10_000): number =>
  Math.random() * Math.min(mostMs, baseMs * 2 ** failures)

/** How long to wait before the next attempt; null when there must not be one. */
const retryWaitMs = (error: unknown, failures: number): number | null => {
  if (!(error instanceof TurnpikeError)) return null
  const unanswered = error.code === 'network_failure' || error.code === 'timeout'
  const asked = error.status === 429 && error.retryAfterMs !== null
  // An attempt that was cut off may still be running under our key: its answer is there in a moment.
  const ourOwnFirst = error.code === 'idempotency_key_in_use'
  if (!unanswered && !asked && !ourOwnFirst && error.status !== 502 && error.status !== 503) return null
  const waitMs = (error.retryAfterMs ?? 0) + backoffMs(failures)
  return waitMs > longestWaitMs ? null : waitMs
}

const failureOf = (cause: unknown, callers: AbortSignal | undefined, timeout: AbortSignal): unknown => {
  if (cause instanceof TurnpikeError) return cause
  if (callers?.aborted) return callers.reason
  return timeout.aborted
    ? new TurnpikeError('timeout', 'The service did not answer in time.', { cause })
    : new TurnpikeError('network_failure', 'The service could not be reached.', { cause })
}

const currentCredential = async (credential: TransportOptions['credential']): Promise<string> => {
  if (typeof credential === 'string') return credential
  try {
    return await credential()
  } catch (cause) {
    throw new TurnpikeError('credential_unavailable', 'The credential could not be obtained.', { cause })
  }
}

const envelopeOf = (response: Response, text: string): Envelope => {
  try {
    const envelope = JSON.parse(text) as Partial<Envelope> | null
    if (envelope && 'data' in envelope && typeof envelope.meta?.requestId === 'string') return envelope as Envelope
  } catch {
    // Falls through: a page of a proxy is no answer of ours either.
  }
  throw new TurnpikeError('unexpected_answer', 'The answer is not one of Turnpike: is the base URL right?', {
    status: response.status,
    retry: 'never',
  })
}

const queryOf = (query: Record<string, unknown> = {}): string => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null) search.set(name, String(value))
  }
  return search.size > 0 ? `?${search}` : ''
}

const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })
