import { timeZonesOf } from '../../modules/customers/index.ts'
import { windowAt, windowsInForce } from '../../modules/entitlements/index.ts'
import { findTerms, ratingInput, type Subject, termsIn, type UsagePeriod } from '../../modules/periods/index.ts'
import { neededUsage, type RatingInput } from '../../modules/rating/index.ts'
import type { SubscriptionRecord } from '../../modules/subscriptions/index.ts'
import type { Db, Tx } from '../../platform/db.ts'
import type { Deps } from '../deps.ts'
import type { UsageOf } from './read-period-usage.ts'

/** A period with everything that it is rated by but its usage, and what of that has to be read. */
export type SubjectOf = { subject: Subject; input: RatingInput; usageOf: UsageOf }

/** What periods are rated by, in their order; null for one on no terms that we know. */
export const subjectsOf = async (
  on: Db | Tx,
  { catalog }: Pick<Deps, 'catalog'>,
  periods: readonly UsagePeriod[],
  subscriptions: ReadonlyMap<string, SubscriptionRecord>,
  tenantIds: readonly string[],
): Promise<(SubjectOf | null)[]> => {
  const history = Map.groupBy(await findTerms(on, tenantIds), ({ subscriptionId }) => subscriptionId)
  const windows = await windowsInForce(on, tenantIds)
  const timeZones = await timeZonesOf(on, tenantIds)
  return periods.map((period) => {
    const terms = termsIn(history.get(period.subscriptionId) ?? [], period.period)
    if (terms.length === 0) return null
    const subject: Subject = {
      period: period.period,
      regular: period.regular,
      timeZone: timeZones.get(period.tenantId) ?? 'UTC',
      subscriptionStart: subscriptions.get(period.subscriptionId)!.startedAt,
      terms,
      standing: { periodsBefore: 0, spentBeforeMinor: 0n, ends: false },
    }
    const input = ratingInput(catalog(), subject)
    const rule = windows.get(period.tenantId)?.window
    // The counter of a window that is cut elsewhere by now does not hear of what comes late.
    const window = period.byRecords || !rule ? null : windowAt(rule, period.period.start)
    const byCounter = window?.start.equals(period.period.start) === true && window.end.equals(period.period.end)
    return {
      subject,
      input,
      usageOf: {
        tenantId: period.tenantId,
        period: period.period,
        byCounter,
        needs: neededUsage(input),
        properties: propertiesOf(input),
      },
    }
  })
}

const propertiesOf = ({ charges }: RatingInput): Map<string, string> =>
  new Map(
    charges.flatMap(({ basis }) =>
      basis.kind === 'usage' && basis.property !== null ? [[basis.meter, basis.property]] : [],
    ),
  )
