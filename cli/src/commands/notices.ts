import { writeFileSync } from 'node:fs'
import { type Notice, noticeStates } from '@turnpike/contract'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { clean, facts, table } from '../print.ts'
import type { Session } from '../session.ts'

export const addNoticeCommands = (program: Command, session: Session): void => {
  const notices = program.command('notices').description('Messages to customers and how their mail went')

  notices
    .command('list')
    .description('List notices, newest first')
    .addOption(new Option('--state <state>').choices(noticeStates))
    .option('--kind <kind>')
    .option('--tenant <tenant>')
    .option('--limit <count>', 'how many', limitOf, 50)
    .action(async (options: { state?: Notice['state']; kind?: string; tenant?: string; limit: number }) => {
      const { state, kind, tenant: tenantId, limit } = options
      const { data } = await session.client().listNotices({
        query: { limit, ...(state ? { state } : {}), ...(kind ? { kind } : {}), ...(tenantId ? { tenantId } : {}) },
      })
      session.show(
        data,
        table(
          ['id', 'created', 'tenant', 'kind', 'state', 'attempts', 'to', 'error'],
          data.map((notice) => [
            notice.id,
            notice.createdAt,
            notice.tenantId,
            notice.kind,
            notice.state,
            notice.attempts,
            notice.to.join(', ') || null,
            notice.lastError,
          ]),
          'No notices.',
        ),
      )
    })

  notices
    .command('preview [kind]')
    .description('Show a kind of notice with example data; without one, list the kinds')
    .option('--customer <id>', 'in the name of this customer')
    .option('--html <file>', 'write the HTML part to a file')
    .action(async (kind: string | undefined, options: { customer?: string; html?: string }) => {
      const client = session.client()
      if (kind === undefined) {
        const { data } = await client.listNoticeTemplates()
        const rows = data.map((template) => [template.kind, template.to, template.off ? 'off' : 'on', template.when])
        return session.show(data, table(['kind', 'to', 'sent', 'when'], rows, 'No kinds.'))
      }
      const { data } = await client.previewNotice({
        body: { kind, ...(options.customer ? { customerId: options.customer } : {}) },
      })
      if (options.html) writeFileSync(session.pathOf(options.html), data.html)
      session.show(data, [
        ...facts([
          ['subject', data.subject],
          ['link', data.link],
          ['html', options.html],
        ]),
        '',
        data.text.split('\n').map(clean),
      ])
    })

  notices
    .command('resend <id>')
    .description('Mail a notice again, to the address of today')
    .action(async (noticeId: string) => {
      const { data } = await session.client().resendNotice({ params: { noticeId } })
      session.show(data, [
        `Notice ${data.id} will be mailed again.`,
        ...facts([
          ['kind', data.kind],
          ['to', data.to.join(', ')],
          ['state', data.state],
        ]),
      ])
    })
}

const limitOf = (text: string): number => {
  const limit = Number(text)
  if (!Number.isInteger(limit) || limit < 1 || limit > 200)
    throw new InvalidArgumentError('Give a number from 1 to 200.')
  return limit
}
