import type { SubscriptionStatus } from '@turnpike/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { InvoiceRecord } from '../invoices/index.ts'
import { dueSince, followCase } from './follow-case.ts'

type Given = Parameters<typeof followCase>[2][number]
const on = (day: number) => Temporal.Instant.from('2026-01-01T00:00:00Z').add({ hours: 24 * day })
const invoice = (id: string, day: number, more: Partial<Given> = {}): Given => ({
  providerInvoiceId: id,
  status: 'open',
  attemptCount: 1,
  actionRequired: false,
  createdAt: on(day),
  finalizedAt: on(day).add({ hours: 1 }),
  ...more,
})
const open = { providerInvoiceId: 'a' }

describe('what becomes of a case (DUN-1)', () => {
  test.each<[string, typeof open | null, SubscriptionStatus, Given[], string | null, string | null]>([
    ['all is well', null, 'active', [invoice('a', 0, { status: 'paid' })], null, null],
    ['a failure opens one', null, 'past_due', [invoice('a', 0)], null, 'a'],
    [
      'asking for the customer does too',
      null,
      'past_due',
      [invoice('a', 0, { attemptCount: 0, actionRequired: true })],
      null,
      'a',
    ],
    ['one that was never tried does not', null, 'past_due', [invoice('a', 0, { attemptCount: 0 })], null, null],
    ['the provider sees no trouble', null, 'active', [invoice('a', 0)], null, null],
    ['the oldest counts', null, 'past_due', [invoice('b', 31), invoice('a', 0)], null, 'a'],
    ['given up is unpaid still', null, 'unpaid', [invoice('a', 0, { status: 'uncollectible' })], null, 'a'],
    [
      'an old debt that was left behind counts no more',
      null,
      'past_due',
      [invoice('a', 0), invoice('b', 31, { status: 'paid' }), invoice('c', 59)],
      null,
      'c',
    ],
    ['it goes on', open, 'past_due', [invoice('a', 0)], null, null],
    ['it goes on when a second one fails', open, 'past_due', [invoice('a', 0), invoice('b', 31)], null, null],
    ['it goes on as unpaid', open, 'unpaid', [invoice('a', 0, { attemptCount: 4 })], null, null],
    ['paid', open, 'active', [invoice('a', 0, { status: 'paid' })], 'recovered', null],
    ['well again, whatever became of the invoice', open, 'active', [invoice('a', 0)], 'recovered', null],
    ['voided', open, 'active', [invoice('a', 0, { status: 'void' })], 'written_off', null],
    ['given up, and it goes on', open, 'active', [invoice('a', 0, { status: 'uncollectible' })], 'written_off', null],
    ['ended', open, 'canceled', [invoice('a', 0)], 'canceled', null],
    [
      'paid while a newer one is not',
      open,
      'past_due',
      [invoice('a', 0, { status: 'paid' }), invoice('b', 31)],
      'recovered',
      'b',
    ],
    [
      'voided while a newer one is unpaid',
      open,
      'past_due',
      [invoice('a', 0, { status: 'void' }), invoice('b', 31)],
      'written_off',
      'b',
    ],
  ])('%s', (_, known, status, invoices, close, next) => {
    const found = followCase(known, status, invoices)
    expect([found.close, found.open?.providerInvoiceId ?? null]).toEqual([close, next])
  })

  test('in whatever order invoices are known, the case is the same', () => {
    const invoices = [
      invoice('a', 0),
      invoice('b', 31, { status: 'paid' }),
      invoice('c', 59),
      invoice('d', 60),
      invoice('e', 60),
    ]
    fc.assert(
      fc.property(fc.shuffledSubarray(invoices, { minLength: 5 }), (shuffled) => {
        expect(followCase(null, 'past_due', shuffled).open?.providerInvoiceId).toBe('c')
      }),
    )
  })

  test('it counts from when the invoice was finalized, or was made where the provider does not say', () => {
    const given = invoice('a', 3) as InvoiceRecord
    expect(dueSince(given).toString()).toBe('2026-01-04T01:00:00Z')
    expect(dueSince({ ...given, finalizedAt: null }).toString()).toBe('2026-01-04T00:00:00Z')
  })
})
