import { newId } from '../core/ids.ts'
import { instantOfRow, isBefore } from '../core/period.ts'
import { lockCustomer, pageTenants } from '../modules/customers/index.ts'
import { unsettledSince } from '../modules/periods/index.ts'
import { archiveRecords, dropOldHours, type UsageWindow, windowsToArchive } from '../modules/usage/index.ts'
import { type Actor, appendAudit, systemActor } from '../platform/audit.ts'
import { transact } from '../platform/db.ts'
import { counter } from '../platform/telemetry.ts'
import type { Deps } from './deps.ts'
import { hoursKeptDays } from './steps/hours-kept.ts'

const archived = counter('turnpike_usage_archived_records', 'Usage records moved into archives')

const tenantsAtOnce = 200
const day = { hours: 24 }

/**
 * Moves raw records of windows that are settled and ended longer ago than policy keeps them into archives, and drops hour counters of long ago
 * (PRV-1). Run by the schedule. Each batch is a transaction of its own: a run may be broken off anywhere, and the next one goes
 * on. Without `policies.usage.keepDays` nothing is archived. Answers how many records were moved.
 */
export const archiveUsage = async (deps: Deps, batch = 5_000): Promise<number> => {
  const at = deps.clock.now()
  const { policies, meters } = deps.catalog().file
  const { keepDays } = policies.usage
  const actor = systemActor('archive', newId('request'))
  let moved = 0
  let after = ''
  for (;;) {
    const page = (await pageTenants(deps.db, after, tenantsAtOnce)).map(({ tenantId }) => tenantId)
    if (page.length === 0) return moved
    await dropOldHours(deps.db, page, Object.keys(meters), at.subtract({ hours: day.hours * hoursKeptDays }))
    if (keepDays !== undefined) {
      const unsettled = await unsettledSince(deps.db, page)
      for (const window of await windowsToArchive(deps.db, page, at.subtract({ hours: day.hours * keepDays }))) {
        const since = unsettled.get(window.tenantId)
        // Billing may still add up its records.
        if (since && isBefore(since, instantOfRow(window.windowEnd))) continue
        try {
          moved += await archiveWindow(deps, actor, window, at, batch)
        } catch (error) {
          // One customer whose records cannot be moved does not hold up the others.
          deps.log.error({ err: error, ...window }, 'usage could not be archived; the next run tries again')
        }
      }
    }
    after = page.at(-1)!
  }
}

const archiveWindow = async (
  deps: Deps,
  actor: Actor,
  window: UsageWindow,
  at: Temporal.Instant,
  batch: number,
): Promise<number> => {
  let moved = 0
  for (;;) {
    const records = await transact(deps.db, async (tx) => {
      // Corrections look for their record under the same lock.
      if (!(await lockCustomer(tx, window.tenantId))) return 0
      const count = await archiveRecords(tx, window, at, batch)
      if (count > 0)
        await appendAudit(tx, deps.clock, {
          tenantId: window.tenantId,
          actor,
          action: 'usage.archived',
          object: `${window.meter} ${window.windowStart}`,
          after: { records: count },
        })
      return count
    })
    moved += records
    archived({}, records)
    if (records < batch) return moved
  }
}
