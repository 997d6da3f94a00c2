import type { OwnerTransferCreate } from '@turnpike/contract'
import { fail } from '../core/errors.ts'
import { idFor, newId } from '../core/ids.ts'
import {
  type CustomerRecord,
  deleteOwner,
  findTransferById,
  handsOver,
  isOpen,
  listOwners,
  listTransfers,
  lockCustomer,
  type OwnerRecord,
  type OwnerTransferRecord,
  queueContactUpdate,
  saveOwner,
  saveTransfer,
  transfersToExpire,
  updateCustomer,
} from '../modules/customers/index.ts'
import { type Actor, appendAudit, recordDenial, systemActor } from '../platform/audit.ts'
import { type Tx, transact } from '../platform/db.ts'
import { appendEvents, type NewEvent } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'
import { eachOf } from './steps/each-of.ts'
import { isTransferToken } from './steps/owner-transfer-link.ts'
import { tellContact } from './tell-contact.ts'

const personOf = (actor: Actor): string | null => (actor.kind === 'person' ? actor.id : null)

/**
 * Asks somebody to become billing owner (CUS-3): nothing changes before they confirm. People must be an owner themselves,
 * unless there is none yet; keys of the tenant and operators speak for the owner whom they name.
 */
export const requestOwnerTransfer = (
  deps: Deps,
  actor: Actor,
  tenantId: string,
  request: OwnerTransferCreate,
  onBehalf: boolean,
): Promise<OwnerTransferRecord> =>
  transact(deps.db, async (tx) => {
    const customer = await lockCustomer(tx, tenantId)
    if (!customer) throw fail('not_found')
    const at = deps.clock.now()
    const transferId = idFor('transfer', actor.claim)
    // A repeat whose first answer was lost gets what the first has made.
    const made = actor.claim === undefined ? null : await findTransferById(tx, transferId)
    if (made) return made
    const from = handsOver(await listOwners(tx, tenantId), { ...request, personId: onBehalf ? null : personOf(actor) })
    if (from === 'not_owner') throw fail('not_billing_owner')
    if (from === 'unknown') throw fail('owner_unknown')
    for (const open of await listTransfers(tx, tenantId)) {
      if (isOpen(open, at)) throw fail('owner_transfer_open', { extra: { transferId: open.transferId } })
      // One that nobody answered in time may still wait for the schedule to say so.
      if (open.state === 'requested')
        await end(tx, deps, systemActor('owner transfers', actor.requestId), customer, open, 'expired')
    }
    const days = deps.catalog().file.policies.privacy?.ownerTransferDays ?? 7
    const transfer: OwnerTransferRecord = {
      tenantId,
      transferId,
      state: 'requested',
      fromPersonId: from.from,
      toEmail: request.to.email,
      toName: request.to.name,
      toPersonId: request.to.personId ?? null,
      requestedBy: actor.id,
      requestedAt: at,
      expiresAt: at.add({ hours: 24 * days }),
      endedAt: null,
    }
    await saveTransfer(tx, transfer)
    const expiresAt = transfer.expiresAt.toString()
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: 'owner.transfer_request',
      object: transfer.transferId,
      after: { from: transfer.fromPersonId, to: transfer.toPersonId, expiresAt },
    })
    await appendEvents(tx, deps.clock, customer, actor.requestId, [
      { type: 'owner.transfer_requested', data: { transferId: transfer.transferId, expiresAt } },
    ])
    return transfer
  })

/**
 * The answer of whoever was asked: a person of the same tenant with the token of the letter, once (CUS-3). When ownership
 * was handed over, bills and letters go to the new owner, also at the provider; nothing else of the customer changes.
 */
export const answerOwnerTransfer = async (
  deps: Deps,
  actor: Actor,
  transfer: OwnerTransferRecord,
  answer: 'confirmed' | 'declined',
  token: string,
): Promise<OwnerTransferRecord> => {
  const { tenantId, transferId } = transfer
  const fits = await isTransferToken(deps, transfer, token)
  const personId = personOf(actor)
  const isMeant = personId !== null && (transfer.toPersonId === null || transfer.toPersonId === personId)
  if (isOpen(transfer, deps.clock.now()) && !(fits && isMeant)) {
    await recordDenial(deps.db, deps.clock, {
      tenantId,
      actor,
      action: `owner.transfer_${answer}`,
      object: transferId,
      reason: fits ? 'not the person who was asked' : 'not the token of the letter',
    })
    throw fail('owner_link_invalid')
  }
  const after = await transact(deps.db, async (tx) => {
    const customer = await lockCustomer(tx, tenantId)
    const current = await findTransferById(tx, transferId)
    const at = deps.clock.now()
    if (!customer || !current) throw fail('not_found')
    if (!isOpen(current, at)) throw fail('owner_transfer_ended', { extra: { state: current.state } })
    if (answer === 'declined' || personId === null) return end(tx, deps, actor, customer, current, 'declined')
    const owners = await listOwners(tx, tenantId)
    await saveOwner(tx, { tenantId, personId, email: current.toEmail, name: current.toName, since: at })
    const leaves = current.fromPersonId !== personId ? current.fromPersonId : null
    if (leaves !== null) await deleteOwner(tx, tenantId, leaves)
    const events: NewEvent[] = [{ type: 'owner.changed', data: { personId, previousPersonId: leaves } }]
    if (current.fromPersonId !== null || owners.length === 0) {
      await updateCustomer(tx, { ...customer, email: current.toEmail, updatedAt: at })
      await queueContactUpdate(tx, tenantId, at)
      events.push({ type: 'customer.updated', data: { name: customer.name } })
    }
    return end(tx, deps, actor, customer, { ...current, toPersonId: personId }, 'confirmed', events)
  })
  if (answer === 'confirmed') await tellContact(deps, tenantId)
  return after
}

