import { fail } from '../core/errors.ts'
import { findCustomer } from '../modules/customers/index.ts'
import { definitionOf, lockNotice, type NoticeRecord, queueCopy } from '../modules/notices/index.ts'
import { type Actor, appendAudit } from '../platform/audit.ts'
import { transact } from '../platform/db.ts'
import type { Deps } from './deps.ts'
import { recipientsOf } from './make-notices.ts'

/**
 * Has a notice sent again, to the address of today, as a copy with a Message-ID of its own. One that is still on its way
 * stays as it is.
 */
export const resendNotice = (deps: Deps, actor: Actor, noticeId: string): Promise<NoticeRecord> =>
  transact(deps.db, async (tx) => {
    const notice = await lockNotice(tx, noticeId)
    const customer = notice && (await findCustomer(tx, notice.tenantId))
    if (!notice || !customer) throw fail('not_found')
    if (deps.notices.mailer === null) throw fail('mail_not_configured')
    if (notice.state === 'waiting' || notice.state === 'sending') return notice
    const { to } = definitionOf(notice.kind)
    // Who was asked to take over is not who the customer's mail goes to: such a notice keeps its address.
    const recipients = to === 'address' ? notice.recipients : await recipientsOf(tx, deps, to, customer)
    if (recipients.length === 0) throw fail('notice_without_address')
    const written =
      notice.text === null ? deps.notices.templates.render(notice.kind, notice.data, customer.name) : notice
    const queued = await queueCopy(tx, { ...notice, ...written, recipients }, deps.clock.now())
    await appendAudit(tx, deps.clock, {
      tenantId: notice.tenantId,
      actor,
      action: 'notice.resend',
      object: noticeId,
      before: { state: notice.state },
      after: { state: queued.state, copy: queued.copies },
    })
    return queued
  })
