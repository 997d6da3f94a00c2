import type { UsageOutcome, UsageRecord } from '@turnpike/contract'
import { canonicalJson } from '../../core/canonical.ts'
import { isWhole, type Micro, microOf, microOfWhole } from '../../core/quantity.ts'
import { type Effect, effectsOf, type MeterRules } from './meter-rules.ts'

/** A record that passed the checks which need no database. Times are epoch milliseconds: this is the hot path. */
export type PreparedRecord = {
  idempotencyKey: string
  meter: string
  quantity: Micro
  /** What it does to which meters; the first is its own. */
  effects: readonly Effect[]
  at: number
  /** Whether the sender named the time: a repeat without one is still the same record. */
  atGiven: boolean
  service: string | null
  correlationId: string | null
  /** Canonical JSON, so that equal properties compare equal. */
  properties: string | null
}

export type RecordProblem = { code: NonNullable<UsageOutcome['code']>; detail: string }

const dayMs = 86_400_000

/** Checks one record against its meter and the clock (USE-1, USE-5). */
export const prepareRecord = (
  record: UsageRecord,
  rules: MeterRules | undefined,
  policy: { acceptLateDays: number; acceptFutureSeconds: number },
  nowMs: number,
): PreparedRecord | RecordProblem => {
  if (!rules) return { code: 'meter_unknown', detail: `The catalog has no meter ${record.meter}.` }
  const { meter } = rules
  if (meter.of !== undefined)
    return { code: 'meter_derived', detail: `${record.meter} is told from ${meter.of}: report usage of that meter.` }
  const quantity = microOf(record.quantity ?? 1)
  if (quantity === null)
    return { code: 'quantity_out_of_range', detail: 'A quantity has at most 15 significant digits and 6 decimals.' }
  if (quantity < 0n)
    return { code: 'quantity_negative', detail: 'A quantity is not negative. Corrections are records of their own.' }
  if (!meter.fractional && !isWhole(quantity))
    return { code: 'quantity_not_whole', detail: `The meter ${record.meter} counts whole units of ${meter.unit}.` }
  const at = record.at === undefined ? nowMs : instantMs(record.at)
  if (at === null)
    return {
      code: 'time_invalid',
      detail: 'The time is an RFC 3339 instant with an offset, such as 2026-01-31T12:00:00Z.',
    }
  if (at < nowMs - policy.acceptLateDays * dayMs)
    return { code: 'time_too_old', detail: `Usage is accepted up to ${policy.acceptLateDays} days late.` }
  if (at > nowMs + policy.acceptFutureSeconds * 1_000)
    return {
      code: 'time_in_future',
      detail: `Usage is accepted up to ${policy.acceptFutureSeconds} seconds ahead of our clock.`,
    }
  const effects = effectsOf(rules, record.properties)
  if (effects === null)
    return {
      code: 'property_missing',
      detail: `The meter ${record.meter} counts values of "${meter.property}": a text, a whole number, true or false.`,
    }
  return {
    idempotencyKey: record.idempotencyKey,
    meter: record.meter,
    // What counts records or values counts them, whatever quantity they carry.
    quantity: meter.aggregation === 'count' || meter.aggregation === 'unique' ? microOfWhole(1) : quantity,
    effects,
    at,
    atGiven: record.at !== undefined,
    service: record.service ?? null,
    correlationId: record.correlationId ?? null,
    properties: record.properties ? canonicalJson(record.properties) : null,
  }
}

/** The keys that we make ourselves of a reservation, of a use and of the row of a file. */
const ownKey = /^(reservation|check|import):/

/** The same for what is reported: a report under a key of ours would be taken for a record of ours, or keep it from being counted. */
export const prepareReport = (
  ...[record, ...rest]: Parameters<typeof prepareRecord>
): PreparedRecord | RecordProblem =>
  ownKey.test(record.idempotencyKey)
    ? { code: 'key_reserved', detail: 'Keys that begin with reservation:, check: or import: are made by the service.' }
    : prepareRecord(record, ...rest)

export const isProblem = (prepared: PreparedRecord | RecordProblem): prepared is RecordProblem => 'code' in prepared

const rfc3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/

// The parser of the language takes the 31st of November for the 1st of December.
const isDayOfMonth = (text: string): boolean => {
  const day = Number(text.slice(8, 10))
  return day <= 28 || day <= new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate()
}

const instantMs = (text: string): number | null => {
  if (!rfc3339.test(text) || !isDayOfMonth(text)) return null
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? null : ms
}
