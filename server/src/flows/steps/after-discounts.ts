import { isBefore } from '../../core/period.ts'
import { microOfText } from '../../core/quantity.ts'
import { type Catalog, resolveCoupon, type WantedCoupon } from '../../modules/catalog/index.ts'
import type { SubscriptionRecord } from '../../modules/subscriptions/index.ts'

type Discount = Pick<WantedCoupon, 'percentOff' | 'amountOff'>
type Amount = { charge: string | null; amountMinor: bigint }

/** The coupons that the provider takes off usage on an invoice of a time. One for certain products leaves usage alone. */
export const discountsOnUsage = (
  catalog: Catalog,
  { standing: { discounts = [] } }: Pick<SubscriptionRecord, 'standing'>,
  at: Temporal.Instant,
): Discount[] =>
  discounts.flatMap(({ couponId, startsAt, endsAt }) => {
    const isOn =
      !isBefore(at, Temporal.Instant.from(startsAt)) && (endsAt === null || isBefore(at, Temporal.Instant.from(endsAt)))
    const coupon = isOn ? resolveCoupon(catalog, couponId) : null
    return coupon && coupon.productIds === null ? [coupon] : []
  })

/**
 * What discounts leave to pay of usage, which is what credit may pay (conventions 10 and 14). Never too much: a share is rounded
 * up, and what is fixed is taken off usage as a whole, though the invoice spreads it over the plan too. Too little burnt is
 * paid by card; too much would be an invoice below zero.
 */
export const afterDiscounts = <A extends Amount>(amounts: readonly A[], discounts: readonly Discount[]): A[] =>
  discounts.reduce<A[]>(
    (left, { percentOff, amountOff }) =>
      percentOff === null ? lessFixed(left, amountOff!.amountMinor) : left.map((each) => lessShare(each, percentOff)),
    [...amounts],
  )

const hundredPercent = 100_000_000n

const lessShare = <A extends Amount>(amount: A, percentOff: string): A => {
  // Towards zero, for corrections as for what they correct.
  const amountMinor = (amount.amountMinor * (hundredPercent - microOfText(percentOff)!)) / hundredPercent
  return { ...amount, amountMinor }
}

const lessFixed = <A extends Amount>(amounts: readonly A[], off: bigint): A[] => {
  let rest = off
  return amounts.map((amount) => {
    if (amount.amountMinor <= 0n) return amount
    const left = amount.amountMinor - rest
    rest = left < 0n ? -left : 0n
    return { ...amount, amountMinor: left < 0n ? 0n : left }
  })
}
