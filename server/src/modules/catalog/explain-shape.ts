import type { TSchema } from 'typebox'
import type { Path } from './read-yaml.ts'

/** A place that does not fit the schema. `at: 'key'`: the name itself is wrong. */
export type ShapeProblem = { path: Path; message: string; at: 'key' | 'value' }

/** The part of JSON Schema that the catalog file is written in. */
type Shape = {
  type?: string
  anyOf?: Shape[]
  const?: unknown
  enum?: unknown[]
  properties?: Record<string, Shape>
  patternProperties?: Record<string, Shape>
  required?: string[]
  items?: Shape
  minProperties?: number
  minItems?: number
  maxItems?: number
  uniqueItems?: boolean
  minLength?: number
  maxLength?: number
  pattern?: string
  minimum?: number
  exclusiveMinimum?: number
  maximum?: number
}

/**
 * Every place of `value` that does not fit, in plain sentences. A validator library names a failing branch of a union and
 * all its consequences; people need the one branch that they meant, chosen by `kind` or by the form of the value.
 */
export const explainShape = (schema: TSchema, value: unknown): ShapeProblem[] => explain(schema as Shape, value, [])

const explain = (shape: Shape, value: unknown, path: Path): ShapeProblem[] => {
  if (shape.anyOf) return explainUnion(shape.anyOf, value, path)
  if (shape.type === 'object' && isRecord(value)) return explainObject(shape, value, path)
  if (shape.type === 'array' && Array.isArray(value)) return explainList(shape, value, path)
  const message = sentenceFor(shape, value)
  return message === null ? [] : [{ path, message, at: 'value' }]
}

/** What is wrong with a single value, or null. */
const sentenceFor = (shape: Shape, value: unknown): string | null => {
  if ('const' in shape) return value === shape.const ? null : `Must be ${show(shape.const)}.`
  if (shape.enum) return shape.enum.includes(value) ? null : `Must be one of ${list(shape.enum)}${given(value)}.`
  switch (shape.type) {
    case 'object':
      return `Must be a group of named fields${given(value)}.`
    case 'array':
      return `Must be a list${given(value)}.`
    case 'string':
      return textSentence(shape, value)
    case 'integer':
    case 'number':
      return numberSentence(shape, value)
    case 'boolean':
      return typeof value === 'boolean' ? null : `Must be true or false${given(value)}.`
    default:
      return value === null ? null : `Must be null${given(value)}.`
  }
}

const textSentence = (shape: Shape, value: unknown): string | null => {
  if (typeof value === 'number') return `Must be text: write it in quotes, "${value}".`
  if (typeof value !== 'string') return `Must be text${given(value)}.`
  if (value.length < (shape.minLength ?? 0)) return 'Must not be empty.'
  if (value.length > (shape.maxLength ?? Number.POSITIVE_INFINITY))
    return `Must have at most ${shape.maxLength} characters.`
  return shape.pattern && !new RegExp(shape.pattern).test(value) ? patternSentence(shape.pattern, value) : null
}

const numberSentence = (shape: Shape, value: unknown): string | null => {
  const whole = shape.type === 'integer'
  if (typeof value !== 'number' || !(whole ? Number.isSafeInteger(value) : Number.isFinite(value)))
    return `Must be ${whole ? 'a whole number' : 'a number'}${given(value)}.`
  if (value < (shape.minimum ?? Number.NEGATIVE_INFINITY)) return `Must be at least ${shape.minimum}.`
  if (value <= (shape.exclusiveMinimum ?? Number.NEGATIVE_INFINITY))
    return `Must be more than ${shape.exclusiveMinimum}.`
  return value > (shape.maximum ?? Number.POSITIVE_INFINITY) ? `Must be at most ${shape.maximum}.` : null
}

const explainList = (shape: Shape, value: unknown[], path: Path): ShapeProblem[] => {
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = shape
  const size = (message: string): ShapeProblem => ({ path, message, at: 'value' })
  return [
    ...(value.length < minItems
      ? [size(`Must have at least ${minItems} ${minItems === 1 ? 'entry' : 'entries'}.`)]
      : []),
    ...(value.length > maxItems ? [size(`Must have at most ${maxItems} entries.`)] : []),
    ...value.flatMap((item, index): ShapeProblem[] => {
      const here = [...path, index]
      if (shape.uniqueItems && value.indexOf(item) < index)
        return [{ path: here, message: `${show(item)} is in the list twice.`, at: 'value' }]
      return explain(shape.items ?? {}, item, here)
    }),
  ]
}

