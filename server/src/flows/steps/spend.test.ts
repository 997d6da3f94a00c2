import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseDocument } from 'yaml'
import { nextCatalog, parseCatalog } from '../../modules/catalog/index.ts'
import type { SnapshotContent } from '../../modules/entitlements/index.ts'
import { outsideCap, spendOf } from './spend.ts'

const both = (amount: string) => ({ USD: amount, EUR: amount })
const catalogWith = (usagePrices: Record<string, unknown>) => {
  const file = parseDocument(readFileSync(new URL('../../../../catalog/acme.yaml', import.meta.url), 'utf8'))
  file.setIn(['plans', 'pro', 'usagePrices'], usagePrices)
  const parsed = parseCatalog(String(file))
  if (!parsed.ok) throw new Error(JSON.stringify(parsed))
  return nextCatalog(null, parsed.file)
}
const contentOf = (timeZone: string | undefined, capped = true): SnapshotContent => ({
  ...{ accessLevel: 'full', plan: 'pro', planVersion: 1, subscriptionId: 'subscription_1', withheld: false },
  ...{ window: { kind: 'calendar_month' }, budgetFeature: null, validUntil: null, entitlements: [] },
  ...(capped
    ? {
        spendCap: {
          ...{ amountMinor: '800', currency: 'USD', addOns: [], trialEndsAt: null },
          ...{ subscriptionStart: '2026-01-30T23:30:00Z', ...(timeZone ? { timeZone } : {}) },
        },
      }
    : {}),
})

test.each([
  // The 31st there: a month later is the 28th, at noon.
  ['Pacific/Auckland', 200n],
  // The 30th: a month later is the 28th too, a day later there.
  ['UTC', 100n],
  [undefined, 100n],
])('a cap counts the months of a price in the time zone of its customer, as the close does: %s', (timeZone, cost) => {
  const price = { model: 'per_unit', unitAmounts: both('1') }
  const ramp = [{ fromMonth: 1, model: 'per_unit', unitAmounts: both('2') }]
  const startMs = Date.parse('2026-02-27T23:30:00Z')
  const windowAt = () => ({ startMs, endMs: startMs + 86_400_000, resetsAt: '2026-02-28T23:30:00Z' })
  const spend = spendOf(catalogWith({ api_calls: { ...price, ramp } }), { content: contentOf(timeZone), windowAt })
  // 10,000 are included.
  expect(spend!.costMinor(startMs, [10_100_000_000n])).toBe(cost)
})

const catalog = catalogWith({
  api_calls: { model: 'per_unit', unitAmounts: both('1') },
  exports: { model: 'per_unit', unitAmounts: both('1'), bucket: { size: 'day' } },
  tokens: { model: 'percentage', percent: 1, fixedFees: both('30') },
  projects_in_use: { model: 'per_unit', unitAmounts: both('100') },
})

test('what a cap does not hold back is named with why; without a cap there is nothing to name', () => {
  expect(outsideCap(catalog, contentOf('UTC'))).toEqual([
    { meter: 'exports', name: 'Exports', why: 'parts_of_period' },
    { meter: 'tokens', name: 'Model tokens', why: 'fee_by_record' },
    { meter: 'projects_in_use', name: 'Projects in use', why: 'level' },
  ])
  expect(outsideCap(catalog, contentOf('UTC', false))).toEqual([])
  const singly = catalogWith({
    api_calls: { model: 'per_unit', unitAmounts: both('1') },
    tokens: { model: 'per_unit', unitAmounts: both('1'), bucket: { size: 'record' } },
  })
  expect(outsideCap(singly, contentOf('UTC'))).toEqual([
    { meter: 'tokens', name: 'Model tokens', why: 'single_records' },
  ])
})
