import { newId } from '../core/ids.ts'
import { lockCustomer } from '../modules/customers/index.ts'
import { findWaitingMoneyBack, touchMoneyBack } from '../modules/refunds/index.ts'
import { systemActor } from '../platform/audit.ts'
import { transact } from '../platform/db.ts'
import type { Deps } from './deps.ts'
import { eachOf } from './steps/each-of.ts'
import { lookAgain, sendMoneyBack } from './steps/send-money-back.ts'

const pageSize = 100
/** What was agreed to and nobody has touched for so long has lost who was sending it. */
const forgottenAfterSeconds = 45
/** A refund on its way is told of by webhooks; one that was lost is made up for. */
const lookAfterHours = 6

/**
 * Finishes refunds and credit notes that were agreed to while the provider was silent or the process died, and follows
 * refunds that are on their way (INV-4). Each look comes first: nothing is made twice. A repeat finds nothing to do.
 */
export const sweepMoneyBack = async (deps: Deps): Promise<number> => {
  if (deps.provider.availability().circuit === 'open') return 0
  const at = deps.clock.now()
  const since = {
    asking: at.subtract({ seconds: forgottenAfterSeconds }),
    onTheWay: at.subtract({ hours: lookAfterHours }),
  }
  const actor = systemActor('refund sweep', newId('request'))
  let done = 0
  for (let after = ''; ; ) {
    const page = await findWaitingMoneyBack(deps.db, since, after, pageSize)
    const byId = new Map(page.map((record) => [record.moneyBackId, record]))
    done += await eachOf(deps, 'refunds and credit notes', [...byId.keys()], async (id) => {
      const record = byId.get(id)!
      if (record.state === 'asking') return sendMoneyBack(deps, actor, record)
      await lookAgain(deps, actor, record)
      await transact(deps.db, async (tx) => {
        await lockCustomer(tx, record.tenantId)
        await touchMoneyBack(tx, id, deps.clock.now())
      })
    })
    if (page.length < pageSize) return done
    after = page.at(-1)!.moneyBackId
  }
}
