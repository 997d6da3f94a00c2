import type { CatalogPolicies, CommandRequest } from '@turnpike/contract'
import { fail } from '../../core/errors.ts'
import { instantOrNull, isBefore } from '../../core/period.ts'
import { type Catalog, findPlan, intervalOf } from '../catalog/index.ts'
import { commandAllowed, type SubscriptionCommand, type SubscriptionRecord } from '../subscriptions/index.ts'
import { amountOfTerms, chooseTerms, linesOfTerms } from './choose-terms.ts'
import type { Decision, Terms, Wish } from './command.ts'
import { sameTerms } from './took-effect.ts'

type Held = Exclude<Wish, { action: 'create' }>

/**
 * What a wish about a subscription comes to: the order to the provider, when it takes effect and what is held afterwards,
 * by the table of statuses and the policies of the catalog (SUB-1, SUB-3, SUB-4). `prorationAt` is the second to which
 * money is computed: the same in a preview and in what follows it.
 */
export const decide = (
  catalog: Catalog,
  held: SubscriptionRecord,
  wish: Held,
  prorationAt: Temporal.Instant,
): Decision => {
  refuseForeignFields(wish)
  const now = (order: Decision['order'], after: Terms | null): Decision => ({
    order,
    timing: 'now',
    effectiveAt: prorationAt.toString(),
    after,
  })
  const atEnd = (order: Decision['order'], after: Terms | null): Decision => ({
    order,
    timing: 'period_end',
    effectiveAt: held.period.end.toString(),
    after,
  })
  const { policies } = catalog.file
  switch (wish.action) {
    case 'change':
      return decideChange(catalog, held, wish, prorationAt, now, atEnd)
    case 'cancel': {
      const timing = wish.when ?? (policies.cancellation.timing === 'immediate' ? 'now' : 'period_end')
      refuseUnlessAllowed(held, timing === 'now' ? 'cancel_now' : 'cancel_at_period_end')
      if (timing === 'now') {
        const creditUnused = wish.creditUnused ?? policies.cancellation.creditUnused ?? false
        return now({ kind: 'cancel_now', creditUnused, prorationAt: prorationAt.toString() }, null)
      }
      if (wish.creditUnused !== undefined)
        throw unfitting('creditUnused', 'At the end of the period nothing is left to credit.')
      if (held.endsAt) throw notNow('ends_already')
      return atEnd({ kind: 'cancel_at_period_end' }, null)
    }
    case 'undo_cancel':
      refuseUnlessAllowed(held, 'undo_cancellation')
      if (!held.endsAt) throw notNow('not_ending')
      return now({ kind: 'keep' }, termsOf(held))
    case 'pause': {
      refuseUnlessAllowed(held, 'pause')
      if (held.endsAt) throw notNow('ends_already')
      if (held.pendingChange) throw notNow('change_pending')
      const resumesAt = wish.resumesAt === undefined ? null : instantOrNull(wish.resumesAt)
      if (wish.resumesAt !== undefined && (!resumesAt || !isBefore(prorationAt, resumesAt)))
        throw unfitting('resumesAt', 'must be in the future')
      return now({ kind: 'pause' }, termsOf(held))
    }
    case 'resume':
      refuseUnlessAllowed(held, 'resume')
      return now({ kind: 'resume' }, termsOf(held))
    case 'undo_change':
      refuseUnlessAllowed(held, 'undo_change')
      if (!held.pendingChange || held.pendingChange.kind === 'cancellation') throw notNow('nothing_pending')
      return now({ kind: 'drop_change' }, termsOf(held))
    case 'end_trial':
      refuseUnlessAllowed(held, 'end_trial')
      return now({ kind: 'end_trial' }, termsOf(held))
  }
}

/** A first subscription, or one after an end. A trial is given to those who never had a subscription. */
export const decideNew = (
  catalog: Catalog,
  defaultCurrency: string,
  hadOne: boolean,
  wish: Extract<Wish, { action: 'create' }>,
  at: Temporal.Instant,
): Decision => {
  const after = chooseTerms(catalog, null, defaultCurrency, wish)
  const trial = findPlan(catalog, after.plan, after.planVersion)?.content.trial
  const order = {
    kind: 'create' as const,
    lines: linesOfTerms(catalog, after),
    trialEndsAt: hadOne || !trial ? null : at.add({ hours: 24 * trial.days }).toString(),
    planVersion: after.planVersion,
  }
  return { order, timing: 'now', effectiveAt: at.toString(), after }
}

