import { expect, test } from 'vitest'
import type { InvoiceFact } from '../payments/index.ts'
import { compareChargeLines } from './compare-charge-lines.ts'

const ours = { lineId: 'line_1', name: 'API calls', amountMinor: 800n, providerInvoiceId: 'in_1' }
const invoice = (lines: [string | null, bigint][]) =>
  new Map([
    [
      'in_1',
      { status: 'paid' as const, lines: lines.map(([lineId, amount]) => ({ lineId, amount })) as InvoiceFact['lines'] },
    ],
  ])

test.each<[string, [string | null, bigint][], unknown[]]>([
  [
    'a line that is there once',
    [
      ['line_1', 800n],
      [null, 4_900n],
    ],
    [],
  ],
  ['a line that is not there', [[null, 4_900n]], [[]]],
  [
    'a line that is there twice',
    [
      ['line_1', 800n],
      ['line_1', 800n],
    ],
    [['800', '800']],
  ],
  ['a line of another amount', [['line_1', 80n]], [['80']]],
])('%s', (_, lines, expected) => {
  const found = compareChargeLines([ours], invoice(lines))
  expect(found.map(({ there }) => there?.lines)).toEqual(expected)
  for (const { kind, object, repair } of found)
    expect([kind, object, repair]).toEqual(['charge_line_differs', 'line_1', 'by_hand'])
})

test('nothing is said of an invoice that was not seen', () => {
  expect(compareChargeLines([ours], new Map())).toEqual([])
})
