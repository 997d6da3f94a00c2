import type { CatalogFile, CatalogPlan } from '@turnpike/contract'
import { type Catalog, hashOf } from './catalog.ts'
import { amountIn, amountOf, type PriceAmount, type PriceRef } from './price.ts'

/**
 * The name of a price at the provider (CAT-4), made from what it costs: a price that stays the same over several plan
 * versions stays the same price at the provider, and a changed one is a new price there. Null when there is no such price.
 */
export const lookupKeyOf = (catalog: Catalog, ref: PriceRef, planVersion?: number): string | null => {
  const amount = amountOf(catalog, ref, planVersion)
  return amount ? lookupKeyFor(catalog.file.catalog, ref, amount) : null
}

/** `planVersion` is the newest version with this very price; null for add-ons and products. */
export type ResolvedPrice = { ref: PriceRef; planVersion: number | null; amount: PriceAmount }

/** The price behind a lookup key, over every version that was ever applied; null for keys that are not ours. */
export const resolveLookupKey = (catalog: Catalog, lookupKey: string): ResolvedPrice | null =>
  indexOf(catalog).get(lookupKey) ?? null

// Names may contain underscores, so the readable part alone could be that of two prices: the hash covers the reference too.
export const lookupKeyFor = (catalogName: string, ref: PriceRef, amount: PriceAmount): string =>
  [catalogName, ...segments(ref), ref.currency.toLowerCase(), fingerprint(ref, amount)].join('_')

const segments = (ref: PriceRef): string[] => {
  switch (ref.kind) {
    case 'plan':
      return [ref.plan, ref.price]
    case 'seat':
      return [ref.plan, 'seat', ref.price]
    case 'add_on':
      return ['addon', ref.addOn, ref.price]
    case 'product':
      return ['product', ref.product]
  }
}

const fingerprint = (ref: PriceRef, amount: PriceAmount): string =>
  hashOf({ ref, amountMinor: String(amount.amountMinor), interval: amount.interval }).slice(0, 10)

// A catalog is never changed in place, so its index is made once.
const indexes = new WeakMap<Catalog, ReadonlyMap<string, ResolvedPrice>>()

const indexOf = (catalog: Catalog): ReadonlyMap<string, ResolvedPrice> => {
  const known = indexes.get(catalog)
  if (known) return known
  const index = new Map<string, ResolvedPrice>()
  const add = (part: Parameters<typeof amountIn>[0], refs: PriceRef[], planVersion: number | null) => {
    for (const ref of refs) {
      const amount = amountIn(part, ref)
      // Later ones replace earlier ones: the newest version that has the price.
      if (amount) index.set(lookupKeyFor(catalog.file.catalog, ref, amount), { ref, planVersion, amount })
    }
  }
  for (const [key, versions] of catalog.planVersions)
    for (const plan of versions) add({ plans: { [key]: plan.content } }, planRefs(key, plan.content), plan.version)
  for (const part of [...catalog.earlier, catalog.file]) add(part, [...addOnRefs(part), ...productRefs(part)], null)
  indexes.set(catalog, index)
  return index
}

/** Every price of a plan: base and seat, in each currency. */
export const planRefs = (key: string, plan: CatalogPlan): PriceRef[] => [
  ...Object.entries(plan.prices ?? {}).flatMap(([price, { amounts }]) =>
    Object.keys(amounts).map((currency): PriceRef => ({ kind: 'plan', plan: key, price, currency })),
  ),
  ...Object.entries(plan.seats?.perSeat ?? {}).flatMap(([price, amounts]) =>
    Object.keys(amounts).map((currency): PriceRef => ({ kind: 'seat', plan: key, price, currency })),
  ),
]

export const addOnRefs = (part: Pick<CatalogFile, 'addOns'>): PriceRef[] =>
  Object.entries(part.addOns ?? {}).flatMap(([addOn, { prices }]) =>
    Object.entries(prices).flatMap(([price, { amounts }]) =>
      Object.keys(amounts).map((currency): PriceRef => ({ kind: 'add_on', addOn, price, currency })),
    ),
  )

export const productRefs = (part: Pick<CatalogFile, 'products'>): PriceRef[] =>
  Object.entries(part.products ?? {}).flatMap(([product, { amounts }]) =>
    Object.keys(amounts).map((currency): PriceRef => ({ kind: 'product', product, currency })),
  )
