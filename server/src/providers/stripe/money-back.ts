import type Stripe from 'stripe'
import type {
  CreditNoteFact,
  MoneyBack,
  MoneyBackOutcome,
  MoneyBackReason,
  PaymentMethodFact,
  RefundFact,
} from '../../modules/payments/index.ts'
import type { Log } from '../../platform/log.ts'
import { asking, orMissing, refusalOf } from './client.ts'
import type { Ask } from './read-invoice.ts'
import { currency, idOf, instant, instantOrNull, list, name, unusable, whole } from './shape.ts'

/** Payment methods, refunds and credit notes at Stripe, in our words (INV-2, INV-4). */
export const createStripeMoneyBack = (stripe: Stripe, log: Log): MoneyBack => {
  const ask: Ask = (what, request) => asking(log, what, request)
  return {
    fetchPaymentMethods: async (providerCustomerId) => {
      const customer = await ask('customers.retrieve', () => orMissing(stripe.customers.retrieve(providerCustomerId)))
      if (!customer || customer.deleted) return []
      const methods = await every((page) =>
        ask('customers.listPaymentMethods', () => stripe.customers.listPaymentMethods(providerCustomerId, page)),
      )
      const isDefault = idOf(customer.invoice_settings?.default_payment_method)
      return methods.map((method) => methodFact(method, isDefault))
    },

    fetchPaymentMethod: async (providerMethodId) => {
      const method = await ask('paymentMethods.retrieve', () =>
        orMissing(stripe.paymentMethods.retrieve(providerMethodId)),
      )
      return method && methodFact(method, null)
    },

    fetchRefunds: async (of) => {
      const refunds =
        'refund' in of
          ? [await ask('refunds.retrieve', () => orMissing(stripe.refunds.retrieve(of.refund)))]
          : await every((page) =>
              ask('refunds.list', () =>
                stripe.refunds.list({ ...page, ...('charge' in of ? of : { payment_intent: of.intent }) }),
              ),
            )
      const facts: RefundFact[] = []
      for (const refund of refunds) if (refund) facts.push(await readRefund(stripe, refund, ask))
      return facts
    },

    fetchCreditNotes: async (of) => {
      const notes =
        'creditNote' in of
          ? [await ask('creditNotes.retrieve', () => orMissing(stripe.creditNotes.retrieve(of.creditNote)))]
          : await every((page) => ask('creditNotes.list', () => stripe.creditNotes.list({ ...page, ...of })))
      return notes.flatMap((note) => (note ? [creditNoteFact(note)] : []))
    },

    sendRefund: ({ refundId, providerIntentId, amount, reason }) =>
      orRefused(() =>
        ask('refunds.create', () =>
          stripe.refunds.create(
            {
              payment_intent: providerIntentId,
              amount: Number(amount),
              reason: refundReason(reason),
              metadata: { turnpike_refund: refundId },
            },
            { idempotencyKey: refundId },
          ),
        ),
      ),

    issueCreditNote: ({ creditNoteId, providerInvoiceId, amount, lines, to, reason, note }) =>
      orRefused(() =>
        ask('creditNotes.create', () =>
          stripe.creditNotes.create(
            {
              invoice: providerInvoiceId,
              ...(lines.length > 0
                ? {
                    lines: lines.map((line) => ({
                      type: 'invoice_line_item' as const,
                      invoice_line_item: line.providerLineId,
                      amount: Number(line.amount),
                    })),
                  }
                : { amount: Number(amount) }),
              ...(to === 'balance' ? { credit_amount: Number(amount) } : {}),
              ...(to === 'payment' ? { refund_amount: Number(amount) } : {}),
              ...(to === 'outside' ? { out_of_band_amount: Number(amount) } : {}),
              // Stripe has no word for it.
              ...(reason === 'requested_by_customer' ? {} : { reason }),
              memo: note,
              metadata: { turnpike_credit_note: creditNoteId },
            },
            { idempotencyKey: creditNoteId },
          ),
        ),
      ),
  }
}

const orRefused = async (request: () => Promise<unknown>): Promise<MoneyBackOutcome> => {
  try {
    await request()
    return { kind: 'done' }
  } catch (error) {
    const refusal = refusalOf(error)
    if (!refusal) throw error
    return { kind: 'refused', reason: refusal.code }
  }
}

/** Stripe blocks a card that was refunded as fraudulent; its other words have no effect. */
const refundReason = (reason: MoneyBackReason): Stripe.RefundCreateParams.Reason =>
  reason === 'duplicate' || reason === 'fraudulent' ? reason : 'requested_by_customer'

