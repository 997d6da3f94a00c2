import type { InvoiceFact } from '../../payments/index.ts'
import type { Given } from '../terms.ts'

export const at = Temporal.Instant.from('2026-02-01T00:00:00Z')

/** An invoice of 49.00 that one card paid on the first of January. */
export const paidInvoice = (more: Partial<InvoiceFact> = {}): InvoiceFact => ({
  ...{ providerInvoiceId: 'in_1', providerCustomerId: 'cus_1', providerSubscriptionId: null, number: 'A-1' },
  ...{ status: 'paid', billingReason: 'subscription_cycle', amountDue: 4_900n, amountPaid: 4_900n, currency: 'USD' },
  ...{ attemptCount: 1, nextAttemptAt: null, actionRequired: false, hostedInvoiceUrl: null, period: null },
  createdAt: Temporal.Instant.from('2026-01-01T00:00:00Z'),
  finalizedAt: Temporal.Instant.from('2026-01-01T00:00:00Z'),
  ...{ subtotal: 4_900n, discount: 0n, tax: 0n, total: 4_900n, amountRemaining: 0n, pdfUrl: null },
  ...{ creditedBeforePayment: 0n, creditedAfterPayment: 0n },
  lines: [line('il_1', 4_000n), line('il_2', 900n)],
  payments: [payment('pi_1', 4_900n)],
  ...more,
})

export const openInvoice = (more: Partial<InvoiceFact> = {}): InvoiceFact =>
  paidInvoice({ status: 'open', amountPaid: 0n, amountRemaining: 4_900n, payments: [], ...more })

export const line = (providerLineId: string, amount: bigint): InvoiceFact['lines'][number] => ({
  ...{ providerLineId, amount, description: null, quantity: '1', proration: false, lookupKey: null, lineId: null },
  period: { start: Temporal.Instant.from('2026-01-01T00:00:00Z'), end: at },
})

export const payment = (
  providerIntentId: string | null,
  amount: bigint,
  status: InvoiceFact['payments'][number]['status'] = 'paid',
): InvoiceFact['payments'][number] => ({
  ...{ providerPaymentId: `inpay_${providerIntentId}`, status, amount, providerIntentId, providerMethodId: null },
  paidAt: status === 'paid' ? Temporal.Instant.from('2026-01-01T00:00:00Z') : null,
  createdAt: Temporal.Instant.from('2026-01-01T00:00:00Z'),
})

export const refund = (amount: bigint, more: Partial<Given> = {}): Given => ({
  ...{ kind: 'refund', state: 'succeeded', providerId: 're_1', providerIntentId: 'pi_1', amount },
  ...{ beforePayment: 0n, afterPayment: amount, refunded: 0n, lines: [], ...more },
})

export const creditNote = (amount: bigint, more: Partial<Given> = {}): Given => ({
  ...{ kind: 'credit_note', state: 'issued', providerId: 'cn_1', providerIntentId: null, amount },
  ...{ beforePayment: 0n, afterPayment: amount, refunded: 0n, lines: [], ...more },
})
