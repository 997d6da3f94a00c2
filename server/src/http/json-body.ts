import type { FastifyRequest } from 'fastify'
import { type Failure, fail } from '../core/errors.ts'

type Done = (error: Error | null, body?: unknown) => void
type Parse = (request: FastifyRequest, body: string, done: Done) => unknown

/** Deeper than any document of ours; what is nested further would only exhaust whoever walks it. */
const depthMax = 64

/**
 * Reads a JSON body and refuses what the database cannot hold: NUL, half a surrogate pair, endless nesting. No body at all
 * is `undefined`, so that the schema says what is missing.
 */
export const readJsonBody =
  (parse: Parse) =>
  (request: FastifyRequest, body: string | Buffer, done: Done): unknown => {
    const text = body as string
    if (text.length === 0) return done(null, undefined)
    if (text.includes('\\u0000') || text.includes('\u0000')) return done(unusable('contains a NUL character'))
    // Text that came as bytes is whole already: only an escape can leave half a pair.
    const mayBeHalf = /\\ud[89a-f]/i.test(text)
    return parse(request, text, (error, value) => {
      const wrong = error ? null : whatIsWrong(value, mayBeHalf)
      return wrong ? done(unusable(wrong)) : done(error, value)
    })
  }

const unusable = (message: string): Failure => fail('invalid_request', { errors: [{ field: 'body', message }] })

// With a list of its own instead of recursion: the deepest input must not be what breaks the check for depth.
const whatIsWrong = (value: unknown, mayBeHalf: boolean): string | null => {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > depthMax) return `is nested deeper than ${depthMax} levels`
    const next: unknown[] = []
    for (const inner of level) {
      if (typeof inner === 'string') {
        if (mayBeHalf && !inner.isWellFormed()) return 'contains half a surrogate pair'
      } else if (inner !== null && typeof inner === 'object') {
        if (mayBeHalf && !Object.keys(inner).every((key) => key.isWellFormed())) return 'contains half a surrogate pair'
        for (const child of Object.values(inner))
          if (mayBeHalf || (child !== null && typeof child === 'object')) next.push(child)
      }
    }
    level = next
  }
  return null
}
