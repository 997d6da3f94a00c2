export type ErrorBody = {
  type: 'invalid_request_error' | 'card_error' | 'api_error' | 'idempotency_error'
  message: string
  code?: string
  param?: string
  [extra: string]: unknown
}

/**
 * A refusal in Stripe's shape. `keep` commits what was done before it was thrown: a declined charge is refused to the
 * caller, yet the failed attempt stays recorded. `ran` is false for answers that an idempotency key must not remember.
 */
export class StripeError extends Error {
  readonly status: number
  readonly body: ErrorBody
  readonly keep: boolean
  readonly ran: boolean
  readonly headers: Record<string, string>
  constructor(
    status: number,
    body: ErrorBody,
    options: { keep?: boolean; ran?: boolean; headers?: Record<string, string> } = {},
  ) {
    super(body.message)
    this.status = status
    this.body = body
    this.keep = options.keep ?? false
    this.ran = options.ran ?? true
    this.headers = options.headers ?? {}
  }
}

export function invalid(message: string, param?: string, code?: string, status = 400): StripeError {
  return new StripeError(
    status,
    { type: 'invalid_request_error', ...(code ? { code, ...docUrl(code) } : {}), message, ...(param ? { param } : {}) },
    { ran: false },
  )
}

/** The object in the path is missing: 404. A missing object named by a parameter is a 400. */
export function missing(kind: string, id: string, param = 'id', status?: number): StripeError {
  const hint =
    kind === 'PaymentMethod'
      ? "; It's possible this PaymentMethod exists on one of your connected accounts, in which case you should retry this request on that connected account. Learn more at https://stripe.com/docs/connect/authentication"
      : ''
  const found = status ?? (param === 'id' ? 404 : 400)
  return invalid(`No such ${kind}: '${id}'${hint}`, param, 'resource_missing', found)
}

export function docUrl(code: string): { doc_url: string } {
  return { doc_url: `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}` }
}
