import { expect, test } from 'vitest'
import { changedMethods, isExpired } from './change-methods.ts'
import type { PaymentMethodFact } from './money-back.ts'

const card = (id: string, more: Partial<PaymentMethodFact> = {}): PaymentMethodFact => ({
  ...{ providerMethodId: id, type: 'card', brand: 'visa', last4: '4242', expiryMonth: 4, expiryYear: 2030 },
  ...{ isDefault: false, attached: true, ...more },
})
const off = { attached: false, isDefault: false }

test.each<[string, PaymentMethodFact[], PaymentMethodFact[], PaymentMethodFact[], PaymentMethodFact[]]>([
  ['nothing where nothing is', [], [], [], []],
  ['a first one', [], [card('a')], [], [card('a')]],
  ['the same again', [card('a')], [card('a')], [], []],
  [
    'another default',
    [card('a', { isDefault: true }), card('b')],
    [card('a'), card('b', { isDefault: true })],
    [],
    [card('a'), card('b', { isDefault: true })],
  ],
  ['another expiry', [card('a')], [card('a', { expiryYear: 2031 })], [], [card('a', { expiryYear: 2031 })]],
  ['one that was taken off', [card('a', { isDefault: true })], [], [], [card('a', off)]],
  ['one that was taken off before', [card('a', off)], [], [], []],
  ['one that came back', [card('a', off)], [card('a')], [], [card('a')]],
  ['one that only ever paid', [], [], [card('a', off)], [card('a', off)]],
])('%s', (_, held, attached, others, expected) => {
  expect(changedMethods(held, attached, others)).toEqual(expected)
})

test.each([
  ['2030-04-30T23:59:59Z', 4, 2030, false],
  ['2030-05-01T00:00:00Z', 4, 2030, true],
  ['2030-12-31T23:59:59Z', 12, 2030, false],
  ['2031-01-01T00:00:00Z', 12, 2030, true],
  ['2099-01-01T00:00:00Z', null, null, false],
])('at %s a card of %s/%s has expired: %s', (at, expiryMonth, expiryYear, expected) => {
  expect(isExpired({ expiryMonth, expiryYear }, Temporal.Instant.from(at))).toBe(expected)
})
