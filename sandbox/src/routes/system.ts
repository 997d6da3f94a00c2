import type Stripe from 'stripe'
import { emit } from '../events/emit.ts'
import { balanceOf } from '../objects/balance.ts'
import { need, within } from '../objects/common.ts'
import { deleteCustomer } from '../objects/customer.ts'
import type { Customer, EventObject, TestClock, WebhookEndpoint } from '../objects/types.ts'
import { createEndpoint, deleteEndpoint, updateEndpoint } from '../objects/webhookEndpoint.ts'
import { newId } from '../store/ids.ts'
import { listOf, remove, save, type Tx } from '../store/transact.ts'
import type { Endpoints } from '../wire/endpoints.ts'
import { invalid } from '../wire/errors.ts'
import { page } from '../wire/list.ts'

export const systemRoutes: Endpoints = {
  'GET /v1/events': (tx: Tx, params: Stripe.EventListParams) => {
    const patterns = params.types ?? (params.type === undefined ? null : [params.type])
    const wanted = patterns?.map((pattern) => (pattern.endsWith('*') ? pattern.slice(0, -1) : pattern))
    return page<EventObject>(
      tx,
      '/v1/events',
      'event',
      params,
      (event) =>
        (!wanted ||
          wanted.some((text, index) =>
            patterns![index]!.endsWith('*') ? event.type.startsWith(text) : event.type === text,
          )) &&
        (params.delivery_success === undefined || (event.pending_webhooks === 0) === params.delivery_success) &&
        within(event.created, params.created),
    )
  },
  'GET /v1/events/{id}': (tx: Tx, _params: unknown, id: string) => need<EventObject>(tx, 'event', id),

  'POST /v1/webhook_endpoints': (tx: Tx, params: Stripe.WebhookEndpointCreateParams) => {
    const endpoint = createEndpoint(tx, {
      url: params.url,
      enabled_events: params.enabled_events,
      description: params.description || undefined,
      metadata: params.metadata,
    })
    // Only this answer ever shows the secret.
    return { ...endpoint, secret: endpoint._.secrets[0] }
  },
  'GET /v1/webhook_endpoints': (tx: Tx, params: Stripe.WebhookEndpointListParams) =>
    page<WebhookEndpoint>(tx, '/v1/webhook_endpoints', 'webhook_endpoint', params),
  'GET /v1/webhook_endpoints/{id}': (tx: Tx, _params: unknown, id: string) =>
    need<WebhookEndpoint>(tx, 'webhook_endpoint', id),
  'POST /v1/webhook_endpoints/{id}': (tx: Tx, params: Parameters<typeof updateEndpoint>[2], id: string) =>
    updateEndpoint(tx, id, params),
  'DELETE /v1/webhook_endpoints/{id}': (tx: Tx, _params: unknown, id: string) => deleteEndpoint(tx, id),

  'POST /v1/test_helpers/test_clocks': (tx: Tx, params: Stripe.TestHelpers.TestClockCreateParams) => {
    const clock: TestClock = {
      id: newId('clock'),
      object: 'test_helpers.test_clock',
      created: tx.now,
      deletes_after: tx.now + 30 * 86_400,
      frozen_time: params.frozen_time,
      livemode: false,
      name: params.name ?? null,
      status: 'ready',
      status_details: {},
    }
    save(tx, clock)
    emit(tx, 'test_helpers.test_clock.created', clock)
    return clock
  },
  'GET /v1/test_helpers/test_clocks': (tx: Tx, params: Stripe.TestHelpers.TestClockListParams) =>
    page<TestClock>(tx, '/v1/test_helpers/test_clocks', 'test_helpers.test_clock', params),
  'GET /v1/test_helpers/test_clocks/{id}': (tx: Tx, _params: unknown, id: string) =>
    need<TestClock>(tx, 'test_helpers.test_clock', id),
  'POST /v1/test_helpers/test_clocks/{id}/advance': (
    tx: Tx,
    params: Stripe.TestHelpers.TestClockAdvanceParams,
    id: string,
  ) => {
    const clock = need<TestClock>(tx, 'test_helpers.test_clock', id)
    if (clock.status === 'advancing')
      throw invalid('Test clock advancement underway - cannot perform modifications.', undefined, undefined, 429)
    if (params.frozen_time <= clock.frozen_time)
      throw invalid("The frozen_time must be after the test clock's current frozen time.", 'frozen_time')
    clock.status = 'advancing'
    clock.status_details = { advancing: { target_frozen_time: params.frozen_time } }
    save(tx, clock)
    emit(tx, 'test_helpers.test_clock.advancing', clock)
    return clock
  },
  'DELETE /v1/test_helpers/test_clocks/{id}': (tx: Tx, _params: unknown, id: string) => {
    const clock = need<TestClock>(tx, 'test_helpers.test_clock', id)
    for (const customer of listOf<Customer>(tx, 'customer', { parent: id }))
      if (!customer._?.deleted) deleteCustomer(tx, customer.id)
    emit(tx, 'test_helpers.test_clock.deleted', clock)
    remove(tx, id)
    return { id, object: 'test_helpers.test_clock', deleted: true }
  },

  'GET /v1/balance': balanceOf,
  'GET /v1/balance_transactions': (tx: Tx, params: Stripe.BalanceTransactionListParams) =>
    page(tx, '/v1/balance_transactions', 'balance_transaction', params),
  'GET /v1/balance_transactions/{id}': (tx: Tx, _params: unknown, id: string) => need(tx, 'balance_transaction', id),
  'GET /v1/account': () => ({
    id: 'acct_sandbox',
    object: 'account',
    business_profile: null,
    business_type: null,
    charges_enabled: true,
    controller: { type: 'account' },
    country: 'US',
    created: 0,
    default_currency: 'usd',
    details_submitted: true,
    email: 'sandbox@example.com',
    external_accounts: {
      object: 'list',
      data: [],
      has_more: false,
      url: '/v1/accounts/acct_sandbox/external_accounts',
    },
    metadata: {},
    payouts_enabled: true,
    settings: null,
    tos_acceptance: {},
    type: 'standard',
  }),
}
