import { assert } from '../../core/errors.ts'
import { compare, type Exact, isZero, larger, minus, smaller, zero } from './exact.ts'
import type { IncludedMode, Price } from './price.ts'
import { packageSteps, wholePart } from './rate-package.ts'
import { percentageSteps, type Transactions } from './rate-percentage.ts'
import { graduatedSteps, volumeSteps } from './rate-tiers.ts'
import type { RoundingMode } from './round.ts'
import { type RawStep, units } from './step.ts'

/** A quantity as a price sees it. `records`: how many it was made of, null when only the quantity was told. */
export type Measured = { quantity: Exact; transactions: Transactions | null; records: number | null }
export type Free = { quantity: Exact; mode: IncludedMode }

/** The multiplications that one price makes of one quantity: the whole of a price model, without time and rounding. */
export const priceSteps = (
  price: Price,
  measured: Measured,
  free: Free | null,
  roundEach: RoundingMode | null,
): RawStep[] => {
  // Corrections can take a sum below zero; a period never owes for that, a late correction of what was billed does.
  const quantity = wholeQuantity(larger(zero, measured.quantity), price.quantityRounding)
  switch (price.model) {
    case 'flat':
    case 'one_time':
      return isZero(quantity) ? [] : [{ kind: 'flat', tier: null, quantity, unitAmount: price.unitAmount }]
    case 'per_unit': {
      const { from, to } = chargedRange(quantity, free)
      return compare(to, from) > 0 ? units(null, minus(to, from), price.unitAmount) : []
    }
    case 'package':
      return packageSteps(price, chargedRange(quantity, free))
    case 'graduated':
      return graduatedSteps(price, chargedRange(quantity, free))
    case 'volume':
      return volumeSteps(price, chargedRange(quantity, free))
    case 'percentage': {
      assert(measured.transactions, 'a percentage is of transactions')
      const repriced = free?.mode === 'reprice_all' && compare(quantity, free.quantity) > 0
      return percentageSteps(price, measured.transactions, repriced ? null : (free?.quantity ?? null), roundEach)
    }
  }
}

/** The same, and before it how much was included: what is charged and what is not come to what was used. */
export const pricedSteps = (
  price: Price,
  measured: Measured,
  free: Free | null,
  roundEach: RoundingMode | null,
): RawStep[] => {
  const steps = priceSteps(price, measured, free, roundEach)
  const quantity = larger(zero, measured.quantity)
  const covered = free === null ? zero : smaller(free.quantity, quantity)
  const isPassed = free?.mode === 'reprice_all' && compare(quantity, covered) > 0
  return isZero(covered) || isPassed
    ? steps
    : [{ kind: 'included', tier: null, quantity: covered, unitAmount: zero }, ...steps]
}

const wholeQuantity = (quantity: Exact, rounding: Price['quantityRounding']): Exact =>
  rounding === 'exact' ? quantity : wholePart(quantity, rounding)

/**
 * Convention 7. `before`: included units stand before the tiers, which count from the first unit above. `inside`: they use up the
 * first tiers, and the quantity with them decides a volume price. `reprice_all`: once passed, they are charged as well. Up to the
 * included quantity it is always as if nothing had been used.
 */
const chargedRange = (quantity: Exact, free: Free | null): { from: Exact; to: Exact } => {
  if (free === null) return { from: zero, to: quantity }
  if (compare(quantity, free.quantity) <= 0) return { from: zero, to: zero }
  if (free.mode === 'before') return { from: zero, to: minus(quantity, free.quantity) }
  return { from: free.mode === 'inside' ? free.quantity : zero, to: quantity }
}
