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

/** Whoever rates through the API has these words and no others: a field without them has to be guessed (API-2). */
test('every property of the rating preview says what it means', () => {
  // As a reader gets it.
  const { paths } = JSON.parse(JSON.stringify(openApiDocument()))
  const { requestBody, responses } = paths['/api/v1/rating/preview'].post
  const answer = responses['200'].content['application/json'].schema.properties.data
  const asked = propertiesOf(requestBody, 'request')
  const told = propertiesOf(answer, 'answer')
  expect(asked.length).toBeGreaterThan(100)
  expect(told.length).toBeGreaterThan(50)
  expect([...asked, ...told].flatMap(([path, { description }]) => (description ? [] : [path]))).toEqual([])
})
