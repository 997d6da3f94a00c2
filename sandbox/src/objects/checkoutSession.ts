import type Stripe from 'stripe'
import { emit } from '../events/emit.ts'
import { newId, randomText } from '../store/ids.ts'
import { load, save, type Tx } from '../store/transact.ts'
import { invalid } from '../wire/errors.ts'
import { mergeMetadata, need, textOrNull } from './common.ts'
import { findCode, usableCode, usableCoupon } from './discount.ts'
import { addLineItem, type LineItemParams, lineItemsOf, sumLineItems } from './lineItems.ts'
import { createSetup } from './paymentIntent.ts'
import type { CheckoutItem, CheckoutSession, Coupon, Customer, Price } from './types.ts'

/** Older versions named the methods here. */
type Older = { payment_method_types?: string[] }
type Params = Stripe.Checkout.SessionCreateParams & Older

export function createSession(tx: Tx, params: Params): CheckoutSession {
  const mode = (params.mode ?? 'payment') as CheckoutSession['mode']
  const uiMode = params.ui_mode ?? 'hosted_page'
  if (uiMode === 'hosted_page' && !params.success_url)
    throw invalid('Missing required param: success_url.', 'success_url', 'parameter_missing')
  const customer = params.customer ? need<Customer>(tx, 'customer', params.customer, 'customer') : null
  if (customer && params.customer_email)
    throw invalid('You may only specify one of these parameters: customer, customer_email.', 'customer')
  if (mode !== 'payment' && params.payment_intent_data)
    throw invalid(`You can not pass \`payment_intent_data\` in \`${mode}\` mode.`, 'payment_intent_data')
  if (mode !== 'subscription' && params.subscription_data)
    throw invalid(`You can not pass \`subscription_data\` in \`${mode}\` mode.`, 'subscription_data')
  if (params.discounts && params.allow_promotion_codes)
    throw invalid(
      'You may only specify one of these parameters: allow_promotion_codes, discounts.',
      'allow_promotion_codes',
    )
  const expires = params.expires_at ?? tx.now + 86_400
  if (expires < tx.now + 1800 || expires > tx.now + 86_400 + 60)
    throw invalid(
      'The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.',
      'expires_at',
    )
  if (mode !== 'setup' && !params.line_items?.length)
    throw invalid(`You must specify \`line_items\` in \`${mode}\` mode.`, 'line_items', 'parameter_missing')
  const id = newId('cs_test', 58)
  const hosted = uiMode === 'hosted_page'
  const session: CheckoutSession = {
    id,
    object: 'checkout.session',
    adaptive_pricing: { enabled: false },
    after_expiration: params.after_expiration?.recovery
      ? {
          recovery: {
            allow_promotion_codes: params.after_expiration.recovery.allow_promotion_codes ?? false,
            enabled: params.after_expiration.recovery.enabled,
            expires_at: null,
            url: null,
          },
        }
      : null,
    allow_promotion_codes: params.allow_promotion_codes ?? null,
    allowed_payment_method_types: params.allowed_payment_method_types ?? null,
    amount_subtotal: null,
    amount_total: null,
    automatic_tax: { enabled: params.automatic_tax?.enabled ?? false, liability: null, provider: null, status: null },
    billing_address_collection: params.billing_address_collection ?? null,
    cancel_url: textOrNull(params.cancel_url),
    client_reference_id: textOrNull(params.client_reference_id),
    client_secret: hosted ? null : `${id}_secret_${randomText(60)}`,
    collected_information: { business_name: null, individual_name: null, shipping_details: null },
    consent: null,
    consent_collection: params.consent_collection
      ? {
          payment_method_reuse_agreement: null,
          promotions: params.consent_collection.promotions ?? null,
          terms_of_service: params.consent_collection.terms_of_service ?? null,
        }
      : null,
    created: tx.now,
    currency: params.currency ?? null,
    currency_conversion: null,
    custom_fields: [],
    custom_text: {
      after_submit: params.custom_text?.after_submit || null,
      shipping_address: params.custom_text?.shipping_address || null,
      submit: params.custom_text?.submit || null,
      terms_of_service_acceptance: params.custom_text?.terms_of_service_acceptance || null,
    },
    customer: customer?.id ?? null,
    customer_account: null,
    customer_creation: customer ? null : mode === 'payment' ? (params.customer_creation ?? 'if_required') : 'always',
    customer_details:
      customer || params.customer_email ? detailsOf(customer?.email ?? params.customer_email ?? null, null) : null,
    customer_email: textOrNull(params.customer_email),
    discounts: null,
    expires_at: expires,
    integration_identifier: null,
    invoice: null,
    invoice_creation: mode === 'payment' ? noInvoice(params) : null,
    livemode: false,
    locale: params.locale ?? null,
    managed_payments: null,
    metadata: mergeMetadata({}, params.metadata),
    mode,
    origin_context: null,
    payment_intent: null,
    payment_link: null,
    payment_method_collection: mode === 'payment' ? 'if_required' : (params.payment_method_collection ?? 'always'),
    payment_method_configuration_details: null,
    payment_method_options: { card: { request_three_d_secure: 'automatic' } },
    payment_method_types: params.payment_method_types ?? params.allowed_payment_method_types ?? ['card'],
    payment_status: mode === 'setup' ? 'no_payment_required' : 'unpaid',
    permissions: null,
    phone_number_collection: { enabled: params.phone_number_collection?.enabled ?? false },
    recovered_from: null,
    saved_payment_method_options:
      mode === 'setup'
        ? null
        : { allow_redisplay_filters: ['always'], payment_method_remove: 'disabled', payment_method_save: null },
    setup_intent: null,
    shipping_address_collection: null,
    shipping_cost: null,
    shipping_options: [],
    status: 'open',
    submit_type: params.submit_type ?? null,
    subscription: null,
    success_url: textOrNull(params.success_url),
    total_details: null,
    ui_mode: uiMode,
    url: hosted ? `${tx.world.url}/c/pay/${id}` : null,
    wallet_options: null,
    ...(hosted ? {} : { return_url: params.return_url ?? null }),
    _: {
      subscriptionData: (params.subscription_data ?? {}) as Record<string, unknown>,
      paymentIntentData: (params.payment_intent_data ?? {}) as Record<string, unknown>,
      setupIntentData: (params.setup_intent_data ?? {}) as Record<string, unknown>,
      lastError: null,
    },
  }
  if (mode === 'setup')
    session.setup_intent = createSetup(tx, {
      customer: customer?.id ?? null,
      metadata: params.setup_intent_data?.metadata,
    }).id
  save(tx, session)
  for (const [index, line] of (params.line_items ?? []).entries()) addSessionItem(tx, session, line, index)
  if (params.discounts?.length) {
    const [wanted] = params.discounts
    const code = wanted!.promotion_code ? usableCode(tx, wanted!.promotion_code, customer?.id ?? null) : null
    const coupon = usableCoupon(tx, code?.promotion.coupon ?? wanted!.coupon, 'discounts[0][coupon]')
    session.discounts = [{ coupon: code ? null : coupon.id, promotion_code: code?.id ?? null }]
  }
  recomputeSession(tx, session)
  return save(tx, session)
}

