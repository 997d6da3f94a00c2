import { type FindingKind, findingKinds } from '@turnpike/contract'
import type { ListedSubscription } from '../payments/index.ts'
import { changedFields, isTerminal, type SubscriptionRecord } from '../subscriptions/index.ts'
import type { Difference } from './finding.ts'

/** A subscription as the provider lists it, and our record of it as it should be; null when the catalog has no such price. */
export type TheirSubscription = { listed: ListedSubscription; expected: SubscriptionRecord | null }

const kindOfField: Partial<Record<string, FindingKind>> = {
  plan: 'plan_differs',
  planVersion: 'plan_differs',
  price: 'price_differs',
  currency: 'price_differs',
  interval: 'price_differs',
  seats: 'quantity_differs',
  addOns: 'quantity_differs',
  period: 'period_differs',
  anchor: 'period_differs',
  trialEndsAt: 'period_differs',
  endsAt: 'cancellation_differs',
  pendingChange: 'pending_change_differs',
}

/**
 * One subscription here against the same one there (REC-2). `theirs` is null when the provider positively does not have it.
 * What could not be read says nothing. `historySince`: what ended there before and was never here is no difference.
 */
export const compareSubscription = (
  ours: SubscriptionRecord | null,
  theirs: TheirSubscription | null,
  around: { anotherLiveHere: boolean; historySince: Temporal.Instant },
): Difference[] => {
  if (theirs === null)
    return ours && !isTerminal(ours.status)
      ? [difference('subscription_missing_at_provider', ours.subscriptionId, summary(ours), null)]
      : []
  const { fact, providerSubscriptionId } = theirs.listed
  if (fact === null) return []
  const ended = isTerminal(fact.status)
  if (theirs.expected === null)
    return ended
      ? []
      : [
          difference('subscription_unmapped', ours?.subscriptionId ?? providerSubscriptionId, ours && summary(ours), {
            status: fact.status,
            prices: fact.items.map((item) => item.lookupKey),
          }),
        ]
  if (ours === null) {
    if (ended && (!fact.endedAt || Temporal.Instant.compare(fact.endedAt, around.historySince) < 0)) return []
    const paysForNothing = !ended && fact.status !== 'incomplete' && !around.anotherLiveHere
    return [
      difference(
        paysForNothing ? 'customer_without_subscription' : 'subscription_missing_here',
        providerSubscriptionId,
        null,
        summary(theirs.expected),
      ),
    ]
  }
  if (isTerminal(ours.status) && !ended)
    return [difference('subscription_ended_here', ours.subscriptionId, summary(ours), summary(theirs.expected))]
  // Nothing leads out of an end: two ways of telling it are not worth a difference.
  if (isTerminal(ours.status) && ours.status === fact.status) return []
  return differingFields(ours, theirs.expected)
}

const differingFields = (ours: SubscriptionRecord, expected: SubscriptionRecord): Difference[] => {
  const byKind = new Map<FindingKind, (keyof SubscriptionRecord)[]>()
  for (const field of changedFields(ours, expected) as (keyof SubscriptionRecord)[]) {
    const isEnd =
      field === 'pendingChange' && [ours, expected].some((each) => each.pendingChange?.kind === 'cancellation')
    const kind = isEnd ? 'cancellation_differs' : (kindOfField[field] ?? 'status_differs')
    byKind.set(kind, [...(byKind.get(kind) ?? []), field])
  }
  return [...byKind].map(([kind, fields]) =>
    difference(kind, ours.subscriptionId, pick(ours, fields), pick(expected, fields)),
  )
}

/** More than one that is paid for, of one customer of the provider. */
export const compareCount = (customer: string, theirs: readonly TheirSubscription[]): Difference[] => {
  const live = theirs.filter(
    ({ listed: { fact }, expected }) =>
      fact !== null && expected !== null && !isTerminal(fact.status) && fact.status !== 'incomplete',
  )
  if (live.length < 2) return []
  const plans = Object.fromEntries(live.map(({ listed, expected }) => [listed.providerSubscriptionId, expected!.plan]))
  return [difference('two_subscriptions', customer, null, plans)]
}

const difference = (
  kind: FindingKind,
  object: string,
  here: Difference['here'],
  there: Difference['there'],
): Difference => ({ kind, object, here, there, repair: findingKinds[kind].repair })

// Plain JSON, as it is stored: instants as text.
const pick = (record: SubscriptionRecord, fields: readonly (keyof SubscriptionRecord)[]): Record<string, unknown> =>
  JSON.parse(JSON.stringify(Object.fromEntries(fields.map((field) => [field, record[field]])))) as Record<
    string,
    unknown
  >

const summary = (record: SubscriptionRecord): Record<string, unknown> =>
  pick(record, ['providerSubscriptionId', 'plan', 'planVersion', 'price', 'status', 'seats'])
