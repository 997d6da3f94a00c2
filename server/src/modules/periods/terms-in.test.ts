import { describe, expect, test } from 'vitest'
import { instantOf } from '../../core/period.ts'
import { areNewTerms, termsIn } from './terms-in.ts'
import type { Terms } from './usage-period.ts'

const at = (day: string) => instantOf(`2026-01-${day}T00:00:00Z`)
const terms = (from: string, plan: string, more: Partial<Terms> = {}): Terms => ({
  tenantId: 'ana',
  subscriptionId: 's1',
  from: at(from),
  plan,
  planVersion: 1,
  price: 'monthly',
  currency: 'USD',
  seats: 3,
  addOns: [],
  trialEndsAt: null,
  ...more,
})
const period = { start: at('10'), end: at('20') }
const pack = [{ addOn: 'call_pack', quantity: 1 }]

test.each<[string, Terms[], string[]]>([
  ['the last before the beginning', [terms('01', 'a'), terms('05', 'b')], ['b from 05']],
  ['those of the very beginning', [terms('01', 'a'), terms('10', 'b')], ['b from 10']],
  ['a change inside', [terms('01', 'a'), terms('15', 'b')], ['a from 01', 'b from 15']],
  ['not one at the end, which is of the next period', [terms('01', 'a'), terms('20', 'b')], ['a from 01']],
  ['the first ones where the history begins later', [terms('12', 'a')], ['a from 12']],
  ['back and forth', [terms('01', 'a'), terms('12', 'b'), terms('14', 'a')], ['a from 01', 'b from 12', 'a from 14']],
  ['in any order', [terms('15', 'b'), terms('01', 'a')], ['a from 01', 'b from 15']],
  ['none', [], []],
])('%s', (_, history, expected) => {
  expect(termsIn(history, period).map(({ plan, from }) => `${plan} from ${from.toString().slice(8, 10)}`)).toEqual(
    expected,
  )
})

test('what comes on top of the same plan does not cut the period: the last of it holds for the whole', () => {
  expect(termsIn([terms('01', 'a'), terms('15', 'a', { addOns: pack })], period)).toEqual([
    terms('01', 'a', { addOns: pack }),
  ])
})

describe('terms are written down', () => {
  const last = terms('01', 'a')
  test.each<[string, Terms | null, Partial<Terms>, boolean]>([
    ['at first', null, {}, true],
    ['not again when they are the same', last, {}, false],
    ['for another plan', last, { plan: 'b' }, true],
    ['for another version', last, { planVersion: 2 }, true],
    ['for another price', last, { price: 'yearly' }, true],
    ['for seats', last, { seats: 4 }, true],
    ['for an add-on', last, { addOns: pack }, true],
    ['for a trial', last, { trialEndsAt: at('09') }, true],
    ['not for a trial that is over', terms('01', 'a', { trialEndsAt: at('09') }), {}, false],
  ])('%s', (_, before, more, expected) => {
    expect(areNewTerms(before, { ...last, ...more })).toBe(expected)
  })
})
