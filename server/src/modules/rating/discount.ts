import { isBefore } from '../../core/period.ts'
import { type Bill, type CouponUse, least, netOf, payable, takeOff } from './bill.ts'
import { over, textOf, times, whole } from './exact.ts'
import type { Coupon, RatingInput } from './price.ts'
import { round } from './round.ts'

/**
 * Coupons in the order given, each on what the one before left (or percentages all of the whole). A discount never takes more than there is to
 * pay, and leaves credits for unused time alone.
 */
export const discount = (input: RatingInput, bill: Bill): void => {
  const before = bill.lines.map(({ netMinor }) => netMinor)
  for (const coupon of input.coupons) {
    const state = stateOf(coupon, input)
    const takenMinor = state === 'applied' ? takeCoupon(input, bill, coupon, before) : 0n
    const fixed = 'amountMinor' in coupon.off ? coupon.off : null
    const leftMinor = fixed?.unused === 'kept' && state !== 'over' ? fixed.amountMinor - takenMinor : null
    bill.coupons.push({ key: coupon.key, takenMinor, leftMinor, state })
  }
}

/** Convention 10: months of a coupon count by the calendar from its start, or in invoices that it was used on. */
const stateOf = ({ startsAt, lasts }: Coupon, { at, timeZone }: RatingInput): CouponUse['state'] => {
  if (startsAt && isBefore(at, startsAt)) return 'not_yet'
  if (lasts === null) return 'applied'
  if (lasts.countedBy === 'invoices') return lasts.invoicesSoFar < lasts.months ? 'applied' : 'over'
  const end = startsAt!.toZonedDateTimeISO(timeZone).add({ months: lasts.months }).toInstant()
  return isBefore(at, end) ? 'applied' : 'over'
}

const takeCoupon = (input: RatingInput, bill: Bill, coupon: Coupon, before: readonly bigint[]): bigint => {
  const { settings } = input
  const lines = payable(bill, coupon.charges)
  const open = netOf(bill, lines)
  if ('amountMinor' in coupon.off) {
    const taken = least(coupon.off.amountMinor, open)
    note(bill, coupon, `${coupon.off.amountMinor} off`, taken, takeOff(bill, lines, taken, input))
    return taken
  }
  const { percent } = coupon.off
  const bases = lines.map((index) => (settings.stacking === 'additive' ? before[index]! : bill.lines[index]!.netMinor))
  const share = (base: bigint) => round(over(times(whole(base), percent), whole(100)), settings.rounding)
  const text = `${textOf(percent)} % off`
  if (settings.discountOn === 'sum') {
    const taken = least(share(bases.reduce((sum, base) => sum + base, 0n)), open)
    note(bill, coupon, text, taken, takeOff(bill, lines, taken, input))
    return taken
  }
  const parts = lines.flatMap((line, place) =>
    takeOff(bill, [line], least(share(bases[place]!), bill.lines[line]!.netMinor), input),
  )
  const taken = -parts.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)
  note(bill, coupon, text, taken, parts)
  return taken
}

const note = (
  bill: Bill,
  { key }: Coupon,
  text: string,
  taken: bigint,
  spread: Bill['adjustments'][number]['spread'],
) => bill.adjustments.push({ kind: 'discount', key, text, amountMinor: -taken, spread })
