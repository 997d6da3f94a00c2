import { expect, test } from 'vitest'
import type { InvoiceFact } from '../payments/index.ts'
import { invoiceNews } from './change.ts'

const invoice = (status: InvoiceFact['status'], more: Partial<InvoiceFact> = {}): InvoiceFact => ({
  providerInvoiceId: 'in_1',
  providerCustomerId: 'cus_1',
  providerSubscriptionId: null,
  number: 'A-1',
  status,
  billingReason: 'subscription_cycle',
  amountDue: 4_900n,
  amountPaid: status === 'paid' ? 4_900n : 0n,
  currency: 'USD',
  attemptCount: 0,
  nextAttemptAt: null,
  actionRequired: false,
  hostedInvoiceUrl: null,
  period: null,
  createdAt: Temporal.Instant.from('2026-01-01T00:00:00Z'),
  finalizedAt: null,
  subtotal: 4_900n,
  discount: 0n,
  tax: 0n,
  total: 4_900n,
  amountRemaining: 0n,
  creditedBeforePayment: 0n,
  creditedAfterPayment: 0n,
  pdfUrl: null,
  lines: [],
  payments: [],
  ...more,
})

test.each<[string, InvoiceFact | null, InvoiceFact, string | null]>([
  ['a first draft', null, invoice('draft'), 'updated'],
  ['the same draft again', invoice('draft'), invoice('draft'), null],
  ['a draft that became open', invoice('draft'), invoice('open'), 'updated'],
  ['a payment', invoice('open'), invoice('paid'), 'paid'],
  ['a payment of an invoice that was never seen', null, invoice('paid'), 'paid'],
  ['the same payment again', invoice('paid'), invoice('paid'), null],
  ['a new link of a paid one', invoice('paid'), invoice('paid', { hostedInvoiceUrl: 'https://x.example' }), 'updated'],
  [
    'a payment that succeeded after failing',
    invoice('open', { attemptCount: 1 }),
    invoice('paid', { attemptCount: 2 }),
    'paid',
  ],
  ['a first failed attempt', invoice('open'), invoice('open', { attemptCount: 1 }), 'payment_failed'],
  ['the same failed attempt again', invoice('open', { attemptCount: 1 }), invoice('open', { attemptCount: 1 }), null],
  [
    'a second failed attempt',
    invoice('open', { attemptCount: 1 }),
    invoice('open', { attemptCount: 2 }),
    'payment_failed',
  ],
  ['a failed attempt of an invoice that was never seen', null, invoice('open', { attemptCount: 1 }), 'payment_failed'],
  ['the bank asking for the customer', invoice('open'), invoice('open', { actionRequired: true }), 'payment_failed'],
  ['the bank still asking', invoice('open', { actionRequired: true }), invoice('open', { actionRequired: true }), null],
  [
    'an older look that comes late',
    invoice('open', { attemptCount: 2 }),
    invoice('open', { attemptCount: 1 }),
    'updated',
  ],
  ['an older look at a paid one', invoice('paid'), invoice('open', { attemptCount: 3 }), null],
  ['an older look at a void one', invoice('void'), invoice('open'), null],
  ['a paid one that became void', invoice('paid'), invoice('void'), 'updated'],
  ['giving up', invoice('open', { attemptCount: 4 }), invoice('uncollectible', { attemptCount: 4 }), 'updated'],
  ['a payment after giving up', invoice('uncollectible'), invoice('paid'), 'paid'],
  ['an amount that changed', invoice('open'), invoice('open', { amountDue: 5_000n }), 'updated'],
])('%s', (_, before, after, expected) => {
  expect(invoiceNews(before, after)).toBe(expected)
})