const decideChange = (
  catalog: Catalog,
  held: SubscriptionRecord,
  wish: Held,
  prorationAt: Temporal.Instant,
  now: (order: Decision['order'], after: Terms) => Decision,
  atEnd: (order: Decision['order'], after: Terms) => Decision,
): Decision => {
  const after = chooseTerms(catalog, held, held.currency, wish)
  refuseUnlessAllowed(held, after.plan === held.plan && after.price === held.price ? 'change_quantity' : 'change_plan')
  if (held.endsAt) throw notNow('ends_already')
  if (sameTerms(held, after)) throw fail('nothing_to_change')
  const lines = linesOfTerms(catalog, after)
  const { changes } = catalog.file.policies
  // A trial was not paid for: there is no rest to keep, and nothing to credit.
  if (held.status === 'trialing')
    return now({ kind: 'change_now', lines, proration: 'none', prorationAt: prorationAt.toString() }, after)
  if (timingOf(changes, directionOf(catalog, termsOf(held), after)) === 'period_end')
    return atEnd({ kind: 'change_at_period_end', lines }, after)
  // A change at once may fail for its payment, and what was scheduled before it would be lost with it.
  if (held.pendingChange?.kind === 'plan_change') throw notNow('change_pending')
  return now({ kind: 'change_now', lines, proration: changes.proration, prorationAt: prorationAt.toString() }, after)
}

const timingOf = (changes: CatalogPolicies['changes'], direction: 'upgrade' | 'downgrade'): 'now' | 'period_end' =>
  changes[direction] === 'immediate' ? 'now' : 'period_end'

const averageDays = { day: 1, week: 7, month: 30.436875, year: 365.2425 } as const

/** More or less (SUB-4): the rank of the plan decides, then the longer commitment, then what is paid per interval. */
const directionOf = (catalog: Catalog, before: Terms, after: Terms): 'upgrade' | 'downgrade' => {
  const rank = ({ plan, planVersion }: Terms) =>
    catalog.file.plans[plan]?.rank ?? findPlan(catalog, plan, planVersion)?.content.rank ?? 0
  const length = ({ plan, planVersion, price }: Terms) => {
    const found = findPlan(catalog, plan, planVersion)?.content.prices?.[price]
    const interval = found ? intervalOf(found) : null
    return interval ? averageDays[interval.unit] * interval.count : 0
  }
  const difference =
    rank(after) - rank(before) ||
    length(after) - length(before) ||
    Number(amountOfTerms(catalog, after) - amountOfTerms(catalog, before))
  return difference < 0 ? 'downgrade' : 'upgrade'
}

const termsOf = ({ plan, planVersion, price, currency, seats, addOns }: SubscriptionRecord): Terms => ({
  plan,
  planVersion,
  price,
  currency,
  seats,
  addOns,
})

const refuseUnlessAllowed = (held: SubscriptionRecord, command: SubscriptionCommand): void => {
  const decision = commandAllowed(held.status, command)
  if (decision.kind === 'refuse') throw fail(decision.problem, { extra: { reason: decision.reason } })
}

const notNow = (reason: 'ends_already' | 'not_ending' | 'change_pending' | 'nothing_pending') =>
  fail('command_not_allowed', { extra: { reason } })

const unfitting = (field: string, message: string) => fail('invalid_request', { errors: [{ field, message }] })

const fieldsOf: Record<CommandRequest['action'], readonly string[]> = {
  change: ['plan', 'price', 'currency', 'seats', 'addOns'],
  cancel: ['when', 'creditUnused'],
  undo_cancel: [],
  pause: ['resumesAt'],
  resume: [],
  undo_change: [],
  end_trial: [],
}

// A field that means nothing for the action is a mistake of the sender's, not something to pass over.
const refuseForeignFields = (wish: Held): void => {
  const foreign = Object.entries(wish).filter(
    ([field, value]) => field !== 'action' && value !== undefined && !fieldsOf[wish.action].includes(field),
  )
  if (foreign.length > 0)
    throw fail('invalid_request', {
      errors: foreign.map(([field]) => ({ field, message: `is not read with the action ${wish.action}` })),
    })
}
