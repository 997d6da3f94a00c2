import { type Static, Type } from 'typebox'
import { Instant, Key, Nullable, Page, Quantity, strict, TenantId } from './common.ts'
import { Explanation, OverrideValue, reasons } from './entitlement.ts'

export const decisionKinds = ['check', 'consume', 'report', 'reserve'] as const

/** What would have made a decision another one (ENT-5). */
const Counterfactual = strict({
  /** How much would have been allowed; null: any quantity. */
  allowedQuantity: Nullable(Quantity),
  /** The lowest plan of the catalog as it is now that allows the quantity. */
  plan: Nullable(Key),
  /** The smallest override that allows it; null where none would. */
  override: Nullable(OverrideValue),
})
export type Counterfactual = Static<typeof Counterfactual>

/**
 * One decision as it was made: every refusal, and every decision that used something up. `check`: asked and refused;
 * `consume`: a check that uses up; `report`: a usage record; `reserve`: room held for work under way.
 */
export const DecisionRecord = strict({
  id: Type.String(),
  tenantId: TenantId,
  kind: Type.Enum(decisionKinds),
  feature: Key,
  /** For which time it was decided. Equal refused checks of an hour share a record: then of the last one. */
  at: Instant,
  firstAt: Instant,
  attempts: Type.Integer(),
  quantity: Quantity,
  allowed: Type.Boolean(),
  reason: Type.Enum(reasons),
  /** The other feature of an all-or-nothing question that was refused, and this one with it. */
  because: Nullable(Key),
  snapshotVersion: Type.Integer(),
  plan: Key,
  planVersion: Type.Integer(),
  overrideId: Nullable(Type.String()),
  policy: strict({
    enforcement: Nullable(Type.Enum(['hard', 'soft'])),
    windowStart: Nullable(Instant),
  }),
  /** Before the decision; null for a feature that counts nothing. `carried`: the part of the limit that was left over before. */
  counter: Nullable(strict({ used: Quantity, reserved: Quantity, limit: Nullable(Quantity), carried: Quantity })),
  counterfactual: Counterfactual,
  idempotencyKey: Nullable(Type.String()),
  service: Nullable(Type.String()),
  correlationId: Nullable(Type.String()),
})
export type DecisionRecord = Static<typeof DecisionRecord>

/** The same rule run again with the snapshot and the counter of the time. `same` is false when either was changed since. */
export const DecisionReplay = strict({
  same: Type.Boolean(),
  allowed: Type.Boolean(),
  reason: Nullable(Type.Enum(reasons)),
})

export const DecisionDetail = strict({
  ...DecisionRecord.properties,
  replay: DecisionReplay,
  steps: Explanation.properties.steps,
  wouldAllow: Explanation.properties.wouldAllow,
})
export type DecisionDetail = Static<typeof DecisionDetail>

export const DecisionQuery = strict({
  tenantId: Type.Optional(TenantId),
  feature: Type.Optional(Key),
  outcome: Type.Optional(Type.Enum(['allowed', 'refused'])),
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
  ...Page,
})
export const DecisionParams = strict({ decisionId: Type.String({ pattern: '^decision_[A-Za-z0-9_-]{2,600}$' }) })
