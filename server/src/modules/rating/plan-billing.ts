import type { CatalogBillingSettings, CatalogPlanBilling, RatingSettings } from '@turnpike/contract'
import { own } from '../../core/own.ts'
import type { PlanTerms } from './charge-plan.ts'
import type { Bound, Commitment, Trial } from './price.ts'
import type { Reader } from './read-numbers.ts'

/** Least and most of what a plan's usage prices come to together, and how it deals with trials. */
export type PlanBounds = {
  minimum: Bound | null
  commitment: (Bound & { periods: number }) | null
  maximum: Bound | null
  trial: Pick<Trial, 'usage' | 'firstPeriod'>
}
type Terms = Pick<PlanTerms, 'file' | 'plan' | 'currency'>

export const planBounds = (reader: Reader, { file, plan, currency }: Terms): PlanBounds => {
  const { minimum, commitment, maximum, trial } = plan.billing ?? {}
  const bound = (kind: string, given: NonNullable<CatalogPlanBilling['minimum']>): Bound => {
    const amount = own(given.amounts, currency)
    if (amount === undefined) reader.report('plan', `has no ${kind} in ${currency}`)
    return {
      amountMinor: BigInt(amount ?? 0),
      prorated: given.prorated ?? false,
      charges: given.charges ?? null,
    }
  }
  const ofAll = file.policies.billing?.trial
  return {
    minimum: minimum ? bound('minimum', minimum) : null,
    commitment: commitment ? { ...bound('commitment', commitment), periods: commitment.periods } : null,
    maximum: maximum ? bound('maximum', maximum) : null,
    trial: {
      usage: trial?.usage ?? ofAll?.usage ?? 'free',
      firstPeriod: trial?.firstPeriod ?? ofAll?.firstPeriod ?? 'prorate',
    },
  }
}

/** How far a commitment over several periods has come. */
export type CommitmentStanding = {
  /** How many periods of it are over, and what they spent towards it. */
  periodsBefore: number
  spentBeforeMinor: bigint
  /** The subscription ends with this period: what is missing is charged now. */
  ends: boolean
}

/**
 * Convention 13: the least of one period, or what is still missing to a commitment, charged with the last of its periods. Who leaves
 * before owes the whole of it, or with `prorated` the share of the periods that began.
 */
export const leastOf = ({ minimum, commitment }: PlanBounds, standing: CommitmentStanding): Commitment | null => {
  if (commitment === null) return minimum && { ...minimum, spentBeforeMinor: 0n, trueUp: 'now' }
  const begun = standing.periodsBefore + 1
  const isLast = begun >= commitment.periods
  const isCut = standing.ends && !isLast && commitment.prorated
  return {
    // Cut, not rounded: nobody owes more than the share of a commitment.
    amountMinor: isCut ? (commitment.amountMinor * BigInt(begun)) / BigInt(commitment.periods) : commitment.amountMinor,
    prorated: false,
    charges: commitment.charges,
    spentBeforeMinor: standing.spentBeforeMinor,
    trueUp: isLast || standing.ends ? 'now' : 'later',
  }
}

/** The plan's answers to the conventions over those of the policies. */
export const planSettings = ({ file, plan, currency }: Terms): RatingSettings =>
  mergeSettings(inCurrency(file.policies.billing?.settings, currency), inCurrency(plan.billing?.settings, currency))

export const mergeSettings = (under: RatingSettings, over: RatingSettings): RatingSettings => ({
  ...under,
  ...over,
  ...(under.proration || over.proration ? { proration: { ...under.proration, ...over.proration } } : {}),
})

const inCurrency = (settings: CatalogBillingSettings | undefined, currency: string): RatingSettings => {
  const { minimumCharges, chargeSteps, ...same } = settings ?? {}
  const [minimumCharge, chargeStep] = [own(minimumCharges, currency), own(chargeSteps, currency)]
  return {
    ...same,
    ...(minimumCharge === undefined ? {} : { minimumCharge }),
    ...(chargeStep === undefined ? {} : { chargeStep }),
  }
}
