import type {
  CreditNote,
  Invoice,
  InvoiceDetail,
  Payment,
  PaymentMethod,
  Refund,
  RefundTerms,
} from '@turnpike/contract'

type Tools = { at: (days: number, milliseconds?: number) => string; id: (kind: string, name: string) => string }

/** Invoices in every state, what paid them and what went back. */
export function invoiceFixtures({ at, id }: Tools) {
  const usd = (amount: number) => ({ amountMinor: String(amount), currency: 'USD' })
  const period = { start: at(-30), end: at(0) }
  const visa = { id: 'pm_1', type: 'card', brand: 'visa', last4: '4242', expiryMonth: 4, expiryYear: 2031 }
  const invoice = (change: Partial<Invoice> & Pick<Invoice, 'id' | 'status'>): Invoice => ({
    ...{
      tenantId: 'acme',
      subscriptionId: id('subscription', 'acme'),
      number: null,
      billingReason: 'subscription_cycle',
    },
    ...{ period, subtotal: usd(5_400), discount: usd(500), tax: usd(0), total: usd(4_900), amountDue: usd(4_900) },
    ...{ amountPaid: usd(0), amountRemaining: usd(4_900), credited: usd(0), attemptCount: 0, nextAttemptAt: null },
    ...{ actionRequired: false, hostedInvoiceUrl: 'https://pay.example/i/1', pdfUrl: 'https://pay.example/i/1/pdf' },
    ...{ createdAt: at(-30), finalizedAt: at(-30), ...change },
  })
  const invoices: Invoice[] = [
    invoice({ id: 'in_draft', status: 'draft', finalizedAt: null, pdfUrl: null, hostedInvoiceUrl: null }),
    invoice({ id: 'in_open', status: 'open', number: 'ACME-0004', attemptCount: 1 }),
    invoice({ id: 'in_paid', status: 'paid', number: 'ACME-0003', amountPaid: usd(4_900), amountRemaining: usd(0) }),
    invoice({ id: 'in_lost', status: 'uncollectible', number: 'ACME-0002' }),
    invoice({ id: 'in_void', status: 'void', number: 'ACME-0001' }),
  ]
  const payment = (of: Invoice, change: Partial<Payment>): Payment => ({
    ...{ id: `inpay_${of.id}`, tenantId: 'acme', invoiceId: of.id, invoiceNumber: of.number, status: 'open' },
    ...{ amount: of.amountDue, paidAt: null, createdAt: at(-30), method: null, ...change },
  })
  const detail = (invoiceId: string | undefined): InvoiceDetail | undefined => {
    const of = invoices.find((each) => each.id === invoiceId)
    if (!of) return undefined
    const line = { quantity: '1', period, proration: false, priceLookupKey: null, chargeLineId: null }
    return {
      ...of,
      lines: [
        { ...line, id: 'il_1', description: '1 × Pro (at $49.00 / month)', amount: usd(4_900) },
        { ...line, id: 'il_2', description: 'API calls above included', quantity: '1250.5', amount: usd(1_000) },
        { ...line, id: 'il_3', description: null, quantity: null, amount: usd(-500), proration: true },
      ],
      payments:
        of.status === 'paid'
          ? [payment(of, { status: 'paid', paidAt: at(-30), method: visa })]
          : of.status === 'open'
            ? [payment(of, {})]
            : [],
    }
  }
  const common = {
    ...{ tenantId: 'acme', reason: 'duplicate', reasonText: 'Charged twice for November', requestedBy: 'key_support' },
    ...{ requestedAt: at(-1), requestExpiresAt: null, decidedBy: null, decidedAt: null, decisionReason: null },
    ...{ settledAt: null, failure: null },
  }
  const refund = (name: string, state: Refund['state'], change: Partial<Refund> = {}): Refund => ({
    ...{ ...common, id: id('refund', name), invoiceId: 'in_paid', providerRefundId: `re_${name}`, state },
    ...{ amount: usd(1_000), ...change },
  })
  const refunds: Refund[] = [
    refund('asked', 'waiting_for_approval', { providerRefundId: null, requestExpiresAt: at(6), amount: usd(3_000) }),
    refund('done', 'succeeded', { settledAt: at(-1) }),
    refund('failed', 'failed', { failure: 'expired_or_canceled_card' }),
    refund('sending', 'asking', { providerRefundId: null }),
  ]
  const note = (name: string, state: CreditNote['state'], change: Partial<CreditNote> = {}): CreditNote => ({
    ...{ ...common, id: id('credit_note', name), invoiceId: 'in_paid', providerCreditNoteId: `cn_${name}`, state },
    ...{ number: 'ACME-0003-CN-01', amount: usd(500), beforePayment: usd(0), afterPayment: usd(500), to: 'balance' },
    ...{ lines: [], pdfUrl: 'https://pay.example/cn/1', ...change },
  })
  const creditNotes: CreditNote[] = [
    note('asked', 'waiting_for_approval', {
      ...{ number: null, pdfUrl: null, requestedBy: 'Sam', requestExpiresAt: at(2), providerCreditNoteId: null },
    }),
    note('done', 'issued'),
  ]
  const methods: PaymentMethod[] = [
    { ...visa, tenantId: 'acme', isDefault: true, expired: false },
    {
      ...{ id: 'pm_2', type: 'card', brand: 'mastercard', last4: '4444', expiryMonth: 1, expiryYear: 2024 },
      ...{ tenantId: 'acme', isDefault: false, expired: true },
    },
    {
      ...{ id: 'pm_3', type: 'sepa_debit', brand: null, last4: '3000', expiryMonth: null, expiryYear: null },
      ...{ tenantId: 'acme', isDefault: false, expired: false },
    },
  ]
  const terms = (invoiceId: string | undefined): RefundTerms => {
    const paid = invoiceId === 'in_paid'
    const open = invoiceId === 'in_open'
    const none = (blocked: string) => ({ available: usd(0), blocked })
    return {
      ...{ invoiceId: invoiceId ?? '', paid: usd(paid ? 4_900 : 0), givenBack: usd(paid ? 1_000 : 0) },
      refund: paid ? { available: usd(3_900), blocked: null } : none('not_paid'),
      creditOwed: open ? { available: usd(4_900), blocked: null } : none('not_open'),
      creditPaid: paid ? { available: usd(3_900), blocked: null } : none('not_paid'),
      ...{ max: usd(10_000), secondPersonAbove: usd(2_500), until: paid ? at(60) : null },
    }
  }
  return { invoices, detail, refunds, creditNotes, methods, terms, refund, note }
}
