import type { CatalogPlan, RatingPreview } from '@turnpike/contract'
import { assert } from '../../core/errors.ts'
import { isBefore } from '../../core/period.ts'
import { type Catalog, findPlan } from '../../modules/catalog/index.ts'
import { timeZonesOf } from '../../modules/customers/index.ts'
import { snapshotAt, windowAt, windowsInForce } from '../../modules/entitlements/index.ts'
import {
  beginWith,
  findLeftBefore,
  findTerms,
  type Left,
  leave,
  ratingInput,
  type Subject,
  termsIn,
  type UsagePeriod,
} from '../../modules/periods/index.ts'
import { neededUsage, type RatingInput } from '../../modules/rating/index.ts'
import type { SubscriptionRecord } from '../../modules/subscriptions/index.ts'
import type { Db, Tx } from '../../platform/db.ts'
import type { Deps } from '../deps.ts'
import type { UsageOf } from './read-period-usage.ts'

/** A period with everything that it is rated by but its usage, and what of that has to be read. */
export type SubjectOf = Begun & {
  usageOf: UsageOf
  /** The same, when the period before leaves something else than is kept of it. */
  after(left: Left | null): Begun
}
type Begun = { subject: Subject; input: RatingInput; leaves(rated: RatingPreview): Left }

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
  const leftBefore = await findLeftBefore(on, periods)
  const subjects: (SubjectOf | null)[] = []
  for (const period of periods) {
    const terms = termsIn(history.get(period.subscriptionId) ?? [], period.period)
    const [first, last] = [terms[0], terms.at(-1)]
    if (!first || !last) {
      subjects.push(null)
      continue
    }
    const subscription = subscriptions.get(period.subscriptionId)!
    const end = subscription.endedAt ?? subscription.endsAt
    const included = await carriedByGrants(on, catalog(), period, first)
    const after = (left: Left | null): Begun => {
      const begun = beginWith(left, first, planOf(catalog(), first), end !== null && !isBefore(period.period.end, end))
      const subject: Subject = {
        period: period.period,
        regular: period.regular,
        // Who moves to another zone is not billed anew for what was billed already.
        timeZone: period.ratedIn ?? timeZones.get(period.tenantId) ?? 'UTC',
        subscriptionStart: subscription.startedAt,
        terms,
        included,
        ...begun,
      }
      const input = ratingInput(catalog(), subject)
      return { subject, input, leaves: (rated) => leave(terms, planOf(catalog(), last), begun, input, rated) }
    }
    const begun = after(leftBefore.get(period.periodId) ?? null)
    const rule = windows.get(period.tenantId)?.window
    // The counter of a window that is cut elsewhere by now does not hear of what comes late.
    const window = period.byRecords || !rule ? null : windowAt(rule, period.period.start)
    const byCounter = window?.start.equals(period.period.start) === true && window.end.equals(period.period.end)
    subjects.push({
      ...begun,
      after,
      usageOf: {
        tenantId: period.tenantId,
        period: period.period,
        byCounter,
        needs: neededUsage(begun.input),
        properties: propertiesOf(begun.input),
      },
    })
  }
  return subjects
}

const planOf = (catalog: Catalog, { plan, planVersion }: { plan: string; planVersion: number }): CatalogPlan => {
  const version = findPlan(catalog, plan, planVersion)
  assert(version, `${plan} at version ${planVersion} is kept as long as somebody was on it`)
  return version.content
}

/**
 * What grants have carried into the window of a period: there the entitlement of its time says what is included. Asked for
 * plans only whose grants carry anything on.
 */
const carriedByGrants = async (
  on: Db | Tx,
  catalog: Catalog,
  { tenantId, period }: UsagePeriod,
  terms: { plan: string; planVersion: number },
): Promise<Record<string, number>> => {
  const grants = Object.values(planOf(catalog, terms).grants)
  if (!grants.some((grant) => typeof grant === 'object' && 'rollover' in grant && grant.rollover !== undefined))
    return {}
  const snapshot = await snapshotAt(on, tenantId, period.end.subtract({ milliseconds: 1 }))
  return Object.fromEntries(
    (snapshot?.content.entitlements ?? []).flatMap((entitlement) =>
      entitlement.kind === 'metered' &&
      entitlement.carried !== undefined &&
      entitlement.carried.lots.length > 0 &&
      Temporal.Instant.from(entitlement.carried.windowStart).equals(period.start) &&
      entitlement.included !== null
        ? [[entitlement.meter, entitlement.included]]
        : [],
    ),
  )
}

const propertiesOf = ({ charges }: RatingInput): Map<string, string> =>
  new Map(
    charges.flatMap(({ basis }) =>
      basis.kind === 'usage' && basis.property !== null ? [[basis.meter, basis.property]] : [],
    ),
  )
