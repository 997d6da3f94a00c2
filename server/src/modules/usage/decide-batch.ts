import { type Micro, microOfWhole } from '../../core/quantity.ts'
import { type Effect, isLevel } from './meter-rules.ts'
import type { PreparedRecord } from './record.ts'
import { addTo, copyOf, hourNumber, peakAt, type Sliding } from './sliding.ts'

/**
 * One counter while a batch is decided: `records` are those that the batch adds, `reserved` is held for others, `levelAt`
 * since when a level is as it is, in epoch milliseconds.
 */
export type CounterState = {
  used: Micro
  reserved: Micro
  records: number
  levelAt: number | null
  /** For a counter of unique values: those of the batch that were seen before it, and those that it adds. */
  seen?: ReadonlySet<string>
  fresh?: Set<string>
  /** For a sliding window: its hours. `used` is then what was in it at the newest record. */
  sliding?: Sliding
}

/** What was answered to a key before. */
export type EarlierRecord = Pick<PreparedRecord, 'meter' | 'quantity' | 'at' | 'service' | 'properties'> & {
  outcome: 'accepted' | 'refused'
  used: Micro
  reserved: Micro
  limit: number | null
  code: string | null
}

type RefusalCode = 'limit_reached' | 'not_included' | 'access_restricted' | 'spend_cap_reached'

/** Says no with the limit that was met, or null to let the quantity through. `used`: with what is reserved. */
export type LimitRule = (
  used: Micro,
  quantity: Micro,
) => { feature: string; code: RefusalCode; limit: number | null } | null

/** Says no to what all counters of `used` together with `added` would cost. */
export type CapRule = (used: readonly Micro[], added: readonly Micro[]) => ReturnType<LimitRule>

/** The counters that an effect raises, that of the usage period first, and the one that its limit looks at. */
export type Target = { counters: readonly number[]; limit: { counter: number; rule: LimitRule } | null }
/** Where records count that were used in the same hour: shared by all of them. `shown`: the counter that answers name. */
type Place = {
  targets: readonly Target[]
  shown: number
  /** What all that was used may cost: it looks at every counter that costs something. */
  cap?: { counters: readonly number[]; rule: CapRule } | null
}
export type BatchItem = { record: PreparedRecord; place: Place }

/** `reserved`: what was held for others in the counter of `used` when it was decided. */
export type RecordDecision =
  /** `place`: which of the records that the batch adds to its counter this one is: it puts levels of one time in order. */
  | { kind: 'accepted'; used: Micro; reserved: Micro; place: number }
  | {
      kind: 'refused'
      used: Micro
      reserved: Micro
      feature: string
      code: RefusalCode
      limit: number | null
    }
  | { kind: 'duplicate'; earlier: EarlierRecord }
  | { kind: 'reused' }
  /** Would have been accepted, but another record of the same all-or-nothing group was refused. */
  | { kind: 'withdrawn'; used: Micro; reserved: Micro }

/** Same key, same body: a repeat. Same key, other body: refused (USE-2). */
const isSameRecord = (earlier: EarlierRecord, record: PreparedRecord): boolean =>
  earlier.meter === record.meter &&
  earlier.quantity === record.quantity &&
  (!record.atGiven || earlier.at === record.at) &&
  earlier.service === record.service &&
  earlier.properties === record.properties

/**
 * Decides records in the order in which they came, against counters that are locked (USE-2, ENT-6). Pure but for the
 * counters and the earlier answers, which it carries forward. `groups` are all or nothing: lists of indices.
 */
export const decideBatch = (
  items: readonly BatchItem[],
  groups: readonly { from: number; to: number; atomic: boolean }[],
  counters: readonly CounterState[],
  earlier: Map<string, EarlierRecord>,
  keyOf: (index: number) => string,
): RecordDecision[] => {
  const decisions: RecordDecision[] = []
  for (const group of groups) {
    const taken: Taken[] = []
    let refused = false
    for (let index = group.from; index < group.to; index++) {
      const { record, place } = items[index]!
      const key = keyOf(index)
      const known = earlier.get(key)
      if (known) {
        const same = isSameRecord(known, record)
        // A repeat of a group that was refused takes nothing either, even where there is room by now.
        if (!same || known.outcome === 'refused') refused = true
        decisions[index] = same ? { kind: 'duplicate', earlier: known } : { kind: 'reused' }
        continue
      }
      const { meter, quantity, at, service, properties } = record
      const said = { meter, quantity, at, service, properties }
      const refusal = refusalOf(record, place, counters)
      if (refusal) {
        refused = true
        decisions[index] = { kind: 'refused', ...refusal }
        const { used, reserved, limit, code } = refusal
        earlier.set(key, { ...said, outcome: 'refused', used, reserved, limit, code })
        continue
      }
      if (group.atomic) taken.push({ index, key, before: statesOf(place, counters) })
      raise(record, place, counters)
      const { used, reserved } = counters[place.shown]!
      decisions[index] = { kind: 'accepted', used, reserved, place: counters[place.targets[0]!.counters[0]!]!.records }
      earlier.set(key, { ...said, outcome: 'accepted', used, reserved, limit: null, code: null })
    }
    if (!group.atomic || !refused) continue
    // Give back what this group took before one of its records was refused.
    for (const { index, key, before } of taken.reverse()) {
      for (const { counter, state } of before) Object.assign(counters[counter]!, state)
      earlier.delete(key)
      const { used, reserved } = counters[items[index]!.place.shown]!
      decisions[index] = { kind: 'withdrawn', used, reserved }
    }
  }
  return decisions
}

