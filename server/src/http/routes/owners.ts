import type { Owner, OwnerTransfer } from '@turnpike/contract'
import { fail } from '../../core/errors.ts'
import {
  answerOwnerTransfer,
  cancelOwnerTransfer,
  removeOwner,
  requestOwnerTransfer,
} from '../../flows/change-owner.ts'
import {
  findTransferById,
  listOwners,
  listTransfers,
  type OwnerRecord,
  type OwnerTransferRecord,
} from '../../modules/customers/index.ts'
import type { Context, Handlers } from '../handler.ts'
import { owned } from './customers.ts'

const ownerView = (owner: OwnerRecord): Owner => ({
  personId: owner.personId,
  email: owner.email,
  name: owner.name,
  since: owner.since.toString(),
})

const transferView = (transfer: OwnerTransferRecord): OwnerTransfer => ({
  id: transfer.transferId,
  tenantId: transfer.tenantId,
  state: transfer.state,
  fromPersonId: transfer.fromPersonId,
  to: { email: transfer.toEmail, name: transfer.toName, personId: transfer.toPersonId },
  requestedBy: transfer.requestedBy,
  requestedAt: transfer.requestedAt.toString(),
  expiresAt: transfer.expiresAt.toString(),
  endedAt: transfer.endedAt?.toString() ?? null,
})

const ownedTransfer = async ({
  deps,
  params,
  own,
}: Pick<Context<'cancelOwnerTransfer'>, 'deps' | 'params' | 'own'>): Promise<OwnerTransferRecord> => {
  const transfer = await findTransferById(deps.db, params.transferId)
  if (!transfer) throw fail('not_found')
  await own(transfer.tenantId)
  return transfer
}

/** Operators act for owners; people of a tenant only for themselves. */
const actsForOwners = ({ credential }: Pick<Context<'listOwners'>, 'credential'>): boolean =>
  credential.role === 'operator'

export const ownerHandlers: Handlers<
  | 'listOwners'
  | 'removeOwner'
  | 'listOwnerTransfers'
  | 'requestOwnerTransfer'
  | 'confirmOwnerTransfer'
  | 'declineOwnerTransfer'
  | 'cancelOwnerTransfer'
> = {
  listOwners: async (context) => {
    const { tenantId } = await owned(context)
    return { data: (await listOwners(context.deps.db, tenantId)).map(ownerView), cursor: null }
  },

  removeOwner: async (context) => {
    const { tenantId } = await owned(context)
    const { deps, actor, params } = context
    return ownerView(await removeOwner(deps, actor, tenantId, params.personId, actsForOwners(context)))
  },

  listOwnerTransfers: async (context) => {
    const { tenantId } = await owned(context)
    return { data: (await listTransfers(context.deps.db, tenantId)).map(transferView), cursor: null }
  },

  requestOwnerTransfer: async (context) => {
    const { tenantId } = await owned(context)
    const { deps, actor, body } = context
    return transferView(await requestOwnerTransfer(deps, actor, tenantId, body, actsForOwners(context)))
  },

  confirmOwnerTransfer: async (context) => {
    const transfer = await ownedTransfer(context)
    const { deps, actor, body } = context
    return transferView(await answerOwnerTransfer(deps, actor, transfer, 'confirmed', body.token))
  },

  declineOwnerTransfer: async (context) => {
    const transfer = await ownedTransfer(context)
    const { deps, actor, body } = context
    return transferView(await answerOwnerTransfer(deps, actor, transfer, 'declined', body.token))
  },

  cancelOwnerTransfer: async (context) => {
    const transfer = await ownedTransfer(context)
    return transferView(await cancelOwnerTransfer(context.deps, context.actor, transfer, actsForOwners(context)))
  },
}
