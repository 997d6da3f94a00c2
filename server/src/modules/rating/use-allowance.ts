import { compare, type Exact, isZero, larger, minus, over, plus, smaller, sumOf, times, whole, zero } from './exact.ts'
import type { Lot, Rollover } from './price.ts'

export type AllowanceUse = {
  /** What is free of charge in this period: its own allowance and those carried over. */
  available: Exact
  used: Exact
  /** What the next period may use, oldest first. */
  carriedOn: Lot[]
  lapsed: Exact
}

/**
 * Convention 15: a period's own allowance and what earlier ones left, used in the stated order. What is left is carried on
 * until it is too old; of what would be above the cap the oldest lapses first.
 */
export const useAllowance = (granted: Exact, rollover: Rollover, quantity: Exact): AllowanceUse => {
  const live = rollover.lots
    .filter(({ periodsAgo }) => periodsAgo <= rollover.expiresAfterPeriods)
    .toSorted((a, b) => b.periodsAgo - a.periodsAgo)
  const own = { quantity: granted, periodsAgo: 0 }
  const lots = rollover.order === 'oldest_first' ? [...live, own] : [own, ...live]
  let open = quantity
  const left = lots.map((lot) => {
    const taken = smaller(lot.quantity, open)
    open = minus(open, taken)
    return { quantity: minus(lot.quantity, taken), periodsAgo: lot.periodsAgo + 1 }
  })
  const available = sumOf(lots.map((lot) => lot.quantity))
  const carriedOn = capped(
    left.filter((lot) => !isZero(lot.quantity) && lot.periodsAgo <= rollover.expiresAfterPeriods),
    capOf(granted, rollover),
  )
  const used = minus(quantity, open)
  return {
    available,
    used,
    carriedOn,
    lapsed: minus(minus(available, used), sumOf(carriedOn.map((lot) => lot.quantity))),
  }
}

const capOf = (granted: Exact, { capUnits, capPercent }: Rollover): Exact | null => {
  const share = capPercent && over(times(granted, capPercent), whole(100))
  return capUnits && share ? smaller(capUnits, share) : (capUnits ?? share)
}

const capped = (lots: readonly Lot[], cap: Exact | null): Lot[] => {
  const newestFirst = lots.toSorted((a, b) => a.periodsAgo - b.periodsAgo)
  let kept = zero
  return newestFirst
    .map(({ quantity, periodsAgo }) => {
      const fits = cap === null ? quantity : larger(zero, smaller(quantity, minus(cap, kept)))
      kept = plus(kept, fits)
      return { quantity: fits, periodsAgo }
    })
    .filter(({ quantity }) => compare(quantity, zero) > 0)
    .reverse()
}
