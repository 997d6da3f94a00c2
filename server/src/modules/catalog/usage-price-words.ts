import type { CatalogFile, CatalogRampStep, CatalogUsagePrice } from '@turnpike/contract'
import { decimalsOf } from '../../core/currency.ts'
import { own } from '../../core/own.ts'

type Amounts = Record<string, string | number> | undefined
type Step = CatalogUsagePrice | CatalogRampStep
type Words = { unit: string; money(amounts: Amounts): string }

/**
 * A usage price in words, as a plan page and a catalog change say it: `10,000 included, then $0.004 per call up to 5,000, then
 * $0.0025`. Amounts are exact, however small.
 */
export const usagePriceWords = (
  price: CatalogUsagePrice,
  key: string,
  meters: CatalogFile['meters'],
  currency: string,
): string => {
  const unit = own(meters, price.meter ?? key)?.unit ?? 'unit'
  const words: Words = { unit, money: (amounts) => moneyWords(own(amounts, currency), currency) }
  const included = price.included
    ? `${count(price.included)} included${price.rollover ? ', unused ones carry over' : ''}, ${
        price.includedMode === 'reprice_all' ? 'above that all at ' : 'then '
      }`
    : ''
  const size = price.bucket?.size
  const bucket = size === undefined ? '' : size === 'record' ? ', each record by itself' : ` by the ${size}`
  const ramp = (price.ramp ?? []).map((step) => `; from month ${step.fromMonth} on ${stepWords(step, words)}`)
  return `${included}${stepWords(price, words)}${bucket}${ramp.join('')}`
}

const stepWords = (step: Step, words: Words): string => {
  const { money } = words
  const bounds = [
    step.minimums ? `, at least ${money(step.minimums)}` : '',
    step.maximums ? `, at most ${money(step.maximums)}` : '',
  ]
  return `${modelWords(step, words)}${bounds.join('')}`
}

const modelWords = (step: Step, { unit, money }: Words): string => {
  switch (step.model) {
    case 'flat':
      return `${money(step.unitAmounts)} each period`
    case 'per_unit':
      return `${money(step.unitAmounts ?? step.tiers?.[0]?.unitAmounts)} per ${unit}`
    case 'package':
      return `${money(step.unitAmounts)} per ${count(step.packageSize ?? 1)} ${unit}s`
    case 'percentage': {
      const fee = step.fixedFees ? ` + ${money(step.fixedFees)} per transaction` : ''
      const free = step.includedTransactions ? `, the first ${count(step.includedTransactions)} free` : ''
      return `${step.percent} %${fee}${free}`
    }
    case 'graduated':
    case 'volume': {
      const tiers = (step.tiers ?? []).map((tier) => `${tierWords(tier, unit, money)}${upTo(tier.upTo)}`)
      return `${step.model === 'volume' ? 'all at the price of the tier reached: ' : ''}${tiers.join(', then ')}`
    }
  }
}

type Tier = NonNullable<CatalogUsagePrice['tiers']>[number]
const tierWords = (tier: Tier, unit: string, money: Words['money']): string => {
  const parts = [
    tier.unitAmounts
      ? `${money(tier.unitAmounts)} per ${tier.packageSize === undefined ? unit : `${count(tier.packageSize)} ${unit}s`}`
      : '',
    tier.percent === undefined ? '' : `${tier.percent} %`,
    tier.flatAmounts
      ? `${money(tier.flatAmounts)}${tier.unitAmounts || tier.percent !== undefined ? ' once' : ''}`
      : '',
  ]
  return parts.filter((part) => part !== '').join(' + ')
}
const upTo = (bound: Tier['upTo']): string => (bound === null ? '' : ` up to ${count(bound)}`)

const count = (value: number | string): string =>
  new Intl.NumberFormat('en-US', { maximumFractionDigits: 12 }).format(value as Intl.StringNumericLiteral)

/** Minor units, fractions of them too, as money: the point is moved in the text, no float stands in between. */
const moneyWords = (amount: string | number | undefined, currency: string): string => {
  if (amount === undefined) return `no amount in ${currency}`
  const decimals = decimalsOf(currency) ?? 2
  const [whole = '0', parts = ''] = String(amount).split('.')
  const digits = whole.padStart(decimals + 1, '0')
  const text = `${digits.slice(0, digits.length - decimals)}.${digits.slice(digits.length - decimals)}${parts}`
  return new Intl.NumberFormat('en-US', {
    style: 'currency',
    currency,
    minimumFractionDigits: decimals,
    maximumFractionDigits: 15,
  }).format(text.replace(/\.$/, '') as Intl.StringNumericLiteral)
}
