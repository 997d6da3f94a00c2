import type { Budget, RoutingPolicy } from '@turnpike/contract'
import { expect, test } from 'vitest'
import { createBudgets } from '../src/gateway/budgets.ts'
import { createRouter, type RoutedRequest } from '../src/gateway/routing.ts'
import { budgetOf } from './support/wire.ts'

const policy = (change: Partial<RoutingPolicy>): RoutingPolicy => ({
  id: 'default',
  planId: 'free',
  priority: 10,
  matchExpression: 'true',
  strategy: 'first',
  targets: [{ target: 'small' }, { target: 'large' }],
  ...change,
})

const routerOf = (policies: RoutingPolicy[]) => {
  const logged: unknown[] = []
  const router = createRouter((_message, detail) => logged.push(detail))
  router.setPolicies(policies)
  const route = (request: RoutedRequest, change: Partial<Budget> = {}) => {
    const budget = budgetOf('ana', { periodEnd: '2999-01-01T00:00:00Z', ...change })
    const budgets = createBudgets()
    budgets.put(budget)
    return router.route(request, budget, budgets.check('ana'))
  }
  return { router, route, logged }
}

test.each([
  ['request.model == "large" && request.tokens > 100', { model: 'large', tokens: 200 }, {}, true],
  ['request.model == "large" && request.tokens > 100', { model: 'large', tokens: 100 }, {}, false],
  ['"beta" in request.tags', { tags: ['beta'] }, {}, true],
  ['has(request.region) && request.region.startsWith("eu-")', {}, {}, false],
  ['budget.remaining < 10', {}, { currentSpend: 95.5 }, true],
  ['budget.remaining < 10', {}, { totalBudget: null }, false],
  ['budget.usedPercent >= 80', {}, { currentSpend: 80 }, true],
  ['budget.exhausted', {}, { currentSpend: 100 }, true],
  ['budget.unlimited', {}, { totalBudget: null }, true],
  ['tenant.id == "ana" && tenant.planId == "free"', {}, {}, true],
])('%s over %j and %j: %s', (matchExpression, request, change, matches) => {
  const { route, logged } = routerOf([policy({ matchExpression })])
  expect(route(request, change) !== null).toBe(matches)
  expect(logged).toEqual([])
})

test.each([
  ['1 +', 'is no expression'],
  ['request.missing == 1', 'looks at something that is not there'],
  ['request.model < 3', 'compares what cannot be compared'],
  ['unheard_of', 'names something unknown'],
  ['request.model', 'gives no boolean'],
])('a policy whose expression %s (%s) never matches, and is reported once', (matchExpression) => {
  const { route, logged } = routerOf([
    policy({ id: 'broken', priority: 1, matchExpression }),
    policy({ id: 'fallback', priority: 2 }),
  ])
  expect(route({ model: 'large' })).toMatchObject({ policyId: 'fallback' })
  expect(route({ model: 'large' })).toMatchObject({ policyId: 'fallback' })
  expect(logged).toHaveLength(1)
})

test('the lowest priority number decides, whatever the order of the list', () => {
  const policies = [
    policy({ id: 'late', priority: 20 }),
    policy({ id: 'early', priority: 5 }),
    policy({ id: 'middle' }),
  ]
  expect(routerOf(policies).route({})).toMatchObject({ policyId: 'early' })
})

test("only the policies of the customer's plan count", () => {
  const { route } = routerOf([policy({ id: 'pro', planId: 'pro' })])
  expect(route({}, { planId: 'pro' })).toMatchObject({ policyId: 'pro' })
  expect(route({}, { planId: 'free' })).toBeNull()
})

test('policies that were replaced are gone', () => {
  const { router, route } = routerOf([policy({ id: 'old' })])
  router.setPolicies([policy({ id: 'new' })])
  expect(route({})).toMatchObject({ policyId: 'new' })
})

test('first takes the first target, refuse takes none', () => {
  expect(routerOf([policy({})]).route({})).toEqual({ policyId: 'default', strategy: 'first', target: 'small' })
  expect(routerOf([policy({ strategy: 'refuse' })]).route({})).toMatchObject({ strategy: 'refuse', target: null })
})

test.each([
  [{ small: 3, large: 2 }, 'large'],
  [{ small: 2, large: 2 }, 'small'],
  [{ large: 9 }, 'large'],
  [{ other: 1 }, 'small'],
  [undefined, 'small'],
])('the cheapest of %j is %s', (prices, target) => {
  expect(routerOf([policy({ strategy: 'cheapest' })]).route({ prices })).toMatchObject({ target })
})

test('a weighted choice is the same for the same request and follows the weights over many', () => {
  const targets = [{ target: 'small', weight: 3 }, { target: 'large' }]
  const { route } = routerOf([policy({ strategy: 'weighted', targets })])
  const choose = (id: string) => route({ id })!.target
  expect(choose('request_42')).toBe(choose('request_42'))
  const chosen = Array.from({ length: 2_000 }, (_, n) => choose(`request_${n}`))
  const small = chosen.filter((target) => target === 'small').length
  expect(small).toBeGreaterThan(1_400)
  expect(small).toBeLessThan(1_600)
})
