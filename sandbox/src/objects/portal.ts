import type Stripe from 'stripe'
import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { newId, randomText } from '../store/ids.ts'
import { listOf, save, type Tx } from '../store/transact.ts'
import { invalid } from '../wire/errors.ts'
import { mergeMetadata, need, textOrNull } from './common.ts'
import { itemsOf } from './render.ts'
import type { Customer, PortalConfiguration, PortalFlowData, PortalSession, Subscription } from './types.ts'

type Features = Stripe.BillingPortal.ConfigurationCreateParams.Features

export function createConfiguration(
  tx: Tx,
  params: Stripe.BillingPortal.ConfigurationCreateParams,
): PortalConfiguration {
  const first = listOf<PortalConfiguration>(tx, 'billing_portal.configuration').length === 0
  const profile = params.business_profile
  const configuration: PortalConfiguration = {
    id: newId('bpc'),
    object: 'billing_portal.configuration',
    active: true,
    application: null,
    business_profile: {
      headline: textOrNull(profile?.headline),
      privacy_policy_url: textOrNull(profile?.privacy_policy_url),
      terms_of_service_url: textOrNull(profile?.terms_of_service_url),
    },
    created: tx.now,
    default_return_url: textOrNull(params.default_return_url),
    features: featuresOf(params.features, blankFeatures()),
    is_default: first,
    livemode: false,
    login_page: { enabled: params.login_page?.enabled ?? false, url: null },
    metadata: mergeMetadata({}, params.metadata),
    name: textOrNull(params.name),
    updated: tx.now,
  }
  save(tx, configuration)
  emit(tx, 'billing_portal.configuration.created', configuration)
  return configuration
}

export function updateConfiguration(
  tx: Tx,
  id: string,
  params: Stripe.BillingPortal.ConfigurationUpdateParams,
): PortalConfiguration {
  const configuration = need<PortalConfiguration>(tx, 'billing_portal.configuration', id)
  const before = snapshot(tx, configuration)
  if (params.active !== undefined) configuration.active = params.active
  if (params.default_return_url !== undefined) configuration.default_return_url = textOrNull(params.default_return_url)
  if (params.name !== undefined) configuration.name = textOrNull(params.name)
  const profile = params.business_profile
  if (profile) {
    if (profile.headline !== undefined) configuration.business_profile.headline = textOrNull(profile.headline)
    if (profile.privacy_policy_url !== undefined)
      configuration.business_profile.privacy_policy_url = textOrNull(profile.privacy_policy_url)
    if (profile.terms_of_service_url !== undefined)
      configuration.business_profile.terms_of_service_url = textOrNull(profile.terms_of_service_url)
  }
  if (params.features) configuration.features = featuresOf(params.features as Features, configuration.features)
  configuration.metadata = mergeMetadata(configuration.metadata ?? {}, params.metadata)
  configuration.updated = tx.now
  save(tx, configuration)
  emitUpdate(tx, 'billing_portal.configuration.updated', configuration, before)
  return configuration
}

export function createPortalSession(tx: Tx, params: Stripe.BillingPortal.SessionCreateParams): PortalSession {
  const customer = need<Customer>(tx, 'customer', params.customer, 'customer')
  const configuration = params.configuration
    ? need<PortalConfiguration>(tx, 'billing_portal.configuration', params.configuration, 'configuration')
    : defaultConfiguration(tx)
  const token = `test_${randomText(40)}`
  const session: PortalSession = {
    id: newId('bps'),
    object: 'billing_portal.session',
    configuration: configuration.id,
    created: tx.now,
    customer: customer.id,
    customer_account: null,
    flow: params.flow_data ? flowOf(tx, params.flow_data, customer) : null,
    livemode: false,
    locale: params.locale ?? null,
    on_behalf_of: null,
    return_url: textOrNull(params.return_url) ?? configuration.default_return_url,
    url: `${tx.world.url}/p/session/${token}`,
    _: { token },
  }
  save(tx, session)
  save(tx, { id: token, object: 'token.portal', session: session.id })
  emit(tx, 'billing_portal.session.created', session)
  return session
}

// The sandbox has a default configuration from the start, as an account has once its owner saved the settings.
function defaultConfiguration(tx: Tx): PortalConfiguration {
  const all = listOf<PortalConfiguration>(tx, 'billing_portal.configuration')
  return (
    all.find((each) => each.is_default && each.active) ??
    createConfiguration(tx, {
      features: {
        customer_update: { allowed_updates: ['email', 'name'], enabled: true },
        invoice_history: { enabled: true },
        payment_method_update: { enabled: true },
        subscription_cancel: { enabled: true, mode: 'at_period_end' },
      },
    })
  )
}

