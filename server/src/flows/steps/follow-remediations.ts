import type { ExcessItem } from '@turnpike/contract'
import { newId } from '../../core/ids.ts'
import { type Micro, microOfWhole } from '../../core/quantity.ts'
import { type Catalog, findPlan } from '../../modules/catalog/index.ts'
import {
  deadlineOf,
  excess,
  findOpenRemediations,
  followRemediation,
  limitOf,
  meterOf,
  overLimitPolicy,
  type Remediation,
  saveRemediation,
} from '../../modules/downgrades/index.ts'
import { findOverrides } from '../../modules/entitlements/index.ts'
import { findSubscriptions, isTerminal, type SubscriptionRecord } from '../../modules/subscriptions/index.ts'
import { type Actor, appendAudit, systemActor } from '../../platform/audit.ts'
import type { Db, Tx } from '../../platform/db.ts'
import type { EventData, NewEvent } from '../../platform/outbox.ts'
import type { Deps } from '../deps.ts'
import { loweredItems } from './guard-downgrade.ts'
import { usageAt, windowOf } from './usage-at.ts'

/**
 * Begins and ends remediations with the provider's facts (SUB-5): whichever way a change to less was made, by a command of ours,
 * by its schedule or in the provider's own pages. The caller holds the customer's row.
 */
export const applyDowngrades = async (
  tx: Tx,
  deps: Pick<Deps, 'catalog' | 'clock'>,
  known: readonly SubscriptionRecord[],
  changes: readonly { record: SubscriptionRecord; effectiveAt: Temporal.Instant }[],
  actor: Actor,
): Promise<NewEvent[]> => {
  const events: NewEvent[] = []
  for (const { record, effectiveAt } of changes) {
    const before = known.find(({ subscriptionId }) => subscriptionId === record.subscriptionId)
    if (!before) continue
    const open = (await findOpenRemediations(tx, record.tenantId)).find(
      ({ subscriptionId }) => subscriptionId === record.subscriptionId,
    )
    const close = async (outcome: 'replaced' | 'ended') => {
      if (!open) return
      await saveRemediation(tx, { ...open, closedAt: deps.clock.now(), outcome })
      await audit(tx, deps, open, actor, outcome, [])
    }
    if (isTerminal(record.status)) await close('ended')
    if (isTerminal(record.status) || termsOf(before) === termsOf(record)) continue
    const plan = findPlan(deps.catalog(), record.plan, record.planVersion)
    const lowered = await loweredItems(tx, deps, before, record, effectiveAt)
    const stillTooMuch = open ? await stillOver(tx, deps, open, deps.clock.now()) : []
    // Whoever buys some of what is too much keeps the time for the rest.
    if (open && plan && lowered.length === 0 && stillTooMuch.length > 0) {
      const kept = { ...open, plan: record.plan, planVersion: record.planVersion }
      await saveRemediation(tx, kept)
      await audit(tx, deps, kept, actor, 'kept', stillTooMuch)
      continue
    }
    await close('replaced')
    if (!plan || lowered.length === 0) continue
    const items = withOldLimits(lowered, open, stillTooMuch)
    const policy = overLimitPolicy(deps.catalog(), plan)
    // What has happened at the provider cannot be blocked any more: people get the time to clean up.
    const kind = policy.overLimit === 'soft_lock' ? 'soft_lock' : 'cleanup_window'
    const remediation: Remediation = {
      tenantId: record.tenantId,
      remediationId: newId('remediation'),
      subscriptionId: record.subscriptionId,
      kind,
      plan: record.plan,
      planVersion: record.planVersion,
      items: items.map(({ feature, name, kind: what, limit, oldLimit }) => ({
        feature,
        name,
        kind: what,
        limit,
        oldLimit,
      })),
      startedAt: effectiveAt,
      deadline: kind === 'cleanup_window' ? deadlineOf(effectiveAt, policy) : null,
      reminders: kind === 'cleanup_window' ? policy.reminderDays : [],
      remindedUntil: effectiveAt,
      enforcedAt: null,
      closedAt: null,
      outcome: null,
    }
    await saveRemediation(tx, remediation)
    const over = items.map(({ oldLimit: _, ...item }) => item)
    await audit(tx, deps, remediation, actor, 'started', over)
    events.push({ type: 'downgrade.remediation_started', data: dataOf(remediation, over) })
  }
  return events
}

