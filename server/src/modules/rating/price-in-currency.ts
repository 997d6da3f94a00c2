import type { CatalogRampStep, CatalogUsagePrice, RatingPrice } from '@turnpike/contract'
import { own } from '../../core/own.ts'
import type { Charge, Price } from './price.ts'
import type { Reader } from './read-numbers.ts'
import { readPrice } from './read-price.ts'

type Amounts = Record<string, string | number> | undefined

/** A usage price of the catalog in one currency, ready to rate; null when it is not sold in that currency. */
export const priceInCurrency = (
  reader: Reader,
  field: string,
  price: CatalogUsagePrice,
  currency: string,
): { price: Price; ramp: Charge['ramp'] } | null => {
  let isMissing = false
  const read = (step: CatalogUsagePrice | CatalogRampStep): Price =>
    readPrice(
      reader,
      field,
      asRatingPrice(step, (amounts) => {
        const amount = own(amounts, currency)
        if (amounts !== undefined && amount === undefined) isMissing = true
        // Told once by the caller; zero stands in so that reading goes on.
        return amounts === undefined ? undefined : (amount ?? 0)
      }),
    )
  const first = read(price)
  const ramp = (price.ramp ?? []).map((step) => ({ fromMonth: step.fromMonth, price: read(step) }))
  return isMissing ? null : { price: first, ramp }
}

/** The catalog's words as those of the preview: the same names, one amount instead of one for each currency. */
const asRatingPrice = (
  step: CatalogUsagePrice | CatalogRampStep,
  inCurrency: (amounts: Amounts) => string | number | undefined,
): RatingPrice => {
  // A price per unit may be written as one tier without an end.
  const single = step.model === 'per_unit' ? step.tiers?.[0]?.unitAmounts : undefined
  const price: RatingPrice = {
    model: step.model,
    unitAmount: inCurrency(step.unitAmounts ?? single),
    tiers: single
      ? undefined
      : step.tiers?.map(({ upTo, unitAmounts, flatAmounts, percent, packageSize }) => ({
          upTo,
          unitAmount: inCurrency(unitAmounts),
          flatAmount: inCurrency(flatAmounts),
          percent,
          packageSize,
        })),
    tierBounds: step.tierBounds,
    flatAtZero: step.flatAtZero,
    packageSize: step.packageSize,
    packageRounding: step.packageRounding,
    percent: step.percent,
    fixedFee: inCurrency(step.fixedFees),
    transactionMinimum: inCurrency(step.transactionMinimums),
    transactionMaximum: inCurrency(step.transactionMaximums),
    includedTransactions: step.includedTransactions,
    quantityRounding: step.quantityRounding,
    minimum: inCurrency(step.minimums),
    maximum: inCurrency(step.maximums),
    prorateBounds: step.prorateBounds,
  }
  return Object.fromEntries(Object.entries(price).filter(([, value]) => value !== undefined)) as RatingPrice
}
