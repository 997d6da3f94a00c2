import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { startWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({ env: { STRIPE_TIMEOUT_MS: '400' } })
})
afterEach(() => world.control('DELETE', '/sandbox/faults'))
afterAll(() => world.stop())

test('metrics', async () => {
  const m = await world.send('GET', '/metrics')
  console.log(m.status, m.text)
  console.log((await world.send('GET', '/health')).text)
})
