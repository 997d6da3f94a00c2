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
export const explainShape = (schema: TSchema, value: unknown): ShapeProblem[] => {
  const problems: ShapeProblem[] = []
  explain(schema as Shape, value, [], problems)
  return problems
}

const explain = (shape: Shape, value: unknown, path: Path, problems: ShapeProblem[]): void => {
  const wrong = (message: string, at: 'key' | 'value' = 'value', where: Path = path) =>
    void problems.push({ path: where, message, at })

  if (shape.anyOf) return explainUnion(shape.anyOf, value, path, problems)
  if ('const' in shape) return value === shape.const ? undefined : wrong(`Must be ${show(shape.const)}.`)
  if (shape.enum)
    return shape.enum.includes(value) ? undefined : wrong(`Must be one of ${list(shape.enum)}${given(value)}.`)

  switch (shape.type) {
    case 'object':
      if (!isRecord(value)) return wrong(`Must be a group of named fields${given(value)}.`)
      return explainObject(shape, value, path, problems)
    case 'array':
      if (!Array.isArray(value)) return wrong(`Must be a list${given(value)}.`)
      if (value.length < (shape.minItems ?? 0))
        wrong(`Must have at least ${shape.minItems} ${entries(shape.minItems)}.`)
      if (value.length > (shape.maxItems ?? Number.POSITIVE_INFINITY))
        wrong(`Must have at most ${shape.maxItems} ${entries(shape.maxItems)}.`)
      value.forEach((item, index) => {
        explain(shape.items ?? {}, item, [...path, index], problems)
        if (shape.uniqueItems && value.indexOf(item) < index)
          wrong(`${show(item)} is in the list twice.`, 'value', [...path, index])
      })
      return
    case 'string':
      if (typeof value !== 'string')
        return wrong(
          typeof value === 'number' ? `Must be text: write it in quotes, "${value}".` : `Must be text${given(value)}.`,
        )
      if (value.length < (shape.minLength ?? 0)) return wrong('Must not be empty.')
      if (value.length > (shape.maxLength ?? Number.POSITIVE_INFINITY))
        return wrong(`Must have at most ${shape.maxLength} characters.`)
      if (shape.pattern && !new RegExp(shape.pattern).test(value)) wrong(patternSentence(shape.pattern, value))
      return
    case 'integer':
    case 'number': {
      const what = shape.type === 'integer' ? 'a whole number' : 'a number'
      if (typeof value !== 'number' || !Number.isFinite(value)) return wrong(`Must be ${what}${given(value)}.`)
      if (shape.type === 'integer' && !Number.isSafeInteger(value))
        return wrong(`Must be a whole number${given(value)}.`)
      if (value < (shape.minimum ?? Number.NEGATIVE_INFINITY)) return wrong(`Must be at least ${shape.minimum}.`)
      if (value <= (shape.exclusiveMinimum ?? Number.NEGATIVE_INFINITY))
        return wrong(`Must be more than ${shape.exclusiveMinimum}.`)
      if (value > (shape.maximum ?? Number.POSITIVE_INFINITY)) wrong(`Must be at most ${shape.maximum}.`)
      return
    }
    case 'boolean':
      return typeof value === 'boolean' ? undefined : wrong(`Must be true or false${given(value)}.`)
    case 'null':
      return value === null ? undefined : wrong(`Must be null${given(value)}.`)
  }
}

const explainObject = (shape: Shape, value: Record<string, unknown>, path: Path, problems: ShapeProblem[]): void => {
  const properties = shape.properties ?? {}
  const [pattern, item] = Object.entries(shape.patternProperties ?? {})[0] ?? []
  for (const name of shape.required ?? [])
    if (!Object.hasOwn(value, name)) problems.push({ path, message: `"${name}" is missing.`, at: 'key' })
  if (Object.keys(value).length < (shape.minProperties ?? 0))
    problems.push({ path, message: 'Must have at least one entry.', at: 'key' })
  for (const [key, inner] of Object.entries(value)) {
    const at = [...path, key]
    if (Object.hasOwn(properties, key)) explain(properties[key]!, inner, at, problems)
    else if (pattern === undefined)
      problems.push({
        path: at,
        message: `"${key}" is not known here${closest(key, Object.keys(properties))}.`,
        at: 'key',
      })
    else if (!new RegExp(pattern).test(key))
      problems.push({ path: at, message: patternSentence(pattern, key), at: 'key' })
    else explain(item!, inner, at, problems)
  }
}

const explainUnion = (branches: Shape[], value: unknown, path: Path, problems: ShapeProblem[]): void => {
  const chosen = branches.filter((branch) => suits(branch, value))
  if (chosen.length === 1) return explain(chosen[0]!, value, path, problems)
  const best = chosen.map((branch) => {
    const found: ShapeProblem[] = []
    explain(branch, value, path, found)
    return found
  })
  if (best.length > 0) {
    problems.push(...best.reduce((least, found) => (found.length < least.length ? found : least)))
    return
  }
  const kinds = branches.map((branch) => branch.properties?.kind?.const).filter((kind) => kind !== undefined)
  if (kinds.length > 1 && isRecord(value)) {
    const known = Object.hasOwn(value, 'kind')
    problems.push({
      path: known ? [...path, 'kind'] : path,
      message: known ? `Must be one of ${list(kinds)}${given(value.kind)}.` : `"kind" is missing: ${list(kinds)}.`,
      at: known ? 'value' : 'key',
    })
    return
  }
  problems.push({
    path,
    message: `Must be ${[...new Set(branches.map(describe))].join(' or ')}${given(value)}.`,
    at: 'value',
  })
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
  if (pattern === '^[A-Z]{3}$') return `"${value}" is no currency: use three capital letters such as USD.`
  if (pattern.startsWith('^[0-9]'))
    return `"${value}" is no amount: use digits with at most 12 decimals, such as "0.05".`
  return `"${value}" does not fit ${pattern}.`
}

const show = (value: unknown): string => JSON.stringify(value)
const list = (values: unknown[]): string => values.map(show).join(', ')
const entries = (count: number | undefined): string => (count === 1 ? 'entry' : 'entries')
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
