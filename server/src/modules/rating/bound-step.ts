import type { Period } from '../../core/period.ts'
import { describe } from './describe.ts'
import { type Exact, isZero, minus, one, sumOf, times, zero } from './exact.ts'
import type { Price, RatingInput } from './price.ts'
import { withinBounds } from './rate-percentage.ts'
import type { RawStep, Step } from './step.ts'

/**
 * The least and most of a line, as a step of its own; of what is taken off as billed before, those that it was billed with.
 */
export const boundStep = (
  input: RatingInput,
  price: Price,
  steps: readonly Step[],
  share: Exact,
  period: Period,
  takenOff?: 'already_billed',
): Step[] => {
  const sum = sumOf(steps.map(({ amount }) => amount))
  const plain = takenOff ? minus(zero, sum) : sum
  const scaled = (bound: Exact | null) => bound && times(bound, share)
  const bounded = withinBounds(plain, scaled(price.minimum), scaled(price.maximum))
  const difference = minus(bounded, plain)
  if (isZero(difference)) return []
  const raw: RawStep = { kind: 'bound', tier: null, quantity: one, unitAmount: difference }
  return [describe(raw, { share: one, period, settings: input.settings, takenOff })]
}
