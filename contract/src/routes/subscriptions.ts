import { Type } from 'typebox'
import { type RouteDefinition, route } from '../route.ts'
import { Subscription, SubscriptionParams } from '../schemas/billing.ts'
import { TenantQuery } from '../schemas/common.ts'

/** Agreements. */
export const subscriptionsRoutes = {
  listSubscriptions: route({
    method: 'GET',
    path: '/subscriptions',
    summary: 'The subscriptions of a tenant, newest first',
    tag: 'Subscriptions',
    permission: 'billing:subscriptions:read',
    tenancy: 'tenant',
    query: TenantQuery,
    response: Type.Array(Subscription),
  }),

  getSubscription: route({
    method: 'GET',
    path: '/subscriptions/{subscriptionId}',
    summary: 'Read a subscription',
    tag: 'Subscriptions',
    permission: 'billing:subscriptions:read',
    tenancy: 'object',
    params: SubscriptionParams,
    response: Subscription,
  }),
} as const satisfies Record<string, RouteDefinition>
