import { type Static, Type } from 'typebox'
import { Cursor, Id, Instant, Nullable, Page, strict, TenantId, Text } from './common.ts'

/** What can be done about a difference. `by_hand`: only a person can, outside of Turnpike or with its other tools. */
export const repairs = {
  resync: 'Ask the provider again for this customer and apply its answer',
  mirror_invoice: 'Fetch the invoice again and mirror it as it is there',
  mirror_money_back: 'Fetch refunds and credit notes of the invoice again and mirror them as they are there',
  void_here: 'Mark the mirrored invoice as void',
  end_here: 'End the subscription here',
  reopen_here: 'Take the state of the provider over an ended record',
  link_customer: 'Link the provider’s customer to its tenant',
  unlink_customer: 'Forget the link to a customer that no longer exists',
  push_catalog: 'Make what is missing at the provider',
  recompute: 'Resolve the entitlements again',
  rebuild_counter: 'Set the counter to what its records add up to',
  replay_webhook: 'Work on the webhook once more',
  by_hand: 'A person decides: see the procedure',
} as const
export type Repair = keyof typeof repairs

type KindDefinition = {
  meaning: string
  severity: 'critical' | 'warning' | 'notice'
  repair: Repair
  /** The repair takes nothing away from anybody who is entitled to it, so that policy may let it happen by itself. */
  safe: boolean
}
const kind = (
  severity: KindDefinition['severity'],
  repair: Repair,
  safety: 'safe' | 'ask',
  meaning: string,
): KindDefinition => ({ meaning, severity, repair, safe: safety === 'safe' })

/** Every kind of difference that reconciliation knows (REC-2): the one table of the API, the policy page and the checks. */
export const findingKinds = {
  customer_without_subscription: kind(
    'critical',
    'resync',
    'safe',
    'The provider has a live subscription, the customer has none here',
  ),
  subscription_missing_here: kind('warning', 'resync', 'safe', 'The provider has a subscription that is not here'),
  subscription_missing_at_provider: kind(
    'critical',
    'end_here',
    'ask',
    'A live subscription here that the provider positively does not know',
  ),
  subscription_ended_here: kind('critical', 'reopen_here', 'ask', 'Ended here, live at the provider'),
  status_differs: kind('critical', 'resync', 'safe', 'The status differs'),
  plan_differs: kind('critical', 'resync', 'safe', 'The plan or its version differs'),
  price_differs: kind('warning', 'resync', 'safe', 'The price, its currency or its interval differs'),
  quantity_differs: kind('warning', 'resync', 'safe', 'The number of seats or the add-ons differ'),
  period_differs: kind('warning', 'resync', 'safe', 'The period, its anchor or the end of the trial differs'),
  cancellation_differs: kind('warning', 'resync', 'safe', 'The end that was asked for differs'),
  pending_change_differs: kind('notice', 'resync', 'safe', 'The scheduled change differs'),
  two_subscriptions: kind('critical', 'by_hand', 'ask', 'More than one live subscription of one customer'),
  subscription_unmapped: kind(
    'critical',
    'by_hand',
    'ask',
    'A live subscription whose prices are not in the catalog: it grants nothing',
  ),
  customer_missing_at_provider: kind(
    'warning',
    'unlink_customer',
    'ask',
    'The provider has deleted the customer, or never had it',
  ),
  provider_customer_unlinked: kind(
    'critical',
    'link_customer',
    'ask',
    'A customer of the provider that carries our mark or pays for our prices, and nobody here owns it',
  ),
  catalog_differs: kind('critical', 'push_catalog', 'ask', 'A product or price differs from the catalog'),
  invoice_missing_here: kind('warning', 'mirror_invoice', 'safe', 'An invoice of the provider is not mirrored'),
  invoice_differs: kind('warning', 'mirror_invoice', 'safe', 'The mirror of an invoice differs'),
  invoice_missing_at_provider: kind('notice', 'void_here', 'ask', 'A mirrored invoice that the provider does not have'),
  charge_line_differs: kind(
    'critical',
    'by_hand',
    'ask',
    'A line for usage is missing on its invoice, is on it twice, or is of another amount there',
  ),
  refund_differs: kind('warning', 'mirror_money_back', 'safe', 'A refund is not mirrored, or its mirror differs'),
  credit_note_differs: kind(
    'warning',
    'mirror_money_back',
    'safe',
    'A credit note is not mirrored, or its mirror differs',
  ),
  money_back_stuck: kind(
    'warning',
    'mirror_money_back',
    'safe',
    'A refund or credit note waits longer for the provider than policy allows',
  ),
  payment_method_differs: kind('notice', 'resync', 'safe', 'A payment method, or which one is the default, differs'),
  snapshot_differs: kind(
    'critical',
    'recompute',
    'safe',
    'The entitlements in force differ from what is stored resolves to',
  ),
  counter_differs: kind('critical', 'rebuild_counter', 'ask', 'A usage counter differs from its records'),
  webhook_dead: kind('warning', 'replay_webhook', 'ask', 'A webhook failed for good'),
  checkout_stuck: kind('warning', 'resync', 'safe', 'A checkout waits longer than policy allows'),
  command_stuck: kind('warning', 'resync', 'safe', 'A command to the provider waits longer than policy allows'),
} as const satisfies Record<string, KindDefinition>

