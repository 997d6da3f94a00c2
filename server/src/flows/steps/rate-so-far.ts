import type { RatingPreview } from '@turnpike/contract'
import { isBefore } from '../../core/period.ts'
import { findOpenPeriods, linesOf, ratingOf, type UsagePeriod } from '../../modules/periods/index.ts'
import type { Settings } from '../../modules/rating/index.ts'
import { findSubscriptions, type SubscriptionRecord } from '../../modules/subscriptions/index.ts'
import type { Db, Tx } from '../../platform/db.ts'
import type { Deps } from '../deps.ts'
import { readPeriodUsage } from './read-period-usage.ts'
import { subjectsOf } from './subjects-of.ts'

export type SoFar = {
  period: UsagePeriod
  subscription: SubscriptionRecord
  currency: string
  rated: RatingPreview
  lines: ReturnType<typeof linesOf>
  settings: Settings
}

/**
 * What the periods of a customer that are not rated yet come to by now, by the very rule of the close: the running one, and
 * those that are over and wait for it. Nothing is written.
 */
export const rateSoFar = async (
  on: Db | Tx,
  deps: Pick<Deps, 'catalog' | 'clock'>,
  tenantId: string,
): Promise<SoFar[]> => {
  const at = deps.clock.now()
  const open = (await findOpenPeriods(on, [tenantId])).filter(({ period }) => !isBefore(at, period.start))
  const subscriptions = new Map(
    (await findSubscriptions(on, tenantId)).map((record) => [record.subscriptionId, record]),
  )
  const subjects = await subjectsOf(on, deps, open, subscriptions, [tenantId])
  const usage = await readPeriodUsage(
    on,
    subjects.flatMap((each) => (each ? [each.usageOf] : [])),
  )
  let next = 0
  return open.flatMap((period, index): SoFar[] => {
    const known = subjects[index]
    const subscription = subscriptions.get(period.subscriptionId)
    if (!known || !subscription) return []
    const rated = ratingOf(known.subject, known.input, usage[next++]!).rated()
    const { currency, settings } = known.input
    return [{ period, subscription, currency, rated, lines: linesOf(period, rated, currency, []), settings }]
  })
}
