import { isBefore } from '../../core/period.ts'
import { type Bill, type CreditUse, type Line, least, netOf, payable, takeOff } from './bill.ts'
import { isOfPrice } from './charge-plan.ts'
import { fraction } from './exact.ts'
import type { BurnKey, Credit, RatingInput } from './price.ts'
import { round } from './round.ts'

/**
 * Convention 14: prepaid credits pay what is due in burn order, the last one in part. Each pays for its charges only; credits for
 * everything also pay the tax when it comes before them. An expired credit pays nothing and is not refunded.
 */
export const burnCredits = (input: BurnInput, bill: Burnt): void => {
  const uses = new Map(input.credits.map((credit) => [credit.key, useOf(credit, stateOf(credit, input), 0n)]))
  for (const credit of input.credits.toSorted(inBurnOrder(input.settings.burnOrder))) {
    const state = stateOf(credit, input)
    if (state !== 'usable') continue
    const burnt = burn(input, bill, credit)
    uses.set(credit.key, useOf(credit, state, burnt))
  }
  bill.credits.push(...uses.values())
}

/** As much of a bill as burning looks at. */
type Burnt = Pick<Bill, 'adjustments' | 'taxMinor' | 'taxPaidMinor' | 'credits'> & {
  lines: Pick<Line, 'charge' | 'amountMinor' | 'netMinor'>[]
}
type BurnInput = Pick<RatingInput, 'credits' | 'settings' | 'at'>

/**
 * What credits pay of amounts that were rated before, by charge, in the order of burning; a negative one, such as a maximum, lowers
 * what is due. Credit for a usage price pays for it under each plan of the period.
 */
export const burnOn = (
  amounts: readonly { charge: string | null; amountMinor: bigint }[],
  input: BurnInput,
): CreditUse[] => {
  const bill = {
    lines: amounts.map(({ charge, amountMinor }) => ({ charge, amountMinor, netMinor: amountMinor })),
    adjustments: [],
    taxMinor: 0n,
    taxPaidMinor: 0n,
    credits: [] as CreditUse[],
  }
  const keys = amounts.flatMap(({ charge }) => (charge === null ? [] : [charge]))
  const credits = input.credits
    .map((credit) => ({
      ...credit,
      charges: credit.charges && keys.filter((key) => credit.charges!.some((price) => isOfPrice(key, price))),
    }))
    .toSorted(inBurnOrder(input.settings.burnOrder))
  burnCredits({ ...input, credits }, bill)
  return bill.credits
}

const burn = (input: BurnInput, bill: Burnt, credit: Credit): bigint => {
  const lines = payable(bill, credit.charges)
  const due = netOf(bill, [...bill.lines.keys()]) + bill.taxMinor - bill.taxPaidMinor
  const onLines = least(netOf(bill, lines), due, credit.amountMinor)
  const onTax =
    credit.charges === null ? least(bill.taxMinor - bill.taxPaidMinor, due - onLines, credit.amountMinor - onLines) : 0n
  const burnt = onLines + onTax
  if (burnt === 0n) return 0n
  bill.adjustments.push({
    kind: 'credit',
    key: credit.key,
    text: `${burnt} of ${credit.amountMinor}`,
    amountMinor: -burnt,
    spread: takeOff(bill, lines, onLines, input),
  })
  bill.taxPaidMinor += onTax
  return burnt
}

const stateOf = ({ expiresAt, grantedAt }: Credit, { at, settings }: BurnInput): CreditUse['state'] => {
  if (grantedAt && isBefore(at, grantedAt)) return 'not_yet'
  if (expiresAt === null || isBefore(at, expiresAt)) return 'usable'
  // Ends are exclusive, unless the setting lets a credit pay at the very instant of its end.
  return settings.creditAtExpiry === 'usable' && at.equals(expiresAt) ? 'usable' : 'expired'
}

const useOf = (credit: Credit, state: CreditUse['state'], burntMinor: bigint): CreditUse => {
  const leftMinor = state === 'expired' ? 0n : credit.amountMinor - burntMinor
  const isRefundable = credit.category === 'paid' && leftMinor > 0n
  return {
    key: credit.key,
    burntMinor,
    leftMinor,
    // Never more than the share that was paid: cut, not rounded.
    refundableMinor: isRefundable ? round(fraction(credit.paidMinor * leftMinor, credit.amountMinor), 'down') : 0n,
    state,
  }
}

const inBurnOrder =
  (order: readonly BurnKey[]) =>
  (a: Credit, b: Credit): number => {
    for (const key of order) {
      const difference = comparisons[key](a, b)
      if (difference !== 0) return difference
    }
    return a.key < b.key ? -1 : 1
  }

const comparisons: Record<BurnKey, (a: Credit, b: Credit) => number> = {
  priority: (a, b) => a.priority - b.priority,
  // What never expires is burnt last, what is of unknown age first.
  expiry: (a, b) => byTime(a.expiresAt, b.expiresAt, 1),
  age: (a, b) => byTime(a.grantedAt, b.grantedAt, -1),
  category: (a, b) => Number(a.category === 'paid') - Number(b.category === 'paid'),
}
const byTime = (a: Temporal.Instant | null, b: Temporal.Instant | null, whenNull: number): number => {
  if (a === null || b === null) return a === b ? 0 : a === null ? whenNull : -whenNull
  return Temporal.Instant.compare(a, b)
}
