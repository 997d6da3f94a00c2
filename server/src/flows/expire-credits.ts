import { newId } from '../core/ids.ts'
import { lockCustomer } from '../modules/customers/index.ts'
import {
  countMovements,
  expiryPosting,
  findGrantById,
  grantsToExpire,
  grantsToTell,
  hasEnded,
  markToldExpiring,
  post,
} from '../modules/ledger/index.ts'
import { isCloseDue } from '../modules/periods/index.ts'
import { appendAudit, systemActor } from '../platform/audit.ts'
import { transact } from '../platform/db.ts'
import { appendEvents } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'
import { creditView } from './steps/credit-views.ts'
import { eachOf } from './steps/each-of.ts'

type ExpiryDeps = Pick<Deps, 'db' | 'clock' | 'catalog' | 'log'>
const atOnce = 500

/**
 * Books the end of credit (INV-3). Whether credit is usable is decided by its end alone, so nothing depends on when this
 * runs; the movement counts at the end, whenever it is written. Run by the schedule, restartable anywhere. Answers how many ended.
 */
export const expireCredits = async (deps: ExpiryDeps): Promise<number> => {
  const actor = systemActor('credit expiry', newId('request'))
  const due = await grantsToExpire(deps.db, deps.clock.now(), atOnce)
  return eachOf(deps, 'credit that ends', due, ({ tenantId, grantId }) =>
    transact(deps.db, async function expireCredit(tx) {
      const customer = await lockCustomer(tx, tenantId)
      const grant = await findGrantById(tx, grantId)
      const at = deps.clock.now()
      if (!customer || !grant || grant.leftMinor === 0n || !(hasEnded(grant, at) || grant.voidedAt)) return
      const endedAt = grant.voidedAt ?? grant.expiresAt ?? at
      // A period that ended before it may still burn of it: then its close comes first.
      if (await isCloseDue(tx, tenantId, endedAt)) return
      const moved = await countMovements(tx, tenantId, grantId)
      await post(tx, [expiryPosting({ ...grant, expiresAt: endedAt }, { actor: actor.id }, moved)], at)
      const amount = { amountMinor: String(grant.leftMinor), currency: grant.currency }
      await appendAudit(tx, deps.clock, {
        tenantId,
        actor,
        action: 'credit.expire',
        object: grantId,
        before: { leftMinor: amount.amountMinor, currency: grant.currency },
        after: { leftMinor: '0' },
      })
      await appendEvents(tx, deps.clock, customer, actor.requestId, [
        { type: 'credit.expired', data: { grant: creditView({ ...grant, leftMinor: 0n }, at), amount } },
      ])
    }),
  )
}

const daysBefore = 7

/** Tells of credit that ends within the days that policy says; each once. Answers how many were told. */
export const tellExpiringCredits = async (deps: ExpiryDeps): Promise<number> => {
  const days = deps.catalog().file.policies.credits?.expiringDays ?? daysBefore
  if (days === 0) return 0
  const now = deps.clock.now()
  const actor = systemActor('credit expiry', newId('request'))
  const due = await grantsToTell(deps.db, now, now.add({ hours: 24 * days }), atOnce)
  return eachOf(deps, 'credit that ends soon', due, ({ tenantId, grantId }) =>
    transact(deps.db, async function tellExpiringCredit(tx) {
      const customer = await lockCustomer(tx, tenantId)
      const grant = await findGrantById(tx, grantId)
      const at = deps.clock.now()
      if (!customer || !grant || grant.leftMinor === 0n || grant.voidedAt || hasEnded(grant, at)) return
      if (!(await markToldExpiring(tx, grantId, at))) return
      await appendAudit(tx, deps.clock, { tenantId, actor, action: 'credit.tell_expiring', object: grantId })
      await appendEvents(tx, deps.clock, customer, actor.requestId, [
        { type: 'credit.expiring', data: { grant: creditView(grant, at) } },
      ])
    }),
  )
}
