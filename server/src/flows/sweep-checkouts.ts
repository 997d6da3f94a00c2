import { newId } from '../core/ids.ts'
import { findCustomer } from '../modules/customers/index.ts'
import { findStaleCheckouts } from '../modules/payments/index.ts'
import { systemActor } from '../platform/audit.ts'
import type { Deps } from './deps.ts'
import { askProvider } from './steps/ask-provider.ts'
import { endCheckout } from './steps/end-checkout.ts'
import { syncTenant } from './sync-customer.ts'

/**
 * Heals the gaps around provider calls: intents saved but never opened are opened with the same key, checkouts that wait
 * for a webhook are looked up, and pages past their end are closed. A repeat finds nothing to do.
 */
export const sweepCheckouts = async (deps: Deps): Promise<number> => {
  const at = deps.clock.now()
  const stale = await findStaleCheckouts(deps.db, at.subtract({ seconds: 30 }), at, 100)
  const actor = systemActor('checkout sweep', newId('request'))
  for (const checkout of stale) {
    // While nobody answers, the next sweep is early enough.
    if (deps.provider.availability().circuit === 'open') break
    try {
      const customer = await findCustomer(deps.db, checkout.tenantId)
      if (!customer) continue
      if (checkout.state === 'opening') {
        await askProvider(deps, actor, customer, checkout)
        continue
      }
      await syncTenant(deps, checkout.tenantId, actor)
      await endCheckout(deps, actor, checkout, { onlyPast: true })
    } catch (error) {
      deps.log.warn(
        { err: error, checkoutId: checkout.checkoutId },
        'checkout could not be swept; the next sweep tries again',
      )
    }
  }
  return stale.length
}
