import { afterAll, beforeAll, expect, test } from 'vitest'
import { startWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({ env: { RATE_LIMIT_PER_SECOND: '5' } })
})
afterAll(() => world.stop())

test('a credential that asks more often than allowed is told to wait, and another one is served meanwhile (SEC-4)', async () => {
  // Even when they fall into two seconds, 40 are more than twice 5.
  const asked = await Promise.all(Array.from({ length: 40 }, () => world.send('GET', '/api/v1/session')))
  const refused = asked.filter((answer) => answer.status === 429)
  expect(refused.length).toBeGreaterThan(0)
  expect(refused[0]!.json.code).toBe('rate_limited')
  expect(refused[0]!.headers.get('retry-after')).toBe('1')
  const another = await world.send('GET', '/api/v1/session', { key: 'somebody-else-entirely' })
  expect(another.status).toBe(401)
})

test('answers of the API and pages carry the headers that protect them, failures included', async () => {
  for (const path of ['/api/v1/session', '/api/v1/nothing-here', '/api/v1/session?%00']) {
    const { headers } = await world.send('GET', path, { key: null })
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(headers.get('x-request-id')).toMatch(/^request_[0-9a-z]{26}$/)
  }
  const { headers } = await world.send('GET', '/health/live', { key: null })
  expect(headers.get('content-security-policy')).toContain("default-src 'self'")
  expect(headers.get('x-frame-options')).toBe('SAMEORIGIN')
})
