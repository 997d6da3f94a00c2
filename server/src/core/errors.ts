import { type ProblemCode, problems } from '@turnpike/contract'

/** One place of a request that does not fit, for the `errors` list of a problem document. */
export type FieldError = { field: string; message: string }

/** A failure with a stable code. Its public words come from the table in the contract, never from the thrower. */
export class Failure extends Error {
  override name = 'Failure'
  code: ProblemCode
  errors: FieldError[]
  extra: Record<string, unknown>
  constructor(
    code: ProblemCode,
    options: { errors?: FieldError[]; extra?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(`${code}: ${problems[code].detail}`, { cause: options.cause })
    this.code = code
    this.errors = options.errors ?? []
    this.extra = options.extra ?? {}
  }
}

/** `throw fail('not_found')`. `extra` adds public members to the problem document; `cause` is for the log only. */
export const fail = (code: ProblemCode, options: ConstructorParameters<typeof Failure>[1] = {}): Failure =>
  new Failure(code, options)

/** A bug, not a failure: the message is for us and never leaves the house. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`)
}
