import { assert } from '../../core/errors.ts'
import type { Mail, MailAddress } from '../../platform/mailer.ts'
import { cleanText } from './format.ts'

// Plain addresses only: no quoted parts, no comments, no line ends, so that nothing in one can be read as something else.
const plainAddress =
  /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/

export const isMailAddress = (text: string): boolean => text.length <= 254 && plainAddress.test(text)

/** `Acme Billing <billing@acme.example>` or the address alone; null for anything else. */
export const addressOf = (text: string): MailAddress | null => {
  const [, name, address] = /^\s*(?:"?([^"<>]*?)"?\s*)<([^<>\s]+)>\s*$/.exec(text) ?? [null, '', text.trim()]
  return isMailAddress(address!) ? { name: cleanText(name!), address: address! } : null
}

/** The mail of a notice. The Message-ID follows from the notice, so that a repeat can be told from another message. */
export const mailOf = (
  notice: {
    noticeId: string
    copies: number
    recipients: readonly string[]
    subject: string
    text: string
    html: string
    createdAt: Temporal.Instant
  },
  from: MailAddress,
): Mail => {
  assert(notice.recipients.length > 0 && notice.recipients.every(isMailAddress), 'a notice goes to plain addresses')
  return {
    from,
    to: [...notice.recipients],
    subject: cleanText(notice.subject),
    text: notice.text,
    html: notice.html,
    messageId: messageIdOf(notice, from),
    date: notice.createdAt,
  }
}

export const messageIdOf = (notice: { noticeId: string; copies: number }, from: MailAddress): string =>
  `<${notice.noticeId}${notice.copies === 0 ? '' : `.${notice.copies}`}@${from.address.split('@')[1]}>`
