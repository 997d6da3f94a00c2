import type { EventType } from '@turnpike/contract'
import { assert } from '../../core/errors.ts'
import type { EventData } from '../../platform/outbox.ts'
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

type PlanLike = string | { name: string }
type InvoiceData = EventData<'invoice.payment_failed'>['invoice']

type Rule<T extends EventType> = (data: EventData<T>, names: Names, at: string) => NoticeDraft[]
const none = (): NoticeDraft[] => []

const planName = (plan: PlanLike, names: Names): string => (typeof plan === 'string' ? names.plan(plan) : plan.name)
const billing = (kind: NoticeKind, data: NoticeDraft['data'], more: Partial<NoticeDraft> = {}): NoticeDraft => ({
  kind,
  to: 'billing',
  data,
  ...more,
})

const invoiceData = (invoice: InvoiceData, amountMinor: string) => ({
  number: invoice.number,
  amount: { amountMinor, currency: invoice.currency },
  invoiceUrl: invoice.hostedInvoiceUrl,
})

const moneyBackRequest = (
  { amount, reasonText }: EventData<'refund.requested'>['refund'] | EventData<'credit_note.requested'>['creditNote'],
  isCreditNote: boolean,
  requestExpiresAt: string,
): NoticeDraft[] => [
  {
    kind: 'refund_requested',
    to: 'operators',
    data: { amount, reason: reasonText ?? '', isCreditNote, requestExpiresAt },
    until: requestExpiresAt,
  },
]

const remediation =
  (kind: 'downgrade_remediation' | 'downgrade_remediation_reminder' | 'downgrade_enforced') =>
  (data: EventData<'downgrade.remediation_started'>, names: Names): NoticeDraft[] => [
    billing(kind, {
      plan: planName(data.plan, names),
      ...(kind === 'downgrade_enforced' ? {} : { deadline: data.deadline }),
      items: data.items,
    }),
  ]

/** The end itself is told by `subscription.canceled`. */
const kindOfStage = {
  grace: 'grace_started',
  restricted: 'restricted',
  read_only: 'read_only',
  none: 'suspended',
  canceled: null,
} as const

const dunning = (kind: NoticeKind, data: EventData<'dunning.stage_reached'>, names: Names): NoticeDraft => {
  const { plan, since, amount, invoiceUrl, nextAt } = data
  return billing(kind, { plan: planName(plan, names), since, amount, invoiceUrl, nextAt })
}

/**
 * What each event tells the customer (DUN-2): a notice, or explicitly none. An event that changes nothing for people, or
 * that another event of the same change tells already, has none.
 */
