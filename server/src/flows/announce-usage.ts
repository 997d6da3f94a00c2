import { assert } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import { numberOfMicro } from '../core/quantity.ts'
import { newestSnapshots } from '../modules/entitlements/index.ts'
import { currentCounters, takeUnannounced } from '../modules/usage/index.ts'
import { transact } from '../platform/db.ts'
import { takePlaces, writeEvents } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'
import { budgetWith } from './steps/budget.ts'

/**
 * Tells how far counters have moved, one event per customer whatever number of records moved them (EVT-4). What still is to
 * be told stands in the counters themselves, so a killed process leaves nothing untold: the next sweep finds it.
 * All customers at once in a handful of statements: usage waits for the counters that are held here.
 */
export const announceUsage = (deps: Pick<Deps, 'db' | 'clock'>, tenantIds: readonly string[]): Promise<void> =>
  transact(deps.db, async (tx) => {
    const moved = Map.groupBy(await takeUnannounced(tx, tenantIds), (counter) => counter.tenantId)
    if (moved.size === 0) return
    const told = [...moved.keys()]
    const at = deps.clock.now()
    // The place in the stream comes first: a change that is committed later gets a later place, one before it is seen here.
    const places = await takePlaces(tx, new Map(told.map((tenantId) => [tenantId, 1])))
    const snapshots = await newestSnapshots(tx, told)
    assert(snapshots.length === told.length, 'whoever has counters has a snapshot; a place without its event is a gap')
    const current = Map.groupBy(await currentCounters(tx, told, at.epochMilliseconds), (counter) => counter.tenantId)
    await writeEvents(
      tx,
      deps.clock,
      newId('request'),
      snapshots.map(({ tenantId, customerId, content }) => {
        const sequence = places.get(tenantId)!
        const meters = moved.get(tenantId)!.map((counter) => ({
          meter: counter.meter,
          used: numberOfMicro(counter.used),
          windowStart: Temporal.Instant.fromEpochMilliseconds(counter.windowStart).toString(),
          windowEnd: Temporal.Instant.fromEpochMilliseconds(counter.windowEnd).toString(),
        }))
        const budget = budgetWith({ tenantId, customerId }, content, at, current.get(tenantId) ?? [])
        return {
          tenantId,
          customerId,
          sequence,
          type: 'usage.updated',
          data: { meters, budget: { ...budget, sequence } },
        }
      }),
    )
  })