export const cancelOwnerTransfer = (
  deps: Deps,
  actor: Actor,
  transfer: OwnerTransferRecord,
  onBehalf: boolean,
): Promise<OwnerTransferRecord> =>
  transact(deps.db, async (tx) => {
    const customer = await lockCustomer(tx, transfer.tenantId)
    const current = await findTransferById(tx, transfer.transferId)
    if (!customer || !current) throw fail('not_found')
    const owners = await listOwners(tx, transfer.tenantId)
    const personId = onBehalf ? null : personOf(actor)
    if (personId !== null && personId !== current.requestedBy && !owners.some((owner) => owner.personId === personId))
      throw fail('not_billing_owner')
    if (!isOpen(current, deps.clock.now())) throw fail('owner_transfer_ended', { extra: { state: current.state } })
    return end(tx, deps, actor, customer, current, 'canceled')
  })

/** An owner leaves (CUS-3); the last one cannot. What they have begun to hand over ends with them. */
export const removeOwner = (
  deps: Deps,
  actor: Actor,
  tenantId: string,
  personId: string,
  onBehalf: boolean,
): Promise<OwnerRecord> =>
  transact(deps.db, async (tx) => {
    const customer = await lockCustomer(tx, tenantId)
    const owners = await listOwners(tx, tenantId)
    const leaving = owners.find((owner) => owner.personId === personId)
    if (!customer || !leaving) throw fail('not_found')
    // People may go; nobody is sent away by another owner.
    if (!onBehalf && personOf(actor) !== null && personOf(actor) !== personId) throw fail('not_billing_owner')
    if (owners.length === 1) throw fail('last_owner')
    await deleteOwner(tx, tenantId, personId)
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: 'owner.leave',
      object: personId,
      before: { personId },
    })
    const begun = (await listTransfers(tx, tenantId)).find(
      (open) => open.state === 'requested' && open.fromPersonId === personId,
    )
    const events: NewEvent[] = [{ type: 'owner.changed', data: { personId: null, previousPersonId: personId } }]
    if (begun) await end(tx, deps, actor, customer, begun, 'canceled', events)
    else await appendEvents(tx, deps.clock, customer, actor.requestId, events)
    return leaving
  })

/** Ends transfers that nobody answered in time. Run by the schedule; a repeat finds nothing. */
export const expireOwnerTransfers = async (deps: Deps): Promise<number> => {
  const due = await transfersToExpire(deps.db, deps.clock.now(), 200)
  const actor = systemActor('owner transfers', newId('request'))
  return eachOf(
    deps,
    'owner transfers',
    due.map(({ tenantId, transferId }) => ({ tenantId, transferId })),
    ({ tenantId, transferId }) =>
      transact(deps.db, async (tx) => {
        const customer = await lockCustomer(tx, tenantId)
        const current = await findTransferById(tx, transferId)
        if (customer && current?.state === 'requested') await end(tx, deps, actor, customer, current, 'expired')
      }),
  )
}

const end = async (
  tx: Tx,
  deps: Pick<Deps, 'clock'>,
  actor: Actor,
  customer: CustomerRecord,
  transfer: OwnerTransferRecord,
  state: 'confirmed' | 'declined' | 'canceled' | 'expired',
  events: NewEvent[] = [],
): Promise<OwnerTransferRecord> => {
  const after: OwnerTransferRecord = { ...transfer, state, endedAt: deps.clock.now() }
  await saveTransfer(tx, after)
  await appendAudit(tx, deps.clock, {
    tenantId: transfer.tenantId,
    actor,
    action: `owner.transfer_${state}`,
    object: transfer.transferId,
    before: { state: transfer.state },
    after: { state, from: after.fromPersonId, to: after.toPersonId },
  })
  await appendEvents(tx, deps.clock, customer, actor.requestId, [
    ...events,
    { type: 'owner.transfer_ended', data: { transferId: transfer.transferId, state } },
  ])
  return after
}
