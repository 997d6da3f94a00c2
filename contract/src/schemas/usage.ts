import { type Static, Type } from 'typebox'
import { Instant, Key, Nullable, Period, Quantity, strict, TenantId } from './common.ts'
import { meterStates } from './entitlement.ts'

/** One usage record (USE-1). Services never send prices. */
export const UsageRecord = strict({
  tenantId: Type.Optional(TenantId),
  meter: Key,
  /** Units of the meter; 1 when left out. Not negative: corrections are new records. */
  quantity: Type.Optional(Quantity),
  /** When it was used; now when left out. */
  at: Type.Optional(Type.String({ maxLength: 40 })),
  /** Same key, same answer; same key with another body is refused (USE-2). Not `reservation:…`, `check:…` or `import:…`. */
  idempotencyKey: Type.String({ pattern: '^[\\x21-\\x7e]{1,255}$' }),
  service: Type.Optional(Type.String({ maxLength: 100, pattern: '^[^\\u0000-\\u001f\\u007f]*$' })),
  correlationId: Type.Optional(Type.String({ maxLength: 100, pattern: '^[^\\u0000-\\u001f\\u007f]*$' })),
  properties: Type.Optional(
    Type.Record(
      Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_.-]{0,62}$' }),
      Type.Union([Type.String({ maxLength: 500, pattern: '^[^\\u0000]*$' }), Type.Number(), Type.Boolean()]),
      {
        additionalProperties: false,
        maxProperties: 20,
      },
    ),
  ),
})
export type UsageRecord = Static<typeof UsageRecord>

/** The items of a batch are judged one by one, so that one bad record never costs the others. */
export const UsageBatch = strict({ records: Type.Array(Type.Unknown(), { minItems: 1, maxItems: 1_000 }) })
export const UsageReport = Type.Union([UsageRecord, UsageBatch])

export const usageStatuses = ['accepted', 'duplicate', 'refused', 'invalid'] as const
export const usageProblemCodes = [
  'limit_reached',
  'not_included',
  'access_restricted',
  'spend_cap_reached',
  'idempotency_key_reused',
  'key_reserved',
  'meter_unknown',
  'meter_derived',
  'property_missing',
  'quantity_negative',
  'quantity_not_whole',
  'quantity_out_of_range',
  'time_invalid',
  'time_too_old',
  'time_in_future',
  'tenant_required',
  'customer_unknown',
  'invalid_record',
] as const

/**
 * What became of one record. `duplicate`: this key was reported before with the same body, the answer is the first one's;
 * `refused`: a hard limit said no, nothing was counted (the attempt is kept, ENT-7); `invalid`: correct it and send it again.
 */
export const UsageOutcome = strict({
  index: Type.Integer(),
  idempotencyKey: Nullable(Type.String()),
  status: Type.Enum(usageStatuses),
  allowed: Type.Boolean(),
  code: Nullable(Type.Enum(usageProblemCodes)),
  detail: Nullable(Type.String()),
  used: Nullable(Quantity),
  limit: Nullable(Quantity),
})
export type UsageOutcome = Static<typeof UsageOutcome>

export const UsageAnswer = strict({
  accepted: Type.Integer(),
  duplicates: Type.Integer(),
  refused: Type.Integer(),
  invalid: Type.Integer(),
  /** True when nothing was refused and nothing was invalid. */
  allowed: Type.Boolean(),
  outcomes: Type.Array(UsageOutcome),
})
export type UsageAnswer = Static<typeof UsageAnswer>

/** One meter of the customer now, for pages and support (USE-6). */
export const MeterUsage = strict({
  meter: Key,
  name: Type.String(),
  unit: Type.String(),
  feature: Nullable(Key),
  used: Quantity,
  included: Nullable(Quantity),
  limit: Nullable(Quantity),
  remaining: Nullable(Quantity),
  percent: Nullable(Type.Number()),
  overage: Quantity,
  enforcement: Nullable(Type.Enum(['hard', 'soft'])),
  state: Type.Enum(meterStates),
  upgradePlan: Nullable(Key),
  refusedAttempts: Type.Integer(),
  window: Period,
  /**
   * What will have been used at the end of the window if it goes on as in the last seven days, and when the limit would be
   * met then. Null where nothing is known to go by: less than a day of usage, or a meter that does not add up.
   */
  projection: Nullable(strict({ used: Quantity, limitReachedAt: Nullable(Instant) })),
})
export type MeterUsage = Static<typeof MeterUsage>
export const UsageSummary = strict({
  tenantId: TenantId,
  snapshotVersion: Type.Integer(),
  meters: Type.Array(MeterUsage),
  asOf: Type.String(),
})
export type UsageSummary = Static<typeof UsageSummary>
