import { expect, test } from 'vitest'
import { type CorrectionAction, decideCorrection } from './decide-correction.ts'

const units = (n: number) => BigInt(Math.round(n * 1_000_000))
const meter = { fractional: false, countsRecords: false }

type Case = [
  name: string,
  original: number,
  earlier: number[],
  action: CorrectionAction,
  quantity: number | null,
  delta: number,
  after: number,
]
const cases: Case[] = [
  ['void takes all back', 10, [], 'void', null, -10, 0],
  ['amend to less', 10, [], 'amend', 4, -6, 4],
  ['amend to more', 10, [], 'amend', 25, 15, 25],
  ['amend to nothing', 10, [], 'amend', 0, -10, 0],
  ['amend to the same', 10, [], 'amend', 10, 0, 10],
  ['amend again', 10, [-6], 'amend', 7, 3, 7],
  ['void after an amendment', 10, [-6], 'void', null, -4, 0],
  ['void again changes nothing', 10, [-10], 'void', null, 0, 0],
  ['amend what was voided', 10, [-10], 'amend', 3, 3, 3],
  ['a chain of corrections', 10, [-6, 3, -7], 'amend', 1, 1, 1],
]
test.each(cases)('%s', (_, original, earlier, action, quantity, delta, after) => {
  expect(
    decideCorrection(
      { quantity: units(original) },
      earlier.map((each) => ({ quantity: units(each) })),
      { action, quantity: quantity === null ? null : units(quantity) },
      meter,
    ),
  ).toMatchObject({ delta: units(delta), after: units(after) })
})

const refused: [
  name: string,
  action: CorrectionAction,
  quantity: number | null,
  of: Partial<typeof meter>,
  why: string,
][] = [
  ['void with a quantity', 'void', 1, {}, 'quantity_not_wanted'],
  ['amend without one', 'amend', null, {}, 'quantity_missing'],
  ['a fraction of a whole unit', 'amend', 1.5, {}, 'quantity_not_whole'],
  ['amend where records are counted', 'amend', 1, { countsRecords: true }, 'counts_records'],
]
test.each(refused)('refuses %s', (_, action, quantity, of, why) => {
  const wanted = { action, quantity: quantity === null ? null : units(quantity) }
  expect(decideCorrection({ quantity: units(1) }, [], wanted, { ...meter, ...of })).toBe(why)
})
