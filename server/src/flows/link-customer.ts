import { lockCustomer } from '../modules/customers/index.ts'
import { findProviderCustomer, findTenantOfProviderCustomer, saveProviderCustomer } from '../modules/payments/index.ts'
import { type Actor, appendAudit } from '../platform/audit.ts'
import { transact } from '../platform/db.ts'
import { requeueStrangers } from '../platform/replay-inbox.ts'
import type { Deps } from './deps.ts'

/**
 * The tenant of a customer of the provider. One that nobody knows is looked at: made by hand with the name of a tenant on
 * it, it becomes that tenant's, and what was ignored about it is worked on again. It never takes anything over: the tenant
 * must exist and have no living customer there, and a name of our customer on it must be that tenant's.
 */
export const findOrLinkTenant = async (
  deps: Deps,
  providerCustomerId: string,
  actor: Actor,
): Promise<string | null> => {
  const provider = deps.provider.name
  const known = await findTenantOfProviderCustomer(deps.db, provider, providerCustomerId)
  if (known !== null) return known
  const seen = await deps.provider.fetchCustomer(providerCustomerId)
  if (!seen || seen.deleted || seen.tenantId === null) return null
  const tenantId = seen.tenantId
  return transact(deps.db, async (tx) => {
    const customer = await lockCustomer(tx, tenantId)
    const isTheirs = customer && (seen.customerId === null || seen.customerId === customer.customerId)
    if (!isTheirs || (await findProviderCustomer(tx, tenantId, provider)) !== null) {
      deps.log.warn(
        { providerCustomerId, security: true },
        'a customer of the provider names a tenant that it cannot be',
      )
      return null
    }
    await saveProviderCustomer(tx, tenantId, provider, providerCustomerId)
    const again = await requeueStrangers(tx, provider, providerCustomerId, deps.clock.now())
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: 'provider_customer.linked',
      object: providerCustomerId,
      after: { webhooksAgain: again },
      reason: 'named by its metadata at the payment provider',
    })
    return tenantId
  })
}
