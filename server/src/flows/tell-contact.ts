import { dropContactUpdate, findCustomer, listContactUpdates } from '../modules/customers/index.ts'
import { findProviderCustomer } from '../modules/payments/index.ts'
import { transact } from '../platform/db.ts'
import type { Deps } from './deps.ts'

/**
 * Tells the provider who is to be written to, after the change was saved with its note (CUS-3). A provider that is down
 * loses nothing: the note stays and the schedule comes again. One tenant, or all that wait.
 */
export const tellContact = async (deps: Deps, only: string | null = null): Promise<number> => {
  const waiting = (await listContactUpdates(deps.db, 200)).filter(({ tenantId }) => only === null || tenantId === only)
  let told = 0
  for (const { tenantId, version } of waiting)
    try {
      const customer = await findCustomer(deps.db, tenantId)
      const providerCustomerId = await findProviderCustomer(deps.db, tenantId, deps.provider.name)
      // Who was never at the provider is made there with the right address.
      if (customer && providerCustomerId !== null)
        await deps.provider.updateCustomer({
          providerCustomerId,
          email: customer.email,
          changeId: `${customer.customerId}-contact-${version}`,
        })
      await transact(deps.db, (tx) => dropContactUpdate(tx, tenantId, version))
      told++
    } catch (error) {
      deps.log.warn({ err: error, tenantId }, 'the provider could not be told of a contact; the next run tries again')
    }
  return told
}
