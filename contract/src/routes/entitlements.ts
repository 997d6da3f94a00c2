import { Type } from 'typebox'
import { type RouteDefinition, route } from '../route.ts'
import { TenantQuery } from '../schemas/common.ts'
import { DecisionDetail, DecisionParams, DecisionQuery, DecisionRecord } from '../schemas/decision.ts'
import {
  AtQuery,
  CheckAnswer,
  CheckRequest,
  Explanation,
  FeatureParams,
  Override,
  OverrideCreate,
  OverrideDecision,
  OverrideParams,
  Snapshot,
} from '../schemas/entitlement.ts'

/** What a customer may use. */
export const entitlementsRoutes = {
  getEntitlements: route({
    method: 'GET',
    path: '/entitlements',
    summary: 'The resolved snapshot, now or at a past time',
    tag: 'Entitlements',
    permission: 'billing:entitlements:read',
    tenancy: 'tenant',
    query: AtQuery,
    response: Snapshot,
    problems: ['time_out_of_range'],
  }),

  check: route({
    method: 'POST',
    path: '/entitlements/check',
    summary: 'Is it allowed? One or many features, optionally consuming',
    description:
      'Answered from memory in constant time unless `consume` is set. A no is an answer with `allowed: false` and a reason.',
    tag: 'Entitlements',
    permission: 'billing:entitlements:check',
    tenancy: 'tenant',
    body: CheckRequest,
    response: CheckAnswer,
    problems: ['feature_unknown', 'quantity_invalid', 'time_out_of_range', 'idempotency_key_reused'],
  }),

  explain: route({
    method: 'GET',
    path: '/entitlements/{feature}/explain',
    summary: 'The whole derivation of one decision',
    tag: 'Entitlements',
    permission: 'billing:entitlements:read',
    tenancy: 'tenant',
    params: FeatureParams,
    query: AtQuery,
    response: Explanation,
    problems: ['feature_unknown', 'time_out_of_range'],
  }),

  listDecisions: route({
    method: 'GET',
    path: '/entitlements/decisions',
    summary: 'Decisions as they were made, newest first: every refusal, and all that used something up',
    description:
      'Each with the snapshot, override, policy and counter that it was made with, and what would have made it another one. Refused checks appear within a second or two; equal ones of an hour share a record.',
    tag: 'Entitlements',
    permission: 'billing:entitlements:read',
    tenancy: 'tenant',
    kind: 'list',
    query: DecisionQuery,
    response: Type.Array(DecisionRecord),
    problems: ['feature_unknown'],
  }),

  getDecision: route({
    method: 'GET',
    path: '/entitlements/decisions/{decisionId}',
    summary: 'One decision with its derivation, made again with the snapshot and the counter of its time',
    tag: 'Entitlements',
    permission: 'billing:entitlements:read',
    tenancy: 'tenant',
    params: DecisionParams,
    query: TenantQuery,
    response: DecisionDetail,
  }),

  createOverride: route({
    method: 'POST',
    path: '/entitlements/overrides',
    summary: 'Grant an override with reason and end, or ask for it where policy wants a second person',
    tag: 'Entitlements',
    permission: 'billing:overrides:write',
    tenancy: 'tenant',
    body: OverrideCreate,
    status: 201,
    response: Override,
    problems: ['feature_unknown', 'override_invalid'],
  }),

  listOverrides: route({
    method: 'GET',
    path: '/entitlements/overrides',
    summary: 'The overrides of a tenant, newest first',
    tag: 'Entitlements',
    permission: 'billing:overrides:read',
    tenancy: 'tenant',
    query: TenantQuery,
    response: Type.Array(Override),
  }),

  listWaitingOverrides: route({
    method: 'GET',
    path: '/entitlements/overrides/waiting',
    summary: 'The overrides of everybody that wait for a second person, the next to lapse first',
    description: 'At most 200.',
    tag: 'Entitlements',
    permission: 'billing:overrides:read',
    tenancy: 'house',
    response: Type.Array(Override),
  }),

  approveOverride: route({
    method: 'POST',
    path: '/entitlements/overrides/{overrideId}/approve',
    summary: 'Approve an override that somebody else asked for: it is in force at once',
    tag: 'Entitlements',
    permission: 'billing:overrides:approve',
    tenancy: 'object',
    params: OverrideParams,
    body: OverrideDecision,
    response: Override,
    problems: ['second_person_required', 'override_not_waiting'],
  }),

  rejectOverride: route({
    method: 'POST',
    path: '/entitlements/overrides/{overrideId}/reject',
    summary: 'Reject an override that waits for a second person',
    tag: 'Entitlements',
    permission: 'billing:overrides:approve',
    tenancy: 'object',
    params: OverrideParams,
    body: OverrideDecision,
    response: Override,
    problems: ['override_not_waiting'],
  }),

  withdrawOverride: route({
    method: 'DELETE',
    path: '/entitlements/overrides/{overrideId}',
    summary: 'Withdraw an override',
    tag: 'Entitlements',
    permission: 'billing:overrides:write',
    tenancy: 'object',
    params: OverrideParams,
    response: Override,
  }),
} as const satisfies Record<string, RouteDefinition>
