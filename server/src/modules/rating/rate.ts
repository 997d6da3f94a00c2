import { adjust } from './adjust.ts'
import type { Adjustment, Bill, Line } from './bill.ts'
import { type Exact, fraction, larger, minus, plus, sumOf, times, whole, zero } from './exact.ts'
import type { ExactLine } from './line.ts'
import type { RatingInput, Settings } from './price.ts'
import { rateHeld } from './rate-held.ts'
import { rateUsage } from './rate-usage.ts'
import { round } from './round.ts'
import { roundTogether } from './spread.ts'
import type { AllowanceUse } from './use-allowance.ts'

export type RatedLine = Line & { differenceExact: Exact }
export type Rating = {
  lines: RatedLine[]
  subtotalMinor: bigint
  adjustments: Adjustment[]
  totalMinor: bigint
  taxMinor: bigint
  dueMinor: bigint
  carriedMinor: bigint
  credits: Bill['credits']
  coupons: Bill['coupons']
  allowances: { charge: string; use: AllowanceUse }[]
  roundingBound: Exact
}

/**
 * From price, usage, period and time to lines and a total (RAT-1, RAT-2). Pure: equal input gives equal output, to the byte.
 * Lines stand in the order of the charges; the order of usage records never matters.
 */
export const rate = (input: RatingInput): Rating => {
  const allowances: Rating['allowances'] = []
  const exact = input.charges.flatMap((charge) => {
    const { basis } = charge
    if (basis.kind === 'held') return rateHeld(input, charge)
    const { lines, allowance } = rateUsage(input, { ...charge, basis })
    if (allowance) allowances.push({ charge: charge.key, use: allowance })
    return lines
  })
  const amounts = roundLines(exact, input.settings)
  const bill = adjust(
    input,
    exact.map((line, index) => ({ ...line, amountMinor: amounts[index]!, netMinor: amounts[index]! })),
  )
  const subtotalMinor = bill.lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)
  const totalMinor = bill.adjustments.reduce((sum, { amountMinor }) => sum + amountMinor, subtotalMinor)
  const dueMinor = collectable(totalMinor, input.settings)
  return {
    lines: bill.lines.map((line) => ({ ...line, differenceExact: minus(whole(line.amountMinor), line.exact) })),
    subtotalMinor,
    adjustments: bill.adjustments,
    totalMinor,
    taxMinor: bill.taxMinor,
    dueMinor,
    carriedMinor: totalMinor - dueMinor,
    credits: bill.credits,
    coupons: bill.coupons,
    allowances,
    roundingBound: roundingBound(exact, input.settings),
  }
}

const roundLines = (lines: readonly ExactLine[], { roundAt, rounding, remainder }: Settings): bigint[] => {
  const exact = lines.map((line) => line.exact)
  return roundAt === 'invoice'
    ? roundTogether(exact, rounding, remainder)
    : exact.map((amount) => round(amount, rounding))
}

/**
 * Convention 18: too little to charge waits for the next invoice, as does what is no multiple of the step; a total below zero is credit
 * for the next invoice.
 */
export const collectable = (
  totalMinor: bigint,
  { minimumChargeMinor, chargeStepMinor }: Pick<Settings, 'minimumChargeMinor' | 'chargeStepMinor'>,
): bigint => (totalMinor <= 0n || totalMinor < minimumChargeMinor ? 0n : totalMinor - (totalMinor % chargeStepMinor))

/** How far the subtotal of the charges can be from its exact value: half a minor unit, or a whole one, for each rounding. */
const roundingBound = (lines: readonly ExactLine[], { roundAt, rounding }: Settings): Exact => {
  const each = rounding === 'half_up' || rounding === 'half_even' ? fraction(1n, 2n) : whole(1)
  if (roundAt === 'invoice') return lines.length === 0 ? zero : each
  if (roundAt === 'step') return times(each, whole(lines.flatMap(({ steps }) => steps).length))
  const onUnits = lines.flatMap(({ steps }) => steps).map(({ quantity }) => larger(quantity, minus(zero, quantity)))
  return times(each, plus(whole(lines.length), roundAt === 'unit' ? sumOf(onUnits) : zero))
}
