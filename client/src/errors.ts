import { type ProblemCode, problems } from '@turnpike/contract'

/** What can go wrong besides the problems of the contract: no answer arrived, or one that is not ours. */
type LocalCode = 'network_failure' | 'timeout' | 'credential_unavailable' | 'unexpected_answer' | 'invalid_argument'
type Retry = 'never' | 'later' | 'after_change'
type FieldError = { field: string; message: string }

/**
 * The one error that calls throw. `status` is 0 when no answer arrived; `next` is a sentence for people; `problem` is the
 * whole problem document, with members of its own such as `permission` or `sessionUrl`.
 */
export class TurnpikeError extends Error {
  override name = 'TurnpikeError'
  code: ProblemCode | LocalCode
  status: number
  next: string
  requestId: string | null
  errors: FieldError[]
  retry: Retry
  /** How long the service asked to wait, in milliseconds; null when it did not say. */
  retryAfterMs: number | null
  problem: Record<string, unknown>

  constructor(
    code: ProblemCode | LocalCode,
    detail: string,
    options: Partial<
      Pick<TurnpikeError, 'status' | 'next' | 'requestId' | 'errors' | 'retry' | 'retryAfterMs' | 'problem' | 'cause'>
    > = {},
  ) {
    super(detail, { cause: options.cause })
    this.code = code
    this.status = options.status ?? 0
    this.next = options.next ?? ''
    this.requestId = options.requestId ?? null
    this.errors = options.errors ?? []
    this.retry = options.retry ?? 'later'
    this.retryAfterMs = options.retryAfterMs ?? null
    this.problem = options.problem ?? {}
  }
}

/** Reads a failed answer. One that is no problem document of ours (a proxy's page) keeps its status. */
export const errorOf = (response: Response, text: string): TurnpikeError => {
  const problem = parse(text)
  const code = typeof problem.code === 'string' ? problem.code : ''
  const known = Object.hasOwn(problems, code) ? problems[code as ProblemCode] : null
  const shared = {
    status: response.status,
    requestId: textOr(problem.requestId, null) ?? response.headers.get('x-request-id'),
    retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
    problem,
  }
  if (!known && !code) {
    return new TurnpikeError(
      'unexpected_answer',
      `The service answered ${response.status} without a problem document.`,
      {
        ...shared,
        retry: response.status >= 500 || response.status === 429 ? 'later' : 'never',
      },
    )
  }
  // A code newer than this library is passed on as it is: what to do next stands in the document.
  return new TurnpikeError(code as ProblemCode, textOr(problem.detail, known?.detail ?? code), {
    ...shared,
    next: textOr(problem.next, known?.next ?? ''),
    errors: Array.isArray(problem.errors) ? (problem.errors as FieldError[]) : [],
    retry: (textOr(problem.retry, null) as Retry | null) ?? known?.retry ?? 'never',
  })
}

/**
 * True when the service could not be asked at all: nothing is known about the request itself. A proxy or server that
 * answers 5xx, or asks to come back later (429), counts; a request that it understood and turned down does not.
 */
export const isOutage = (error: unknown): boolean =>
  error instanceof TurnpikeError && error.code !== 'invalid_argument'
    ? error.status === 0 || error.status === 429 || error.status >= 500
    : false

/**
 * True when the service understood a request and will never take it as it is. A credential that is turned down is not the
 * request's fault, and a page of a proxy says nothing about it, except that it is too large.
 */
export const isTurnedDown = (error: unknown): error is TurnpikeError =>
  error instanceof TurnpikeError &&
  (error.status === 413 ||
    ([400, 404, 409, 422].includes(error.status) && error.code !== 'unexpected_answer' && error.retry !== 'later'))

const parse = (text: string): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

const textOr = <T extends string | null>(value: unknown, otherwise: T): string | T =>
  typeof value === 'string' ? value : otherwise

/** Seconds or an HTTP date, RFC 9110 section 10.2.3. */
const retryAfterMs = (header: string | null): number | null => {
  if (header === null) return null
  const seconds = Number(header)
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(header) - Date.now()
  return Number.isNaN(ms) ? null : Math.max(0, ms)
}
