import { newId } from '../core/ids.ts'
import {
  findAlerts,
  findBudget,
  hasCapRefused,
  insertAlert,
  pageBudgets,
  tenantsWithBudget,
  thresholdsReached,
} from '../modules/budgets/index.ts'
import { lockCustomer } from '../modules/customers/index.ts'
import { appendAudit, systemActor } from '../platform/audit.ts'
import { transact } from '../platform/db.ts'
import { appendEvents, type NewEvent } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'
import { costSoFar } from './steps/cost-so-far.ts'
import { eachOf } from './steps/each-of.ts'

type AlertDeps = Pick<Deps, 'db' | 'clock' | 'catalog' | 'log'>

/**
 * Tells of the budgets of these customers whose cost has reached a threshold (INV-5): each once in a usage period, whatever
 * asks and however often. Called for customers whose counters moved; customers without a budget cost one statement together.
 */
export const alertBudgets = async (deps: AlertDeps, tenantIds: readonly string[]): Promise<void> => {
  if (tenantIds.length === 0) return
  await alertAll(deps, await tenantsWithBudget(deps.db, tenantIds))
}

/** All budgets, for what was not told because a process died. */
export const sweepBudgets = async (deps: AlertDeps): Promise<void> => {
  let after = ''
  for (;;) {
    const page = await pageBudgets(deps.db, after, 200)
    await alertAll(deps, page)
    if (page.length < 200) return
    after = page.at(-1)!
  }
}

const alertAll = (deps: AlertDeps, tenantIds: readonly string[]): Promise<number> =>
  eachOf(deps, 'budgets', tenantIds, (tenantId) =>
    transact(deps.db, async function alertBudget(tx) {
      const customer = await lockCustomer(tx, tenantId)
      const budget = await findBudget(tx, tenantId)
      if (!customer || !budget) return
      const cost = await costSoFar(tx, deps, tenantId)
      if (!cost || cost.currency !== budget.currency) return
      const at = deps.clock.now()
      const refused = budget.cap && (await hasCapRefused(tx, tenantId, cost.period.start))
      const told = new Set((await findAlerts(tx, budget, cost.period.start)).map(({ percent }) => percent))
      const actor = systemActor('budgets', newId('request'))
      const events: NewEvent[] = []
      for (const percent of thresholdsReached(budget, cost.costMinor, refused)) {
        if (told.has(percent)) continue
        const alert = { percent, costMinor: cost.costMinor, toldAt: at }
        if (!(await insertAlert(tx, budget, cost.period.start, alert))) continue
        const money = (amountMinor: bigint) => ({ amountMinor: String(amountMinor), currency: budget.currency })
        await appendAudit(tx, deps.clock, {
          tenantId,
          actor,
          action: 'budget.alert',
          object: customer.customerId,
          after: { percent, costMinor: String(cost.costMinor), currency: budget.currency },
        })
        events.push({
          type: 'budget.alert',
          data: {
            percent,
            amount: money(budget.amountMinor),
            cost: money(cost.costMinor),
            cap: budget.cap,
            refusing: refused,
            periodStart: cost.period.start.toString(),
            periodEnd: cost.period.end.toString(),
          },
        })
      }
      await appendEvents(tx, deps.clock, customer, actor.requestId, events)
    }),
  )
