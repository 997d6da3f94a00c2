import { Type } from 'typebox'
import { type RouteDefinition, route } from '../route.ts'
import { TenantQuery } from '../schemas/common.ts'
import { InvoiceParams } from '../schemas/invoice.ts'
import {
  CloseProgress,
  InvoiceExplanation,
  UpcomingInvoice,
  UsageCost,
  UsagePeriod,
  UsagePeriodQuery,
} from '../schemas/period.ts'

/** How usage becomes lines of invoices (INV-6). */
export const periodsRoutes = {
  listUsagePeriods: route({
    method: 'GET',
    path: '/usage-periods',
    summary: 'Usage periods with their lines, the one that ends last first',
    tag: 'Invoices',
    permission: 'billing:invoices:read',
    tenancy: 'tenant_or_house',
    kind: 'list',
    query: UsagePeriodQuery,
    response: Type.Array(UsagePeriod),
  }),

  getCloseProgress: route({
    method: 'GET',
    path: '/usage-periods/progress',
    summary: 'How far the close of usage periods is',
    tag: 'Invoices',
    permission: 'billing:invoices:read',
    tenancy: 'house',
    response: CloseProgress,
  }),

  getUsageCost: route({
    method: 'GET',
    path: '/usage/cost',
    summary: 'What usage has cost so far in the running period, with its calculation',
    tag: 'Invoices',
    permission: 'billing:invoices:read',
    tenancy: 'tenant',
    query: TenantQuery,
    response: UsageCost,
  }),

  getUpcomingInvoice: route({
    method: 'GET',
    path: '/invoices/upcoming',
    summary:
      'The next invoice as it would be now: what the provider bills, usage so far, and the credit that pays for it',
    description:
      'The lines without `discount`, and tax that is not in their prices, come to `total`. An invoice for usage alone, such as a month of a yearly price, is not previewed by the provider: its total leaves out tax and what the provider takes off. No total takes off what the customer has with the provider, such as a balance.',
    tag: 'Invoices',
    permission: 'billing:invoices:read',
    tenancy: 'tenant',
    query: TenantQuery,
    response: UpcomingInvoice,
    problems: ['provider_unavailable'],
  }),

  explainInvoice: route({
    method: 'GET',
    path: '/invoices/{invoiceId}/explain',
    summary: 'From the total of an invoice to its lines, their calculation and the usage records behind them',
    tag: 'Invoices',
    permission: 'billing:invoices:read',
    tenancy: 'object',
    params: InvoiceParams,
    response: InvoiceExplanation,
  }),
} as const satisfies Record<string, RouteDefinition>
