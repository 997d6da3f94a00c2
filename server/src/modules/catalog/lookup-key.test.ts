import { readFileSync } from 'node:fs'
import type { CatalogFile } from '@turnpike/contract'
import { expect, test } from 'vitest'
import { baselinePlan, findPlan, nextCatalog } from './catalog.ts'
import { lookupKeyOf, resolveLookupKey } from './lookup-key.ts'
import { parseCatalog } from './parse.ts'
import { amountOf, intervalOf, intervalText, type PriceRef } from './price.ts'

const source = readFileSync(new URL('../../../../catalog/acme.yaml', import.meta.url), 'utf8')
const acme = (change: (file: CatalogFile) => void = () => {}): CatalogFile => {
  const parsed = parseCatalog(source)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  change(parsed.file)
  return parsed.file
}

const proMonthly: PriceRef = { kind: 'plan', plan: 'pro', price: 'monthly', currency: 'USD' }
const refs: PriceRef[] = [
  proMonthly,
  { kind: 'plan', plan: 'pro', price: 'yearly', currency: 'EUR' },
  { kind: 'seat', plan: 'pro', price: 'monthly', currency: 'USD' },
  { kind: 'add_on', addOn: 'extra_projects', price: 'monthly', currency: 'USD' },
  { kind: 'product', product: 'onboarding', currency: 'USD' },
]

test('every kind of price has a readable lookup key that leads back to it', () => {
  const catalog = nextCatalog(null, acme())
  expect(refs.map((ref) => lookupKeyOf(catalog, ref)?.replace(/[0-9a-f]{10}$/, '#'))).toEqual([
    'acme_pro_monthly_usd_#',
    'acme_pro_yearly_eur_#',
    'acme_pro_seat_monthly_usd_#',
    'acme_addon_extra_projects_monthly_usd_#',
    'acme_product_onboarding_usd_#',
  ])
  for (const ref of refs) expect(resolveLookupKey(catalog, lookupKeyOf(catalog, ref)!)?.ref).toEqual(ref)
})

test('a price that stays keeps its key over plan versions, and the key names the newest version that has it', () => {
  const first = nextCatalog(null, acme())
  const second = nextCatalog(
    first,
    acme((file) => {
      file.plans.pro!.description = 'For everybody.'
    }),
  )
  expect(findPlan(second, 'pro')?.version).toBe(2)
  expect(findPlan(second, 'scale')?.version).toBe(1)
  expect(lookupKeyOf(second, proMonthly)).toBe(lookupKeyOf(first, proMonthly))
  expect(resolveLookupKey(first, lookupKeyOf(first, proMonthly)!)?.planVersion).toBe(1)
  expect(resolveLookupKey(second, lookupKeyOf(first, proMonthly)!)?.planVersion).toBe(2)
})

test('a changed price gets another key, and the old one still leads to the version that has it', () => {
  const first = nextCatalog(null, acme())
  const second = nextCatalog(
    first,
    acme((file) => {
      file.plans.pro!.prices!.monthly!.amounts.USD = 5900
    }),
  )
  expect(lookupKeyOf(second, proMonthly)).not.toBe(lookupKeyOf(first, proMonthly))
  expect(lookupKeyOf(second, proMonthly, 1)).toBe(lookupKeyOf(first, proMonthly))
  expect(resolveLookupKey(second, lookupKeyOf(first, proMonthly)!)).toMatchObject({
    ref: proMonthly,
    planVersion: 1,
    amount: { amountMinor: 4900n },
  })
  expect(amountOf(second, proMonthly, 1)?.amountMinor).toBe(4900n)
  expect(amountOf(second, proMonthly)?.amountMinor).toBe(5900n)
})

test('a changed interval gets another key', () => {
  const first = nextCatalog(null, acme())
  const second = nextCatalog(
    first,
    acme((file) => {
      file.plans.pro!.prices!.monthly!.interval = { unit: 'month', count: 3 }
    }),
  )
  expect(lookupKeyOf(second, proMonthly)).not.toBe(lookupKeyOf(first, proMonthly))
})

test('the old price of an add-on still leads to the add-on', () => {
  const ref: PriceRef = { kind: 'add_on', addOn: 'extra_projects', price: 'monthly', currency: 'USD' }
  const first = nextCatalog(null, acme())
  const second = nextCatalog(
    first,
    acme((file) => {
      file.addOns!.extra_projects!.prices.monthly!.amounts.USD = 1100
    }),
  )
  const third = nextCatalog(
    second,
    acme((file) => {
      file.addOns!.extra_projects!.prices.monthly!.amounts.USD = 1200
    }),
  )
  for (const catalog of [first, second, third])
    expect(resolveLookupKey(third, lookupKeyOf(catalog, ref)!)).toMatchObject({ ref, planVersion: null })
})

test('two prices whose names run together have different keys', () => {
  const catalog = nextCatalog(
    null,
    acme((file) => {
      const { pro } = file.plans
      file.plans.pro_a = { ...pro!, seats: undefined, prices: { b: pro!.prices!.monthly! } }
      file.plans.pro = { ...pro!, seats: undefined, prices: { a_b: pro!.prices!.monthly! } }
    }),
  )
  const one: PriceRef = { kind: 'plan', plan: 'pro', price: 'a_b', currency: 'USD' }
  const two: PriceRef = { kind: 'plan', plan: 'pro_a', price: 'b', currency: 'USD' }
  expect(lookupKeyOf(catalog, one)).not.toBe(lookupKeyOf(catalog, two))
})

test('what the catalog does not have has no key and no amount', () => {
  const catalog = nextCatalog(null, acme())
  const unknown: PriceRef[] = [
    { kind: 'plan', plan: 'nothing', price: 'monthly', currency: 'USD' },
    { kind: 'plan', plan: 'constructor', price: 'monthly', currency: 'USD' },
    { kind: 'plan', plan: 'pro', price: 'constructor', currency: 'USD' },
    { kind: 'plan', plan: 'pro', price: 'monthly', currency: 'GBP' },
    { kind: 'seat', plan: 'starter', price: 'monthly', currency: 'USD' },
    { kind: 'add_on', addOn: 'constructor', price: 'monthly', currency: 'USD' },
    { kind: 'product', product: 'toString', currency: 'USD' },
  ]
  for (const ref of unknown) {
    expect(lookupKeyOf(catalog, ref)).toBeNull()
    expect(amountOf(catalog, ref)).toBeNull()
  }
  expect(lookupKeyOf(catalog, proMonthly, 7)).toBeNull()
  expect(findPlan(catalog, 'pro', 7)).toBeNull()
  expect(findPlan(catalog, 'constructor')).toBeNull()
  expect(resolveLookupKey(catalog, 'acme_pro_monthly_usd_0000000000')).toBeNull()
  expect(resolveLookupKey(catalog, 'somebody_elses')).toBeNull()
})

test('the baseline is the newest version of the plan that the file names', () => {
  const first = nextCatalog(null, acme())
  const second = nextCatalog(
    first,
    acme((file) => {
      file.plans.free!.grants.projects = 3
    }),
  )
  expect(baselinePlan(first)).toMatchObject({ key: 'free', version: 1 })
  expect(baselinePlan(second)).toMatchObject({ key: 'free', version: 2 })
})

test('intervals as words', () => {
  expect(intervalText(intervalOf({ interval: 'month' }))).toBe('month')
  expect(intervalText(intervalOf({ interval: { unit: 'month', count: 3 } }))).toBe('3 month')
})
