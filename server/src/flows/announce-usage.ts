import { newId } from '../core/ids.ts'
import { numberOfMicro } from '../core/quantity.ts'
import { findCustomer } from '../modules/customers/index.ts'
import { newestSnapshot } from '../modules/entitlements/index.ts'
import { takeUnannounced } from '../modules/usage/index.ts'
import { transact } from '../platform/db.ts'
import { appendEvents } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'
import { budgetOf } from './steps/budget.ts'

/**
 * Tells how far counters have moved, one event per customer whatever number of records moved them (EVT-4). What still is to
 * be told stands in the counters themselves, so a killed process leaves nothing untold: the next sweep finds it.
 */
export const announceUsage = (deps: Pick<Deps, 'db' | 'clock'>, tenantIds: readonly string[]): Promise<void> =>
  transact(deps.db, async (tx) => {
    const moved = Map.groupBy(await takeUnannounced(tx, tenantIds), (counter) => counter.tenantId)
    const correlationId = newId('request')
    for (const tenantId of [...moved.keys()].sort()) {
      const customer = await findCustomer(tx, tenantId)
      const snapshot = await newestSnapshot(tx, tenantId)
      if (!customer || !snapshot) continue
      const budget = await budgetOf(tx, customer, snapshot.content, deps.clock.now())
      const meters = moved.get(tenantId)!.map((counter) => ({
        meter: counter.meter,
        used: numberOfMicro(counter.used),
        windowStart: Temporal.Instant.fromEpochMilliseconds(counter.windowStart).toString(),
        windowEnd: Temporal.Instant.fromEpochMilliseconds(counter.windowEnd).toString(),
      }))
      await appendEvents(tx, deps.clock, customer, correlationId, [
        { type: 'usage.updated', data: (sequence) => ({ meters, budget: { ...budget, sequence } }) },
      ])
    }
  })
