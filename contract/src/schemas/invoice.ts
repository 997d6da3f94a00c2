import { type Static, Type } from 'typebox'
import { Id, Instant, Money, Nullable, Page, Period, strict, TenantId } from './common.ts'

/** An invoice is named by the provider's id: that is what customers, operators and the provider's pages know it by. */
const InvoiceId = Type.String({ maxLength: 255 })

export const invoiceStatuses = ['draft', 'open', 'paid', 'uncollectible', 'void'] as const
export const paymentStatuses = ['open', 'paid', 'canceled'] as const

/** What may be known of a payment method (INV-2). */
const paymentMethodFields = {
  id: Type.String(),
  type: Type.String({ description: '`card`, or another kind by the provider’s word.' }),
  brand: Nullable(Type.String()),
  last4: Nullable(Type.String()),
  expiryMonth: Nullable(Type.Integer()),
  expiryYear: Nullable(Type.Integer()),
}
export const PaymentMethod = strict({
  ...paymentMethodFields,
  tenantId: TenantId,
  isDefault: Type.Boolean(),
  /** The card’s last day has passed. */
  expired: Type.Boolean(),
})
export type PaymentMethod = Static<typeof PaymentMethod>

export const Payment = strict({
  id: Type.String(),
  tenantId: TenantId,
  invoiceId: Type.String(),
  invoiceNumber: Nullable(Type.String()),
  status: Type.Enum(paymentStatuses),
  amount: Money,
  paidAt: Nullable(Instant),
  createdAt: Instant,
  /** Null until something was charged, and where it is not known. */
  method: Nullable(strict(paymentMethodFields)),
})
export type Payment = Static<typeof Payment>

export const InvoiceLine = strict({
  id: Type.String(),
  description: Nullable(Type.String()),
  amount: Money,
  quantity: Nullable(Type.String({ description: 'A decimal.' })),
  period: Period,
  proration: Type.Boolean(),
  /** The price of ours, by the name that it has at the provider. */
  priceLookupKey: Nullable(Type.String()),
  /** The charge line of ours that it was made from. */
  chargeLineId: Nullable(Type.String()),
})

const invoiceFields = {
  id: Type.String(),
  tenantId: TenantId,
  subscriptionId: Nullable(Id('subscription')),
  number: Nullable(Type.String()),
  status: Type.Enum(invoiceStatuses),
  billingReason: Type.String(),
  period: Nullable(Period),
  subtotal: Money,
  discount: Money,
  tax: Money,
  total: Money,
  amountDue: Money,
  amountPaid: Money,
  amountRemaining: Money,
  /** By credit notes: off what was owed, or off what was paid. */
  credited: Money,
  attemptCount: Type.Integer(),
  nextAttemptAt: Nullable(Instant),
  actionRequired: Type.Boolean(),
  hostedInvoiceUrl: Nullable(Type.String()),
  pdfUrl: Nullable(Type.String()),
  createdAt: Instant,
  finalizedAt: Nullable(Instant),
}
export const Invoice = strict(invoiceFields)
export type Invoice = Static<typeof Invoice>
export const InvoiceDetail = strict({
  ...invoiceFields,
  lines: Type.Array(InvoiceLine),
  payments: Type.Array(Payment),
})
export type InvoiceDetail = Static<typeof InvoiceDetail>

export const InvoiceParams = strict({ invoiceId: InvoiceId })
export const InvoiceQuery = strict({
  tenantId: Type.Optional(TenantId),
  status: Type.Optional(Type.Enum(invoiceStatuses)),
  ...Page,
})
export const PaymentQuery = strict({
  tenantId: Type.Optional(TenantId),
  invoiceId: Type.Optional(InvoiceId),
  ...Page,
})
