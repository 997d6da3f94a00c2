import type { Catalog } from '../../modules/catalog/index.ts'
import type { CustomerRecord } from '../../modules/customers/index.ts'
import type { SubscriptionFact } from '../../modules/payments/index.ts'
import {
  changedFields,
  effectiveTimeOf,
  type SubscriptionRecord,
  saveSubscription,
  transitionOf,
} from '../../modules/subscriptions/index.ts'
import { type Actor, appendAudit } from '../../platform/audit.ts'
import type { Tx } from '../../platform/db.ts'
import type { EventData, NewEvent } from '../../platform/outbox.ts'
import type { Deps } from '../deps.ts'
import { oddityOf, subscriptionOfFact } from './subscription-of-fact.ts'
import { subscriptionView } from './views.ts'

type Type = 'subscription.created' | 'subscription.updated' | 'subscription.canceled'
export type SubscriptionChange = {
  type: Type
  record: SubscriptionRecord
  changed: string[]
  transition: EventData<'subscription.updated'>['transition']
  effectiveAt: Temporal.Instant
}
type Look = {
  deps: Pick<Deps, 'clock' | 'catalog' | 'provider' | 'log'>
  customer: CustomerRecord
  known: readonly SubscriptionRecord[]
  actor: Actor
}

/**
 * Takes over what the provider says of a customer's subscriptions, as the transition table decides (SUB-1): saved with
 * audit where something is new, dropped with a record where it cannot be (`stale` counts those). `missing` are those that the provider, asked for
 * each by its id, does not know. Answers what changed, in order, and what holds no price of ours.
 */
export const applySubscriptions = async (
  tx: Tx,
  look: Look,
  facts: readonly SubscriptionFact[],
  missing: readonly string[],
): Promise<{ changes: SubscriptionChange[]; unmapped: string[]; stale: number }> => {
  const { deps, customer, known } = look
  const at = deps.clock.now()
  const catalog = deps.catalog()
  const changes: SubscriptionChange[] = []
  const unmapped: string[] = []
  let stale = 0
  for (const fact of facts) {
    const before = known.find((record) => record.providerSubscriptionId === fact.providerSubscriptionId) ?? null
    const record = subscriptionOfFact(catalog, customer, deps.provider.name, fact, before, at)
    if (!record || oddityOf(catalog, fact)?.startsWith('no price')) {
      unmapped.push(fact.providerSubscriptionId)
      deps.log.error(
        { tenantId: customer.tenantId, subscription: fact.providerSubscriptionId },
        'a subscription holds no price of the catalog; it grants nothing new',
      )
    }
    if (transitionOf(before?.status ?? 'none', fact.status).kind === 'stale') stale++
    if (record) changes.push(...(await applyOne(tx, look, before, record, fact.status, oddityOf(catalog, fact))))
  }
  for (const providerSubscriptionId of missing) {
    const before = known.find((record) => record.providerSubscriptionId === providerSubscriptionId)
    if (before)
      changes.push(
        ...(await applyOne(
          tx,
          look,
          before,
          { ...before, status: 'canceled', endsAt: null, endedAt: at },
          'missing',
          null,
        )),
      )
  }
  return { changes, unmapped, stale }
}

const applyOne = async (
  tx: Tx,
  { deps, customer, actor }: Look,
  before: SubscriptionRecord | null,
  record: SubscriptionRecord,
  reported: Parameters<typeof transitionOf>[1],
  oddity: string | null,
): Promise<SubscriptionChange[]> => {
  const at = deps.clock.now()
  const decision = transitionOf(before?.status ?? 'none', reported)
  const audit = (action: string, more: { reason: string | null; effectiveAt?: Temporal.Instant }) =>
    appendAudit(tx, deps.clock, {
      tenantId: customer.tenantId,
      actor,
      action,
      object: record.subscriptionId,
      before: before && summary(before),
      after: {
        ...summary(record),
        ...(more.effectiveAt ? { effectiveAt: more.effectiveAt.toString() } : {}),
      },
      reason: more.reason,
    })
  if (decision.kind === 'stale') {
    // The same contradiction is recorded once, however often the provider repeats it.
    const noted = `stale: ${reported}`
    if (before?.noted === noted) return []
    await saveSubscription(tx, { ...before!, noted })
    await audit('subscription.stale_fact', { reason: decision.reason })
    return []
  }
  // What has ended stays as it was at its end.
  if (decision.kind === 'same' && before?.endedAt) return []
  const noted = oddity ?? (decision.kind === 'unexpected' ? `unexpected: ${reported}` : null)
  if (noted !== null && noted !== before?.noted && before)
    await audit('subscription.unexpected_fact', {
      reason: oddity ?? (decision.kind === 'unexpected' ? decision.reason : null),
    })
  const saved = { ...record, noted }
  const changed = before ? changedFields(before, saved) : []
  if (before && changed.length === 0) {
    if (noted !== before.noted) await saveSubscription(tx, { ...before, noted })
    return []
  }
  await saveSubscription(tx, saved)
  const effectiveAt = effectiveTimeOf(decision.effective, before, saved, at)
  const types: readonly Type[] = decision.kind === 'same' ? ['subscription.updated'] : decision.events
  const changes: SubscriptionChange[] = []
  for (const type of types) {
    const begins = type === 'subscription.created'
    const transition =
      decision.kind === 'same' || begins
        ? null
        : { from: before?.status ?? null, to: saved.status, trigger: decision.trigger }
    changes.push({ type, record: saved, changed, transition, effectiveAt: begins ? saved.startedAt : effectiveAt })
    await audit(type, {
      reason: transition
        ? `${transition.trigger}${changed.length > 0 ? `: ${changed.join(', ')}` : ''}`
        : changed.join(', ') || null,
      effectiveAt,
    })
  }
  return changes
}

const summary = (record: SubscriptionRecord): Record<string, unknown> => ({
  status: record.status,
  plan: record.plan,
  planVersion: record.planVersion,
  price: record.price,
  seats: record.seats,
  periodEnd: record.period.end.toString(),
  endsAt: record.endsAt?.toString() ?? null,
})

export const subscriptionEvent = (
  catalog: Catalog,
  { type, record, changed, transition, effectiveAt: at }: SubscriptionChange,
): NewEvent => {
  const subscription = subscriptionView(catalog, record)
  const effectiveAt = at.toString()
  if (type === 'subscription.created') return { type, data: (budget) => ({ subscription, budget }) }
  if (type === 'subscription.canceled')
    return { type, data: (budget) => ({ subscription, transition, effectiveAt, budget }) }
  return { type, data: (budget) => ({ subscription, changed, transition, effectiveAt, budget }) }
}
