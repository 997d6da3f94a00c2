import type { BillingStatus, PlanOffer } from '@turnpike/contract'
import { expect, test } from 'vitest'
import { addOnsText, selectionOf, wishOf } from './selection.ts'

const price = (price: string) => ({ price, interval: price === 'yearly' ? 'year' : 'month' })
const offers = [
  { plan: 'starter', prices: [price('monthly')], seats: null },
  { plan: 'pro', prices: [price('monthly'), price('yearly')], seats: { included: 3, max: 50 } },
] as unknown as PlanOffer[]
const held = { plan: { plan: 'pro', version: 1, name: 'Pro' }, price: 'yearly' } as NonNullable<
  BillingStatus['subscription']
>
const wish = (view: Record<string, string>, from: typeof held | null = held) =>
  wishOf(selectionOf(view, offers, from), from)

test('only what was chosen is asked for, so that the rest keeps its version and price (CAT-3)', () => {
  expect(wish({ seats: '7' })).toEqual({ action: 'change', seats: 7 })
  expect(wish({ price: 'monthly' })).toEqual({ action: 'change', price: 'monthly' })
  expect(wish({ addOns: 'call_pack:2' })).toEqual({ action: 'change', addOns: [{ addOn: 'call_pack', quantity: 2 }] })
})

test('another plan keeps the interval where it has it, and takes no seats where it has none', () => {
  expect(wish({ plan: 'starter', seats: '7' })).toEqual({ action: 'change', plan: 'starter', price: 'monthly' })
})

test('taking every add-on away is not the same as saying nothing of them', () => {
  expect(addOnsText([{ addOn: 'call_pack', quantity: 0 }])).toBe('-')
  expect(wish({ addOns: '-' })).toEqual({ action: 'change', addOns: [] })
})

test('without a subscription the whole selection is asked for', () => {
  expect(wish({ plan: 'pro' }, null)).toEqual({ action: 'create', plan: 'pro', price: 'monthly' })
})

test('what an address cannot mean is left out', () => {
  expect(wish({ plan: 'nothing' })).toBeNull()
  expect(wish({ seats: '-3', addOns: 'call_pack:0,__proto__,x:1e9' })).toEqual({ action: 'change', addOns: [] })
})
