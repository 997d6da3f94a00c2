import { type Static, Type } from 'typebox'
import { accessLevels, commandActions, NextAction, PlanRef, SeatCount, Subscription } from './billing.ts'
import { Currency, Id, Instant, Key, Money, Nullable, Period, Quantity, strict, TenantId } from './common.ts'
import { Entitlement } from './entitlement.ts'
import { Retention } from './privacy.ts'

const AddOns = Type.Array(strict({ addOn: Key, quantity: Type.Integer({ minimum: 1, maximum: 1_000 }) }), {
  maxItems: 20,
})

const command = {
  action: Type.Enum(commandActions),
  /** `change`: what is not named stays as it is. `addOns` is the whole new list. */
  plan: Type.Optional(Key),
  price: Type.Optional(Key),
  currency: Type.Optional(Currency),
  seats: Type.Optional(SeatCount),
  addOns: Type.Optional(AddOns),
  /** `cancel`: when; by the catalog's policy when it is not named. */
  when: Type.Optional(Type.Enum(['now', 'period_end'])),
  /** `cancel` now: whether the unused time is credited; by the catalog's policy when it is not named. */
  creditUnused: Type.Optional(Type.Boolean()),
  /** `pause`: when it goes on by itself. */
  resumesAt: Type.Optional(Instant),
}
const PreviewToken = Type.Optional(
  Type.String({ maxLength: 2_000, description: 'Of a preview: refused when what was shown is not what would happen.' }),
)

export const CommandPreviewRequest = strict(command)
export const CommandRequest = strict({ ...command, previewToken: PreviewToken })
export type CommandRequest = Static<typeof CommandRequest>

const selection = {
  tenantId: Type.Optional(TenantId),
  plan: Key,
  price: Type.Optional(Key),
  currency: Type.Optional(Currency),
  seats: Type.Optional(SeatCount),
  addOns: Type.Optional(AddOns),
}
export const SubscriptionPreviewRequest = strict(selection)
/** A subscription paid with a payment method that is on file already: first ones and returns after an end. */
export const SubscriptionCreate = strict({ ...selection, previewToken: PreviewToken })
export type SubscriptionCreate = Static<typeof SubscriptionCreate>

/** `queued`: agreed to, and done as soon as the provider answers again. */
export const commandStates = ['under_way', 'queued', 'done', 'failed'] as const
export const SubscriptionCommand = strict({
  id: Id('command'),
  subscriptionId: Nullable(Id('subscription')),
  action: Type.Enum(['create', ...commandActions]),
  state: Type.Enum(commandStates),
  /** When what was asked for begins to hold. */
  effectiveAt: Instant,
  resumesAt: Nullable(Instant),
  requestedAt: Instant,
  settledAt: Nullable(Instant),
  failure: Nullable(Type.String()),
})
export type SubscriptionCommand = Static<typeof SubscriptionCommand>

export const CommandResult = strict({
  subscription: Subscription,
  command: SubscriptionCommand,
  nextActions: Type.Array(NextAction),
})
export type CommandResult = Static<typeof CommandResult>

const Terms = strict({
  plan: PlanRef,
  price: Key,
  interval: Type.String(),
  currency: Currency,
  seats: Type.Integer({ minimum: 0 }),
  addOns: Type.Array(strict({ addOn: Key, quantity: Type.Integer({ minimum: 1 }) })),
})

const PreviewInvoice = strict({
  lines: Type.Array(
    strict({
      description: Type.String(),
      amount: Money,
      quantity: Nullable(Type.Number()),
      period: Period,
      proration: Type.Boolean(),
    }),
  ),
  subtotal: Money,
  /** Null where the provider computes none. */
  tax: Nullable(Money),
  total: Money,
  /** Of the customer's credit balance. */
  creditApplied: Money,
  amountDue: Money,
})

/** A limit of the wanted terms that is exceeded by what is in use (SUB-5). */
export const GuardrailFinding = strict({
  feature: Key,
  name: Type.String(),
  /** `level`: as many exist. `usage`: counted until the window ends. `seats`: of the subscription. */
  kind: Type.Enum(['level', 'usage', 'seats']),
  used: Quantity,
  limit: Quantity,
  reduceBy: Quantity,
})

/** What would happen, computed by the same rules and by the provider, with nothing saved (SUB-4). */
export const CommandPreview = strict({
  action: Type.Enum(['create', ...commandActions]),
  timing: Type.Enum(['now', 'period_end']),
  effectiveAt: Instant,
  before: Nullable(Terms),
  after: Nullable(Terms),
  /** What is charged at once; null when nothing is. */
  dueNow: Nullable(PreviewInvoice),
  nextRenewal: Nullable(strict({ at: Instant, invoice: PreviewInvoice })),
  entitlements: strict({
    gained: Type.Array(Key),
    lost: Type.Array(Key),
    changed: Type.Array(Key),
    /** The same, with what each was and would be; null where there is nothing. */
    differences: Type.Array(
      strict({
        feature: Key,
        name: Type.String(),
        change: Type.Enum(['gained', 'lost', 'changed']),
        before: Nullable(Entitlement),
        after: Nullable(Entitlement),
      }),
    ),
    accessLevel: strict({ before: Type.Enum(accessLevels), after: Type.Enum(accessLevels) }),
  }),
  guardrails: Type.Array(GuardrailFinding),
  /** What the policy makes of the guardrails; null where there are none. */
  overLimit: Nullable(
    strict({ policy: Type.Enum(['block', 'cleanup_window', 'soft_lock']), deadline: Nullable(Instant) }),
  ),
  /** What would follow the end of the last subscription (SUB-6). */
  retention: Nullable(Retention),
  previewToken: Type.String(),
  expiresAt: Instant,
})
export type CommandPreview = Static<typeof CommandPreview>