/** What was lowered, and what was too much already: while that may still be reduced, the limits from before it hold. */
const withOldLimits = (
  lowered: readonly (ExcessItem & { oldLimit: number | null })[],
  open: Remediation | undefined,
  stillTooMuch: readonly ExcessItem[],
): (ExcessItem & { oldLimit: number | null })[] => {
  if (open?.kind !== 'cleanup_window' || open.enforcedAt !== null) return [...lowered]
  const earlier = new Map(open.items.map(({ feature, oldLimit }) => [feature, oldLimit]))
  const higher = (a: number | null, b: number | null) => (a === null || b === null ? null : Math.max(a, b))
  return [
    ...lowered.map((item) => {
      const before = earlier.get(item.feature)
      return before === undefined ? item : { ...item, oldLimit: higher(item.oldLimit, before) }
    }),
    ...stillTooMuch
      .filter(({ feature }) => !lowered.some((item) => item.feature === feature))
      .map((item) => ({ ...item, oldLimit: earlier.get(item.feature) ?? null })),
  ]
}

const termsOf = ({ plan, planVersion, seats, addOns }: SubscriptionRecord): string =>
  JSON.stringify([plan, planVersion, seats, addOns])

/**
 * What is due for the open remediations of one customer: met, reminded, enforced; each announced once, with its own time. The
 * caller holds the customer's row and resolves afterwards.
 */
export const followRemediations = async (
  tx: Tx,
  deps: Pick<Deps, 'catalog' | 'clock'>,
  tenantId: string,
  at: Temporal.Instant,
  correlationId: string,
): Promise<NewEvent[]> => {
  const events: NewEvent[] = []
  const actor = systemActor('downgrade', correlationId)
  for (const remediation of await findOpenRemediations(tx, tenantId)) {
    const over = await stillOver(tx, deps, remediation, at)
    const steps = followRemediation(remediation, over.length > 0, at)
    let current = remediation
    for (const step of steps) {
      if (step.kind === 'met') current = { ...current, closedAt: step.at, outcome: 'met' }
      if (step.kind === 'reminded') current = { ...current, remindedUntil: step.at }
      if (step.kind === 'enforced') current = { ...current, enforcedAt: step.at }
      await audit(tx, deps, current, actor, step.kind, over)
      events.push({ type: `downgrade.remediation_${step.kind}`, data: dataOf(current, over) })
    }
    if (steps.length > 0) await saveRemediation(tx, current)
  }
  return events
}

/** What of a remediation is in use above the new limits now. */
export const stillOver = async (
  on: Db | Tx,
  deps: Pick<Deps, 'catalog'>,
  remediation: Remediation,
  at: Temporal.Instant,
): Promise<ExcessItem[]> => {
  const held = (await findSubscriptions(on, remediation.tenantId)).find(
    ({ subscriptionId }) => subscriptionId === remediation.subscriptionId,
  )
  if (!held) return []
  const catalog = deps.catalog()
  const usage = await usageAt(on, remediation.tenantId, windowOf(catalog, held), at, at)
  const overrides = await findOverrides(on, remediation.tenantId)
  const plan = findPlan(catalog, held.plan, held.planVersion)
  return remediation.items.flatMap((item): ExcessItem[] => {
    const limit = plan ? limitOf(catalog, plan, held.addOns, item.feature, at, overrides) : item.limit
    const numbers = limit === null ? null : excess(usedOf(catalog, item, held, usage), limit)
    return numbers && numbers.reduceBy > 0
      ? [{ feature: item.feature, name: item.name, kind: item.kind, ...numbers }]
      : []
  })
}

const usedOf = (
  catalog: Catalog,
  { feature, kind }: Remediation['items'][number],
  held: SubscriptionRecord,
  usage: ReadonlyMap<string, Micro>,
): Micro =>
  kind === 'seats' ? microOfWhole(held.seats) : (usage.get(meterOf(catalog.file.features[feature]) ?? '') ?? 0n)

const dataOf = (remediation: Remediation, items: ExcessItem[]): EventData<'downgrade.remediation_started'> => ({
  subscriptionId: remediation.subscriptionId,
  plan: remediation.plan,
  kind: remediation.kind,
  items,
  deadline: remediation.deadline?.toString() ?? null,
})

const audit = (
  tx: Tx,
  deps: Pick<Deps, 'clock'>,
  remediation: Remediation,
  actor: Actor,
  what: string,
  items: readonly ExcessItem[],
): Promise<void> =>
  appendAudit(tx, deps.clock, {
    tenantId: remediation.tenantId,
    actor,
    action: `downgrade.remediation_${what}`,
    object: remediation.subscriptionId,
    after: { kind: remediation.kind, deadline: remediation.deadline?.toString() ?? null, items },
  })
