import { fail } from '../../core/errors.ts'
import { type Catalog, couponIdOf, findPlan, lookupKeyOf } from '../../modules/catalog/index.ts'
import { type CustomerRecord, lockCustomer } from '../../modules/customers/index.ts'
import {
  type CheckoutRecord,
  countDeletedProviderCustomers,
  findCheckoutById,
  findProviderCustomer,
  nextCheckoutState,
  saveCheckout,
  saveProviderCustomer,
} from '../../modules/payments/index.ts'
import { findSubscriptions, leadingSubscription } from '../../modules/subscriptions/index.ts'
import type { Actor } from '../../platform/audit.ts'
import { transact } from '../../platform/db.ts'
import { appendEvents } from '../../platform/outbox.ts'
import type { Deps } from '../deps.ts'
import { linesOf, portalOffer } from './selection.ts'
import { checkoutView } from './views.ts'

/** Asks for the hosted page of a saved intent and saves its address. Repeats reach the same page: the id is the key. */
export const askProvider = async (
  deps: Deps,
  actor: Actor,
  customer: CustomerRecord,
  checkout: CheckoutRecord,
): Promise<CheckoutRecord> => {
  if (checkout.sessionUrl !== null) return checkout
  const providerCustomerId = await ensureProviderCustomer(deps, customer)
  const catalog = deps.catalog()
  const back = (outcome: 'returned' | 'canceled', url: string) => {
    const target = new URL(url)
    target.searchParams.set('checkout', checkout.checkoutId)
    target.searchParams.set('outcome', outcome)
    return target.href
  }
  const opened =
    checkout.kind === 'plan_change'
      ? await openPlanChange(deps, catalog, checkout, providerCustomerId, back('returned', checkout.returnUrl))
      : await deps.provider.openCheckout({
          checkoutId: checkout.checkoutId,
          tenantId: checkout.tenantId,
          providerCustomerId,
          mode: checkout.kind === 'purchase' ? 'payment' : 'subscription',
          lines: linesOf(catalog, checkout),
          trial: await trialFor(deps, catalog, checkout),
          planVersion: checkout.planVersion,
          couponId: checkout.coupon && couponIdOf(catalog, checkout.coupon, checkout.currency),
          successUrl: back('returned', checkout.returnUrl),
          cancelUrl: back('canceled', checkout.cancelUrl),
        })
  return transact(deps.db, async (tx) => {
    await lockCustomer(tx, checkout.tenantId)
    const current = (await findCheckoutById(tx, checkout.checkoutId)) ?? checkout
    if (current.sessionUrl !== null) return current
    // A portal page says no end of its own; an hour is what one lives.
    const expiresAt = opened.expiresAt ?? deps.clock.now().add({ hours: 1 })
    const after: CheckoutRecord = {
      ...current,
      state: nextCheckoutState(current.state, 'opened'),
      providerSessionId: opened.providerSessionId,
      sessionUrl: opened.url,
      expiresAt,
    }
    await saveCheckout(tx, after)
    await appendEvents(tx, deps.clock, customer, actor.requestId, [
      { type: 'checkout.opened', data: { checkout: checkoutView(catalog, after, null, deps.clock.now()) } },
    ])
    return after
  })
}

/** A trial is given to those who never had a subscription that began. */
const trialFor = async (
  deps: Deps,
  catalog: Catalog,
  checkout: CheckoutRecord,
): Promise<Parameters<Deps['provider']['openCheckout']>[0]['trial']> => {
  const trial =
    checkout.plan === null
      ? undefined
      : findPlan(catalog, checkout.plan, checkout.planVersion ?? undefined)?.content.trial
  if (!trial) return null
  const earlier = await findSubscriptions(deps.db, checkout.tenantId)
  if (earlier.some(({ status }) => status !== 'incomplete' && status !== 'incomplete_expired')) return null
  return {
    days: trial.days,
    paymentMethod: trial.paymentMethod,
    withoutPaymentMethod: trial.withoutPaymentMethod ?? 'cancel',
  }
}

const openPlanChange = async (
  deps: Deps,
  catalog: Catalog,
  checkout: CheckoutRecord,
  providerCustomerId: string,
  returnUrl: string,
) => {
  const held = leadingSubscription(await findSubscriptions(deps.db, checkout.tenantId), catalog.file.policies.access)
  const lookupKey = lookupKeyOf(
    catalog,
    { kind: 'plan', plan: checkout.plan!, price: checkout.price!, currency: checkout.currency },
    checkout.planVersion ?? undefined,
  )
  const fromLookupKey =
    held &&
    lookupKeyOf(
      catalog,
      { kind: 'plan', plan: held.plan, price: held.price, currency: held.currency },
      held.planVersion,
    )
  if (!held || !fromLookupKey || lookupKey === null) throw fail('plan_not_available')
  return deps.provider.openPlanChange({
    checkoutId: checkout.checkoutId,
    providerCustomerId,
    providerSubscriptionId: held.providerSubscriptionId,
    fromLookupKey,
    lookupKey,
    quantity: 1,
    returnUrl,
    offer: portalOffer(catalog),
  })
}

/** The provider's customer, made once and remembered before anything is bought on it; another one when it was deleted there. */
export const ensureProviderCustomer = async (deps: Deps, customer: CustomerRecord): Promise<string> => {
  const known = await findProviderCustomer(deps.db, customer.tenantId, deps.provider.name)
  if (known !== null) return known
  const earlier = await countDeletedProviderCustomers(deps.db, customer.tenantId, deps.provider.name)
  const { providerCustomerId } = await deps.provider.createCustomer({ ...customer, earlier })
  await transact(deps.db, (tx) => saveProviderCustomer(tx, customer.tenantId, deps.provider.name, providerCustomerId))
  return (await findProviderCustomer(deps.db, customer.tenantId, deps.provider.name)) ?? providerCustomerId
}
