import { other, type Posting, postingIdOf, toCredit } from './posting.ts'

/** How much of each grant, in the order of burning. */
export type Burns = ReadonlyMap<string, bigint>

/** What a usage period takes of its customer's credit. */
export type PeriodBurn = {
  tenantId: string
  periodId: string
  /** The n-th time that the period was rated to other lines: each moves credit at most once. */
  round: number
  currency: string
  /** The period's end: what is burnt is burnt then. */
  at: Temporal.Instant
  /** What the period has burnt so far, and what it should have. */
  before: Burns
  wanted: Burns
}

/** What to take of each grant more than before; below zero goes back. Nothing that stays as it was. */
export const burnChanges = ({ before, wanted }: Pick<PeriodBurn, 'before' | 'wanted'>): [string, bigint][] =>
  [...new Set([...wanted.keys(), ...before.keys()])].flatMap((grantId): [string, bigint][] => {
    const change = (wanted.get(grantId) ?? 0n) - (before.get(grantId) ?? 0n)
    return change === 0n ? [] : [[grantId, change]]
  })

/**
 * The movement that brings what a period has burnt to what it should have: at first all of it, after a correction the
 * difference, as if it had been right from the beginning. Null when nothing moves.
 */
export const burnPosting = (burn: PeriodBurn, actor: string): Posting | null => {
  const changes = burnChanges(burn)
  if (changes.length === 0) return null
  const sum = changes.reduce((total, [, amountMinor]) => total + amountMinor, 0n)
  return {
    tenantId: burn.tenantId,
    postingId: postingIdOf('burn', `${burn.periodId} ${burn.round}`),
    kind: sum < 0n ? 'give_back' : 'burn',
    currency: burn.currency,
    at: burn.at,
    reference: burn.periodId,
    reason: null,
    actor,
    entries: [
      ...changes.map(([grantId, amountMinor]) => toCredit(grantId, -amountMinor)),
      ...(sum === 0n ? [] : [other('revenue', sum)]),
    ],
  }
}
