import type { Budget } from '@turnpike/contract'
import { numberOfMicro } from '../../core/quantity.ts'
import type { CustomerRecord } from '../../modules/customers/index.ts'
import { countingOf, rememberWindow, type SnapshotContent } from '../../modules/entitlements/index.ts'
import { type CounterRow, currentCounters, lifetime } from '../../modules/usage/index.ts'
import type { Db, Tx } from '../../platform/db.ts'

/**
 * The customer's row of a gateway's `budgets` table (EVT-4): total is the limit of the plan's budget feature, spend is its
 * counter, both in units of its meter. Without a budget feature the total is unlimited and the spend 0.
 */
export const budgetOf = async (
  on: Db | Tx,
  customer: Pick<CustomerRecord, 'tenantId' | 'customerId'>,
  content: SnapshotContent,
  at: Temporal.Instant,
): Promise<Omit<Budget, 'sequence'>> =>
  budgetWith(customer, content, at, await currentCounters(on, [customer.tenantId], at.epochMilliseconds))

/** The same from counters that were read already. */
export const budgetWith = (
  customer: Pick<CustomerRecord, 'tenantId' | 'customerId'>,
  content: SnapshotContent,
  at: Temporal.Instant,
  counters: readonly CounterRow[],
): Omit<Budget, 'sequence'> => {
  const entitlement = content.entitlements.find((candidate) => candidate.feature === content.budgetFeature)
  const metered = entitlement?.kind === 'metered' ? entitlement : null
  const counting = metered && countingOf(metered)
  const atMs = at.epochMilliseconds
  // A sliding window has no counter that is told of: its row says what it was when it was last decided on.
  const window = (counting?.windowAt ?? rememberWindow(content.window))(atMs)
  const span = counting?.span ?? 'period'
  const startMs = counting?.slidingHours == null ? window.startMs : lifetime.startMs
  const counter = counters.find(
    (candidate) => candidate.meter === metered?.meter && candidate.span === span && candidate.windowStart === startMs,
  )
  return {
    tenantId: customer.tenantId,
    customerId: customer.customerId,
    subscriptionId: content.subscriptionId,
    planId: content.plan,
    feature: metered?.feature ?? null,
    totalBudget: metered && metered.enforcement === 'hard' ? metered.limit : null,
    currentSpend: numberOfMicro(counter?.used ?? 0n),
    periodStart: Temporal.Instant.fromEpochMilliseconds(window.startMs).toString(),
    periodEnd: window.resetsAt,
  }
}
