import { canonicalJson } from '../../core/canonical.ts'
import { type CustomerRecord, markResolved } from '../../modules/customers/index.ts'
import {
  compareSnapshots,
  effectiveFromOf,
  findOverrides,
  insertSnapshot,
  newestSnapshot,
  resolve,
  type SnapshotContent,
} from '../../modules/entitlements/index.ts'
import { findSubscriptions } from '../../modules/subscriptions/index.ts'
import type { Tx } from '../../platform/db.ts'
import { notify } from '../../platform/notify.ts'
import type { NewEvent } from '../../platform/outbox.ts'
import type { Deps } from '../deps.ts'
import { budgetOf } from './budget.ts'

export type Refreshed = {
  version: number
  content: SnapshotContent
  /** For the events: read when they have their place. */
  budgetNow: () => ReturnType<typeof budgetOf>
  events: NewEvent[]
}

/**
 * Resolves again and keeps the result as a new snapshot when it differs (ENT-3). The caller holds the customer's row and
 * appends the events last. `effectiveAt` is when the change behind it happened, where that is known to be earlier.
 */
export const refreshEntitlements = async (
  tx: Tx,
  deps: Pick<Deps, 'catalog'>,
  customer: CustomerRecord,
  at: Temporal.Instant,
  cause: string,
  correlationId: string,
  effectiveAt: Temporal.Instant = at,
): Promise<Refreshed> => {
  const before = await newestSnapshot(tx, customer.tenantId)
  const catalog = deps.catalog()
  const content = await resolveStored(tx, deps, customer.tenantId, at)
  await markResolved(tx, customer.tenantId, catalog.version)
  const budgetNow = () => budgetOf(tx, customer, content, at)
  if (before && canonicalJson(before.content) === canonicalJson(content))
    return { version: before.version, content, budgetNow, events: [] }
  const version = (before?.version ?? 0) + 1
  const difference = compareSnapshots(before?.content ?? null, content)
  const effectiveFrom = effectiveFromOf(before, content, difference, effectiveAt, at)
  await insertSnapshot(
    tx,
    { tenantId: customer.tenantId, customerId: customer.customerId, version, effectiveFrom, cause, content },
    correlationId,
  )
  await notify(tx, { kind: 'snapshot', tenantId: customer.tenantId, version })
  return {
    version,
    content,
    budgetNow,
    events: [
      {
        type: 'entitlements.updated',
        data: (budget) => ({
          version,
          cause,
          effectiveFrom: effectiveFrom.toString(),
          accessLevel: content.accessLevel,
          plan: content.plan,
          ...difference,
          budget,
        }),
      },
    ],
  }
}

/** What a customer should have now by all that is stored about them; nothing is written. */
export const resolveStored = async (
  tx: Tx,
  deps: Pick<Deps, 'catalog'>,
  tenantId: string,
  at: Temporal.Instant,
): Promise<SnapshotContent> =>
  resolve(deps.catalog(), await findSubscriptions(tx, tenantId), await findOverrides(tx, tenantId), at)
