import { assert } from '../../core/errors.ts'
import { contains, isBefore, type Period } from '../../core/period.ts'
import { isZero } from './exact.ts'
import type { Charge, RatingInput, Source } from './price.ts'
import { measuredSegments, periodOf, segmentsOf } from './timeline.ts'

export type UsageCharge = Charge & { basis: Extract<Charge['basis'], { kind: 'usage' }> }
/** The least that rating has to be told of a meter, so that a period close reads a counter where a counter is enough. */
export type UsageNeed = {
  meter: string
  aggregation: Source['aggregation']
  /**
   * `parts`: what was measured in each of `parts`, one row each (a single one: the counter of the period). `hours`: in each hour with
   * usage that lies in them. `records`: each record in them as it is in effect, corrections put together with what they correct; of
   * a level the last one before them too.
   */
  as: 'parts' | 'hours' | 'records'
  /** Windows that meet, in the order of time; neither price nor plan changes inside one. */
  parts: readonly Period[]
  /** How many records made up each quantity has to be told too. */
  transactions: boolean
  /** What the level was at the beginning has to be told too. */
  levelBefore: boolean
}

/** What usage to fetch for an input whose usage is not filled in yet: one entry for each meter. */
export const neededUsage = (input: RatingInput): UsageNeed[] => {
  const byMeter = Map.groupBy(usageCharges(input), ({ basis }) => basis.meter)
  return [...byMeter].flatMap(([meter, charges]) => {
    const windows = charges.flatMap((charge) => measuredWindows(input, charge))
    if (windows.length === 0) return []
    const [first] = charges
    assert(
      charges.every(({ basis }) => basis.aggregation === first!.basis.aggregation),
      'a meter has one aggregation',
    )
    const parts = cutTogether(windows)
    // Different values of two windows are not the values of both.
    const isCutUp =
      first!.basis.aggregation === 'unique' &&
      windows.some((window) => parts.filter(({ start }) => contains(window, start)).length > 1)
    const kinds = charges.map((charge) => kindOf(input, charge))
    return [
      {
        meter,
        aggregation: first!.basis.aggregation,
        as: isCutUp || kinds.includes('records') ? 'records' : kinds.includes('hours') ? 'hours' : 'parts',
        parts,
        transactions: charges.some(({ price, ramp }) => [price, ...ramp.map((step) => step.price)].some(hasFee)),
        levelBefore: first!.basis.aggregation === 'latest' || first!.basis.aggregation === 'time_weighted',
      },
    ]
  })
}

export const usageCharges = ({ charges }: RatingInput): UsageCharge[] =>
  charges.flatMap((charge) => (charge.basis.kind === 'usage' ? [{ ...charge, basis: charge.basis }] : []))

/** The windows that a charge measures on its own; none when it does not live in this period. */
export const measuredWindows = (input: RatingInput, charge: UsageCharge): Period[] =>
  measuredSegments(segmentsOf(input, charge), charge.basis).map(periodOf)

/** Why a charge has to see single records, or null when it does not. */
export const recordsReason = ({ basis, price, ramp, included }: UsageCharge): string | null => {
  if (Object.keys(basis.filter).length > 0) return 'rates records of some properties'
  if (basis.aggregation === 'time_weighted') return 'measures by time_weighted'
  if (basis.bucket?.size === 'record') return 'rates each record by itself'
  if (basis.bucket && basis.aggregation === 'unique') return 'measures unique in buckets'
  const looks = [price, ...ramp.map((step) => step.price)].some(
    (one) =>
      one.model === 'percentage' &&
      (one.includedTransactions !== null ||
        one.transactionMinimum !== null ||
        one.transactionMaximum !== null ||
        // A transaction that is free pays no fee.
        (included !== null && !isZero(one.fixedFee))),
  )
  return looks ? 'looks at single transactions' : null
}

const hasFee = (price: Charge['price']): boolean => price.model === 'percentage' && !isZero(price.fixedFee)

const kindOf = (input: RatingInput, charge: UsageCharge): UsageNeed['as'] => {
  // Each transaction is rounded by itself.
  const roundsEach = charge.price.model === 'percentage' && input.settings.roundAt === 'unit'
  if (roundsEach || recordsReason(charge) !== null) return 'records'
  if (charge.basis.bucket === null) return 'parts'
  // Hours without a record do not tell the level that stays.
  if (charge.basis.aggregation === 'latest') return 'records'
  return measuredWindows(input, charge).every((window) => isOnHours(window, input.timeZone)) ? 'hours' : 'records'
}

/** Whether windows and days begin with an hour of UTC, so that sums by hour can be put together to them. */
const isOnHours = ({ start, end }: Period, timeZone: string): boolean => {
  const hour = 3_600_000
  if (start.epochMilliseconds % hour !== 0 || end.epochMilliseconds % hour !== 0) return false
  if (timeZone === 'UTC') return true
  for (let at = start; isBefore(at, end); at = at.add({ hours: 24 }))
    if (at.toZonedDateTimeISO(timeZone).offsetNanoseconds % (hour * 1_000_000) !== 0) return false
  return true
}

/** Windows of several charges, cut wherever one of them begins or ends. */
const cutTogether = (windows: readonly Period[]): readonly Period[] => {
  if (windows.length === 1) return windows
  const edges = new Map<string, Temporal.Instant>()
  for (const { start, end } of windows) for (const at of [start, end]) edges.set(at.toString(), at)
  const sorted = [...edges.values()].sort(Temporal.Instant.compare)
  return sorted
    .slice(0, -1)
    .map((start, index) => ({ start, end: sorted[index + 1]! }))
    .filter((part) => windows.some(({ start, end }) => !isBefore(part.start, start) && isBefore(part.start, end)))
}