const explainObject = (shape: Shape, value: Record<string, unknown>, path: Path): ShapeProblem[] => {
  const properties = shape.properties ?? {}
  const [pattern, item] = Object.entries(shape.patternProperties ?? {})[0] ?? []
  const missing = (shape.required ?? []).filter((name) => !Object.hasOwn(value, name))
  return [
    ...missing.map((name): ShapeProblem => ({ path, message: `"${name}" is missing.`, at: 'key' })),
    ...(Object.keys(value).length < (shape.minProperties ?? 0)
      ? [{ path, message: 'Must have at least one entry.', at: 'key' } as const]
      : []),
    ...Object.entries(value).flatMap(([key, inner]): ShapeProblem[] => {
      const here = [...path, key]
      if (Object.hasOwn(properties, key)) return explain(properties[key]!, inner, here)
      if (pattern === undefined)
        return [
          { path: here, message: `"${key}" is not known here${closest(key, Object.keys(properties))}.`, at: 'key' },
        ]
      if (!new RegExp(pattern).test(key)) return [{ path: here, message: patternSentence(pattern, key), at: 'key' }]
      return explain(item!, inner, here)
    }),
  ]
}

const explainUnion = (choices: Shape[], value: unknown, path: Path): ShapeProblem[] => {
  const branches = choices.flatMap((choice) => choice.anyOf ?? [choice])
  const meant = branches.filter((branch) => suits(branch, value)).map((branch) => explain(branch, value, path))
  if (meant.length > 0) return meant.reduce((least, found) => (found.length < least.length ? found : least))
  const kinds = branches.map((branch) => branch.properties?.kind?.const).filter((kind) => kind !== undefined)
  if (kinds.length > 1 && isRecord(value))
    return Object.hasOwn(value, 'kind')
      ? [{ path: [...path, 'kind'], message: `Must be one of ${list(kinds)}${given(value.kind)}.`, at: 'value' }]
      : [{ path, message: `"kind" is missing: ${list(kinds)}.`, at: 'key' }]
  const message = `Must be ${[...new Set(branches.map(describe))].join(' or ')}${given(value)}.`
  return [{ path, message, at: 'value' }]
}

/** Whether somebody who wrote `value` can have meant this branch. */
const suits = (branch: Shape, value: unknown): boolean => {
  if ('const' in branch) return branch.const === value
  if (branch.enum) return typeof value === 'string'
  if (branch.type === 'object') {
    const kind = branch.properties?.kind
    return isRecord(value) && (kind === undefined || kind.const === value.kind)
  }
  if (branch.type === 'array') return Array.isArray(value)
  if (branch.type === 'null') return value === null
  if (branch.type === 'integer') return typeof value === 'number'
  return typeof value === branch.type
}

const describe = (shape: Shape): string => {
  if (shape.enum) return `one of ${list(shape.enum)}`
  switch (shape.type) {
    case 'object':
      return shape.properties ? `a group with ${Object.keys(shape.properties).map(show).join(', ')}` : 'a group'
    case 'array':
      return 'a list'
    case 'string':
      return 'text'
    case 'integer':
      return 'a whole number'
    case 'number':
      return 'a number'
    case 'boolean':
      return 'true or false'
    default:
      return 'null'
  }
}

const patternSentence = (pattern: string, value: string): string => {
  if (pattern.startsWith('^[a-z]'))
    return `"${value}" is no name: use small letters, digits and underscores, a letter first, at most 63.`
  if (pattern.startsWith('^[A-Za-z][A-Za-z0-9_.-]'))
    return `"${value}" is no property: use letters, digits, "_", "." and "-", a letter first, at most 63.`
  if (pattern === '^[A-Z]{3}$') return `"${value}" is no currency: use three capital letters such as USD.`
  if (pattern.startsWith('^[0-9]'))
    return `"${value}" is no amount: use digits with at most 12 decimals, such as "0.05".`
  return `"${value}" does not fit ${pattern}.`
}

const show = (value: unknown): string => JSON.stringify(value)
const list = (values: unknown[]): string => values.map(show).join(', ')
const given = (value: unknown): string => {
  if (value === null || value === undefined) return ', not empty'
  if (Array.isArray(value)) return ', not a list'
  return isRecord(value) ? ', not a group' : `, not ${show(value).slice(0, 60)}`
}

/** `, did you mean "limit"?` without the question mark, when one known name is at most two letters away. */
export const closest = (name: string, known: readonly string[]): string => {
  const near = known
    .map((candidate) => ({ candidate, away: distance(name, candidate) }))
    .filter(({ away, candidate }) => away <= Math.min(2, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.away - b.away)[0]
  return near ? `; perhaps "${near.candidate}" is meant` : ''
}

const distance = (a: string, b: string): number => {
  if (Math.abs(a.length - b.length) > 2) return 3
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
