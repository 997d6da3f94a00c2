import { Environment } from '@marcbachmann/cel-js'
import type { Budget, RoutingPolicy } from '@turnpike/contract'
import type { BudgetDecision } from './budgets.ts'

/** What expressions see as `request`: whatever the host gives. `id` decides weighted choices, `prices` the cheapest. */
export type RoutedRequest = { id?: string; prices?: Record<string, number> } & Record<string, unknown>

/** `target` is null when the policy refuses (or names no target). */
export type Route = { policyId: string; strategy: RoutingPolicy['strategy']; target: string | null }

type Matcher = (context: Record<string, unknown>) => boolean
type Compiled = { policy: RoutingPolicy; matches: Matcher }

export type Log = (message: string, detail: Record<string, unknown>) => void

/** Policies in order of priority (lowest first), compiled once. The first that matches decides. */
export const createRouter = (log: Log) => {
  const environment = new Environment()
    .registerVariable('request', 'dyn')
    .registerVariable('budget', 'dyn')
    .registerVariable('tenant', 'dyn')
  const matchers = new Map<string, Matcher>()
  let byPlan = new Map<string, Compiled[]>()

  const compile = (expression: string): Matcher => {
    let reported = false
    // An expression that fails matches nothing, and is reported once: it would fail for every request.
    const report = (error: unknown): false => {
      if (!reported) log('A routing expression fails; its policy never matches.', { expression, error: String(error) })
      reported = true
      return false
    }
    try {
      const evaluate = environment.parse(expression)
      return (context) => {
        try {
          const result: unknown = evaluate(context)
          return typeof result === 'boolean' ? result : report(`gives ${typeof result}, not a boolean`)
        } catch (error) {
          return report(error)
        }
      }
    } catch (error) {
      report(error)
      return () => false
    }
  }

  const setPolicies = (policies: RoutingPolicy[]): void => {
    const next = new Map<string, Compiled[]>()
    const used = new Set<string>()
    for (const policy of policies.toSorted((a, b) => a.priority - b.priority || compareText(a.id, b.id))) {
      const { matchExpression, planId } = policy
      used.add(matchExpression)
      const matches = matchers.get(matchExpression) ?? compile(matchExpression)
      matchers.set(matchExpression, matches)
      next.set(planId, [...(next.get(planId) ?? []), { policy, matches }])
    }
    for (const expression of matchers.keys()) if (!used.has(expression)) matchers.delete(expression)
    byPlan = next
  }

  /** Where the request goes; null when no policy of the customer's plan matches. */
  const route = (request: RoutedRequest, budget: Budget, decision: BudgetDecision): Route | null => {
    const policies = byPlan.get(budget.planId)
    if (!policies) return null
    const context = contextOf(request, budget, decision)
    const found = policies.find(({ matches }) => matches(context))
    if (!found) return null
    const { id: policyId, strategy } = found.policy
    return { policyId, strategy, target: targetOf(found.policy, request, budget.tenantId) }
  }

  return { setPolicies, route }
}

/** `remaining` is infinite when unlimited, so that comparing needs no case of its own. */
const contextOf = (request: RoutedRequest, budget: Budget, decision: BudgetDecision): Record<string, unknown> => ({
  request,
  budget: {
    planId: budget.planId,
    subscriptionId: budget.subscriptionId,
    feature: budget.feature,
    totalBudget: budget.totalBudget,
    currentSpend: decision.currentSpend,
    remaining: decision.remaining ?? Number.POSITIVE_INFINITY,
    usedPercent: budget.totalBudget ? (decision.currentSpend / budget.totalBudget) * 100 : 0,
    unlimited: budget.totalBudget === null,
    exhausted: decision.remaining !== null && decision.remaining <= 0,
    periodStart: budget.periodStart,
    periodEnd: budget.periodEnd,
  },
  tenant: { id: budget.tenantId, planId: budget.planId },
})

const targetOf = ({ strategy, targets }: RoutingPolicy, request: RoutedRequest, tenantId: string): string | null => {
  const first = targets[0]?.target ?? null
  if (strategy === 'refuse') return null
  if (strategy === 'weighted') return weighted(targets, request.id ?? tenantId) ?? first
  if (strategy === 'cheapest') return cheapest(targets, request.prices ?? {}) ?? first
  return first
}

/** The same id always gets the same target, on every gateway: a retry does not wander. */
const weighted = (targets: RoutingPolicy['targets'], id: string): string | null => {
  const total = targets.reduce((sum, { weight = 1 }) => sum + weight, 0)
  if (total === 0) return null
  let rest = hash(id) % total
  for (const { target, weight = 1 } of targets) {
    if (rest < weight) return target
    rest -= weight
  }
  return null
}

/** The lowest price that the request names; the earlier target when two are equal. */
const cheapest = (targets: RoutingPolicy['targets'], prices: Record<string, number>): string | null => {
  const priced = targets.filter(({ target }) => Object.hasOwn(prices, target) && Number.isFinite(prices[target]))
  const best = priced.reduce<number>((least, { target }) => Math.min(least, prices[target]!), Number.POSITIVE_INFINITY)
  return priced.find(({ target }) => prices[target] === best)?.target ?? null
}

/** FNV-1a with a final mix, because its low bits alone are uneven over ids that count up. */
const hash = (text: string): number => {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
