import type { UsageCost } from '@turnpike/contract'
import { formatExact, formatExactMoney, formatShare } from './exact.ts'
import { formatQuantity, plural } from './quantity.ts'

type Calculated = Pick<UsageCost['charges'][number], 'quantity' | 'amount' | 'exactAmount' | 'calculation' | 'records'>
type Step = Calculated['calculation'][number]

const labels: Record<Step['kind'], string> = {
  included: 'Included',
  units: 'Units',
  flat: 'Flat price',
  package: 'Packages',
  percent: 'Share of the amount',
  fee: 'Fee for each transaction',
  bound: 'Least or most',
  already_billed: 'Billed before',
}

/** `Units, tier 2, for 50% of the period`: what is multiplied in this step. */
export function stepLabel({ kind, tier, share }: Step): string {
  const label = `${labels[kind]}${tier === null ? '' : `, tier ${tier}`}`
  return share === null ? label : `${label}, for ${formatShare(share)} of the period`
}

/** What a step multiplies; where shares of amounts are charged it is money, and so is what is included. */
export function stepQuantity({ kind, quantity }: Step, calculation: readonly Step[], currency: string): string {
  const isMoney = kind === 'percent' || (kind === 'included' && calculation.some((other) => other.kind === 'percent'))
  return isMoney ? formatExactMoney(quantity, currency) : formatExact(quantity)
}

/** What one of them costs; where each price is rounded, what it was rounded from. */
export function stepPrice({ kind, unitAmount, roundedUnitAmount }: Step, currency: string): string {
  if (kind === 'percent') return formatShare(unitAmount)
  const price = formatExactMoney(unitAmount, currency)
  return roundedUnitAmount === null ? price : `${formatExactMoney(roundedUnitAmount, currency)}, rounded from ${price}`
}

/** How much was used, or the amount that a share is of. */
export function calculatedQuantity({ quantity, calculation, amount }: Calculated): string {
  return calculation.some(({ kind }) => kind === 'percent')
    ? formatExactMoney(quantity, amount.currency)
    : formatExact(quantity)
}

/** What rounding does to the sum of the steps; null where it does nothing, or there are none. */
export function roundingSentence({ exactAmount, amount, calculation }: Calculated): string | null {
  if (calculation.length === 0 || exactAmount === amount.amountMinor) return null
  const { currency, amountMinor } = amount
  return `The steps come to ${formatExactMoney(exactAmount, currency)}, rounded to ${formatExactMoney(amountMinor, currency)}.`
}

/** `1,204 records of API calls`, or only what they are of where nobody counted them. */
export function recordsOf({ name, records }: NonNullable<Calculated['records']>): string {
  return records === null
    ? `The records of ${name}`
    : `${formatQuantity(records)} ${plural(records, 'record')} of ${name}`
}
