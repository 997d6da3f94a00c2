import { expect, test } from 'vitest'
import { amountText, decimalsOf } from './currency.ts'

test.each([
  [123n, 'USD', '1.23 USD'],
  [-5n, 'EUR', '-0.05 EUR'],
  [0n, 'USD', '0.00 USD'],
  [4_187n, 'JPY', '4187 JPY'],
  [4_187n, 'KWD', '4.187 KWD'],
])('%s minor units of %s are %s in a sentence', (minor, currency, text) => {
  expect(amountText(minor, currency)).toBe(text)
})

test('what is no currency has no decimals', () => {
  expect(decimalsOf('XQQ')).toBeNull()
})
