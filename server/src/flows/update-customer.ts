import type { CustomerUpdate } from '@turnpike/contract'
import type { Static } from 'typebox'
import { fail } from '../core/errors.ts'
import { type CustomerRecord, lockCustomer, updateCustomer as save } from '../modules/customers/index.ts'
import { type Actor, appendAudit } from '../platform/audit.ts'
import { transact } from '../platform/db.ts'
import { appendEvents } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'

/** Changes name or e-mail. A repeat changes nothing and announces nothing. */
export const updateCustomer = (
  deps: Deps,
  actor: Actor,
  tenantId: string,
  change: Static<typeof CustomerUpdate>,
): Promise<CustomerRecord> =>
  transact(deps.db, async (tx) => {
    const before = await lockCustomer(tx, tenantId)
    if (!before) throw fail('not_found')
    const after = {
      ...before,
      name: change.name ?? before.name,
      email: change.email === undefined ? before.email : change.email,
      updatedAt: deps.clock.now(),
    }
    if (after.name === before.name && after.email === before.email) return before
    await save(tx, after)
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
    return after
  })
