import type { CatalogPlan, RatingPreview } from '@turnpike/contract'
import { assert } from '../../core/errors.ts'
import { type CommitmentStanding, exactOf, type Lot, over, type RatingInput } from '../rating/index.ts'
import type { Terms } from './usage-period.ts'

/**
 * What a rated period leaves to the next one of its subscription: included quantities that were not used and roll over, by
 * the price that carries them, and how far a commitment has come. Plain JSON, amounts and quantities as text.
 */
export type Left = {
  plan: string
  carried: Record<string, { quantity: string; periodsAgo: number }[]>
  commitment: { periods: number; spentMinor: string } | null
}

/** What a period begins with, because of those before it. */
export type Begun = { standing: CommitmentStanding; carried: Record<string, readonly Lot[]> }

/**
 * What of it counts for the next period: only under the same plan, a commitment that is over begins anew, and a price that
 * carries nothing on any more loses what was left. `ends`: the subscription ends with the period.
 */
export const beginWith = (
  left: Left | null,
  { plan }: Pick<Terms, 'plan'>,
  content: Pick<CatalogPlan, 'billing' | 'usagePrices'>,
  ends: boolean,
): Begun => {
  const same = left?.plan === plan ? left : null
  const periods = content.billing?.commitment?.periods ?? 0
  const commitment = same?.commitment && same.commitment.periods < periods ? same.commitment : null
  return {
    standing: {
      periodsBefore: commitment?.periods ?? 0,
      spentBeforeMinor: BigInt(commitment?.spentMinor ?? 0),
      ends,
    },
    carried: Object.fromEntries(
      Object.entries(same?.carried ?? {}).flatMap(([key, lots]) =>
        content.usagePrices?.[key]?.rollover ? [[key, lots.map(lotOf)]] : [],
      ),
    ),
  }
}

/**
 * What a rating leaves. Of a period with several plans that is what the last one leaves: its charges stand under their key
 * and the number of the plan. What was added to reach a minimum or a commitment is not spent on usage.
 */
export const leave = (
  terms: readonly Pick<Terms, 'plan'>[],
  { billing }: Pick<CatalogPlan, 'billing'>,
  { standing }: Pick<Begun, 'standing'>,
  { minimum }: Pick<RatingInput, 'minimum'>,
  { lines, allowances }: Pick<RatingPreview, 'lines' | 'allowances'>,
): Left => {
  const last = terms.at(-1)
  assert(last, 'a period is of terms')
  const suffix = terms.length === 1 ? '' : `_${terms.length}`
  const counts = (charge: string | null) => charge !== null && minimum?.charges?.includes(charge) !== false
  const spentMinor = lines.reduce(
    (sum, { charge, amount }) => (counts(charge) ? sum + BigInt(amount.amountMinor) : sum),
    standing.spentBeforeMinor,
  )
  return {
    plan: last.plan,
    carried: Object.fromEntries(
      allowances.flatMap(({ charge, carriedOn }) =>
        charge.endsWith(suffix) && carriedOn.length > 0
          ? [[charge.slice(0, charge.length - suffix.length), carriedOn]]
          : [],
      ),
    ),
    commitment: billing?.commitment ? { periods: standing.periodsBefore + 1, spentMinor: String(spentMinor) } : null,
  }
}

/** A quantity as ratings write it: a decimal, or a fraction where there is none. */
const lotOf = ({ quantity, periodsAgo }: { quantity: string; periodsAgo: number }): Lot => {
  const [n, d = '1'] = quantity.split('/')
  const [above, below] = [exactOf(n!), exactOf(d)]
  assert(above && below, `what was kept is a number: ${quantity}`)
  return { quantity: over(above, below), periodsAgo }
}
