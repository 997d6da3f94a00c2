import type Stripe from 'stripe'
import { canonicalJson, sha256 } from '../../core/canonical.ts'
import { fail } from '../../core/errors.ts'
import type { InvoiceFact, PaymentProvider, PortalOffer, SubscriptionFact } from '../../modules/payments/index.ts'
import type { Log } from '../../platform/log.ts'
import { createStripeOrders } from './change.ts'
import type { Circuit } from './circuit.ts'
import { asking, createStripe, createStripeCircuit, orMissing, refusalOf } from './client.ts'
import { createStripeListing } from './list.ts'
import { createStripeMoneyBack } from './money-back.ts'
import { createStripePlacing } from './placing.ts'
import { createInvoiceReader } from './read-invoice.ts'
import { list } from './shape.ts'
import { checkoutFact, scheduledChange, subscriptionFact } from './translate.ts'
import { verifyWebhook } from './verify.ts'

export { createStripe, createStripeCircuit }

/** Remembers small things between restarts, such as the id of the portal configuration. */
export type ProviderMemory = {
  read(setting: string): Promise<string | null>
  write(setting: string, value: string): Promise<void>
}

/**
 * Stripe as a payment provider (PAY-3). Assumes nothing but Stripe's published protocol, so it works against Stripe, our
 * sandbox and other emulators. Prices are found by lookup key and remembered: a lookup key names one price for good.
 */
