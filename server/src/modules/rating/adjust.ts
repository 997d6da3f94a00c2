import { isBefore } from '../../core/period.ts'
import { type Bill, type Line, netOf, takeOff } from './bill.ts'
import { burnCredits } from './burn-credits.ts'
import { discount } from './discount.ts'
import { over, smaller, times, whole } from './exact.ts'
import type { AdjustmentKind, Bound, RatingInput } from './price.ts'
import { shareOfPeriod } from './prorate.ts'
import { round } from './round.ts'

/** Conventions 10 and 13: the sum of the lines becomes the total in the stated order, each step on what the one before left. */
export const adjust = (input: RatingInput, lines: Line[]): Bill => {
  const bill: Bill = { lines, adjustments: [], taxMinor: 0n, taxPaidMinor: 0n, credits: [], coupons: [] }
  const steps: Record<AdjustmentKind, () => void> = {
    minimum: () => raiseToMinimum(input, bill),
    maximum: () => cutToMaximum(input, bill),
    discount: () => discount(input, bill),
    credit: () => burnCredits(input, bill),
    tax: () => addTax(input, bill),
  }
  for (const kind of input.settings.order) steps[kind]()
  return bill
}

/** Which lines count towards a least or most: those named, else everything but what is bought once. */
const counted = ({ lines }: Bill, { charges }: Bound): number[] =>
  lines.flatMap((line, index) =>
    (charges === null ? line.kind !== 'one_time' : line.charge !== null && charges.includes(line.charge))
      ? [index]
      : [],
  )

const boundIn = (input: RatingInput, { amountMinor, prorated }: Bound): bigint => {
  if (!prorated) return amountMinor
  const { period, trial } = input
  const start = trial?.firstPeriod === 'prorate' && isBefore(period.start, trial.endsAt) ? trial.endsAt : period.start
  const share = isBefore(start, period.end) ? shareOfPeriod(input, start) : whole(0)
  return round(times(whole(amountMinor), smaller(share, whole(1))), input.settings.rounding)
}

/** What is missing to a commitment is a line of its own, so that lines always sum to the subtotal. */
const raiseToMinimum = (input: RatingInput, bill: Bill): void => {
  const { minimum, period, settings } = input
  if (minimum === null || minimum.trueUp === 'later') return
  const committed = boundIn(input, minimum)
  const spent = minimum.spentBeforeMinor + netOf(bill, counted(bill, minimum))
  const missing = committed - spent
  if (missing <= 0n) return
  const exact = whole(missing)
  bill.lines.push({
    charge: null,
    name: 'Minimum commitment',
    kind: 'minimum',
    period,
    quantity: whole(1),
    exact,
    steps: [
      {
        kind: 'bound',
        text: `${committed} committed − ${spent} spent = ${missing}`,
        tier: null,
        quantity: whole(1),
        unitAmount: exact,
        share: minimum.prorated ? shareOfPeriod({ ...input, settings }) : null,
        roundedUnitAmount: null,
        amount: exact,
        period,
      },
    ],
    source: null,
    amountMinor: missing,
    netMinor: missing,
  })
}

const cutToMaximum = (input: RatingInput, bill: Bill): void => {
  if (input.maximum === null) return
  const lines = counted(bill, input.maximum)
  const most = boundIn(input, input.maximum)
  const excess = netOf(bill, lines) - most
  if (excess <= 0n) return
  const positive = lines.filter((index) => bill.lines[index]!.netMinor > 0n)
  bill.adjustments.push({
    kind: 'maximum',
    key: null,
    text: `At most ${most}`,
    amountMinor: -excess,
    spread: takeOff(bill, positive, excess, input),
  })
}

/** Convention 10: one rounding on the sum, or one on each line; the two may differ by half a minor unit for each line. */
const addTax = (input: RatingInput, bill: Bill): void => {
  const { taxPercent, settings } = input
  if (taxPercent === null) return
  const tax = (netMinor: bigint) => round(over(times(whole(netMinor), taxPercent), whole(100)), settings.rounding)
  const parts = bill.lines.map(({ netMinor }, line) => ({ line, amountMinor: tax(netMinor) }))
  const all = netOf(bill, [...bill.lines.keys()])
  const amountMinor = settings.taxOn === 'sum' ? tax(all) : parts.reduce((sum, part) => sum + part.amountMinor, 0n)
  bill.taxMinor += amountMinor
  bill.adjustments.push({
    kind: 'tax',
    key: null,
    text: settings.taxOn === 'sum' ? 'On the sum' : 'On each line',
    amountMinor,
    spread: settings.taxOn === 'sum' ? [] : parts.filter((part) => part.amountMinor !== 0n),
  })
}
