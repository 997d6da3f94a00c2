import { expect, test } from 'vitest'
import { instantOf } from '../../core/period.ts'
import { rate, ratingView, readRatingRequest } from '../rating/index.ts'
import { linesOf } from './lines-of.ts'

const period = {
  tenantId: 'ana',
  periodId: 'period_1',
  subscriptionId: 'subscription_1',
  period: { start: instantOf('2026-01-01T00:00:00Z'), end: instantOf('2026-02-01T00:00:00Z') },
}
/** Tiers with a flat part and a fraction of a cent: what one unit more costs depends on all before it. */
const rated = (calls: number, seats = 0) => {
  const read = readRatingRequest(
    {
      currency: 'USD',
      period: { start: '2026-01-01T00:00:00Z', end: '2026-02-01T00:00:00Z' },
      charges: [
        {
          key: 'calls',
          meter: 'calls',
          price: {
            model: 'graduated',
            tiers: [
              { upTo: 100, unitAmount: '0.333' },
              { upTo: null, unitAmount: '0.1', flatAmount: '5' },
            ],
          },
        },
        { key: 'exports', meter: 'exports', included: { quantity: 10 }, price: { model: 'per_unit', unitAmount: '2' } },
      ],
      usage: [
        { meter: 'calls', quantity: calls },
        { meter: 'exports', quantity: seats },
      ],
    },
    null,
  )
  if (!read.ok) throw new Error(JSON.stringify(read.errors))
  return ratingView(read.input, rate(read.input))
}
const first = (calls: number, exports = 0) => linesOf({ ...period, state: 'open' }, rated(calls, exports), 'USD', [])
const later = (calls: number, before: ReturnType<typeof first>, exports = 0) =>
  linesOf({ ...period, state: 'placed' }, rated(calls, exports), 'USD', before)
const short = (lines: ReturnType<typeof first>) =>
  lines.map(({ charge, kind, quantity, amountMinor }) => `${charge} ${kind} ${quantity} ${amountMinor}`)

test('a first close takes the lines of the rating; what is included is told, what was not used is not', () => {
  expect(short(first(150, 4))).toEqual(['calls usage 150 43', 'exports usage 4 0'])
  expect(short(first(0))).toEqual([])
})

test('the same usage again makes no line', () => {
  expect(later(150, first(150, 4), 4)).toEqual([])
})

test('what comes late pays what it makes of the whole, not what it would cost alone', () => {
  const before = first(90)
  expect(short(before)).toEqual(['calls usage 90 30'])
  const late = later(110, before)
  expect(short(late)).toEqual(['calls late_usage 20 9'])
  expect(late[0]!.calculation.at(-1)).toMatchObject({ kind: 'already_billed', amount: '-30' })
  const whole = first(110)
  expect(before[0]!.amountMinor + late[0]!.amountMinor).toBe(whole[0]!.amountMinor)
})

test('what was taken back is given back, to the minor unit', () => {
  const before = first(150)
  const back = later(0, before)
  expect(short(back)).toEqual(['calls late_usage -150 -43'])
  expect(later(0, [...before, ...back])).toEqual([])
})

test('whatever comes in which pieces, the lines sum to the rating of the whole', () => {
  let lines = first(10)
  for (const calls of [11, 12, 150, 99, 101, 3, 257]) {
    lines = [...lines, ...later(calls, lines)]
    expect(lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)).toBe(
      first(calls).reduce((sum, { amountMinor }) => sum + amountMinor, 0n),
    )
  }
  expect(new Set(lines.map(({ lineId }) => lineId)).size).toBe(lines.length)
})

test('usage of a period in which there was none is late from its first line on', () => {
  expect(short(later(5, []))).toEqual(['calls late_usage 5 2'])
})

test('a charge that is not rated any more is given back as a whole', () => {
  const before = [{ charge: 'calls_2', amountMinor: 700n, quantity: '7' }]
  expect(short(linesOf({ ...period, state: 'placed' }, rated(0), 'USD', before))).toEqual([
    'calls_2 late_usage -7 -700',
  ])
})

test('the same input gives the same lines, to the byte', () => {
  const text = () => JSON.stringify(first(257, 12), (_, value) => (typeof value === 'bigint' ? String(value) : value))
  expect(text()).toBe(text())
})
