import type { Period } from '../../core/period.ts'
import { isBefore } from '../../core/period.ts'
import type { Exact } from './exact.ts'
import type { Charge, Price, RatingInput, Source } from './price.ts'
import type { Edge } from './prorate.ts'

/** A part of the period in which neither price nor quantity of a charge changes. */
export type Segment = { from: Edge; to: Edge; price: Price; quantity: Exact | null }

/** The parts of the period in which a charge lives, in order; none when it lives in another time. */
export const segmentsOf = (input: RatingInput, charge: Charge): Segment[] => {
  const life = lifeOf(input, charge)
  if (life === null) return []
  if (charge.ramp.length === 0 && input.changes.length === 0)
    return [{ from: life.from, to: life.to, price: charge.price, quantity: heldQuantity(charge) }]
  const isFirst = ({ at, isStep }: Turn) =>
    !isStep && at.equals(life.from.at) && life.from.is === 'period' && wasPaid(input, charge)
  const inside = (at: Temporal.Instant) => isBefore(life.from.at, at) && isBefore(at, life.to.at)
  const moments = new Map<string, Temporal.Instant>()
  const turns = turnsOf(input, charge)
  for (const turn of turns) if (inside(turn.at) || isFirst(turn)) moments.set(turn.at.toString(), turn.at)
  const cuts = [...moments.values()].sort(Temporal.Instant.compare)
  return [life.from.at, ...cuts].map((start, index) => ({
    from: index === 0 ? life.from : { at: start, is: 'new_begins' },
    to: index === cuts.length ? life.to : { at: cuts[index]!, is: 'old_ends' },
    ...stateAt(
      charge,
      turns.filter((turn) => !isBefore(start, turn.at) && !(index === 0 && isFirst(turn))),
    ),
  }))
}

/**
 * What is held for a period that was paid in advance: a change at its very start comes after that payment, so that what stood
 * before is given back. A step of the ramp does not: whoever asked for the payment knew it.
 */
const wasPaid = ({ settings }: RatingInput, { basis }: Charge): boolean =>
  basis.kind === 'held' && settings.proration.style === 'credit_and_charge'

/** Held charges live outside of trials; usage does so too unless it is charged in them (convention 17). */
const lifeOf = (input: RatingInput, charge: Charge): { from: Edge; to: Edge } | null => {
  const { period, trial } = input
  let from: Edge = { at: period.start, is: 'period' }
  let to: Edge = { at: period.end, is: 'period' }
  const isAtStart = (edge: Charge['from'] | Charge['until']) =>
    edge?.by === 'change' && edge.at.equals(period.start) && wasPaid(input, charge)
  if (charge.from && (isBefore(from.at, charge.from.at) || isAtStart(charge.from)))
    from = { at: charge.from.at, is: charge.from.by === 'change' ? 'new_begins' : 'start' }
  if (charge.until && isBefore(charge.until.at, to.at))
    to = { at: charge.until.at, is: charge.until.by === 'change' ? 'old_ends' : 'end' }
  const delays = charge.basis.kind === 'held' ? trial?.firstPeriod === 'prorate' : trial?.usage === 'free'
  if (trial && isBefore(from.at, trial.endsAt)) {
    // A trial over the whole period leaves nothing to pay, however the period after it is charged.
    if (!isBefore(trial.endsAt, period.end) && (charge.basis.kind === 'held' || trial.usage === 'free')) return null
    if (delays) from = { at: trial.endsAt, is: 'start' }
  }
  const isReplaced = from.is === 'period' && isAtStart(charge.until)
  return isBefore(from.at, to.at) || isReplaced ? { from, to } : null
}

const heldQuantity = ({ basis }: Charge): Exact | null => (basis.kind === 'held' ? basis.quantity : null)

type Turn = { at: Temporal.Instant; isStep: boolean; price: Price | null; quantity: Exact | null }

/** Steps of the ramp and changes; a change at the same instant as a step wins. */
const turnsOf = (input: RatingInput, charge: Charge): Turn[] => {
  const start = input.subscriptionStart.toZonedDateTimeISO(input.timeZone)
  const ramp = charge.ramp.map(({ fromMonth, price }) => ({
    // Counted from the start of the subscription, so that the 31st comes back after a short month.
    at: start.add({ months: fromMonth }, { overflow: 'constrain' }).toInstant(),
    isStep: true,
    price,
    quantity: null,
  }))
  const changes = input.changes
    .filter((change) => change.charge === charge.key)
    .map((change) => ({ ...change, isStep: false }))
  return [...ramp, ...changes].sort((a, b) => Temporal.Instant.compare(a.at, b.at))
}

const stateAt = (charge: Charge, past: readonly Turn[]): { price: Price; quantity: Exact | null } =>
  past.reduce<{ price: Price; quantity: Exact | null }>(
    (state, turn) => ({ price: turn.price ?? state.price, quantity: turn.quantity ?? state.quantity }),
    { price: charge.price, quantity: heldQuantity(charge) },
  )

export const periodOf = ({ from, to }: { from: Edge; to: Edge }): Period => ({ start: from.at, end: to.at })

/** Convention 16: what is one number for the whole period, however often its price changes. */
export const oneNumber: ReadonlySet<Source['aggregation']> = new Set(['max', 'unique', 'latest'])

/** A level or a peak is one number for the whole period: it is rated once, at the price of its end. */
export const measuredSegments = (segments: Segment[], { aggregation }: Source): Segment[] =>
  oneNumber.has(aggregation) && segments.length > 1 ? [{ ...segments.at(-1)!, from: segments[0]!.from }] : segments
