import { expect, test } from 'vitest'
import { instantOf } from '../../core/period.ts'
import { splitBack } from './split-back.ts'

const period = { start: instantOf('2026-01-01T00:00:00Z'), end: instantOf('2026-02-01T00:00:00Z') }
const line = (lineId: string, amountMinor: bigint, exactAmount = String(amountMinor)) => ({
  ...{
    lineId,
    amountMinor,
    exactAmount,
    period,
    kind: 'late_usage' as const,
    ordinal: 1,
    quantity: '-7',
    calculation: [],
  },
})
const made = (amounts: readonly bigint[]) => amounts.map((amount, at) => line(`line_${at}`, amount))
const amounts = (lines: readonly { amountMinor: bigint }[]) => lines.map(({ amountMinor }) => amountMinor)

test.each<[string, bigint[], bigint, bigint, bigint[], bigint[]]>([
  ['all of it where the invoice holds it', [-500n], 900n, 500n, [-500n], []],
  ['to the last cent', [-500n], 500n, 500n, [-500n], []],
  ['a cent more waits', [-500n], 499n, 499n, [-499n], [-1n]],
  ['of an invoice that holds nothing all waits', [-500n], 0n, 0n, [], [-500n]],
  ['below nothing is nothing', [-500n], -100n, 0n, [], [-500n]],
  ['what is charged waits for the next invoice', [500n], 900n, 0n, [], [500n]],
  ['more charged than given back too', [-300n, 500n], 900n, 0n, [], [-300n, 500n]],
  ['as much charged as given back too: credit that comes back', [-400n, 400n], 900n, 0n, [], [-400n, 400n]],
  ['what is charged lowers what is given back', [-500n, 200n], 900n, 300n, [200n, -500n], []],
  ['and is made up for before anything waits', [-500n, 200n], 100n, 100n, [200n, -300n], [-200n]],
  ['lines in their order', [-300n, -300n, -300n], 400n, 400n, [-300n, -100n], [-200n, -300n]],
  ['between two lines none is parted', [-300n, -300n], 300n, 300n, [-300n], [-300n]],
  ['nothing', [], 900n, 0n, [], []],
])('%s', (_, given, most, amount, credited, waiting) => {
  const split = splitBack(made(given), most)
  expect([split.amount, amounts(split.credited), amounts(split.waiting)]).toEqual([amount, credited, waiting])
  const sum = (all: readonly bigint[]) => all.reduce((total, each) => total + each, 0n)
  expect(-sum(amounts(split.credited))).toBe(amount)
  expect(sum(amounts([...split.credited, ...split.waiting]))).toBe(sum(given))
})

test('the parts of a line sum to it, also where it is not of whole cents, and each says what it leaves to the other', () => {
  const { credited, waiting } = splitBack([line('line_1', -500n, '-499.6')], 200n)
  expect(credited).toMatchObject([{ lineId: 'line_1', quantity: '-7', exactAmount: '-200' }])
  expect(waiting).toMatchObject([{ quantity: '0', exactAmount: '-299.6', ordinal: 2 }])
  expect(waiting[0]!.lineId).not.toBe('line_1')
  expect([credited[0]!.calculation, waiting[0]!.calculation].flat().map(({ amount }) => amount)).toEqual(['300', '200'])
  // The same again is the same again.
  expect(splitBack([line('line_1', -500n, '-499.6')], 200n).waiting).toEqual(waiting)
})
