import { Type } from 'typebox'
import { type RouteDefinition, route } from '../route.ts'
import {
  Finding,
  FindingDecision,
  FindingParams,
  FindingQuery,
  ReconciliationFigures,
  ReconciliationParams,
  ReconciliationQuery,
  ReconciliationRun,
  ReconciliationStart,
} from '../schemas/reconciliation.ts'

const tag = 'Reconciliation'

/** Comparing what is here with what is at the provider, and what to do about it (REC-1 to REC-4). */
export const reconciliationRoutes = {
  startReconciliation: route({
    method: 'POST',
    path: '/reconciliation/runs',
    summary: 'Compare with the provider: one customer, or everybody',
    description:
      'Runs in the background. While a run of the same scope is under way, that one is answered. Everybody at once needs `billing:reconciliation:run_all` as well.',
    tag,
    permission: 'billing:reconciliation:run',
    tenancy: 'tenant_or_house',
    body: ReconciliationStart,
    status: 202,
    response: ReconciliationRun,
  }),

  listReconciliations: route({
    method: 'GET',
    path: '/reconciliation/runs',
    summary: 'The runs, newest first, with their progress',
    tag,
    permission: 'billing:reconciliation:read',
    tenancy: 'tenant_or_house',
    kind: 'list',
    query: ReconciliationQuery,
    response: Type.Array(ReconciliationRun),
  }),

  getReconciliation: route({
    method: 'GET',
    path: '/reconciliation/runs/{runId}',
    summary: 'One run with its progress',
    tag,
    permission: 'billing:reconciliation:read',
    tenancy: 'object',
    params: ReconciliationParams,
    response: ReconciliationRun,
  }),

  stopReconciliation: route({
    method: 'POST',
    path: '/reconciliation/runs/{runId}/stop',
    summary: 'Stop a run after its current page; what it has found stays',
    tag,
    permission: 'billing:reconciliation:run',
    tenancy: 'object',
    params: ReconciliationParams,
    response: ReconciliationRun,
  }),

  getReconciliationFigures: route({
    method: 'GET',
    path: '/reconciliation/figures',
    summary: 'Open findings, the oldest, drift rate and time to correct',
    tag,
    permission: 'billing:reconciliation:read',
    tenancy: 'house',
    response: ReconciliationFigures,
  }),

  listFindings: route({
    method: 'GET',
    path: '/reconciliation/findings',
    summary: 'The findings, newest first',
    tag,
    permission: 'billing:reconciliation:read',
    tenancy: 'tenant_or_house',
    kind: 'list',
    query: FindingQuery,
    response: Type.Array(Finding),
  }),

  getFinding: route({
    method: 'GET',
    path: '/reconciliation/findings/{findingId}',
    summary: 'One finding',
    tag,
    permission: 'billing:reconciliation:read',
    tenancy: 'object',
    params: FindingParams,
    response: Finding,
  }),

  repairFinding: route({
    method: 'POST',
    path: '/reconciliation/findings/{findingId}/repair',
    summary: 'Do the proposed repair and look again',
    description: 'A repeat of a repair that was done answers the finding as it is.',
    tag,
    permission: 'billing:reconciliation:repair',
    tenancy: 'object',
    params: FindingParams,
    body: FindingDecision,
    response: Finding,
    problems: ['finding_closed', 'finding_needs_person', 'finding_persists', 'provider_unavailable'],
  }),

  acceptFinding: route({
    method: 'POST',
    path: '/reconciliation/findings/{findingId}/accept',
    summary: 'Accept the difference as meant: it is not found again while it stays as it is',
    tag,
    permission: 'billing:reconciliation:repair',
    tenancy: 'object',
    params: FindingParams,
    body: FindingDecision,
    response: Finding,
    problems: ['finding_closed'],
  }),

  dismissFinding: route({
    method: 'POST',
    path: '/reconciliation/findings/{findingId}/dismiss',
    summary: 'Close the finding: when the difference is seen again, it is found again',
    tag,
    permission: 'billing:reconciliation:repair',
    tenancy: 'object',
    params: FindingParams,
    body: FindingDecision,
    response: Finding,
    problems: ['finding_closed'],
  }),
} as const satisfies Record<string, RouteDefinition>
