import { isBefore } from '../../core/period.ts'
import {
  type Burns,
  burnChanges,
  burnPosting,
  burntByPeriods,
  findGrants,
  type GrantBalance,
  grantsWithBalance,
  type PeriodBurn,
  post,
} from '../../modules/ledger/index.ts'
import { burnOn, type Credit, type Settings } from '../../modules/rating/index.ts'
import type { Db, Tx } from '../../platform/db.ts'
import type { NewEvent } from '../../platform/outbox.ts'
import type { Deps } from '../deps.ts'

/** A usage period with all that it costs, by charge, after what it was rated to now. */
export type PeriodCost = {
  tenantId: string
  periodId: string
  round: number
  currency: string
  at: Temporal.Instant
  /** Rated before, so that it may have burnt already. */
  isAgain: boolean
  amounts: readonly { charge: string | null; amountMinor: bigint }[]
  settings: Settings
}

/** What a period takes of grants now: below zero went back. */
export type PeriodBurnt = { tenantId: string; periodId: string; changes: [string, bigint][]; event: NewEvent }

/**
 * Pays what periods cost with the credit of their customers (INV-3, convention 14), in the transaction that saves their
 * lines; the customers are locked. What a period burns is what rating burns of the credit that had been granted and had not ended
 * at its end. A period that is rated again burns as if it had been right from the beginning: the difference moves. A
 * rerun finds its movements and moves nothing.
 */
export const burnForPeriods = async (
  tx: Tx,
  deps: Pick<Deps, 'clock'>,
  costs: readonly PeriodCost[],
  actor: string,
): Promise<PeriodBurnt[]> => {
  if (costs.length === 0) return []
  const tenantIds = [...new Set(costs.map(({ tenantId }) => tenantId))]
  const again = costs.filter(({ isAgain }) => isAgain).map(({ periodId }) => periodId)
  const burnt = await burntByPeriods(tx, tenantIds, again)
  const grants = new Map((await grantsWithBalance(tx, tenantIds)).map((grant) => [grant.grantId, grant]))
  const spent = [...burnt.values()].flatMap((of) => [...of.keys()]).filter((grantId) => !grants.has(grantId))
  for (const grant of await findGrants(tx, spent)) grants.set(grant.grantId, grant)
  if (grants.size === 0) return []
  const moves = movesOf(costs, grants, burnt)
  const postings = moves.flatMap((move) => burnPosting(move, actor) ?? [])
  const fresh = await post(tx, postings, deps.clock.now())
  const isFresh = new Set(postings.filter(({ postingId }) => fresh.has(postingId)).map(({ reference }) => reference))
  return moves.flatMap((move): PeriodBurnt[] => {
    const changes = burnChanges(move)
    if (changes.length === 0 || !isFresh.has(move.periodId)) return []
    const amountMinor = String(changes.reduce((sum, [, change]) => sum + change, 0n))
    const { tenantId, periodId, currency } = move
    const event: NewEvent = { type: 'credit.burnt', data: { periodId, amount: { amountMinor, currency } } }
    return [{ tenantId, periodId, changes, event }]
  })
}

/** What these periods would take of grants if they were closed now, by period. Nothing is moved. */
export const burnSoFar = async (
  on: Db | Tx,
  tenantId: string,
  costs: readonly PeriodCost[],
): Promise<Map<string, [string, bigint][]>> => {
  const grants = new Map((await grantsWithBalance(on, [tenantId])).map((grant) => [grant.grantId, grant]))
  return new Map(movesOf(costs, grants, new Map()).map((move) => [move.periodId, burnChanges(move)]))
}

const movesOf = (
  costs: readonly PeriodCost[],
  grants: ReadonlyMap<string, GrantBalance>,
  burnt: ReadonlyMap<string, Burns>,
): (PeriodCost & PeriodBurn)[] => {
  const byTenant = Map.groupBy(grants.values(), ({ tenantId }) => tenantId)
  const moves: (PeriodCost & PeriodBurn)[] = []
  // The one that ended first is paid first.
  for (const cost of costs.toSorted((a, b) => (isBefore(a.at, b.at) ? -1 : 1))) {
    const before = burnt.get(cost.periodId) ?? new Map<string, bigint>()
    const own = (byTenant.get(cost.tenantId) ?? []).filter(({ currency }) => currency === cost.currency)
    const wanted = burnsOf(cost, own, before)
    const move = { ...cost, before, wanted }
    moves.push(move)
    // What this period takes is not there for the next one.
    for (const [grantId, change] of burnChanges(move)) grants.get(grantId)!.leftMinor -= change
  }
  return moves
}

const burnsOf = (cost: PeriodCost, grants: readonly GrantBalance[], before: Burns): Burns => {
  const credits = grants
    .map((grant) => creditOf(grant, grant.leftMinor + (before.get(grant.grantId) ?? 0n)))
    .filter(({ amountMinor }) => amountMinor > 0n)
  const uses = burnOn(cost.amounts, { credits, settings: cost.settings, at: cost.at })
  return new Map(uses.filter(({ burntMinor }) => burntMinor > 0n).map(({ key, burntMinor }) => [key, burntMinor]))
}

/** A grant as rating takes it: what is left, and the share of the cost that is in it. */
const creditOf = (grant: GrantBalance, amountMinor: bigint): Credit => ({
  key: grant.grantId,
  amountMinor,
  priority: grant.priority,
  expiresAt: grant.expiresAt,
  grantedAt: grant.grantedAt,
  category: grant.category,
  paidMinor: (grant.paidMinor * amountMinor) / grant.amountMinor,
  charges: grant.charges,
})
