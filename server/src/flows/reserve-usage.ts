import type { Decision, Reservation, ReservationAnswer, ReservationCreate } from '@turnpike/contract'
import { canonicalJson, sha256 } from '../core/canonical.ts'
import { fail } from '../core/errors.ts'
import { idFor } from '../core/ids.ts'
import { isWhole, type Micro, microOf, numberOfMicro } from '../core/quantity.ts'
import { type Counting, countingWindow, decide, inWindow, type LiveCustomer } from '../modules/entitlements/index.ts'
import {
  addReserved,
  type CounterRef,
  type CounterRow,
  findReservationByKey,
  hourCounters,
  hourNumber,
  type ItemDecision,
  insertReservation,
  lifetime,
  lockCounters,
  type MeterRules,
  meterRules,
  nameOf,
  peakAt,
  type ReservationRecord,
  roomOf,
} from '../modules/usage/index.ts'
import { isUniqueViolation, type Tx, transact } from '../platform/db.ts'
import { notifyAll } from '../platform/notify.ts'
import { liveCustomer } from './check-entitlements.ts'
import type { Deps } from './deps.ts'
import { movedNotices } from './steps/count-usage.ts'
import { passesCap, type Spend, spendOf } from './steps/spend.ts'

type Asked = { counting: Counting; quantity: Micro; rules: MeterRules }

/**
 * Holds room for work that is about to begin (ENT-6): all features or none, decided under the counters' locks as usage is, by
 * limits and by a spend cap. A repeat of the key gets the first answer, also of a no. What is held counts as used until it is
 * settled.
 */
export const reserveUsage = async (
  deps: Deps,
  tenantId: string,
  request: ReservationCreate,
  headerKey: string | null,
  correlationId: string,
): Promise<ReservationAnswer> => {
  const key = request.idempotencyKey ?? headerKey
  if (key === null)
    throw fail('invalid_request', {
      errors: [
        { field: 'idempotencyKey', message: 'A reservation needs a key, so that a repeat does not hold twice.' },
      ],
    })
  const live = await liveCustomer(deps, tenantId, deps.clock.nowMs())
  const asked = askedOf(deps, live, request)
  const about = { tenantId, key, request, correlationId }
  for (let attempt = 1; ; attempt++) {
    try {
      const { answer, moved } = await transact(deps.db, (tx) => reserve(tx, deps, live, asked, about))
      for (const { meter, windowStart, span, used, reserved, version } of moved)
        deps.live.counterMoved(tenantId, meter, windowStart, span, { used, reserved, version })
      return answer
    } catch (error) {
      // Two requests with one key at the same moment: the second finds what the first has made.
      if (!isUniqueViolation(error) || attempt === 2) throw error
    }
  }
}

const askedOf = (deps: Pick<Deps, 'catalog'>, live: LiveCustomer, { features }: ReservationCreate): Asked[] => {
  const rules = meterRules(deps.catalog().file.meters)
  const refuse = (message: string) => fail('invalid_request', { errors: [{ field: 'features', message }] })
  const names = new Set(features.map(({ feature }) => feature))
  if (names.size < features.length) throw refuse('Name each feature once.')
  return features.map(({ feature, quantity = 1 }) => {
    if (!live.byFeature.has(feature))
      throw fail('feature_unknown', {
        errors: [{ field: 'features', message: `The catalog has no feature ${feature}.` }],
      })
    const counting = live.countings.get(feature)
    const meter = counting && rules.get(counting.entitlement.meter)
    const addsUp = meter && (meter.meter.aggregation === 'sum' || meter.meter.aggregation === 'count')
    if (!counting || !meter || !addsUp || meter.meter.of !== undefined)
      throw refuse(`Nothing can be reserved of ${feature}: it is not a sum of what is reported.`)
    const micro = microOf(quantity)
    if (micro === null || micro < 0n || (!meter.meter.fractional && !isWhole(micro)))
      throw fail('quantity_invalid', {
        errors: [{ field: 'features', message: `${quantity} is no quantity of ${meter.meter.unit}.` }],
      })
    if (meter.meter.aggregation === 'count' && quantity !== 1)
      throw refuse(`${feature} counts reports, whatever they carry: reserve one of it at a time.`)
    return { counting, quantity: micro, rules: meter }
  })
}

