import type { Reservation } from '@turnpike/contract'
import { fail } from '../core/errors.ts'
import { isWhole, type Micro, microOf, numberOfMicro } from '../core/quantity.ts'
import {
  addReserved,
  type CounterRow,
  findReservation,
  isProblem,
  lockReservation,
  lockReserved,
  meterRules,
  nameOf,
  type PreparedRecord,
  prepareRecord,
  type RecordDecision,
  type ReservationRecord,
  reservationsToExpire,
  roomOf,
  settleReservation,
} from '../modules/usage/index.ts'
import { type Tx, transact } from '../platform/db.ts'
import { notifyAll } from '../platform/notify.ts'
import { liveCustomer } from './check-entitlements.ts'
import type { Deps } from './deps.ts'
import { reservationView } from './reserve-usage.ts'
import { countUsage, movedNotices } from './steps/count-usage.ts'
import { eachOf } from './steps/each-of.ts'
import { layOut } from './steps/lay-out-usage.ts'

/** A reservation that was made; one that was refused is none. */
export const findMade = async (deps: Pick<Deps, 'db'>, reservationId: string): Promise<ReservationRecord> => {
  const reservation = await findReservation(deps.db, reservationId)
  if (!reservation || reservation.state === 'refused') throw fail('not_found')
  return reservation
}

/**
 * Counts what was used of a reservation and lets go of the rest (ENT-6), in one transaction. It is work that is done, so no
 * limit refuses it, also when the reservation has expired; it counts in the window in which it was reserved, where there was
 * room for it. A repeat finds it committed and gets the same answer.
 */
export const commitReservation = async (
  deps: Deps,
  made: ReservationRecord,
  quantities: Record<string, number> | undefined,
  correlationId: string,
): Promise<Reservation> => {
  const { tenantId, reservationId } = made
  const used = usedOf(made, quantities)
  // A repeat is answered whatever has changed since, such as the catalog.
  if (made.state === 'committed' || made.state === 'released') return reservationView(repeated(made, used))!
  const live = await liveCustomer(deps, tenantId, deps.clock.nowMs())
  const work = { tenantId, customerId: live.customerId, live, atomic: true, fact: true as const, correlationId }
  const records = recordsOf(deps, made, used)
  const laidOut = layOut([{ ...work, records }])
  const { settled, moved } = await transact(deps.db, async (tx) => {
    const counters = await lockReserved(tx, made, laidOut.refs)
    const current = await lockReservation(tx, reservationId)
    if (current.state === 'committed' || current.state === 'released')
      return { settled: repeated(current, used), moved: [] }
    const { counters: free, lowered } = await letGo(tx, current, counters)
    const counted = await countUsage(
      tx,
      deps,
      [{ ...work, records }],
      laidOut,
      free.slice(0, laidOut.refs.length),
      true,
    )
    requireCounted(counted.decisions)
    const settledAt = deps.clock.now()
    const after: ReservationRecord = {
      ...current,
      state: 'committed',
      settledAt,
      items: current.items.map((item) => ({ ...item, committed: used.get(item.feature)! })),
    }
    await settleReservation(tx, after, 'committed', settledAt)
    return { settled: after, moved: [...lowered, ...counted.moved] }
  })
  moveInMemory(deps, moved)
  return reservationView(settled)!
}

/** Lets go of a reservation of which nothing was used. One that has expired held nothing any more. */
export const releaseReservation = (deps: Deps, made: ReservationRecord): Promise<Reservation> =>
  end(deps, made, 'released').then((ended) => {
    if (ended.state === 'committed') throw fail('reservation_settled')
    return reservationView(ended)!
  })

/** Lets go of everything that was held for too long. */
export const expireReservations = async (deps: Pick<Deps, 'db' | 'clock' | 'live' | 'log'>): Promise<number> => {
  const due = await reservationsToExpire(deps.db, deps.clock.now(), 500)
  return eachOf(deps, 'reservations whose time is over', due, async (reservationId) => {
    const made = await findReservation(deps.db, reservationId)
    if (made) await end(deps, made, 'expired')
  })
}

const end = async (
  deps: Pick<Deps, 'db' | 'clock' | 'live'>,
  made: ReservationRecord,
  state: 'released' | 'expired',
): Promise<ReservationRecord> => {
  const { ended, moved } = await transact(deps.db, async (tx) => {
    const counters = await lockReserved(tx, made, [])
    const current = await lockReservation(tx, made.reservationId)
    if (current.state !== 'held') return { ended: current, moved: [] }
    const { lowered } = await letGo(tx, current, counters)
    const settledAt = deps.clock.now()
    await settleReservation(tx, current, state, settledAt)
    return { ended: { ...current, state, settledAt }, moved: lowered }
  })
  moveInMemory(deps, moved)
  return ended
}

