import { assert } from '../../core/errors.ts'
import { own } from '../../core/own.ts'
import type { NoticeKind } from './kinds.ts'

export type NoticeDraft = {
  kind: NoticeKind
  /** Looked up when the notice is made: events name no addresses. */
  to: 'billing' | 'owners' | 'operators' | { transferId: string }
  data: Record<string, unknown>
  /** Distinguishes messages of one kind on billing pages: two limits are two messages. */
  topic?: string
  /** When it is no longer true by itself. */
  until?: string | null
}

/** How the catalog calls things. */
export type Names = { feature(key: string): string; plan(key: string): string }

type PlanLike = string | { plan: string; name: string }
type SubscriptionLike = {
  plan: PlanLike
  status: string
  endsAt: string | null
  endedAt: string | null
  renewsAt: string | null
  period: { end: string }
  pendingChange: { kind: string; effectiveAt: string; to: { name: string } | null } | null
}
type InvoiceLike = {
  number: string | null
  status: string
  amountDueMinor: string
  amountPaidMinor: string
  currency: string
  hostedInvoiceUrl: string | null
  actionRequired?: boolean
}
type Transition = { from: string | null; to: string; trigger: string } | null | undefined
type Money = { amountMinor: string; currency: string }
type Remediation = { plan: PlanLike; deadline?: string | null; items: Record<string, unknown>[] }

type Rule = (data: never, names: Names, at: string) => NoticeDraft[]
const none: Rule = () => []
const rule = <D>(make: (data: D, names: Names, at: string) => NoticeDraft[]): Rule => make as Rule

const planName = (plan: PlanLike, names: Names): string => (typeof plan === 'string' ? names.plan(plan) : plan.name)
const billing = (kind: NoticeKind, data: NoticeDraft['data'], more: Partial<NoticeDraft> = {}): NoticeDraft => ({
  kind,
  to: 'billing',
  data,
  ...more,
})

const invoiceData = (invoice: InvoiceLike, amountMinor: string) => ({
  number: invoice.number,
  amount: { amountMinor, currency: invoice.currency },
  invoiceUrl: invoice.hostedInvoiceUrl,
})

const remediation = (kind: NoticeKind) =>
  rule<Remediation>((data, names) => [
    billing(kind, {
      plan: planName(data.plan, names),
      ...(kind === 'downgrade_enforced' ? {} : { deadline: data.deadline ?? null }),
      items: data.items,
    }),
  ])

/**
 * What each event tells the customer (DUN-2): a notice, or explicitly none. An event that changes nothing for people, or
 * that another event of the same change tells already, has none.
 */
