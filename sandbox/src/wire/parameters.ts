import { readFileSync } from 'node:fs'
import { invalid } from './errors.ts'
import type { Form } from './form.ts'

export type Shape =
  | { kind: 'string' | 'integer' | 'number' | 'boolean' | 'decimal' | 'texts' | 'anything' }
  | { kind: 'enum'; values: string[] }
  | { kind: 'list'; of: Shape }
  | { kind: 'map'; of: Shape }
  | { kind: 'object'; fields: Map<string, { shape: Shape; required: boolean }> }
  | { kind: 'either'; of: Shape[] }
  | { kind: 'emptyable'; of: Shape }

const shapes = loadTable()

/** The parameters of an endpoint of the public API, or undefined when the table does not know the endpoint. */
export function shapeOf(method: string, path: string): Shape | undefined {
  return shapes.get(`${method} ${path}`)
}

/**
 * Turns decoded text into typed values. A strict caller (one that names this API version) gets unknown, mistyped and
 * missing parameters refused; a lenient one, such as the Stripe CLI's scripts, may use names of older versions.
 */
export function coerce(form: { [key: string]: Form }, shape: Shape, strict: boolean): { [key: string]: unknown } {
  if (shape.kind !== 'object') return form
  return coerceObject(form, shape.fields, '', strict)
}

type Fields = Map<string, { shape: Shape; required: boolean }>

function coerceObject(form: { [key: string]: Form }, fields: Fields, at: string, strict: boolean) {
  const result: { [key: string]: unknown } = {}
  for (const [name, value] of Object.entries(form)) {
    const param = at === '' ? name : `${at}[${name}]`
    const field = fields.get(name)
    if (field) result[name] = coerceValue(value, field.shape, param, strict)
    else if (strict) throw invalid(`Received unknown parameter: ${param}`, param, 'parameter_unknown')
    else result[name] = value
  }
  if (strict)
    for (const [name, field] of fields) {
      const param = at === '' ? name : `${at}[${name}]`
      if (field.required && !(name in form))
        throw invalid(`Missing required param: ${param}.`, param, 'parameter_missing')
    }
  return result
}

function coerceValue(value: Form, shape: Shape, param: string, strict: boolean): unknown {
  switch (shape.kind) {
    case 'emptyable':
      return value === '' ? '' : coerceValue(value, shape.of, param, strict)
    case 'either':
      return coerceEither(value, shape.of, param, strict)
    case 'anything':
      return value
    case 'object':
      if (typeof value === 'string' || Array.isArray(value)) {
        if (!strict || (Array.isArray(value) && value.length === 0)) return value
        throw invalid('Invalid object', param)
      }
      return coerceObject(value, shape.fields, param, strict)
    case 'texts':
    case 'map':
      return coerceMap(value, shape, param, strict)
    case 'list':
      if (Array.isArray(value))
        return value.map((item, index) => coerceValue(item, shape.of, `${param}[${index}]`, strict))
      if (value === '') return []
      if (!strict) return [coerceValue(value, shape.of, param, strict)]
      throw invalid('Invalid array', param)
    default:
      return coerceText(value, shape, param, strict)
  }
}

function coerceMap(value: Form, shape: Shape, param: string, strict: boolean): unknown {
  if (value === '') return ''
  if (typeof value === 'string') throw invalid('Invalid object', param)
  // `metadata[0]=x` decodes as a list, yet the caller meant a key named "0".
  const entries = Object.entries(value)
  if (shape.kind === 'map')
    return Object.fromEntries(
      entries.map(([key, item]) => [key, coerceValue(item, shape.of, `${param}[${key}]`, strict)]),
    )
  for (const [key, item] of entries) {
    if (typeof item !== 'string') throw invalid('Invalid string', `${param}[${key}]`)
    if (key.length > 40)
      throw invalid(`Metadata keys can be at most 40 characters long; got a key of ${key.length}.`, `${param}[${key}]`)
    if (item.length > 500)
      throw invalid(
        `Metadata values can have up to 500 characters, but you passed in a value that is ${item.length} characters.`,
        `${param}[${key}]`,
      )
  }
  if (entries.length > 50) throw invalid('You can set at most 50 metadata keys.', param)
  return Object.fromEntries(entries)
}

