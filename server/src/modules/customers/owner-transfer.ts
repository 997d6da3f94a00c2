import type { ownerTransferStates } from '@turnpike/contract'

export type OwnerRecord = {
  tenantId: string
  personId: string
  email: string
  name: string
  since: Temporal.Instant
}

export type OwnerTransferRecord = {
  tenantId: string
  transferId: string
  state: (typeof ownerTransferStates)[number]
  /** Who leaves when it is confirmed; null when nobody does. */
  fromPersonId: string | null
  toEmail: string
  toName: string
  toPersonId: string | null
  requestedBy: string
  requestedAt: Temporal.Instant
  expiresAt: Temporal.Instant
  endedAt: Temporal.Instant | null
}

/**
 * Who hands over (CUS-3): the owner who asks, the one who is named, or the only one; nobody when the customer has none or
 * the owner stays. `unknown` when that does not say who, `not_owner` when a person asks who is none.
 */
export const handsOver = (
  owners: readonly Pick<OwnerRecord, 'personId'>[],
  request: { personId: string | null; fromPersonId?: string | undefined; stays?: boolean | undefined },
): { from: string | null } | 'unknown' | 'not_owner' => {
  if (owners.length === 0) return request.fromPersonId === undefined ? { from: null } : 'unknown'
  if (request.personId !== null && !owners.some(({ personId }) => personId === request.personId)) return 'not_owner'
  // Nobody gives away what is another's.
  const named = request.fromPersonId ?? request.personId ?? (owners.length === 1 ? owners[0]!.personId : undefined)
  if (request.personId !== null && named !== request.personId) return 'not_owner'
  if (request.stays) return { from: null }
  if (named === undefined || !owners.some(({ personId }) => personId === named)) return 'unknown'
  return { from: named }
}

/** Whether the transfer still waits for an answer. */
export const isOpen = (transfer: OwnerTransferRecord, at: Temporal.Instant): boolean =>
  transfer.state === 'requested' && Temporal.Instant.compare(at, transfer.expiresAt) < 0
