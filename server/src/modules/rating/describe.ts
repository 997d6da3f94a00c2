import type { Period } from '../../core/period.ts'
import { compare, type Exact, one, textOf, times, whole } from './exact.ts'
import type { Settings } from './price.ts'
import { round } from './round.ts'
import type { RawStep, Step } from './step.ts'

type Context = {
  share: Exact
  period: Period
  settings: Settings
  /** Taken off again: the rest of what was paid in advance, or what was billed before. */
  takenOff?: 'credit' | 'already_billed'
}

/** A multiplication with its time and rounding, in figures and in words: quantity × unit amount × share is the amount. */
export const describe = (raw: RawStep, { share, period, settings, takenOff }: Context): Step => {
  const quantity = takenOff ? { n: -raw.quantity.n, d: raw.quantity.d } : raw.quantity
  // Convention 3, `unit`: what one unit costs is whole before it is multiplied. Transactions were rounded one by one.
  const isUnit = raw.kind === 'units' || raw.kind === 'flat' || raw.kind === 'package'
  const shared = times(raw.unitAmount, share)
  const rounded = settings.roundAt === 'unit' && isUnit ? whole(round(shared, settings.rounding)) : null
  const product = times(quantity, rounded ?? shared)
  const amount = settings.roundAt === 'step' ? whole(round(product, settings.rounding)) : product
  const isPart = compare(share, one) !== 0
  const price = rounded ? ` × ${textOf(rounded)} (${textOf(shared)} rounded)` : ` × ${textOf(raw.unitAmount)}`
  const time = isPart && !rounded ? ` × ${textOf(share)} of the period` : ''
  return {
    kind: takenOff === 'already_billed' ? takenOff : raw.kind,
    text: `${labelOf(raw, takenOff)}: ${textOf(quantity)}${price}${time} = ${textOf(product)}${compare(amount, product) === 0 ? '' : `, rounded ${textOf(amount)}`}`,
    tier: raw.tier,
    quantity,
    unitAmount: raw.unitAmount,
    share: isPart ? share : null,
    roundedUnitAmount: rounded,
    amount,
    period,
  }
}

const labels: Record<RawStep['kind'], string> = {
  included: 'Included',
  units: 'Units',
  flat: 'Flat price',
  package: 'Packages',
  percent: 'Share of the amount',
  fee: 'Fee for each transaction',
  bound: 'Raised to the least',
}
const labelOf = ({ kind, tier, unitAmount }: RawStep, takenOff: Context['takenOff']): string => {
  const label = kind === 'bound' && unitAmount.n < 0n ? 'Cut to the most' : labels[kind]
  const prefix = takenOff === 'credit' ? 'Not used, ' : takenOff === 'already_billed' ? 'Billed before, ' : ''
  return `${prefix}${prefix ? label.toLowerCase() : label}${tier === null ? '' : `, tier ${tier}`}`
}
