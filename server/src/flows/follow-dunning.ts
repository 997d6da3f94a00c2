import { newId } from '../core/ids.ts'
import { lockCustomer } from '../modules/customers/index.ts'
import { type DunningCase, findCase, findDueCases, saveCase } from '../modules/dunning/index.ts'
import { findProviderCustomer } from '../modules/payments/index.ts'
import { findSubscriptionById, isTerminal, type SubscriptionRecord } from '../modules/subscriptions/index.ts'
import { type Actor, appendAudit, systemActor } from '../platform/audit.ts'
import { transact } from '../platform/db.ts'
import type { Deps } from './deps.ts'
import { lapse } from './lapse-entitlements.ts'
import { caseEnd } from './steps/follow-dunning.ts'
import { syncTenant } from './sync-customer.ts'

const pageSize = 200

/**
 * What time brings to unpaid invoices (DUN-1): stages and reminders are announced, and subscriptions whose policy ends them are
 * ended at the provider. A repeat finds nothing to do; what was interrupted is due again at the next run.
 */
export const followDunningDue = async (deps: Deps): Promise<number> => {
  const at = deps.clock.now()
  let followed = 0
  let page: DunningCase[] = []
  do {
    // Ends that the provider does not confirm stay due: they must not stand in the way of those behind them.
    page = await findDueCases(deps.db, at, page.at(-1) ?? null, pageSize)
    for (const known of page) {
      try {
        await lapse(deps, known.tenantId, 'dunning')
        await endUnpaid(deps, known.caseId, systemActor('dunning', newId('request')))
      } catch (error) {
        deps.log.warn({ err: error, caseId: known.caseId }, 'dunning could not be followed; the next run tries again')
      }
    }
    followed += page.length
  } while (page.length === pageSize)
  return followed
}

/** The case and its subscription while its end is due; null when there is nothing to end, or not yet. */
const dueToEnd = async (
  deps: Deps,
  caseId: string,
): Promise<{ known: DunningCase; held: SubscriptionRecord } | null> => {
  const known = await findCase(deps.db, caseId)
  const held = known && (await findSubscriptionById(deps.db, known.subscriptionId))
  if (!known || known.closedAt || !held || isTerminal(held.status)) return null
  const end = await caseEnd(deps.db, deps, known, held)
  return end && Temporal.Instant.compare(end, deps.clock.now()) <= 0 ? { known, held } : null
}

const endUnpaid = async (deps: Deps, caseId: string, actor: Actor): Promise<void> => {
  if (!(await dueToEnd(deps, caseId)) || deps.provider.availability().circuit === 'open') return
  // Whoever has paid in the meantime keeps the subscription: nothing is ended by what was known before.
  const { tenantId } = (await findCase(deps.db, caseId))!
  await syncTenant(deps, tenantId, actor)
  const due = await dueToEnd(deps, caseId)
  const providerCustomerId = await findProviderCustomer(deps.db, tenantId, deps.provider.name)
  if (!due || providerCustomerId === null) return
  await transact(deps.db, async (tx) => {
    await lockCustomer(tx, tenantId)
    const known = await findCase(tx, caseId)
    if (!known || known.closedAt || known.cancelAskedAt) return
    await saveCase(tx, { ...known, cancelAskedAt: deps.clock.now() })
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: 'dunning.cancellation_asked',
      object: known.subscriptionId,
      after: { invoice: known.providerInvoiceId, startedAt: known.startedAt.toString() },
    })
  })
  const outcome = await deps.provider.carryOut({
    // The case is the key: however often it is asked, the subscription ends once.
    commandId: caseId,
    attempt: 1,
    tenantId,
    providerCustomerId,
    providerSubscriptionId: due.held.providerSubscriptionId,
    order: { kind: 'cancel_now', creditUnused: false, prorationAt: due.known.startedAt.toString() },
    roleOf: () => null,
  })
  if (outcome.kind !== 'done')
    deps.log.warn({ caseId, outcome }, 'the provider did not end an unpaid subscription; the next run asks again')
  await syncTenant(deps, tenantId, actor)
}