type About = { tenantId: string; key: string; request: ReservationCreate; correlationId: string }

const reserve = async (
  tx: Tx,
  deps: Pick<Deps, 'clock' | 'catalog'>,
  live: LiveCustomer,
  asked: readonly Asked[],
  { tenantId, key, request, correlationId }: About,
): Promise<{ answer: ReservationAnswer; moved: CounterRow[] }> => {
  const { features, expiresInSeconds = 900, service = null } = request
  const requestHash = sha256(canonicalJson({ features, expiresInSeconds, service }))
  const known = await findReservationByKey(tx, tenantId, key)
  if (known) {
    if (!known.requestHash.equals(requestHash)) throw fail('idempotency_key_reused')
    return { answer: { ...known.answer, reservation: reservationView(known) }, moved: [] }
  }
  const at = deps.clock.now()
  const period = live.windowAt(at.epochMilliseconds)
  const spend = live.content.spendCap ? spendOf(deps.catalog(), live) : null
  const limits = asked.map((each) => limitOf(tenantId, live, each, at.epochMilliseconds))
  const refs = [...limits, ...limits.map((ref) => inPeriod(ref, period)), ...pricedCounters(spend, tenantId, period)]
  const unique = [...new Map(refs.map((ref) => [nameOf(ref), ref])).values()]
  const locked = new Map((await lockCounters(tx, unique)).map((counter) => [nameOf(counter), counter]))
  const counterOf = (ref: CounterRef) => locked.get(nameOf(ref))!
  const decisions: Decision[] = []
  const decided: ItemDecision[] = []
  for (const [index, { counting, quantity }] of asked.entries()) {
    const counter = counterOf(limits[index]!)
    const { reserved } = counter
    const used = await usedNow(tx, counter, counting, at.epochMilliseconds)
    const { startMs, resetsAt } = countingWindow(live, counting, at.epochMilliseconds)
    const entitlement = inWindow(counting.entitlement, startMs)
    const decision = decide(live.content, entitlement, { used, reserved, resetsAt }, quantity)
    decisions.push(decision)
    const windowStart = Temporal.Instant.fromEpochMilliseconds(startMs)
    decided.push({ used, reserved, windowStart, reason: decision.reason, because: null })
  }
  if (spend && decisions.every((decision) => decision.allowed)) {
    const capped = pastCap(spend, asked, pricedCounters(spend, tenantId, period).map(counterOf), period.startMs)
    for (const index of capped) {
      decisions[index] = { ...decisions[index]!, allowed: false, reason: 'spend_cap_reached', state: 'blocked' }
      decided[index]!.reason = 'spend_cap_reached'
    }
  }
  const no = decisions.find((decision) => !decision.allowed)
  const allowed = no === undefined
  // One that would have been allowed by itself went down with another.
  for (const [index, { allowed: itself }] of decisions.entries()) if (no && itself) decided[index]!.because = no.feature
  const reservation: ReservationRecord = {
    tenantId,
    reservationId: idFor('reservation', `${tenantId} ${key}`),
    idempotencyKey: key,
    requestHash,
    state: allowed ? 'held' : 'refused',
    reservedAt: at,
    expiresAt: at.add({ seconds: expiresInSeconds }),
    settledAt: null,
    snapshotVersion: live.version,
    service,
    correlationId,
    answer: { tenantId, allowed, decisions, snapshotVersion: live.version },
    items: asked.map(({ counting, quantity }, index) => ({
      feature: counting.entitlement.feature,
      meter: counting.entitlement.meter,
      span: limits[index]!.span,
      windowStart: Temporal.Instant.fromEpochMilliseconds(limits[index]!.windowStart),
      periodStart: Temporal.Instant.fromEpochMilliseconds(period.startMs),
      quantity,
      committed: null,
    })),
  }
  await insertReservation(tx, reservation, decided)
  const held = allowed
    ? await addReserved(
        tx,
        roomOf(tenantId, reservation.items).map(({ ref, quantity }) => ({ counter: counterOf(ref), quantity })),
      )
    : []
  if (held.length > 0) await notifyAll(tx, movedNotices(held))
  return { answer: { ...reservation.answer, reservation: reservationView(reservation) }, moved: held }
}

