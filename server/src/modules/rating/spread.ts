import { assert } from '../../core/errors.ts'
import { compare, type Exact, isZero, minus, sumOf, whole } from './exact.ts'
import { type RoundingMode, round } from './round.ts'

/** Who gets the minor units that whole shares leave over (convention 3). */
export type Remainder = 'largest_remainder' | 'first_line' | 'last_line'

/**
 * Takes a whole amount from lines by what each has, in whole parts that add up to it exactly; no line gives more than it has. What
 * is left over comes from the lines with the largest remainders, the earlier of equal ones, or all from the first or last line that
 * has as much.
 */
export const spread = (amount: bigint, has: readonly bigint[], remainder: Remainder): bigint[] => {
  const sum = has.reduce((a, b) => a + b, 0n)
  assert(amount >= 0n && amount <= sum, 'an amount is spread over lines that have as much')
  if (sum === 0n) return has.map(() => 0n)
  const parts = has.map((weight) => (amount * weight) / sum)
  let left = amount - parts.reduce((a, b) => a + b, 0n)
  const rest = (index: number) => (amount * has[index]!) % sum
  const order = [...has.keys()]
  if (remainder === 'largest_remainder') order.sort((a, b) => Number(rest(b) - rest(a)) || a - b)
  if (remainder === 'last_line') order.reverse()
  for (const index of order) {
    const room = has[index]! - parts[index]!
    const wanted = remainder === 'largest_remainder' && left > 1n ? 1n : left
    const given = wanted < room ? wanted : room
    parts[index]! += given
    left -= given
  }
  return parts
}

/** Rounds the sum of amounts once and gives each a whole part next to its own value, so that the parts add up to that sum. */
export const roundTogether = (exact: readonly Exact[], mode: RoundingMode, remainder: Remainder): bigint[] => {
  const floors = exact.map(({ n, d }) => n / d - (n % d < 0n ? 1n : 0n))
  let left = Number(round(sumOf(exact), mode) - floors.reduce((a, b) => a + b, 0n))
  const rests = exact.map((amount, index) => ({ index, rest: minus(amount, whole(floors[index]!)) }))
  const parted = rests.filter(({ rest }) => !isZero(rest))
  if (remainder === 'largest_remainder') parted.sort((a, b) => compare(b.rest, a.rest) || a.index - b.index)
  if (remainder === 'last_line') parted.reverse()
  for (const { index } of parted) if (left-- > 0) floors[index]! += 1n
  return floors
}
