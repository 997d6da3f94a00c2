import { findTransferById, isOpen } from '../modules/customers/index.ts'
import {
  claimNotice,
  definitionOf,
  finishAttempt,
  mailOf,
  type NoticeRecord,
  nextAttempt,
} from '../modules/notices/index.ts'
import { passFaultPoint } from '../platform/fault-points.ts'
import type { Mailer } from '../platform/mailer.ts'
import type { Deps } from './deps.ts'
import { ownerTransferLink } from './steps/owner-transfer-link.ts'

/** Longer than a mail may take, so that a lease ends only after its attempt has. */
const leaseSeconds = 600

/**
 * Mails what is due, one after the other (DUN-2). The attempt is written down before it is made. A process that dies
 * between the server's yes and our note of it leaves a mail that is sent again, with the same Message-ID: the one gap that
 * SMTP does not let anybody close. Answers how many attempts were made; call again while that is not 0.
 */
export const sendNotices = async (deps: Deps): Promise<number> => {
  const { mailer } = deps.notices
  if (!mailer) return 0
  const notice = await claimNotice(deps.db, deps.presence, deps.clock.now(), leaseSeconds)
  if (!notice) return 0
  const outcome = await attempt(deps, mailer, notice)
  await noteDown(deps, notice, outcome)
  return 1
}

type Outcome = Parameters<typeof finishAttempt>[2]

const attempt = async (deps: Deps, mailer: Mailer, notice: NoticeRecord): Promise<Outcome> => {
  const { text, html } = notice
  if (text === null || html === null) return { state: 'failed', error: 'template_failed' }
  const words = await withSecretLink(deps, notice, { text, html })
  if (words === null) return { state: 'failed', error: 'no_longer_true' }
  passFaultPoint('before_mail', notice.kind)
  const outcome = await mailer.send(mailOf({ ...notice, ...words }, deps.notices.from))
  passFaultPoint('after_mail', notice.kind)
  if (outcome.sent) return { state: 'sent' }
  const next = nextAttempt(outcome.refusal, notice.attempts)
  deps.log.warn({ noticeId: notice.noticeId, kind: notice.kind, ...next }, 'a notice was not taken')
  return next
}

/**
 * The letter to a new owner carries a right, which is made for this mail and kept nowhere: what is stored and shown leads to
 * the same page without it. Null when the transfer has ended meanwhile.
 */
const withSecretLink = async (
  deps: Deps,
  { link, data }: NoticeRecord,
  words: { text: string; html: string },
): Promise<{ text: string; html: string } | null> => {
  if (typeof data.transferId !== 'string' || link === null) return words
  const transfer = await findTransferById(deps.db, data.transferId)
  if (!transfer || !isOpen(transfer, deps.clock.now())) return null
  const { url } = await ownerTransferLink(deps, transfer)
  return { text: words.text.replaceAll(link, url), html: words.html.replaceAll(link, url) }
}

/** A database that is away for a moment must not make us send twice: the outcome is written as soon as it is back. */
const noteDown = async (deps: Deps, notice: NoticeRecord, outcome: Outcome): Promise<void> => {
  for (let tries = 0; ; tries++)
    try {
      return await finishAttempt(
        deps.db,
        notice,
        outcome,
        deps.clock.now(),
        definitionOf(notice.kind).isForgotten ?? false,
      )
    } catch (error) {
      if (tries === 60) throw error
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
}
