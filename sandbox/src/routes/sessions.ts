import type Stripe from 'stripe'
import { completeCheckout } from '../engine/checkout.ts'
import { createSession, expireSession, sessionItems } from '../objects/checkoutSession.ts'
import { mergeMetadata, need, within } from '../objects/common.ts'
import { cardRefused, createPaymentMethod, ownCopy } from '../objects/paymentMethod.ts'
import { createConfiguration, createPortalSession, updateConfiguration } from '../objects/portal.ts'
import { renderObject } from '../objects/render.ts'
import type { CheckoutSession, PortalConfiguration } from '../objects/types.ts'
import { load, save, type Tx } from '../store/transact.ts'
import type { Endpoints } from '../wire/endpoints.ts'
import { invalid } from '../wire/errors.ts'
import { page, pageOf } from '../wire/list.ts'

export const sessionRoutes: Endpoints = {
  'POST /v1/checkout/sessions': createSession,
  'GET /v1/checkout/sessions': (tx: Tx, params: Stripe.Checkout.SessionListParams) =>
    page<CheckoutSession>(
      tx,
      '/v1/checkout/sessions',
      'checkout.session',
      params,
      (session) =>
        (params.customer === undefined || session.customer === params.customer) &&
        (params.status === undefined || session.status === params.status) &&
        (params.subscription === undefined || session.subscription === params.subscription) &&
        (params.payment_intent === undefined || session.payment_intent === params.payment_intent) &&
        (params.customer_details?.email === undefined ||
          session.customer_details?.email === params.customer_details.email) &&
        within(session.created, params.created),
    ),
  'GET /v1/checkout/sessions/{id}': (tx: Tx, _params: unknown, id: string) =>
    need<CheckoutSession>(tx, 'checkout.session', id, 'session', 404),
  'POST /v1/checkout/sessions/{id}': (tx: Tx, params: Stripe.Checkout.SessionUpdateParams, id: string) => {
    const session = need<CheckoutSession>(tx, 'checkout.session', id, 'session', 404)
    session.metadata = mergeMetadata(session.metadata, params.metadata)
    return save(tx, session)
  },
  'POST /v1/checkout/sessions/{id}/expire': (tx: Tx, _params: unknown, id: string) =>
    expireSession(tx, need<CheckoutSession>(tx, 'checkout.session', id, 'session', 404)),
  'GET /v1/checkout/sessions/{id}/line_items': (
    tx: Tx,
    params: Stripe.Checkout.SessionListLineItemsParams,
    id: string,
  ) =>
    pageOf(
      tx,
      `/v1/checkout/sessions/${id}/line_items`,
      sessionItems(tx, need<CheckoutSession>(tx, 'checkout.session', id, 'session', 404)),
      params,
    ),

  // What Stripe's own payment page asks; the Stripe CLI completes sessions this way.
  'GET /v1/payment_pages/{id}': (tx: Tx, _params: unknown, id: string) =>
    paymentPage(tx, need<CheckoutSession>(tx, 'checkout.session', id, 'session', 404)),
  'POST /v1/payment_pages/{id}/confirm': (
    tx: Tx,
    params: { payment_method?: string; payment_method_data?: unknown; expected_amount?: string | number },
    id: string,
  ) => {
    const session = need<CheckoutSession>(tx, 'checkout.session', id, 'session', 404)
    if (session.status !== 'open') throw invalid(`This Checkout Session is ${session.status}.`, 'session')
    if (params.expected_amount !== undefined && Number(params.expected_amount) !== (session.amount_total ?? 0))
      throw invalid(
        'The amount that was shown is not the amount of this Checkout Session.',
        'expected_amount',
        'checkout_amount_mismatch',
      )
    const method = params.payment_method_data
      ? createPaymentMethod(tx, params.payment_method_data as Parameters<typeof createPaymentMethod>[1])
      : ownCopy(tx, params.payment_method ?? 'pm_card_visa')
    save(tx, method)
    const email = String(method.billing_details.email ?? session.customer_details?.email ?? 'stripe@example.com')
    const result = completeCheckout(tx, session, { email, name: method.billing_details.name, method: method.id })
    if (result.kind === 'declined') throw cardRefused('card_declined', result.code, result.message)
    return paymentPage(tx, load<CheckoutSession>(tx, id))
  },

  'POST /v1/billing_portal/sessions': createPortalSession,
  'POST /v1/billing_portal/configurations': createConfiguration,
  'GET /v1/billing_portal/configurations': (tx: Tx, params: Stripe.BillingPortal.ConfigurationListParams) =>
    page<PortalConfiguration>(
      tx,
      '/v1/billing_portal/configurations',
      'billing_portal.configuration',
      params,
      (configuration) =>
        (params.active === undefined || configuration.active === params.active) &&
        (params.is_default === undefined || configuration.is_default === params.is_default),
    ),
  'GET /v1/billing_portal/configurations/{id}': (tx: Tx, _params: unknown, id: string) =>
    need<PortalConfiguration>(tx, 'billing_portal.configuration', id),
  'POST /v1/billing_portal/configurations/{id}': (
    tx: Tx,
    params: Stripe.BillingPortal.ConfigurationUpdateParams,
    id: string,
  ) => updateConfiguration(tx, id, params),
}

function paymentPage(tx: Tx, session: CheckoutSession): Record<string, unknown> {
  const shown = renderObject(tx, session)
  return {
    ...shown,
    object: 'checkout.session',
    session_id: session.id,
    line_item_group: {
      total: session.amount_total,
      subtotal: session.amount_subtotal,
      line_items: sessionItems(tx, session).map((item) => renderObject(tx, item)),
    },
    total_summary: {
      due: session.amount_total ?? 0,
      subtotal: session.amount_subtotal ?? 0,
      total: session.amount_total ?? 0,
    },
    invoice: session.mode === 'subscription' ? { amount_due: session.amount_total, total: session.amount_total } : null,
    state: session.status === 'complete' ? 'succeeded' : 'active',
  }
}
