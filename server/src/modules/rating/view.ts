import type { RatingPreview } from '@turnpike/contract'
import type { Period } from '../../core/period.ts'
import { type Exact, textOf } from './exact.ts'
import type { RatingInput } from './price.ts'
import type { RatedLine, Rating } from './rate.ts'
import type { Step } from './step.ts'

/** A rating as the API shows it: amounts as digits, exact numbers as text, times in UTC. */
export const ratingView = (input: RatingInput, rating: Rating): RatingPreview => {
  const money = (amountMinor: bigint) => ({ amountMinor: String(amountMinor), currency: input.currency })
  const taken = (kind: 'discount' | 'credit') =>
    rating.adjustments.reduce((sum, entry) => (entry.kind === kind ? sum - entry.amountMinor : sum), 0n)
  return {
    currency: input.currency,
    period: periodView(input.period),
    lines: rating.lines.map((line) => lineView(input, line)),
    subtotal: money(rating.subtotalMinor),
    adjustments: rating.adjustments.map(({ kind, key, text, amountMinor, spread }) => ({
      kind,
      key,
      text,
      amount: money(amountMinor),
      spread: spread.map((part) => ({ line: part.line, amount: money(part.amountMinor) })),
    })),
    discount: money(taken('discount')),
    creditsBurnt: money(taken('credit')),
    tax: money(rating.taxMinor),
    total: money(rating.totalMinor),
    due: money(rating.dueMinor),
    carried: money(rating.carriedMinor),
    credits: rating.credits.map(({ key, burntMinor, leftMinor, refundableMinor, state }) => ({
      key,
      burnt: money(burntMinor),
      left: money(leftMinor),
      refundable: money(refundableMinor),
      state,
    })),
    coupons: rating.coupons.map(({ key, takenMinor, leftMinor, state }) => ({
      key,
      taken: money(takenMinor),
      left: leftMinor === null ? null : money(leftMinor),
      state,
    })),
    allowances: rating.allowances.map(({ charge, use }) => ({
      charge,
      used: textOf(use.used),
      carriedOn: use.carriedOn.map(({ quantity, periodsAgo }) => ({ quantity: textOf(quantity), periodsAgo })),
      lapsed: textOf(use.lapsed),
    })),
    roundingBound: textOf(rating.roundingBound),
  }
}

const lineView = ({ currency, settings }: RatingInput, line: RatedLine): RatingPreview['lines'][number] => ({
  charge: line.charge,
  name: line.name,
  kind: line.kind,
  period: periodView(line.period),
  quantity: textOf(line.quantity),
  amount: { amountMinor: String(line.amountMinor), currency },
  exactAmount: textOf(line.exact),
  rounding: { mode: settings.rounding, at: settings.roundAt, difference: textOf(line.differenceExact) },
  calculation: line.steps.map(stepView),
  source: line.source && { ...line.source, window: periodView(line.source.window), filter: { ...line.source.filter } },
  net: { amountMinor: String(line.netMinor), currency },
})

const stepView = (step: Step): RatingPreview['lines'][number]['calculation'][number] => ({
  kind: step.kind,
  text: step.text,
  tier: step.tier,
  quantity: textOf(step.quantity),
  unitAmount: textOf(step.unitAmount),
  share: orNull(step.share),
  roundedUnitAmount: orNull(step.roundedUnitAmount),
  amount: textOf(step.amount),
  period: periodView(step.period),
})

const orNull = (exact: Exact | null): string | null => exact && textOf(exact)
const periodView = ({ start, end }: Period) => ({ start: start.toString(), end: end.toString() })
