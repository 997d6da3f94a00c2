import { fail } from '../../core/errors.ts'
import { openSession } from '../../flows/open-session.ts'
import { readPlans } from '../../flows/read-plans.ts'
import { readStatus } from '../../flows/read-status.ts'
import { receiveWebhook } from '../../flows/receive-webhook.ts'
import { reportReturn } from '../../flows/report-return.ts'
import { checkoutView, subscriptionView } from '../../flows/steps/views.ts'
import { syncTenant } from '../../flows/sync-customer.ts'
import { newestSnapshot } from '../../modules/entitlements/index.ts'
import { type CheckoutRecord, findCheckoutById } from '../../modules/payments/index.ts'
import { findSubscriptionById, findSubscriptions } from '../../modules/subscriptions/index.ts'
import type { Handlers, HttpDeps } from '../handler.ts'

const shownCheckout = async (deps: HttpDeps, checkout: CheckoutRecord) =>
  checkoutView(
    deps.catalog(),
    checkout,
    (await newestSnapshot(deps.db, checkout.tenantId))?.version ?? null,
    deps.clock.now(),
  )

export const billingHandlers: Handlers<
  | 'createSession'
  | 'getCheckout'
  | 'reportReturn'
  | 'getStatus'
  | 'listPlans'
  | 'sync'
  | 'receiveWebhook'
  | 'listSubscriptions'
  | 'getSubscription'
> = {
  createSession: ({ deps, actor, tenantId, body }) => openSession(deps, actor, tenantId, body),

  getCheckout: async ({ deps, params, own }) => {
    const checkout = await findCheckoutById(deps.db, params.checkoutId)
    if (!checkout) throw fail('not_found')
    await own(checkout.tenantId)
    return shownCheckout(deps, checkout)
  },

  reportReturn: async ({ deps, actor, params, body, own }) => {
    const checkout = await findCheckoutById(deps.db, params.checkoutId)
    if (!checkout) throw fail('not_found')
    await own(checkout.tenantId)
    return shownCheckout(deps, await reportReturn(deps, actor, checkout.tenantId, checkout.checkoutId, body.outcome))
  },

  getStatus: ({ deps, tenantId }) => readStatus(deps, tenantId),

  listPlans: ({ deps, tenantId }) => readPlans(deps, tenantId),

  sync: async ({ deps, actor, tenantId }) => {
    const snapshot = await newestSnapshot(deps.db, tenantId)
    if (!snapshot) throw fail('not_found')
    const applied = await syncTenant(deps, tenantId, actor, { recent: true, methods: true })
    return {
      changed: applied?.changed ?? false,
      subscriptions: applied?.subscriptions ?? 0,
      invoices: applied?.invoices ?? 0,
      snapshotVersion: applied?.snapshotVersion ?? snapshot.version,
    }
  },

  receiveWebhook: async ({ deps, params, request, requestId }) => {
    await receiveWebhook(deps, {
      provider: params.provider,
      rawBody: request.body as Buffer,
      headers: request.headers,
      requestId,
    })
    return { received: true }
  },

  listSubscriptions: async ({ deps, tenantId }) =>
    (await findSubscriptions(deps.db, tenantId)).map((record) => subscriptionView(deps.catalog(), record)),

  getSubscription: async ({ deps, params, own }) => {
    const record = await findSubscriptionById(deps.db, params.subscriptionId)
    if (!record) throw fail('not_found')
    await own(record.tenantId)
    return subscriptionView(deps.catalog(), record)
  },
}