/** The counter that limits a feature. */
const limitOf = (tenantId: string, live: LiveCustomer, { counting, rules }: Asked, atMs: number): CounterRef => {
  const { startMs, endMs } = counting.slidingHours === null ? countingWindow(live, counting, atMs) : lifetime
  const { meter } = counting.entitlement
  const { counted: aggregation } = rules.effects[0]!
  return { tenantId, meter, span: counting.span, windowStart: startMs, windowEnd: endMs, aggregation }
}

type Window = { startMs: number; endMs: number }

/** The counter of the same meter in the usage period: it keeps the others from moving, and a cap looks at it. */
const inPeriod = (ref: CounterRef, { startMs, endMs }: Window): CounterRef => ({
  ...ref,
  span: 'period',
  windowStart: startMs,
  windowEnd: endMs,
})

/** The counters of everything that costs something under a cap, in the order of its meters. */
const pricedCounters = (spend: Spend | null, tenantId: string, period: Window): CounterRef[] =>
  (spend?.meters ?? []).map((meter) => {
    const common = { tenantId, meter, span: '', windowStart: 0, windowEnd: 0 }
    return inPeriod({ ...common, aggregation: spend!.countedAs(meter) }, period)
  })

/** Those of the features that cost something, when all together would cost more than the cap. */
const pastCap = (spend: Spend, asked: readonly Asked[], counters: readonly CounterRow[], startMs: number): number[] => {
  const used = counters.map((counter) => counter.used + counter.reserved)
  const added = spend.meters.map((meter) =>
    asked.reduce((sum, each) => (each.counting.entitlement.meter === meter ? sum + each.quantity : sum), 0n),
  )
  if (!passesCap(spend, startMs, used, added)) return []
  return asked.flatMap(({ counting, quantity }, index) =>
    spend.meters.includes(counting.entitlement.meter) && quantity > 0n ? [index] : [],
  )
}

/** What is in the window; a sliding one is made of its hours. */
const usedNow = async (tx: Tx, counter: CounterRow, { slidingHours }: Counting, atMs: number): Promise<Micro> => {
  if (slidingHours === null) return counter.used
  const reach = (slidingHours + 1) * 3_600_000
  const { tenantId, meter } = counter
  const hours = await hourCounters(tx, [{ tenantId, meter, fromMs: atMs - reach, untilMs: atMs + reach }])
  const used = new Map(hours.map((hour) => [hourNumber(hour.windowStart), hour.used]))
  return peakAt({ hours: slidingHours, used, known: null }, hourNumber(atMs))
}

/** A reservation as the API shows it; null when it was refused. */
export const reservationView = (reservation: ReservationRecord): Reservation | null =>
  reservation.state === 'refused'
    ? null
    : {
        id: reservation.reservationId,
        tenantId: reservation.tenantId,
        state: reservation.state,
        features: reservation.items.map(({ feature, quantity, committed }) => ({
          feature,
          quantity: numberOfMicro(quantity),
          committed: committed === null ? null : numberOfMicro(committed),
        })),
        reservedAt: reservation.reservedAt.toString(),
        expiresAt: reservation.expiresAt.toString(),
        settledAt: reservation.settledAt?.toString() ?? null,
      }
