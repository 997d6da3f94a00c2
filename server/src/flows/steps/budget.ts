import type { Budget } from '@turnpike/contract'
import { numberOfMicro } from '../../core/quantity.ts'
import type { CustomerRecord } from '../../modules/customers/index.ts'
import { type SnapshotContent, windowAt } from '../../modules/entitlements/index.ts'
import { type CounterRow, currentCounters } from '../../modules/usage/index.ts'
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
  const window = windowAt(content.window, at)
  const entitlement = content.entitlements.find((candidate) => candidate.feature === content.budgetFeature)
  const metered = entitlement?.kind === 'metered' ? entitlement : null
  const counter = counters.find(
    ({ meter, span, windowStart }) =>
      meter === metered?.meter && span === 'period' && windowStart === window.start.epochMilliseconds,
  )
  return {
    tenantId: customer.tenantId,
    customerId: customer.customerId,
    subscriptionId: content.subscriptionId,
    planId: content.plan,
    feature: metered?.feature ?? null,
    totalBudget: metered && metered.enforcement === 'hard' ? metered.limit : null,
    currentSpend: numberOfMicro(counter?.used ?? 0n),
    periodStart: window.start.toString(),
    periodEnd: window.end.toString(),
  }
}
