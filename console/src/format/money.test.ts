import { expect, test } from 'vitest'
import { formatMoney, minorToDecimal, parseMoney } from './money.ts'

test.each([
  ['4187', 'USD', '$41.87'],
  ['0', 'USD', '$0.00'],
  ['5', 'USD', '$0.05'],
  ['-353', 'USD', '-$3.53'],
  ['4187', 'JPY', '¥4,187'],
  ['4187', 'KWD', 'KWD 4.187'],
  ['100', 'HUF', 'HUF 1.00'],
  ['123456789012345678', 'USD', '$1,234,567,890,123,456.78'],
])('%s minor units of %s print as %s, exactly', (amountMinor, currency, printed) => {
  expect(formatMoney({ amountMinor, currency }, { locale: 'en-US' }).replaceAll('\u00a0', ' ')).toBe(printed)
})

test('an explicit amount names its currency once', () => {
  const explicit = (currency: string) =>
    formatMoney({ amountMinor: '4187', currency }, { locale: 'en-US', explicit: true }).replaceAll('\u00a0', ' ')
  expect(explicit('USD')).toBe('$41.87 USD')
  expect(explicit('KWD')).toBe('KWD 4.187')
})

test.each([
  ['7', 2, '0.07'],
  ['-7', 3, '-0.007'],
  ['70', 0, '70'],
])('%s with %i digits is %s', (minor, digits, decimal) => {
  expect(minorToDecimal(minor, digits)).toBe(decimal)
})

test.each([
  ['41.87', 'USD', '4187'],
  ['41', 'USD', '4100'],
  ['41.8', 'USD', '4180'],
  [' 1,041.87 ', 'USD', '104187'],
  ['4187', 'JPY', '4187'],
  ['4.187', 'KWD', '4187'],
  ['0', 'USD', '0'],
  // Half a cent is no amount, and is not rounded to one.
  ['41.875', 'USD', null],
  ['41.5', 'JPY', null],
  ['-3', 'USD', null],
  ['1e3', 'USD', null],
  ['', 'USD', null],
])('“%s” in %s is %s minor units', (text, currency, minor) => {
  expect(parseMoney(text, currency)).toBe(minor)
})
