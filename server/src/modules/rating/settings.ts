import type { RatingSettings } from '@turnpike/contract'
import { decimalsOf } from '../../core/currency.ts'
import type { Settings } from './price.ts'
import type { Reader } from './read-numbers.ts'

/** The house's answer to each convention where a request says nothing: the payment provider's, where amounts must agree with it. */
export const settingsOf = (reader: Reader, chosen: RatingSettings | undefined, currency: string): Settings => ({
  roundAt: chosen?.roundAt ?? 'line',
  rounding: chosen?.rounding ?? 'half_up',
  remainder: chosen?.remainder ?? 'largest_remainder',
  proration: {
    basis: 'second',
    denominator: 'old_period',
    dayOfChange: 'new',
    dayOfEnd: 'not_counted',
    atEnd: 'prorate',
    style: 'segments',
    ...chosen?.proration,
  },
  onSplit: chosen?.onSplit ?? 'anew',
  order: chosen?.order ?? ['minimum', 'maximum', 'discount', 'credit', 'tax'],
  stacking: chosen?.stacking ?? 'sequential',
  discountOn: chosen?.discountOn ?? 'sum',
  taxOn: chosen?.taxOn ?? 'sum',
  burnOrder: chosen?.burnOrder ?? ['priority', 'expiry', 'category', 'age'],
  creditAtExpiry: chosen?.creditAtExpiry ?? 'expired',
  minimumChargeMinor: reader.minor('settings.minimumCharge', chosen?.minimumCharge ?? 0),
  // The provider collects amounts of three decimals only in tens.
  chargeStepMinor: BigInt(chosen?.chargeStep ?? (decimalsOf(currency) === 3 ? 10 : 1)),
})
