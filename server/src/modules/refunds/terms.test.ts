import { describe, expect, test } from 'vitest'
import type { InvoiceFact } from '../payments/index.ts'
import { type Given, termsOf } from './terms.ts'
import { at, creditNote, openInvoice, paidInvoice, payment, refund } from './testing/paid.ts'

const shown = (invoice: InvoiceFact, given: Given[], withinDays?: number) => {
  const terms = termsOf(invoice, given, withinDays, at)
  const text = ({ available, blocked }: { available: bigint; blocked: string | null }) => blocked ?? String(available)
  return [String(terms.givenBack), text(terms.refund), text(terms.creditOwed), text(terms.creditPaid)].join(' ')
}
const waiting = { state: 'waiting_for_approval', providerId: null } as const
const asking = { state: 'asking', providerId: null } as const

describe('given back, by refund, off what is owed, off what was paid (INV-4)', () => {
  test.each<[string, InvoiceFact, Given[], string]>([
    ['nothing yet', paidInvoice(), [], '0 4900 not_open 4900'],
    ['a part', paidInvoice(), [refund(1_000n)], '1000 3900 not_open 3900'],
    ['all of it', paidInvoice(), [refund(4_900n)], '4900 nothing_left not_open nothing_left'],
    ['two that add up', paidInvoice(), [refund(4_000n), refund(900n)], '4900 nothing_left not_open nothing_left'],
    ['one that waits for a second person', paidInvoice(), [refund(1_000n, waiting)], '1000 3900 not_open 3900'],
    ['one that is being asked', paidInvoice(), [refund(1_000n, asking)], '1000 3900 not_open 3900'],
    ['one on its way', paidInvoice(), [refund(1_000n, { state: 'pending' })], '1000 3900 not_open 3900'],
    ['one that failed is free again', paidInvoice(), [refund(1_000n, { state: 'failed' })], '0 4900 not_open 4900'],
    ['one that was rejected', paidInvoice(), [refund(1_000n, { state: 'rejected' })], '0 4900 not_open 4900'],
    ['one that nobody decided', paidInvoice(), [refund(1_000n, { state: 'expired' })], '0 4900 not_open 4900'],
    ['one that was canceled', paidInvoice(), [refund(1_000n, { state: 'canceled' })], '0 4900 not_open 4900'],
    ['credit to the balance', paidInvoice(), [creditNote(1_000n)], '1000 3900 not_open 3900'],
    ['a credit note that is void', paidInvoice(), [creditNote(1_000n, { state: 'void' })], '0 4900 not_open 4900'],
    [
      'a credit note and the refund that it made count once',
      paidInvoice(),
      [creditNote(1_000n, { refunded: 1_000n }), refund(1_000n)],
      '1000 3900 not_open 3900',
    ],
    [
      'a credit note to the payment that is being asked',
      paidInvoice(),
      [creditNote(1_000n, { ...asking, providerIntentId: 'pi_1' })],
      '1000 3900 not_open 3900',
    ],
    ['not paid', openInvoice(), [], '0 not_paid 4900 not_paid'],
    [
      'off what is owed, being asked',
      openInvoice(),
      [creditNote(1_000n, { ...asking, beforePayment: 1_000n, afterPayment: 0n })],
      '0 not_paid 3900 not_paid',
    ],
    [
      'off what was owed, issued: what remains says it already',
      openInvoice({ amountRemaining: 3_900n, creditedBeforePayment: 1_000n }),
      [creditNote(1_000n, { beforePayment: 1_000n, afterPayment: 0n })],
      '0 not_paid 3900 not_paid',
    ],
    ['a draft', openInvoice({ status: 'draft' }), [], '0 not_paid not_open not_paid'],
    ['a void one', openInvoice({ status: 'void' }), [], '0 not_paid not_open not_paid'],
    ['one that was given up', openInvoice({ status: 'uncollectible' }), [], '0 not_paid not_open not_paid'],
    ['one of nothing', paidInvoice({ amountPaid: 0n, payments: [] }), [], '0 not_paid not_open not_paid'],
    ['paid in another way', paidInvoice({ payments: [payment(null, 4_900n)] }), [], '0 no_payment not_open 4900'],
    [
      'paid by two: a refund belongs to one',
      paidInvoice({ payments: [payment('pi_1', 3_000n), payment('pi_2', 1_900n)] }),
      [refund(2_500n)],
      '2500 1900 not_open 2400',
    ],
    [
      'a payment that did not happen is none',
      paidInvoice({ payments: [payment('pi_1', 4_900n, 'canceled')] }),
      [],
      '0 no_payment not_open 4900',
    ],
    [
      'paid after a credit note: no more than was paid',
      paidInvoice({ amountPaid: 3_900n, creditedBeforePayment: 1_000n, payments: [payment('pi_1', 3_900n)] }),
      [creditNote(1_000n, { beforePayment: 1_000n, afterPayment: 0n })],
      '0 3900 not_open 3900',
    ],
  ])('%s', (_, invoice, given, expected) => {
    expect(shown(invoice, given)).toBe(expected)
  })

  test.each<[string, number | undefined, string]>([
    ['no limit of time', undefined, '4900'],
    ['the last moment of the last day', 31, '4900'],
    ['a day too late', 30, 'too_old'],
  ])('%s', (_, withinDays, expected) => {
    expect(shown(paidInvoice(), [], withinDays)).toBe(`0 ${expected} not_open ${expected}`)
  })

  test('what is owed can be lowered however old it is', () => {
    expect(shown(openInvoice(), [], 1)).toBe('0 not_paid 4900 not_paid')
  })
})
