import { compare, type Exact, isZero, larger, minus, smaller, zero } from './exact.ts'
import type { PriceModel, Tier } from './price.ts'
import { packagesIn } from './rate-package.ts'
import { flat, type RawStep, units } from './step.ts'

type Tiered = Extract<PriceModel, { tiers: readonly Tier[] }>
type Range = { from: Exact; to: Exact }

/** Each unit in its own tier: the part of `from`–`to` that stands in a tier pays that tier's price, and its flat part once. */
export const graduatedSteps = (price: Tiered, { from, to }: Range): RawStep[] =>
  price.tiers.flatMap((tier, index) => {
    const lower = index === 0 ? zero : price.tiers[index - 1]!.upTo!
    const upper = tier.upTo === null ? to : smaller(tier.upTo, to)
    const quantity = larger(zero, minus(upper, larger(lower, from)))
    const steps = unitSteps(price, index, quantity)
    return [...steps, ...(isReached(price, index, lower, quantity, to) ? flat(index + 1, tier.flatAmount) : [])]
  })

/**
 * Convention 5: a flat part is due whole as soon as anything, a fraction included, stands in its tier. With exclusive bounds a
 * quantity on the bound has reached the next tier, so that its flat part is due.
 */
const isReached = (price: Tiered, index: number, lower: Exact, quantity: Exact, to: Exact): boolean => {
  // Convention 4: the first tier's flat part is due without any usage, unless the price says otherwise.
  if (index === 0 && price.flatAtZero === 'due') return true
  if (!isZero(quantity)) return true
  return index > 0 && price.tierBounds === 'exclusive' && compare(to, lower) === 0
}

/** Every unit at the price of the tier that holds the whole quantity: more can cost less just above a bound. */
export const volumeSteps = (price: Tiered, { from, to }: Range): RawStep[] => {
  const reach = price.tierBounds === 'inclusive' ? 0 : -1
  const index = price.tiers.findIndex((tier) => tier.upTo === null || compare(to, tier.upTo) <= reach)
  const tier = price.tiers[index]!
  const quantity = larger(zero, minus(to, from))
  if (isZero(to) && price.flatAtZero === 'not_due') return []
  return [...unitSteps(price, index, quantity), ...flat(index + 1, tier.flatAmount)]
}

/**
 * What stands in a tier, by the unit or in packages that count anew in each tier. A rate is no price of a unit: where unit prices
 * are rounded, 1 % would become nothing.
 */
const unitSteps = (price: Tiered, index: number, quantity: Exact): RawStep[] => {
  const { unitAmount, isRate, packageSize } = price.tiers[index]!
  if (isZero(quantity)) return []
  if (isRate) return [{ kind: 'percent', tier: index + 1, quantity, unitAmount }]
  if (packageSize === null) return units(index + 1, quantity, unitAmount)
  const packages = packagesIn(quantity, packageSize, price.packageRounding)
  return isZero(packages) ? [] : [{ kind: 'package', tier: index + 1, quantity: packages, unitAmount }]
}
