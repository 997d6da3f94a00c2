import type { CatalogFile, RatingPreviewRequest, RatingPrice } from '@turnpike/contract'
import type { SlowCharge } from '../../../src/modules/rating/testing/slow-lines.ts'

type Usage = NonNullable<CatalogFile['plans'][string]['usagePrices']>[string]
type Step = NonNullable<RatingPreviewRequest['plan']> & { at?: string }
export type Standing = { periodsBefore: number; spentBeforeMinor: bigint; ends: boolean }

/**
 * The plans of a request written out as charges, bounds and settings by somebody who reads the catalog file with a finger on each
 * line. It shares nothing with the service but the file.
 */
export const writtenOut = (
  file: CatalogFile,
  request: RatingPreviewRequest,
  standing: Standing,
): RatingPreviewRequest & { charges: SlowCharge[] } => {
  const steps: Step[] = [request.plan!, ...(request.planChanges ?? [])]
  const last = file.plans[steps.at(-1)!.plan]!
  // A peak, a level or different values outside of buckets: paid for once, where no later plan takes it over.
  const isOnce = ({ aggregation, bucket }: Written) =>
    ['max', 'latest', 'unique'].includes(aggregation ?? 'sum') && !bucket
  const hasToo = (charge: Written, index: number) =>
    index >= 0 &&
    index < steps.length &&
    usageOf(file, steps[index]!, request.currency).some((each) => isOnce(each) && each.meter === charge.meter)
  const charges: (SlowCharge & Written)[] = []
  for (const kind of ['recurring', 'usage'] as const)
    steps.forEach((step, index) => {
      for (const charge of (kind === 'recurring' ? recurringOf : usageOf)(file, step, request.currency)) {
        let first = index
        if (isOnce(charge) && hasToo(charge, index + 1)) continue
        while (isOnce(charge) && hasToo(charge, first - 1)) first -= 1
        charges.push({
          ...charge,
          key: index === 0 ? charge.key : `${charge.key}_${index + 1}`,
          meter: charge.meter,
          from: steps[first]!.at,
          until: steps[index + 1]?.at,
          changed: { from: true, until: true },
        })
      }
    })
  const named = (bound: { charges?: string[] }): string[] =>
    charges
      .filter(
        ({ key, recurring }) =>
          !recurring && (bound.charges ?? [key.replace(/_\d+$/, '')]).includes(key.replace(/_\d+$/, '')),
      )
      .map(({ key }) => key)
  const bounds = last.billing ?? {}
  const inCurrency = (amounts: Record<string, number>) => amounts[request.currency]!
  return {
    ...request,
    plan: undefined,
    planChanges: undefined,
    charges: [...charges, ...(request.charges ?? [])],
    minimum: request.minimum ?? leastOf(bounds, inCurrency, named, standing),
    maximum:
      request.maximum ??
      (bounds.maximum && {
        amount: inCurrency(bounds.maximum.amounts),
        prorated: bounds.maximum.prorated,
        charges: named(bounds.maximum),
      }),
    trial: request.trial && { ...file.policies.billing?.trial, ...bounds.trial, ...request.trial },
    settings: settingsOf(file, last, request),
  }
}

const leastOf = (
  { minimum, commitment }: NonNullable<CatalogFile['plans'][string]['billing']>,
  inCurrency: (amounts: Record<string, number>) => number,
  named: (bound: { charges?: string[] }) => string[],
  { periodsBefore, spentBeforeMinor, ends }: Standing,
): RatingPreviewRequest['minimum'] => {
  if (minimum) return { amount: inCurrency(minimum.amounts), prorated: minimum.prorated, charges: named(minimum) }
  if (!commitment) return undefined
  const begun = periodsBefore + 1
  const whole = inCurrency(commitment.amounts)
  const isLast = begun >= commitment.periods
  return {
    amount: ends && !isLast && commitment.prorated ? Math.floor((whole * begun) / commitment.periods) : whole,
    charges: named(commitment),
    spentBefore: String(spentBeforeMinor),
    trueUp: isLast || ends ? 'now' : 'later',
  }
}

