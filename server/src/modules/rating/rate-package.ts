import { compare, type Exact, fraction, minus, over, whole } from './exact.ts'
import type { PackageRounding, PriceModel } from './price.ts'
import type { RawStep } from './step.ts'

/** Convention 6: packages of `size`; what is left over is a whole package, none, or its fraction. */
export const packageSteps = (
  { unitAmount, size, rounding }: Extract<PriceModel, { model: 'package' }>,
  { from, to }: { from: Exact; to: Exact },
): RawStep[] => {
  const quantity = minus(to, from)
  if (compare(quantity, whole(0)) <= 0) return []
  const packages = packagesIn(quantity, size, rounding)
  return packages.n === 0n ? [] : [{ kind: 'package', tier: null, quantity: packages, unitAmount }]
}

export const packagesIn = (quantity: Exact, size: Exact, rounding: PackageRounding): Exact => {
  const exact = over(quantity, size)
  return rounding === 'fraction' ? exact : wholePart(exact, rounding)
}

/** Of a quantity that is not negative. */
export const wholePart = ({ n, d }: Exact, rounding: 'up' | 'down'): Exact =>
  fraction(rounding === 'up' ? (n + d - 1n) / d : n / d, 1n)
