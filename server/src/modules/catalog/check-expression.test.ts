import { describe, expect, test } from 'vitest'
import { checkExpression } from './check-expression.ts'

const good = [
  'true',
  'budget.currentSpend >= budget.totalBudget',
  'budget.totalBudget != null && budget.currentSpend / budget.totalBudget > 0.8',
  'request.model in ["a", "b"] || !(tenant.id == "x")',
  'request.model.startsWith("gpt-") ? true : false',
  'has(request.tier) && size(request.tags) > 0',
  'request.tags.exists(tag, tag == "vip" && tag != tenant.plan)',
  '{"a": 1}["a"] == 1',
  'request.path.matches(r"^/v1/")',
  '-1 < request.tokens && request.tokens % 2 == 0',
  "request.name == 'it\\'s'",
]
test.each(good)('%s can be read', (expression) => {
  expect(checkExpression(expression)).toBeNull()
})

const bad: [expression: string, sentence: string][] = [
  ['  ', 'The expression is empty.'],
  ['request.a = 1', 'Write "==", not "=".'],
  ['request.a == 1 and true', 'Write "&&", not "and".'],
  ['request.a or true', 'Write "||", not "or".'],
  ['request.a == ', 'Something is missing after "==".'],
  ['&& true', 'Something is missing before "&&".'],
  ['(true', '"(" is never closed.'],
  ['true)', '")" closes nothing.'],
  ['[true)', '")" closes nothing.'],
  ['request.a == "x', 'A text is never closed.'],
  ['request.a 1', 'An operator is missing before 1.'],
  ['user.name == 1', '"user" is not known: an expression reads request, budget and tenant.'],
  ['exec("rm")', '"exec" is no function that a match expression may call.'],
  ['request.a @ 1', '"@" means nothing in an expression.'],
  ['(true &&)', 'Something is missing after "&&".'],
  ['()', 'The brackets are empty.'],
]
describe('what cannot be read gets a sentence', () => {
  test.each(bad)('%s', (expression, sentence) => {
    expect(checkExpression(expression)).toBe(sentence)
  })
})

test('a very long expression is looked at in no time', () => {
  expect(checkExpression(`${'(true && '.repeat(20_000)}true`)).toBe('"(" is never closed.')
})
