import { TurnpikeError } from '@turnpike/client'
import { problems } from '@turnpike/contract'

export type Problem = {
  code: string
  title: string
  detail: string
  next: string
  requestId: string | null
  retry: 'never' | 'later' | 'after_change'
  fields: { field: string; message: string }[]
  /** The whole problem document, with members of its own such as `sessionUrl`. */
  document: Record<string, unknown>
}

/** What a failed call means for the person at the page. Never a provider's or a library's own words. */
export function describeProblem(error: unknown): Problem {
  if (!(error instanceof TurnpikeError)) return unreachable
  const known = (problems as Record<string, { title: string; detail: string; next: string }>)[error.code]
  const shared = {
    code: error.code,
    requestId: error.requestId,
    retry: error.retry,
    fields: error.errors,
    document: error.problem,
  }
  if (!known) return { ...unreachable, ...shared }
  return {
    ...shared,
    title: known.title,
    detail: error.message || known.detail,
    next: nextForPeople[error.code] ?? (error.next || known.next),
  }
}

// Where the contract speaks to a programmer (`Idempotency-Key`, headers), people get their own sentence.
const nextForPeople: Record<string, string> = {
  internal_error: 'Try again. If it happens again, tell support the request id.',
  provider_unavailable: 'Nothing was charged. Try again in a moment.',
  unavailable: 'Try again in a moment.',
  rate_limited: 'Wait a moment, then try again.',
  unauthenticated: 'Sign in again.',
  forbidden: 'Ask the billing owner or an administrator.',
  return_url_not_allowed: 'Tell support: this address is not allowed as a return address.',
}

const unreachable: Problem = {
  code: 'no_answer',
  title: 'The service did not answer',
  detail: 'What you see may be out of date. Nothing was changed or charged by looking.',
  next: 'Check your connection and try again.',
  requestId: null,
  retry: 'later',
  fields: [],
  document: {},
}
