import type { AddressInfo } from 'node:net'
import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'
import { eventually } from './world.ts'

type Answer = { code: number; words: string } | 'silence' | null

/** A real mail server on this machine. It says yes to everything until it is told otherwise. */
export const startMailServer = async (port = 0) => {
  const mails: ParsedMail[] = []
  const rules = {
    /** What a recipient gets. */
    recipient: (_: string): Answer => null,
    /** What the message gets after it was received. */
    message: (): Answer => null,
  }
  let onHold: (() => void) | null = null
  let isTaking = false
  const no = ({ code, words }: { code: number; words: string }) =>
    Object.assign(new Error(words), { responseCode: code })
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    onRcptTo: (address, _session, callback) => {
      const answer = rules.recipient(address.address)
      if (answer === 'silence') return onHold?.()
      callback(answer ? no(answer) : null)
    },
    onData: (stream, _session, callback) => {
      const answer = rules.message()
      void simpleParser(stream).then((mail) => {
        if (answer === 'silence') return onHold?.()
        if (answer) return callback(no(answer))
        mails.push(mail)
        // Taken for good, but the yes is lost on its way.
        if (isTaking) return onHold?.()
        callback()
      })
    },
  })
  server.on('error', () => {})
  const to = (address: string): ParsedMail[] =>
    mails.filter((mail) => [mail.to ?? []].flat().some((each) => each.text.includes(address)))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const { port: where } = server.server.address() as AddressInfo
  return {
    url: `smtp://127.0.0.1:${where}`,
    port: where,
    /** Everything that was taken. */
    mails,
    rules,
    /** Told when the server falls silent. */
    hold: (hear: (() => void) | null) => {
      onHold = hear
      isTaking = false
    },
    /** From here on messages are taken, and the yes does not arrive. */
    takeAndHold: () => {
      isTaking = true
    },
    to,
    /** The mails to an address as soon as they are as hoped. */
    received: (address: string, holds: (mails: ParsedMail[]) => boolean): Promise<ParsedMail[]> =>
      eventually(
        async () => mails.filter((mail) => [mail.to ?? []].flat().some((to) => to.text.includes(address))),
        holds,
      ),
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

export type MailServer = Awaited<ReturnType<typeof startMailServer>>
