import { expect, test } from 'vitest'
import type { InvoiceFact } from '../payments/index.ts'
import { creditableBy } from './creditable-by.ts'
import { type Given, termsOf } from './terms.ts'
import { at, creditNote, openInvoice, paidInvoice, refund } from './testing/paid.ts'

test.each<[string, InvoiceFact, Given[], bigint, number | undefined, bigint]>([
  ['what was billed for the usage', paidInvoice(), [], 900n, undefined, 900n],
  ['not more than was paid', paidInvoice(), [], 5_000n, undefined, 4_900n],
  ['not what went back already', paidInvoice(), [refund(4_500n)], 900n, undefined, 400n],
  ['nothing where all went back', paidInvoice(), [refund(4_900n)], 900n, undefined, 0n],
  ['off what is owed', openInvoice(), [], 900n, undefined, 900n],
  ['not more than is owed', openInvoice({ amountRemaining: 300n }), [], 900n, undefined, 300n],
  [
    'not what another credit note is about to take off',
    openInvoice(),
    [creditNote(4_500n, { state: 'asking', providerId: null, beforePayment: 4_500n, afterPayment: 0n })],
    900n,
    undefined,
    400n,
  ],
  ['nothing of a draft', openInvoice({ status: 'draft' }), [], 900n, undefined, 0n],
  ['nothing of a void one', openInvoice({ status: 'void' }), [], 900n, undefined, 0n],
  ['nothing of one that was given up', openInvoice({ status: 'uncollectible' }), [], 900n, undefined, 0n],
  ['nothing after the time that policy gives', paidInvoice(), [], 900n, 30, 0n],
  ['nothing with tax', paidInvoice({ tax: 9n }), [], 900n, undefined, 0n],
  ['nothing with a discount', paidInvoice({ discount: 9n }), [], 900n, undefined, 0n],
  ['nothing where the usage comes to nothing already', paidInvoice(), [], 0n, undefined, 0n],
  ['nothing where it comes to less', paidInvoice(), [], -5n, undefined, 0n],
])('%s', (_, invoice, given, billed, withinDays, expected) => {
  expect(creditableBy(invoice, termsOf(invoice, given, withinDays, at), billed)).toBe(expected)
})
