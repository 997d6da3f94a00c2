import type { RatingPreviewRequest } from '@turnpike/contract'
import { zero } from './exact.ts'
import type { Bound, Commitment, Coupon, Credit } from './price.ts'
import type { Reader } from './read-numbers.ts'

type Sent<K extends keyof RatingPreviewRequest> = NonNullable<RatingPreviewRequest[K]>

export const readCoupons = (reader: Reader, coupons: Sent<'coupons'>): Coupon[] =>
  coupons.map((coupon, index) => {
    const field = `coupons.${index}`
    checkUnique(reader, coupons, index, 'coupons')
    if (coupon.percentOff === undefined && coupon.amountOff === undefined)
      reader.report(`${field}.percentOff`, 'is missing: give percentOff or amountOff')
    if (coupon.percentOff !== undefined && coupon.amountOff !== undefined)
      reader.report(`${field}.percentOff`, 'cannot stand beside amountOff: give one of the two')
    if (coupon.unused !== undefined && coupon.amountOff === undefined)
      reader.report(`${field}.unused`, 'is read with amountOff only')
    if (coupon.onCredits !== undefined && coupon.percentOff === undefined)
      reader.report(`${field}.onCredits`, 'is read with percentOff only')
    const countedBy = coupon.countedBy ?? 'calendar'
    if (coupon.months !== undefined && countedBy === 'calendar' && coupon.startsAt === undefined)
      reader.report(`${field}.startsAt`, 'is missing: the months of the calendar count from it')
    if (coupon.months === undefined && coupon.countedBy !== undefined)
      reader.report(`${field}.countedBy`, 'is read with months only')
    if (coupon.invoicesSoFar !== undefined && countedBy !== 'invoices')
      reader.report(`${field}.invoicesSoFar`, 'is read when months are counted by invoices only')
    if (coupon.percentOff !== undefined) reader.percent(`${field}.percentOff`, coupon.percentOff, 100)
    return {
      key: coupon.key,
      off:
        coupon.amountOff === undefined
          ? {
              percent: coupon.percentOff === undefined ? zero : reader.exact(`${field}.percentOff`, coupon.percentOff),
              onCredits: coupon.onCredits ?? false,
            }
          : { amountMinor: reader.minor(`${field}.amountOff`, coupon.amountOff), unused: coupon.unused ?? 'lost' },
      charges: coupon.charges ?? null,
      startsAt: coupon.startsAt === undefined ? null : reader.instant(`${field}.startsAt`, coupon.startsAt),
      lasts:
        coupon.months === undefined
          ? null
          : { months: coupon.months, countedBy, invoicesSoFar: coupon.invoicesSoFar ?? 0 },
    }
  })

export const readCredits = (reader: Reader, credits: Sent<'credits'>): Credit[] =>
  credits.map((credit, index) => {
    const field = `credits.${index}`
    checkUnique(reader, credits, index, 'credits')
    const amountMinor = reader.minor(`${field}.amount`, credit.amount)
    if (amountMinor === 0n) reader.report(`${field}.amount`, 'must be more than zero')
    const category = credit.category ?? 'paid'
    if (credit.paid !== undefined && category !== 'paid')
      reader.report(`${field}.paid`, 'is read for paid credits only')
    return {
      key: credit.key,
      amountMinor,
      priority: credit.priority ?? 50,
      expiresAt: credit.expiresAt == null ? null : reader.instant(`${field}.expiresAt`, credit.expiresAt),
      grantedAt: credit.grantedAt === undefined ? null : reader.instant(`${field}.grantedAt`, credit.grantedAt),
      category,
      paidMinor: credit.paid === undefined ? amountMinor : reader.minor(`${field}.paid`, credit.paid),
      charges: credit.charges ?? null,
    }
  })

export const readMaximum = (reader: Reader, bound: Sent<'maximum'>): Bound => readBound(reader, 'maximum', bound)

export const readMinimum = (reader: Reader, bound: Sent<'minimum'>): Commitment => ({
  ...readBound(reader, 'minimum', bound),
  spentBeforeMinor: reader.minor('minimum.spentBefore', bound.spentBefore ?? 0),
  trueUp: bound.trueUp ?? 'now',
})

const readBound = (reader: Reader, field: string, bound: Sent<'maximum'>): Bound => ({
  amountMinor: reader.minor(`${field}.amount`, bound.amount),
  prorated: bound.prorated ?? false,
  charges: bound.charges ?? null,
})

const checkUnique = (reader: Reader, list: readonly { key: string }[], index: number, field: string): void => {
  if (list.findIndex(({ key }) => key === list[index]!.key) !== index)
    reader.report(`${field}.${index}.key`, 'stands twice')
}