function flowOf(tx: Tx, data: Stripe.BillingPortal.SessionCreateParams.FlowData, customer: Customer): PortalFlowData {
  const target = data.subscription_cancel ?? data.subscription_update ?? data.subscription_update_confirm
  if (/^subscription_(cancel|update|update_confirm)$/.test(data.type)) {
    if (!target)
      throw invalid(`Missing required param: flow_data[${data.type}].`, `flow_data[${data.type}]`, 'parameter_missing')
    const subscription = need<Subscription>(
      tx,
      'subscription',
      target.subscription,
      `flow_data[${data.type}][subscription]`,
    )
    if (subscription.customer !== customer.id)
      throw invalid(
        'The subscription does not belong to the customer of this session.',
        `flow_data[${data.type}][subscription]`,
      )
    const known = itemsOf(tx, subscription.id).map((item) => item.id)
    for (const [index, item] of (data.subscription_update_confirm?.items ?? []).entries())
      if (!known.includes(item.id))
        throw invalid(
          `No such subscription item: '${item.id}'`,
          `flow_data[subscription_update_confirm][items][${index}][id]`,
          'resource_missing',
        )
  }
  const after = data.after_completion
  return {
    after_completion: {
      hosted_confirmation:
        after?.type === 'hosted_confirmation'
          ? { custom_message: after.hosted_confirmation?.custom_message ?? null }
          : null,
      redirect: after?.type === 'redirect' && after.redirect ? { return_url: after.redirect.return_url } : null,
      type: (after?.type ?? 'portal_homepage') as 'redirect',
    },
    customer_update: null,
    subscription_cancel: data.subscription_cancel
      ? { retention: null, subscription: data.subscription_cancel.subscription }
      : null,
    subscription_pause: null,
    subscription_update: data.subscription_update ? { subscription: data.subscription_update.subscription } : null,
    subscription_update_confirm: data.subscription_update_confirm
      ? {
          discounts: null,
          items: data.subscription_update_confirm.items.map(({ id, price, quantity }) => ({
            id,
            price: price ?? null,
            ...(quantity === undefined ? {} : { quantity }),
          })),
          subscription: data.subscription_update_confirm.subscription,
        }
      : null,
    type: data.type,
  }
}

function blankFeatures(): PortalConfiguration['features'] {
  return {
    customer_update: { allowed_updates: [], enabled: false },
    invoice_history: { enabled: false },
    payment_method_update: { enabled: false, payment_method_configuration: null },
    subscription_cancel: {
      cancellation_reason: {
        enabled: false,
        feedback_options: null,
        options: [
          'too_expensive',
          'missing_features',
          'switched_service',
          'unused',
          'customer_service',
          'too_complex',
          'low_quality',
          'other',
        ],
      },
      enabled: false,
      mode: 'at_period_end',
      proration_behavior: 'none',
    },
    subscription_pause: { duration: { interval_options: [], type: 'indefinite' }, enabled: false },
    subscription_update: {
      billing_cycle_anchor: null,
      default_allowed_updates: [],
      enabled: false,
      products: [],
      proration_behavior: 'none',
      schedule_at_period_end: { conditions: [] },
      trial_update_behavior: 'end_trial',
    },
  }
}

function featuresOf(
  given: Features | undefined,
  current: PortalConfiguration['features'],
): PortalConfiguration['features'] {
  const features = structuredClone(current)
  if (!given) return features
  const { customer_update: update, subscription_cancel: cancel, subscription_update: change } = given
  if (update) {
    features.customer_update.enabled = update.enabled
    if (update.allowed_updates !== undefined) features.customer_update.allowed_updates = update.allowed_updates || []
  }
  if (given.invoice_history) features.invoice_history.enabled = given.invoice_history.enabled
  if (given.payment_method_update) features.payment_method_update.enabled = given.payment_method_update.enabled
  if (cancel) {
    features.subscription_cancel.enabled = cancel.enabled
    if (cancel.mode) features.subscription_cancel.mode = cancel.mode as 'immediately'
    if (cancel.proration_behavior) features.subscription_cancel.proration_behavior = cancel.proration_behavior
    if (cancel.cancellation_reason) {
      features.subscription_cancel.cancellation_reason.enabled = cancel.cancellation_reason.enabled
      if (cancel.cancellation_reason.options)
        features.subscription_cancel.cancellation_reason.options = cancel.cancellation_reason.options
    }
  }
  if (change) {
    const target = features.subscription_update
    target.enabled = change.enabled
    if (change.default_allowed_updates !== undefined)
      target.default_allowed_updates = change.default_allowed_updates || []
    if (change.proration_behavior) target.proration_behavior = change.proration_behavior as 'none'
    if (change.billing_cycle_anchor !== undefined) target.billing_cycle_anchor = change.billing_cycle_anchor
    if (change.trial_update_behavior) target.trial_update_behavior = change.trial_update_behavior
    if (change.products !== undefined)
      target.products = (change.products || []).map((each) => ({
        adjustable_quantity: {
          enabled: each.adjustable_quantity?.enabled ?? false,
          maximum: each.adjustable_quantity?.maximum ?? null,
          minimum: each.adjustable_quantity?.minimum ?? 1,
        },
        prices: each.prices,
        product: each.product,
      }))
    if (change.schedule_at_period_end?.conditions !== undefined)
      target.schedule_at_period_end = { conditions: change.schedule_at_period_end.conditions || [] }
  }
  return features
}
