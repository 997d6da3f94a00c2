import { type RouteDefinition, route } from '../route.ts'
import { TenantQuery } from '../schemas/common.ts'
import { UsageAnswer, UsageReport, UsageSummary } from '../schemas/usage.ts'

/** What is counted. */
export const usageRoutes = {
  reportUsage: route({
    method: 'POST',
    path: '/usage-records',
    summary: 'Report usage: one record, or a batch of up to 1,000 with an outcome each',
    description:
      'A refusal by a hard limit is an answer: `allowed: false` with a code. In a batch, a record that does not fit is an outcome `invalid` and costs the others nothing; a single record that does not fit is a problem.',
    tag: 'Usage',
    permission: 'billing:usage:write',
    tenancy: 'tenant_or_house',
    body: UsageReport,
    response: UsageAnswer,
    problems: ['meter_unknown', 'quantity_invalid', 'time_out_of_range', 'idempotency_key_reused'],
    bodyLimit: 4_194_304,
  }),

  getUsage: route({
    method: 'GET',
    path: '/usage',
    summary: 'Used, limit and state of every meter',
    tag: 'Usage',
    permission: 'billing:usage:read',
    tenancy: 'tenant',
    query: TenantQuery,
    response: UsageSummary,
  }),
} as const satisfies Record<string, RouteDefinition>
