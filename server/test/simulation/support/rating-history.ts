import type { CatalogFile, RatingPreviewRequest } from '@turnpike/contract'
import type { Standing } from './slow-plan.ts'
import { chanceOf } from './webhook-sender.ts'

type Plan = CatalogFile['plans'][string]
type UsagePrice = NonNullable<Plan['usagePrices']>[string]
type Records = NonNullable<NonNullable<RatingPreviewRequest['usage']>[number]['records']>
/** A catalog, who holds which of its plans for a period, and each record of what was used. */
export type RatingHistory = { seed: number; file: CatalogFile; request: RatingPreviewRequest; standing: Standing }

const meters = {
  calls: { name: 'Calls', unit: 'call', aggregation: 'sum', fractional: true },
  jobs: { name: 'Jobs', unit: 'job', aggregation: 'count' },
  peak: { name: 'Peak', unit: 'server', aggregation: 'max', fractional: true },
  users: { name: 'Users', unit: 'user', aggregation: 'unique', property: 'user' },
  level: { name: 'Level', unit: 'project', aggregation: 'latest', fractional: true },
  storage: { name: 'Storage', unit: 'gigabyte', aggregation: 'time_weighted', fractional: true },
  moved: { name: 'Moved', unit: 'cent', aggregation: 'sum', fractional: true },
} as const
type Meter = keyof typeof meters

