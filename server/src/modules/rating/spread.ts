import { assert } from '../../core/errors.ts'
import { compare, type Exact, isZero, minus, over, sumOf, times, whole } from './exact.ts'
import { type RoundingMode, round } from './round.ts'

/** Who gets the minor units that whole shares leave over (convention 3). */
export type Remainder = 'largest_remainder' | 'first_line' | 'last_line'

/**
 * A whole amount in whole parts by weight, which add up to it exactly. Weights are never negative and not all zero. Equal remainders
 * are served in the order of the lines, so that equal inputs give equal parts.
 */
export const spread = (amount: bigint, weights: readonly Exact[], remainder: Remainder): bigint[] => {
  const sum = sumOf(weights)
  assert(!isZero(sum), 'an amount is spread over lines of some weight')
  const size = amount < 0n ? -amount : amount
  const shares = weights.map((weight) => times(whole(size), over(weight, sum)))
  const parts = shares.map(({ n, d }) => n / d)
  const left = size - parts.reduce((a, b) => a + b, 0n)
  for (const index of receivers(shares, Number(left), remainder)) parts[index]! += 1n
  return amount < 0n ? parts.map((part) => -part) : parts
}

const receivers = (shares: readonly Exact[], left: number, remainder: Remainder): number[] => {
  const weighty = shares.flatMap((share, index) =>
    isZero(share) ? [] : [{ index, rest: share.n % share.d, d: share.d }],
  )
  if (remainder === 'first_line') return Array<number>(left).fill(weighty[0]!.index)
  if (remainder === 'last_line') return Array<number>(left).fill(weighty.at(-1)!.index)
  return weighty
    .sort((a, b) => Number(b.rest * a.d - a.rest * b.d) || a.index - b.index)
    .slice(0, left)
    .map(({ index }) => index)
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
