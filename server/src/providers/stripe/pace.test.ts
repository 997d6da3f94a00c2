import { expect, test } from 'vitest'
import { createPace, nextTurn } from './pace.ts'

test('turns are evenly spread, in the order of asking, and nobody saves them up (REC-1)', () => {
  let turns = { nextMs: 0 }
  const at = (nowMs: number) => {
    const turn = nextTurn(turns, nowMs, 10)
    turns = turn.turns
    return nowMs + turn.waitMs
  }
  // Five ask at once.
  expect([1_000, 1_000, 1_000, 1_000, 1_000].map(at)).toEqual([1_000, 1_100, 1_200, 1_300, 1_400])
  // One comes later than the last turn, another one just after.
  expect([9_000, 9_010].map(at)).toEqual([9_000, 9_100])
})

test('within any second no more than so many begin', async () => {
  let nowMs = 0
  const begun: number[] = []
  const pace = createPace(
    25,
    async (ms) => {
      nowMs += ms
    },
    () => nowMs,
  )
  for (let request = 0; request < 200; request++) {
    await pace()
    begun.push(nowMs)
  }
  for (const from of begun) expect(begun.filter((at) => at >= from && at < from + 1_000).length).toBeLessThanOrEqual(25)
  expect(begun.at(-1)).toBe(199 * 40)
})
