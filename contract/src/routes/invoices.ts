import { Type } from 'typebox'
import { type RouteDefinition, route } from '../route.ts'
import { TenantQuery } from '../schemas/common.ts'
import {
  Invoice,
  InvoiceDetail,
  InvoiceParams,
  InvoiceQuery,
  Payment,
  PaymentMethod,
  PaymentQuery,
} from '../schemas/invoice.ts'

/** The provider's invoices as they are mirrored (INV-2). */
export const invoicesRoutes = {
  listInvoices: route({
    method: 'GET',
    path: '/invoices',
    summary: 'Invoices, newest first',
    tag: 'Invoices',
    permission: 'billing:invoices:read',
    tenancy: 'tenant_or_house',
    kind: 'list',
    query: InvoiceQuery,
    response: Type.Array(Invoice),
  }),

  getInvoice: route({
    method: 'GET',
    path: '/invoices/{invoiceId}',
    summary: 'One invoice with its lines and payments',
    tag: 'Invoices',
    permission: 'billing:invoices:read',
    tenancy: 'object',
    params: InvoiceParams,
    response: InvoiceDetail,
  }),

  listPayments: route({
    method: 'GET',
    path: '/payments',
    summary: 'What was paid or is to be paid towards invoices, newest first',
    tag: 'Invoices',
    permission: 'billing:invoices:read',
    tenancy: 'tenant_or_house',
    kind: 'list',
    query: PaymentQuery,
    response: Type.Array(Payment),
  }),

  listPaymentMethods: route({
    method: 'GET',
    path: '/payment-methods',
    summary: 'What a customer may be charged by: brand, last four digits and expiry, nothing else is known',
    tag: 'Invoices',
    permission: 'billing:payment_methods:read',
    tenancy: 'tenant',
    query: TenantQuery,
    response: Type.Array(PaymentMethod),
  }),
} as const satisfies Record<string, RouteDefinition>
