import type { Metered } from './counting.ts'

/** How much of the limit was left over by earlier windows; an override says what is allowed in all. */
export const carriedIn = ({ carried, origin }: Metered): number =>
  carried && origin !== 'override' ? carried.lots.reduce((sum, lot) => sum + lot.quantity, 0) : 0

const startOf = ({ carried }: Metered): number | null =>
  carried ? Temporal.Instant.from(carried.windowStart).epochMilliseconds : null

/** What was carried is there in the window for which it was carried, and in no other. */
export const inWindow = (entitlement: Metered, windowStart: number): Metered => {
  const more = carriedIn(entitlement)
  if (more === 0 || startOf(entitlement) === windowStart) return entitlement
  return {
    ...entitlement,
    limit: entitlement.limit === null ? null : entitlement.limit - more,
    included: entitlement.included === null ? null : entitlement.included - more,
  }
}
