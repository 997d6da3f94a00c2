import { type Static, Type } from 'typebox'
import { Id, Instant, Money, Nullable, Page, strict, TenantId, Text } from './common.ts'

export const moneyBackReasons = [
  'duplicate',
  'fraudulent',
  'order_change',
  'product_unsatisfactory',
  'requested_by_customer',
] as const
const requestStates = ['waiting_for_approval', 'rejected', 'expired'] as const
/** `asking`: agreed to, and not yet known to be at the provider. The rest is the provider’s word. */
export const refundStates = [
  ...requestStates,
  'asking',
  'pending',
  'requires_action',
  'succeeded',
  'failed',
  'canceled',
] as const
export const creditNoteStates = [...requestStates, 'asking', 'issued', 'void', 'failed'] as const
export const creditTargets = ['balance', 'payment', 'outside'] as const

const AmountMinor = Type.String({ pattern: '^[1-9][0-9]{0,14}$', description: 'Minor units, more than none.' })
const IdempotencyKey = Type.String({ pattern: '^[\\x21-\\x7e]{1,255}$' })

const common = {
  tenantId: TenantId,
  amount: Money,
  /** Null for what was made at the provider. */
  reason: Nullable(Type.String()),
  reasonText: Nullable(Type.String()),
  requestedBy: Nullable(Type.String()),
  requestedAt: Instant,
  /** Until when a waiting one can be decided. */
  requestExpiresAt: Nullable(Instant),
  decidedBy: Nullable(Type.String()),
  decidedAt: Nullable(Instant),
  decisionReason: Nullable(Type.String()),
  settledAt: Nullable(Instant),
  /** Why it failed, by a code. */
  failure: Nullable(Type.String()),
}
export const Refund = strict({
  id: Id('refund'),
  /** Null for what was paid without an invoice. */
  invoiceId: Nullable(Type.String()),
  providerRefundId: Nullable(Type.String()),
  state: Type.Enum(refundStates),
  ...common,
})
export type Refund = Static<typeof Refund>

export const CreditNote = strict({
  id: Id('credit_note'),
  invoiceId: Type.String(),
  providerCreditNoteId: Nullable(Type.String()),
  number: Nullable(Type.String()),
  state: Type.Enum(creditNoteStates),
  /** Off what was owed, and off what had been paid. */
  beforePayment: Money,
  afterPayment: Money,
  /** Where the part after payment goes; null where there is none, or where the provider tells of several. */
  to: Nullable(Type.Enum(creditTargets)),
  lines: Type.Array(strict({ lineId: Type.String(), amountMinor: Type.String() })),
  pdfUrl: Nullable(Type.String()),
  ...common,
})
export type CreditNote = Static<typeof CreditNote>

const asked = {
  reason: Type.Enum(moneyBackReasons),
  reasonText: Text(500, 3),
  /** The same key gives the same refund or credit note, however often and however late it is sent. */
  idempotencyKey: IdempotencyKey,
}
export const RefundCreate = strict({ amountMinor: AmountMinor, ...asked })
export const CreditNoteCreate = strict({
  /** Either an amount off the whole, or amounts of lines. */
  amountMinor: Type.Optional(AmountMinor),
  lines: Type.Optional(
    Type.Array(strict({ lineId: Type.String({ maxLength: 255 }), amountMinor: AmountMinor }), {
      minItems: 1,
      maxItems: 100,
    }),
  ),
  /** Needed for a paid invoice; not for an open one, of which less is owed afterwards. */
  to: Type.Optional(Type.Enum(creditTargets)),
  ...asked,
})

const Bound = strict({
  available: Money,
  /** Why nothing can be given back in this way; null when something can. */
  blocked: Nullable(Type.String()),
})
/** What may be given back of an invoice now, and by whom: what a form shows before anything is asked. */
export const RefundTerms = strict({
  invoiceId: Type.String(),
  paid: Money,
  /** Given back, on its way, or waiting for a second person. */
  givenBack: Money,
  refund: Bound,
  creditOwed: Bound,
  creditPaid: Bound,
  /** The most at once for this credential; null without a cap. */
  max: Nullable(Money),
  /** More than this waits for a second person; null when nothing does. */
  secondPersonAbove: Nullable(Money),
  until: Nullable(Instant),
})
export type RefundTerms = Static<typeof RefundTerms>

export const RefundParams = strict({ refundId: Type.String({ maxLength: 120 }) })
export const CreditNoteParams = strict({ creditNoteId: Type.String({ maxLength: 120 }) })
export const MoneyBackDecision = strict({ reason: Type.Optional(Text(500, 3)) })
const query = {
  tenantId: Type.Optional(TenantId),
  invoiceId: Type.Optional(Type.String({ maxLength: 255 })),
  ...Page,
}
export const RefundQuery = strict({ ...query, state: Type.Optional(Type.Enum(refundStates)) })
export const CreditNoteQuery = strict({ ...query, state: Type.Optional(Type.Enum(creditNoteStates)) })
