import type { CatalogFile, CatalogPrice } from '@turnpike/contract'
import { own } from '../../core/own.ts'
import type { Interval } from '../../core/period.ts'
import { type Catalog, findPlan } from './catalog.ts'

/** One price of the catalog in one currency. `seat` is one seat above those included. */
export type PriceRef =
  | { kind: 'plan'; plan: string; price: string; currency: string }
  | { kind: 'seat'; plan: string; price: string; currency: string }
  | { kind: 'add_on'; addOn: string; price: string; currency: string }
  | { kind: 'product'; product: string; currency: string }

/** `interval: null` is paid once. */
export type PriceAmount = { amountMinor: bigint; currency: string; interval: Interval | null }

export const intervalOf = (price: Pick<CatalogPrice, 'interval'>): Interval =>
  typeof price.interval === 'string' ? { unit: price.interval, count: 1 } : price.interval

/** Whether usage of a price can be counted by months of it. */
export const isLongerThanMonth = ({ unit, count }: Interval): boolean =>
  unit === 'year' || (unit === 'month' && count > 1)

/** `month`, or with a count `3 month`. */
export const intervalText = (interval: Interval): string =>
  interval.count === 1 ? interval.unit : `${interval.count} ${interval.unit}`

/**
 * What a price costs for one unit, or null when the catalog has no such price. `planVersion` counts for plan and seat
 * prices only and defaults to the newest; add-ons and products are those of the current file.
 */
export const amountOf = (catalog: Catalog, ref: PriceRef, planVersion?: number): PriceAmount | null => {
  if (ref.kind === 'add_on' || ref.kind === 'product') return amountIn(catalog.file, ref)
  const plan = findPlan(catalog, ref.plan, planVersion)
  return plan ? amountIn({ plans: { [ref.plan]: plan.content } }, ref) : null
}

/** As `amountOf`, over the plans, add-ons and products given. */
export const amountIn = (
  part: { plans?: CatalogFile['plans'] } & Pick<CatalogFile, 'addOns' | 'products'>,
  ref: PriceRef,
): PriceAmount | null => {
  switch (ref.kind) {
    case 'plan':
    case 'seat': {
      const plan = own(part.plans, ref.plan)
      const price = own(plan?.prices, ref.price)
      const amounts = ref.kind === 'plan' ? price?.amounts : own(plan?.seats?.perSeat, ref.price)
      return price ? priced(amounts, ref.currency, intervalOf(price)) : null
    }
    case 'add_on': {
      const price = own(own(part.addOns, ref.addOn)?.prices, ref.price)
      return price ? priced(price.amounts, ref.currency, intervalOf(price)) : null
    }
    case 'product':
      return priced(own(part.products, ref.product)?.amounts, ref.currency, null)
  }
}

const priced = (
  amounts: Record<string, number> | undefined,
  currency: string,
  interval: Interval | null,
): PriceAmount | null => {
  const amount = own(amounts, currency)
  return amount === undefined ? null : { amountMinor: BigInt(amount), currency, interval }
}

type Rates = { meter?: string }

/** Whether a usage price rates a meter: its own name's where it names no other. A flat price rates none. */
export const rates = (key: string, price: Rates & { model?: string }, meter: string): boolean =>
  price.model !== 'flat' && (price.meter ?? key) === meter

/** The usage price that the included quantity of a meter belongs to: the one of the same name, or the only one; else null. */
export const allowancePrice = (
  prices: Record<string, Rates & { model?: string }> | undefined,
  meter: string,
): string | null => {
  const keys = Object.entries(prices ?? {}).flatMap(([key, price]) => (rates(key, price, meter) ? [key] : []))
  return keys.includes(meter) ? meter : keys.length === 1 ? keys[0]! : null
}
