import { expect, test } from 'vitest'
import { createRateLimit } from './rate-limit.ts'

test('a caller may send as many as allowed in a second, one more is refused, and the next second begins anew', () => {
  const allows = createRateLimit(2)
  expect([allows('ana', 1_000), allows('ana', 1_500), allows('ana', 1_999)]).toEqual([true, true, false])
  expect(allows('ana', 2_000)).toBe(true)
})

test('one caller does not use up what another may send', () => {
  const allows = createRateLimit(1)
  expect([allows('ana', 0), allows('ben', 0), allows('ana', 1)]).toEqual([true, true, false])
})
