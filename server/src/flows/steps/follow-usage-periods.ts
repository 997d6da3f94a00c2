import { idFor } from '../../core/ids.ts'
import type { CustomerRecord } from '../../modules/customers/index.ts'
import { type SnapshotContent, usagePeriodInForce } from '../../modules/entitlements/index.ts'
import {
  areNewTerms,
  findOpenPeriods,
  findTerms,
  followPeriods,
  insertPeriods,
  insertTerms,
  movePeriod,
  ratedUntil,
  removePeriod,
  type UsagePeriod,
} from '../../modules/periods/index.ts'
import type { SubscriptionRecord } from '../../modules/subscriptions/index.ts'
import type { Tx } from '../../platform/db.ts'
import type { SubscriptionChange } from './apply-subscriptions.ts'

/** What has not begun yet, or never will, owes nothing for usage. */
const isBilled = ({ status }: SubscriptionRecord): boolean => status !== 'incomplete' && status !== 'incomplete_expired'

/**
 * Keeps on which terms each subscription is from when on, and which stretch of time is counted for the next bill, in the
 * transaction that changes the subscription (INV-6). The caller holds the customer's row. The same state again writes nothing.
 */
export const followUsagePeriods = async (
  tx: Tx,
  customer: CustomerRecord,
  current: readonly SubscriptionRecord[],
  changes: readonly SubscriptionChange[],
  content: SnapshotContent,
  at: Temporal.Instant,
): Promise<void> => {
  const { tenantId, customerId } = customer
  const known = await findTerms(tx, [tenantId])
  for (const { record, effectiveAt } of changes) {
    if (!isBilled(record)) continue
    const last = known.findLast(({ subscriptionId }) => subscriptionId === record.subscriptionId) ?? null
    const { subscriptionId, plan, planVersion, price, currency, seats, addOns, trialEndsAt } = record
    const now = { tenantId, subscriptionId, plan, planVersion, price, currency, seats, addOns, trialEndsAt }
    if (areNewTerms(last, now)) await insertTerms(tx, { ...now, from: last === null ? record.startedAt : effectiveAt })
  }
  const window = usagePeriodInForce(content.window, at)
  const paying = current.find(
    ({ subscriptionId, endedAt }) => subscriptionId === content.subscriptionId && endedAt === null,
  )
  const inForce = window && paying && isBilled(paying) ? { subscriptionId: paying.subscriptionId, window } : null
  const open = await findOpenPeriods(tx, [tenantId])
  const { removed, moved, opened } = followPeriods(open, await ratedUntil(tx, tenantId), inForce, (subscriptionId) => {
    const record = current.find((each) => each.subscriptionId === subscriptionId)
    return record ? record.endedAt : at
  })
  for (const period of removed) await removePeriod(tx, period)
  for (const period of moved) await movePeriod(tx, period)
  if (opened) await insertPeriods(tx, [openedPeriod({ tenantId, customerId, ...opened }, at)])
}

/** A new period. Its id follows from what it is of, so that it is opened once, whoever opens it. */
export const openedPeriod = (
  of: Pick<UsagePeriod, 'tenantId' | 'customerId' | 'subscriptionId' | 'period' | 'regular' | 'byRecords'>,
  at: Temporal.Instant,
): UsagePeriod => ({
  ...of,
  periodId: idFor('period', `${of.subscriptionId} ${of.period.start}`),
  state: 'open',
  openedAt: at,
  ratedAt: null,
  lateUntil: null,
  inputHash: null,
  ratedIn: null,
  leaves: null,
})