function coerceEither(value: Form, options: Shape[], param: string, strict: boolean): unknown {
  let first: unknown
  for (const option of options) {
    try {
      return coerceValue(value, option, param, true)
    } catch (error) {
      first ??= error
    }
  }
  if (!strict) return value
  throw first
}

function coerceText(value: Form, shape: Shape, param: string, strict: boolean): unknown {
  if (typeof value !== 'string') throw invalid('Invalid string: must be a string', param)
  switch (shape.kind) {
    case 'integer':
      if (!/^-?\d+$/.test(value.trim())) throw invalid(`Invalid integer: ${value}`, param, 'parameter_invalid_integer')
      return Number(value)
    case 'number':
      if (value.trim() === '' || !Number.isFinite(Number(value))) throw invalid(`Invalid decimal: ${value}`, param)
      return Number(value)
    case 'decimal':
      if (!/^-?\d+(\.\d{1,12})?$/.test(value)) throw invalid(`Invalid decimal: ${value}`, param)
      return value
    case 'boolean':
      if (value !== 'true' && value !== 'false') throw invalid(`Invalid boolean: ${value}`, param)
      return value === 'true'
    case 'enum':
      if (strict && !shape.values.includes(value))
        throw invalid(`Invalid ${param}: must be one of ${listed(shape.values)}`, param)
      return value
    default:
      if (value.length > 5000)
        throw invalid(`Invalid string: ${value.slice(0, 20)}…; must be at most 5000 characters`, param)
      return value
  }
}

function listed(values: string[]): string {
  if (values.length < 3) return values.join(' or ')
  return `${values.slice(0, -1).join(', ')}, or ${values.at(-1)}`
}

function loadTable(): Map<string, Shape> {
  const named = new Map<string, string>()
  const endpoints: [string, string][] = []
  for (const line of readFileSync(new URL('./parameters.txt', import.meta.url), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const parts = line.split(' ')
    if (line.startsWith('$')) named.set(parts[0]!, parts[1]!)
    else endpoints.push([`${parts[0]} ${parts[1]}`, parts[2]!])
  }
  const built = new Map<string, Shape>()
  const byName = (name: string): Shape => {
    let shape = built.get(name)
    if (!shape) {
      shape = parseShape(named.get(name)!, byName)
      built.set(name, shape)
    }
    return shape
  }
  return new Map(endpoints.map(([key, text]) => [key, parseShape(text, byName)]))
}

function parseShape(text: string, byName: (name: string) => Shape): Shape {
  let at = 0
  const either = (): Shape => {
    const options = [single()]
    while (text[at] === '/') {
      at++
      options.push(single())
    }
    const shape: Shape = options.length === 1 ? options[0]! : { kind: 'either', of: options }
    if (text[at] !== '?') return shape
    at++
    return { kind: 'emptyable', of: shape }
  }
  const until = (end: string): string => {
    const close = text.indexOf(end, at)
    const word = text.slice(at, close)
    at = close + 1
    return word
  }
  const single = (): Shape => {
    const sign = text[at++]
    if (sign === '$') return byName(`$${until(';')}`)
    if (sign === '(') return { kind: 'enum', values: until(')').split('|') }
    if (sign === '[' || sign === '<') {
      const of = either()
      at++
      return sign === '[' ? { kind: 'list', of } : { kind: 'map', of }
    }
    if (sign === '{') return object()
    const kinds = {
      s: 'string',
      i: 'integer',
      n: 'number',
      b: 'boolean',
      d: 'decimal',
      m: 'texts',
      x: 'anything',
    } as const
    return { kind: kinds[sign as keyof typeof kinds] }
  }
  const object = (): Shape => {
    const fields: Fields = new Map()
    if (text[at] === '}') {
      at++
      return { kind: 'object', fields }
    }
    for (;;) {
      const name = until(':')
      const required = name.endsWith('!')
      fields.set(required ? name.slice(0, -1) : name, { shape: either(), required })
      if (text[at++] === '}') return { kind: 'object', fields }
    }
  }
  return either()
}
