import { assert } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import { numberOfMicro } from '../core/quantity.ts'
import { newestSnapshots } from '../modules/entitlements/index.ts'
import { currentCounters, readPeriods, takeMoves } from '../modules/usage/index.ts'
import { transact } from '../platform/db.ts'
import { takePlaces, writeEvents } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'
import { budgetWith } from './steps/budget.ts'

/** So many commits' worth of moves are told in one transaction. */
const commitsAtOnce = 100

/**
 * Tells how far counters have moved, one event per customer whatever number of records moved them (EVT-4), and answers whose
 * they were. What is still to be told was written down by whoever moved them, so a killed process leaves nothing untold: the
 * next one finds it. All customers at once in a handful of statements; no counter is held meanwhile.
 */
export const announceUsage = (deps: Pick<Deps, 'db' | 'clock'>): Promise<string[]> =>
  transact(deps.db, async (tx) => {
    const moves = await takeMoves(tx, commitsAtOnce)
    if (moves.length === 0) return []
    const at = deps.clock.now()
    // The place in the stream comes first: a change that is committed later gets a later place, one before it is seen here.
    const tenantIds = [...new Set(moves.map(({ tenantId }) => tenantId))]
    const places = await takePlaces(tx, new Map(tenantIds.map((tenantId) => [tenantId, 1])))
    const moved = Map.groupBy(await readPeriods(tx, moves), (counter) => counter.tenantId)
    const told = [...moved.keys()]
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
    return told
  })
