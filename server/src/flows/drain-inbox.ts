import { newId } from '../core/ids.ts'
import { findTenantOfProviderCustomer } from '../modules/payments/index.ts'
import type { Actor } from '../platform/audit.ts'
import { dueCustomers, dueWebhooks, finishWebhooks, type InboxRow, postponeWebhooks } from '../platform/inbox.ts'
import type { Deps } from './deps.ts'
import { syncProviderCustomer } from './sync-customer.ts'

const customersAtOnce = 8
const webhooksAtOnce = 200

/**
 * Works on what is due in the inbox: all of one customer's events together, in one hand, against objects fetched again
 * (WEB-3). Answers how many customers had something; call again while that is not 0.
 */
export const drainInbox = async (deps: Deps): Promise<number> => {
  const customers = (await dueCustomers(deps.db, deps.clock.now(), customersAtOnce * 4)).filter(
    (customer) => customer.provider === deps.provider.name,
  )
  for (let from = 0; from < customers.length; from += customersAtOnce)
    await Promise.all(
      customers.slice(from, from + customersAtOnce).map((customer) => drainCustomer(deps, customer.providerCustomerId)),
    )
  return customers.length
}

const drainCustomer = async (deps: Deps, providerCustomerId: string): Promise<void> => {
  const webhooks = await dueWebhooks(deps.db, deps.provider.name, providerCustomerId, deps.clock.now(), webhooksAtOnce)
  if (webhooks.length === 0) return
  const ids = webhooks.map((webhook) => webhook.webhookId)
  const correlationId = webhooks[0]!.traceId ?? newId('request')
  const actor: Actor = { kind: 'provider', id: deps.provider.name, requestId: correlationId }
  try {
    const tenantId = await findTenantOfProviderCustomer(deps.db, deps.provider.name, providerCustomerId)
    await syncProviderCustomer(deps, providerCustomerId, tenantId, wishOf(webhooks), actor, (tx, outcome) =>
      finishWebhooks(tx, ids, {
        ...(outcome.kind === 'applied'
          ? { state: 'applied', outcome: outcome.applied.changed ? 'changed' : 'nothing_new' }
          : { state: 'ignored', outcome: 'unknown_customer' }),
        tenantId,
        correlationId,
        at: deps.clock.now(),
      }),
    )
  } catch (error) {
    deps.log.warn(
      { err: error, providerCustomerId, correlationId },
      'webhooks could not be applied; they are tried again',
    )
    await postponeWebhooks(deps.db, ids, errorName(error), deps.clock.now())
  }
}

// What operators may read: our own code of the failure, never the provider's or the database's words.
const errorName = (error: unknown): string =>
  error instanceof Error && 'code' in error && error.name === 'Failure' ? String(error.code) : 'internal_error'

const wishOf = (webhooks: readonly InboxRow[]) => ({
  providerInvoiceIds: webhooks.flatMap((webhook) =>
    webhook.type.startsWith('invoice.') && webhook.objectId?.startsWith('in_') ? [webhook.objectId] : [],
  ),
  providerSessionIds: webhooks.flatMap((webhook) =>
    webhook.type.startsWith('checkout.session.') && webhook.objectId ? [webhook.objectId] : [],
  ),
})
