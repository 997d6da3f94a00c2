import { type Static, Type } from 'typebox'
import { Id, Instant, Key, Nullable, Page, Quantity, strict, TenantId, Text } from './common.ts'
import { Decision } from './entitlement.ts'

export const reservationStates = ['held', 'committed', 'released', 'expired'] as const

/** Room that is held for work under way (ENT-6): it counts against the limit as if it were used. */
export const Reservation = strict({
  id: Id('reservation'),
  tenantId: TenantId,
  state: Type.Enum(reservationStates),
  /** `committed`: what was used in the end; null as long as nothing was. */
  features: Type.Array(strict({ feature: Key, quantity: Quantity, committed: Nullable(Quantity) })),
  reservedAt: Instant,
  expiresAt: Instant,
  settledAt: Nullable(Instant),
})
export type Reservation = Static<typeof Reservation>

export const ReservationCreate = strict({
  tenantId: Type.Optional(TenantId),
  /** All of them or none; each once. */
  features: Type.Array(strict({ feature: Key, quantity: Type.Optional(Quantity) }), { minItems: 1, maxItems: 50 }),
  /** How long the room is held; 900 where left out. */
  expiresInSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400, default: 900 })),
  /** Same key, same answer. Needed here or as Idempotency-Key header. */
  idempotencyKey: Type.Optional(Type.String({ pattern: '^[\\x21-\\x7e]{1,255}$' })),
  service: Type.Optional(Text(100)),
})
export type ReservationCreate = Static<typeof ReservationCreate>

/** `reservation` is null when one of the features has no room: then nothing is held. */
export const ReservationAnswer = strict({
  tenantId: TenantId,
  allowed: Type.Boolean(),
  reservation: Nullable(Reservation),
  decisions: Type.Array(Decision),
  snapshotVersion: Type.Integer(),
})
export type ReservationAnswer = Static<typeof ReservationAnswer>

export const ReservationCommit = strict({
  /** What was used of each feature, at most what is reserved; all of it where left out. */
  quantities: Type.Optional(Type.Record(Key, Quantity)),
})
export const ReservationQuery = strict({
  tenantId: Type.Optional(TenantId),
  state: Type.Optional(Type.Enum(reservationStates)),
  ...Page,
})
export const ReservationParams = strict({ reservationId: Type.String({ maxLength: 120 }) })
