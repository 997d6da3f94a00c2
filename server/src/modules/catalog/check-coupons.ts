import type { CatalogCoupon } from '@turnpike/contract'
import { instantOrNull } from '../../core/period.ts'
import { checkAmounts } from './check-amounts.ts'
import type { Draft } from './draft.ts'

/** Each takes one thing off, of what there is, and is called by a name that no other answers to. */
export const checkCoupons = (draft: Draft): void => {
  for (const key of draft.names('coupons')) {
    const path = ['coupons', key]
    const coupon = draft.sound<CatalogCoupon>(...path)
    if (!coupon) continue
    if ((coupon.percentOff === undefined) === (coupon.amountsOff === undefined))
      draft.report(path, 'A coupon has either percentOff or amountsOff.', 'key')
    if (coupon.percentOff !== undefined && Number(coupon.percentOff) === 0)
      draft.report([...path, 'percentOff'], 'A coupon takes something off.', 'value')
    if (coupon.amountsOff) checkAmounts(draft, [...path, 'amountsOff'])
    for (const [place, plan] of (coupon.plans ?? []).entries())
      draft.mustExist([...path, 'plans', place], 'plan', plan, 'plans')
    for (const [place, product] of (coupon.products ?? []).entries())
      draft.mustExist([...path, 'products', place], 'product', product, 'products')
    if (coupon.redeemBy !== undefined && instantOrNull(coupon.redeemBy) === null)
      draft.report([...path, 'redeemBy'], 'The year is not from 1 to 9999.', 'value')
    const twin = draft
      .names('coupons')
      .find((other) => other !== key && namesOf(draft, other).some((name) => namesOf(draft, key).includes(name)))
    if (twin !== undefined) draft.report([...path, 'code'], `Coupon "${twin}" answers to the same name.`, 'value')
  }
}

const namesOf = (draft: Draft, key: string): string[] => {
  const code = draft.sound<CatalogCoupon>('coupons', key)?.code
  return [key.toUpperCase(), ...(code === undefined ? [] : [code.toUpperCase()])]
}
