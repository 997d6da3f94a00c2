import { expect, test } from 'vitest'
import { followingClock, systemClock } from './clock.ts'

const month = 31 * 86_400

test('a clock that follows is ahead by what it was told, in both its readings, and never goes back', () => {
  const clock = followingClock()
  expect(clock.now().since(systemClock.now()).total('seconds')).toBeCloseTo(0, 0)
  clock.beAhead(month)
  const behind = () =>
    [clock.now().epochMilliseconds, clock.nowMs()].map((ms) => ms - systemClock.nowMs() - month * 1_000)
  for (const ms of behind()) expect(Math.abs(ms)).toBeLessThan(500)
  clock.beAhead(month - 60)
  clock.beAhead(-5)
  for (const ms of behind()) expect(Math.abs(ms)).toBeLessThan(500)
})

test('it is never a second behind a clock of whole seconds that is ahead by as much', () => {
  const clock = followingClock()
  clock.beAhead(month)
  for (let times = 0; times < 1_000; times++) {
    const provider = Math.floor(systemClock.nowMs() / 1_000) + month
    expect(clock.nowMs()).toBeGreaterThanOrEqual(provider * 1_000)
  }
})
