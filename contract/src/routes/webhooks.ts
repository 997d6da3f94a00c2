import { Type } from 'typebox'
import { type RouteDefinition, route } from '../route.ts'
import { strict } from '../schemas/common.ts'
import {
  InboxCounts,
  InboxDetail,
  InboxEntry,
  InboxParams,
  InboxQuery,
  WebhookReplay,
  WebhookReplayResult,
} from '../schemas/operator.ts'

/** What the payment provider tells us. */
export const webhooksRoutes = {
  receiveWebhook: route({
    method: 'POST',
    path: '/billing/webhooks/{provider}',
    summary: 'Webhook intake of the payment provider',
    description:
      'Verified by signature and age over the raw body; stored before it is acknowledged; a repeated event id has one effect.',
    tag: 'Webhooks',
    permission: null,
    tenancy: 'none',
    params: strict({ provider: Type.String({ maxLength: 30 }) }),
    response: strict({ received: Type.Boolean() }),
    problems: ['webhook_signature_invalid', 'body_too_large', 'rate_limited', 'overloaded', 'unavailable'],
    bodyLimit: 1_048_576,
  }),

  listWebhooks: route({
    method: 'GET',
    path: '/webhooks/inbox',
    summary: 'The webhook inbox, newest first',
    tag: 'Webhooks',
    permission: 'billing:webhooks:read',
    tenancy: 'house',
    kind: 'list',
    query: InboxQuery,
    response: Type.Array(InboxEntry),
  }),

  countWebhooks: route({
    method: 'GET',
    path: '/webhooks/inbox/counts',
    summary: 'How many webhooks are in which state',
    tag: 'Webhooks',
    permission: 'billing:webhooks:read',
    tenancy: 'house',
    response: InboxCounts,
  }),

  getWebhook: route({
    method: 'GET',
    path: '/webhooks/inbox/{webhookId}',
    summary: 'One webhook with its attempts',
    tag: 'Webhooks',
    permission: 'billing:webhooks:read',
    tenancy: 'house',
    params: InboxParams,
    response: InboxDetail,
  }),

  replayWebhooks: route({
    method: 'POST',
    path: '/webhooks/replay',
    summary: 'Work on webhooks once more: of an object, a tenant, a time or a state',
    description:
      'Each part is one transaction with one audit record of its numbers. Applying is idempotent, so a repeat does no harm; `cursor` goes on where a part ended.',
    tag: 'Webhooks',
    permission: 'billing:webhooks:replay',
    tenancy: 'house',
    body: WebhookReplay,
    response: WebhookReplayResult,
  }),

  replayWebhook: route({
    method: 'POST',
    path: '/webhooks/inbox/{webhookId}/replay',
    summary: 'Work on a webhook once more',
    tag: 'Webhooks',
    permission: 'billing:webhooks:replay',
    tenancy: 'house',
    params: InboxParams,
    status: 202,
    response: InboxEntry,
    problems: ['webhook_not_replayable'],
  }),
} as const satisfies Record<string, RouteDefinition>
