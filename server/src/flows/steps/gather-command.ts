import { fail } from '../../core/errors.ts'
import { isBefore } from '../../core/period.ts'
import { type Decision, decide, decideNew, type Wish } from '../../modules/commands/index.ts'
import type { CustomerRecord } from '../../modules/customers/index.ts'
import { canStillBePaid, findUnfinishedCheckouts } from '../../modules/payments/index.ts'
import { findSubscriptions, isTerminal, type SubscriptionRecord } from '../../modules/subscriptions/index.ts'
import type { Db, Tx } from '../../platform/db.ts'
import type { Deps } from '../deps.ts'

export type Subject = { customer: CustomerRecord; subscriptionId: string | null }

/** What is held now and what the rules make of a wish about it. Refuses what is not possible. */
export const gatherCommand = async (
  on: Db | Tx,
  deps: Deps,
  { customer, subscriptionId }: Subject,
  wish: Wish,
  prorationAt: Temporal.Instant,
): Promise<{ held: SubscriptionRecord | null; decision: Decision }> => {
  const subscriptions = await findSubscriptions(on, customer.tenantId)
  const catalog = deps.catalog()
  if (wish.action === 'create') {
    const live = subscriptions.find(({ status }) => !isTerminal(status))
    if (live) throw fail('subscription_held', { extra: { subscriptionId: live.subscriptionId } })
    const at = deps.clock.now()
    const open = (await findUnfinishedCheckouts(on, customer.tenantId)).find(
      (checkout) => checkout.kind === 'checkout' && canStillBePaid(checkout, at),
    )
    // Both could be paid, and then there would be two.
    if (open) throw fail('checkout_open', { extra: { checkoutId: open.checkoutId, sessionUrl: open.sessionUrl } })
    return {
      held: null,
      decision: decideNew(catalog, customer.currency, subscriptions.some(hasBegun), wish, prorationAt),
    }
  }
  const held = subscriptions.find((record) => record.subscriptionId === subscriptionId)
  if (!held) throw fail('not_found')
  return { held, decision: decide(catalog, held, wish, prorationAt) }
}

// What was never paid for was no subscription: a trial is still to be had, here as on the hosted page.
const hasBegun = ({ status }: SubscriptionRecord): boolean => status !== 'incomplete' && status !== 'incomplete_expired'

/** The second to which money is computed: whole, and not before the period that it is a part of. */
export const prorationTime = (deps: Pick<Deps, 'clock'>, held: SubscriptionRecord | null): Temporal.Instant => {
  const now = deps.clock.now().round({ smallestUnit: 'second', roundingMode: 'floor' })
  // The provider's clock and ours are never quite the same: a period that has begun there has begun.
  return held && isBefore(now, held.period.start) ? held.period.start : now
}

export { guardDowngrade } from './guard-downgrade.ts'
