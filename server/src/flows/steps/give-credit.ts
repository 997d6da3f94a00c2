import { type GrantBalance, type GrantRecord, grantPosting, post } from '../../modules/ledger/index.ts'
import { type Actor, appendAudit } from '../../platform/audit.ts'
import type { Tx } from '../../platform/db.ts'
import type { Deps } from '../deps.ts'

/** Books a grant that is written down and active: from here on it is usable. A repeat books nothing. */
export const giveCredit = async (
  tx: Tx,
  deps: Pick<Deps, 'clock'>,
  grant: GrantRecord,
  actor: Actor,
): Promise<GrantBalance> => {
  const at = deps.clock.now()
  await post(tx, [grantPosting(grant, { actor: actor.id, at: grant.grantedAt, reason: grant.reason })], at)
  await appendAudit(tx, deps.clock, {
    tenantId: grant.tenantId,
    actor,
    action: 'credit.grant',
    object: grant.grantId,
    after: {
      amountMinor: String(grant.amountMinor),
      currency: grant.currency,
      category: grant.category,
      expiresAt: grant.expiresAt?.toString() ?? null,
    },
    reason: grant.reason,
  })
  return { ...grant, leftMinor: grant.amountMinor }
}
