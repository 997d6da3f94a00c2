import { canonicalJson } from '../../core/canonical.ts'
import type { Micro } from '../../core/quantity.ts'
import { findBudget } from '../../modules/budgets/index.ts'
import type { Catalog } from '../../modules/catalog/index.ts'
import { type CustomerRecord, markResolved, timeZoneOf } from '../../modules/customers/index.ts'
import { findOpenRemediations } from '../../modules/downgrades/index.ts'
import { findOpenCases, nextAccessChange, stageAt } from '../../modules/dunning/index.ts'
import {
  type Carried,
  compareSnapshots,
  countingOf,
  effectiveFromOf,
  findOverrides,
  insertSnapshot,
  type LeftOver,
  newestSnapshot,
  resolve,
  type SnapshotContent,
  type SpendCap,
  type StageInForce,
} from '../../modules/entitlements/index.ts'
import { findSubscriptions, type SubscriptionRecord } from '../../modules/subscriptions/index.ts'
import { readWindows } from '../../modules/usage/index.ts'
import { type Db, type Tx, whenCommitted } from '../../platform/db.ts'
import { notify } from '../../platform/notify.ts'
import type { NewEvent } from '../../platform/outbox.ts'
import type { Deps } from '../deps.ts'
import { beginWindows } from './begin-windows.ts'
import { budgetOf } from './budget.ts'
import { announceStages, dunningPolicyOf } from './follow-dunning.ts'
import { followRemediations } from './follow-remediations.ts'

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
  deps: Pick<Deps, 'catalog' | 'clock' | 'live'>,
  customer: CustomerRecord,
  at: Temporal.Instant,
  cause: string,
  correlationId: string,
  effectiveAt: Temporal.Instant = at,
): Promise<Refreshed> => {
  // What begins by time is told in the transaction that first sees it: stages of dunning, ends of cleanup windows.
  const begun = [
    ...(await announceStages(tx, deps, customer.tenantId, at, correlationId)),
    ...(await followRemediations(tx, deps, customer.tenantId, at, correlationId)),
  ]
  const before = await newestSnapshot(tx, customer.tenantId)
  const catalog = deps.catalog()
  const content = await resolveStored(tx, deps, customer.tenantId, at)
  await markResolved(tx, customer.tenantId, catalog.version, content.validUntil)
  const budgetNow = () => budgetOf(tx, customer, content, at)
  const unchanged = before !== null && canonicalJson(before.content) === canonicalJson(content)
  const version = unchanged ? before.version : (before?.version ?? 0) + 1
  // Other processes hear of it by a notice; whoever asks this one next must not get what was before.
  whenCommitted(tx, () => deps.live.snapshotChanged(customer.tenantId, version))
  if (unchanged) return { version, content, budgetNow, events: begun }
  // Who is new has recorded nothing.
  if (before) await beginWindows(tx, deps, customer.tenantId, before.content, content, at)
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
      ...begun,
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
): Promise<SnapshotContent> => {
  const subscriptions = await findSubscriptions(tx, tenantId)
  const restraints = await restraintsOf(tx, deps, tenantId, subscriptions, at)
  const content = resolve(deps.catalog(), subscriptions, await findOverrides(tx, tenantId), at, restraints)
  const spendCap = await spendCapOf(tx, tenantId, subscriptions, content, restraints.timeZone)
  return spendCap ? { ...content, spendCap } : content
}

/** The customer's own cap on what usage costs; only where usage costs something, in the currency of the cap. */
const spendCapOf = async (
  tx: Tx,
  tenantId: string,
  subscriptions: readonly SubscriptionRecord[],
  { subscriptionId }: SnapshotContent,
  timeZone: string,
): Promise<SpendCap | null> => {
  const budget = await findBudget(tx, tenantId)
  const held = subscriptions.find((record) => record.subscriptionId === subscriptionId)
  if (!budget?.cap || !held || held.currency !== budget.currency) return null
  return {
    amountMinor: String(budget.amountMinor),
    currency: budget.currency,
    addOns: held.addOns,
    subscriptionStart: held.startedAt.toString(),
    trialEndsAt: held.trialEndsAt?.toString() ?? null,
    timeZone,
  }
}

/** What else bears on what a customer has at a time: stages of dunning, and limits that are kept for a while. */
export const restraintsOf = async (
  on: Db | Tx,
  deps: Pick<Deps, 'catalog'>,
  tenantId: string,
  subscriptions: readonly SubscriptionRecord[],
  at: Temporal.Instant,
) => ({
  stages: await stagesInForce(on, deps, tenantId, subscriptions, at),
  remediations: await findOpenRemediations(on, tenantId),
  timeZone: await timeZoneOf(on, tenantId),
  left: leavesOver(deps.catalog()) ? await leftOver(on, tenantId) : undefined,
})

/** Whether any plan version carries over what is left of an allowance: most catalogs have none, and nothing is read then. */
const leavesOver = (catalog: Catalog): boolean =>
  catalog.planVersions
    .values()
    .some((versions) =>
      versions.some(({ content }) =>
        Object.values(content.grants).some((grant) => typeof grant === 'object' && 'rollover' in grant),
      ),
    )

/** What the newest snapshot has carried, and what was used since. */
const leftOver = async (on: Db | Tx, tenantId: string): Promise<LeftOver> => {
  const before = await newestSnapshot(on, tenantId)
  const carrying = (before?.content.entitlements ?? []).flatMap((entitlement) =>
    entitlement.kind === 'metered' && entitlement.carried
      ? [{ ...countingOf(entitlement), carried: entitlement.carried }]
      : [],
  )
  const left = new Map<string, { before: Carried; used: Map<number, Micro> }>()
  for (const { entitlement, span, carried } of carrying)
    left.set(entitlement.feature, {
      before: carried,
      used: await readWindows(on, tenantId, entitlement.meter, span, Temporal.Instant.from(carried.windowStart)),
    })
  return left
}

const stagesInForce = async (
  on: Db | Tx,
  deps: Pick<Deps, 'catalog'>,
  tenantId: string,
  subscriptions: readonly SubscriptionRecord[],
  at: Temporal.Instant,
): Promise<StageInForce[]> =>
  (await findOpenCases(on, tenantId)).flatMap(({ subscriptionId, startedAt }) => {
    const held = subscriptions.find((record) => record.subscriptionId === subscriptionId)
    if (!held) return []
    const policy = dunningPolicyOf(deps.catalog(), held)
    const { stage, since } = stageAt(policy, startedAt, at)
    return [{ subscriptionId, stage, since: since ?? startedAt, nextAt: nextAccessChange(policy, startedAt, at) }]
  })
