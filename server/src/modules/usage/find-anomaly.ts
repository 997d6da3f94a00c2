import type { Micro } from '../../core/quantity.ts'

/** How many weeks back the same hour and the same day are looked at, and how many of them there must be to say anything. */
export const anomalyWeeks = 8
const leastWeeks = 4

export type Anomaly = { kind: 'high' | 'low'; value: Micro; expected: Micro; spread: Micro }

/**
 * Whether a quantity is unusual beside those of the same hour or day of past weeks (USE-6): a hint for people, never a
 * decision. Median and median deviation, so that one strange week does not hide the next. It is unusual when it differs from
 * the median by more than six median deviations (about four standard deviations), by more than half of the median, and by at
 * least ten units: all three, so that neither a very even nor a very small usage makes noise.
 */
export const findAnomaly = (value: Micro, past: readonly Micro[]): Anomaly | null => {
  if (past.length < leastWeeks) return null
  const expected = median(past)
  const spread = median(past.map((each) => distance(each, expected)))
  const off = distance(value, expected)
  const isUnusual = off > 6n * spread && 2n * off > expected && off >= 10_000_000n
  return isUnusual ? { kind: value > expected ? 'high' : 'low', value, expected, spread } : null
}

const distance = (a: Micro, b: Micro): Micro => (a > b ? a - b : b - a)

/** Of an even number, the mean of the two in the middle. */
const median = (values: readonly Micro[]): Micro => {
  const sorted = values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2n
}