const rules: Readonly<Record<string, Rule>> = {
  'customer.created': none,
  'customer.updated': none,
  'checkout.opened': none,
  'checkout.completed': none,
  'checkout.ended': none,
  'invoice.updated': none,
  'entitlements.updated': none,
  'usage.updated': none,
  'billing.updated': none,
  // The hosted page and the receipt have told of the purchase.
  'subscription.created': none,
  'subscription.updated': rule<{ subscription: SubscriptionLike; changed: string[]; transition?: Transition }>(
    ({ subscription, changed, transition }, names) => {
      const plan = planName(subscription.plan, names)
      const { renewsAt, pendingChange: pending } = subscription
      const drafts: NoticeDraft[] = []
      if (transition?.to === 'paused') drafts.push(billing('paused', { plan }))
      if (transition?.from === 'paused' && (transition.to === 'active' || transition.to === 'trialing'))
        drafts.push(billing('resumed', { plan, renewsAt }))
      if (changed.includes('plan')) drafts.push(billing('plan_changed', { plan, renewsAt }))
      if (changed.includes('endsAt'))
        drafts.push(
          subscription.endsAt === null
            ? billing('reactivated', { plan, renewsAt })
            : billing('cancellation_scheduled', { plan, endsAt: subscription.endsAt }, { until: subscription.endsAt }),
        )
      if (changed.includes('pendingChange') && pending?.kind === 'plan_change')
        drafts.push(
          billing(
            'plan_change_scheduled',
            { plan, newPlan: pending.to?.name ?? null, at: pending.effectiveAt },
            { until: pending.effectiveAt },
          ),
        )
      return drafts
    },
  ),
  'subscription.canceled': rule<{ subscription: SubscriptionLike }>(({ subscription }, names, at) =>
    // What never began has no end to tell of.
    subscription.status === 'incomplete_expired'
      ? []
      : [billing('canceled', { plan: planName(subscription.plan, names), endedAt: subscription.endedAt ?? at })],
  ),
  'subscription.trial_ending': rule<{ subscription: SubscriptionLike; endsAt: string; paymentMethodOnFile: boolean }>(
    ({ subscription, endsAt, paymentMethodOnFile }, names) => [
      billing(
        'trial_ending',
        { plan: planName(subscription.plan, names), endsAt, paymentMethodOnFile },
        { until: endsAt },
      ),
    ],
  ),
  'subscription.renewal_upcoming': rule<{ subscription: SubscriptionLike; at: string; amount?: Money | null }>(
    ({ subscription, at, amount }, names) => [
      billing(
        'renewal_upcoming',
        { plan: planName(subscription.plan, names), at, amount: amount ?? null },
        { until: at },
      ),
    ],
  ),
  'subscription.change_failed': rule<{ subscription: SubscriptionLike; invoiceUrl?: string | null }>(
    ({ subscription, invoiceUrl }, names) => [
      billing('change_failed', { plan: planName(subscription.plan, names), invoiceUrl: invoiceUrl ?? null }),
    ],
  ),
  'invoice.paid': rule<{ invoice: InvoiceLike }>(({ invoice }) =>
    BigInt(invoice.amountPaidMinor) > 0n ? [billing('receipt', invoiceData(invoice, invoice.amountPaidMinor))] : [],
  ),
  'invoice.payment_failed': rule<{ invoice: InvoiceLike; actionRequired?: boolean }>(({ invoice, actionRequired }) => [
    billing(
      (actionRequired ?? invoice.actionRequired) ? 'action_required' : 'payment_failed',
      invoiceData(invoice, invoice.amountDueMinor),
    ),
  ]),
  'dunning.stage_reached': rule<{
    plan: PlanLike
    stage: string
    since: string
    amount?: Money | null
    invoiceUrl?: string | null
    nextAt?: string | null
  }>((data, names) => {
    const kind = ({ grace: 'grace_started', restricted: 'restricted', read_only: 'read_only' } as const)[
      data.stage as 'grace' | 'restricted' | 'read_only'
    ]
    // The end itself is told by `subscription.canceled`.
    if (!kind) return []
    return [
      billing(kind, {
        plan: planName(data.plan, names),
        since: data.since,
        amount: data.amount ?? null,
        invoiceUrl: data.invoiceUrl ?? null,
        nextAt: data.nextAt ?? null,
      }),
    ]
  }),
  'dunning.recovered': rule<{ plan?: PlanLike }>(({ plan }, names) => [
    billing('payment_recovered', { plan: plan === undefined ? null : planName(plan, names) }),
  ]),
  'usage.threshold_reached': rule<{
    feature: string
    percent: number
    used: number
    limit: number
    windowEnd: string
  }>(({ feature, percent, used, limit, windowEnd }, names) => {
    // The threshold says when to tell; what is told is how much was used.
    const usedPercent = limit > 0 ? Math.floor((used * 100) / limit) : 100
    const data = { feature: names.feature(feature), used, limit, resetsAt: windowEnd }
    const more = { topic: `limit:${feature}`, until: windowEnd }
    return [
      percent >= 100
        ? billing('limit_reached', data, more)
        : billing('limit_warning', { ...data, percent: usedPercent }, more),
    ]
  }),
  'downgrade.remediation_started': remediation('downgrade_remediation'),
  'downgrade.remediation_reminded': remediation('downgrade_remediation_reminder'),
  'downgrade.remediation_met': none,
  'downgrade.remediation_enforced': remediation('downgrade_enforced'),
  // The end of the subscription has been told; the retention begins with it.
  'retention.started': none,
  'retention.export_ending': rule<{ deleteAt: string }>(({ deleteAt }) => [
    { kind: 'export_ending', to: 'owners', data: { endsAt: deleteAt }, until: deleteAt },
  ]),
  'retention.ended': none,
  // Nobody's address is known any more: the deletion makes its notice by itself, before it forgets whom to tell.
  'retention.deleted': none,
  'export.created': none,
  'owner.transfer_requested': rule<{ transferId: string; expiresAt: string }>(({ transferId, expiresAt }) => [
    { kind: 'owner_transfer_request', to: { transferId }, data: { transferId, expiresAt }, until: expiresAt },
  ]),
  'owner.changed': rule<object>((_, __, at) => [{ kind: 'owner_changed', to: 'owners', data: { at } }]),
  'owner.transfer_ended': none,
  'override.requested': rule<{
    override: { feature: string; reason: string; actor: string }
    requestExpiresAt: string
  }>(({ override, requestExpiresAt }, names) => [
    {
      kind: 'override_requested',
      to: 'operators',
      data: {
        feature: names.feature(override.feature),
        reason: override.reason,
        actor: override.actor,
        requestExpiresAt,
      },
      until: requestExpiresAt,
    },
  ]),
  'override.decided': none,
}

/** Whether anybody has decided what an event tells: nothing is forgotten by not being thought of. */
export const isDecided = (type: string): boolean => Object.hasOwn(rules, type)

export const noticesOf = (
  event: { type: string; at: string; data: Record<string, unknown> },
  names: Names,
): NoticeDraft[] => {
  const decide = own(rules, event.type)
  assert(decide, `no rule says what ${event.type} tells customers`)
  return decide(event.data as never, names, event.at)
}
