import { expect, test } from 'vitest'
import { findAnomaly } from './find-anomaly.ts'

const units = (n: number) => BigInt(Math.round(n * 1_000_000))

type Case = [name: string, value: number, past: number[], found: 'high' | 'low' | null]
const cases: Case[] = [
  ['as ever', 100, [100, 101, 99, 100], null],
  ['three weeks say nothing', 9_999, [100, 101, 99], null],
  ['far more', 400, [100, 110, 90, 105, 95], 'high'],
  ['far less', 5, [100, 110, 90, 105, 95], 'low'],
  ['nothing at all where there always was something', 0, [100, 110, 90, 105, 95], 'low'],
  ['one strange week in the past does not hide it', 400, [100, 110, 5_000, 105, 95], 'high'],
  ['one strange week in the past is not expected', 100, [100, 110, 5_000, 105, 95], null],
  ['usage that varies by nature', 400, [10, 300, 90, 500, 45], null],
  ['usage that never varies may do so by half', 149, [100, 100, 100, 100], null],
  ['exactly half more', 150, [100, 100, 100, 100], null],
  ['just over half more', 150.000001, [100, 100, 100, 100], 'high'],
  ['exactly six median deviations', 160, [100, 110, 90, 110, 90], null],
  ['just over six median deviations', 161, [100, 110, 90, 110, 90], 'high'],
  ['a little of nothing', 9.9, [0, 0, 0, 0], null],
  ['ten units of nothing', 10, [0, 0, 0, 0], 'high'],
]
test.each(cases)('%s', (_, value, past, found) => {
  expect(findAnomaly(units(value), past.map(units))?.kind ?? null).toBe(found)
})

test('says what was expected: of an even number the middle of the two', () => {
  expect(findAnomaly(units(500), [100, 110, 90, 120].map(units))).toEqual({
    kind: 'high',
    value: units(500),
    expected: units(105),
    spread: units(10),
  })
})
