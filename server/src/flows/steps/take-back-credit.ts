import {
  countMovements,
  findGrants,
  type GrantBalance,
  post,
  shareOfRefund,
  takeBackPosting,
  takenByRefunds,
} from '../../modules/ledger/index.ts'
import { findPurchases, type PurchaseRecord } from '../../modules/payments/index.ts'
import { refundedOfPayments } from '../../modules/refunds/index.ts'
import { type Actor, appendAudit } from '../../platform/audit.ts'
import type { Db, Tx } from '../../platform/db.ts'
import type { NewEvent } from '../../platform/outbox.ts'
import type { Deps } from '../deps.ts'
import { creditView, type PurchaseBack, purchaseView } from './credit-views.ts'

/**
 * Credit that was bought goes with the refund of its payment (INV-4): the refunded share of it, as far as it is there. What
 * was burnt by then is not taken back, and its purchase says so. Looks at how much went back altogether and moves the
 * difference, so the same webhook again moves nothing, and a refund that came to nothing brings its credit back. Called when
 * refunds were applied, and when a correction gave burnt credit back. The caller holds the customer's row.
 */
export const takeBackCredit = async (
  tx: Tx,
  deps: Pick<Deps, 'clock'>,
  tenantId: string,
  of: { payments?: readonly string[]; grants?: readonly string[] },
  actor: Actor,
): Promise<NewEvent[]> => {
  if ((of.payments ?? []).length + (of.grants ?? []).length === 0) return []
  const events: NewEvent[] = []
  const at = deps.clock.now()
  const purchases = await findPurchases(tx, tenantId, of)
  for (const { purchase, grant, taken, wanted, refunded } of await refundsOf(tx, tenantId, purchases)) {
    if (!grant) continue
    const moved = await countMovements(tx, tenantId, grant.grantId)
    const reason = `${purchase.name} was refunded`
    const posting = takeBackPosting(grant, taken, wanted, { actor: actor.id, at, reason }, moved)
    if (!posting) continue
    await post(tx, [posting], at)
    const change = -posting.entries[0]!.amountMinor
    const after = { ...grant, leftMinor: grant.leftMinor - change }
    const back = backOf(refunded, taken + change, wanted)
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: 'credit.take_back',
      object: grant.grantId,
      before: { leftMinor: String(grant.leftMinor), currency: grant.currency },
      after: {
        leftMinor: String(after.leftMinor),
        purchase: purchase.purchaseId,
        refundedMinor: String(refunded),
        keptMinor: String(back.creditKeptMinor),
      },
      reason,
    })
    events.push({
      type: 'credit.refunded',
      data: {
        grant: creditView(after, at),
        amount: { amountMinor: String(change), currency: grant.currency },
        purchase: purchaseView(purchase, back),
      },
    })
  }
  return events
}

/** What went back of purchases and of the credit that came with them. */
export const purchaseBacks = async (
  on: Db | Tx,
  tenantId: string,
  purchases: readonly PurchaseRecord[],
): Promise<Map<string, PurchaseBack>> =>
  new Map(
    (await refundsOf(on, tenantId, purchases)).map(({ purchase, refunded, taken, wanted }) => [
      purchase.purchaseId,
      backOf(refunded, taken, wanted),
    ]),
  )

const backOf = (refundedMinor: bigint, creditTakenMinor: bigint, wanted: bigint): PurchaseBack => ({
  refundedMinor,
  creditTakenMinor,
  creditKeptMinor: wanted > creditTakenMinor ? wanted - creditTakenMinor : 0n,
})

type Refunded = {
  purchase: PurchaseRecord
  grant: GrantBalance | null
  refunded: bigint
  taken: bigint
  wanted: bigint
}

const refundsOf = async (on: Db | Tx, tenantId: string, purchases: readonly PurchaseRecord[]): Promise<Refunded[]> => {
  const payments = purchases.flatMap(({ providerPaymentId }) => providerPaymentId ?? [])
  const grantIds = purchases.flatMap(({ creditGrantId }) => creditGrantId ?? [])
  const refunds = await refundedOfPayments(on, tenantId, payments)
  const grants = new Map((await findGrants(on, grantIds)).map((grant) => [grant.grantId, grant]))
  const takenOf = await takenByRefunds(on, tenantId, grantIds)
  return purchases.map((purchase) => {
    const refunded = refunds.get(purchase.providerPaymentId ?? '') ?? 0n
    const grant = grants.get(purchase.creditGrantId ?? '') ?? null
    const wanted = grant ? shareOfRefund(grant, { paidMinor: purchase.amountMinor, refundedMinor: refunded }) : 0n
    return { purchase, grant, refunded, wanted, taken: takenOf.get(purchase.creditGrantId ?? '') ?? 0n }
  })
}
