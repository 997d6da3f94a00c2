import type { CustomerUpdate } from '@turnpike/contract'
import type { Static } from 'typebox'
import { fail } from '../core/errors.ts'
import {
  type CustomerRecord,
  lockCustomer,
  queueContactUpdate,
  updateCustomer as save,
} from '../modules/customers/index.ts'
import { type Actor, appendAudit } from '../platform/audit.ts'
import { transact } from '../platform/db.ts'
import { appendEvents } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'
import { tellContact } from './tell-contact.ts'

/** Changes name or e-mail, an e-mail also at the provider. A repeat changes nothing and announces nothing. */
export const updateCustomer = async (
  deps: Deps,
  actor: Actor,
  tenantId: string,
  change: Static<typeof CustomerUpdate>,
): Promise<CustomerRecord> => {
  const { customer, isContact } = await transact(deps.db, async (tx) => {
    const before = await lockCustomer(tx, tenantId)
    if (!before) throw fail('not_found')
    const after = {
      ...before,
      name: change.name ?? before.name,
      email: change.email === undefined ? before.email : change.email,
      updatedAt: deps.clock.now(),
    }
    if (after.name === before.name && after.email === before.email) return { customer: before, isContact: false }
    const isContact = after.email !== before.email
    await save(tx, after)
    if (isContact) await queueContactUpdate(tx, tenantId, after.updatedAt)
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: 'customer.update',
      object: before.customerId,
      // Which, not what: the audit cannot be erased, names and addresses must be (PRV-1).
      after: {
        changed: [...(after.name === before.name ? [] : ['name']), ...(after.email === before.email ? [] : ['email'])],
      },
    })
    await appendEvents(tx, deps.clock, before, actor.requestId, [
      { type: 'customer.updated', data: { name: after.name } },
    ])
    return { customer: after, isContact }
  })
  if (isContact) await tellContact(deps, tenantId)
  return customer
}
