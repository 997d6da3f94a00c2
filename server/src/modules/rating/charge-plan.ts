import type { CatalogFile, CatalogPlan, CatalogUsagePrice, RatingSettings } from '@turnpike/contract'
import { assert, type FieldError } from '../../core/errors.ts'
import { own } from '../../core/own.ts'
import { allowancePrice } from '../catalog/index.ts'
import { isZero, one, whole } from './exact.ts'
import type { PlanBounds } from './plan-billing.ts'
import type { Bound, Charge, Included, Lot, Price, Settings } from './price.ts'
import { newReader, type Reader } from './read-numbers.ts'
import { type ReadPrice, readPlan } from './read-plan.ts'
import { oneNumber } from './timeline.ts'

/** Who holds a plan version, and how: everything that its charges follow from. */
export type PlanTerms = {
  /** The meters, features, add-ons and policies around the plan. */
  file: Pick<CatalogFile, 'meters' | 'features' | 'addOns' | 'policies'>
  plan: CatalogPlan
  /** The plan's price, such as `monthly`; without it only its usage prices are charged. */
  price?: string
  currency: string
  seats?: number
  addOns?: Readonly<Record<string, number>>
  /** By meter, instead of what plan and add-ons include: what the customer's entitlement says; `null` is everything. */
  included?: Readonly<Record<string, number | null>>
  /** By usage price: what earlier periods left of its included quantity. */
  carried?: Readonly<Record<string, readonly Lot[]>>
}
/**
 * What `rate` takes of plans. `recurring` is charged by the provider itself: a period close rates `usage` only. `chosen` are the
 * settings that the catalog names, for a preview to change.
 */
export type PlanCharges = PlanBounds & {
  recurring: Charge[]
  usage: Charge[]
  settings: Settings
  chosen: RatingSettings
}
type Charged = { ok: true; charges: PlanCharges } | { ok: false; errors: (FieldError & { step: number })[] }

/**
 * The plans of a period in the order of time, each from its instant on, as charges, bounds and settings (RAT-1): the one way from
 * the catalog to rating, of previews and of invoices. A change of plan ends all charges of the plan before; those of later plans have
 * `_2`, `_3` after their key. A peak, a level or different values are one number for as long as plans that follow each other have a price
 * for the meter, charged by the last of them. Bounds and settings are those of the last plan. Plans that were accepted fail only for
 * what their holder has: another currency, a price or seats that is not sold.
 */
export const chargesOfPlans = (steps: readonly (PlanTerms & { from: Temporal.Instant | null })[]): Charged => {
  const errors: (FieldError & { step: number })[] = []
  const plans = steps.map((terms, step) => {
    const reader = newReader()
    const charges = chargesOfPlan(reader, terms)
    errors.push(...reader.errors.map((error) => ({ ...error, step })))
    return charges
  })
  if (errors.length > 0) return { ok: false, errors }
  const last = plans.at(-1)
  assert(last, 'there is a plan to charge')
  /** Whether a plan has a price for the meter whose one number a charge rates (convention 16). */
  const goesOn = (charge: Charge, step: number): boolean =>
    isOneNumber(charge) &&
    plans[step]?.usage.some((each) => isOneNumber(each) && meterOf(each) === meterOf(charge)) === true
  const beginOf = (charge: Charge, step: number): number =>
    goesOn(charge, step - 1) ? beginOf(charge, step - 1) : step
  const inTime = (charge: Charge, step: number): Charge => {
    const [from, until] = [steps[beginOf(charge, step)]!.from, steps[step + 1]?.from ?? null]
    return {
      ...charge,
      key: keyIn(charge.key, step),
      from: from && { at: from, by: 'change' },
      until: until && { at: until, by: 'change' },
    }
  }
  const all = (kind: 'recurring' | 'usage') =>
    plans.flatMap((plan, step) => plan[kind].flatMap((each) => (goesOn(each, step + 1) ? [] : [inTime(each, step)])))
  // The price of one name counts under each plan; without names all usage prices of the period do.
  const counting = <B extends Bound>(bound: B | null): B | null =>
    bound && {
      ...bound,
      charges: plans.flatMap(({ usage }, step) =>
        usage.flatMap((charge) =>
          bound.charges?.includes(charge.key) !== false && !goesOn(charge, step + 1) ? [keyIn(charge.key, step)] : [],
        ),
      ),
    }
  return {
    ok: true,
    charges: {
      ...last,
      recurring: all('recurring'),
      usage: all('usage'),
      minimum: counting(last.minimum),
      commitment: counting(last.commitment),
      maximum: counting(last.maximum),
    },
  }
}

const meterOf = ({ basis }: Charge): string | null => (basis.kind === 'usage' ? basis.meter : null)
/** In buckets there is a number for each hour or day, which pays by the plan of its time. */
const isOneNumber = ({ basis }: Charge): boolean =>
  basis.kind === 'usage' && oneNumber.has(basis.aggregation) && basis.bucket === null

const keyIn = (key: string, step: number): string => (step === 0 ? key : `${key}_${step + 1}`)
/** Whether a charge of a period is that of a usage price, also under a later plan. The catalog refuses names that could be both. */
export const isOfPrice = (key: string, price: string): boolean => key === price || key.replace(/_\d+$/, '') === price

