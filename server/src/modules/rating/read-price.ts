import type { RatingPrice } from '@turnpike/contract'
import { compare, type Exact, zero } from './exact.ts'
import type { Price, PriceModel, Tier } from './price.ts'
import type { Reader } from './read-numbers.ts'

/** Which fields each model reads, besides those that all read. A field that would be ignored is a mistake. */
const fields = {
  flat: { needed: ['unitAmount'], allowed: [] },
  one_time: { needed: ['unitAmount'], allowed: [] },
  per_unit: { needed: ['unitAmount'], allowed: ['quantityRounding'] },
  graduated: {
    needed: ['tiers'],
    allowed: ['tierBounds', 'flatAtZero', 'packageRounding', 'quantityRounding', 'flatProrated'],
  },
  volume: {
    needed: ['tiers'],
    allowed: ['tierBounds', 'flatAtZero', 'packageRounding', 'quantityRounding', 'flatProrated'],
  },
  package: { needed: ['unitAmount', 'packageSize'], allowed: ['packageRounding', 'quantityRounding'] },
  percentage: {
    needed: ['percent'],
    allowed: ['fixedFee', 'transactionMinimum', 'transactionMaximum', 'includedTransactions'],
  },
} as const satisfies Record<PriceModel['model'], Record<'needed' | 'allowed', readonly (keyof RatingPrice)[]>>
const common: readonly string[] = ['model', 'minimum', 'maximum', 'prorateBounds']

export const readPrice = (reader: Reader, field: string, price: RatingPrice): Price => {
  const { needed, allowed } = fields[price.model]
  const known: readonly string[] = [...common, ...needed, ...allowed]
  for (const key of needed)
    if (price[key] === undefined) reader.report(`${field}.${key}`, `is missing for ${price.model}`)
  for (const key of Object.keys(price))
    if (!known.includes(key)) reader.report(`${field}.${key}`, `is not read by ${price.model}`)
  const minimum = reader.exactOrNull(`${field}.minimum`, price.minimum)
  const maximum = reader.exactOrNull(`${field}.maximum`, price.maximum)
  checkOrder(reader, `${field}.maximum`, minimum, maximum)
  return {
    ...modelOf(reader, field, price),
    quantityRounding: price.quantityRounding ?? 'exact',
    minimum,
    maximum,
    prorateBounds: price.prorateBounds ?? false,
  }
}

/** Usage has no share of time that its flat parts could shrink with. */
export const checkFlatParts = (reader: Reader, field: string, { flatProrated }: RatingPrice): void => {
  if (flatProrated !== undefined) reader.report(`${field}.flatProrated`, 'is read for what is held only')
}

const modelOf = (reader: Reader, field: string, price: RatingPrice): PriceModel => {
  // What is missing was reported above; zero stands in so that reading goes on.
  const unitAmount = reader.exact(`${field}.unitAmount`, price.unitAmount ?? 0)
  switch (price.model) {
    case 'flat':
    case 'one_time':
    case 'per_unit':
      return { model: price.model, unitAmount }
    case 'graduated':
    case 'volume':
      return {
        model: price.model,
        tiers: readTiers(reader, `${field}.tiers`, price.tiers ?? []),
        tierBounds: price.tierBounds ?? 'inclusive',
        flatAtZero: price.flatAtZero ?? 'due',
        packageRounding: price.packageRounding ?? 'up',
        flatProrated: price.flatProrated ?? true,
      }
    case 'package':
      return {
        model: 'package',
        unitAmount,
        size: reader.exact(`${field}.packageSize`, price.packageSize ?? 1, 'positive'),
        rounding: price.packageRounding ?? 'up',
      }
    case 'percentage': {
      const transactionMinimum = reader.exactOrNull(`${field}.transactionMinimum`, price.transactionMinimum)
      const transactionMaximum = reader.exactOrNull(`${field}.transactionMaximum`, price.transactionMaximum)
      checkOrder(reader, `${field}.transactionMaximum`, transactionMinimum, transactionMaximum)
      return {
        model: 'percentage',
        rate: reader.percent(`${field}.percent`, price.percent ?? 0, 1_000),
        fixedFee: reader.exact(`${field}.fixedFee`, price.fixedFee ?? 0),
        transactionMinimum,
        transactionMaximum,
        includedTransactions: price.includedTransactions ?? null,
      }
    }
  }
}

const checkOrder = (reader: Reader, field: string, minimum: Exact | null, maximum: Exact | null): void => {
  if (minimum && maximum && compare(maximum, minimum) < 0) reader.report(field, 'must not be less than the minimum')
}

const readTiers = (reader: Reader, field: string, tiers: NonNullable<RatingPrice['tiers']>): Tier[] => {
  let bound = zero
  return tiers.map((tier, index): Tier => {
    const place = `${field}.${index}`
    const isLast = index === tiers.length - 1
    const upTo = tier.upTo === null ? null : reader.exact(`${place}.upTo`, tier.upTo, 'positive')
    if (isLast && upTo !== null) reader.report(`${place}.upTo`, 'must be null for the last tier, which has no end')
    if (!isLast && upTo === null) reader.report(`${place}.upTo`, 'may be null for the last tier only')
    if (upTo !== null && index > 0 && compare(upTo, bound) <= 0)
      reader.report(`${place}.upTo`, 'must be above the tier before')
    bound = upTo ?? bound
    if (tier.unitAmount !== undefined && tier.percent !== undefined)
      reader.report(`${place}.percent`, 'cannot stand beside unitAmount: give one of the two')
    if (tier.unitAmount === undefined && tier.percent === undefined && tier.flatAmount === undefined)
      reader.report(`${place}.unitAmount`, 'is missing: a tier needs unitAmount, percent or flatAmount')
    if (tier.packageSize !== undefined && tier.unitAmount === undefined)
      reader.report(`${place}.packageSize`, 'is read with unitAmount only')
    return {
      upTo,
      unitAmount:
        tier.percent === undefined
          ? reader.exact(`${place}.unitAmount`, tier.unitAmount ?? 0)
          : reader.percent(`${place}.percent`, tier.percent, 1_000),
      isRate: tier.percent !== undefined,
      flatAmount: reader.exact(`${place}.flatAmount`, tier.flatAmount ?? 0),
      packageSize: reader.exactOrNull(`${place}.packageSize`, tier.packageSize, 'positive'),
    }
  })
}
