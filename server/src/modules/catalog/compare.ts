import type { CatalogAddOn, CatalogFile, CatalogPlan, CatalogPlanArtifact } from '@turnpike/contract'
import { canonicalJson } from '../../core/canonical.ts'
import { isRecord } from './explain-shape.ts'
import { intervalOf, intervalText } from './price.ts'
import { usagePriceWords } from './usage-price-words.ts'

export type CatalogChange = CatalogPlanArtifact['changes'][number]
type Change = Omit<CatalogChange, 'before' | 'after'> & { before?: unknown; after?: unknown }

/** What differs between two files, object by object; which changes are allowed is not decided here. */
export const compareFiles = (before: CatalogFile | null, after: CatalogFile): CatalogChange[] =>
  [
    ...compareGroup('meter', before?.meters, after.meters, (key) => `Meter "${key}"`),
    ...compareGroup('feature', before?.features, after.features, (key) => `Feature "${key}"`),
    ...comparePlans(before?.plans ?? {}, after.plans),
    ...compareUsagePrices(before, after),
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

/** Usage prices of every model, in words and by currency: `pro.usage.api_calls.USD`. */
const compareUsagePrices = (before: CatalogFile | null, after: CatalogFile): Change[] => {
  const [old, next] = [usagePricesOf(before), usagePricesOf(after)]
  const kept = 'Subscriptions keep the price that they have.'
  return [...new Set([...old.keys(), ...next.keys()])].flatMap((key): Change[] => {
    const [was, is] = [old.get(key), next.get(key)]
    if (same(was?.price, is?.price)) return []
    const change = (kind: 'add' | 'remove' | 'update', sentence: string): Change[] => [
      { kind, object: 'price', key, sentence, before: was?.price, after: is?.price },
    ]
    if (!was) return change('add', `Price "${key}" is new: ${is!.words}.`)
    if (!is) return change('remove', `Price "${key}" is not offered any more. ${kept}`)
    if (was.words === is.words)
      return change('update', `Price "${key}" changes in ${changedFields(was.price, is.price).join(', ')}. ${kept}`)
    return change('update', `Price "${key}" changes from ${was.words} to ${is.words}. ${kept}`)
  })
}

const usagePricesOf = (file: CatalogFile | null): Map<string, { price: object; words: string }> =>
  new Map(
    Object.entries(file?.plans ?? {}).flatMap(([plan, { usagePrices }]) =>
      Object.entries(usagePrices ?? {}).flatMap(([key, price]) =>
        currenciesOf(price).map((currency): [string, { price: object; words: string }] => [
          `${plan}.usage.${key}.${currency}`,
          { price: inCurrency(price, currency), words: usagePriceWords(price, key, file!.meters, currency) },
        ]),
      ),
    ),
  )

const isAmounts = (value: unknown): value is Record<string, unknown> =>
  isRecord(value) && Object.keys(value).length > 0 && Object.keys(value).every((key) => /^[A-Z]{3}$/.test(key))

/** Every currency that an amount of a price is in. */
const currenciesOf = (value: unknown): string[] => {
  if (isAmounts(value)) return Object.keys(value)
  if (typeof value !== 'object' || value === null) return []
  return [...new Set(Object.values(value).flatMap(currenciesOf))]
}
/** A price with its amounts in one currency only, so that a change of another is no change of this. */
const inCurrency = <T>(value: T, currency: string): T => {
  if (Array.isArray(value)) return value.map((item) => inCurrency(item, currency)) as T
  if (isAmounts(value)) return value[currency] as T
  if (!isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inCurrency(item, currency)])) as T
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
