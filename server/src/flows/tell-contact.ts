import { dropContactUpdate, findCustomer, listContactUpdates } from '../modules/customers/index.ts'
import { findProviderCustomer } from '../modules/payments/index.ts'
import { transact } from '../platform/db.ts'
import type { Deps } from './deps.ts'
import { eachOf } from './steps/each-of.ts'

const pageSize = 200

/**
 * Tells the provider who is to be written to, after the change was saved with its note (CUS-3). A provider that is down
 * loses nothing: the note stays and the schedule comes again. One tenant, or all that wait.
 */
export const tellContact = async (deps: Deps, only: string | null = null): Promise<number> => {
  let told = 0
  let after = ''
  for (;;) {
    if (deps.provider.availability().circuit === 'open') return told
    const page = await listContactUpdates(deps.db, { only, after, limit: pageSize })
    told += await eachOf(deps, 'contacts', page, async ({ tenantId, version }) => {
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
    })
    if (page.length < pageSize) return told
    after = page.at(-1)!.tenantId
  }
}
