import type { CreditGrant } from '@turnpike/contract'
import { isBefore } from '../../core/period.ts'
import { fromCredit, other, type Posting, postingIdOf, toCredit } from './posting.ts'

/** Credit that was given or bought. What is left of it stands in the ledger. */
export type GrantRecord = {
  tenantId: string
  grantId: string
  state: 'waiting_for_approval' | 'active' | 'rejected' | 'lapsed'
  category: 'paid' | 'promotional'
  currency: string
  amountMinor: bigint
  paidMinor: bigint
  priority: number
  /** Null: everything. */
  charges: string[] | null
  grantedAt: Temporal.Instant
  expiresAt: Temporal.Instant | null
  reason: string
  grantedBy: string
  checkoutId: string | null
  requestExpiresAt: Temporal.Instant | null
  decidedBy: string | null
  decidedAt: Temporal.Instant | null
  decisionReason: string | null
  voidedAt: Temporal.Instant | null
}

/** A grant with what is left of it. */
export type GrantBalance = GrantRecord & { leftMinor: bigint }

const fundingOf = (category: GrantRecord['category']): 'funding_paid' | 'funding_promotional' =>
  category === 'paid' ? 'funding_paid' : 'funding_promotional'

/** The end is exclusive: at the very instant of its end credit pays nothing any more. */
export const hasEnded = ({ expiresAt }: Pick<GrantRecord, 'expiresAt'>, at: Temporal.Instant): boolean =>
  expiresAt !== null && !isBefore(at, expiresAt)

/** What could go back for the unused rest: the share of what was paid, cut and not rounded (convention 14). */
export const refundableOf = (
  grant: Pick<GrantBalance, 'category' | 'paidMinor' | 'amountMinor' | 'leftMinor' | 'expiresAt'>,
  at: Temporal.Instant,
): bigint =>
  grant.category === 'paid' && !hasEnded(grant, at) ? (grant.paidMinor * grant.leftMinor) / grant.amountMinor : 0n

/** How a grant stands, in one word. */
export const stateOfGrant = (grant: GrantBalance, at: Temporal.Instant): CreditGrant['state'] => {
  if (grant.voidedAt) return 'voided'
  if (grant.state !== 'active') return grant.state
  if (hasEnded(grant, at)) return 'expired'
  return grant.leftMinor === 0n ? 'used_up' : 'active'
}

export type By = { actor: string; at: Temporal.Instant; reason?: string | null }

const posting = (
  grant: GrantRecord,
  kind: Posting['kind'],
  { actor, at, reason = null }: By,
  entries: Posting['entries'],
): Posting => ({
  tenantId: grant.tenantId,
  postingId: postingIdOf(kind, grant.grantId),
  kind,
  currency: grant.currency,
  at,
  reference: grant.grantId,
  reason,
  actor,
  entries,
})

export const grantPosting = (grant: GrantRecord, by: By): Posting =>
  posting(grant, 'grant', by, [
    toCredit(grant.grantId, grant.amountMinor),
    other(fundingOf(grant.category), -grant.amountMinor),
  ])

/**
 * What is left at the end goes to breakage, at the instant of the end whenever it is written down. Credit that is given back
 * after its end makes another movement: as if it had never been burnt, it would have ended too.
 */
export const expiryPosting = (grant: GrantBalance, by: Pick<By, 'actor'>, movedBefore: number): Posting => ({
  ...posting(grant, 'expire', { ...by, at: grant.expiresAt! }, [
    fromCredit(grant.grantId, grant.leftMinor),
    other('breakage', grant.leftMinor),
  ]),
  postingId: postingIdOf('expire', `${grant.grantId} ${movedBefore}`),
})

/** Takes what is left back to where it came from. */
export const voidPosting = (grant: GrantBalance, by: By): Posting =>
  posting(grant, 'void', by, [
    fromCredit(grant.grantId, grant.leftMinor),
    other(fundingOf(grant.category), grant.leftMinor),
  ])

/** Takes what is left away so that the share that was paid can go back; what was given on top of it is gone. */
export const refundPosting = (grant: GrantBalance, by: By): Posting => {
  const refundable = refundableOf(grant, by.at)
  const rest = grant.leftMinor - refundable
  return posting(grant, 'refund', by, [
    fromCredit(grant.grantId, grant.leftMinor),
    ...(refundable === 0n ? [] : [other('refunded', refundable)]),
    ...(rest === 0n ? [] : [other('breakage', rest)]),
  ])
}

/** What a refund at the provider moves; the caller names the movement. */
export const refundPostingOf = (grant: GrantRecord, by: By, entries: Posting['entries']): Posting =>
  posting(grant, 'refund', by, entries)
