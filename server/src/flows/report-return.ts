import { fail } from '../core/errors.ts'
import { lockCustomer } from '../modules/customers/index.ts'
import { type CheckoutRecord, findCheckoutById, nextCheckoutState, saveCheckout } from '../modules/payments/index.ts'
import { type Actor, appendAudit } from '../platform/audit.ts'
import { transact } from '../platform/db.ts'
import type { Deps } from './deps.ts'
import { syncTenant } from './sync-customer.ts'

/**
 * The customer came back from a hosted page. That proves nothing (PAY-2): it is noted, and the provider is asked, which is
 * what a webhook that is late or lost would have led to. A provider that cannot be reached leaves the checkout waiting.
 */
export const reportReturn = async (
  deps: Deps,
  actor: Actor,
  tenantId: string,
  checkoutId: string,
  outcome: 'returned' | 'canceled',
): Promise<CheckoutRecord> => {
  await transact(deps.db, async (tx) => {
    await lockCustomer(tx, tenantId)
    const checkout = await findCheckoutById(tx, checkoutId)
    if (!checkout || checkout.tenantId !== tenantId) throw fail('not_found')
    const state = nextCheckoutState(checkout.state, outcome === 'returned' ? 'returned' : 'left')
    if (state === checkout.state) return
    await saveCheckout(tx, { ...checkout, state, returnedAt: checkout.returnedAt ?? deps.clock.now() })
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: `checkout.${state}`,
      object: checkoutId,
      before: { state: checkout.state },
      after: { state },
    })
  })
  await syncTenant(deps, tenantId, actor).catch((error: unknown) =>
    deps.log.warn(
      { err: error, tenantId, checkoutId },
      'targeted sync failed; webhook or sweep will complete the checkout',
    ),
  )
  return (await findCheckoutById(deps.db, checkoutId))!
}
