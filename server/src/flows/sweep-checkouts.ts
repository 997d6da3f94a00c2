import { newId } from '../core/ids.ts'
import { findCustomer, lockCustomer } from '../modules/customers/index.ts'
import { findCheckoutById, findStaleCheckouts, nextCheckoutState, saveCheckout } from '../modules/payments/index.ts'
import { appendAudit, systemActor } from '../platform/audit.ts'
import { transact } from '../platform/db.ts'
import { appendEvents } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'
import { askProvider } from './steps/ask-provider.ts'
import { checkoutView } from './steps/views.ts'
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
      await transact(deps.db, async (tx) => {
        await lockCustomer(tx, checkout.tenantId)
        const current = await findCheckoutById(tx, checkout.checkoutId)
        if (!current?.expiresAt || Temporal.Instant.compare(current.expiresAt, at) > 0) return
        const ended = { ...current, state: nextCheckoutState(current.state, 'expired') }
        if (ended.state === current.state) return
        await saveCheckout(tx, ended)
        await appendAudit(tx, deps.clock, {
          tenantId: checkout.tenantId,
          actor,
          action: 'checkout.expired',
          object: checkout.checkoutId,
          before: { state: current.state },
          after: { state: ended.state },
        })
        await appendEvents(tx, deps.clock, customer, actor.requestId, [
          { type: 'checkout.ended', data: { checkout: checkoutView(deps.catalog(), ended, null, at) } },
        ])
      })
    } catch (error) {
      deps.log.warn(
        { err: error, checkoutId: checkout.checkoutId },
        'checkout could not be swept; the next sweep tries again',
      )
    }
  }
  return stale.length
}
