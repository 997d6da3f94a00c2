import { expect, test } from 'vitest'
import { formatExact, formatExactMoney, formatShare } from './exact.ts'

const plain = (text: string) => text.replaceAll('\u00a0', ' ')

test.each([
  ['12000', '12,000'],
  ['-1250.5', '-1,250.5'],
  ['0.000001', '0.000001'],
  ['123456789012345678.5', '123,456,789,012,345,678.5'],
  ['1/3', '≈ 0.33333333'],
  ['-2/3', '≈ -0.66666667'],
])('the quantity %s prints as %s', (text, printed) => {
  expect(formatExact(text, 'en-US')).toBe(printed)
})

test.each([
  ['0.2', 'USD', '$0.002'],
  ['2000', 'USD', '$20.00'],
  ['-353', 'USD', '-$3.53'],
  ['800.25', 'USD', '$8.0025'],
  ['0', 'USD', '$0.00'],
  ['0.55', 'JPY', '¥0.55'],
  ['1', 'KWD', 'KWD 0.001'],
  ['200/3', 'USD', '≈ $0.6666666667'],
])('%s minor units of %s print as %s, no part left out', (minor, currency, printed) => {
  expect(plain(formatExactMoney(minor, currency, 'en-US'))).toBe(printed)
})

test.each([
  ['0.029', '2.9%'],
  ['0.5', '50%'],
  ['1/3', '≈ 33.333333%'],
])('the share %s prints as %s', (text, printed) => {
  expect(formatShare(text, 'en-US')).toBe(printed)
})
