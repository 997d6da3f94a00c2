import type Stripe from 'stripe'
import { settleIntent } from '../engine/collect.ts'
import { cancelIntent, captureIntent, confirmIntent, confirmSetup, declinedError } from '../engine/payment.ts'
import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { assignSent, mergeMetadata, need, within } from '../objects/common.ts'
import { closeDispute, updateDispute } from '../objects/dispute.ts'
import { createIntent, createSetup } from '../objects/paymentIntent.ts'
import { attachPaymentMethod, createPaymentMethod, ownCopy } from '../objects/paymentMethod.ts'
import { createRefund, updateRefund } from '../objects/refund.ts'
import type { Charge, Customer, PaymentIntent, PaymentMethod, Refund, SetupIntent, Stored } from '../objects/types.ts'
import { newId } from '../store/ids.ts'
import { load, save, type Tx } from '../store/transact.ts'
import type { Endpoints } from '../wire/endpoints.ts'
import { invalid } from '../wire/errors.ts'
import { page } from '../wire/list.ts'
import { search } from '../wire/search.ts'

type MethodParams = {
  payment_method?: string
  payment_method_data?: unknown
  return_url?: string
  off_session?: boolean | string
  payment_method_types?: string[]
}

export const paymentRoutes: Endpoints = {
  'POST /v1/payment_intents': (tx: Tx, params: Stripe.PaymentIntentCreateParams & MethodParams) => {
    if (params.amount < 1)
      throw invalid('This value must be greater than or equal to 1.', 'amount', 'parameter_invalid_integer')
    const customer = params.customer ? need<Customer>(tx, 'customer', params.customer, 'customer') : null
    const method = methodOf(
      tx,
      params,
      params.confirm ? (customer?.invoice_settings.default_payment_method ?? null) : null,
    )
    const intent = createIntent(tx, {
      ...params,
      customer: customer?.id ?? null,
      description: params.description ?? null,
      capture_method: params.capture_method,
      confirmation_method: params.confirmation_method,
      setup_future_usage: params.setup_future_usage ?? null,
      payment_method: method?.id ?? null,
      receipt_email: params.receipt_email ?? null,
      shipping: params.shipping ?? null,
      returnUrl: params.return_url ?? null,
      automatic: params.automatic_payment_methods?.enabled ?? false,
    })
    return params.confirm ? confirm(tx, intent, params) : intent
  },
  'GET /v1/payment_intents': (tx: Tx, params: Stripe.PaymentIntentListParams) =>
    page<PaymentIntent>(
      tx,
      '/v1/payment_intents',
      'payment_intent',
      params,
      (intent) =>
        (params.customer === undefined || intent.customer === params.customer) &&
        within(intent.created, params.created),
    ),
  'GET /v1/payment_intents/search': (tx: Tx, params: Stripe.PaymentIntentSearchParams) =>
    search<PaymentIntent>(tx, '/v1/payment_intents/search', 'payment_intent', params),
  'GET /v1/payment_intents/{id}': (tx: Tx, _params: unknown, id: string) =>
    need<PaymentIntent>(tx, 'payment_intent', id),
  'POST /v1/payment_intents/{id}': (tx: Tx, params: Stripe.PaymentIntentUpdateParams & MethodParams, id: string) => {
    const intent = need<PaymentIntent>(tx, 'payment_intent', id)
    const method = methodOf(tx, params, null)
    if (method) {
      intent.payment_method = method.id
      if (intent.status === 'requires_payment_method') intent.status = 'requires_confirmation'
    }
    assignSent(intent, params, [
      'amount',
      'currency',
      'customer',
      'description',
      'receipt_email',
      'setup_future_usage',
      'shipping',
    ])
    intent.metadata = mergeMetadata(intent.metadata, params.metadata)
    return save(tx, intent)
  },
  'POST /v1/payment_intents/{id}/confirm': (tx: Tx, params: MethodParams, id: string) =>
    confirm(tx, need<PaymentIntent>(tx, 'payment_intent', id, 'intent', 404), params),
  'POST /v1/payment_intents/{id}/cancel': (tx: Tx, params: Stripe.PaymentIntentCancelParams, id: string) => {
    const intent = need<PaymentIntent>(tx, 'payment_intent', id, 'intent', 404)
    if (intent.status === 'succeeded' || intent.status === 'canceled')
      throw invalid(
        `You cannot cancel this PaymentIntent because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, requires_confirmation, requires_action, processing.`,
        undefined,
        'payment_intent_unexpected_state',
      )
    return cancelIntent(tx, intent, params.cancellation_reason ?? null)
  },
  'POST /v1/payment_intents/{id}/capture': (tx: Tx, params: Stripe.PaymentIntentCaptureParams, id: string) => {
    const intent = need<PaymentIntent>(tx, 'payment_intent', id, 'intent', 404)
    if (intent.status !== 'requires_capture')
      throw invalid(
        `This PaymentIntent could not be captured because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be captured: requires_capture.`,
        undefined,
        'payment_intent_unexpected_state',
      )
    return captureIntent(tx, intent, params.amount_to_capture ?? intent.amount)
  },

  'POST /v1/setup_intents': (tx: Tx, params: Stripe.SetupIntentCreateParams & MethodParams) => {
    const customer = params.customer ? need<Customer>(tx, 'customer', params.customer, 'customer') : null
    const method = methodOf(tx, params, null)
    const intent = createSetup(tx, {
      customer: customer?.id ?? null,
      payment_method: method?.id ?? null,
      usage: params.usage,
      description: params.description ?? null,
      metadata: params.metadata,
      returnUrl: params.return_url ?? null,
      automatic: params.automatic_payment_methods?.enabled ?? false,
    })
    return params.confirm ? confirmSetupIntent(tx, intent, params) : intent
  },
  'GET /v1/setup_intents': (tx: Tx, params: Stripe.SetupIntentListParams) =>
    page<SetupIntent>(
      tx,
      '/v1/setup_intents',
      'setup_intent',
      params,
      (intent) =>
        (params.customer === undefined || intent.customer === params.customer) &&
        within(intent.created, params.created),
    ),
  'GET /v1/setup_intents/{id}': (tx: Tx, _params: unknown, id: string) => need<SetupIntent>(tx, 'setup_intent', id),
  'POST /v1/setup_intents/{id}': (tx: Tx, params: Stripe.SetupIntentUpdateParams & MethodParams, id: string) => {
    const intent = need<SetupIntent>(tx, 'setup_intent', id)
    assignSent(intent, params, ['customer', 'description'])
    const method = methodOf(tx, params, null)
    if (method) Object.assign(intent, { payment_method: method.id, status: 'requires_confirmation' })
    intent.metadata = mergeMetadata(intent.metadata, params.metadata)
    return save(tx, intent)
  },
  'POST /v1/setup_intents/{id}/confirm': (tx: Tx, params: MethodParams, id: string) =>
    confirmSetupIntent(tx, need<SetupIntent>(tx, 'setup_intent', id, 'intent', 404), params),
  'POST /v1/setup_intents/{id}/cancel': (tx: Tx, params: Stripe.SetupIntentCancelParams, id: string) => {
    const intent = need<SetupIntent>(tx, 'setup_intent', id, 'intent', 404)
    intent.status = 'canceled'
    intent.cancellation_reason = params.cancellation_reason ?? null
    intent.next_action = null
    save(tx, intent)
    emit(tx, 'setup_intent.canceled', intent)
    return intent
  },

  'POST /v1/charges': (tx: Tx, params: Stripe.ChargeCreateParams) => {
    // The way before payment intents; the Stripe CLI's scripts still use it.
    const customer = params.customer ? need<Customer>(tx, 'customer', params.customer, 'customer') : null
    const method = params.source
      ? ownCopy(tx, params.source, 'source')
      : methodOf(tx, {}, customer?.invoice_settings.default_payment_method ?? null)
    if (!method) throw invalid('Must provide source or customer.', 'source', 'parameter_missing')
    const mark = tx.events.length
    const intent = createIntent(tx, {
      amount: params.amount!,
      currency: params.currency ?? 'usd',
      customer: customer?.id ?? null,
      description: params.description ?? null,
      metadata: params.metadata,
      capture_method: params.capture === false ? 'manual' : 'automatic',
      receipt_email: params.receipt_email ?? null,
      shipping: params.shipping ?? null,
    })
    const outcome = confirmIntent(tx, intent, { method, offSession: true })
    tx.events.push(...tx.events.splice(mark).filter((event) => event.type.startsWith('charge')))
    if (outcome.kind === 'declined') throw declinedError(tx, outcome, intent)
    const charge = load<Charge>(tx, intent.latest_charge!)
    return save(tx, { ...charge, payment_intent: null })
  },
  'GET /v1/charges': (tx: Tx, params: Stripe.ChargeListParams) =>
    page<Charge>(
      tx,
      '/v1/charges',
      'charge',
      params,
      (charge) =>
        (params.customer === undefined || charge.customer === params.customer) &&
        (params.payment_intent === undefined || charge.payment_intent === params.payment_intent) &&
        within(charge.created as number, params.created),
    ),
  'GET /v1/charges/{id}': (tx: Tx, _params: unknown, id: string) => need<Charge>(tx, 'charge', id),
  'POST /v1/charges/{id}': (tx: Tx, params: Stripe.ChargeUpdateParams, id: string) => {
    const charge = need<Charge>(tx, 'charge', id)
    const before = snapshot(tx, charge)
    assignSent(charge, params, ['description', 'receipt_email', 'shipping', 'transfer_group'])
    charge.metadata = mergeMetadata(charge.metadata ?? {}, params.metadata)
    save(tx, charge)
    emitUpdate(tx, 'charge.updated', charge, before)
    return charge
  },
  'POST /v1/charges/{id}/capture': (tx: Tx, params: { amount?: number }, id: string) => {
    const charge = need<Charge>(tx, 'charge', id)
    if (charge.captured) throw invalid(`Charge ${id} has already been captured.`, undefined, 'charge_already_captured')
    const before = snapshot(tx, charge)
    charge.captured = true
    charge.amount_captured = params.amount ?? charge.amount
    save(tx, charge)
    emitUpdate(tx, 'charge.captured', charge, before)
    return charge
  },

  'POST /v1/refunds': createRefund,
  'POST /v1/charges/{id}/refunds': (tx: Tx, params: Stripe.RefundCreateParams, id: string) =>
    createRefund(tx, { ...params, charge: id }),
  'GET /v1/refunds': (tx: Tx, params: Stripe.RefundListParams) =>
    page<Refund>(
      tx,
      '/v1/refunds',
      'refund',
      params,
      (refund) =>
        (params.charge === undefined || refund.charge === params.charge) &&
        (params.payment_intent === undefined || refund.payment_intent === params.payment_intent) &&
        within(refund.created as number, params.created),
    ),
  // Only a refund that waits for the customer can be taken back, and no method of the sandbox makes one wait.
  'POST /v1/refunds/{id}/cancel': (tx: Tx, _params: unknown, id: string) => {
    const { status } = need<Refund>(tx, 'refund', id)
    throw invalid(`Refund cannot be canceled because it has a status of ${status}.`)
  },
  'GET /v1/refunds/{id}': (tx: Tx, _params: unknown, id: string) => need<Refund>(tx, 'refund', id),
  'POST /v1/refunds/{id}': (tx: Tx, params: Stripe.RefundUpdateParams, id: string) => updateRefund(tx, id, params),

  'GET /v1/disputes': (tx: Tx, params: { charge?: string; payment_intent?: string; limit?: string }) =>
    page<Stored>(
      tx,
      '/v1/disputes',
      'dispute',
      params.limit === undefined ? {} : { limit: Number(params.limit) },
      (dispute) =>
        (params.charge === undefined || dispute.charge === params.charge) &&
        (params.payment_intent === undefined || dispute.payment_intent === params.payment_intent),
    ),
  'GET /v1/disputes/{id}': (tx: Tx, _params: unknown, id: string) => need<Stored>(tx, 'dispute', id),
  'POST /v1/disputes/{id}': (tx: Tx, params: Parameters<typeof updateDispute>[2], id: string) =>
    updateDispute(tx, id, params),
  'POST /v1/disputes/{id}/close': (tx: Tx, _params: unknown, id: string) => closeDispute(tx, id),

  'POST /v1/tokens': (tx: Tx, params: { card?: { number?: string } }) => {
    const method = createPaymentMethod(tx, { type: 'card', card: params.card ?? { token: 'tok_visa' } })
    return save(tx, {
      id: newId('tok'),
      object: 'token',
      created: tx.now,
      livemode: false,
      type: 'card',
      used: false,
      client_ip: null,
      payment_method: method.id,
      card: { id: newId('card'), object: 'card', ...method.card },
    })
  },
}

