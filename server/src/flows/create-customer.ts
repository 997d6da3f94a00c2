import type { CustomerCreate } from '@turnpike/contract'
import type { Static } from 'typebox'
import { fail } from '../core/errors.ts'
import { idFor } from '../core/ids.ts'
import { type CustomerRecord, findCustomer, insertCustomer, saveOwner } from '../modules/customers/index.ts'
import { type Actor, appendAudit } from '../platform/audit.ts'
import { transact } from '../platform/db.ts'
import { appendEvents, type NewEvent } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'
import { refreshEntitlements } from './steps/refresh-entitlements.ts'
import { knownTimeZone } from './steps/time-zone.ts'

/** Creates the tenant's customer with its first snapshot: the baseline (CUS-1). A second one fails `customer_exists`. */
export const createCustomer = (
  deps: Deps,
  actor: Actor,
  tenantId: string,
  request: Static<typeof CustomerCreate>,
): Promise<CustomerRecord> =>
  transact(deps.db, async (tx) => {
    const at = deps.clock.now()
    const customer: CustomerRecord = {
      tenantId,
      customerId: idFor('customer', actor.claim),
      name: request.name,
      email: request.email ?? null,
      currency: request.currency ?? deps.catalog().file.currencies[0]!,
      timeZone: request.timeZone === undefined ? 'UTC' : knownTimeZone(request.timeZone),
      createdAt: at,
      updatedAt: at,
    }
    if (!(await insertCustomer(tx, customer))) {
      // A repeat whose first answer was lost gets what the first has made.
      const made = await findCustomer(tx, tenantId)
      if (made?.customerId === customer.customerId) return made
      throw fail('customer_exists')
    }
    const { budgetNow, events } = await refreshEntitlements(tx, deps, customer, at, 'customer created', actor.requestId)
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: 'customer.create',
      object: customer.customerId,
      // No names or addresses in the audit: it cannot be erased, they must be (PRV-1).
      after: { currency: customer.currency },
    })
    const { owner } = request
    if (owner) {
      await saveOwner(tx, { tenantId, ...owner, since: at })
      await appendAudit(tx, deps.clock, {
        tenantId,
        actor,
        action: 'owner.add',
        object: owner.personId,
        after: { personId: owner.personId },
      })
      events.push({ type: 'owner.changed', data: { personId: owner.personId, previousPersonId: null } })
    }
    const created: NewEvent = { type: 'customer.created', data: (budget) => ({ name: customer.name, budget }) }
    await appendEvents(tx, deps.clock, customer, actor.requestId, [created, ...events], budgetNow)
    return customer
  })
