import type { CatalogMeteredGrant } from '@turnpike/contract'
import { type CalendarUnit, calendarAt, type Period } from '../../core/period.ts'
import { type Micro, microOfWhole } from '../../core/quantity.ts'
import type { FeatureWindow } from './counting.ts'
import type { WindowRule } from './resolve.ts'
import { windowAt } from './window.ts'

type Policy = NonNullable<CatalogMeteredGrant['rollover']>

/** What earlier windows have left, until when it can be used. Fixed when its window begins (ENT-8). */
export type Carried = {
  windowStart: string
  windowEnd: string
  /** Of the window itself, without what was carried. */
  allowance: number
  lots: { quantity: number; expiresAt: string }[]
}

/** By feature: what its last snapshot said, and what was used since, by the start of the window. */
export type LeftOver = ReadonlyMap<string, { before: Carried; used: ReadonlyMap<number, Micro> }>

/** The window of a feature that holds a time; sliding ones and lifetimes leave nothing over. */
const featureWindowAt = (window: FeatureWindow | null, usagePeriod: WindowRule, at: Temporal.Instant): Period =>
  window?.kind === 'calendar'
    ? calendarAt(window.unit satisfies CalendarUnit, window.timeZone, at)
    : windowAt(usagePeriod, at)

/**
 * What can be used besides the allowance in the window that holds `at`. In each window that is over, what was carried is used
 * before the allowance (or after it, by policy), the lot that ends first before the others; what is left of the allowance
 * becomes a lot of its own, up to the cap. A window that was cut short by a change of plan leaves its lots, and nothing new.
 */
export const carriedOver = (
  feature: string,
  policy: Policy,
  allowance: number | null,
  window: FeatureWindow | null,
  usagePeriod: WindowRule,
  at: Temporal.Instant,
  left: LeftOver | undefined,
): Carried => {
  const windowOf = (instant: Temporal.Instant) => featureWindowAt(window, usagePeriod, instant)
  const current = windowOf(at)
  const here = { windowStart: current.start.toString(), windowEnd: current.end.toString(), allowance: allowance ?? 0 }
  const known = left?.get(feature)
  if (!known) return { ...here, lots: [] }
  const { before, used } = known
  if (before.windowStart === here.windowStart) return { ...here, lots: before.lots }
  const start = Temporal.Instant.from(before.windowStart)

  // The windows between, as far back as anything of them could still be there.
  const passed: Period[] = []
  for (let next = current; passed.length <= policy.expiresAfterPeriods; ) {
    const earlier = windowOf(next.start.subtract({ nanoseconds: 1 }))
    if (Temporal.Instant.compare(earlier.start, start) <= 0) break
    passed.unshift(earlier)
    next = earlier
  }
  const first = passed[0]?.start ?? current.start
  const endedAt = Temporal.Instant.from(before.windowEnd)
  const ranToItsEnd = Temporal.Instant.compare(endedAt, first) <= 0
  let lots = before.lots
  const close = (period: Period, ofWindow: number) => {
    const spent = used.get(period.start.epochMilliseconds) ?? 0n
    lots = afterWindow(lots, ofWindow, spent, policy, allowance ?? 0, period.end, () =>
      endOfNth(windowOf, period.end, policy.expiresAfterPeriods),
    )
  }
  if (ranToItsEnd) close({ start, end: endedAt }, before.allowance)
  for (const period of passed) close(period, before.allowance)
  return { ...here, lots: lots.filter((lot) => isAfter(lot.expiresAt, current.start)) }
}

const isAfter = (text: string, instant: Temporal.Instant): boolean =>
  Temporal.Instant.compare(Temporal.Instant.from(text), instant) > 0

/** The end of the n-th window from a time on. */
const endOfNth = (windowOf: (at: Temporal.Instant) => Period, from: Temporal.Instant, n: number): string => {
  let end = from
  for (let window = 0; window < n; window++) end = windowOf(end).end
  return end.toString()
}

const million = 1_000_000n
const wholeUnits = (micro: Micro): number => Number(micro / million)
const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b)

/** The lots after a window in which so much was used. */
const afterWindow = (
  lots: Carried['lots'],
  allowance: number,
  used: Micro,
  policy: Policy,
  allowanceNow: number,
  endedAt: Temporal.Instant,
  expiryOfNew: () => string,
): Carried['lots'] => {
  let left = microOfWhole(allowance)
  let spent = used
  const take = (available: Micro): Micro => {
    const taken = smaller(available, spent)
    spent -= taken
    return available - taken
  }
  if (policy.order === 'allowance_first') left = take(left)
  const kept = [...lots]
    .sort((a, b) => Temporal.Instant.compare(a.expiresAt, b.expiresAt))
    .map((lot) => ({ ...lot, rest: take(microOfWhole(lot.quantity)) }))
  if (policy.order !== 'allowance_first') left = take(left)
  const carried = kept.flatMap(({ expiresAt, rest }) =>
    isAfter(expiresAt, endedAt) && rest >= million ? [{ quantity: wholeUnits(rest), expiresAt }] : [],
  )
  const cap = policy.capUnits ?? (policy.capPercent === undefined ? null : (allowanceNow * policy.capPercent) / 100)
  const room = cap === null ? Number.MAX_SAFE_INTEGER : cap - carried.reduce((sum, lot) => sum + lot.quantity, 0)
  const quantity = Math.min(wholeUnits(left), Math.floor(room))
  return quantity > 0 ? [...carried, { quantity, expiresAt: expiryOfNew() }] : carried
}
