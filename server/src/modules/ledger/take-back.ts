import { type By, type GrantBalance, type GrantRecord, hasEnded, refundPostingOf } from './grant.ts'
import { fromCredit, other, type Posting, postingIdOf } from './posting.ts'

/**
 * How much of bought credit goes with what was refunded of its payment: the same share of it, cut to whole minor units. All
 * of the payment is all of the credit.
 */
export const shareOfRefund = (
  { amountMinor }: Pick<GrantRecord, 'amountMinor'>,
  { paidMinor, refundedMinor }: { paidMinor: bigint; refundedMinor: bigint },
): bigint =>
  paidMinor <= 0n ? 0n : (amountMinor * (refundedMinor < paidMinor ? refundedMinor : paidMinor)) / paidMinor

/**
 * The movement that brings what refunds have taken of a grant to what they should have: no more than is left, as what was
 * burnt stays burnt and what has ended is gone. A refund that came to nothing gives back what it took. Of paid credit the share
 * that was paid is booked as refunded, the rest as gone. Null when nothing moves; what a person took back altogether stays so.
 */
export const takeBackPosting = (
  grant: GrantBalance,
  takenMinor: bigint,
  wantedMinor: bigint,
  by: By,
  movedBefore: number,
): Posting | null => {
  if (grant.voidedAt) return null
  const there = hasEnded(grant, by.at) ? 0n : grant.leftMinor
  const more = wantedMinor - takenMinor
  const change = more > there ? there : more
  if (change === 0n) return null
  const paid = (minor: bigint): bigint => (grant.paidMinor * minor) / grant.amountMinor
  const refunded = paid(takenMinor + change) - paid(takenMinor)
  const rest = change - refunded
  return {
    ...refundPostingOf(grant, by, [
      fromCredit(grant.grantId, change),
      ...(refunded === 0n ? [] : [other('refunded', refunded)]),
      ...(rest === 0n ? [] : [other('breakage', rest)]),
    ]),
    // The n-th movement of the account: a repeat that sees the same makes the same.
    postingId: postingIdOf('refund', `${grant.grantId} ${movedBefore}`),
  }
}
