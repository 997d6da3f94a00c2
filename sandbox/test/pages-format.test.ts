import { describe, expect, test } from 'vitest'
import { readCard } from '../src/pages/cardForm.ts'
import { money, period, unitPrice } from '../src/pages/format.ts'

describe('money', () => {
  test.each([
    [4900, 'usd', '$49.00'],
    [5, 'usd', '$0.05'],
    [-353, 'usd', '-$3.53'],
    [0, 'eur', '€0.00'],
    [4187, 'jpy', '¥4,187'],
    [4187, 'kwd', 'KWD\u00a04.187'],
    [-7, 'kwd', '-KWD\u00a00.007'],
    [100n, 'isk', 'ISK\u00a01.00'],
    [123456789012345678n, 'usd', '$1,234,567,890,123,456.78'],
  ])('%s %s prints as %s', (minor, currency, printed) => {
    expect(money(minor, currency)).toBe(printed)
  })

  test.each([
    ['0.05', 'usd', '$0.0005'],
    ['12.5', 'usd', '$0.125'],
    ['1000', 'usd', '$10.00'],
    ['1000.000000000000', 'usd', '$10.00'],
    ['0.000000000001', 'usd', '$0.00000000000001'],
    ['0.25', 'jpy', '¥0.25'],
    ['0.5', 'kwd', 'KWD\u00a00.0005'],
  ])('a unit price of %s minor %s prints as %s', (minor, currency, printed) => {
    expect(unitPrice(minor, currency)).toBe(printed)
  })

  test('a period shows the last day that is included', () => {
    const day = (iso: string) => Date.parse(iso) / 1000
    expect(period(day('2026-11-01T00:00:00Z'), day('2026-12-01T00:00:00Z'))).toBe('Nov 1\u2009–\u200930, 2026')
  })
})

describe('card form', () => {
  const now = Date.UTC(2026, 10, 15)
  const good = { cardNumber: '4242 4242 4242 4242', cardExpiry: '12 / 34', cardCvc: '123', billingName: 'Ana' }
  const errorsOf = (change: object) => readCard({ ...good, ...change }, now).errors

  test('accepts spaces and short and long years', () => {
    const card = { number: '4242424242424242', expMonth: 12, expYear: 2034, cvc: '123', name: 'Ana' }
    for (const cardExpiry of ['12 / 34', '12/34', '1234', '12 / 2034', '122034'])
      expect(readCard({ ...good, cardExpiry }, now)).toEqual({ card, errors: {} })
  })

  test.each([
    [{ cardNumber: '' }, { cardNumber: 'Your card number is incomplete.' }],
    [{ cardNumber: '4242 4242 4242 424' }, { cardNumber: 'Your card number is incomplete.' }],
    [{ cardNumber: '4242 4242 4242 4241' }, { cardNumber: 'Your card number is invalid.' }],
    [{ cardExpiry: '13 / 34' }, { cardExpiry: "Your card's expiration date is incomplete." }],
    [{ cardExpiry: '12 / 25' }, { cardExpiry: "Your card's expiration year is in the past." }],
    [{ cardExpiry: '10 / 26' }, { cardExpiry: "Your card's expiration date is in the past." }],
    [{ cardExpiry: '11 / 26' }, {}],
    [{ cardExpiry: '01 / 77' }, { cardExpiry: "Your card's expiration year is invalid." }],
    [{ cardCvc: '12' }, { cardCvc: "Your card's security code is incomplete." }],
    [{ cardNumber: '378282246310005', cardCvc: '123' }, { cardCvc: "Your card's security code is incomplete." }],
    [{ cardNumber: '378282246310005', cardCvc: '1234' }, {}],
    [{ billingName: ' ' }, { billingName: 'Enter the name on the card.' }],
  ])('%j is answered with %j', (change, errors) => {
    expect(errorsOf(change)).toEqual(errors)
  })
})
