import { expect, test } from 'vitest'
import { type BudgetOptions, createBudgets } from '../src/gateway/budgets.ts'
import { budgetOf } from './support/wire.ts'

const start = Date.parse('2026-11-21T12:00:00Z')
const worldOf = (change: Parameters<typeof budgetOf>[1] = {}, options: BudgetOptions = {}) => {
  const clock = { now: start }
  const budgets = createBudgets({ now: () => clock.now, ...options })
  budgets.put(budgetOf('ana', change))
  return { clock, budgets }
}

test.each([
  [60, 40, true, 'within_budget'],
  [60, 41, false, 'budget_exhausted'],
  [100, 1, false, 'budget_exhausted'],
  [100, 0, true, 'within_budget'],
  [130, 1, false, 'budget_exhausted'],
] as const)('with %i of 100 spent, %i more is allowed: %s', (currentSpend, amount, allowed, reason) => {
  const { budgets } = worldOf({ currentSpend })
  expect(budgets.check('ana', amount)).toMatchObject({ allowed, reason, certain: true, remaining: 100 - currentSpend })
})

test('a budget without a total is unlimited', () => {
  const { budgets } = worldOf({ totalBudget: null, currentSpend: 1e9 })
  expect(budgets.check('ana', 1e9)).toMatchObject({ allowed: true, reason: 'unlimited', remaining: null })
})

test('what is spent here counts before the service has heard of it', () => {
  const { budgets } = worldOf({ currentSpend: 90 })
  budgets.spend('ana', 8)
  expect(budgets.check('ana', 3)).toMatchObject({ allowed: false, remaining: 2, currentSpend: 98 })
})

test('what the service has counted is not counted twice', () => {
  const { budgets } = worldOf({ currentSpend: 10 })
  budgets.spend('ana', 8)
  budgets.put(budgetOf('ana', { currentSpend: 15 }))
  expect(budgets.check('ana').currentSpend).toBe(18)
  budgets.put(budgetOf('ana', { currentSpend: 18 }))
  expect(budgets.check('ana').currentSpend).toBe(18)
  budgets.put(budgetOf('ana', { currentSpend: 30 }))
  expect(budgets.check('ana').currentSpend).toBe(30)
})

test('a row that changes something else, or lowers the counter, leaves the held spend alone', () => {
  const { budgets } = worldOf({ currentSpend: 10 })
  budgets.spend('ana', 8)
  budgets.put(budgetOf('ana', { currentSpend: 10, planId: 'pro', totalBudget: 500 }))
  expect(budgets.check('ana')).toMatchObject({ currentSpend: 18, totalBudget: 500 })
  budgets.put(budgetOf('ana', { currentSpend: 6 }))
  expect(budgets.check('ana').currentSpend).toBe(14)
})

const december = { periodStart: '2026-12-01T00:00:00Z', periodEnd: '2027-01-01T00:00:00Z' }

test('the end of the period is exclusive, and after it the answer is flagged', () => {
  const { clock, budgets } = worldOf({ currentSpend: 100 })
  clock.now = Date.parse('2026-12-01T00:00:00Z') - 1
  expect(budgets.check('ana')).toMatchObject({ allowed: false, certain: true })
  clock.now += 1
  expect(budgets.check('ana')).toMatchObject({ allowed: true, reason: 'period_unknown', certain: false })
})

test('whether to allow in an unknown period, and for unknown customers, is an option', () => {
  const { clock, budgets } = worldOf({}, { whenPeriodUnknown: 'refuse', whenTenantUnknown: 'allow' })
  clock.now = Date.parse('2026-12-01T00:00:00Z')
  expect(budgets.check('ana')).toMatchObject({ allowed: false, reason: 'period_unknown' })
  expect(budgets.check('bob')).toMatchObject({ allowed: true, reason: 'unknown_tenant', certain: false })
  expect(worldOf().budgets.check('bob')).toMatchObject({ allowed: false, reason: 'unknown_tenant' })
})

test('spend of the old period ends with it, spend after its end belongs to the new one', () => {
  const { clock, budgets } = worldOf({ currentSpend: 50 })
  budgets.spend('ana', 20)
  clock.now = Date.parse('2026-12-01T00:00:01Z')
  budgets.spend('ana', 5)
  expect(budgets.check('ana').currentSpend).toBe(5)
  budgets.put(budgetOf('ana', { ...december, currentSpend: 2 }))
  expect(budgets.check('ana')).toMatchObject({ currentSpend: 5, certain: true })
  budgets.put(budgetOf('ana', { ...december, currentSpend: 5 }))
  expect(budgets.check('ana').currentSpend).toBe(5)
})

test('decimals add up', () => {
  const { budgets } = worldOf({ totalBudget: 0.3, currentSpend: 0 })
  budgets.spend('ana', 0.1)
  budgets.spend('ana', 0.1)
  expect(budgets.check('ana', 0.1)).toMatchObject({ allowed: true, remaining: 0.1 })
  budgets.spend('ana', 0.1)
  expect(budgets.check('ana', 0.000001)).toMatchObject({ allowed: false, remaining: 0 })
})

test('large whole budgets stay exact', () => {
  const { budgets } = worldOf({ totalBudget: 999_999_999_999_999, currentSpend: 999_999_999_999_998 })
  expect(budgets.check('ana', 1)).toMatchObject({ allowed: true, remaining: 1 })
  expect(budgets.check('ana', 2).allowed).toBe(false)
})
