import { type Static, Type } from 'typebox'
import { AnyId, Email, Id, Instant, Nullable, strict, TenantId, Text } from './common.ts'

/** Who is asked and informed about a customer's billing (CUS-3). What a person may do is decided by the role alone. */
export const Owner = strict({
  personId: Type.String({ description: "The person's id at the host product: `sub` of its tokens." }),
  email: Type.String(),
  name: Type.String(),
  since: Instant,
})
export type Owner = Static<typeof Owner>

export const OwnerInput = strict({ personId: AnyId, email: Email, name: Text(200) })

export const ownerTransferStates = ['requested', 'confirmed', 'declined', 'canceled', 'expired'] as const
export const OwnerTransfer = strict({
  id: Id('transfer'),
  tenantId: TenantId,
  state: Type.Enum(ownerTransferStates),
  /** Who hands over; null when the customer had no owner, or when the owner stays. */
  fromPersonId: Nullable(Type.String()),
  to: strict({ email: Type.String(), name: Type.String(), personId: Nullable(Type.String()) }),
  requestedBy: Type.String(),
  requestedAt: Instant,
  expiresAt: Instant,
  endedAt: Nullable(Instant),
})
export type OwnerTransfer = Static<typeof OwnerTransfer>

export const OwnerTransferCreate = strict({
  /** Whoever confirms must be this person, where it is given. */
  to: strict({ email: Email, name: Text(200), personId: Type.Optional(AnyId) }),
  /** Which owner hands over, where there are several and it is not the one who asks. */
  fromPersonId: Type.Optional(AnyId),
  /** The new owner joins and nobody leaves. */
  stays: Type.Optional(Type.Boolean()),
})
export type OwnerTransferCreate = Static<typeof OwnerTransferCreate>

/** The token of the letter to the new owner. */
export const OwnerTransferAnswer = strict({ token: Type.String({ minLength: 1, maxLength: 1_000 }) })
export const OwnerParams = strict({
  customerId: Type.String({ maxLength: 120 }),
  personId: Type.String({ maxLength: 200 }),
})
export const OwnerTransferParams = strict({ transferId: Type.String({ maxLength: 120 }) })