const rules: { readonly [T in EventType]: Rule<T> } = {
  'customer.created': none,
  'customer.updated': none,
  'checkout.opened': none,
  'checkout.completed': none,
  'checkout.ended': none,
  'invoice.updated': none,
  'payment_methods.updated': none,
  'refund.requested': ({ refund, requestExpiresAt }) => moneyBackRequest(refund, false, requestExpiresAt),
  'refund.decided': none,
  'refund.issued': ({ refund }) => [
    billing('refund_issued', { amount: refund.amount }, { topic: `refund:${refund.id}` }),
  ],
  'refund.updated': none,
  // What never was on its way is no news to whom it was for.
  'refund.failed': ({ refund, wasIssued }) =>
    wasIssued ? [billing('refund_failed', { amount: refund.amount }, { topic: `refund:${refund.id}` })] : [],
  'credit_note.requested': ({ creditNote, requestExpiresAt }) => moneyBackRequest(creditNote, true, requestExpiresAt),
  'credit_note.decided': none,
  // Of what goes back to a card its refund tells.
  'credit_note.issued': ({ creditNote }) =>
    creditNote.to === 'payment'
      ? []
      : [
          billing(
            'credit_note_issued',
            {
              amount: creditNote.amount,
              number: creditNote.number,
              owesLess: creditNote.afterPayment.amountMinor === '0',
              toBalance: creditNote.to === 'balance',
              documentUrl: creditNote.pdfUrl,
            },
            { topic: `credit_note:${creditNote.id}` },
          ),
        ],
  'credit_note.updated': none,
  'credit_note.failed': none,
  'credit_note.voided': none,
  'entitlements.updated': none,
  'usage.updated': none,
  'usage.corrected': none,
  'usage_period.rated': none,
  'usage_period.adjusted': none,
  'usage_period.placed': none,
  'billing.updated': none,
  // The hosted page and the receipt have told of the purchase.
  'subscription.created': none,
  'subscription.updated': ({ subscription, changed, transition }) => {
    const plan = subscription.plan.name
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
  'subscription.canceled': ({ subscription }, _names, at) =>
    // What never began has no end to tell of.
    subscription.status === 'incomplete_expired'
      ? []
      : [billing('canceled', { plan: subscription.plan.name, endedAt: subscription.endedAt ?? at })],
  'subscription.trial_ending': ({ subscription, endsAt, paymentMethodOnFile }) => [
    billing('trial_ending', { plan: subscription.plan.name, endsAt, paymentMethodOnFile }, { until: endsAt }),
  ],
  'subscription.renewal_upcoming': ({ subscription, at, amount }) => [
    billing('renewal_upcoming', { plan: subscription.plan.name, at, amount }, { until: at }),
  ],
  'subscription.change_failed': ({ subscription, invoiceUrl }) => [
    billing('change_failed', { plan: subscription?.plan.name ?? null, invoiceUrl }),
  ],
  'invoice.paid': ({ invoice }) =>
    BigInt(invoice.amountPaidMinor) > 0n ? [billing('receipt', invoiceData(invoice, invoice.amountPaidMinor))] : [],
  'invoice.payment_failed': ({ invoice }) => [
    billing(
      invoice.actionRequired ? 'action_required' : 'payment_failed',
      invoiceData(invoice, invoice.amountDueMinor),
    ),
  ],
  'dunning.stage_reached': (data, names) => {
    const kind = kindOfStage[data.stage]
    return kind === null ? [] : [dunning(kind, data, names)]
  },
  'dunning.reminded': (data, names) => [dunning('payment_reminder', data, names)],
  // What was given up is no reason to say thank you.
  'dunning.recovered': ({ plan, outcome }, names) =>
    outcome === 'recovered' ? [billing('payment_recovered', { plan: planName(plan, names) })] : [],
  'usage.threshold_reached': ({ feature, percent, used, limit, windowEnd }, names) => {
    // The threshold says when to tell; what is told is how much was used.
    const usedPercent = limit > 0 ? Math.floor((used * 100) / limit) : 100
    const data = { feature: names.feature(feature), used, limit, resetsAt: windowEnd }
    const more = { topic: `limit:${feature}`, until: windowEnd }
    return [
      percent >= 100
        ? billing('limit_reached', data, more)
        : billing('limit_warning', { ...data, percent: usedPercent }, more),
    ]
  },
  'downgrade.remediation_started': remediation('downgrade_remediation'),
  'downgrade.remediation_reminded': remediation('downgrade_remediation_reminder'),
  'downgrade.remediation_met': none,
  'downgrade.remediation_enforced': remediation('downgrade_enforced'),
  // The end of the subscription has been told; the retention begins with it.
  'retention.started': none,
  'retention.export_ending': ({ deleteAt }) => [
    { kind: 'export_ending', to: 'owners', data: { endsAt: deleteAt }, until: deleteAt },
  ],
  'retention.ended': none,
  // Nobody's address is known any more: the deletion makes its notice by itself, before it forgets whom to tell.
  'retention.deleted': none,
  'export.created': none,
  'owner.transfer_requested': ({ transferId, expiresAt }) => [
    { kind: 'owner_transfer_request', to: { transferId }, data: { transferId, expiresAt }, until: expiresAt },
  ],
  'owner.changed': (_, __, at) => [{ kind: 'owner_changed', to: 'owners', data: { at } }],
  'owner.transfer_ended': none,
  'override.requested': ({ override, requestExpiresAt }, names) => [
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
  ],
  'override.decided': none,
  'budget.updated': none,
  'budget.alert': ({ percent, amount, cost, cap, periodStart, periodEnd }) => [
    cap && percent >= 100
      ? billing('spend_cap_reached', { amount, resetsAt: periodEnd }, { topic: 'budget', until: periodEnd })
      : billing(
          'budget_alert',
          { percent, amount, cost, since: periodStart, resetsAt: periodEnd },
          { topic: 'budget', until: periodEnd },
        ),
  ],
  'credit.requested': ({ grant, requestExpiresAt }) => [
    {
      kind: 'credit_requested',
      to: 'operators',
      data: { amount: grant.amount, reason: grant.reason, actor: grant.grantedBy, requestExpiresAt },
      until: requestExpiresAt,
    },
  ],
  'credit.decided': none,
  // What was bought is told with its purchase.
  'credit.granted': ({ grant }) =>
    grant.checkoutId === null ? [billing('credit_granted', { amount: grant.amount, expiresAt: grant.expiresAt })] : [],
  'credit.burnt': none,
  'credit.expiring': ({ grant }) => [
    billing(
      'credit_expiring',
      { amount: grant.left, expiresAt: grant.expiresAt },
      { topic: `credit:${grant.id}`, until: grant.expiresAt },
    ),
  ],
  // The end was announced; nothing can be done any more.
  'credit.expired': none,
  'credit.voided': none,
  // The message of the refund tells of the money.
  'credit.refunded': none,
  'purchase.completed': ({ purchase }) => [
    billing(
      'purchase_completed',
      { name: purchase.name, amount: purchase.amount },
      { topic: `purchase:${purchase.id}` },
    ),
  ],
}

/** Whether anybody has decided what an event tells: nothing is forgotten by not being thought of. */
export const isDecided = (type: string): type is EventType => Object.hasOwn(rules, type)

export const noticesOf = (
  event: { type: string; at: string; data: Record<string, unknown> },
  names: Names,
): NoticeDraft[] => {
  assert(isDecided(event.type), `no rule says what ${event.type} tells customers`)
  // What the feed holds was written with the schema of its type.
  const decide = rules[event.type] as (data: unknown, names: Names, at: string) => NoticeDraft[]
  return decide(event.data, names, event.at)
}
