import type { MailRefusal } from '../../platform/mailer.ts'

export type AfterFailure =
  | { state: 'failed'; error: string }
  | { state: 'retrying'; error: string; waitSeconds: number }

const minute = 60
const hour = 60 * minute
/** After the n-th failure. Together two days: later a message of then would be no help. */
const waits = [minute, 5 * minute, 15 * minute, hour, 3 * hour, 6 * hour, 12 * hour, 24 * hour]

/**
 * What follows from a failure. A refusal of this recipient or of this message stands (5xx); everything that is temporary
 * (4xx), and what is wrong with the server or with our login, is tried again with growing pauses.
 */
export const nextAttempt = (refusal: MailRefusal, attempts: number): AfterFailure => {
  const error = refusal.reply === null ? 'mail_server_unreachable' : `${refusal.at}_refused_${refusal.reply}`
  const isFinal = refusal.reply !== null && refusal.reply >= 500 && ['recipient', 'content'].includes(refusal.at)
  const waitSeconds = waits[attempts - 1]
  return isFinal || waitSeconds === undefined ? { state: 'failed', error } : { state: 'retrying', error, waitSeconds }
}
