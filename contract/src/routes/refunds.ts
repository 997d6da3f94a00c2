import { Type } from 'typebox'
import { type RouteDefinition, route } from '../route.ts'
import { InvoiceParams } from '../schemas/invoice.ts'
import {
  CreditNote,
  CreditNoteCreate,
  CreditNoteParams,
  CreditNoteQuery,
  MoneyBackDecision,
  Refund,
  RefundCreate,
  RefundParams,
  RefundQuery,
  RefundTerms,
} from '../schemas/refund.ts'

const asking = ['refund_not_possible', 'refund_too_much', 'refund_above_limit', 'idempotency_key_reused'] as const
const deciding = ['second_person_required', 'refund_above_limit', 'refund_not_waiting'] as const

/** Money back: refunds and credit notes (INV-4), and what the provider has of them. */
export const refundsRoutes = {
  getRefundTerms: route({
    method: 'GET',
    path: '/invoices/{invoiceId}/refund-terms',
    summary: 'What may be given back of an invoice now, at once or with a second person',
    tag: 'Refunds',
    permission: 'billing:refunds:write',
    tenancy: 'object',
    params: InvoiceParams,
    response: RefundTerms,
  }),

  createRefund: route({
    method: 'POST',
    path: '/invoices/{invoiceId}/refunds',
    summary: 'Give back what was paid, to where it came from',
    description:
      'Answers 202 while it waits: for a second person (`waiting_for_approval`), or for a provider that does not answer (`asking`), to be done by itself.',
    tag: 'Refunds',
    permission: 'billing:refunds:write',
    tenancy: 'object',
    params: InvoiceParams,
    body: RefundCreate,
    status: 201,
    mayBeQueued: true,
    response: Refund,
    problems: asking,
  }),

  createCreditNote: route({
    method: 'POST',
    path: '/invoices/{invoiceId}/credit-notes',
    summary: 'Take something off an invoice: off what is owed, or to balance, payment or outside off what was paid',
    description: 'Answers 202 while it waits, as a refund does.',
    tag: 'Refunds',
    permission: 'billing:refunds:write',
    tenancy: 'object',
    params: InvoiceParams,
    body: CreditNoteCreate,
    status: 201,
    mayBeQueued: true,
    response: CreditNote,
    problems: asking,
  }),

  listRefunds: route({
    method: 'GET',
    path: '/refunds',
    summary: 'Refunds, newest first, whoever made them',
    tag: 'Refunds',
    permission: 'billing:invoices:read',
    tenancy: 'tenant_or_house',
    kind: 'list',
    query: RefundQuery,
    response: Type.Array(Refund),
  }),

  getRefund: route({
    method: 'GET',
    path: '/refunds/{refundId}',
    summary: 'One refund and how far it has come',
    tag: 'Refunds',
    permission: 'billing:invoices:read',
    tenancy: 'object',
    params: RefundParams,
    response: Refund,
  }),

  listCreditNotes: route({
    method: 'GET',
    path: '/credit-notes',
    summary: 'Credit notes, newest first, whoever made them',
    tag: 'Refunds',
    permission: 'billing:invoices:read',
    tenancy: 'tenant_or_house',
    kind: 'list',
    query: CreditNoteQuery,
    response: Type.Array(CreditNote),
  }),

  approveRefund: route({
    method: 'POST',
    path: '/refunds/{refundId}/approve',
    summary: 'Approve a refund that somebody else asked for: it is sent at once',
    tag: 'Refunds',
    permission: 'billing:refunds:approve',
    tenancy: 'object',
    params: RefundParams,
    body: MoneyBackDecision,
    response: Refund,
    problems: deciding,
  }),

  rejectRefund: route({
    method: 'POST',
    path: '/refunds/{refundId}/reject',
    summary: 'Reject a refund that waits for a second person',
    tag: 'Refunds',
    permission: 'billing:refunds:approve',
    tenancy: 'object',
    params: RefundParams,
    body: MoneyBackDecision,
    response: Refund,
    problems: ['refund_not_waiting'],
  }),

  approveCreditNote: route({
    method: 'POST',
    path: '/credit-notes/{creditNoteId}/approve',
    summary: 'Approve a credit note that somebody else asked for: it is issued at once',
    tag: 'Refunds',
    permission: 'billing:refunds:approve',
    tenancy: 'object',
    params: CreditNoteParams,
    body: MoneyBackDecision,
    response: CreditNote,
    problems: deciding,
  }),

  rejectCreditNote: route({
    method: 'POST',
    path: '/credit-notes/{creditNoteId}/reject',
    summary: 'Reject a credit note that waits for a second person',
    tag: 'Refunds',
    permission: 'billing:refunds:approve',
    tenancy: 'object',
    params: CreditNoteParams,
    body: MoneyBackDecision,
    response: CreditNote,
    problems: ['refund_not_waiting'],
  }),
} as const satisfies Record<string, RouteDefinition>
