import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type Catalog, nextCatalog } from './catalog.ts'
import {
  compareWithProvider,
  durationText,
  type ProviderCoupon,
  type ProviderPrice,
  type ProviderProduct,
  type ProviderState,
} from './compare-provider.ts'
import { wantedCoupons } from './coupon.ts'
import { lookupKeyOf } from './lookup-key.ts'
import { parseCatalog } from './parse.ts'
import { wantedAtProvider } from './provider-catalog.ts'

const source = readFileSync(new URL('../../../../catalog/acme.yaml', import.meta.url), 'utf8')
const catalogFrom = (text: string, before: Catalog | null = null): Catalog => {
  const parsed = parseCatalog(text)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return nextCatalog(before, parsed.file)
}
const catalog = catalogFrom(source)
const key = lookupKeyOf(catalog, { kind: 'plan', plan: 'pro', price: 'monthly', currency: 'USD' })!

type State = { products: ProviderProduct[]; prices: ProviderPrice[]; coupons: ProviderCoupon[] }
const pushed = (of: Catalog = catalog): State => {
  const wanted = wantedAtProvider(of)
  return {
    products: wanted.products.map((product) => ({ ...product, active: true, ours: true })),
    prices: wanted.prices.map(({ lookupKey, productId, amountMinor, currency, interval }, index) => ({
      id: `price_${index}`,
      lookupKey,
      productId,
      active: true,
      amountMinor,
      currency,
      interval,
    })),
    coupons: wantedCoupons(of).map(({ id, name, percentOff, amountOff, duration }) => ({
      id,
      name,
      ours: true,
      valid: true,
      percentOff,
      amountMinor: amountOff?.amountMinor ?? null,
      currency: amountOff?.currency ?? null,
      duration: durationText(duration),
    })),
  }
}
const edited = (edit: (price: ProviderPrice, product: ProviderProduct, state: State) => void): ProviderState => {
  const state = pushed()
  edit(
    state.prices.find((price) => price.lookupKey === key)!,
    state.products.find(({ id }) => id === 'acme_pro')!,
    state,
  )
  return state
}

test('what is sold: paid plans that are not archived, add-ons, products, one price per currency', () => {
  const { products, prices } = wantedAtProvider(catalog)
  expect(products.map(({ id }) => id)).toEqual([
    'acme_starter',
    'acme_pro',
    'acme_scale',
    'acme_classic',
    'acme_addon_extra_projects',
    'acme_addon_call_pack',
    'acme_product_onboarding',
    'acme_product_credit_100',
  ])
  expect(prices.filter(({ productId }) => productId === 'acme_pro')).toHaveLength(8)
  expect(new Set(prices.map(({ lookupKey }) => lookupKey)).size).toBe(prices.length)
  const archived = catalogFrom(source.replace('status: legacy', 'status: archived'))
  expect(wantedAtProvider(archived).products.map(({ id }) => id)).not.toContain('acme_classic')
})

test.each<[string, (coupon: ProviderCoupon, state: State) => void, string, string | null]>([
  ['is not there', (_, state) => state.coupons.splice(0, 1), 'missing_at_provider', null],
  ['takes another share off', (coupon) => Object.assign(coupon, { percentOff: '25' }), 'differs', 'percentOff'],
  ['lasts longer', (coupon) => Object.assign(coupon, { duration: 'forever' }), 'differs', 'duration'],
  [
    'is one of ours that nobody knows',
    (_, state) => state.coupons.push({ ...state.coupons[0]!, id: 'x' }),
    'unknown_to_catalog',
    null,
  ],
])('a coupon that %s is named', (_, edit, kind, field) => {
  const state = pushed()
  edit(state.coupons[0]!, state)
  expect(compareWithProvider(catalog, state)).toMatchObject([{ object: 'coupon', kind, field }])
})

test('a coupon that was used up there, one of an earlier catalog and one of others are no difference', () => {
  const used = pushed()
  used.coupons[0]!.valid = false
  expect(compareWithProvider(catalog, used)).toEqual([])
  const next = catalogFrom(source.replace('percentOff: "20"', 'percentOff: "30"'), catalog)
  const both = { ...pushed(next), coupons: [...pushed(next).coupons, ...pushed().coupons] }
  expect(new Set(both.coupons.map(({ id }) => id)).size).toBeGreaterThan(pushed().coupons.length)
  expect(compareWithProvider(next, both)).toEqual([])
  const foreign = pushed()
  foreign.coupons.push({ ...foreign.coupons[0]!, id: 'theirs', ours: false })
  expect(compareWithProvider(catalog, foreign)).toEqual([])
})

test('a provider that has what was pushed agrees', () => {
  expect(compareWithProvider(catalog, pushed())).toEqual([])
})

