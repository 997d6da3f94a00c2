import type { CustomerBudgetSet } from '@turnpike/contract'
import { fail } from '../core/errors.ts'
import { type BudgetRecord, deleteBudget, findBudget, saveBudget } from '../modules/budgets/index.ts'
import { lockCustomer } from '../modules/customers/index.ts'
import { findSubscriptions, leadingSubscription } from '../modules/subscriptions/index.ts'
import { type Actor, appendAudit } from '../platform/audit.ts'
import { transact } from '../platform/db.ts'
import { appendEvents } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'
import { refreshEntitlements } from './steps/refresh-entitlements.ts'

/**
 * Sets or takes away what a customer wants to spend on usage in a usage period (INV-5). A cap is part of the entitlements: from
 * the next snapshot on, usage that would cost more is refused. The same again changes nothing.
 */
export const setBudget = (
  deps: Deps,
  actor: Actor,
  tenantId: string,
  request: CustomerBudgetSet | null,
): Promise<BudgetRecord | null> =>
  transact(deps.db, async function setBudgetOnce(tx) {
    const customer = await lockCustomer(tx, tenantId)
    if (!customer) throw fail('not_found')
    const at = deps.clock.now()
    const before = await findBudget(tx, tenantId)
    const held = leadingSubscription(await findSubscriptions(tx, tenantId), deps.catalog().file.policies.access)
    if (request && held && held.currency !== request.currency)
      throw fail('budget_invalid', {
        errors: [{ field: 'currency', message: `The subscription is in ${held.currency}.` }],
      })
    const after: BudgetRecord | null = request && {
      tenantId,
      amountMinor: BigInt(request.amountMinor),
      currency: request.currency,
      alertAtPercent: [...new Set(request.alertAtPercent)].sort((a, b) => a - b),
      cap: request.cap,
      setBy: actor.id,
      setAt: at,
    }
    if (substanceOf(before) === substanceOf(after)) return before
    if (after) await saveBudget(tx, after)
    else await deleteBudget(tx, tenantId)
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: after ? 'budget.set' : 'budget.remove',
      object: customer.customerId,
      before: before && wordsOf(before),
      after: after && wordsOf(after),
    })
    const refreshed = await refreshEntitlements(tx, deps, customer, at, 'budget changed', actor.requestId)
    await appendEvents(
      tx,
      deps.clock,
      customer,
      actor.requestId,
      [{ type: 'budget.updated', data: { budget: after && wordsOf(after) } }, ...refreshed.events],
      refreshed.budgetNow,
    )
    return after
  })

const wordsOf = ({ amountMinor, currency, alertAtPercent, cap }: BudgetRecord) => ({
  amount: { amountMinor: String(amountMinor), currency },
  alertAtPercent,
  cap,
})
const substanceOf = (budget: BudgetRecord | null): string => JSON.stringify(budget && wordsOf(budget))
