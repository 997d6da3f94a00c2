import { Value } from 'typebox/value'
import { expect, test } from 'vitest'
import { openApiDocument } from './openapi.ts'

type Schema = { [keyword: string]: unknown; properties?: Record<string, Schema> }

/** Every property at any depth, by its path. What is named `properties` itself is a property like any other. */
const propertiesOf = (schema: unknown, path: string): [path: string, property: Schema][] => {
  if (typeof schema !== 'object' || schema === null) return []
  if (Array.isArray(schema)) return schema.flatMap((part) => propertiesOf(part, path))
  const { properties = {}, examples: _, ...others } = schema as Schema
  return [
    ...Object.values(others).flatMap((part) => propertiesOf(part, path)),
    ...Object.entries(properties).flatMap(([name, property]): [string, Schema][] => [
      [`${path}.${name}`, property],
      ...propertiesOf(property, `${path}.${name}`),
    ]),
  ]
}

// As a reader gets it.
const { paths } = JSON.parse(JSON.stringify(openApiDocument()))
const { requestBody, responses } = paths['/api/v1/rating/preview'].post
const asked = propertiesOf(requestBody, 'request')
const told = propertiesOf(responses['200'].content['application/json'].schema.properties.data, 'answer')

/** Whoever rates through the API has these words and no others: a field without them has to be guessed (API-2). */
test('every property of the rating preview says what it means', () => {
  expect(asked.length).toBeGreaterThan(100)
  expect(told.length).toBeGreaterThan(50)
  expect([...asked, ...told].flatMap(([path, { description }]) => (description ? [] : [path]))).toEqual([])
})

test('every value that is shown as an example is one that is taken', () => {
  const shown = [...asked, ...told].flatMap(([path, schema]) =>
    ((schema.examples ?? []) as unknown[]).map((example) => ({ path, example, fits: Value.Check(schema, example) })),
  )
  expect(shown.length).toBeGreaterThan(20)
  expect(shown.filter(({ fits }) => !fits)).toEqual([])
})
