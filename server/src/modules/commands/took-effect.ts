import { canonicalJson } from '../../core/canonical.ts'
import { isTerminal, type SubscriptionRecord } from '../subscriptions/index.ts'
import type { Decision, Terms } from './command.ts'

/** Whether what the provider says now shows that an order was carried out. Null: there is no such subscription. */
export const tookEffect = ({ order, after }: Decision, now: SubscriptionRecord | null): boolean => {
  if (order.kind === 'create') return now !== null
  if (!now) return false
  switch (order.kind) {
    case 'change_now':
      return after !== null && sameTerms(now, after)
    case 'change_at_period_end':
      return after !== null && (sameTerms(now, after) || isPlanned(now, after))
    case 'cancel_now':
      return isTerminal(now.status)
    case 'cancel_at_period_end':
      return isTerminal(now.status) || now.endsAt !== null
    case 'keep':
      return !isTerminal(now.status) && now.endsAt === null
    case 'pause':
      return now.status === 'paused'
    case 'resume':
      return !isTerminal(now.status) && now.status !== 'paused'
    case 'drop_change':
      return now.pendingChange === null || now.pendingChange.kind === 'cancellation'
    case 'end_trial':
      return now.status !== 'trialing'
  }
}

const substance = ({ plan, price, currency, seats, addOns }: Omit<Terms, 'planVersion'>) =>
  canonicalJson({ plan, price, currency, seats, addOns: [...addOns].sort((a, b) => (a.addOn < b.addOn ? -1 : 1)) })

export const sameTerms = (a: Omit<Terms, 'planVersion'>, b: Omit<Terms, 'planVersion'>): boolean =>
  substance(a) === substance(b)

const isPlanned = ({ pendingChange: pending, currency }: SubscriptionRecord, after: Terms): boolean =>
  pending?.kind === 'plan_change' &&
  pending.to !== null &&
  pending.price !== null &&
  sameTerms(
    { plan: pending.to.plan, price: pending.price, currency, seats: pending.seats ?? 0, addOns: pending.addOns },
    after,
  )
