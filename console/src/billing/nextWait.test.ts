import { expect, test } from 'vitest'
import { nextWaitMs } from './nextWait.ts'

test('looks come quickly first, then every 15 seconds, and end after two minutes', () => {
  const waits: number[] = []
  let waited = 0
  for (;;) {
    const wait = nextWaitMs(waits.length + 1, waited)
    if (wait === null) break
    waits.push(wait)
    waited += wait
  }
  expect(waits.slice(0, 7)).toEqual([300, 500, 1_000, 2_000, 5_000, 15_000, 15_000])
  expect(waited).toBeGreaterThanOrEqual(120_000)
  expect(waits.length).toBeLessThan(20)
})
