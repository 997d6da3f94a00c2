import { Type } from 'typebox'
import { type RouteDefinition, route } from '../route.ts'
import { Subscription, SubscriptionParams } from '../schemas/billing.ts'
import {
  CommandPreview,
  CommandPreviewRequest,
  CommandRequest,
  CommandResult,
  SubscriptionCreate,
  SubscriptionPreviewRequest,
} from '../schemas/command.ts'
import { TenantQuery } from '../schemas/common.ts'

const selectionProblems = [
  'plan_unknown',
  'plan_not_available',
  'currency_fixed',
  'downgrade_blocked',
  'change_under_way',
  'provider_unavailable',
  'provider_refused',
] as const
const commandProblems = [...selectionProblems, 'command_not_allowed', 'nothing_to_change'] as const
const createProblems = [...selectionProblems, 'subscription_held', 'checkout_open'] as const
const applyProblems = ['preview_stale', 'payment_failed', 'payment_method_required'] as const

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

  createSubscription: route({
    method: 'POST',
    path: '/subscriptions',
    summary: 'Subscribe with the payment method on file',
    description:
      'For customers who have paid before: also the way back after a cancellation. When the bank asks for the customer the subscription is `incomplete` and a next action leads to the invoice. Without a payment method open a session instead.',
    tag: 'Subscriptions',
    permission: 'billing:subscriptions:write',
    tenancy: 'tenant',
    body: SubscriptionCreate,
    status: 201,
    response: CommandResult,
    problems: [...createProblems, ...applyProblems],
  }),

  previewNewSubscription: route({
    method: 'POST',
    path: '/subscriptions/preview',
    summary: 'What a new subscription would cost and give',
    tag: 'Subscriptions',
    permission: 'billing:subscriptions:write',
    tenancy: 'tenant',
    body: SubscriptionPreviewRequest,
    response: CommandPreview,
    problems: createProblems,
  }),

  commandSubscription: route({
    method: 'PATCH',
    path: '/subscriptions/{subscriptionId}',
    summary: 'Change, cancel, pause, resume, or take back what is pending',
    description:
      'Answers 202 with `command.state: queued` when the provider is silent and the command is safe to finish later. Commands that charge answer `provider_unavailable` then: a repeat with the same Idempotency-Key goes on with the same command and never charges twice.',
    tag: 'Subscriptions',
    permission: 'billing:subscriptions:write',
    tenancy: 'object',
    params: SubscriptionParams,
    body: CommandRequest,
    mayBeQueued: true,
    response: CommandResult,
    problems: [...commandProblems, ...applyProblems],
  }),

  previewSubscription: route({
    method: 'POST',
    path: '/subscriptions/{subscriptionId}/preview',
    summary: 'What a command would cost, change and take away',
    tag: 'Subscriptions',
    permission: 'billing:subscriptions:write',
    tenancy: 'object',
    params: SubscriptionParams,
    body: CommandPreviewRequest,
    response: CommandPreview,
    problems: commandProblems,
  }),
} as const satisfies Record<string, RouteDefinition>
