import { newId } from '../core/ids.ts'
import { sampleTenants } from '../modules/customers/index.ts'
import { counterDifference } from '../modules/reconciliation/index.ts'
import { findCounterDifferences } from '../modules/usage/index.ts'
import { systemActor } from '../platform/audit.ts'
import { readInOneView, transact } from '../platform/db.ts'
import { counter } from '../platform/telemetry.ts'
import type { Deps } from './deps.ts'
import { hoursComparedSince } from './steps/hours-kept.ts'
import { keepFindings } from './steps/keep-findings.ts'

const compared = counter('turnpike_counters_sampled', 'Customers whose counters were compared with their records')
const differing = counter('turnpike_counters_differing', 'Counters of the sample that differed from their records')

/** In so many days everybody is looked at once. */
const everyDays = 30
const atOnce = 50
const differencesMax = 100

/**
 * Compares all counters of a thirtieth of the customers with their records, another thirtieth each day, and opens findings
 * (USE-4). Both sides are read in one view, so that nothing that is on its way differs. Answers how many counters do.
 */
export const sampleCounters = async (deps: Deps): Promise<number> => {
  const at = deps.clock.now()
  const share = Math.floor(at.epochMilliseconds / 86_400_000) % everyDays
  const actor = systemActor('counters', newId('request'))
  let differences = 0
  // Whoever watches the figure sees it from the first run on.
  differing({}, 0)
  let after = ''
  for (;;) {
    const tenantIds = await sampleTenants(deps.db, { share, of: everyDays }, after, atOnce)
    if (tenantIds.length === 0) return differences
    const found = await readInOneView(deps.db, (tx) =>
      findCounterDifferences(tx, differencesMax, tenantIds, hoursComparedSince(at)),
    )
    for (const [tenantId, counters] of Map.groupBy(found, ({ tenantId }) => tenantId)) {
      const look = { tenantId, covered: ['counter_differs'] as const, differences: counters.map(counterDifference) }
      await transact(deps.db, (tx) => keepFindings(tx, deps, look, null, actor))
    }
    compared({}, tenantIds.length)
    if (found.length > 0) differing({}, found.length)
    differences += found.length
    after = tenantIds.at(-1)!
  }
}
