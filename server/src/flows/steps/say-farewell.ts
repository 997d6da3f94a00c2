import { newId } from '../../core/ids.ts'
import type { CustomerRecord } from '../../modules/customers/index.ts'
import { insertNotices } from '../../modules/notices/index.ts'
import type { Tx } from '../../platform/db.ts'
import type { Deps } from '../deps.ts'
import { noticeOf, recipientsOf } from '../make-notices.ts'

/**
 * Tells that everything was deleted, in the transaction that forgets whom to tell: the event comes too late for that. The
 * notice itself forgets its recipient once it was mailed; where it cannot be mailed there is none.
 */
export const sayFarewell = async (
  tx: Tx,
  deps: Pick<Deps, 'clock' | 'log' | 'notices'>,
  customer: CustomerRecord,
  at: Temporal.Instant,
): Promise<void> => {
  const recipients = await recipientsOf(tx, deps, 'billing', customer)
  if (deps.notices.mailer === null || recipients.length === 0 || deps.notices.off.includes('data_deleted')) return
  const draft = { kind: 'data_deleted', to: 'owners', data: { at: at.toString() } } as const
  await insertNotices(tx, [noticeOf(deps, newId('event'), draft, customer, recipients)])
}
