import type { LiveCustomer } from '../../modules/entitlements/index.ts'
import {
  type BatchItem,
  type CapRule,
  type CounterRef,
  hourAt,
  isLevel,
  lifetime,
  nameOf,
  type PreparedRecord,
} from '../../modules/usage/index.ts'
import { passesCap, type Spend } from './spend.ts'
import { limitsOf } from './usage-limits.ts'

/** Records of one customer that came in one request. `atomic`: all or nothing, which is what consuming means. */
export type UsageWork = {
  tenantId: string
  customerId: string
  live: LiveCustomer
  records: PreparedRecord[]
  atomic: boolean
  /** Usage of the past that is brought in: no limit refuses what was. */
  fact?: true
  correlationId: string
}

/** `windowStart`: of the usage period that takes the record in. */
export type LaidOut = BatchItem & {
  work: UsageWork
  windowStart: number
  limit: number | null
  isLevel: boolean
  /** The derived meters that are raised too, as an array literal. */
  also: string | null
}

/** A place with the time for which it holds: all that is used in one hour of one usage period counts in the same counters. */
type Spot = Pick<LaidOut, 'place' | 'windowStart' | 'limit' | 'isLevel'> & {
  meter: string
  fromMs: number
  untilMs: number
}

/** Puts the records of all requests in one row, each with its counters and the limits that apply to it. */
export const layOut = (works: readonly UsageWork[], spendOf: (live: LiveCustomer) => Spend | null = () => null) => {
  const items: LaidOut[] = []
  const groups: { from: number; to: number; atomic: boolean }[] = []
  const refs: CounterRef[] = []
  const indexOf = new Map<string, number>()
  const counterAt = (ref: CounterRef): number => {
    const name = nameOf(ref)
    const known = indexOf.get(name)
    if (known !== undefined) return known
    indexOf.set(name, refs.length)
    return refs.push(ref) - 1
  }
  for (const work of works) {
    const from = items.length
    // Records of a request mostly fall into one hour: where they count is worked out once.
    const spots: Spot[] = []
    for (const record of work.records) {
      let spot = spots.find(
        ({ meter, fromMs, untilMs }) => meter === record.meter && record.at >= fromMs && record.at < untilMs,
      )
      if (!spot) {
        spot = spotOf(work, record, counterAt, work.fact ? null : spendOf(work.live))
        spots.push(spot)
      }
      const { place, windowStart, limit, isLevel } = spot
      items.push({ work, record, place, windowStart, limit, isLevel, also: null })
    }
    groups.push({ from, to: items.length, atomic: work.atomic })
  }
  return {
    items,
    groups,
    refs,
    keyOf: (index: number) => `${items[index]!.work.tenantId}\n${items[index]!.record.idempotencyKey}`,
  }
}

const spotOf = (
  { tenantId, live, fact }: UsageWork,
  { meter, at, effects }: PreparedRecord,
  counterAt: (ref: CounterRef) => number,
  spend: Spend | null,
): Spot => {
  const hour = hourAt(at)
  let [fromMs, untilMs] = [hour.startMs, hour.endMs]
  const targets = effects.map((effect) => {
    const period = isLevel(effect.aggregation) ? lifetime : live.windowAt(at)
    fromMs = Math.max(fromMs, period.startMs)
    untilMs = Math.min(untilMs, period.endMs)
    const common = { tenantId, meter: effect.meter, aggregation: effect.counted }
    const inPeriod = counterAt({ ...common, span: 'period', windowStart: period.startMs, windowEnd: period.endMs })
    const inHour = counterAt({ ...common, span: 'hour', windowStart: hour.startMs, windowEnd: hour.endMs })
    const rule = fact ? null : limitsOf(live, effect.meter).rule
    return { counters: [inPeriod, inHour], limit: rule && { counter: inPeriod, rule } }
  })
  return {
    meter,
    fromMs,
    untilMs,
    place: {
      targets,
      shown: targets[0]!.counters[0]!,
      cap: spend && capOf(spend, live, tenantId, meter, at, counterAt),
    },
    windowStart: (isLevel(effects[0]!.aggregation) ? lifetime : live.windowAt(at)).startMs,
    limit: limitsOf(live, meter).limit,
    isLevel: effects.some((effect) => isLevel(effect.aggregation)),
  }
}

/** The counters of everything that costs something, so that what is decided on them is locked with them. */
const capOf = (
  spend: Spend,
  live: LiveCustomer,
  tenantId: string,
  meter: string,
  at: number,
  counterAt: (ref: CounterRef) => number,
): NonNullable<LaidOut['place']['cap']> => {
  const { startMs, endMs } = live.windowAt(at)
  const counters = spend.meters.map((priced) =>
    counterAt({
      tenantId,
      meter: priced,
      aggregation: spend.countedAs(priced),
      span: 'period',
      windowStart: startMs,
      windowEnd: endMs,
    }),
  )
  const feature = live.content.entitlements.find((each) => each.kind === 'metered' && each.meter === meter)?.feature
  const rule: CapRule = (used, added) =>
    passesCap(spend, startMs, used, added)
      ? { feature: feature ?? meter, code: 'spend_cap_reached', limit: null }
      : null
  return { counters, rule }
}