/** Gives back the room that is held, and nothing where it was given back already. */
const letGo = async (
  tx: Tx,
  { state, tenantId, items }: ReservationRecord,
  counters: readonly CounterRow[],
): Promise<{ counters: CounterRow[]; lowered: CounterRow[] }> => {
  if (state !== 'held') return { counters: [...counters], lowered: [] }
  const byName = new Map(counters.map((counter) => [nameOf(counter), counter]))
  const lowered = await addReserved(
    tx,
    roomOf(tenantId, items).map(({ ref, quantity }) => ({ counter: byName.get(nameOf(ref))!, quantity: -quantity })),
  )
  await notifyAll(tx, movedNotices(lowered))
  const now = new Map(lowered.map((counter) => [nameOf(counter), counter]))
  return { counters: counters.map((counter) => now.get(nameOf(counter)) ?? counter), lowered }
}

/** All or nothing: a record that has the key of one of ours already would leave the others uncounted, and nobody would know. */
const requireCounted = (decisions: readonly RecordDecision[]): void => {
  const isCounted = (decision: RecordDecision) =>
    decision.kind === 'accepted' || (decision.kind === 'duplicate' && decision.earlier.outcome === 'accepted')
  if (!decisions.every(isCounted))
    throw fail('idempotency_key_reused', {
      errors: [{ field: 'reservationId', message: 'Another record has the key of this reservation.' }],
    })
}

/** The same again is the same answer; anything else comes too late. */
const repeated = (current: ReservationRecord, used: ReadonlyMap<string, Micro>): ReservationRecord => {
  if (current.state !== 'committed' || current.items.some((item) => item.committed !== used.get(item.feature)))
    throw fail('reservation_settled')
  return current
}

const usedOf = (made: ReservationRecord, quantities: Record<string, number> | undefined): Map<string, Micro> => {
  const invalid = (message: string) => fail('quantity_invalid', { errors: [{ field: 'quantities', message }] })
  const known = new Set(made.items.map(({ feature }) => feature))
  for (const feature of Object.keys(quantities ?? {}))
    if (!known.has(feature)) throw invalid(`${feature} is not reserved.`)
  return new Map(
    made.items.map(({ feature, quantity }) => {
      const wanted = quantities === undefined ? quantity : microOf(quantities[feature] ?? 0)
      if (wanted === null || wanted < 0n || wanted > quantity)
        throw invalid(
          `From 0 to the ${numberOfMicro(quantity)} that are reserved of ${feature}; more is usage of its own.`,
        )
      return [feature, wanted]
    }),
  )
}

/** The time of a reservation is ours, and its work is done: no policy on what senders may name is asked. */
const anyTime = { acceptLateDays: Number.POSITIVE_INFINITY, acceptFutureSeconds: Number.POSITIVE_INFINITY }

const recordsOf = (
  deps: Pick<Deps, 'catalog' | 'clock'>,
  made: ReservationRecord,
  used: ReadonlyMap<string, Micro>,
): PreparedRecord[] => {
  const { meters } = deps.catalog().file
  return made.items.flatMap(({ feature, meter }) => {
    const quantity = used.get(feature)!
    if (quantity === 0n) return []
    const rules = meterRules(meters).get(meter)
    if (rules && !rules.meter.fractional && !isWhole(quantity))
      throw fail('quantity_invalid', {
        errors: [{ field: 'quantities', message: `${feature} is counted in whole units of ${rules.meter.unit}.` }],
      })
    const record = {
      meter,
      quantity: numberOfMicro(quantity),
      at: made.reservedAt.toString(),
      idempotencyKey: `reservation:${made.reservationId}:${feature}`,
      ...(made.service === null ? {} : { service: made.service }),
    }
    const prepared = prepareRecord(record, rules, anyTime, deps.clock.nowMs())
    if (isProblem(prepared))
      throw fail('meter_unknown', { errors: [{ field: 'reservationId', message: prepared.detail }] })
    return [prepared]
  })
}

const moveInMemory = (deps: Pick<Deps, 'live'>, moved: readonly CounterRow[]): void => {
  for (const { tenantId, meter, windowStart, span, used, reserved, version } of moved)
    deps.live.counterMoved(tenantId, meter, windowStart, span, { used, reserved, version })
}
