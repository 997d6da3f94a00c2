import { newId } from '../core/ids.ts'
import { lockCustomer, tenantsResolvedBefore, tenantsResolvedUntil } from '../modules/customers/index.ts'
import { transact } from '../platform/db.ts'
import { appendEvents } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'
import { eachOf } from './steps/each-of.ts'
import { refreshEntitlements } from './steps/refresh-entitlements.ts'

type LapseDeps = Pick<Deps, 'db' | 'clock' | 'catalog' | 'live'>

/** Resolves one customer again because something ended by time, such as an override. A repeat changes nothing. */
export const lapse = (deps: LapseDeps, tenantId: string, cause = 'a time-bound part has ended'): Promise<void> =>
  transact(deps.db, async (tx) => {
    const customer = await lockCustomer(tx, tenantId)
    if (!customer) return
    const correlationId = newId('request')
    const { events, budgetNow } = await refreshEntitlements(tx, deps, customer, deps.clock.now(), cause, correlationId)
    await appendEvents(tx, deps.clock, customer, correlationId, events, budgetNow)
  })

/** Everybody whose snapshot has run out by time. */
export const lapseDue = async (deps: LapseDeps & Pick<Deps, 'log'>): Promise<number> => {
  const due = await tenantsResolvedUntil(deps.db, deps.clock.now(), 500)
  return eachOf(deps, 'what ends by time', due, (tenantId) => lapse(deps, tenantId))
}

/** Everybody whose entitlements were resolved with an older catalog, a few hundred at a time; restartable at any point. */
export const resolveWithNewCatalog = async (deps: LapseDeps & Pick<Deps, 'log'>): Promise<number> => {
  const due = await tenantsResolvedBefore(deps.db, deps.catalog().version, 200)
  return eachOf(deps, 'a new catalog', due, (tenantId) => lapse(deps, tenantId, 'catalog applied'))
}
