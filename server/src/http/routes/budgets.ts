import type { CustomerBudget } from '@turnpike/contract'
import { setBudget } from '../../flows/set-budget.ts'
import { costSoFar } from '../../flows/steps/cost-so-far.ts'
import { outsideCap } from '../../flows/steps/spend.ts'
import { findAlerts, findBudget } from '../../modules/budgets/index.ts'
import { newestSnapshot } from '../../modules/entitlements/index.ts'
import { readInOneView } from '../../platform/db.ts'
import type { Handlers, HttpDeps } from '../handler.ts'
import { owned } from './customers.ts'

export const budgetHandlers: Handlers<'getBudget' | 'setBudget' | 'removeBudget'> = {
  getBudget: async (context) => budgetView(context.deps, (await owned(context)).tenantId),

  setBudget: async (context) => {
    const { tenantId } = await owned(context)
    await setBudget(context.deps, context.actor, tenantId, context.body)
    return budgetView(context.deps, tenantId)
  },

  removeBudget: async (context) => {
    const { tenantId } = await owned(context)
    await setBudget(context.deps, context.actor, tenantId, null)
    return budgetView(context.deps, tenantId)
  },
}

const budgetView = (deps: HttpDeps, tenantId: string): Promise<CustomerBudget> =>
  readInOneView(deps.db, async (tx) => {
    const budget = await findBudget(tx, tenantId)
    const cost = await costSoFar(tx, deps, tenantId)
    const snapshot = budget?.cap ? await newestSnapshot(tx, tenantId) : null
    const alerts = budget && cost ? await findAlerts(tx, budget, cost.period.start) : []
    return {
      tenantId,
      budget: budget && {
        amountMinor: String(budget.amountMinor),
        currency: budget.currency,
        alertAtPercent: budget.alertAtPercent,
        cap: budget.cap,
        setBy: budget.setBy,
        setAt: budget.setAt.toString(),
      },
      cost: cost && { amountMinor: String(cost.costMinor), currency: cost.currency },
      period: cost && { start: cost.period.start.toString(), end: cost.period.end.toString() },
      percent:
        budget && cost && budget.amountMinor > 0n && budget.currency === cost.currency
          ? Number((cost.costMinor * 100n) / budget.amountMinor)
          : null,
      alerts: alerts.map(({ percent, toldAt }) => ({ percent, toldAt: toldAt.toString() })),
      capLeavesOut: snapshot ? outsideCap(deps.catalog(), snapshot.content) : [],
    }
  })
