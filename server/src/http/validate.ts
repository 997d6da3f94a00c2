import { Ajv, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import type { TSchema } from 'typebox'

// Nothing is coerced in bodies and nothing is dropped: an unknown field is a mistake that somebody must hear of (API-3).
const bodies = new Ajv({
  allErrors: false,
  coerceTypes: false,
  removeAdditional: false,
  useDefaults: true,
  strict: false,
})
// A query string has only text, so numbers are read out of it.
const queries = new Ajv({
  allErrors: false,
  coerceTypes: true,
  removeAdditional: false,
  useDefaults: true,
  strict: false,
})
addFormats.default(bodies)
addFormats.default(queries)

export const compileSchema = (schema: TSchema, part: 'body' | 'querystring' | 'params' = 'body'): ValidateFunction =>
  (part === 'body' ? bodies : queries).compile(schema)
