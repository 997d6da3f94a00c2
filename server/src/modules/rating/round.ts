import type { Exact } from './exact.ts'

/**
 * Convention 3. `half_up` is away from zero at the half, for credits too, so that a charge and its credit cancel out;
 * `down` is towards zero, `up` away from it.
 */
export type RoundingMode = 'half_up' | 'half_even' | 'down' | 'up'

/** The only division of an amount: exact in, whole minor units out. */
export const round = ({ n, d }: Exact, mode: RoundingMode): bigint => {
  const absolute = n < 0n ? -n : n
  const [floor, rest] = [absolute / d, absolute % d]
  const away = rest !== 0n && goesAway(mode, floor, rest * 2n, d) ? 1n : 0n
  return n < 0n ? -(floor + away) : floor + away
}

const goesAway = (mode: RoundingMode, floor: bigint, twice: bigint, d: bigint): boolean => {
  if (mode === 'up') return true
  if (mode === 'down') return false
  return twice > d || (twice === d && (mode === 'half_up' || floor % 2n === 1n))
}