export type FindingKind = keyof typeof findingKinds
export const findingKindNames = Object.keys(findingKinds) as FindingKind[]
export const safeFindingKinds = findingKindNames.filter((name) => findingKinds[name].safe)

export const findingStates = ['open', 'repaired', 'accepted', 'dismissed', 'gone'] as const
export const reconciliationPhases = [
  'provider_subscriptions',
  'our_subscriptions',
  'provider_invoices',
  'our_invoices',
  'provider_refunds',
  'provider_credit_notes',
  'provider_customers',
  'our_customers',
  'catalog',
  'snapshots',
  'counters',
  'waiting',
  'second_look',
] as const
export type ReconciliationPhase = (typeof reconciliationPhases)[number]

const runStates = ['running', 'done', 'failed', 'stopped'] as const
const runScopes = ['all', 'light', 'tenant'] as const

/** One run. `progress` names each phase that has begun: how many things it has looked at, and how many there are where that is known. */
export const ReconciliationRun = strict({
  id: Id('run'),
  scope: Type.Enum(runScopes),
  tenantId: Nullable(TenantId),
  state: Type.Enum(runStates),
  phase: Nullable(Type.Enum(reconciliationPhases)),
  progress: Type.Array(
    strict({
      phase: Type.Enum(reconciliationPhases),
      looked: Type.Integer(),
      total: Nullable(Type.Integer()),
      done: Type.Boolean(),
    }),
  ),
  found: Type.Integer(),
  repaired: Type.Integer(),
  /** What it waits for, when it does. */
  waitsFor: Nullable(Type.Enum(['provider'])),
  startedBy: Type.String(),
  startedAt: Instant,
  finishedAt: Nullable(Instant),
  failure: Nullable(Type.String()),
})
export type ReconciliationRun = Static<typeof ReconciliationRun>
export const ReconciliationStart = strict({
  /** One customer only; without it, everybody. */
  tenantId: Type.Optional(TenantId),
  scope: Type.Optional(Type.Enum(['all', 'light'])),
})
export const ReconciliationParams = strict({ runId: Type.String({ maxLength: 120 }) })
export const ReconciliationQuery = strict({ ...Page, tenantId: Type.Optional(TenantId) })

const Detail = Type.Record(Type.String(), Type.Unknown())
export const Finding = strict({
  id: Id('finding'),
  tenantId: Nullable(TenantId),
  kind: Type.Enum(findingKindNames),
  severity: Type.Enum(['critical', 'warning', 'notice']),
  meaning: Type.String(),
  object: Type.String(),
  here: Nullable(Detail),
  there: Nullable(Detail),
  repair: Type.Enum(Object.keys(repairs) as Repair[]),
  repairMeaning: Type.String(),
  state: Type.Enum(findingStates),
  firstSeenAt: Instant,
  lastSeenAt: Instant,
  /** Until it was closed, or until now. */
  ageSeconds: Type.Integer(),
  closedAt: Nullable(Instant),
  closedBy: Nullable(Type.String()),
  reason: Nullable(Type.String()),
  firstRunId: Nullable(Id('run')),
  lastRunId: Nullable(Id('run')),
})
export type Finding = Static<typeof Finding>
export const FindingParams = strict({ findingId: Type.String({ maxLength: 120 }) })
export const FindingQuery = strict({
  cursor: Type.Optional(Cursor),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  kind: Type.Optional(Type.Enum(findingKindNames)),
  state: Type.Optional(Type.Enum(findingStates)),
  tenantId: Type.Optional(TenantId),
})
export const FindingDecision = strict({ reason: Text(500) })

/** For alerts and the console (REC-4). */
export const ReconciliationFigures = strict({
  openFindings: Type.Integer(),
  openBySeverity: Type.Record(Type.String(), Type.Integer()),
  openByKind: Type.Record(Type.String(), Type.Integer()),
  oldestOpenAt: Nullable(Instant),
  oldestOpenSeconds: Nullable(Type.Integer()),
  /** Findings first seen in the last 30 days, per thousand customers. */
  driftPerThousandCustomers: Type.Number(),
  /** Median seconds from first seen to repaired or gone, over the last 30 days. */
  medianSecondsToCorrect: Nullable(Type.Number()),
  lastRunFinishedAt: Nullable(Instant),
  lastFullRunFinishedAt: Nullable(Instant),
})
export type ReconciliationFigures = Static<typeof ReconciliationFigures>