export function sessionItems(tx: Tx, session: CheckoutSession): CheckoutItem[] {
  return lineItemsOf(tx, session.id)
}

/** Sums the lines as due today: a trial makes recurring ones free. */
export function recomputeSession(tx: Tx, session: CheckoutSession): void {
  const items = sessionItems(tx, session)
  if (session.mode === 'setup') return
  const { subtotal, discount } = sumLineItems(tx, items, {
    coupon: sessionCoupon(tx, session),
    freeRecurring: trialDays(tx, session) !== null,
  })
  session.currency = items[0] ? load<Price>(tx, items[0].price).currency : session.currency
  session.amount_subtotal = subtotal
  session.amount_total = subtotal - discount
  session.total_details = { amount_discount: discount, amount_shipping: 0, amount_tax: 0 }
  save(tx, session)
}

export function sessionCoupon(tx: Tx, session: CheckoutSession): Coupon | null {
  const wanted = session.discounts?.[0]
  if (!wanted) return null
  return load<Coupon>(tx, wanted.coupon ?? (load(tx, wanted.promotion_code!)._!.coupon as string))
}

/** Days of trial that the session grants, null when it bills at once. */
export function trialDays(tx: Tx, session: CheckoutSession): number | null {
  const data = session._.subscriptionData as { trial_period_days?: number; trial_end?: number }
  if (session.mode !== 'subscription') return null
  if (data.trial_period_days) return data.trial_period_days
  return data.trial_end ? Math.ceil((data.trial_end - tx.now) / 86_400) : null
}

/** Applies the code that a customer typed; null when there is none such. */
export function applyTypedCode(tx: Tx, session: CheckoutSession, typed: string): CheckoutSession | null {
  const code = findCode(tx, typed)
  if (!code) return null
  usableCode(tx, code.id, session.customer)
  usableCoupon(tx, code.promotion.coupon, 'promotion_code')
  session.discounts = [{ coupon: null, promotion_code: code.id }]
  recomputeSession(tx, session)
  return session
}

export function expireSession(tx: Tx, session: CheckoutSession): CheckoutSession {
  if (session.status !== 'open')
    throw invalid(
      `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of \`${session.status}\`.`,
      'session',
    )
  session.status = 'expired'
  session.url = null
  session.expires_at = Math.min(session.expires_at, tx.now)
  save(tx, session)
  emit(tx, 'checkout.session.expired', session)
  return session
}

export function detailsOf(email: string | null, name: string | null): Record<string, unknown> {
  return {
    address: null,
    business_name: null,
    email,
    individual_name: null,
    name,
    phone: null,
    tax_exempt: email === null || name === null ? null : 'none',
    tax_ids: null,
  }
}

function addSessionItem(
  tx: Tx,
  session: CheckoutSession,
  line: Stripe.Checkout.SessionCreateParams.LineItem,
  index: number,
): void {
  const item = addLineItem(tx, session.id, line as LineItemParams, index)
  if (session.mode === 'payment' && load<Price>(tx, item.price).recurring)
    throw invalid(
      'You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.',
      'mode',
    )
}

function noInvoice(params: Params): Record<string, unknown> {
  return {
    enabled: params.invoice_creation?.enabled ?? false,
    invoice_data: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: null,
      metadata: {},
      rendering_options: null,
    },
  }
}
