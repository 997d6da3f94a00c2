import { expect, test } from 'vitest'
import { thresholdsReached } from './budget.ts'

test.each<[bigint, boolean, number[]]>([
  [0n, false, []],
  [499n, false, []],
  // A threshold is reached at its very amount.
  [500n, false, [50]],
  [899n, false, [50]],
  [900n, false, [50, 90]],
  [5_000n, false, [50, 90]],
  // The cap has refused what would have cost more than what is left.
  [700n, true, [50, 90, 100]],
])('at a cost of %d (refused: %s) the thresholds %j of 1000 are reached', (cost, refused, percents) => {
  expect(thresholdsReached({ amountMinor: 1_000n, alertAtPercent: [50, 90] }, cost, refused)).toEqual(percents)
})

test('a budget of nothing is reached at once', () => {
  expect(thresholdsReached({ amountMinor: 0n, alertAtPercent: [80, 100] }, 0n, false)).toEqual([80, 100])
})
