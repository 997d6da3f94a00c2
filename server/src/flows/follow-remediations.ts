import { followRemediation, listOpenRemediations } from '../modules/downgrades/index.ts'
import type { Deps } from './deps.ts'
import { lapse } from './lapse-entitlements.ts'
import { stillOver } from './steps/follow-remediations.ts'

const page = 200

/**
 * Looks whether what was above a smaller plan's limits fits by now, and whether a reminder or a deadline is due (SUB-5). Deadlines
 * also happen with the first check after them; this is for those whom nobody asks about. A repeat finds nothing to do.
 */
export const followRemediationsDue = async (
  deps: Pick<Deps, 'db' | 'clock' | 'catalog' | 'live' | 'log'>,
): Promise<number> => {
  const at = deps.clock.now()
  let after = ''
  let moved = 0
  for (;;) {
    const open = await listOpenRemediations(deps.db, after, page)
    for (const remediation of open) {
      try {
        const over = await stillOver(deps.db, deps, remediation, at)
        if (followRemediation(remediation, over.length > 0, at).length === 0) continue
        await lapse(deps, remediation.tenantId, 'downgrade')
        moved++
      } catch (error) {
        deps.log.warn(
          { err: error, remediationId: remediation.remediationId },
          'a remediation could not be followed; the next run tries again',
        )
      }
    }
    if (open.length < page) return moved
    after = open.at(-1)!.remediationId
  }
}
