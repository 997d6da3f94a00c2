import type { CatalogAddOn, CatalogFile, CatalogPlan, CatalogPlanArtifact } from '@turnpike/contract'
import { canonicalJson } from '../../core/canonical.ts'
import { intervalOf, intervalText } from './price.ts'

export type CatalogChange = CatalogPlanArtifact['changes'][number]
type Change = Omit<CatalogChange, 'before' | 'after'> & { before?: unknown; after?: unknown }

/** What differs between two files, object by object; which changes are allowed is not decided here. */
export const compareFiles = (before: CatalogFile | null, after: CatalogFile): CatalogChange[] =>
  [
    ...compareGroup('meter', before?.meters, after.meters, (key) => `Meter "${key}"`),
    ...compareGroup('feature', before?.features, after.features, (key) => `Feature "${key}"`),
    ...comparePlans(before?.plans ?? {}, after.plans),
    ...compareAddOns(before?.addOns ?? {}, after.addOns ?? {}),
    ...compareGroup('product', before?.products, after.products, (key) => `Product "${key}"`),
    ...compareGroup('coupon', before?.coupons, after.coupons, (key) => `Coupon "${key}"`),
    ...compareGroup('policy', before?.policies, after.policies, (key) => `The policy "${key}"`),
    ...compareRest(before, after),
  ].map((change) => ({ ...change, before: change.before ?? null, after: change.after ?? null }))

const same = (a: unknown, b: unknown): boolean => canonicalJson(a ?? null) === canonicalJson(b ?? null)

const compareGroup = <T extends object>(
  object: CatalogChange['object'],
  before: Record<string, T> | undefined,
  after: Record<string, T> | undefined,
  name: (key: string) => string,
): Change[] => {
  const keys = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])
  return [...keys].flatMap((key): Change[] => {
    const old = before?.[key]
    const next = after?.[key]
    if (same(old, next)) return []
    if (next === undefined) return [{ kind: 'remove', object, key, sentence: `${name(key)} is removed.`, before: old }]
    if (old === undefined) return [{ kind: 'add', object, key, sentence: `${name(key)} is new.`, after: next }]
    if (isArchived(next) && !isArchived(old))
      return [
        {
          kind: 'archive',
          object,
          key,
          sentence: `${name(key)} is archived: nobody can start it any more.`,
          before: old,
          after: next,
        },
      ]
    const fields = changedFields(old, next)
    return [
      {
        kind: 'update',
        object,
        key,
        sentence: `${name(key)} changes in ${fields.join(', ')}.`,
        before: old,
        after: next,
      },
    ]
  })
}

const isArchived = (value: object): boolean => 'status' in value && value.status === 'archived'

const changedFields = (before: object, after: object): string[] => {
  const old: Record<string, unknown> = { ...before }
  const next: Record<string, unknown> = { ...after }
  return [...new Set([...Object.keys(old), ...Object.keys(next)])].filter((field) => !same(old[field], next[field]))
}

const comparePlans = (before: Record<string, CatalogPlan>, after: Record<string, CatalogPlan>): Change[] => {
  const plans = compareGroup('plan', before, after, (key) => `Plan "${key}"`)
  return [
    ...plans.map((change) =>
      change.kind === 'update'
        ? { ...change, sentence: `${change.sentence} It becomes a new version; subscriptions keep theirs.` }
        : change,
    ),
    ...comparePrices(pricesOf(before), pricesOf(after), 'Subscriptions keep the price that they have.'),
  ]
}

const compareAddOns = (before: Record<string, CatalogAddOn>, after: Record<string, CatalogAddOn>): Change[] => [
  ...compareGroup('add_on', before, after, (key) => `Add-on "${key}"`).map((change) =>
    change.kind === 'update' && !same(before[change.key]?.grants, after[change.key]?.grants)
      ? { ...change, sentence: `${change.sentence} What it grants changes at once for everybody who has it.` }
      : change,
  ),
  ...comparePrices(pricesOf(before), pricesOf(after), 'Whoever has it keeps the old price.'),
]

type Priced = { prices?: CatalogPlan['prices']; seats?: CatalogPlan['seats'] }

/** `pro.monthly.USD` and `pro.seat.monthly.USD`, each with its amount and interval. */
const pricesOf = (
  group: Record<string, Priced>,
): Map<string, { amountMinor: number; interval: string; currency: string }> => {
  const prices = new Map<string, { amountMinor: number; interval: string; currency: string }>()
  for (const [owner, { prices: own = {}, seats }] of Object.entries(group))
    for (const [key, price] of Object.entries(own)) {
      const interval = intervalText(intervalOf(price))
      for (const [currency, amountMinor] of Object.entries(price.amounts))
        prices.set(`${owner}.${key}.${currency}`, { amountMinor, interval, currency })
      for (const [currency, amountMinor] of Object.entries(seats?.perSeat?.[key] ?? {}))
        prices.set(`${owner}.seat.${key}.${currency}`, { amountMinor, interval, currency })
    }
  return prices
}

const comparePrices = (
  before: ReturnType<typeof pricesOf>,
  after: ReturnType<typeof pricesOf>,
  kept: string,
): Change[] =>
  [...new Set([...before.keys(), ...after.keys()])].flatMap((key): Change[] => {
    const old = before.get(key)
    const next = after.get(key)
    if (same(old, next)) return []
    const text = (price: NonNullable<typeof old>) =>
      `${price.amountMinor} ${price.currency} minor units per ${price.interval}`
    if (!old)
      return [{ kind: 'add', object: 'price', key, sentence: `Price "${key}" is new: ${text(next!)}.`, after: next }]
    if (!next)
      return [
        {
          kind: 'remove',
          object: 'price',
          key,
          sentence: `Price "${key}" is not offered any more. ${kept}`,
          before: old,
        },
      ]
    return [
      {
        kind: 'update',
        object: 'price',
        key,
        sentence: `Price "${key}" changes from ${text(old)} to ${text(next)}. ${kept}`,
        before: old,
        after: next,
      },
    ]
  })

const compareRest = (before: CatalogFile | null, after: CatalogFile): Change[] => {
  if (!before)
    return [
      {
        kind: 'add',
        object: 'catalog',
        key: after.catalog,
        sentence: `Catalog "${after.catalog}" is the first one.`,
        after: after.catalog,
      },
    ]
  return (['catalog', 'currencies', 'baseline'] as const)
    .filter((field) => !same(before[field], after[field]))
    .map((field) => ({
      kind: 'update',
      object: 'catalog',
      key: field,
      sentence:
        field === 'baseline'
          ? `Customers without a live subscription have plan "${after.baseline}" from now on, not "${before.baseline}".`
          : `"${field}" changes from ${JSON.stringify(before[field])} to ${JSON.stringify(after[field])}.`,
      before: before[field],
      after: after[field],
    }))
}
