import type Stripe from 'stripe'
import { need } from '../objects/common.ts'
import { lineItemsOf } from '../objects/lineItems.ts'
import { createPaymentLink, updatePaymentLink } from '../objects/paymentLink.ts'
import { acceptQuote, cancelQuote, createQuote, finalizeQuote, updateQuote, upfrontItems } from '../objects/quote.ts'
import type { PaymentLink, Quote } from '../objects/types.ts'
import type { Tx } from '../store/transact.ts'
import type { Endpoints } from '../wire/endpoints.ts'
import { page, pageOf } from '../wire/list.ts'

/** What is offered for sale before anybody pays: payment links and quotes. */
export const offerRoutes: Endpoints = {
  'POST /v1/payment_links': createPaymentLink,
  'GET /v1/payment_links': (tx: Tx, params: Stripe.PaymentLinkListParams) =>
    page<PaymentLink>(
      tx,
      '/v1/payment_links',
      'payment_link',
      params,
      (link) => params.active === undefined || link.active === params.active,
    ),
  'GET /v1/payment_links/{id}': (tx: Tx, _params: unknown, id: string) => need<PaymentLink>(tx, 'payment_link', id),
  'POST /v1/payment_links/{id}': (tx: Tx, params: Stripe.PaymentLinkUpdateParams, id: string) =>
    updatePaymentLink(tx, id, params),
  'GET /v1/payment_links/{id}/line_items': (tx: Tx, params: Stripe.PaymentLinkListLineItemsParams, id: string) =>
    pageOf(
      tx,
      `/v1/payment_links/${id}/line_items`,
      lineItemsOf(tx, need<PaymentLink>(tx, 'payment_link', id).id),
      params,
    ),

  'POST /v1/quotes': createQuote,
  'GET /v1/quotes': (tx: Tx, params: Stripe.QuoteListParams) =>
    page<Quote>(
      tx,
      '/v1/quotes',
      'quote',
      params,
      (quote) =>
        (params.customer === undefined || quote.customer === params.customer) &&
        (params.status === undefined || quote.status === params.status) &&
        quote.test_clock === (params.test_clock ?? null),
    ),
  'GET /v1/quotes/{id}': (tx: Tx, _params: unknown, id: string) => need<Quote>(tx, 'quote', id),
  'POST /v1/quotes/{id}': (tx: Tx, params: Stripe.QuoteUpdateParams, id: string) => updateQuote(tx, id, params),
  'POST /v1/quotes/{id}/finalize': (tx: Tx, params: Stripe.QuoteFinalizeQuoteParams, id: string) =>
    finalizeQuote(tx, id, params),
  'POST /v1/quotes/{id}/accept': (tx: Tx, _params: unknown, id: string) => acceptQuote(tx, id),
  'POST /v1/quotes/{id}/cancel': (tx: Tx, _params: unknown, id: string) => cancelQuote(tx, id),
  'GET /v1/quotes/{id}/line_items': (tx: Tx, params: Stripe.QuoteListLineItemsParams, id: string) =>
    pageOf(tx, `/v1/quotes/${id}/line_items`, lineItemsOf(tx, need<Quote>(tx, 'quote', id).id), params),
  'GET /v1/quotes/{id}/computed_upfront_line_items': (
    tx: Tx,
    params: Stripe.QuoteListComputedUpfrontLineItemsParams,
    id: string,
  ) =>
    pageOf(tx, `/v1/quotes/${id}/computed_upfront_line_items`, upfrontItems(tx, need<Quote>(tx, 'quote', id)), params),
}
