import { expect, test } from 'vitest'
import type { CreditTarget, InvoiceFact } from '../payments/index.ts'
import type { Bounds } from './bounds.ts'
import { decideMoneyBack, type MoneyBackWish } from './decide.ts'
import { type Given, termsOf } from './terms.ts'
import { at, creditNote, line, openInvoice, paidInvoice, payment, refund } from './testing/paid.ts'

const unbounded: Bounds = { max: null, secondPersonAbove: null }
const back = (amount: bigint): MoneyBackWish => ({ kind: 'refund', amount })
const credit = (
  amount: bigint | null,
  to: CreditTarget | null = null,
  lines: Record<string, bigint> = {},
): MoneyBackWish => ({
  kind: 'credit_note',
  ...{ amount, to },
  lines: Object.entries(lines).map(([providerLineId, each]) => ({ providerLineId, amount: each })),
})

/** In a few words: what it becomes, or the code with its reason or what there is. */
const decided = (invoice: InvoiceFact, given: Given[], wish: MoneyBackWish, bounds = unbounded): string => {
  const decision = decideMoneyBack(invoice, given, termsOf(invoice, given, undefined, at), bounds, wish)
  if (!decision.ok) return [decision.code, ...Object.values(decision.extra)].join(' ')
  const { amount, beforePayment, afterPayment, target, providerIntentId, waits } = decision.plan
  return [
    amount,
    beforePayment,
    afterPayment,
    target ?? '-',
    providerIntentId ?? '-',
    waits ? 'waits' : 'at once',
  ].join(' ')
}

const twoPayments = paidInvoice({ payments: [payment('pi_1', 3_000n), payment('pi_2', 1_900n)] })

test.each<[string, InvoiceFact, Given[], MoneyBackWish, string]>([
  ['a refund of a part', paidInvoice(), [], back(100n), '100 0 100 - pi_1 at once'],
  ['a refund of all', paidInvoice(), [], back(4_900n), '4900 0 4900 - pi_1 at once'],
  ['a cent too much', paidInvoice(), [], back(4_901n), 'refund_too_much 4900'],
  ['a cent more than is left', paidInvoice(), [refund(900n)], back(4_001n), 'refund_too_much 4000'],
  ['when nothing is left', paidInvoice(), [refund(4_900n)], back(1n), 'refund_not_possible nothing_left'],
  ['of what was not paid', openInvoice(), [], back(1n), 'refund_not_possible not_paid'],
  ['from the payment that has enough', twoPayments, [refund(2_000n)], back(1_500n), '1500 0 1500 - pi_2 at once'],
  ['more than any one payment has', twoPayments, [], back(3_001n), 'refund_too_much 3000'],
  ['a credit note off what is owed', openInvoice(), [], credit(900n), '900 900 0 - - at once'],
  ['off more than is owed', openInvoice(), [], credit(4_901n), 'refund_too_much 4900'],
  ['to the balance', paidInvoice(), [], credit(900n, 'balance'), '900 0 900 balance - at once'],
  ['outside', paidInvoice(), [], credit(900n, 'outside'), '900 0 900 outside - at once'],
  ['to the payment', paidInvoice(), [], credit(900n, 'payment'), '900 0 900 payment pi_1 at once'],
  ['to one of several payments', twoPayments, [], credit(900n, 'payment'), 'refund_not_possible several_payments'],
  [
    'to the balance of what is owed',
    openInvoice(),
    [],
    credit(900n, 'balance'),
    'refund_not_possible nothing_paid_yet',
  ],
  ['to nowhere of what was paid', paidInvoice(), [], credit(900n), 'refund_not_possible target_missing'],
  ['of a void invoice', openInvoice({ status: 'void' }), [], credit(9n, 'balance'), 'refund_not_possible not_paid'],
  ['of lines', openInvoice(), [], credit(null, null, { il_1: 4_000n, il_2: 100n }), '4100 4100 0 - - at once'],
  ['of more than a line is', openInvoice(), [], credit(null, null, { il_2: 901n }), 'refund_too_much il_2 900'],
  [
    'of more than is left of a line',
    openInvoice(),
    [creditNote(500n, { beforePayment: 500n, afterPayment: 0n, lines: [{ providerLineId: 'il_2', amount: 500n }] })],
    credit(null, null, { il_2: 401n }),
    'refund_too_much il_2 400',
  ],
  [
    'of a line of another invoice',
    openInvoice(),
    [],
    credit(null, null, { il_9: 1n }),
    'refund_not_possible line_unknown',
  ],
  [
    'of a line that is a credit itself',
    openInvoice({ lines: [line('il_1', -500n)] }),
    [],
    credit(null, null, { il_1: 1n }),
    'refund_too_much il_1 0',
  ],
  [
    'of lines with tax',
    openInvoice({ tax: 9n }),
    [],
    credit(null, null, { il_1: 1n }),
    'refund_not_possible taxed_lines',
  ],
])('%s', (_, invoice, given, wish, expected) => {
  expect(decided(invoice, given, wish)).toBe(expected)
})

test('a line is named once', () => {
  const twice = { providerLineId: 'il_1', amount: 1n }
  const wish: MoneyBackWish = { kind: 'credit_note', amount: null, to: null, lines: [twice, twice] }
  expect(decided(openInvoice(), [], wish)).toBe('refund_not_possible line_twice')
})

test.each<[string, bigint | null, bigint | null, bigint, string]>([
  ['up to the cap', 500n, null, 500n, 'at once'],
  ['a cent above the cap', 500n, null, 501n, 'refund_above_limit 500'],
  ['up to what one may do alone', null, 500n, 500n, 'at once'],
  ['a cent more needs a second person', null, 500n, 501n, 'waits'],
  ['above both, the cap says no', 700n, 500n, 701n, 'refund_above_limit 700'],
  ['a cap of nothing', 0n, null, 1n, 'refund_above_limit 0'],
  ['always a second person', null, 0n, 1n, 'waits'],
])('%s', (_, max, secondPersonAbove, amount, expected) => {
  expect(decided(paidInvoice(), [], back(amount), { max, secondPersonAbove })).toContain(expected)
})
