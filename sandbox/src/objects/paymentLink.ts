import type Stripe from 'stripe'
import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { newId, randomText } from '../store/ids.ts'
import { load, save, type Tx } from '../store/transact.ts'
import { invalid } from '../wire/errors.ts'
import { createSession } from './checkoutSession.ts'
import { assignSent, mergeMetadata, need } from './common.ts'
import { addLineItem, type LineItemParams, lineItemsOf } from './lineItems.ts'
import type { CheckoutSession, PaymentLink, Price } from './types.ts'

export function createPaymentLink(tx: Tx, params: Stripe.PaymentLinkCreateParams): PaymentLink {
  const id = newId('plink')
  const code = randomText(18)
  const items = (params.line_items ?? []).map((line, index) => addLineItem(tx, id, line as LineItemParams, index))
  if (items.length === 0) throw invalid('Missing required param: line_items.', 'line_items', 'parameter_missing')
  const recurring = items.some((item) => load<Price>(tx, item.price).recurring)
  const link: PaymentLink = {
    id,
    object: 'payment_link',
    active: true,
    after_completion: completionOf(params.after_completion),
    allow_promotion_codes: params.allow_promotion_codes ?? false,
    application: null,
    application_fee_amount: null,
    application_fee_percent: null,
    automatic_tax: { enabled: params.automatic_tax?.enabled ?? false, liability: null },
    billing_address_collection: params.billing_address_collection ?? 'auto',
    consent_collection: params.consent_collection
      ? {
          payment_method_reuse_agreement: params.consent_collection.payment_method_reuse_agreement ?? null,
          promotions: params.consent_collection.promotions ?? null,
          terms_of_service: params.consent_collection.terms_of_service ?? null,
        }
      : null,
    currency: items[0]!.currency as string,
    custom_fields: [],
    custom_text: {
      after_submit: params.custom_text?.after_submit || null,
      shipping_address: params.custom_text?.shipping_address || null,
      submit: params.custom_text?.submit || null,
      terms_of_service_acceptance: params.custom_text?.terms_of_service_acceptance || null,
    },
    customer_creation: params.customer_creation ?? (recurring ? 'always' : 'if_required'),
    inactive_message: params.inactive_message ?? null,
    invoice_creation: null,
    livemode: false,
    managed_payments: null,
    metadata: mergeMetadata({}, params.metadata),
    on_behalf_of: null,
    payment_intent_data: recurring ? null : paymentData(params.payment_intent_data),
    payment_method_collection: params.payment_method_collection ?? 'always',
    payment_method_options: null,
    payment_method_types: params.payment_method_types ?? null,
    phone_number_collection: { enabled: params.phone_number_collection?.enabled ?? false },
    restrictions: params.restrictions
      ? { completed_sessions: { count: 0, limit: params.restrictions.completed_sessions.limit } }
      : null,
    shipping_address_collection: null,
    shipping_options: [],
    submit_type: params.submit_type ?? 'auto',
    subscription_data: recurring ? subscriptionData(params.subscription_data) : null,
    tax_id_collection: { enabled: params.tax_id_collection?.enabled ?? false, required: 'never' },
    transfer_data: null,
    url: `${tx.world.url}/b/${code}`,
    _: { mode: recurring ? 'subscription' : 'payment', code },
  }
  save(tx, link)
  emit(tx, 'payment_link.created', link)
  return link
}

export function updatePaymentLink(tx: Tx, id: string, params: Stripe.PaymentLinkUpdateParams): PaymentLink {
  const link = need<PaymentLink>(tx, 'payment_link', id)
  const before = snapshot(tx, link)
  assignSent(link, params, [
    'active',
    'allow_promotion_codes',
    'billing_address_collection',
    'customer_creation',
    'inactive_message',
    'payment_method_collection',
    'payment_method_types',
    'submit_type',
  ])
  if (params.after_completion) link.after_completion = completionOf(params.after_completion)
  link.metadata = mergeMetadata(link.metadata, params.metadata)
  save(tx, link)
  emitUpdate(tx, 'payment_link.updated', link, before)
  return link
}

/** Everybody who follows a link gets a checkout session of their own. */
export function openPaymentLink(tx: Tx, link: PaymentLink): CheckoutSession {
  const { redirect } = link.after_completion
  const { subscription_data: subscription, payment_intent_data: payment } = link as Record<string, unknown>
  const session = createSession(tx, {
    mode: link._.mode,
    line_items: lineItemsOf(tx, link.id).map((item) => ({
      price: item.price,
      quantity: item.quantity,
      ...(item.adjustable_quantity
        ? { adjustable_quantity: item.adjustable_quantity as { enabled: boolean; maximum: number; minimum: number } }
        : {}),
    })),
    // A link without an address of its own ends on the payment page, which then says thank you.
    success_url: redirect?.url ?? link.url,
    allow_promotion_codes: link.allow_promotion_codes,
    metadata: link.metadata,
    ...(subscription ? { subscription_data: sent(subscription) } : {}),
    ...(payment ? { payment_intent_data: sent(payment) } : {}),
    ...(link.payment_method_types ? { payment_method_types: link.payment_method_types } : {}),
  })
  if (!redirect) session.success_url = null
  session.payment_link = link.id
  return save(tx, session)
}

function sent(data: unknown): Record<string, never> {
  return Object.fromEntries(Object.entries(data as Record<string, never>).filter(([, value]) => value !== null))
}

function completionOf(
  given: Stripe.PaymentLinkCreateParams.AfterCompletion | undefined,
): PaymentLink['after_completion'] {
  if (given?.type === 'redirect') return { redirect: { url: given.redirect?.url ?? '' }, type: 'redirect' }
  return {
    hosted_confirmation: { custom_message: given?.hosted_confirmation?.custom_message ?? null },
    type: 'hosted_confirmation',
  }
}

function paymentData(given: Stripe.PaymentLinkCreateParams['payment_intent_data']): Record<string, unknown> | null {
  if (!given) return null
  return {
    capture_method: given.capture_method ?? null,
    description: given.description ?? null,
    metadata: given.metadata ?? {},
    setup_future_usage: given.setup_future_usage ?? null,
    statement_descriptor: given.statement_descriptor ?? null,
    statement_descriptor_suffix: given.statement_descriptor_suffix ?? null,
    transfer_group: given.transfer_group ?? null,
  }
}

function subscriptionData(given: Stripe.PaymentLinkCreateParams['subscription_data']): Record<string, unknown> {
  return {
    description: given?.description ?? null,
    invoice_settings: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: { type: 'self' },
    },
    metadata: given?.metadata ?? {},
    trial_period_days: given?.trial_period_days ?? null,
    trial_settings: given?.trial_settings ?? null,
  }
}