/** A random plan and what was used under it, for a seed: always the same one for the same seed. */
export const ratingHistoryOf = (seed: number): RatingHistory => {
  const chance = chanceOf(seed * 6_007 + 5)
  const { whole } = chance
  const one = <T>(...items: readonly T[]): T => items[whole(items.length)]!
  const often = (share: number) => chance.next() < share
  const some = <T>(share: number, make: () => T): T | undefined => (often(share) ? make() : undefined)
  const currency = one('USD', 'USD', 'JPY', 'KWD')
  const inAll = <T>(make: () => T): Record<string, T> => ({ [currency]: make(), EUR: make() })
  const fraction = (most: number) => one(`${whole(most)}`, `${whole(most)}.${1 + whole(99)}`, `0.${1 + whole(999)}`)
  const unitAmounts = () => inAll(() => fraction(40))
  const partAmounts = (most: number) => inAll(() => one<string | number>(whole(most), `${whole(most)}.5`))
  const ordered = (least: Record<string, string | number>, more: number): Record<string, number> =>
    Object.fromEntries(Object.entries(least).map(([key, amount]) => [key, Math.ceil(Number(amount)) + whole(more)]))

  const tiers = (): NonNullable<UsagePrice['tiers']> => {
    let bound = 0
    const list = Array.from({ length: whole(4) }, () => {
      bound += 1 + whole(15)
      return often(0.2) ? `${bound}.5` : bound
    })
    return [...list, null].map((upTo) => {
      const kind = one('unit', 'unit', 'both', 'flat', 'percent', 'package')
      return {
        upTo,
        ...(kind === 'flat' || kind === 'both' ? { flatAmounts: partAmounts(200) } : {}),
        ...(kind === 'percent' ? { percent: one<number | string>(5, '2.5', 0) } : {}),
        ...(kind === 'flat' || kind === 'percent' ? {} : { unitAmounts: unitAmounts() }),
        ...(kind === 'package' ? { packageSize: one<number | string>(1 + whole(8), '2.5') } : {}),
      }
    })
  }
  const priceOf = (models: readonly UsagePrice['model'][]) => {
    const model = one(...models)
    const bounds = often(0.15) ? partAmounts(80) : undefined
    const common = {
      model,
      minimums: bounds,
      maximums: bounds ? ordered(bounds, 300) : some(0.1, () => inAll(() => whole(400))),
      prorateBounds: some(0.3, () => often(0.7)),
      quantityRounding:
        model === 'flat' || model === 'percentage' ? undefined : some(0.2, () => one('up' as const, 'down' as const)),
    }
    if (model === 'flat' || model === 'per_unit') return { ...common, unitAmounts: unitAmounts() }
    if (model === 'package')
      return {
        ...common,
        unitAmounts: unitAmounts(),
        packageSize: one<number | string>(1 + whole(12), '2.5'),
        packageRounding: some(0.6, () => one('up' as const, 'down' as const, 'fraction' as const)),
      }
    if (model === 'percentage') {
      const least = some(0.2, () => partAmounts(30))
      return {
        ...common,
        percent: one<number | string>(2.9, '0.75', 12),
        fixedFees: some(0.4, () => partAmounts(30)),
        transactionMinimums: least,
        transactionMaximums: least ? ordered(least, 200) : some(0.1, () => inAll(() => whole(100))),
        includedTransactions: some(0.2, () => whole(4)),
      }
    }
    return {
      ...common,
      tiers: tiers(),
      tierBounds: some(0.4, () => one('inclusive' as const, 'exclusive' as const)),
      flatAtZero: some(0.4, () => one('due' as const, 'not_due' as const)),
      packageRounding: some(0.3, () => one('up' as const, 'down' as const, 'fraction' as const)),
    }
  }
  /** How many months the subscription has lived, so that steps of a ramp often begin in mid-period. */
  const age = whole(4)
  const ofQuantity = ['per_unit', 'graduated', 'volume', 'package'] as const
  const usagePrice = (meter: Meter): UsagePrice => {
    const price = priceOf(meter === 'moved' && often(0.7) ? ['percentage'] : ofQuantity) as UsagePrice
    const isTransfer = price.model === 'percentage'
    const weighted = meters[meter].aggregation === 'time_weighted'
    const isCounted = meters[meter].aggregation === 'sum' || meters[meter].aggregation === 'count'
    const singly = isCounted ? (['record', 'record'] as const) : []
    const bucket = isTransfer
      ? undefined
      : some(weighted ? 0 : 0.2, () => ({
          size: one('hour' as const, 'day' as const, 'month' as const, ...singly),
          priced: some(0.6, () => one('per_bucket' as const, 'on_sum' as const)),
          maximumQuantity: some(0.3, () => 1 + whole(20)),
        }))
    const included = some(0.4, () => whole(meter === 'moved' ? 800 : 20))
    const isTiered = price.model === 'graduated' || price.model === 'volume'
    return {
      ...price,
      bucket,
      changesInDay: weighted ? some(0.5, () => one('exact' as const, 'last' as const, 'max' as const)) : undefined,
      included,
      ...(included === undefined
        ? {}
        : {
            includedMode: some(0.5, () =>
              isTiered
                ? one('before' as const, 'inside' as const, 'reprice_all' as const)
                : one('before' as const, 'reprice_all' as const),
            ),
            includedProrated: some(0.3, () => often(0.7)),
            rollover:
              bucket && bucket.priced !== 'on_sum'
                ? undefined
                : some(0.3, () => ({ capUnits: some(0.5, () => whole(30)) })),
          }),
      ramp: some(0.25, () => [
        { fromMonth: often(0.6) ? age + 1 : 1 + whole(3), ...priceOf(isTransfer ? ['percentage'] : ofQuantity) },
      ]) as UsagePrice['ramp'],
    }
  }

  const settings = (): NonNullable<NonNullable<CatalogFile['policies']['billing']>['settings']> => ({
    roundAt: some(0.4, () => one('unit' as const, 'step' as const, 'line' as const, 'invoice' as const)),
    rounding: some(0.5, () => one('half_up' as const, 'half_even' as const, 'down' as const, 'up' as const)),
    remainder: some(0.3, () => one('largest_remainder' as const, 'first_line' as const, 'last_line' as const)),
    proration: some(0.6, () => ({
      basis: some(0.7, () => one('second' as const, 'day' as const, 'thirtieths' as const, 'none' as const)),
      denominator: some(0.3, () => one('old_period' as const, 'new_period' as const, 'standard_month' as const)),
      dayOfChange: some(0.5, () => one('old' as const, 'new' as const, 'both' as const, 'neither' as const)),
      dayOfEnd: some(0.3, () => one('counted' as const, 'not_counted' as const)),
      atEnd: some(0.3, () => one('prorate' as const, 'whole' as const)),
      style: some(0.4, () => one('segments' as const, 'credit_and_charge' as const)),
    })),
    onSplit: some(0.6, () => one('anew' as const, 'cumulative' as const, 'cumulative' as const)),
    order: some(0.3, () =>
      chance.shuffled(['minimum', 'maximum', 'discount', 'credit', 'tax'] as const).slice(0, 3 + whole(3)),
    ),
    stacking: some(0.3, () => one('sequential' as const, 'additive' as const)),
    discountOn: some(0.3, () => one('sum' as const, 'lines' as const)),
    taxOn: some(0.3, () => one('sum' as const, 'lines' as const)),
    burnOrder: some(0.3, () => chance.shuffled(['priority', 'expiry', 'category', 'age'] as const)),
    creditAtExpiry: some(0.3, () => one('expired' as const, 'usable' as const)),
    minimumCharges: some(0.2, () => ({ [currency]: whole(500) })),
    chargeSteps: some(0.2, () => ({ [currency]: one(1, 5, 10) })),
  })

  // When: a month of a grid, in a time zone, at times a part of it.
  const timeZone = one('UTC', 'UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata')
  const begin = Temporal.ZonedDateTime.from(`2026-01-01T00:00:00[${timeZone}]`).add({
    months: whole(12),
    days: whole(28),
    hours: one(0, 0, whole(24)),
  })
  const regular = { start: begin.toInstant(), end: begin.add({ months: 1 }).toInstant() }
  const length = Number(regular.end.epochMilliseconds - regular.start.epochMilliseconds) / 1000
  const inside = (step: number) => regular.start.add({ seconds: (1 + whole(Math.floor(length / step) - 1)) * step })
  const isPart = often(0.15)
  const period = { start: isPart ? inside(3600) : regular.start, end: regular.end }
  const within = (step: number) => {
    const at = inside(step)
    return Temporal.Instant.compare(at, period.start) > 0 ? at : period.start.add({ seconds: 3600 * (1 + whole(3)) })
  }
  const text = (at: Temporal.Instant) => at.toString()
  const isIn = (at: Temporal.Instant) => Temporal.Instant.compare(at, period.end) < 0

  const planOf = (rank: number, withTrial: boolean): Plan => {
    const rated = chance.shuffled(Object.keys(meters) as Meter[]).slice(0, 1 + whole(4))
    const usagePrices: Record<string, UsagePrice> = Object.fromEntries(rated.map((meter) => [meter, usagePrice(meter)]))
    if (often(0.2)) usagePrices.platform = priceOf(['flat']) as UsagePrice
    if (rated.includes('calls') && often(0.3)) usagePrices.calls_again = { ...usagePrice('calls'), meter: 'calls' }
    const keys = Object.keys(usagePrices)
    const bound = (most: number) => ({
      amounts: inAll(() => whole(most)),
      prorated: some(0.4, () => often(0.7)),
      charges: some(0.3, () => keys.slice(0, 1 + whole(keys.length))),
    })
    const least = one('none', 'none', 'minimum', 'commitment')
    return {
      name: `Plan ${rank}`,
      status: 'active',
      rank,
      model: 'hybrid',
      trial: withTrial ? { days: 14, paymentMethod: 'required' } : undefined,
      prices: { monthly: { interval: 'month', amounts: inAll(() => whole(6000)) } },
      seats: { included: whole(3), max: null, perSeat: { monthly: inAll(() => whole(900)) } },
      usagePrices,
      billing: {
        minimum: least === 'minimum' ? bound(3000) : undefined,
        commitment: least === 'commitment' ? { ...bound(9000), periods: 2 + whole(3) } : undefined,
        maximum: some(0.15, () => ({ ...bound(6000), amounts: inAll(() => 3000 + whole(6000)) })),
        trial: withTrial ? some(0.5, () => ({ usage: one('free' as const, 'charged' as const) })) : undefined,
        settings: some(0.5, settings),
      },
      grants: {
        calls: {
          limit: null,
          enforcement: 'soft',
          included: usagePrices.calls && some(0.4, () => usagePrices.calls!.included ?? whole(15)),
        },
      },
    }
  }
  const withTrial = often(0.2)
  const file = JSON.parse(
    JSON.stringify({
      catalog: 'random',
      currencies: [currency, 'EUR'],
      baseline: 'free',
      meters,
      features: { calls: { name: 'Calls', kind: 'metered', meter: 'calls' } },
      plans: {
        free: {
          name: 'Free',
          status: 'active',
          rank: 0,
          model: 'free',
          grants: { calls: { limit: 9, enforcement: 'hard' } },
        },
        one: planOf(1, withTrial),
        two: planOf(2, withTrial),
      },
      addOns: {
        pack: {
          name: 'Pack',
          status: 'active',
          plans: ['one', 'two'],
          prices: { monthly: { interval: 'month', amounts: inAll(() => whole(500)) } },
          grants: { calls: { addLimit: 1 + whole(9) } },
        },
      },
      policies: {
        access: { active: 'full' },
        changes: { upgrade: 'immediate', downgrade: 'period_end', proration: 'always_invoice' },
        cancellation: { timing: 'period_end', readOnlyDays: 0, retentionDays: 30 },
        dunning: { stages: [{ afterDays: 0, access: 'grace' }], cancelAfterDays: 30 },
        usage: { acceptLateDays: 35, acceptFutureSeconds: 300 },
        billing: some(0.5, () => ({ settings: settings() })),
      },
    }),
  ) as CatalogFile

  const choice = (plan: string) => {
    const carrying = Object.entries(file.plans[plan]!.usagePrices ?? {}).filter(([, price]) => price.rollover)
    return {
      plan,
      price: 'monthly',
      seats: some(0.5, () => whole(8)),
      addOns: some(0.2, () => ({ pack: 1 + whole(2) })),
      carried:
        carrying.length > 0 && often(0.7)
          ? Object.fromEntries(
              carrying.map(([key]) => [
                key,
                Array.from({ length: whole(3) }, (_, ago) => ({ quantity: whole(15), periodsAgo: ago + 1 })),
              ]),
            )
          : undefined,
    }
  }
  // At times a change comes with the period.
  const atOnce = (at: Temporal.Instant) => (often(0.1) ? period.start : at)
  const change = atOnce(within(one(1, 3600, 3600)))
  const plans = ['one', ...(often(0.35) && isIn(change) ? ['two'] : [])]

  /** A quantity that is exactly a bound of a tier, with what is included before it. */
  const onBound = (meter: Meter): number | null => {
    const price = file.plans.one!.usagePrices?.[meter]
    const bounds = (price?.tiers ?? []).flatMap(({ upTo }) => (typeof upTo === 'number' ? [upTo] : []))
    const before = price?.includedMode === undefined ? (price?.included ?? 0) : 0
    return bounds.length === 0 ? null : one(...bounds) + before
  }
  const records = (meter: Meter): Records => {
    const { aggregation } = meters[meter]
    const isLevel = aggregation === 'latest' || aggregation === 'time_weighted'
    const times = new Set<string>()
    const exact = aggregation === 'sum' && often(0.3) ? onBound(meter) : null
    if (exact !== null) return [{ at: text(within(3600)), quantity: exact }]
    return Array.from({ length: whole(9) }, () => {
      // A level may have been set before the period began; some of the rest was used outside of it.
      const at = often(0.1) ? period.start.subtract({ seconds: 1 + whole(90_000) }) : within(one(1, 600, 3600))
      return {
        at: text(at),
        quantity:
          meter === 'moved'
            ? one<number | string>(whole(900), `${whole(900)}.25`)
            : one<number | string>(whole(14), `${whole(9)}.5`, isLevel || aggregation === 'max' ? 3 : -1),
        properties: { user: one('a', 'b', 'c', 'd') },
      }
    }).filter(({ at }) => !isLevel || (!times.has(at) && times.add(at)))
  }
  const used = new Set(
    plans.flatMap((plan) =>
      Object.entries(file.plans[plan]!.usagePrices ?? {}).flatMap(([key, price]) =>
        price.model === 'flat' ? [] : [price.meter ?? key],
      ),
    ),
  )
  const extra = often(0.3)
    ? [
        { key: 'setup', price: { model: 'one_time' as const, unitAmount: whole(2000) } },
        {
          key: 'chairs',
          price: {
            model: 'graduated' as const,
            tiers: [
              { upTo: 5, unitAmount: 100 },
              { upTo: null, unitAmount: '80.5', flatAmount: 20 },
            ],
            flatProrated: some(0.4, () => often(0.3)),
          },
          quantity: whole(9),
          ...(often(0.3) ? { until: text(within(1)) } : {}),
        },
        {
          key: 'late',
          meter: 'late',
          price: {
            model: 'volume' as const,
            tiers: [
              { upTo: 10, unitAmount: 9 },
              { upTo: null, unitAmount: 7 },
            ],
            minimum: some(0.3, () => whole(60)),
            maximum: some(0.3, () => 60 + whole(100)),
            prorateBounds: some(0.2, () => often(0.7)),
          },
          alreadyBilled: whole(20),
        },
      ]
    : []
  const trialEnd = within(3600)
  const at = often(0.2) ? period.end.add({ hours: whole(50) }) : undefined
  const credit = (index: number) => ({
    key: `credit_${index}`,
    amount: 1 + whole(3000),
    priority: some(0.5, () => whole(3)),
    expiresAt: some(0.5, () => text((at ?? period.end).add({ hours: one(-1, 0, 0, 5) }))),
    grantedAt: some(0.5, () => text(period.start.add({ hours: whole(900) }))),
    category: some(0.5, () => one('promotional' as const, 'paid' as const)),
    charges: some(0.2, () => [
      one('base', [...used].find((meter) => Object.hasOwn(file.plans.one!.usagePrices!, meter)) ?? 'base'),
    ]),
  })
  const coupon = (index: number) => {
    const months = some(0.4, () => 1 + whole(3))
    const countedBy = months === undefined ? undefined : one('calendar' as const, 'invoices' as const)
    return {
      key: `coupon_${index}`,
      ...(often(0.5)
        ? { percentOff: one<number | string>(10, '12.5', 100), onCredits: some(0.4, () => often(0.8)) }
        : { amountOff: whole(2500) }),
      charges: some(0.2, () => ['base']),
      months,
      countedBy,
      startsAt:
        countedBy === 'calendar' || often(0.2) ? text(period.start.subtract({ hours: 24 * whole(70) })) : undefined,
      invoicesSoFar: countedBy === 'invoices' ? whole(4) : undefined,
    }
  }
  const request = JSON.parse(
    JSON.stringify({
      currency,
      period: { start: text(period.start), end: text(period.end) },
      regularPeriod: isPart ? { start: text(regular.start), end: text(regular.end) } : undefined,
      newRegularPeriod: some(0.1, () => ({
        start: text(regular.start),
        end: text(regular.start.add({ hours: 24 * 17 })),
      })),
      timeZone,
      subscriptionStart: text(begin.subtract({ months: whole(5), days: one(0, 0, whole(20)) }).toInstant()),
      at: at && text(at),
      trial: withTrial
        ? { endsAt: text(isIn(trialEnd) ? trialEnd : period.end), firstPeriod: some(0.3, () => 'whole') }
        : undefined,
      plan: choice('one'),
      planChanges: plans.length > 1 ? [{ at: text(change), ...choice('two') }] : undefined,
      charges: extra,
      changes:
        extra.length > 0 && often(0.6)
          ? [{ at: text(atOnce(within(1))), charge: 'chairs', quantity: whole(12) }].filter((each) =>
              isIn(Temporal.Instant.from(each.at)),
            )
          : undefined,
      usage: [
        ...[...used].map((meter) => ({ meter, records: records(meter as Meter) })),
        ...(extra.length > 0
          ? [{ meter: 'late', records: [{ at: text(period.start), quantity: whole(12) - 4 }] }]
          : []),
      ],
      coupons: often(0.35) ? Array.from({ length: 1 + whole(2) }, (_, index) => coupon(index)) : undefined,
      credits: often(0.35) ? Array.from({ length: 1 + whole(3) }, (_, index) => credit(index)) : undefined,
      taxPercent: some(0.4, () => one<number | string>(20, '7.7')),
      settings: some(0.2, () => ({ rounding: one('half_up', 'half_even') })),
    }),
  ) as RatingPreviewRequest
  const standing = { periodsBefore: whole(4), spentBeforeMinor: BigInt(whole(4000)), ends: often(0.2) }
  return { seed, file, request, standing }
}
