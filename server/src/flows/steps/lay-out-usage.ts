import { countingWindow, type LiveCustomer } from '../../modules/entitlements/index.ts'
import {
  type BatchItem,
  type CapRule,
  type CounterRef,
  type Effect,
  hourAt,
  isLevel,
  lifetime,
  nameOf,
  type PreparedRecord,
  type Target,
} from '../../modules/usage/index.ts'
import { passesCap, type Spend } from './spend.ts'
import { limitOf } from './usage-limits.ts'

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
type Spot = Pick<LaidOut, 'place' | 'windowStart' | 'limit' | 'isLevel' | 'also'> & {
  fact: boolean
  meter: string
  effects: readonly Effect[]
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
  // Records that come together mostly fall into one hour: where a customer's count is worked out once.
  const spotsOf = new Map<LiveCustomer, Spot[]>()
  for (const work of works) {
    const from = items.length
    const fact = work.fact ?? false
    const spots = spotsOf.get(work.live) ?? []
    spotsOf.set(work.live, spots)
    for (const record of work.records) {
      let spot = spots.find(
        (candidate) =>
          candidate.meter === record.meter &&
          candidate.fact === fact &&
          record.at >= candidate.fromMs &&
          record.at < candidate.untilMs &&
          raisesTheSame(candidate.effects, record.effects),
      )
      if (!spot) {
        spot = spotOf(work, record, counterAt, work.fact ? null : spendOf(work.live))
        spots.push(spot)
      }
      const { place, windowStart, limit, isLevel, also } = spot
      items.push({ work, record, place, windowStart, limit, isLevel, also })
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

const raisesTheSame = (a: readonly Effect[], b: readonly Effect[]): boolean =>
  a === b || (a.length === b.length && a.every((effect, index) => effect.meter === b[index]!.meter))

const spotOf = (
  { tenantId, live, fact }: UsageWork,
  { meter, at, effects }: PreparedRecord,
  counterAt: (ref: CounterRef) => number,
  spend: Spend | null,
): Spot => {
  const hour = hourAt(at)
  const usagePeriod = live.windowAt(at)
  let [fromMs, untilMs] = [hour.startMs, hour.endMs]
  const within = ({ startMs, endMs }: { startMs: number; endMs: number }) => {
    fromMs = Math.max(fromMs, startMs)
    untilMs = Math.min(untilMs, endMs)
    return { windowStart: startMs, windowEnd: endMs }
  }
  const targets = effects.map(({ meter: raised, aggregation, counted }): Target & { hardest: number | null } => {
    const common = { tenantId, meter: raised, aggregation: counted }
    const inPeriod = counterAt({ ...common, span: 'period', ...within(isLevel(aggregation) ? lifetime : usagePeriod) })
    const counters = [inPeriod, counterAt({ ...common, span: 'hour', ...within(hour) })]
    const limits = (live.limitsOn.get(raised) ?? []).map((counting) => {
      const { span, slidingHours } = counting
      const window = within(slidingHours === null ? countingWindow(live, counting, at) : lifetime)
      const counter = span === 'period' ? inPeriod : counterAt({ ...common, span, ...window })
      if (span !== 'period') counters.push(counter)
      return { counter, counting, windowStart: window.windowStart }
    })
    return { counters, ...limitOf(live, limits), ...(fact ? { limit: null } : {}) }
  })
  const [own] = targets
  return {
    fact: fact ?? false,
    meter,
    effects,
    fromMs,
    untilMs,
    place: {
      targets,
      shown: own!.limit?.counter ?? own!.counters[0]!,
      cap: spend && capOf(spend, live, tenantId, meter, at, counterAt),
    },
    windowStart: (isLevel(effects[0]!.aggregation) ? lifetime : usagePeriod).startMs,
    limit: own!.hardest,
    isLevel: effects.some((effect) => isLevel(effect.aggregation)),
    also: effects.length === 1 ? null : `{${effects.slice(1).map((effect) => effect.meter)}}`,
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
