/** What a customer may be charged by, as much of it as is kept (INV-2): never a number, a name or an address. */
export type PaymentMethodFact = {
  providerMethodId: string
  type: string
  brand: string | null
  last4: string | null
  expiryMonth: number | null
  expiryYear: number | null
  isDefault: boolean
  /** False once it was taken off its customer: it may have paid earlier invoices. */
  attached: boolean
}

export type RefundFact = {
  providerRefundId: string
  providerCustomerId: string | null
  providerIntentId: string | null
  /** Null for what was paid without an invoice. */
  providerInvoiceId: string | null
  amount: bigint
  currency: string
  state: 'pending' | 'requires_action' | 'succeeded' | 'failed' | 'canceled'
  failure: string | null
  reason: string | null
  createdAt: Temporal.Instant
  /** The refund of ours that it was made for. */
  refundId: string | null
}

export type CreditNoteFact = {
  providerCreditNoteId: string
  providerCustomerId: string
  providerInvoiceId: string
  number: string | null
  state: 'issued' | 'void'
  amount: bigint
  currency: string
  /** Off what is owed. */
  beforePayment: bigint
  /** Off what was paid: to the balance, to the payment or outside. */
  afterPayment: bigint
  /** How much of it outside of the provider. */
  outside: bigint
  /** How much of it went back by which refunds. */
  refunds: { providerRefundId: string; amount: bigint }[]
  reason: string | null
  pdfUrl: string | null
  createdAt: Temporal.Instant
  voidedAt: Temporal.Instant | null
  /** The credit note of ours that it was made for. */
  creditNoteId: string | null
}

export type MoneyBackReason =
  | 'duplicate'
  | 'fraudulent'
  | 'order_change'
  | 'product_unsatisfactory'
  | 'requested_by_customer'

export type CreditTarget = 'balance' | 'payment' | 'outside'

type CreditNoteOrder = {
  creditNoteId: string
  providerInvoiceId: string
  amount: bigint
  /** Of which lines; empty for an amount off the whole. */
  lines: { providerLineId: string; amount: bigint }[]
  /** Null off what is owed. */
  to: CreditTarget | null
  reason: MoneyBackReason
  note: string
}

export type MoneyBackOutcome = { kind: 'done' } | { kind: 'refused'; reason: string | null }

/** Payment methods, and what is given back (INV-2, INV-4). Orders take the id of our own row as idempotency key. */
export type MoneyBack = {
  /** All that are attached, the default one marked. Empty for a customer that is gone. */
  fetchPaymentMethods(providerCustomerId: string): Promise<PaymentMethodFact[]>
  /** One of them, attached or not. */
  fetchPaymentMethod(providerMethodId: string): Promise<PaymentMethodFact | null>
  fetchRefunds(of: { refund: string } | { charge: string } | { intent: string }): Promise<RefundFact[]>
  fetchCreditNotes(of: { creditNote: string } | { invoice: string }): Promise<CreditNoteFact[]>
  sendRefund(order: {
    refundId: string
    providerIntentId: string
    amount: bigint
    reason: MoneyBackReason
  }): Promise<MoneyBackOutcome>
  issueCreditNote(order: CreditNoteOrder): Promise<MoneyBackOutcome>
}
