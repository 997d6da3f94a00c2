import { newId } from '../core/ids.ts'
import { lockCustomer } from '../modules/customers/index.ts'
import { findSubscriptions, tenantsToRemind } from '../modules/subscriptions/index.ts'
import { systemActor } from '../platform/audit.ts'
import { transact } from '../platform/db.ts'
import { appendEvents } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'
import { eachOf } from './steps/each-of.ts'
import { remindersDue } from './steps/remind.ts'

const tenantsAtOnce = 500

/**
 * Announces trials that end and subscriptions that renew soon, as many days before as the catalog says (SUB-3): once each,
 * however often this runs and wherever it is killed. Answers how many reminders were given.
 */
export const remind = async (deps: Pick<Deps, 'db' | 'clock' | 'catalog' | 'log'>): Promise<number> => {
  const due = await tenantsToRemind(deps.db, deps.catalog().file.policies.reminders, deps.clock.now(), tenantsAtOnce)
  let given = 0
  await eachOf(deps, 'reminders', due, async (tenantId) => {
    given += await transact(deps.db, async (tx) => {
      const customer = await lockCustomer(tx, tenantId)
      if (!customer) return 0
      const actor = systemActor('reminders', newId('request'))
      const events = await remindersDue(tx, deps, await findSubscriptions(tx, tenantId), actor)
      await appendEvents(tx, deps.clock, customer, actor.requestId, events)
      return events.length
    })
  })
  return given
}
