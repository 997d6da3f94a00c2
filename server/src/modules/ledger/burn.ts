import { assert } from '../../core/errors.ts'
import { fromCredit, other, type Posting, postingIdOf, toCredit } from './posting.ts'

/** What was taken of one grant for a usage period. */
export type Burn = { grantId: string; amountMinor: bigint }

/** What a whole usage period took of its customer's credit: one movement, so that a rerun moves nothing. */
export type PeriodBurn = {
  tenantId: string
  periodId: string
  currency: string
  /** The period's end: what is burnt is burnt then. */
  at: Temporal.Instant
  burns: readonly Burn[]
}

const least = (a: bigint, b: bigint): bigint => (a > b ? b : a)

/** Null when nothing was burnt. */
export const burnPosting = (burn: PeriodBurn, actor: string): Posting | null => {
  const burns = burn.burns.filter(({ amountMinor }) => amountMinor !== 0n)
  if (burns.length === 0) return null
  return {
    tenantId: burn.tenantId,
    postingId: postingIdOf('burn', burn.periodId),
    kind: 'burn',
    currency: burn.currency,
    at: burn.at,
    reference: burn.periodId,
    reason: null,
    actor,
    entries: [
      ...burns.map(({ grantId, amountMinor }) => {
        assert(amountMinor > 0n, 'what is burnt is more than nothing')
        return fromCredit(grantId, amountMinor)
      }),
      other(
        'revenue',
        burns.reduce((sum, { amountMinor }) => sum + amountMinor, 0n),
      ),
    ],
  }
}

/**
 * Gives back what a correction found to be burnt too much, last burnt first, and never more than a period has burnt. `burnt`
 * is in the order of burning, less what was given back before. Null when there is nothing to give back.
 */
export const giveBackPosting = (
  asked: Omit<PeriodBurn, 'burns'> & { cause: string; amountMinor: bigint; reason: string | null },
  burnt: readonly Burn[],
  actor: string,
): Posting | null => {
  let open = asked.amountMinor
  const entries: Posting['entries'][number][] = []
  for (const { grantId, amountMinor } of burnt.toReversed()) {
    const back = least(open, amountMinor)
    if (back <= 0n) continue
    entries.push(toCredit(grantId, back))
    open -= back
  }
  if (entries.length === 0) return null
  return {
    tenantId: asked.tenantId,
    postingId: postingIdOf('give_back', `${asked.periodId} ${asked.cause}`),
    kind: 'give_back',
    currency: asked.currency,
    at: asked.at,
    reference: asked.periodId,
    reason: asked.reason,
    actor,
    entries: [...entries, other('revenue', open - asked.amountMinor)],
  }
}
