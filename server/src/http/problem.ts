import { problems } from '@turnpike/contract'
import { Failure, fail } from '../core/errors.ts'
import { isConnectionLoss } from '../platform/db.ts'
import { fieldErrors, type Issue } from './field-errors.ts'

/** A failure as a problem document (RFC 9457, API-3): public words from the table only. */
export const problemDocument = (failure: Failure, requestId: string): { status: number; body: string } => {
  const { status, title, detail, next, retry } = problems[failure.code]
  return {
    status,
    body: JSON.stringify({
      type: `/reference/problems#${failure.code}`,
      title,
      status,
      detail,
      code: failure.code,
      next,
      retry,
      requestId,
      ...(failure.errors.length > 0 ? { errors: failure.errors } : {}),
      ...failure.extra,
    }),
  }
}

type HttpError = {
  statusCode?: number
  code?: string
  validation?: Issue[]
  validationContext?: string
  name?: string
}

/** Whatever was thrown, as one of our failures. What is not known becomes `internal_error`, and the cause stays inside. */
export const failureOf = (error: unknown): Failure => {
  if (error instanceof Failure) return error
  if (isConnectionLoss(error)) return fail('unavailable', { cause: error })
  const { statusCode, code, validation, validationContext, name } = error as HttpError
  if (validation) return fail('invalid_request', { errors: fieldErrors(validation, validationContext ?? 'body') })
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return fail('body_too_large')
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return fail('media_type_unsupported')
  if (
    code === 'FST_ERR_CTP_EMPTY_JSON_BODY' ||
    code === 'FST_ERR_CTP_INVALID_JSON_BODY' ||
    (name === 'SyntaxError' && statusCode === 400)
  )
    return fail('malformed_json')
  // An id that is longer than any of ours is nobody's.
  if (code === 'FST_ERR_MAX_PARAM_LENGTH') return fail('not_found')
  if (code === 'FST_ERR_BAD_URL')
    return fail('invalid_request', { errors: [{ field: 'url', message: 'is not a valid address' }] })
  if (code === 'FST_ERR_CTP_INVALID_CONTENT_LENGTH' || statusCode === 400) return fail('invalid_request')
  if (statusCode === 413) return fail('body_too_large')
  if (statusCode === 429) return fail('rate_limited')
  return fail('internal_error', { cause: error })
}
