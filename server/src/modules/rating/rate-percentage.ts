import { type Exact, isZero, larger, minus, one, plus, smaller, times, whole, zero } from './exact.ts'
import type { PriceModel } from './price.ts'
import { type RoundingMode, round } from './round.ts'
import type { RawStep } from './step.ts'

type Percentage = Extract<PriceModel, { model: 'percentage' }>
/** Amounts of single transactions, or their sum and number where nobody needs to know more. */
export type Transactions = { amounts: readonly Exact[] } | { total: Exact; count: number }

/**
 * A share of what was moved, with a fee for each transaction and a least and most per transaction. `included` is moved free of charge;
 * with free transactions too, both are free until the first of them is used up. A transaction that is partly free pays on
 * the rest, and its fee. `roundEach` rounds every transaction by itself.
 */
export const percentageSteps = (
  price: Percentage,
  transactions: Transactions,
  included: Exact | null,
  roundEach: RoundingMode | null,
): RawStep[] => {
  if ('total' in transactions) {
    const charged = larger(zero, minus(transactions.total, included ?? zero))
    return summed(price.rate, charged, price.fixedFee, isZero(charged) ? 0 : transactions.count, zero, zero)
  }
  let free = included ?? (price.includedTransactions === null ? zero : null)
  let [moved, fees, raised, rounded] = [zero, 0, zero, zero]
  transactions.amounts.forEach((amount, index) => {
    if (price.includedTransactions !== null && index >= price.includedTransactions) free = zero
    const covered = free === null ? amount : smaller(free, amount)
    if (free !== null) free = minus(free, covered)
    const charged = minus(amount, covered)
    // A free transaction costs nothing, not even its fee; one of nothing is still a transaction.
    if (isZero(charged) && !isZero(covered)) return
    const plain = plus(times(price.rate, charged), price.fixedFee)
    const bounded = withinBounds(plain, price.transactionMinimum, price.transactionMaximum)
    moved = plus(moved, charged)
    fees += 1
    raised = plus(raised, minus(bounded, plain))
    if (roundEach) rounded = plus(rounded, minus(whole(round(bounded, roundEach)), bounded))
  })
  return summed(price.rate, moved, price.fixedFee, fees, raised, rounded)
}

const summed = (rate: Exact, moved: Exact, fee: Exact, fees: number, raised: Exact, rounded: Exact): RawStep[] => {
  const steps: RawStep[] = [
    { kind: 'percent', tier: null, quantity: moved, unitAmount: rate },
    { kind: 'fee', tier: null, quantity: whole(fees), unitAmount: fee },
    { kind: 'bound', tier: null, quantity: one, unitAmount: raised },
    { kind: 'bound', tier: null, quantity: one, unitAmount: rounded },
  ]
  return steps.filter(({ quantity, unitAmount }) => !isZero(quantity) && !isZero(unitAmount))
}

/** The most wins over the least where both bind. */
export const withinBounds = (amount: Exact, minimum: Exact | null, maximum: Exact | null): Exact => {
  const raised = minimum === null ? amount : larger(amount, minimum)
  return maximum === null ? raised : smaller(raised, maximum)
}