export const createStripeProvider = (
  stripe: Stripe,
  settings: {
    webhookSecrets: readonly string[]
    memory: ProviderMemory
    log: Log
    circuit: Circuit
    livemode: boolean
    /** How many requests a second comparing may make. */
    listingPerSecond?: number
  },
): PaymentProvider => {
  const { log, memory } = settings
  const readInvoice = createInvoiceReader(stripe)
  const known = new Map<string, { priceId: string; productId: string }>()

  const findPrices = async (
    lookupKeys: readonly string[],
  ): Promise<Map<string, { priceId: string; productId: string }>> => {
    const missing = [...new Set(lookupKeys)].filter((key) => !known.has(key))
    for (let from = 0; from < missing.length; from += 10) {
      const page = await asking(log, 'prices.list', () =>
        stripe.prices.list({ lookup_keys: missing.slice(from, from + 10), active: true, limit: 100 }),
      )
      for (const price of page.data)
        if (price.lookup_key)
          known.set(price.lookup_key, {
            priceId: price.id,
            productId: typeof price.product === 'string' ? price.product : price.product.id,
          })
    }
    return known
  }

  const priceOf = async (lookupKey: string): Promise<{ priceId: string; productId: string }> => {
    const found = (await findPrices([lookupKey])).get(lookupKey)
    if (found) return found
    log.error({ lookupKey }, 'the provider has no price with this lookup key: push the catalog')
    throw fail('provider_unavailable')
  }

  /** One portal configuration per offer: Stripe only offers plan changes that a configuration lists. */
  const portalConfiguration = async (offer: PortalOffer): Promise<string> => {
    const setting = `portal-${sha256(canonicalJson(offer)).toString('hex').slice(0, 16)}`
    const remembered = await memory.read(setting)
    if (remembered) return remembered
    const found = await findPrices(offer.lookupKeys)
    const byProduct = new Map<string, string[]>()
    for (const lookupKey of offer.lookupKeys) {
      const price = found.get(lookupKey)
      if (price) byProduct.set(price.productId, [...(byProduct.get(price.productId) ?? []), price.priceId])
    }
    const update: Stripe.BillingPortal.ConfigurationCreateParams.Features.SubscriptionUpdate = {
      enabled: true,
      default_allowed_updates: ['price'],
      proration_behavior: offer.proration,
      products: [...byProduct].map(([product, prices]) => ({ product, prices })),
      ...(offer.downgradeAt === 'period_end'
        ? {
            schedule_at_period_end: {
              conditions: [{ type: 'decreasing_item_amount' }, { type: 'shortening_interval' }],
            },
          }
        : {}),
    }
    const configuration = await asking(log, 'billing_portal.configurations.create', () =>
      stripe.billingPortal.configurations.create(
        {
          business_profile: { headline: 'Billing' },
          features: {
            customer_update: { enabled: true, allowed_updates: ['email', 'address'] },
            invoice_history: { enabled: true },
            payment_method_update: { enabled: true },
            subscription_cancel: {
              enabled: true,
              mode: offer.cancelAt === 'period_end' ? 'at_period_end' : 'immediately',
            },
            ...(byProduct.size > 0 ? { subscription_update: update } : {}),
          },
        },
        { idempotencyKey: `turnpike-${setting}` },
      ),
    )
    await memory.write(setting, configuration.id)
    return configuration.id
  }

  const openPortal = async (checkoutId: string, parameters: Stripe.BillingPortal.SessionCreateParams) => {
    const session = await asking(log, 'billing_portal.sessions.create', () =>
      stripe.billingPortal.sessions.create(parameters, { idempotencyKey: `${checkoutId}-portal` }),
    )
    return { providerSessionId: session.id, url: session.url, expiresAt: null }
  }

  return {
    name: 'stripe',
    availability: settings.circuit.availability,
    listing: createStripeListing(stripe, {
      log,
      requestsPerSecond: settings.listingPerSecond ?? 10,
      readSubscription,
      readInvoice,
    }),

    placing: createStripePlacing(stripe, log),

    createCustomer: async (customer) => {
      const created = await asking(log, 'customers.create', () =>
        stripe.customers.create(
          {
            name: customer.name,
            ...(customer.email ? { email: customer.email } : {}),
            metadata: { turnpike_tenant: customer.tenantId, turnpike_customer: customer.customerId },
          },
          // Another one after each that was deleted there: the same key would answer the deleted one.
          {
            idempotencyKey: `turnpike-${customer.customerId}${customer.earlier ? `-${customer.earlier}` : ''}`,
          },
        ),
      )
      return { providerCustomerId: created.id }
    },

    updateCustomer: async ({ providerCustomerId, email, changeId }) => {
      await asking(log, 'customers.update', () =>
        stripe.customers.update(providerCustomerId, { email: email ?? '' }, { idempotencyKey: `turnpike-${changeId}` }),
      )
    },

    openCheckout: async (request) => {
      const lines: { price: string; quantity: number }[] = []
      for (const line of request.lines)
        lines.push({ price: (await priceOf(line.lookupKey)).priceId, quantity: line.quantity })
      const metadata = { turnpike_checkout: request.checkoutId, turnpike_tenant: request.tenantId }
      const session = await asking(log, 'checkout.sessions.create', () =>
        stripe.checkout.sessions.create(
          {
            mode: request.mode,
            customer: request.providerCustomerId,
            client_reference_id: request.checkoutId,
            line_items: lines,
            success_url: request.successUrl,
            cancel_url: request.cancelUrl,
            metadata,
            ...(request.couponId === null ? {} : { discounts: [{ coupon: request.couponId }] }),
            ...(request.mode === 'subscription'
              ? {
                  subscription_data: {
                    metadata: {
                      ...metadata,
                      ...(request.planVersion === null ? {} : { turnpike_plan_version: String(request.planVersion) }),
                    },
                    ...(request.trial
                      ? {
                          trial_period_days: request.trial.days,
                          trial_settings: {
                            end_behavior: { missing_payment_method: request.trial.withoutPaymentMethod },
                          },
                        }
                      : {}),
                  },
                  ...(request.trial?.paymentMethod === 'optional'
                    ? { payment_method_collection: 'if_required' as const }
                    : {}),
                }
              : { payment_intent_data: { metadata } }),
          },
          { idempotencyKey: request.checkoutId },
        ),
      ).catch((failure: unknown) => {
        if (request.couponId !== null && /^coupon_|^resource_missing$/.test(refusalOf(failure)?.code ?? ''))
          throw fail('coupon_not_usable', { cause: failure })
        throw failure
      })
      if (!session.url) throw fail('provider_unavailable')
      return {
        providerSessionId: session.id,
        url: session.url,
        expiresAt: Temporal.Instant.fromEpochMilliseconds(session.expires_at * 1_000),
      }
    },

    closeCheckout: async (providerSessionId) => {
      if (!providerSessionId.startsWith('cs_')) return true
      const session = await asking(log, 'checkout.sessions.retrieve', () =>
        orMissing(stripe.checkout.sessions.retrieve(providerSessionId)),
      )
      if (!session || session.status === 'expired') return true
      if (session.status === 'complete') return false
      const expired = await asking(log, 'checkout.sessions.expire', () =>
        stripe.checkout.sessions.expire(providerSessionId),
      )
      return expired.status === 'expired'
    },

    openPlanChange: async (request) => {
      const { priceId } = await priceOf(request.lookupKey)
      const configuration = await portalConfiguration(request.offer)
      const subscription = await asking(log, 'subscriptions.retrieve', () =>
        stripe.subscriptions.retrieve(request.providerSubscriptionId),
      )
      // Seats and add-ons are items too: only the plan's own is exchanged.
      const { data: items } = subscription.items
      const item = items.find(({ price }) => price.lookup_key === request.fromLookupKey) ?? items[0]
      if (!item) throw fail('provider_unavailable')
      return openPortal(request.checkoutId, {
        customer: request.providerCustomerId,
        configuration,
        return_url: request.returnUrl,
        flow_data: {
          type: 'subscription_update_confirm',
          subscription_update_confirm: {
            subscription: request.providerSubscriptionId,
            items: [{ id: item.id, price: priceId, quantity: request.quantity }],
          },
          after_completion: { type: 'redirect', redirect: { return_url: request.returnUrl } },
        },
      })
    },

    ...createStripeMoneyBack(stripe, log),

    ...createStripeOrders(stripe, { log, priceOf: async (lookupKey) => (await priceOf(lookupKey)).priceId }),

    openPortal: async (request) =>
      openPortal(request.checkoutId, {
        customer: request.providerCustomerId,
        configuration: await portalConfiguration(request.offer),
        return_url: request.returnUrl,
      }),

    fetchSubscriptions: async (providerCustomerId, unreadable = () => {}) => {
      const facts: SubscriptionFact[] = []
      const subscriptions = await asking(log, 'subscriptions.list', () =>
        orMissing(listSubscriptions(stripe, providerCustomerId)),
      )
      for (const subscription of list(subscriptions ?? [], 'the subscriptions')) {
        const fact = await readSubscription(subscription)
        if (fact) facts.push(fact)
        else unreadable(String(subscription.id))
      }
      return facts
    },

    fetchSubscription: async (providerSubscriptionId) => {
      const subscription = await asking(log, 'subscriptions.retrieve', () =>
        orMissing(stripe.subscriptions.retrieve(providerSubscriptionId, { expand: ['customer', 'discounts'] })),
      )
      return subscription && readSubscription(subscription)
    },

    fetchCustomer: async (providerCustomerId) => {
      const customer = await asking(log, 'customers.retrieve', () =>
        orMissing(stripe.customers.retrieve(providerCustomerId)),
      )
      if (!customer) return null
      const metadata = 'metadata' in customer ? (customer.metadata ?? {}) : {}
      return {
        deleted: customer.deleted === true,
        tenantId: metadata.turnpike_tenant ?? null,
        customerId: metadata.turnpike_customer ?? null,
      }
    },

    fetchInvoice,

    recentInvoices: async (customer) => {
      const page = await asking(log, 'invoices.list', () => orMissing(stripe.invoices.list({ customer, limit: 12 })))
      return (page?.data ?? []).flatMap(({ id }) => id ?? [])
    },

    fetchUnpaidInvoices: async (subscription) => {
      const facts: InvoiceFact[] = []
      for (const status of ['open', 'uncollectible'] as const) {
        const invoices = await asking(log, 'invoices.list', () =>
          orMissing(stripe.invoices.list({ subscription, status, limit: 100 })),
        )
        // Each on its own: a list does not tell what its payments wait for.
        for (const invoice of invoices?.data ?? []) {
          const fact = invoice.id && (await fetchInvoice(invoice.id))
          if (fact) facts.push(fact)
        }
      }
      return facts
    },

    fetchCheckout: async (providerSessionId) => {
      if (!providerSessionId.startsWith('cs_')) return null
      const session = await asking(log, 'checkout.sessions.retrieve', () =>
        orMissing(stripe.checkout.sessions.retrieve(providerSessionId)),
      )
      return session && checkoutFact(session)
    },

    verifyWebhook: (rawBody, headers, at) =>
      verifyWebhook(rawBody, headers, settings.webhookSecrets, at, settings.livemode),
  }

  async function fetchInvoice(providerInvoiceId: string): Promise<InvoiceFact | null> {
    const invoice = await asking(log, 'invoices.retrieve', () =>
      orMissing(stripe.invoices.retrieve(providerInvoiceId, { expand: ['payments.data.payment.payment_intent'] })),
    )
    return invoice && !(invoice as { deleted?: boolean }).deleted
      ? readInvoice(invoice, (what, request) => asking(log, what, request))
      : null
  }

  /** Null for one that makes no sense, or is in a state that this version does not know: it is left as it was. */
  async function readSubscription(subscription: Stripe.Subscription): Promise<SubscriptionFact | null> {
    const scheduled = await scheduledOf(subscription)
    let reason: unknown = `status ${subscription.status}`
    try {
      const fact = subscriptionFact(subscription, scheduled)
      if (fact) return fact
    } catch (error) {
      reason = (error as Error).cause ?? error
    }
    log.error(
      { provider: 'stripe', subscription: subscription.id, err: reason },
      'a subscription could not be read; it is left as it was',
    )
    return null
  }

  async function scheduledOf(subscription: Stripe.Subscription): Promise<SubscriptionFact['scheduled']> {
    const schedule = subscription.schedule
    if (schedule === null || schedule === undefined) return null
    const scheduleId = typeof schedule === 'string' ? schedule : schedule.id
    const full = await asking(log, 'subscription_schedules.retrieve', () =>
      orMissing(stripe.subscriptionSchedules.retrieve(scheduleId, { expand: ['phases.items.price'] })),
    )
    return full ? scheduledChange(full, full.current_phase?.start_date ?? 0) : null
  }
}

const listSubscriptions = async (stripe: Stripe, customer: string): Promise<Stripe.Subscription[]> => {
  const all: Stripe.Subscription[] = []
  for await (const subscription of stripe.subscriptions.list({
    customer,
    status: 'all',
    limit: 100,
    // A payment method may stand on the subscription or on its customer.
    expand: ['data.customer', 'data.discounts'],
  }))
    all.push(subscription)
  return all
}
