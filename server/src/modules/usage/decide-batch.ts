import type { Micro } from '../../core/quantity.ts'
import type { PreparedRecord } from './record.ts'

/** One counter while a batch is decided. `levelAt`: since when a level is as it is, in epoch milliseconds. */
export type CounterState = { used: Micro; records: number; levelAt?: number | null }

/** What was answered to a key before. */
export type EarlierRecord = Pick<PreparedRecord, 'meter' | 'quantity' | 'at' | 'service' | 'properties'> & {
  outcome: 'accepted' | 'refused'
  used: Micro
  limit: number | null
  code: string | null
}

/** Says no with the limit that was met, or null to let the quantity through. */
export type LimitRule = (
  used: Micro,
  quantity: Micro,
) => { feature: string; code: 'limit_reached' | 'not_included' | 'access_restricted'; limit: number | null } | null

export type BatchItem = { record: PreparedRecord; counter: string; rule: LimitRule | null }

export type RecordDecision =
  /** `place`: which of the records that the batch adds to its counter this one is, for levels. */
  | { kind: 'accepted'; used: Micro; place?: number }
  | {
      kind: 'refused'
      used: Micro
      feature: string
      code: 'limit_reached' | 'not_included' | 'access_restricted'
      limit: number | null
    }
  | { kind: 'duplicate'; earlier: EarlierRecord }
  | { kind: 'reused' }
  /** Would have been accepted, but another record of the same all-or-nothing group was refused. */
  | { kind: 'withdrawn'; used: Micro }

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
  counters: Map<string, CounterState>,
  earlier: Map<string, EarlierRecord>,
  keyOf: (index: number) => string,
): RecordDecision[] => {
  const decisions: RecordDecision[] = []
  for (const group of groups) {
    const taken: { index: number; key: string; used: Micro; levelAt: number | null | undefined }[] = []
    let refused = false
    for (let index = group.from; index < group.to; index++) {
      const { record, counter, rule } = items[index]!
      const key = keyOf(index)
      const known = earlier.get(key)
      if (known) {
        const same = isSameRecord(known, record)
        // A repeat of a group that was refused takes nothing either, even where there is room by now.
        if (!same || known.outcome === 'refused') refused = true
        decisions[index] = same ? { kind: 'duplicate', earlier: known } : { kind: 'reused' }
        continue
      }
      const state = counters.get(counter)!
      const refusal = rule?.(state.used, record.quantity) ?? null
      const { meter, quantity, at, service, properties } = record
      if (refusal) {
        refused = true
        decisions[index] = { kind: 'refused', used: state.used, ...refusal }
        earlier.set(key, {
          meter,
          quantity,
          at,
          service,
          properties,
          outcome: 'refused',
          used: state.used,
          limit: refusal.limit,
          code: refusal.code,
        })
        continue
      }
      taken.push({ index, key, used: state.used, levelAt: state.levelAt })
      state.records += 1
      if (record.level) {
        setLevel(state, record)
        decisions[index] = { kind: 'accepted', used: state.used, place: state.records }
      } else {
        state.used += record.quantity
        decisions[index] = { kind: 'accepted', used: state.used }
      }
      earlier.set(key, {
        meter,
        quantity,
        at,
        service,
        properties,
        outcome: 'accepted',
        used: state.used,
        limit: null,
        code: null,
      })
    }
    if (!group.atomic || !refused) continue
    // Give back what this group took before one of its records was refused.
    for (const { index, key, used, levelAt } of taken.reverse()) {
      const state = counters.get(items[index]!.counter)!
      state.used = used
      state.levelAt = levelAt
      state.records -= 1
      earlier.delete(key)
      decisions[index] = { kind: 'withdrawn', used: state.used }
    }
  }
  return decisions
}

/** The newest time counts, whatever came last; of two with one time the later report. */
const setLevel = (state: CounterState, record: PreparedRecord): void => {
  if (state.levelAt !== undefined && state.levelAt !== null && record.at < state.levelAt) return
  state.used = record.quantity
  state.levelAt = record.at
}
