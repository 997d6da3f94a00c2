import { canonicalJson } from '../../core/canonical.ts'
import { isBefore, type Period } from '../../core/period.ts'
import type { Terms } from './usage-period.ts'

/**
 * The terms that held in a period, in order: those at its beginning and each that came inside of it with another plan.
 * What came on top of the same plan, such as an add-on, holds for the whole of its time: the last of it counts, so that
 * nobody gets an included quantity twice. Where the history begins later, its first terms hold from the start.
 */
export const termsIn = (history: readonly Terms[], { start, end }: Period): Terms[] => {
  const sorted = history.toSorted((a, b) => Temporal.Instant.compare(a.from, b.from))
  const before = sorted.findLast(({ from }) => !isBefore(start, from)) ?? sorted.find(({ from }) => isBefore(from, end))
  if (!before) return []
  const inside = sorted.filter((terms) => terms !== before && isBefore(start, terms.from) && isBefore(terms.from, end))
  const held: Terms[] = [before]
  for (const terms of inside) {
    const last = held.at(-1)!
    if (isSamePlan(last, terms)) held[held.length - 1] = { ...terms, from: last.from }
    else held.push(terms)
  }
  return held
}

const isSamePlan = (a: Terms, b: Terms): boolean =>
  a.plan === b.plan && a.planVersion === b.planVersion && a.currency === b.currency

/** Whether a subscription is on other terms than were written down last: then they are written down. */
export const areNewTerms = (last: Terms | null, now: Omit<Terms, 'from'>): boolean =>
  last === null ||
  !isSamePlan(last, { ...now, from: last.from }) ||
  last.price !== now.price ||
  last.seats !== now.seats ||
  canonicalJson(last.addOns) !== canonicalJson(now.addOns) ||
  // The provider forgets a trial when it is over; it was one all the same.
  (now.trialEndsAt !== null && last.trialEndsAt?.equals(now.trialEndsAt) !== true)