const every = async <T extends { id: string }>(
  ask: (page: { limit: number; starting_after?: string }) => Promise<{ data: T[]; has_more: boolean }>,
): Promise<T[]> => {
  const all: T[] = []
  for (let more = true; more; ) {
    const last = all.at(-1)
    const page = await ask({ limit: 100, ...(last ? { starting_after: last.id } : {}) })
    all.push(...list(page.data, 'a page'))
    more = page.has_more && page.data.length > 0
  }
  return all
}

/** Brand, last four, expiry: nothing else of it is taken over, whatever else stands in the answer. */
const methodFact = (method: Stripe.PaymentMethod, isDefault: string | null): PaymentMethodFact => {
  const { card } = method
  const other = (method as unknown as Record<string, { last4?: unknown } | undefined>)[method.type]
  const last4 = card?.last4 ?? other?.last4
  return {
    providerMethodId: name(method.id, 'the id of a payment method'),
    type: name(method.type, 'the type of a payment method'),
    brand: typeof card?.brand === 'string' ? name(card.brand, 'a brand') : null,
    last4: typeof last4 === 'string' && /^\d{4}$/.test(last4) ? last4 : null,
    expiryMonth: card ? whole(card.exp_month, 'an expiry') : null,
    expiryYear: card ? whole(card.exp_year, 'an expiry') : null,
    isDefault: method.id === isDefault,
    attached: method.customer !== null,
  }
}

const refundStates = ['pending', 'requires_action', 'succeeded', 'failed', 'canceled'] as const

/** Which invoice a refund belongs to is not written on it: its payment tells. */
const readRefund = async (stripe: Stripe, refund: Stripe.Refund, ask: Ask): Promise<RefundFact> => {
  const intent = idOf(refund.payment_intent)
  const payments =
    intent === null
      ? null
      : await ask('invoicePayments.list', () =>
          orMissing(
            stripe.invoicePayments.list({ payment: { type: 'payment_intent', payment_intent: intent }, limit: 1 }),
          ),
        )
  return refundFact(refund, idOf(payments?.data[0]?.invoice))
}

export const refundFact = (refund: Stripe.Refund, providerInvoiceId: string | null): RefundFact => {
  const state = refundStates.find((known) => known === refund.status)
  if (!state) throw unusable(`a refund in status ${refund.status}`)
  return {
    providerRefundId: name(refund.id, 'the id of a refund'),
    providerCustomerId: idOf(refund.customer),
    providerIntentId: idOf(refund.payment_intent),
    providerInvoiceId,
    amount: BigInt(whole(refund.amount, 'the amount of a refund')),
    currency: currency(refund.currency, 'the currency of a refund'),
    state,
    failure: refund.failure_reason ?? null,
    reason: refund.reason ?? null,
    createdAt: instant(refund.created, 'the time of a refund'),
    refundId: refund.metadata?.turnpike_refund ?? null,
  }
}

export const creditNoteFact = (note: Stripe.CreditNote): CreditNoteFact => {
  if (note.status !== 'issued' && note.status !== 'void') throw unusable(`a credit note in status ${note.status}`)
  const customer = idOf(note.customer)
  const state = note.status === 'void' ? 'void' : 'issued'
  const invoice = idOf(note.invoice)
  if (customer === null || invoice === null) throw unusable('a credit note of nobody')
  return {
    providerCreditNoteId: name(note.id, 'the id of a credit note'),
    providerCustomerId: customer,
    providerInvoiceId: invoice,
    number: note.number ?? null,
    state,
    amount: BigInt(whole(note.amount, 'the amount of a credit note')),
    currency: currency(note.currency, 'the currency of a credit note'),
    beforePayment: BigInt(whole(note.pre_payment_amount ?? 0, 'the amount of a credit note')),
    afterPayment: BigInt(whole(note.post_payment_amount ?? 0, 'the amount of a credit note')),
    outside: BigInt(whole(note.out_of_band_amount ?? 0, 'the amount of a credit note')),
    refunds: (note.refunds ?? []).flatMap(({ refund, amount_refunded: amount }) => {
      const providerRefundId = idOf(refund)
      return providerRefundId === null
        ? []
        : [{ providerRefundId, amount: BigInt(whole(amount, 'the amount of a refund')) }]
    }),
    reason: note.reason ?? null,
    pdfUrl: note.pdf || null,
    createdAt: instant(note.created, 'the time of a credit note'),
    voidedAt: instantOrNull(note.voided_at, 'the end of a credit note'),
    creditNoteId: note.metadata?.turnpike_credit_note ?? null,
  }
}
