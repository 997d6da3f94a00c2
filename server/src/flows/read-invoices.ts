import type { Invoice, InvoiceDetail, Payment, PaymentMethod } from '@turnpike/contract'
import { type InvoiceRecord, listPayments, type PaymentRecord } from '../modules/invoices/index.ts'
import { findPaymentMethods, isExpired, type PaymentMethodRecord } from '../modules/payments/index.ts'
import { findSubscriptionsByProviderIds } from '../modules/subscriptions/index.ts'
import type { Deps } from './deps.ts'

const textOrNull = (instant: Temporal.Instant | null): string | null => instant?.toString() ?? null

/** Invoices as the API shows them: with our name of their subscription, amounts as digits. */
export const invoiceViews = async (deps: Deps, invoices: readonly InvoiceRecord[]): Promise<Invoice[]> => {
  const held = await findSubscriptionsByProviderIds(
    deps.db,
    deps.provider.name,
    invoices.flatMap((invoice) => invoice.providerSubscriptionId ?? []),
  )
  const names = new Map(held.map((record) => [record.providerSubscriptionId, record.subscriptionId]))
  return invoices.map((invoice) => invoiceView(invoice, names.get(invoice.providerSubscriptionId ?? '') ?? null))
}

const invoiceView = (invoice: InvoiceRecord, subscriptionId: string | null): Invoice => {
  const money = (amount: bigint) => ({ amountMinor: String(amount), currency: invoice.currency })
  return {
    id: invoice.providerInvoiceId,
    tenantId: invoice.tenantId,
    subscriptionId,
    number: invoice.number,
    status: invoice.status,
    billingReason: invoice.billingReason,
    period: invoice.period && { start: invoice.period.start.toString(), end: invoice.period.end.toString() },
    subtotal: money(invoice.subtotal),
    discount: money(invoice.discount),
    tax: money(invoice.tax),
    total: money(invoice.total),
    amountDue: money(invoice.amountDue),
    amountPaid: money(invoice.amountPaid),
    amountRemaining: money(invoice.amountRemaining),
    credited: money(invoice.creditedBeforePayment + invoice.creditedAfterPayment),
    attemptCount: invoice.attemptCount,
    nextAttemptAt: textOrNull(invoice.nextAttemptAt),
    actionRequired: invoice.actionRequired,
    hostedInvoiceUrl: invoice.hostedInvoiceUrl,
    pdfUrl: invoice.pdfUrl,
    createdAt: invoice.createdAt.toString(),
    finalizedAt: textOrNull(invoice.finalizedAt),
  }
}

export const invoiceDetail = async (deps: Deps, invoice: InvoiceRecord): Promise<InvoiceDetail> => {
  const payments = await listPayments(deps.db, {
    tenantId: invoice.tenantId,
    providerInvoiceId: invoice.providerInvoiceId,
    after: null,
    limit: 1_000,
  })
  return {
    ...(await invoiceViews(deps, [invoice]))[0]!,
    lines: invoice.lines.map((line) => ({
      id: line.providerLineId,
      description: line.description,
      amount: { amountMinor: String(line.amount), currency: invoice.currency },
      quantity: line.quantity,
      period: { start: line.period.start.toString(), end: line.period.end.toString() },
      proration: line.proration,
      priceLookupKey: line.lookupKey,
      chargeLineId: line.lineId,
    })),
    payments: await paymentViews(deps, payments),
  }
}

export const paymentViews = async (deps: Deps, payments: readonly PaymentRecord[]): Promise<Payment[]> => {
  const methods = new Map<string, PaymentMethodRecord>()
  for (const tenantId of new Set(payments.map((payment) => payment.tenantId)))
    for (const method of await findPaymentMethods(deps.db, tenantId)) methods.set(method.providerMethodId, method)
  return payments.map((payment) => {
    const method = payment.providerMethodId === null ? undefined : methods.get(payment.providerMethodId)
    return {
      id: payment.providerPaymentId,
      tenantId: payment.tenantId,
      invoiceId: payment.providerInvoiceId,
      invoiceNumber: payment.invoiceNumber,
      status: payment.status,
      amount: { amountMinor: String(payment.amount), currency: payment.currency },
      paidAt: textOrNull(payment.paidAt),
      createdAt: payment.createdAt.toString(),
      method: method === undefined ? null : shownMethod(method),
    }
  })
}

const shownMethod = ({ providerMethodId: id, type, brand, last4, expiryMonth, expiryYear }: PaymentMethodRecord) => ({
  ...{ id, type, brand, last4, expiryMonth, expiryYear },
})

export const methodView = (method: PaymentMethodRecord, at: Temporal.Instant): PaymentMethod => ({
  ...shownMethod(method),
  tenantId: method.tenantId,
  isDefault: method.isDefault,
  expired: isExpired(method, at),
})
