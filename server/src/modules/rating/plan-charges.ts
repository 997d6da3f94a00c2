import type { CatalogPlan, RatingCharge } from '@turnpike/contract'
import { own } from '../../core/own.ts'
import { type Catalog, findPlan } from '../catalog/index.ts'
import type { Reader } from './read-numbers.ts'

export type PlanChoice = { plan: string; version?: number; price?: string; seats?: number }

/**
 * A plan of the catalog as charges: `base`, `seats` above those included, and one for each usage price under its meter's name.
 * `suffix` keeps the charges of several plans apart.
 */
export const planCharges = (
  reader: Reader,
  field: string,
  catalog: Catalog,
  choice: PlanChoice,
  currency: string,
  suffix: string,
): RatingCharge[] => {
  const plan = findPlan(catalog, choice.plan, choice.version)?.content
  if (!plan) {
    reader.report(`${field}.${choice.version === undefined ? 'plan' : 'version'}`, 'is not in the catalog')
    return []
  }
  const usage = Object.entries(plan.usagePrices ?? {}).map(([meter, price]) =>
    usageCharge(reader, field, meter, price, currency, suffix),
  )
  if (choice.price === undefined) {
    if (choice.seats !== undefined) reader.report(`${field}.seats`, 'is read with a price only')
    return usage
  }
  const amount = own(own(plan.prices, choice.price)?.amounts, currency)
  if (amount === undefined) reader.report(`${field}.price`, `is no price of this plan in ${currency}`)
  const base: RatingCharge = {
    key: `base${suffix}`,
    name: plan.name,
    price: { model: 'flat', unitAmount: String(amount ?? 0) },
  }
  return [base, ...seatCharges(reader, field, plan, choice, currency, suffix), ...usage]
}

const seatCharges = (
  reader: Reader,
  field: string,
  plan: CatalogPlan,
  { price, seats }: PlanChoice,
  currency: string,
  suffix: string,
): RatingCharge[] => {
  if (seats === undefined) return []
  const amount = own(own(plan.seats?.perSeat, price!), currency)
  const extra = Math.max(0, seats - (plan.seats?.included ?? 0))
  if (!plan.seats) reader.report(`${field}.seats`, 'is not sold with this plan')
  else if (extra > 0 && amount === undefined) reader.report(`${field}.seats`, `have no price in ${currency}`)
  else if (plan.seats.max != null && seats > plan.seats.max)
    reader.report(`${field}.seats`, `are at most ${plan.seats.max}`)
  return [
    {
      key: `seats${suffix}`,
      name: `${plan.name}: seats`,
      quantity: extra,
      price: { model: 'per_unit', unitAmount: String(amount ?? 0) },
    },
  ]
}

const usageCharge = (
  reader: Reader,
  field: string,
  meter: string,
  { model, included, tiers }: NonNullable<CatalogPlan['usagePrices']>[string],
  currency: string,
  suffix: string,
): RatingCharge => {
  const amounts = tiers.map(({ unitAmounts }) => own(unitAmounts, currency))
  if (amounts.includes(undefined)) reader.report(`${field}.plan`, `has no price of ${meter} in ${currency}`)
  return {
    key: `${meter}${suffix}`,
    meter,
    ...(included ? { included: { quantity: included } } : {}),
    price:
      model === 'per_unit'
        ? { model, unitAmount: amounts[0] ?? '0' }
        : {
            model,
            tiers: tiers.map(({ upTo, flatAmounts }, index) => ({
              upTo,
              unitAmount: amounts[index] ?? '0',
              flatAmount: own(flatAmounts, currency) ?? 0,
            })),
          },
  }
}
