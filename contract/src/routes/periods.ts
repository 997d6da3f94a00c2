import { Type } from 'typebox'
import { type RouteDefinition, route } from '../route.ts'
import { CloseProgress, UsagePeriod, UsagePeriodQuery } from '../schemas/period.ts'

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
} as const satisfies Record<string, RouteDefinition>
