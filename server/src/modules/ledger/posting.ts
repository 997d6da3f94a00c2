import { idFor } from '../../core/ids.ts'

export type AccountKind = 'credit' | 'funding_paid' | 'funding_promotional' | 'revenue' | 'breakage' | 'refunded'
export type PostingKind = 'grant' | 'burn' | 'give_back' | 'expire' | 'void' | 'refund'

/** One side of a movement. Of a grant's account a positive amount is what the customer has. */
export type Entry = { kind: AccountKind; grantId: string | null; amountMinor: bigint }

/** One movement of credit: its entries sum to zero, which the database checks again. */
export type Posting = {
  tenantId: string
  postingId: string
  kind: PostingKind
  currency: string
  at: Temporal.Instant
  /** The grant, or the usage period that was paid. */
  reference: string
  reason: string | null
  actor: string
  entries: readonly Entry[]
}

/** The id of the movement that a cause makes: the same for every attempt. */
export const postingIdOf = (kind: PostingKind, cause: string): string => idFor('posting', `${kind} ${cause}`)

/** The name of an account within its customer. */
export const accountOf = ({ kind, grantId }: Pick<Entry, 'kind' | 'grantId'>): string => grantId ?? kind

export const fromCredit = (grantId: string, amountMinor: bigint): Entry => ({
  kind: 'credit',
  grantId,
  amountMinor: -amountMinor,
})
export const toCredit = (grantId: string, amountMinor: bigint): Entry => ({ kind: 'credit', grantId, amountMinor })
export const other = (kind: Exclude<AccountKind, 'credit'>, amountMinor: bigint): Entry => ({
  kind,
  grantId: null,
  amountMinor,
})
