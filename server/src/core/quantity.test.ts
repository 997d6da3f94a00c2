import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isWhole, microOf, microOfText, microOfWhole, numberOfMicro, textOfMicro } from './quantity.ts'

test.each<[number, bigint | null]>([
  [0, 0n],
  [-0, 0n],
  [1, 1_000_000n],
  [-1, -1_000_000n],
  [0.1, 100_000n],
  [0.000001, 1n],
  [-0.000001, -1n],
  [1.5, 1_500_000n],
  [123_456_789.123456, 123_456_789_123_456n],
  [999_999_999_999_999, 999_999_999_999_999_000_000n],
  [-999_999_999_999_999, -999_999_999_999_999_000_000n],
  // One digit more than a JSON number can be trusted with.
  [1e15, null],
  [-1e15, null],
  [Number.MAX_SAFE_INTEGER, null],
  [2 ** 53, null],
  [1e16, null],
  [1e20, null],
  [1_234_567_890_123_456.5, null],
  [1_234_567_890.123456, null],
  [1e21, null],
  [0.0000001, null],
  [1.0000001, null],
  [0.1 + 0.2, null],
  [Number.NaN, null],
  [Number.POSITIVE_INFINITY, null],
])('the quantity %d is %s millionths', (quantity, micro) => {
  expect(microOf(quantity)).toBe(micro)
})

test.each<[string, bigint | null]>([
  ['0', 0n],
  ['0.000000', 0n],
  ['12.500000', 12_500_000n],
  ['-0.000001', -1n],
  // Sums of the database are longer than any single quantity.
  ['99999999999999999999999999999999.999999', 99_999_999_999_999_999_999_999_999_999_999_999_999n],
  ['-1234567890123456.5', -1_234_567_890_123_456_500_000n],
  ['1.0000001', null],
  ['1e3', null],
  ['', null],
  ['.5', null],
  ['1.', null],
  ['+1', null],
  ['NaN', null],
])('the text %s is %s millionths', (text, micro) => {
  expect(microOfText(text)).toBe(micro)
})

test('what is written for the database reads back as the same', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(10n ** 37n), max: 10n ** 37n }),
      (micro) => microOfText(textOfMicro(micro)) === micro,
    ),
  )
})

test('a number with at most 15 digits survives the way through millionths', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }),
      fc.integer({ min: 0, max: 6 }),
      (digits, decimals) => {
        const quantity = digits / 10 ** decimals
        return numberOfMicro(microOf(quantity)!) === (quantity === 0 ? 0 : quantity)
      },
    ),
  )
})

test('whole is what has no millionths left', () => {
  expect([isWhole(0n), isWhole(microOfWhole(7)), isWhole(1n), isWhole(-999_999n)]).toEqual([true, true, false, false])
})
