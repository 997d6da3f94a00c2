import { isBefore } from '../../core/period.ts'
import { type Bill, type CouponUse, givingBack, least, netOf, payable, takeOff } from './bill.ts'
import { over, textOf, times, whole } from './exact.ts'
import type { Coupon, RatingInput } from './price.ts'
import { round } from './round.ts'

/**
 * Coupons in the order given, each on what the one before left (or percentages all of the whole). A discount never takes more than there is to
 * pay, and leaves lines below zero alone but where the coupon lowered what they give back.
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
  const { percent, onCredits } = coupon.off
  const base = (index: number) => (settings.stacking === 'additive' ? before[index]! : bill.lines[index]!.netMinor)
  const takeShare = (from: readonly number[]) => {
    const sum = from.reduce((all, index) => all + base(index), 0n)
    const share = round(over(times(whole(sum), percent), whole(100)), settings.rounding)
    return takeOff(bill, from, within(share, netOf(bill, from)), input)
  }
  // Credits are a sum of their own: what they give back is lowered by what was taken off when it was paid.
  const sides = [lines, onCredits ? givingBack(bill, coupon.charges) : []]
  const parts = sides.flatMap((side) =>
    settings.discountOn === 'sum' ? takeShare(side) : side.flatMap((line) => takeShare([line])),
  )
  const taken = -parts.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)
  note(bill, coupon, `${textOf(percent)} % off`, taken, parts)
  return taken
}

/** Not further from zero than there is. */
const within = (wanted: bigint, open: bigint): bigint => (open < 0n ? -least(-wanted, -open) : least(wanted, open))

const note = (
  bill: Bill,
  { key }: Coupon,
  text: string,
  taken: bigint,
  spread: Bill['adjustments'][number]['spread'],
) => bill.adjustments.push({ kind: 'discount', key, text, amountMinor: -taken, spread })
