import { RatingPreviewRequest } from '@turnpike/contract'
import { Value } from 'typebox/value'
import { describe, expect, test } from 'vitest'
import { goldenTables } from './testing/golden.ts'
import { featureTables } from './testing/golden-features.ts'
import { preview } from './testing/preview.ts'
import { slowTotal } from './testing/slow-rate.ts'

test('each example of a feature has a name of its own, which the words of the field lead to', () => {
  const titles = featureTables.flatMap(({ cases }) => cases.map(({ title }) => title))
  expect(new Set(titles).size).toBe(titles.length)
})

describe.each(featureTables)('$model, as a whole request (RAT-1)', ({ cases }) => {
  test.each(cases)('$title: $by', ({ request, lines, total }) => {
    // As it is printed and sent.
    expect(Value.Check(RatingPreviewRequest, JSON.parse(JSON.stringify(request)))).toBe(true)
    const view = preview(request)
    expect(view.lines.map((line) => line.amount.amountMinor)).toEqual(lines)
    expect(view.total.amountMinor).toBe(total)
    // A computed period is counted out by hand only; all else as somebody would who has time.
    if (request.period) expect(String(slowTotal(request))).toBe(total)
  })
})

describe.each(goldenTables)('$model, by hand (RAT-1)', ({ cases }) => {
  test('has at least ten cases, none of them twice', () => {
    expect(cases.length).toBeGreaterThanOrEqual(10)
    expect(new Set(cases.map(({ title }) => title)).size).toBe(cases.length)
  })

  test.each(cases)('$title: $by', ({ request, lines, total }) => {
    const view = preview(request)
    expect(view.lines.map((line) => line.amount.amountMinor)).toEqual(lines)
    expect(view.total.amountMinor).toBe(total)
    // And as somebody would count it out who has time.
    expect(String(slowTotal(request))).toBe(total)
  })
})
