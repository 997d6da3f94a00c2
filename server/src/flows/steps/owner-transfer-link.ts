import type { OwnerTransferRecord } from '../../modules/customers/index.ts'
import type { Deps } from '../deps.ts'

/**
 * What the letter to a new owner carries (CUS-3). Made at the moment of sending and kept nowhere: the event feed only names
 * the transfer. The token stands behind `#`, which browsers send to nobody.
 */
export const ownerTransferLink = async (
  deps: Pick<Deps, 'seal' | 'publicUrl'>,
  transfer: Pick<OwnerTransferRecord, 'transferId' | 'toEmail' | 'expiresAt'>,
): Promise<{ token: string; url: string }> => {
  const { transferId, toEmail, expiresAt } = transfer
  const token = await deps.seal.close('owner-transfer', { transferId, toEmail }, expiresAt)
  return { token, url: `${deps.publicUrl}/billing/owner-transfers/${transferId}#token=${token}` }
}

/** Whether a token is the one of this transfer's letter. A changed or ended one opens as nothing. */
export const isTransferToken = async (
  deps: Pick<Deps, 'seal' | 'clock'>,
  transfer: OwnerTransferRecord,
  token: string,
): Promise<boolean> => {
  const content = await deps.seal.open('owner-transfer', token, deps.clock.now())
  return content?.transferId === transfer.transferId && content.toEmail === transfer.toEmail
}