function confirm(tx: Tx, intent: PaymentIntent, params: MethodParams): PaymentIntent {
  if (['succeeded', 'canceled', 'requires_capture', 'processing'].includes(intent.status))
    throw invalid(
      `You cannot confirm this PaymentIntent because it has already ${intent.status === 'canceled' ? 'been canceled' : 'succeeded after being previously confirmed'}.`,
      undefined,
      'payment_intent_unexpected_state',
    )
  const method = methodOf(tx, params, intent.payment_method)
  if (!method)
    throw invalid(
      "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.",
      undefined,
      'payment_intent_unexpected_state',
    )
  if (intent.customer && intent.setup_future_usage && method.customer === null && method._.behavior.kind !== 'declines')
    attachPaymentMethod(tx, method.id, intent.customer)
  const fresh = load<PaymentMethod>(tx, method.id)
  const offSession = params.off_session === true || params.off_session === 'true'
  const outcome = confirmIntent(tx, intent, {
    method: fresh,
    offSession,
    returnUrl: params.return_url ?? intent._.returnUrl,
  })
  settleIntent(tx, intent, outcome)
  if (outcome.kind === 'declined') throw declinedError(tx, outcome, intent)
  if (outcome.kind === 'requires_action' && offSession)
    throw declinedError(
      tx,
      {
        kind: 'declined',
        code: 'authentication_required',
        declineCode: 'authentication_required',
        message: 'Your card was declined. This transaction requires authentication.',
        charge: null,
      },
      intent,
    )
  return load<PaymentIntent>(tx, intent.id)
}

function confirmSetupIntent(tx: Tx, intent: SetupIntent, params: MethodParams): SetupIntent {
  if (intent.status === 'succeeded' || intent.status === 'canceled')
    throw invalid(
      `You cannot confirm this SetupIntent because it has already ${intent.status}.`,
      undefined,
      'setup_intent_unexpected_state',
    )
  const method = methodOf(tx, params, intent.payment_method)
  if (!method)
    throw invalid(
      "You cannot confirm this SetupIntent because it's missing a payment method.",
      undefined,
      'setup_intent_unexpected_state',
    )
  const outcome = confirmSetup(tx, intent, { method, offSession: false, returnUrl: params.return_url ?? null })
  if (outcome.kind === 'declined') throw declinedError(tx, outcome, intent)
  return intent
}

function methodOf(tx: Tx, params: MethodParams, fallback: string | null): PaymentMethod | null {
  if (params.payment_method_data)
    return createPaymentMethod(tx, params.payment_method_data as Parameters<typeof createPaymentMethod>[1])
  const id = params.payment_method ?? fallback
  return id ? ownCopy(tx, id, 'payment_method') : null
}
