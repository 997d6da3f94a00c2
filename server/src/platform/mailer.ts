import { Socket } from 'node:net'
import nodemailer from 'nodemailer'

export type MailAddress = { name: string; address: string }
export type Mail = {
  from: MailAddress
  to: string[]
  subject: string
  text: string
  html: string
  messageId: string
  date: Temporal.Instant
}

/** How a mail server, or the way to it, said no. `reply` is the SMTP code; null when nobody answered. */
export type MailRefusal = { reply: number | null; at: 'connection' | 'login' | 'sender' | 'recipient' | 'content' }
type MailOutcome = { sent: true } | { sent: false; refusal: MailRefusal }

export type Mailer = { send(mail: Mail): Promise<MailOutcome> }

export type SmtpSettings = {
  host: string
  port: number
  /** `always`: TLS from the first byte; `required`: STARTTLS or nothing; `if_offered`: STARTTLS when the server has it. */
  tls: 'always' | 'required' | 'if_offered' | 'never'
  login: { user: string; password: string } | null
  timeoutMs: number
}

/**
 * Sends over SMTP, one connection a mail. However slowly the server answers, a mail ends in bounded time: its connection is
 * cut, so that nothing goes on behind the back of the next attempt.
 */
export const createMailer = (settings: SmtpSettings): Mailer => ({
  send: async (mail) => {
    const socket = new Socket()
    const late = setTimeout(() => socket.destroy(new Error('the mail server took too long')), settings.timeoutMs)
    const transport = nodemailer.createTransport({
      host: settings.host,
      port: settings.port,
      secure: settings.tls === 'always',
      requireTLS: settings.tls === 'required',
      ignoreTLS: settings.tls === 'never',
      ...(settings.login ? { auth: { user: settings.login.user, pass: settings.login.password } } : {}),
      socket,
      connectionTimeout: settings.timeoutMs,
      greetingTimeout: settings.timeoutMs,
      socketTimeout: settings.timeoutMs,
      dnsTimeout: settings.timeoutMs,
      disableFileAccess: true,
      disableUrlAccess: true,
    })
    try {
      await transport.sendMail({
        from: mail.from,
        to: mail.to.map((address) => ({ name: '', address })),
        envelope: { from: mail.from.address, to: mail.to },
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        messageId: mail.messageId,
        date: new Date(mail.date.epochMilliseconds),
        // Nobody's out-of-office answers a machine (RFC 3834).
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
      })
      return { sent: true }
    } catch (error) {
      return { sent: false, refusal: refusalOf(error) }
    } finally {
      clearTimeout(late)
      socket.destroy()
    }
  },
})

const refusalOf = (error: unknown): MailRefusal => {
  const { responseCode, command, code } = error as { responseCode?: unknown; command?: unknown; code?: unknown }
  const at =
    command === 'RCPT TO'
      ? 'recipient'
      : command === 'MAIL FROM'
        ? 'sender'
        : command === 'DATA'
          ? 'content'
          : code === 'EAUTH'
            ? 'login'
            : 'connection'
  return { reply: typeof responseCode === 'number' ? responseCode : null, at }
}
