import {
  type CounterRow,
  type CounterState,
  findSeen,
  hourCounters,
  hourNumber,
  insertSeen,
  type Sliding,
} from '../../modules/usage/index.ts'
import type { Tx } from '../../platform/db.ts'
import type { LaidOut } from './lay-out-usage.ts'

/** What is behind some counters, by their index: the values that were seen, and the hours of a sliding window. */
export type Behind = { seen: Map<number, Set<string>>; sliding: Map<number, Sliding> }

export const nothingBehind: Behind = { seen: new Map(), sliding: new Map() }

const hourMs = 3_600_000

/** Reads what the counters of a batch need besides themselves; most need nothing. The counters are locked. */
export const lookInto = async (tx: Tx, items: readonly LaidOut[], counters: readonly CounterRow[]): Promise<Behind> => {
  const values = new Map<number, Set<string>>()
  const times = new Map<number, { first: number; last: number }>()
  if (counters.some(isSpecial))
    for (const { record, place } of items)
      for (const [index, { counters: raised }] of place.targets.entries())
        for (const counter of raised) {
          const { value } = record.effects[index]!
          if (value !== undefined) values.set(counter, (values.get(counter) ?? new Set()).add(value))
          const known = times.get(counter)
          times.set(counter, {
            first: Math.min(known?.first ?? record.at, record.at),
            last: Math.max(known?.last ?? record.at, record.at),
          })
        }
  const unique = [...values]
  const found =
    unique.length === 0
      ? []
      : await findSeen(
          tx,
          unique.map(([index, wanted]) => ({ counter: counters[index]!, values: [...wanted] })),
        )
  const slides = [...times].filter(([index]) => hoursOf(counters[index]!) !== null)
  const hours = await hourCounters(
    tx,
    slides.map(([index, { first, last }]) => {
      const { tenantId, meter } = counters[index]!
      const reach = (hoursOf(counters[index]!)! + 1) * hourMs
      return { tenantId, meter, fromMs: first - reach, untilMs: last + reach }
    }),
  )
  return {
    seen: new Map(unique.map(([index], place) => [index, found[place]!])),
    sliding: new Map(slides.map(([index]) => [index, slidingOf(counters[index]!, hours)])),
  }
}

/** Whether more than a counter itself says how far a record moves it. */
export const isSpecial = ({ aggregation, span }: CounterRow): boolean =>
  aggregation.startsWith('unique:') || span.startsWith('sliding:')

const hoursOf = ({ span }: CounterRow): number | null =>
  span.startsWith('sliding:') ? Number(span.slice('sliding:'.length)) : null

const slidingOf = (counter: CounterRow, hours: readonly CounterRow[]): Sliding => ({
  hours: hoursOf(counter)!,
  used: new Map(
    hours.flatMap(({ tenantId, meter, windowStart, used }) =>
      tenantId === counter.tenantId && meter === counter.meter ? [[hourNumber(windowStart), used] as const] : [],
    ),
  ),
  known: null,
})

/** The counters as a batch begins to be decided. */
export const statesOf = (counters: readonly CounterRow[], { seen, sliding }: Behind): CounterState[] =>
  counters.map(({ used, reserved, levelAt }, index): CounterState => {
    const state: CounterState = { used, reserved, records: 0, levelAt }
    const values = seen.get(index)
    if (values) Object.assign(state, { seen: values, fresh: new Set<string>() })
    const window = sliding.get(index)
    if (window) state.sliding = { ...window, used: new Map(window.used), known: null }
    return state
  })

/** Remembers the values that a batch has added. */
export const insertNewValues = async (
  tx: Tx,
  counters: readonly CounterRow[],
  states: readonly CounterState[],
): Promise<void> => {
  const added = states.flatMap(({ fresh }, index) =>
    fresh && fresh.size > 0 ? [{ counter: counters[index]!, values: fresh }] : [],
  )
  if (added.length > 0) await insertSeen(tx, added)
}
