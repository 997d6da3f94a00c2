import {
  burnPosting,
  burntFor,
  type GrantBalance,
  giveBackPosting,
  grantsWithBalance,
  type PeriodBurn,
  post,
} from '../../modules/ledger/index.ts'
import type { Credit } from '../../modules/rating/index.ts'
import type { Tx } from '../../platform/db.ts'
import type { NewEvent } from '../../platform/outbox.ts'
import type { Deps } from '../deps.ts'

/**
 * What these customers could burn, by tenant, as rating takes it: read in the transaction that closes their periods, with the
 * customers locked. Rating leaves out what is in another currency, has ended or was not yet granted at its instant.
 */
export const usableCredits = async (
  tx: Tx,
  tenantIds: readonly string[],
): Promise<ReadonlyMap<string, readonly GrantBalance[]>> =>
  Map.groupBy(await grantsWithBalance(tx, tenantIds), ({ tenantId }) => tenantId)

/** Grants in the currency of a rating, as its input: what is left, and the share of the cost that is in it. */
export const creditsForRating = (grants: readonly GrantBalance[], currency: string): Credit[] =>
  grants
    .filter((grant) => grant.currency === currency)
    .map((grant) => ({
      key: grant.grantId,
      amountMinor: grant.leftMinor,
      priority: grant.priority,
      expiresAt: grant.expiresAt,
      grantedAt: grant.grantedAt,
      category: grant.category,
      paidMinor: (grant.paidMinor * grant.leftMinor) / grant.amountMinor,
      charges: grant.charges,
    }))

/**
 * Books what periods have burnt, in the transaction that saves their lines; the customers are locked. A period burns once:
 * a rerun finds its movement and adds nothing. Gives the events of what was burnt now, by tenant.
 */
export const burnForPeriods = async (
  tx: Tx,
  deps: Pick<Deps, 'clock'>,
  periods: readonly PeriodBurn[],
  actor: string,
): Promise<Map<string, NewEvent[]>> => {
  const postings = periods.flatMap((period) => burnPosting(period, actor) ?? [])
  const fresh = await post(tx, postings, deps.clock.now())
  const events = new Map<string, NewEvent[]>()
  for (const posting of postings) {
    if (!fresh.has(posting.postingId)) continue
    events.set(posting.tenantId, [
      ...(events.get(posting.tenantId) ?? []),
      burnt(posting.reference, posting.entries.at(-1)!.amountMinor, posting.currency),
    ])
  }
  return events
}

/**
 * Gives back credit that a correction of a closed period shows to have been burnt too much: last burnt first, at most what
 * the period has burnt. `cause` names the correction, so that a repeat gives nothing again. Answers how much went back.
 */
export const giveBackCredit = async (
  tx: Tx,
  deps: Pick<Deps, 'clock'>,
  asked: Omit<PeriodBurn, 'burns'> & { cause: string; amountMinor: bigint; reason: string | null },
  actor: string,
): Promise<{ givenBackMinor: bigint; events: NewEvent[] }> => {
  const posting = giveBackPosting(asked, await burntFor(tx, asked.tenantId, asked.periodId), actor)
  if (!posting) return { givenBackMinor: 0n, events: [] }
  const back = -posting.entries.at(-1)!.amountMinor
  const fresh = await post(tx, [posting], deps.clock.now())
  if (!fresh.has(posting.postingId)) return { givenBackMinor: 0n, events: [] }
  return { givenBackMinor: back, events: [burnt(asked.periodId, -back, asked.currency)] }
}

const burnt = (periodId: string, amountMinor: bigint, currency: string): NewEvent => ({
  type: 'credit.burnt',
  data: { periodId, amount: { amountMinor: String(amountMinor), currency } },
})
