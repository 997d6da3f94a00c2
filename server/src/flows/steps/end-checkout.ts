import { isBefore } from '../../core/period.ts'
import { lockCustomer } from '../../modules/customers/index.ts'
import { findCheckoutById, nextCheckoutState, saveCheckout } from '../../modules/payments/index.ts'
import { type Actor, appendAudit } from '../../platform/audit.ts'
import { transact } from '../../platform/db.ts'
import { appendEvents } from '../../platform/outbox.ts'
import type { Deps } from '../deps.ts'
import { checkoutView } from './views.ts'

/**
 * Ends an intent that nobody can pay any more, with its audit and event. One that has ended or was completed stays as it is;
 * with `onlyPast` also one whose page still lives.
 */
export const endCheckout = (
  deps: Pick<Deps, 'db' | 'clock' | 'catalog'>,
  actor: Actor,
  checkout: { tenantId: string; checkoutId: string },
  how: { reason?: string; onlyPast?: boolean } = {},
): Promise<void> =>
  transact(deps.db, async (tx) => {
    const customer = await lockCustomer(tx, checkout.tenantId)
    const current = await findCheckoutById(tx, checkout.checkoutId)
    if (!customer || !current) return
    const at = deps.clock.now()
    if (how.onlyPast && (current.expiresAt === null || isBefore(at, current.expiresAt))) return
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
      ...(how.reason === undefined ? {} : { reason: how.reason }),
    })
    await appendEvents(tx, deps.clock, customer, actor.requestId, [
      { type: 'checkout.ended', data: { checkout: checkoutView(deps.catalog(), ended, null, at) } },
    ])
  })
