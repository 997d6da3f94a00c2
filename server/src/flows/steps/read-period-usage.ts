import { contains, isBefore, type Period } from '../../core/period.ts'
import { exactOfMicro, type Usage, type UsageNeed } from '../../modules/rating/index.ts'
import {
  type EffectiveRecord,
  measureRecords,
  readCorrected,
  readPeriodCounters,
  readRecords,
  readUsedHours,
  type Stretch,
} from '../../modules/usage/index.ts'
import type { Db, Tx } from '../../platform/db.ts'

/** Whose usage of which time is read, and as what. `byCounter`: the counters of usage periods are of exactly this time. */
export type UsageOf = {
  tenantId: string
  period: Period
  byCounter: boolean
  needs: readonly UsageNeed[]
  /** The property whose values a meter counts, for meters that do. */
  properties: ReadonlyMap<string, string>
}

type Asked = Stretch & { to: number }

/**
 * The usage of many periods in a handful of statements: counters where they say it, records added up where a change cuts
 * through, the records themselves only where a price looks at each.
 */
export const readPeriodUsage = async (on: Db | Tx, all: readonly UsageOf[]): Promise<Usage[][]> => {
  const usage: Usage[][] = all.map(() => [])
  const counters: Asked[] = []
  const stretches: Asked[] = []
  for (const [to, { tenantId, period, byCounter, needs, properties }] of all.entries())
    for (const { meter, aggregation, as, parts, levelBefore } of needs) {
      const counted = aggregation === 'unique' ? `unique:${properties.get(meter)}` : aggregation
      const ask = (part: Period): Asked => ({ tenantId, meter, aggregation: counted, period: part, to })
      const [whole] = parts
      const span = { tenantId, meter, period: { start: whole!.start, end: parts.at(-1)!.end } }
      const isWhole = parts.length === 1 && whole!.start.equals(period.start) && whole!.end.equals(period.end)
      if (as === 'records' || levelBefore)
        usage[to]!.push({
          meter,
          kind: 'records',
          records: (await readRecords(on, span, levelBefore)).map(recordOf),
        })
      else if (as === 'hours')
        usage[to]!.push({ meter, kind: 'parts', parts: (await readUsedHours(on, span)).map(partOf) })
      else if (byCounter && isWhole) counters.push(ask(whole!))
      else stretches.push(...parts.map(ask))
    }
  const measured = [...(await readPeriodCounters(on, counters)), ...(await measureRecords(on, stretches))]
  for (const [index, { meter, period, to }] of [...counters, ...stretches].entries()) {
    const added = partOf({ start: period.start, ...measured[index]! })
    const known = usage[to]!.find((each) => each.meter === meter)
    if (known?.kind === 'parts') known.parts = [...known.parts, added]
    else usage[to]!.push({ meter, kind: 'parts', parts: [added] })
  }
  await leaveOutCorrections(on, all, usage)
  // In the order of the charges, whatever was read first: the input of a rating is compared as text.
  return usage.map((each, to) => {
    const order = all[to]!.needs.map(({ meter }) => meter)
    return each.toSorted((a, b) => order.indexOf(a.meter) - order.indexOf(b.meter))
  })
}

/** Counters count every row. A correction is one, but no transaction that pays a fee, and neither is what was voided. */
const leaveOutCorrections = async (on: Db | Tx, all: readonly UsageOf[], usage: readonly Usage[][]): Promise<void> => {
  const counted = all.flatMap(({ tenantId, needs }, to) =>
    needs.flatMap(({ meter, transactions, parts }) => {
      const known = transactions ? usage[to]!.find((each) => each.meter === meter) : undefined
      if (known?.kind !== 'parts') return []
      return [{ known, parts, tenantId, meter, period: { start: parts[0]!.start, end: parts.at(-1)!.end } }]
    }),
  )
  for (const { of, at, rows } of await readCorrected(on, counted)) {
    const { known, parts } = counted[of]!
    // What lies between the parts belongs to a plan without a price for it.
    if (!parts.some((part) => contains(part, at))) continue
    const place = known.parts.findLastIndex(({ start }) => !isBefore(at, start))
    known.parts = known.parts.map((part, index) =>
      index === place ? { ...part, transactions: part.transactions! - rows } : part,
    )
  }
}

const partOf = ({ start, used, records }: { start: Temporal.Instant; used: bigint; records: number }) => ({
  start,
  quantity: exactOfMicro(used),
  transactions: records,
})
const recordOf = ({ id, at, quantity, properties }: EffectiveRecord) => ({
  id,
  at,
  quantity: exactOfMicro(quantity),
  properties: Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, String(value)])),
})
