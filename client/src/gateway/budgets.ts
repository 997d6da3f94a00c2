import type { Budget } from '@turnpike/contract'

/**
 * `certain: false`: the answer rests on an option and not on what the service said: the customer is unknown here, or the
 * period has ended and the event of the next one has not arrived.
 */
export type BudgetDecision = {
  allowed: boolean
  reason: 'within_budget' | 'budget_exhausted' | 'unlimited' | 'period_unknown' | 'unknown_tenant'
  certain: boolean
  /** Null is unlimited, or unknown. */
  remaining: number | null
  totalBudget: number | null
  /** What the service counted plus what was spent here and is not in it yet. */
  currentSpend: number
  periodEnd: string | null
}

export type BudgetOptions = {
  /** After the end of a period, until its renewal is known; `allow` unless told. */
  whenPeriodUnknown?: 'allow' | 'refuse'
  /** For customers that the service has not named; `refuse` unless told. */
  whenTenantUnknown?: 'allow' | 'refuse'
  now?: () => number
}

/** `pending` belongs to the period of `budget`, `pendingNext` to the one after it, whose row has not arrived. */
type Held = { budget: Budget; periodEndMs: number; pending: number; pendingNext: number }

/**
 * The budgets in memory, and the local decision over them.
 *
 * Spend that is not in the service's counters yet is held beside the row. When the row arrives with a higher
 * `currentSpend`, the held spend shrinks by the difference; when a new period begins, what was spent in the old one is let
 * go. It is therefore exact for one gateway that reports what it spends. With several gateways another's report may release
 * spend held here: the sum is then short by at most what is under way, and right again when every report has arrived.
 * Held spend is in memory only: after a restart it is what the service has counted.
 */
export const createBudgets = (options: BudgetOptions = {}) => {
  const { now = Date.now } = options
  const whenPeriodUnknown = options.whenPeriodUnknown !== 'refuse'
  const whenTenantUnknown = options.whenTenantUnknown === 'allow'
  const held = new Map<string, Held>()

  const put = (budget: Budget): void => {
    const before = held.get(budget.tenantId)
    const periodEndMs = Date.parse(budget.periodEnd)
    if (!before) {
      held.set(budget.tenantId, { budget, periodEndMs, pending: 0, pendingNext: 0 })
      return
    }
    const samePeriod = before.budget.periodStart === budget.periodStart
    const reported = samePeriod ? budget.currentSpend - before.budget.currentSpend : budget.currentSpend
    const waiting = samePeriod ? before.pending : before.pendingNext
    before.pending = exact(Math.max(0, waiting - Math.max(0, reported)))
    if (!samePeriod) before.pendingNext = 0
    before.budget = budget
    before.periodEndMs = periodEndMs
  }

  /** Whether the customer may spend `amount` more, decided from memory. */
  const check = (tenantId: string, amount = 1): BudgetDecision => {
    const known = held.get(tenantId)
    if (!known) {
      return {
        allowed: whenTenantUnknown,
        reason: 'unknown_tenant',
        certain: false,
        remaining: null,
        totalBudget: null,
        currentSpend: 0,
        periodEnd: null,
      }
    }
    const { totalBudget, periodEnd } = known.budget
    const over = now() >= known.periodEndMs
    const currentSpend = over ? known.pendingNext : exact(known.budget.currentSpend + known.pending)
    const remaining = totalBudget === null ? null : exact(totalBudget - currentSpend)
    const fits = remaining === null || exact(amount) <= remaining
    if (over) {
      const allowed = whenPeriodUnknown
      return { allowed, reason: 'period_unknown', certain: false, remaining, totalBudget, currentSpend, periodEnd }
    }
    const reason = remaining === null ? 'unlimited' : fits ? 'within_budget' : 'budget_exhausted'
    return { allowed: fits, reason, certain: true, remaining, totalBudget, currentSpend, periodEnd }
  }

  /** Notes spend that the service has not counted yet. Reporting it is the host's part: `client.reportUsage(…)`. */
  const spend = (tenantId: string, amount: number): void => {
    const known = held.get(tenantId)
    if (!known) return
    if (now() >= known.periodEndMs) known.pendingNext = exact(known.pendingNext + amount)
    else known.pending = exact(known.pending + amount)
  }

  return {
    put,
    replaceAll: (budgets: Budget[]): void => {
      const named = new Set(budgets.map((budget) => budget.tenantId))
      for (const tenantId of held.keys()) if (!named.has(tenantId)) held.delete(tenantId)
      for (const budget of budgets) put(budget)
    },
    check,
    spend,
    get: (tenantId: string): Budget | null => held.get(tenantId)?.budget ?? null,
    plans: (): Set<string> => new Set(Array.from(held.values(), ({ budget }) => budget.planId)),
    size: (): number => held.size,
  }
}

// Quantities have at most 6 decimals; sums of them are rounded there, so that 0.1 three times is 0.3.
const exact = (quantity: number): number => (Number.isInteger(quantity) ? quantity : Math.round(quantity * 1e6) / 1e6)
