import {
  type CheckoutFact,
  type CheckoutRecord,
  findUnfinishedCheckouts,
  nextCheckoutState,
  saveCheckout,
} from '../../modules/payments/index.ts'
import { isTerminal, type SubscriptionRecord } from '../../modules/subscriptions/index.ts'
import { type Actor, appendAudit } from '../../platform/audit.ts'
import type { Tx } from '../../platform/db.ts'
import type { NewEvent } from '../../platform/outbox.ts'
import type { Deps } from '../deps.ts'
import { completePurchase } from './complete-purchase.ts'
import { checkoutView } from './views.ts'

/** Ends the intents that facts complete or end (PAY-1): only what was fetched does that, never a customer's return. */
export const settleCheckouts = async (
  tx: Tx,
  deps: Pick<Deps, 'clock' | 'catalog'>,
  tenantId: string,
  facts: readonly CheckoutFact[],
  subscriptions: readonly SubscriptionRecord[],
  snapshotVersion: number,
  actor: Actor,
): Promise<NewEvent[]> => {
  const at = deps.clock.now()
  const events: NewEvent[] = []
  for (const checkout of await findUnfinishedCheckouts(tx, tenantId)) {
    const after = settle(checkout, facts, subscriptions, at)
    if (!after || after.state === checkout.state) continue
    await saveCheckout(tx, after)
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: `checkout.${after.state}`,
      object: checkout.checkoutId,
      before: { state: checkout.state },
      after: { state: after.state },
    })
    const fact = factOf(checkout, facts)
    if (after.state === 'completed' && checkout.kind === 'purchase' && fact)
      events.push(...(await completePurchase(tx, deps, after, fact, actor)))
    events.push({
      type: after.state === 'completed' ? 'checkout.completed' : 'checkout.ended',
      data: { checkout: checkoutView(deps.catalog(), after, snapshotVersion, at) },
    })
  }
  return events
}

const factOf = (checkout: CheckoutRecord, facts: readonly CheckoutFact[]): CheckoutFact | undefined =>
  facts.find(
    (candidate) =>
      candidate.checkoutId === checkout.checkoutId || candidate.providerSessionId === checkout.providerSessionId,
  )

/** What facts mean for an intent. Null when they say nothing about it. */
const settle = (
  checkout: CheckoutRecord,
  facts: readonly CheckoutFact[],
  subscriptions: readonly SubscriptionRecord[],
  at: Temporal.Instant,
): CheckoutRecord | null => {
  const completed = (): CheckoutRecord => ({
    ...checkout,
    state: nextCheckoutState(checkout.state, 'paid'),
    completedAt: at,
  })
  if (checkout.kind === 'plan_change') {
    // A change that waits for the end of the period has been agreed to: that is all the intent was for.
    const changed = subscriptions.some(
      (record) =>
        !isTerminal(record.status) &&
        ((record.plan === checkout.plan && record.price === checkout.price) ||
          record.pendingChange?.to?.plan === checkout.plan),
    )
    return changed ? completed() : null
  }
  const fact = factOf(checkout, facts)
  if (!fact) return null
  if (fact.state === 'expired') return { ...checkout, state: nextCheckoutState(checkout.state, 'expired') }
  if (fact.state !== 'complete') return null
  // A completed subscription checkout counts once its subscription is here and was paid for: what became of it since, also
  // its end, takes nothing back of the purchase.
  if (
    checkout.kind === 'checkout' &&
    !subscriptions.some(
      (record) => record.providerSubscriptionId === fact.providerSubscriptionId && !neverBegan(record.status),
    )
  )
    return null
  return fact.paid || checkout.kind === 'checkout' ? completed() : null
}

const neverBegan = (status: SubscriptionRecord['status']): boolean =>
  status === 'incomplete' || status === 'incomplete_expired'
