import { readFileSync } from 'node:fs'

type Schema = {
  $ref?: string
  anyOf?: Schema[]
  type?: string
  enum?: unknown[]
  nullable?: boolean
  format?: string
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  additionalProperties?: boolean | Schema
  'x-stripeBypassValidation'?: boolean
}

// Real answers carry these although no declaration names them.
const undeclared = new Set(['total_count', 'plan', 'quantity'])

/** Compares answers with an API description: missing and unknown fields, types, nulls, closed enumerations. */
export function createValidator(descriptionFile: string): (value: unknown) => string[] {
  const { schemas } = (
    JSON.parse(readFileSync(descriptionFile, 'utf8')) as { components: { schemas: Record<string, Schema> } }
  ).components

  const resolve = (schema: Schema): Schema => (schema.$ref ? resolve(schemas[schema.$ref.split('/').at(-1)!]!) : schema)

  const differences = (value: unknown, given: Schema, at: string, depth = 0): string[] => {
    const schema = resolve(given)
    if (depth > 40) return []
    if (value === null) return given.nullable || schema.nullable ? [] : [`${at}: null is not allowed`]
    if (schema.anyOf) {
      const results = schema.anyOf.map((option) => differences(value, option, at, depth + 1))
      return results.find((each) => each.length === 0) ?? results.sort((a, b) => score(a, at) - score(b, at))[0]!
    }
    const type = Array.isArray(value) ? 'array' : typeof value
    if (schema.type && schema.type !== type && !(type === 'number' && /integer|number/.test(schema.type)))
      return [`${at}: ${type} instead of ${schema.type}`]
    if (schema.type === 'integer' && !Number.isInteger(value)) return [`${at}: not an integer`]
    if (schema.format === 'decimal' && !/^-?\d+(\.\d+)?$/.test(String(value))) return [`${at}: not a decimal`]
    if (schema.enum && !schema['x-stripeBypassValidation'] && !schema.enum.includes(value))
      return [`${at}: ${JSON.stringify(value)} is not among ${schema.enum.slice(0, 6).join(', ')}`]
    if (Array.isArray(value))
      return value.flatMap((item, i) => (schema.items ? differences(item, schema.items, `${at}[${i}]`, depth + 1) : []))
    if (type !== 'object') return []
    return inObject(value as Record<string, unknown>, schema, at, depth)
  }

  const inObject = (value: Record<string, unknown>, schema: Schema, at: string, depth: number): string[] => {
    const found: string[] = []
    for (const name of schema.required ?? []) if (!(name in value)) found.push(`${at}.${name}: missing`)
    for (const [name, inner] of Object.entries(value)) {
      const known = schema.properties?.[name]
      if (known) found.push(...differences(inner, known, `${at}.${name}`, depth + 1))
      else if (typeof schema.additionalProperties === 'object')
        found.push(...differences(inner, schema.additionalProperties, `${at}.${name}`, depth + 1))
      else if (schema.properties && !undeclared.has(name)) found.push(`${at}.${name}: unknown`)
    }
    return found
  }

  return (value) => {
    const { object, deleted, data } = value as { object?: string; deleted?: boolean; data?: unknown[] }
    if (object === 'list' || object === 'search_result') {
      const each = createEach(data ?? [])
      return each
    }
    const name = deleted && schemas[`deleted_${object}`] ? `deleted_${object}` : String(object)
    const schema = schemas[name]
    return schema ? differences(value, schema, name) : [`no schema for ${name}`]
  }

  function createEach(data: unknown[]): string[] {
    return data.flatMap((item) => {
      const { object } = item as { object: string }
      return schemas[object] ? differences(item, schemas[object], object) : [`no schema for ${object}`]
    })
  }
}

// Of several alternatives the one that fits best is the one meant: fewest differences, none of them its very type.
function score(found: string[], at: string): number {
  return found.length + (found.some((each) => each.startsWith(`${at}:`)) ? 1000 : 0)
}
