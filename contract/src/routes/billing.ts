import { Type } from 'typebox'
import { type RouteDefinition, route } from '../route.ts'
import {
  BillingStatus,
  Checkout,
  CheckoutParams,
  PlanOffer,
  ReturnReport,
  Session,
  SessionCreate,
  SyncRequest,
  SyncResult,
} from '../schemas/billing.ts'
import { TenantQuery } from '../schemas/common.ts'

/** Hosted pages, status and plans: what billing pages are made of. */
export const billingRoutes = {
  createSession: route({
    method: 'POST',
    path: '/billing/session',
    summary: 'Open a hosted checkout or portal',
    description:
      'Answers `sessionUrl`, the hosted page of the provider. The redirect back proves nothing: ask `GET /billing/checkouts/{checkoutId}`.',
    tag: 'Billing',
    permission: 'billing:session:create',
    tenancy: 'tenant',
    body: SessionCreate,
    status: 201,
    response: Session,
    problems: [
      'plan_unknown',
      'plan_not_available',
      'plan_already_held',
      'coupon_not_usable',
      'checkout_open',
      'change_under_way',
      'return_url_not_allowed',
      'provider_unavailable',
    ],
  }),

  getCheckout: route({
    method: 'GET',
    path: '/billing/checkouts/{checkoutId}',
    summary: 'How a checkout went, from our own state',
    tag: 'Billing',
    permission: 'billing:session:create',
    tenancy: 'object',
    params: CheckoutParams,
    response: Checkout,
  }),

  reportReturn: route({
    method: 'POST',
    path: '/billing/checkouts/{checkoutId}/return',
    summary: 'The customer came back from the hosted page',
    description: 'Proves nothing about the payment: it starts the targeted sync that ends `pending_sync`.',
    tag: 'Billing',
    permission: 'billing:session:create',
    tenancy: 'object',
    params: CheckoutParams,
    body: ReturnReport,
    response: Checkout,
  }),

  getStatus: route({
    method: 'GET',
    path: '/billing/status',
    summary: 'Status, plan, renewal, pending changes, problems and next actions',
    tag: 'Billing',
    permission: 'billing:status:read',
    tenancy: 'tenant',
    query: TenantQuery,
    response: BillingStatus,
  }),

  listPlans: route({
    method: 'GET',
    path: '/billing/plans',
    summary: 'The plans on offer and how each stands to the current one',
    tag: 'Billing',
    permission: 'billing:plans:read',
    tenancy: 'tenant',
    query: TenantQuery,
    response: Type.Array(PlanOffer),
  }),

  sync: route({
    method: 'POST',
    path: '/billing/sync',
    summary: 'Ask the provider again for one customer',
    tag: 'Billing',
    permission: 'billing:sync:run',
    tenancy: 'tenant',
    body: SyncRequest,
    response: SyncResult,
    problems: ['provider_unavailable'],
  }),
} as const satisfies Record<string, RouteDefinition>
