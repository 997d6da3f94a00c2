import { expect, test } from 'vitest'
import { parseAmount } from './money-input.ts'

test.each([
  ['10', 'USD', 1_000n],
  ['10.5', 'USD', 1_050n],
  ['10,50', 'EUR', 1_050n],
  [' 0.01 ', 'USD', 1n],
  ['100', 'JPY', 100n],
  ['1.234', 'KWD', 1_234n],
  ['90071992547.41', 'USD', 9_007_199_254_741n],
  ['0', 'USD', null],
  ['0.00', 'USD', null],
  ['10.505', 'USD', null],
  ['1.5', 'JPY', null],
  ['-5', 'USD', null],
  ['1,000.00', 'USD', null],
  ['ten', 'USD', null],
  ['', 'USD', null],
])('%s %s is %s', (text, currency, expected) => {
  expect(parseAmount(text, currency)).toBe(expected)
})
