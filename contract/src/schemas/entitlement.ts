import { type Static, Type } from 'typebox'
import { accessLevels } from './billing.ts'
import { Id, Instant, Key, Nullable, Period, Quantity, strict, TenantId, Text } from './common.ts'

/** Where a value comes from, strongest first (ENT-2). */
export const origins = ['override', 'plan', 'add_on', 'baseline', 'none'] as const
export const Value = Type.Union([Type.Boolean(), Type.Number(), Type.String(), Type.Array(Type.String())])

/** One resolved entitlement, without its counter (ENT-1). `limit: null` is unlimited. */
export const Entitlement = Type.Union([
  strict({
    feature: Key,
    name: Type.String(),
    kind: Type.Literal('boolean'),
    value: Type.Boolean(),
    origin: Type.Enum(origins),
  }),
  strict({
    feature: Key,
    name: Type.String(),
    kind: Type.Literal('value'),
    value: Value,
    origin: Type.Enum(origins),
    /** The meter that says how much of a number is in use. */
    usedBy: Type.Optional(Key),
  }),
  strict({
    feature: Key,
    name: Type.String(),
    kind: Type.Literal('metered'),
    meter: Key,
    unit: Type.String(),
    included: Nullable(Quantity),
    limit: Nullable(Quantity),
    enforcement: Type.Enum(['hard', 'soft']),
    warnAtPercent: Type.Array(Type.Integer()),
    window: Period,
    /** The span that it counts by, where that is not the usage period: `day`, `month:Europe/Berlin`, `sliding:24`. */
    countedBy: Type.Optional(Type.String()),
    /** What earlier windows have left; it is in `included` and `limit`. */
    carried: Type.Optional(Type.Array(strict({ quantity: Quantity, expiresAt: Instant }))),
    origin: Type.Enum(origins),
  }),
])
export type Entitlement = Static<typeof Entitlement>

export const Snapshot = strict({
  tenantId: TenantId,
  customerId: Id('customer'),
  version: Type.Integer(),
  accessLevel: Type.Enum(accessLevels),
  plan: Key,
  planVersion: Type.Integer(),
  effectiveFrom: Instant,
  /** When a time-bound part ends and a new version is made. */
  validUntil: Nullable(Instant),
  cause: Type.String(),
  entitlements: Type.Array(Entitlement),
})
export type Snapshot = Static<typeof Snapshot>

export const reasons = [
  'included',
  'override',
  'within_limit',
  'within_overage',
  'soft_limit_exceeded',
  'unlimited',
  'not_included',
  'limit_reached',
  'over_limit_after_downgrade',
  'disabled_by_override',
  'access_restricted',
  'spend_cap_reached',
  'unknown_customer',
] as const
export type Reason = (typeof reasons)[number]
export const meterStates = ['available', 'nearing_limit', 'blocked', 'upgrade_available'] as const

/** The answer to a check (ENT-4). A refusal is an answer with `allowed: false`, not an error. */
export const Decision = strict({
  feature: Key,
  allowed: Type.Boolean(),
  reason: Type.Enum(reasons),
  kind: Type.Enum(['boolean', 'value', 'metered']),
  value: Nullable(Value),
  limit: Nullable(Quantity),
  used: Nullable(Quantity),
  remaining: Nullable(Quantity),
  resetsAt: Nullable(Instant),
  state: Type.Enum(meterStates),
  /** The cheapest plan that would allow it. */
  upgradePlan: Nullable(Key),
  consumed: Type.Boolean(),
})
export type Decision = Static<typeof Decision>

export const CheckRequest = strict({
  tenantId: Type.Optional(TenantId),
  feature: Type.Optional(Key),
  features: Type.Optional(Type.Array(Key, { minItems: 1, maxItems: 50, uniqueItems: true })),
  quantity: Type.Optional(Quantity),
  /** Count the quantity when it is allowed. Needs `idempotencyKey` or an Idempotency-Key header, and metered features. */
  consume: Type.Optional(Type.Boolean()),
  idempotencyKey: Type.Optional(Type.String({ pattern: '^[\\x21-\\x7e]{1,255}$' })),
  /** When it was used, with `consume` only: for what was let through while the service was away. Now when left out. */
  at: Type.Optional(Type.String({ maxLength: 40 })),
  service: Type.Optional(Text(100)),
})
export type CheckRequest = Static<typeof CheckRequest>

/** `allowed` is true when every feature asked for is allowed; consuming is all or nothing. */
export const CheckAnswer = strict({
  tenantId: TenantId,
  allowed: Type.Boolean(),
  decisions: Type.Array(Decision),
  snapshotVersion: Type.Integer(),
})
export type CheckAnswer = Static<typeof CheckAnswer>

export const Explanation = strict({
  tenantId: TenantId,
  feature: Key,
  at: Instant,
  decision: Decision,
  snapshotVersion: Type.Integer(),
  accessLevel: Type.Enum(accessLevels),
  /** Every source looked at, in the order of ENT-2, and the one that decided. */
  steps: Type.Array(
    strict({
      source: Type.Enum(['override', 'subscription', 'add_on', 'baseline', 'access', 'counter', 'policy']),
      decided: Type.Boolean(),
      sentence: Type.String(),
      detail: Type.Record(Type.String(), Type.Unknown()),
    }),
  ),
  /** What would have to change for the answer to be yes. */
  wouldAllow: Type.Array(Type.String()),
})
export type Explanation = Static<typeof Explanation>

export const FeatureParams = strict({ feature: Type.String({ maxLength: 120 }) })
export const AtQuery = strict({ tenantId: Type.Optional(TenantId), at: Type.Optional(Instant) })

/** What an override sets: for metered features the limit (`null`: unlimited), otherwise the value. */
export const OverrideValue = Type.Union([
  strict({ enabled: Type.Boolean() }),
  strict({ value: Value }),
  strict({ limit: Nullable(Type.Number({ minimum: 0 })) }),
])
export const overrideStates = ['waiting_for_approval', 'approved', 'rejected', 'expired'] as const
export const Override = strict({
  id: Id('override'),
  tenantId: TenantId,
  feature: Key,
  set: OverrideValue,
  reason: Type.String(),
  actor: Type.String(),
  createdAt: Instant,
  expiresAt: Nullable(Instant),
  withdrawnAt: Nullable(Instant),
  /** Only an approved one is ever in force (ENT-2). */
  state: Type.Enum(overrideStates),
  /** Until when a waiting one can be decided. */
  requestExpiresAt: Nullable(Instant),
  decidedBy: Nullable(Type.String()),
  decidedAt: Nullable(Instant),
  decisionReason: Nullable(Type.String()),
})
export type Override = Static<typeof Override>
export const OverrideCreate = strict({
  tenantId: Type.Optional(TenantId),
  feature: Key,
  set: OverrideValue,
  reason: Text(500, 3),
  expiresAt: Type.Optional(Nullable(Instant)),
})
export const OverrideDecision = strict({ reason: Type.Optional(Text(500, 3)) })
export const OverrideParams = strict({ overrideId: Type.String({ maxLength: 120 }) })
