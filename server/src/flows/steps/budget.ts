import type { Budget } from '@turnpike/contract'
import { numberOfMicro } from '../../core/quantity.ts'
import type { CustomerRecord } from '../../modules/customers/index.ts'
import { type SnapshotContent, windowAt } from '../../modules/entitlements/index.ts'
import { readCounter } from '../../modules/usage/index.ts'
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
): Promise<Omit<Budget, 'sequence'>> => {
  const window = windowAt(content.window, at)
  const entitlement = content.entitlements.find((candidate) => candidate.feature === content.budgetFeature)
  const metered = entitlement?.kind === 'metered' ? entitlement : null
  const used = metered ? await readCounter(on, customer.tenantId, metered.meter, window.start) : 0n
  return {
    tenantId: customer.tenantId,
    customerId: customer.customerId,
    subscriptionId: content.subscriptionId,
    planId: content.plan,
    feature: metered?.feature ?? null,
    totalBudget: metered && metered.enforcement === 'hard' ? metered.limit : null,
    currentSpend: numberOfMicro(used),
    periodStart: window.start.toString(),
    periodEnd: window.end.toString(),
  }
}
