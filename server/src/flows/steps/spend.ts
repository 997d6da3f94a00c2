import type { CustomerBudget } from '@turnpike/contract'
import type { Micro } from '../../core/quantity.ts'
import type { Catalog } from '../../modules/catalog/index.ts'
import type { LiveCustomer, SnapshotContent, SpendCap } from '../../modules/entitlements/index.ts'
import { ratingInput } from '../../modules/periods/index.ts'
import {
  exactOfMicro,
  neededUsage,
  type RatingInput,
  rate,
  type Usage,
  type UsageNeed,
} from '../../modules/rating/index.ts'

/** What usage costs a customer with a cap, and what it may cost. */
export type Spend = {
  capMinor: bigint
  /** The meters that cost something, in the order in which `costMinor` takes their quantities. */
  meters: readonly string[]
  /** How the counter of one of them counts. */
  countedAs(meter: string): string
  /** What these quantities cost in the usage period that begins then, by the plan of now (INV-5). */
  costMinor(windowStartMs: number, quantities: readonly Micro[]): bigint
}

type OutsideCap = CustomerBudget['capLeavesOut'][number]

// A snapshot is never changed in place, and neither is a catalog.
const known = new WeakMap<SnapshotContent, { catalog: Catalog; spend: Spend | null }>()

/**
 * The cap of a customer with the cost of usage, as rating has it; null for whoever has no cap, which costs nothing to find out.
 * Counters alone must tell a cost: what looks at single records, and levels, which are facts, is no part of it.
 */
export const spendOf = (catalog: Catalog, live: Pick<LiveCustomer, 'content' | 'windowAt'>): Spend | null => {
  const { content } = live
  if (!content.spendCap) return null
  const remembered = known.get(content)
  if (remembered?.catalog === catalog) return remembered.spend
  const spend = makeSpend(catalog, content, content.spendCap, live.windowAt)
  known.set(content, { catalog, spend })
  return spend
}

const makeSpend = (
  catalog: Catalog,
  content: SnapshotContent,
  cap: SpendCap,
  windowAt: LiveCustomer['windowAt'],
): Spend => {
  const inputs = new Map<number, { input: RatingInput; needs: UsageNeed[] }>()
  const inputAt = (windowStartMs: number) => {
    const made = inputs.get(windowStartMs)
    if (made) return made
    const { startMs, endMs } = windowAt(windowStartMs)
    const rated = countedOnly(catalog, content, cap, startMs, endMs)
    // A customer has one window that is running, and late usage in the one before.
    if (inputs.size > 4) inputs.clear()
    inputs.set(windowStartMs, rated)
    return rated
  }
  const meters = pricedIn(catalog, content, cap).needs.map(({ meter }) => meter)
  return {
    capMinor: BigInt(cap.amountMinor),
    meters,
    countedAs: (meter) => catalog.file.meters[meter]?.aggregation ?? 'sum',
    costMinor: (windowStartMs, quantities) => {
      const { input, needs } = inputAt(windowStartMs)
      const usage = needs.flatMap((need): Usage[] => {
        const quantity = quantities[meters.indexOf(need.meter)] ?? 0n
        const start = need.parts.at(-1)!.start
        const part = { start, quantity: exactOfMicro(quantity), transactions: null }
        return [{ meter: need.meter, kind: 'parts', parts: [part] }]
      })
      return rate({ ...input, usage }).totalMinor
    },
  }
}

const pricedIn = (catalog: Catalog, content: SnapshotContent, cap: SpendCap) => {
  const start = Temporal.Instant.from(cap.subscriptionStart)
  const year = { startMs: start.epochMilliseconds, endMs: start.epochMilliseconds + 366 * 86_400_000 }
  return countedOnly(catalog, content, cap, year.startMs, year.endMs)
}

/** The usage charges of a window whose quantities are sums that counters hold. */
const countedOnly = (
  catalog: Catalog,
  { plan, planVersion, subscriptionId }: SnapshotContent,
  cap: SpendCap,
  startMs: number,
  endMs: number,
): { input: RatingInput; needs: UsageNeed[]; out: OutsideCap[] } => {
  const start = Temporal.Instant.fromEpochMilliseconds(startMs)
  const period = { start, end: Temporal.Instant.fromEpochMilliseconds(endMs) }
  const whole = ratingInput(catalog, {
    period,
    regular: period,
    timeZone: cap.timeZone ?? 'UTC',
    subscriptionStart: Temporal.Instant.from(cap.subscriptionStart),
    terms: [
      {
        tenantId: '',
        subscriptionId: subscriptionId ?? '',
        from: start,
        plan,
        planVersion,
        price: '',
        currency: cap.currency,
        seats: 0,
        addOns: cap.addOns,
        trialEndsAt: cap.trialEndsAt === null ? null : Temporal.Instant.from(cap.trialEndsAt),
      },
    ],
    carried: {},
    included: {},
    standing: { periodsBefore: 0, spentBeforeMinor: 0n, ends: false },
  })
  const all = { ...whole, minimum: null }
  const needed = neededUsage(all).map((need) => ({ need, why: whyOutside(need, all) }))
  const needs = needed.flatMap(({ need, why }) => (why === null ? [need] : []))
  const out = needed.flatMap(({ need: { meter }, why }) =>
    why === null ? [] : [{ meter, name: catalog.file.meters[meter]?.name ?? meter, why }],
  )
  const meters = new Set(needs.map(({ meter }) => meter))
  const charges = all.charges.filter(({ basis }) => basis.kind === 'usage' && meters.has(basis.meter))
  return { input: { ...all, charges }, needs, out }
}

/** Why counters alone do not tell what usage of a meter costs; null where they do. */
const whyOutside = (
  { meter, as, transactions, aggregation }: UsageNeed,
  { charges }: RatingInput,
): OutsideCap['why'] | null => {
  if (aggregation === 'latest' || aggregation === 'time_weighted') return 'level'
  if (aggregation !== 'sum' && aggregation !== 'count') return 'not_a_sum'
  if (transactions) return 'fee_by_record'
  if (as === 'parts') return null
  const isInParts = charges.some(
    ({ basis }) => basis.kind === 'usage' && basis.meter === meter && basis.bucket && basis.bucket.size !== 'record',
  )
  return isInParts ? 'parts_of_period' : 'single_records'
}

/** The meters whose usage costs something and is not held back by the customer's cap; none without one. */
export const outsideCap = (catalog: Catalog, content: SnapshotContent): OutsideCap[] =>
  content.spendCap ? pricedIn(catalog, content, content.spendCap).out : []

/** Whether more of some meters costs more than the cap allows; what costs nothing more is let through, also above it. */
export const passesCap = (
  { capMinor, costMinor }: Spend,
  windowStartMs: number,
  used: readonly Micro[],
  added: readonly Micro[],
): boolean => {
  if (added.every((quantity) => quantity <= 0n)) return false
  const after = costMinor(
    windowStartMs,
    used.map((quantity, index) => quantity + added[index]!),
  )
  return after > capMinor && after > costMinor(windowStartMs, used)
}
