import { isBefore, type Period } from '../../core/period.ts'
import { findOpenPeriods } from '../../modules/periods/index.ts'
import { rate } from '../../modules/rating/index.ts'
import { findSubscriptionsOf } from '../../modules/subscriptions/index.ts'
import type { Tx } from '../../platform/db.ts'
import type { Deps } from '../deps.ts'
import { readPeriodUsage } from './read-period-usage.ts'
import { subjectsOf } from './subjects-of.ts'

/**
 * What the usage of the running period costs until now, as its close would rate it, changes of plan included, but for minimums
 * and commitments, which are no usage (INV-5). Null for a customer without a running period.
 */
export const costSoFar = async (
  tx: Tx,
  deps: Pick<Deps, 'catalog' | 'clock'>,
  tenantId: string,
): Promise<{ period: Period; currency: string; costMinor: bigint } | null> => {
  const at = deps.clock.now()
  // The last that has begun: those before it are over and wait for their close.
  const period = (await findOpenPeriods(tx, [tenantId])).findLast((each) => !isBefore(at, each.period.start))
  if (!period) return null
  const subscriptions = new Map(
    (await findSubscriptionsOf(tx, [tenantId])).map((record) => [record.subscriptionId, record]),
  )
  const [known] = await subjectsOf(tx, deps, [period], subscriptions, [tenantId])
  if (!known) return null
  const [usage] = await readPeriodUsage(tx, [known.usageOf])
  const input = { ...known.input, minimum: null }
  return {
    period: period.period,
    currency: input.currency,
    costMinor: rate({ ...input, usage: usage ?? [] }).totalMinor,
  }
}
