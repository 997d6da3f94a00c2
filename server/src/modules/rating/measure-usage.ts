import { assert } from '../../core/errors.ts'
import { contains, isBefore, type Period } from '../../core/period.ts'
import { type Exact, larger, plus, smaller, sumOf, zero } from './exact.ts'
import { bucketStart, bucketsOf, measure, recordsOf, within } from './measure.ts'
import type { UsageCharge } from './need-usage.ts'
import type { RatingInput, Source, Usage, UsagePart, UsageRecord } from './price.ts'
import type { Measured } from './price-steps.ts'

/** The usage of one charge, whatever it was told as: what a window comes to, and each bucket of it. */
export type Meter = { over(window: Period): Measured; buckets(window: Period): Measured[] }

export const meterOf = (input: RatingInput, { basis }: UsageCharge): Meter => {
  const usage = input.usage.find(({ meter }) => meter === basis.meter)
  if (usage?.kind === 'total') return ofTotal(usage)
  if (usage?.kind === 'parts') return ofParts(usage.parts, basis, input)
  return ofRecords(usage?.records ?? [], basis, input)
}

/** The whole of the period, measured already. */
const ofTotal = ({ quantity, transactions }: Extract<Usage, { kind: 'total' }>): Meter => {
  const measured = {
    quantity,
    transactions: { total: larger(zero, quantity), count: transactions ?? 0 },
    records: null,
  }
  return { over: () => measured, buckets: () => [measured] }
}

const ofRecords = (all: Extract<Usage, { kind: 'records' }>['records'], source: Source, input: RatingInput): Meter => {
  const records = asLevels(recordsOf(all, source), source)
  const buckets = (window: Period) => bucketsOf(within(records, window), source, input)
  return {
    buckets,
    over: (window) => {
      const inside = within(records, window)
      if (source.bucket?.priced === 'on_sum')
        return { quantity: sumOfQuantities(buckets(window)), transactions: null, records: inside.length }
      // Convention 16: what an earlier record set is still the level, whether it was in this period or before.
      const before = records.findLast(({ at }) => isBefore(at, window.start))
      return measure(inside, { ...source, valueBefore: before?.quantity ?? source.valueBefore }, window, input)
    },
  }
}

/** Records that add to a level, as the levels that they lead to. */
const asLevels = (records: readonly UsageRecord[], { levelBy, valueBefore }: Source): readonly UsageRecord[] => {
  if (levelBy === 'set') return records
  let level = valueBefore
  return records.map((record) => {
    level = plus(level, record.quantity)
    return { ...record, quantity: level }
  })
}

/** Parts stand in the order of time; windows and buckets begin and end with one. */
const ofParts = (parts: readonly UsagePart[], source: Source, input: RatingInput): Meter => {
  const inside = (window: Period) => parts.filter(({ start }) => contains(window, start))
  const buckets = (window: Period): Measured[] => {
    const { size, maximumQuantity } = source.bucket!
    assert(size !== 'record', 'single records are not put together to parts')
    const groups = Map.groupBy(inside(window), ({ start }) => bucketStart(start, size, input.timeZone).toString())
    return [...groups.values()].map((group) => {
      const whole = together(group, source)
      return maximumQuantity === null ? whole : { ...whole, quantity: smaller(whole.quantity, maximumQuantity) }
    })
  }
  return {
    buckets,
    over: (window) =>
      source.bucket?.priced === 'on_sum'
        ? { quantity: sumOfQuantities(buckets(window)), transactions: null, records: null }
        : together(inside(window), source),
  }
}

const together = (parts: readonly UsagePart[], { aggregation, valueBefore }: Source): Measured => {
  const quantities = parts.map(({ quantity }) => quantity)
  const quantity =
    aggregation === 'max'
      ? quantities.reduce(larger, zero)
      : aggregation === 'latest'
        ? (quantities.at(-1) ?? valueBefore)
        : sumOf(quantities)
  const count = parts.reduce((sum, { transactions }) => sum + (transactions ?? 0), 0)
  return { quantity, transactions: { total: larger(zero, quantity), count }, records: null }
}

const sumOfQuantities = (all: readonly Measured[]): Exact => sumOf(all.map(({ quantity }) => quantity))
