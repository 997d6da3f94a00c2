import { expect, test } from 'vitest'
import type { FoundInvoice } from '../src/pages/invoicePage.ts'
import { invoicePdf } from '../src/pages/invoicePdf.ts'

const invoice = (lines: number): FoundInvoice => ({
  state: 'found',
  id: 'in_1',
  number: 'ABC-0001',
  status: 'paid',
  merchantName: 'Meridian (Notes) \\ Köln',
  customer: { name: 'Ana', email: 'ana@example.com' },
  createdAt: 1_795_000_000,
  dueAt: null,
  paidAt: 1_795_000_000,
  lines: Array.from({ length: lines }, (_, index) => ({
    description: `Line ${index + 1}`,
    quantity: 1,
    amount: 100,
    period: null,
  })),
  subtotal: lines * 100,
  discount: 0,
  tax: 0,
  total: lines * 100,
  amountPaid: lines * 100,
  amountDue: lines * 100,
  amountRemaining: 0,
  currency: 'eur',
  savedCard: null,
  lastError: null,
})

test('the cross-reference table points at every object', () => {
  const file = invoicePdf(invoice(3)).toString('latin1')
  const start = Number(/startxref\n(\d+)\n%%EOF\n$/.exec(file)![1])
  const [, size, entries] = /^xref\n0 (\d+)\n([\s\S]*?)trailer/.exec(file.slice(start))!
  const offsets = entries!.trimEnd().split('\n').slice(1)
  expect(offsets).toHaveLength(Number(size) - 1)
  for (const [index, entry] of offsets.entries())
    expect(file.slice(Number(entry.slice(0, 10)))).toMatch(new RegExp(`^${index + 1} 0 obj\\n`))
  for (const [, length, stream] of file.matchAll(/\/Length (\d+) >>\nstream\n([\s\S]*?)\nendstream/g))
    expect(stream).toHaveLength(Number(length))
})

test('amounts carry the code of the currency, and brackets in text stay text', () => {
  const file = invoicePdf(invoice(3)).toString('latin1')
  expect(file).toContain('(EUR\u00a03.00)')
  expect(file).toContain('(Meridian \\(Notes\\) \\\\ K\u00f6ln)')
})

test('a long invoice goes on to further pages', () => {
  const file = invoicePdf(invoice(100)).toString('latin1')
  expect(Number(/\/Count (\d+)/.exec(file)![1])).toBe(4)
  expect(file).toContain('(Line 1)')
  expect(file).toContain('(Line 100)')
})