const chargesOfPlan = (reader: Reader, terms: PlanTerms): PlanCharges => {
  const { prices, ...same } = readPlan(terms)
  for (const { field, message } of same.errors) reader.report(field, message)
  const recurring = recurringCharges(reader, terms)
  const usage = prices.flatMap(([key, price, read]) => usageCharge(terms, key, price, read))
  for (const key of Object.keys(terms.carried ?? {}))
    if (!usage.some((charge) => charge.key === key && charge.included?.rollover))
      reader.report(`carried.${key}`, 'is no usage price of this plan that carries its included quantity on')
  const { minimum, commitment, maximum, trial, settings, chosen } = same
  return { recurring, usage, minimum, commitment, maximum, trial, settings, chosen }
}

const held = (key: string, name: string, price: Price, quantity = one): Charge => ({
  key,
  name,
  basis: { kind: 'held', quantity },
  price,
  ramp: [],
  included: null,
  from: null,
  until: null,
})
const plain = (model: 'flat' | 'per_unit', amount: number): Price => ({
  model,
  unitAmount: whole(amount),
  quantityRounding: 'exact',
  minimum: null,
  maximum: null,
  prorateBounds: false,
})

/** `base`, `seats` above those included, and `addon_…` for each add-on. */
const recurringCharges = (reader: Reader, { file, plan, price, currency, seats, addOns }: PlanTerms): Charge[] => {
  const known = Object.entries(addOns ?? {}).filter(([key]) => {
    const isSold = own(file.addOns, key) !== undefined
    if (!isSold) reader.report(`addOns.${key}`, 'is no add-on of the catalog')
    return isSold
  })
  if (price === undefined) {
    if (seats !== undefined) reader.report('seats', 'is read with a price only')
    return []
  }
  const amount = own(own(plan.prices, price)?.amounts, currency)
  if (amount === undefined) reader.report('price', `is no price of this plan in ${currency}`)
  return [
    held('base', plan.name, plain('flat', amount ?? 0)),
    ...(seats === undefined ? [] : [seatCharge(reader, plan, price, currency, seats)]),
    ...known.map(([key, quantity]) => {
      const addOn = own(file.addOns, key)!
      const each = own(own(addOn.prices, price)?.amounts, currency)
      if (each === undefined) reader.report(`addOns.${key}`, `has no price "${price}" in ${currency}`)
      return held(`addon_${key}`.slice(0, 63), addOn.name, plain('per_unit', each ?? 0), whole(quantity))
    }),
  ]
}

const seatCharge = (reader: Reader, plan: CatalogPlan, price: string, currency: string, seats: number): Charge => {
  const amount = own(own(plan.seats?.perSeat, price), currency)
  const extra = Math.max(0, seats - (plan.seats?.included ?? 0))
  if (!plan.seats) reader.report('seats', 'is not sold with this plan')
  else if (extra > 0 && amount === undefined) reader.report('seats', `have no price in ${currency}`)
  else if (plan.seats.max != null && seats > plan.seats.max) reader.report('seats', `are at most ${plan.seats.max}`)
  return held('seats', `${plan.name}: seats`, plain('per_unit', amount ?? 0), whole(extra))
}

const usageCharge = (terms: PlanTerms, key: string, price: CatalogUsagePrice, read: ReadPrice): Charge[] => {
  const name = price.name ?? own(terms.file.meters, price.meter ?? key)?.name ?? key
  if (read.source === null) return [{ ...held(key, name, read.price), ramp: read.ramp }]
  const included = includedOf(terms, key, price)
  if (included === 'everything') return []
  const { ramp } = read
  return [
    { key, name, basis: { kind: 'usage', ...read.source }, price: read.price, ramp, included, from: null, until: null },
  ]
}

/**
 * What is free of charge: of the price that carries a meter's allowance the entitlement's included quantity, or else the
 * plan's with what add-ons add to it; of another price on the same meter its own.
 */
const includedOf = (terms: PlanTerms, key: string, price: CatalogUsagePrice): Included | null | 'everything' => {
  const meter = price.meter ?? key
  const carries = allowancePrice(terms.plan.usagePrices, meter) === key
  const entitled = carries ? own(terms.included, meter) : undefined
  if (entitled === null) return 'everything'
  const feature = featureOf(terms, meter)
  const grant = feature === undefined ? undefined : own(terms.plan.grants, feature)
  const granted = carries && typeof grant === 'object' && 'limit' in grant ? (grant.included ?? 0) : 0
  const quantity = whole(entitled ?? (price.included ?? granted) + (carries ? addedBy(terms, feature) : 0))
  const rollover = price.rollover
    ? {
        lots: own(terms.carried, key) ?? [],
        capUnits: price.rollover.capUnits === undefined ? null : whole(price.rollover.capUnits),
        capPercent: newReader().exactOrNull('plan', price.rollover.capPercent),
        expiresAfterPeriods: price.rollover.expiresAfterPeriods ?? 1,
        order: price.rollover.order ?? ('oldest_first' as const),
      }
    : null
  if (isZero(quantity) && rollover === null) return null
  return { quantity, mode: price.includedMode ?? 'before', prorated: price.includedProrated ?? false, rollover }
}

const featureOf = ({ file }: PlanTerms, meter: string): string | undefined =>
  Object.entries(file.features).find(([, feature]) => feature.kind === 'metered' && feature.meter === meter)?.[0]

const addedBy = ({ file, addOns }: PlanTerms, feature: string | undefined): number =>
  Object.entries(addOns ?? {}).reduce((sum, [key, quantity]) => {
    const grant = feature === undefined ? undefined : own(own(file.addOns, key)?.grants, feature)
    return typeof grant === 'object' && 'addLimit' in grant ? sum + grant.addLimit * quantity : sum
  }, 0)
