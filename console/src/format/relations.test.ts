import type { PlanOffer } from '@turnpike/contract'
import { describe, expect, test } from 'vitest'
import { intervalsOf, planChoice, savingPercent } from './relations.ts'

const price = (interval: string, amountMinor: string, relation: PlanOffer['relation'] = 'start', currency = 'USD') => ({
  price: interval,
  interval,
  amount: { amountMinor, currency },
  perSeat: null,
  relation,
})
const pro = { name: 'Pro', relation: 'start', trialDays: 0, model: 'subscription' } as const

describe('the button of a plan', () => {
  test.each([
    ['start', 'Choose Pro', 'plan'],
    ['upgrade', 'Upgrade to Pro', 'plan'],
    ['downgrade', 'Switch to Pro', 'plan'],
    ['switch_interval', 'Switch to yearly', 'plan'],
    ['current', 'Current plan', 'nothing'],
    ['scheduled', 'Scheduled', 'nothing'],
    ['not_available', 'Not available', 'nothing'],
  ] as const)('for the relation %s says “%s”', (relation, label, chooses) => {
    expect(planChoice(pro, price('year', '49000', relation), true)).toMatchObject({ label, chooses })
  })

  test('offers the trial where there is one', () => {
    expect(planChoice({ ...pro, trialDays: 14 }, price('month', '4900'), false).label).toBe('Start 14-day trial')
  })

  test('goes by the price of the chosen interval, not by the plan', () => {
    const current = { ...pro, relation: 'current' } as const
    expect(planChoice(current, price('year', '49000', 'switch_interval'), true).label).toBe('Switch to yearly')
  })

  test('leads to the cancellation where a plan without a price is reached by canceling', () => {
    const free = { name: 'Free', relation: 'downgrade', trialDays: 0, model: 'free' } as const
    expect(planChoice(free, undefined, true)).toMatchObject({ label: 'Cancel to move to Free', chooses: 'cancel' })
    expect(planChoice({ ...free, relation: 'not_available' }, undefined, true).chooses).toBe('cancel')
    expect(planChoice(free, undefined, false).chooses).toBe('nothing')
    expect(planChoice({ ...free, model: 'subscription' }, undefined, true).chooses).toBe('nothing')
  })
})

describe('the saving of a longer interval', () => {
  test.each([
    ['49000', 16],
    ['58800', null],
    ['70000', null],
    ['58799', null],
    ['0', 100],
  ])('for %s a year against 4900 a month is %s percent, rounded down', (yearly, percent) => {
    const prices = [price('month', '4900'), price('year', yearly)]
    expect(savingPercent(prices, prices[1]!)).toBe(percent)
  })

  test('is not computed across currencies or for weeks', () => {
    const prices = [price('month', '4900', 'start', 'EUR'), price('year', '49000'), price('week', '1000')]
    expect(savingPercent(prices, prices[1]!)).toBeNull()
    expect(savingPercent(prices, prices[2]!)).toBeNull()
  })

  test('compares quarters with months', () => {
    const prices = [price('month', '1000'), price('3 month', '2700')]
    expect(savingPercent(prices, prices[1]!)).toBe(10)
  })
})

test('intervals are offered once each, the shortest first', () => {
  const offer = (...prices: PlanOffer['prices']) => ({ prices }) as PlanOffer
  expect(
    intervalsOf([offer(price('year', '1'), price('month', '1')), offer(price('3 month', '1'), price('year', '2'))]),
  ).toEqual(['month', '3 month', 'year'])
})