const differences: [what: string, state: ProviderState, ...expected: Record<string, unknown>[]][] = [
  [
    'a price that is missing',
    edited((price, _, state) => {
      state.prices = state.prices.filter((each) => each !== price)
    }),
    { kind: 'missing_at_provider', object: 'price', key },
  ],
  [
    'a product that is missing',
    edited((_, product, state) => {
      state.products = state.products.filter((each) => each !== product)
    }),
    { kind: 'missing_at_provider', object: 'product', key: 'acme_pro' },
  ],
  [
    'another amount',
    edited((price) => {
      price.amountMinor = 4901n
    }),
    { kind: 'differs', object: 'price', key, field: 'amountMinor', ours: '4900', theirs: '4901' },
  ],
  [
    'an amount by tiers',
    edited((price) => {
      price.amountMinor = null
    }),
    { kind: 'differs', object: 'price', key, field: 'amountMinor', ours: '4900', theirs: null },
  ],
  [
    'another currency',
    edited((price) => {
      price.currency = 'CAD'
    }),
    { kind: 'differs', object: 'price', key, field: 'currency', ours: 'USD', theirs: 'CAD' },
  ],
  [
    'another interval',
    edited((price) => {
      price.interval = { unit: 'month', count: 2 }
    }),
    { kind: 'differs', object: 'price', key, field: 'interval', ours: 'month', theirs: '2 month' },
  ],
  [
    'a price paid once instead of each month',
    edited((price) => {
      price.interval = null
    }),
    { kind: 'differs', object: 'price', key, field: 'interval', ours: 'month', theirs: 'once' },
  ],
  [
    'a price of another product',
    edited((price) => {
      price.productId = 'acme_scale'
    }),
    { kind: 'differs', object: 'price', key, field: 'product', ours: 'acme_pro', theirs: 'acme_scale' },
  ],
  [
    'an archived price',
    edited((price) => {
      price.active = false
    }),
    { kind: 'inactive_at_provider', object: 'price', key, field: 'active', ours: 'true', theirs: 'false' },
  ],
  [
    'an archived product',
    edited((_, product) => {
      product.active = false
    }),
    { kind: 'inactive_at_provider', object: 'product', key: 'acme_pro' },
  ],
  [
    'a product of somebody else under our id',
    edited((_, product) => {
      product.ours = false
    }),
    { kind: 'differs', object: 'product', key: 'acme_pro', field: 'metadata' },
  ],
  [
    'another name',
    edited((_, product) => {
      product.name = 'Professional'
    }),
    { kind: 'differs', object: 'product', key: 'acme_pro', field: 'name', ours: 'Pro', theirs: 'Professional' },
  ],
  [
    'a price that nobody here knows',
    edited((price, _, state) => {
      state.prices.push({ ...price, id: 'price_x', lookupKey: 'acme_pro_monthly_usd_0000000000' })
    }),
    { kind: 'unknown_to_catalog', object: 'price', key: 'acme_pro_monthly_usd_0000000000', theirs: '4900 USD' },
  ],
  [
    'a price without a name',
    edited((price, _, state) => {
      state.prices.push({ ...price, id: 'price_x', lookupKey: null })
    }),
    { kind: 'unknown_to_catalog', object: 'price', key: 'price_x' },
  ],
  [
    'a product with our mark that nobody here knows',
    edited((_, product, state) => {
      state.products.push({ ...product, id: 'acme_gold', name: 'Gold' })
    }),
    { kind: 'unknown_to_catalog', object: 'product', key: 'acme_gold', theirs: 'Gold' },
  ],
]

describe('each difference is named, in both directions', () => {
  test.each(differences)('%s', (_, state, ...expected) => {
    const found = compareWithProvider(catalog, state)
    expect(found).toHaveLength(expected.length)
    expect(found).toMatchObject(expected)
    for (const { sentence } of found) expect(sentence).toMatch(/^[A-Z].*\.$/)
  })
})

test('the active one of two prices with one lookup key counts', () => {
  const state = edited((price, _, { prices }) => {
    prices.unshift({ ...price, id: 'price_old', active: false, amountMinor: 1n })
  })
  expect(compareWithProvider(catalog, state)).toEqual([])
})

test('the price of an older plan version is expected at the provider, not unknown', () => {
  const second = catalogFrom(source.replace('USD: 4900,', 'USD: 5900,'), catalog)
  const state = pushed(second)
  state.prices.push(...pushed().prices.filter((price) => price.lookupKey === key))
  expect(compareWithProvider(second, state)).toEqual([])
})

test('a plan that is archived here may stay at the provider', () => {
  const second = catalogFrom(source.replace('status: legacy', 'status: archived'), catalog)
  expect(compareWithProvider(second, pushed())).toEqual([])
})
