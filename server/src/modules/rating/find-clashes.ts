import type { FieldError } from '../../core/errors.ts'
import { contains } from '../../core/period.ts'
import { isZero } from './exact.ts'
import { measuredWindows, recordsReason, type UsageCharge, usageCharges } from './need-usage.ts'
import type { RatingInput, Usage } from './price.ts'
import { segmentsOf } from './timeline.ts'

/**
 * How many times a record may be looked at: 5,000 records under 8 prices, or under one that changes 8 times. A preview runs in the
 * process that answers checks, which must not wait for it longer than about half a second.
 */
const mostWork = 40_000

/** What each part says well and the parts together do not: names of nothing, totals that would have to be split, too much work. */
export const findClashes = (input: RatingInput): FieldError[] => {
  const errors: FieldError[] = []
  const keys = new Set(input.charges.map(({ key }) => key))
  const named = (field: string, charges: readonly string[] | null) => {
    for (const [index, key] of (charges ?? []).entries())
      if (!keys.has(key)) errors.push({ field: `${field}.charges.${index}`, message: 'is no charge of this request' })
  }
  for (const [index, coupon] of input.coupons.entries()) named(`coupons.${index}`, coupon.charges)
  for (const [index, credit] of input.credits.entries()) named(`credits.${index}`, credit.charges)
  named('minimum', input.minimum?.charges ?? null)
  named('maximum', input.maximum?.charges ?? null)
  for (const [index, usage] of input.usage.entries()) errors.push(...usageClashes(input, usage, `usage.${index}`))
  errors.push(...workClashes(input))
  return errors
}

const usageClashes = (input: RatingInput, usage: Usage, field: string): FieldError[] => {
  const raters = usageCharges(input).filter(({ basis }) => basis.meter === usage.meter)
  if (raters.length === 0) return [{ field: `${field}.meter`, message: 'is rated by no charge of this request' }]
  if (usage.kind !== 'total') return []
  return raters.flatMap((charge) => {
    const reason = totalReason(input, charge, usage.transactions)
    if (reason === null) return []
    return [{ field: `${field}.records`, message: `are needed instead of a total: ${charge.key} ${reason}` }]
  })
}

/** Why the total of the period is not enough for a charge, or null when it is. */
const totalReason = (input: RatingInput, charge: UsageCharge, transactions: number | null): string | null => {
  const { basis, price } = charge
  const reason = recordsReason(charge)
  if (reason !== null) return reason
  if (basis.bucket) return 'is measured in buckets'
  const windows = measuredWindows(input, charge)
  if (windows.length > 1) return 'changes its price in mid-period'
  const [window] = windows
  if (window && !(window.start.equals(input.period.start) && window.end.equals(input.period.end)))
    return 'is charged in a part of the period only (or shorten period to that part, and give the whole one as regularPeriod)'
  return price.model === 'percentage' && !isZero(price.fixedFee) && transactions === null
    ? 'has a fee for each transaction (or tell how many with transactions)'
    : null
}

const workClashes = (input: RatingInput): FieldError[] => {
  let work = 0
  const errors: FieldError[] = []
  for (const [index, charge] of input.charges.entries()) {
    const { basis } = charge
    const segments = segmentsOf(input, charge)
    if (basis.kind !== 'usage') continue
    const usage = input.usage.find(({ meter }) => meter === basis.meter)
    const count = usage?.kind === 'records' ? usage.records.filter(({ at }) => contains(input.period, at)).length : 0
    work += count * segments.length
    if (basis.alreadyBilled !== null && segments.length > 1)
      errors.push({
        field: `charges.${index}.alreadyBilled`,
        message: 'cannot be combined with a change of price in mid-period',
      })
  }
  if (work > mostWork)
    errors.push({ field: 'usage', message: 'is too much for one preview: fewer records, prices or changes' })
  return errors
}
