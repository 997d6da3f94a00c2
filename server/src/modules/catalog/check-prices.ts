import type { CatalogFile, CatalogInterval, CatalogPlan } from '@turnpike/contract'
import { checkAmounts, currenciesOf } from './check-amounts.ts'
import { checkBilling, checkBillingPolicy } from './check-billing.ts'
import { checkCoupons } from './check-coupons.ts'
import { checkUsagePrices } from './check-usage-prices.ts'
import type { Draft } from './draft.ts'
import type { Path } from './read-yaml.ts'

/** Amounts, intervals, seats and usage tiers: every price can be charged in every currency that it is offered in. */
export const checkPrices = (draft: Draft): void => {
  checkCurrencies(draft)
  for (const plan of draft.names('plans')) {
    checkIntervalPrices(draft, ['plans', plan, 'prices'])
    checkSeats(draft, plan)
    checkUsagePrices(draft, plan, offeredCurrencies(draft, plan))
    checkBilling(draft, plan, offeredCurrencies(draft, plan))
  }
  for (const addOn of draft.names('addOns')) {
    checkIntervalPrices(draft, ['addOns', addOn, 'prices'])
    if (draft.sound('addOns', addOn, 'prices') && draft.names('addOns', addOn, 'prices').length === 0)
      draft.report(['addOns', addOn, 'prices'], 'An add-on needs at least one price.', 'key')
    checkAddOnIntervals(draft, addOn)
  }
  checkBillingPolicy(draft)
  for (const product of draft.names('products')) {
    checkAmounts(draft, ['products', product, 'amounts'])
    // Whoever buys credit in a currency gets credit in it.
    if (draft.sound('products', product, 'credits'))
      checkAmounts(draft, ['products', product, 'credits', 'amounts'], draft.names('products', product, 'amounts'))
  }
  checkCoupons(draft)
  for (const limits of ['maxAmounts', 'secondPersonAbove'])
    if (draft.sound('policies', 'credits', limits)) checkAmounts(draft, ['policies', 'credits', limits], [])
}

const checkCurrencies = (draft: Draft) => {
  const known = new Set(Intl.supportedValuesOf('currency'))
  currenciesOf(draft).forEach((currency, index) => {
    if (currency !== undefined && !known.has(currency))
      draft.report(['currencies', index], `"${currency}" is no currency of ISO 4217.`, 'value')
  })
}

const checkIntervalPrices = (draft: Draft, path: Path) => {
  for (const price of draft.names(...path)) {
    checkAmounts(draft, [...path, price, 'amounts'])
    const interval = draft.sound<CatalogInterval>(...path, price, 'interval')
    // Longer ones are accepted by no card network's mandate and refused by providers.
    if (interval && monthsOf(interval) > 36)
      draft.report([...path, price, 'interval'], 'An interval is at most three years.', 'value')
  }
}

const monthsOf = (interval: CatalogInterval): number => {
  const { unit, count } = typeof interval === 'string' ? { unit: interval, count: 1 } : interval
  return count * { day: 12 / 365, week: 12 / 52, month: 1, year: 12 }[unit]
}

const offeredCurrencies = (draft: Draft, plan: string): string[] | undefined => {
  const all = draft
    .names('plans', plan, 'prices')
    .flatMap((price) => draft.names('plans', plan, 'prices', price, 'amounts'))
  return all.length > 0 ? [...new Set(all)] : undefined
}

const checkSeats = (draft: Draft, plan: string) => {
  const path = ['plans', plan, 'seats']
  const seats = draft.sound<NonNullable<CatalogPlan['seats']>>(...path)
  for (const price of draft.names(...path, 'perSeat')) {
    const here = [...path, 'perSeat', price]
    if (draft.names('plans', plan, 'prices').includes(price))
      checkAmounts(draft, here, draft.names('plans', plan, 'prices', price, 'amounts'))
    else draft.report(here, `Plan "${plan}" has no price "${price}".`, 'key')
  }
  if (!seats) return
  const max = seats.max === undefined ? seats.included : seats.max
  if (max !== null && max < seats.included)
    draft.report([...path, 'max'], `"max" is less than the ${seats.included} seats included.`, 'value')
  if (max !== null && max <= seats.included) return
  for (const price of draft.names('plans', plan, 'prices'))
    if (!draft.names(...path, 'perSeat').includes(price))
      draft.report(path, `Seats above those included have no price under "perSeat" for "${price}".`, 'key')
}

const checkAddOnIntervals = (draft: Draft, addOn: string) => {
  const prices = draft.sound<CatalogFile['plans'][string]['prices']>('addOns', addOn, 'prices')
  if (!prices || Object.keys(prices).length === 0) return
  const intervals = new Set(Object.values(prices).map((price) => monthsOf(price.interval)))
  draft.sound<string[]>('addOns', addOn, 'plans')?.forEach((plan, index) => {
    const offered = draft.sound<CatalogPlan['prices']>('plans', plan, 'prices')
    if (
      offered &&
      Object.keys(offered).length > 0 &&
      !Object.values(offered).some((price) => intervals.has(monthsOf(price.interval)))
    )
      draft.report(
        ['addOns', addOn, 'plans', index],
        `The add-on has no price with an interval of plan "${plan}".`,
        'value',
      )
  })
}
