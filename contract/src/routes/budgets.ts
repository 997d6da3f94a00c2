import { type RouteDefinition, route } from '../route.ts'
import { CustomerBudget, CustomerBudgetSet } from '../schemas/budget.ts'
import { CustomerParams } from '../schemas/customer.ts'

/** What a customer wants to spend on usage. */
export const budgetsRoutes = {
  getBudget: route({
    method: 'GET',
    path: '/customers/{customerId}/budget',
    summary: 'The budget of a customer and what usage costs until now',
    tag: 'Budgets',
    permission: 'billing:budgets:read',
    tenancy: 'object',
    params: CustomerParams,
    response: CustomerBudget,
  }),

  setBudget: route({
    method: 'PUT',
    path: '/customers/{customerId}/budget',
    summary: 'Set what a customer wants to spend on usage in a usage period',
    description:
      'Each threshold is told once in a usage period. With `cap` usage that would cost more is refused. A repeat changes nothing.',
    tag: 'Budgets',
    permission: 'billing:budgets:write',
    tenancy: 'object',
    params: CustomerParams,
    body: CustomerBudgetSet,
    response: CustomerBudget,
    problems: ['budget_invalid'],
  }),

  removeBudget: route({
    method: 'DELETE',
    path: '/customers/{customerId}/budget',
    summary: 'Take the budget of a customer away',
    tag: 'Budgets',
    permission: 'billing:budgets:write',
    tenancy: 'object',
    params: CustomerParams,
    response: CustomerBudget,
  }),
} as const satisfies Record<string, RouteDefinition>
