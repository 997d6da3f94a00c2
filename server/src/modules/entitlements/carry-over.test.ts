import { describe, expect, test } from 'vitest'
import { type Carried, carriedOver } from './carry-over.ts'
import type { FeatureWindow } from './counting.ts'
import type { WindowRule } from './resolve.ts'

const daily: FeatureWindow = { kind: 'calendar', unit: 'day', timeZone: 'UTC' }
const months: WindowRule = { kind: 'calendar_month' }
const day = (n: number) => `2026-06-${String(n).padStart(2, '0')}T00:00:00Z`
const ms = (n: number) => Date.parse(day(n))
const before = (n: number, lots: Carried['lots'] = [], allowance = 10): Carried => ({
  windowStart: day(n),
  windowEnd: day(n + 1),
  allowance,
  lots,
})

const carry = (
  known: Carried | null,
  used: Record<number, number>,
  at: string,
  policy: Partial<Parameters<typeof carriedOver>[1]> = {},
  allowance: number | null = 10,
) =>
  carriedOver(
    'calls',
    { expiresAfterPeriods: 2, ...policy },
    allowance,
    daily,
    months,
    Temporal.Instant.from(at),
    known
      ? new Map([
          [
            'calls',
            {
              before: known,
              used: new Map(Object.entries(used).map(([n, q]) => [ms(Number(n)), BigInt(Math.round(q * 1e6))])),
            },
          ],
        ])
      : undefined,
  )
const lots = (carried: Carried) =>
  carried.lots.map(({ quantity, expiresAt }) => `${quantity} until ${expiresAt.slice(8, 10)}`)

describe('after one window', () => {
  test.each<[string, Carried['lots'], number, object, string[]]>([
    ['what is left is a lot', [], 4, {}, ['6 until 13']],
    ['nothing is left', [], 10, {}, []],
    ['more was used than there was', [], 14, {}, []],
    ['parts of a unit are not carried', [], 3.5, {}, ['6 until 13']],
    ['what was carried is used first', [{ quantity: 5, expiresAt: day(12) }], 4, {}, ['1 until 12', '10 until 13']],
    ['and then the allowance', [{ quantity: 5, expiresAt: day(12) }], 7, {}, ['8 until 13']],
    [
      'the lot that ends first before the others',
      [
        { quantity: 5, expiresAt: day(14) },
        { quantity: 2, expiresAt: day(12) },
      ],
      3,
      {},
      ['4 until 14', '10 until 13'],
    ],
    ['or the allowance first', [{ quantity: 5, expiresAt: day(12) }], 12, { order: 'allowance_first' }, ['3 until 12']],
    ['a lot ends with its last window', [{ quantity: 5, expiresAt: day(11) }], 0, {}, ['10 until 13']],
    ['up to a cap', [], 0, { capUnits: 4 }, ['4 until 13']],
    [
      'which holds for all lots together',
      [{ quantity: 3, expiresAt: day(12) }],
      0,
      { capUnits: 4 },
      ['3 until 12', '1 until 13'],
    ],
    ['in percent of the allowance', [], 0, { capPercent: 25 }, ['2 until 13']],
    ['for as many windows as the policy says', [], 0, { expiresAfterPeriods: 5 }, ['10 until 16']],
  ])('%s', (_, kept, used, policy, expected) => {
    expect(lots(carry(before(10, kept), { 10: used }, '2026-06-11T09:00:00Z', policy))).toEqual(expected)
  })
})

test('within the window it stays as it was, whatever is used, reported late or changed in the plan (ENT-8)', () => {
  const known = before(10, [{ quantity: 5, expiresAt: day(12) }])
  expect(carry(known, { 9: 0, 10: 3 }, '2026-06-10T23:59:59Z', { capUnits: 1 }, 20)).toEqual({
    ...known,
    allowance: 20,
  })
})

test('the first window has nothing from before', () => {
  expect(carry(null, {}, '2026-06-10T00:00:00Z')).toEqual(before(10))
})

test('windows in which nobody looked count like all others', () => {
  expect(lots(carry(before(10), { 10: 10, 12: 14 }, '2026-06-14T00:00:00Z'))).toEqual(['6 until 15', '10 until 16'])
})

test('of windows long ago nothing is left, and they cost nothing', () => {
  expect(
    lots(carry(before(10, [{ quantity: 9, expiresAt: '2026-12-01T00:00:00Z' }]), {}, '2031-06-14T00:00:00Z')).length,
  ).toBe(2)
})

test('a window that was cut short leaves its lots, and nothing new', () => {
  const known: Carried = {
    windowStart: day(10),
    windowEnd: '2026-06-20T00:00:00Z',
    allowance: 10,
    lots: [{ quantity: 5, expiresAt: day(25) }],
  }
  expect(lots(carry(known, {}, '2026-06-11T00:00:00Z'))).toEqual(['5 until 25'])
})
