import { TypeID } from 'typeid-js'
import { expect, test } from 'vitest'
import { newRequestId } from './ids.ts'

test('ids of requests are TypeIDs of version 7 UUIDs that sort by time', () => {
  const early = newRequestId(Date.parse('2026-01-31T12:00:00Z'))
  const late = newRequestId(Date.parse('2026-01-31T12:00:00.001Z'))
  expect(early < late).toBe(true)
  const uuid = TypeID.fromString(early).toUUID()
  expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(Number.parseInt(uuid.replace('-', '').slice(0, 12), 16)).toBe(Date.parse('2026-01-31T12:00:00Z'))
})

test('ten thousand ids of one millisecond are all different', () => {
  expect(new Set(Array.from({ length: 10_000 }, () => newRequestId(0))).size).toBe(10_000)
})