/** What one record of an all-or-nothing group found, to be put back. */
type Taken = { index: number; key: string; before: { counter: number; state: CounterState }[] }

const statesOf = (place: Place, counters: readonly CounterState[]): Taken['before'] =>
  place.targets.flatMap((target) =>
    target.counters.map((counter) => ({ counter, state: copyOfState(counters[counter]!) })),
  )

const copyOfState = (state: CounterState): CounterState => ({
  ...state,
  ...(state.fresh ? { fresh: new Set(state.fresh) } : {}),
  ...(state.sliding ? { sliding: copyOf(state.sliding) } : {}),
})

type Refusal = Omit<Extract<RecordDecision, { kind: 'refused' }>, 'kind'>

/** The first limit that says no; null when all of them let the record through. */
const refusalOf = (record: PreparedRecord, place: Place, counters: readonly CounterState[]): Refusal | null => {
  for (let index = 0; index < place.targets.length; index++) {
    const { limit } = place.targets[index]!
    if (!limit) continue
    const state = counters[limit.counter]!
    const used = state.sliding ? peakAt(state.sliding, hourNumber(record.at)) : state.used
    const refusal = limit.rule(used + state.reserved, stepOf(state, record, record.effects[index]!))
    if (refusal) return { used, reserved: state.reserved, ...refusal }
  }
  return capRefusalOf(record, place, counters)
}

const capRefusalOf = (record: PreparedRecord, place: Place, counters: readonly CounterState[]): Refusal | null => {
  if (!place.cap) return null
  const used = place.cap.counters.map((counter) => counters[counter]!.used + counters[counter]!.reserved)
  const added = place.cap.counters.map((counter) =>
    place.targets.reduce((sum, target, index) => {
      const effect = record.effects[index]!
      return target.counters[0] === counter && isAdded(effect) ? sum + stepOf(counters[counter]!, record, effect) : sum
    }, 0n),
  )
  const refusal = place.cap.rule(used, added)
  const { used: shown, reserved } = counters[place.shown]!
  return refusal && { used: shown, reserved, ...refusal }
}

/** Levels are facts: they are what they are, whatever they cost. */
const isAdded = ({ aggregation }: Effect): boolean => aggregation === 'sum' || aggregation === 'count'

const one = microOfWhole(1)

/** How much further a record moves a counter that adds up or keeps the highest. */
const stepOf = (state: CounterState, { quantity }: PreparedRecord, { aggregation, value }: Effect): Micro => {
  switch (aggregation) {
    case 'count':
      return one
    case 'max':
      return quantity > state.used ? quantity - state.used : 0n
    case 'unique':
      return state.seen!.has(value!) || state.fresh!.has(value!) ? 0n : one
    default:
      return quantity
  }
}

const raise = (record: PreparedRecord, place: Place, counters: readonly CounterState[]): void => {
  for (let index = 0; index < place.targets.length; index++) {
    const effect = record.effects[index]!
    for (const counter of place.targets[index]!.counters) {
      const state = counters[counter]!
      state.records += 1
      if (isLevel(effect.aggregation)) {
        setLevel(state, record)
        continue
      }
      const step = stepOf(state, record, effect)
      if (state.sliding) {
        const hour = hourNumber(record.at)
        addTo(state.sliding, hour, step)
        state.used = peakAt(state.sliding, hour)
      } else state.used += step
      if (effect.aggregation === 'unique' && step > 0n) state.fresh!.add(effect.value!)
    }
  }
}

/** The newest time counts, whatever came last; of two with one time the later report. */
const setLevel = (state: CounterState, record: PreparedRecord): void => {
  if (state.levelAt !== null && record.at < state.levelAt) return
  state.used = record.quantity
  state.levelAt = record.at
}
