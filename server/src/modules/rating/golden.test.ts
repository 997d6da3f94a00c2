import { describe, expect, test } from 'vitest'
import { goldenTables } from './testing/golden.ts'
import { preview } from './testing/preview.ts'
import { slowTotal } from './testing/slow-rate.ts'

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
