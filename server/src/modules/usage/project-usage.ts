import type { Micro } from '../../core/quantity.ts'

/** The pace is that of the last seven days: a whole week, so that working days and weekends are in it as often as they come. */
export const paceHours = 168
const hourMs = 3_600_000
const leastHours = 24

export type Pace = { quantity: Micro; hours: number }

/**
 * What was used in the last whole hours, and how many they are: seven days, or since the first usage of all when that is
 * less. Null below a day: then a pace is not known.
 */
export const paceOf = (quantity: Micro, firstHourMs: number | null, atMs: number): Pace | null => {
  if (firstHourMs === null) return null
  const end = Math.floor(atMs / hourMs)
  const hours = Math.min(paceHours, end - Math.floor(firstHourMs / hourMs))
  return hours < leastHours ? null : { quantity, hours }
}

export type Projection = { used: Micro; limitReachedAtMs: number | null }

/**
 * How much will have been used when the window ends (USE-6): what is used now, and for the rest of the window the pace of the
 * last week. Rounded half up to the unit that the meter counts in. `limitReachedAtMs`: when the limit would be met at this
 * pace, if that is before the window's end. No decision is made from it.
 */
export const projectUsage = (
  used: Micro,
  pace: Pace,
  window: { endMs: number },
  atMs: number,
  meter: { fractional: boolean; limit: Micro | null },
): Projection => {
  const leftMs = BigInt(Math.max(0, window.endMs - atMs))
  const paceMs = BigInt(pace.hours * hourMs)
  const unit = meter.fractional ? 1n : 1_000_000n
  const expected = used + roundedTo(pace.quantity * leftMs, paceMs, unit)
  const { limit } = meter
  const room = limit === null ? null : limit - used
  return {
    used: expected,
    limitReachedAtMs:
      room === null || pace.quantity <= 0n || expected < limit!
        ? null
        : atMs + Number(room <= 0n ? 0n : (room * paceMs + pace.quantity - 1n) / pace.quantity),
  }
}

/** `amount / per` to the nearest multiple of `unit`; a half goes up. */
const roundedTo = (amount: bigint, per: bigint, unit: bigint): bigint => {
  if (amount <= 0n) return 0n
  return ((amount * 2n + per * unit) / (per * unit * 2n)) * unit
}