const settingsOf = (file: CatalogFile, plan: CatalogFile['plans'][string], request: RatingPreviewRequest) => {
  const result: Record<string, unknown> = {}
  const proration: Record<string, unknown> = {}
  for (const layer of [file.policies.billing?.settings, plan.billing?.settings, request.settings]) {
    Object.assign(proration, layer?.proration)
    const { minimumCharges, chargeSteps, ...rest } = (layer ?? {}) as Record<string, unknown> & {
      minimumCharges?: Record<string, number>
      chargeSteps?: Record<string, number>
    }
    Object.assign(result, rest)
    if (minimumCharges?.[request.currency] !== undefined) result.minimumCharge = minimumCharges[request.currency]
    if (chargeSteps?.[request.currency] !== undefined) result.chargeStep = chargeSteps[request.currency]
  }
  return { ...result, proration } as RatingPreviewRequest['settings']
}

type Written = Omit<SlowCharge, 'from' | 'until'> & { recurring?: boolean }
const recurringOf = (file: CatalogFile, { plan, price, seats, addOns }: Step, currency: string): Written[] => {
  if (price === undefined) return []
  const { prices, seats: sold } = file.plans[plan]!
  const list: Written[] = [
    { key: 'base', recurring: true, price: { model: 'flat', unitAmount: prices![price]!.amounts[currency]! } },
  ]
  if (seats !== undefined)
    list.push({
      key: 'seats',
      recurring: true,
      quantity: Math.max(0, seats - sold!.included),
      price: { model: 'per_unit', unitAmount: sold!.perSeat![price]![currency]! },
    })
  for (const [key, quantity] of Object.entries(addOns ?? {}))
    list.push({
      key: `addon_${key}`,
      recurring: true,
      quantity,
      price: { model: 'per_unit', unitAmount: file.addOns![key]!.prices[price]!.amounts[currency]! },
    })
  return list
}

const usageOf = (file: CatalogFile, step: Step, currency: string): Written[] =>
  Object.entries(file.plans[step.plan]!.usagePrices ?? {}).map(([key, price]) => {
    const read = (each: Omit<Usage, 'ramp'>): RatingPrice => inWords(each as Usage, currency)
    const ramp = price.ramp?.map((later) => ({ fromMonth: later.fromMonth, price: read(later as Usage) }))
    if (price.model === 'flat') return { key, price: read(price), ramp }
    const meter = price.meter ?? key
    const { aggregation, property } = file.meters[meter] as {
      aggregation: SlowCharge['aggregation']
      property?: string
    }
    return {
      key,
      meter,
      aggregation,
      property,
      price: read(price),
      ramp,
      bucket: price.bucket,
      changesInDay: price.changesInDay,
      included: included(file, step, key, price),
    }
  })

const inWords = (price: Usage, currency: string): RatingPrice => {
  const of = (amounts: Record<string, string | number> | undefined) => amounts?.[currency]
  const words: Record<string, unknown> = {
    ...price,
    unitAmount: of(price.unitAmounts),
    fixedFee: of(price.fixedFees),
    transactionMinimum: of(price.transactionMinimums),
    transactionMaximum: of(price.transactionMaximums),
    minimum: of(price.minimums),
    maximum: of(price.maximums),
    tiers: price.tiers?.map((tier) => ({
      ...tier,
      unitAmount: of(tier.unitAmounts),
      flatAmount: of(tier.flatAmounts),
    })),
  }
  return JSON.parse(JSON.stringify(words)) as RatingPrice
}

const included = (
  file: CatalogFile,
  { plan, addOns, carried }: Step,
  key: string,
  price: Usage,
): SlowCharge['included'] => {
  const meter = price.meter ?? key
  const feature = Object.keys(file.features).find((name) => (file.features[name] as { meter?: string }).meter === meter)
  // The allowance of a meter belongs to the price of its name.
  const isCarrier = key === meter
  const grant =
    isCarrier && feature ? (file.plans[plan]!.grants[feature] as { included?: number } | undefined) : undefined
  const added =
    isCarrier && feature
      ? Object.entries(addOns ?? {}).map(
          ([name, quantity]) =>
            ((file.addOns![name]!.grants[feature] as { addLimit?: number })?.addLimit ?? 0) * quantity,
        )
      : []
  const quantity = (price.included ?? grant?.included ?? 0) + added.reduce((a, b) => a + b, 0)
  if (quantity === 0 && !price.rollover) return undefined
  return {
    quantity,
    mode: price.includedMode,
    prorated: price.includedProrated,
    rollover: price.rollover && { ...price.rollover, capPercent: undefined, lots: carried?.[key] ?? [] },
  }
}
