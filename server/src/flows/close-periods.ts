import { newId } from '../core/ids.ts'
import { tenantsToClose } from '../modules/periods/index.ts'
import { systemActor } from '../platform/audit.ts'
import { transact } from '../platform/db.ts'
import type { Deps } from './deps.ts'
import { closeCustomers } from './steps/close-customers.ts'
import { closeAfter } from './steps/close-policy.ts'

/** As many customers as one transaction rates and writes; the database works on one while we rate another. */
const batchSize = 250
const batchesAtOnce = 2
/** As many as are looked for at once, so that both go on while there is something to do. */
const batchesPerRun = 8

/**
 * Closes what is over: rates the usage of each period, writes its lines and opens the next (INV-6), hundreds of customers
 * in one transaction. Killed anywhere, it has done a batch or not; a repeat finds what is left. Answers how many periods it
 * rated; call again while that is not 0.
 */
export const closePeriods = async (deps: Pick<Deps, 'db' | 'clock' | 'catalog' | 'log'>): Promise<number> => {
  const at = deps.clock.now()
  const endedBy = at.subtract(closeAfter(deps))
  const due = await tenantsToClose(deps.db, endedBy, at, batchSize * batchesPerRun)
  if (due.length === 0) return 0
  const actor = systemActor('period close', newId('request'))
  const close = (ids: readonly string[]) =>
    transact(deps.db, (tx) => closeCustomers(tx, deps, ids, { at, endedBy, actor }))
  const closeBatch = async (tenantIds: readonly string[]): Promise<number> => {
    try {
      return await close(tenantIds)
    } catch (error) {
      const customers = tenantIds.length
      deps.log.warn({ err: error, customers }, 'a batch of periods could not be closed; each is tried alone')
    }
    // One customer that cannot be closed costs the others nothing.
    let rated = 0
    for (const tenantId of tenantIds)
      try {
        rated += await close([tenantId])
      } catch (error) {
        const words = 'the periods of a customer could not be closed; the next run tries again'
        deps.log.error({ err: error, tenantId }, words)
      }
    return rated
  }
  let next = 0
  const closeInTurn = async (): Promise<number> => {
    let rated = 0
    while (next < due.length) {
      const from = next
      next += batchSize
      rated += await closeBatch(due.slice(from, next))
    }
    return rated
  }
  const rated = await Promise.all(Array.from({ length: batchesAtOnce }, closeInTurn))
  return rated.reduce((sum, periods) => sum + periods, 0)
}
