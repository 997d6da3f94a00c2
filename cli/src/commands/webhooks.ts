import type { InboxEntry } from '@turnpike/contract'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { facts, table } from '../print.ts'
import type { Session } from '../session.ts'

export const addWebhookCommands = (program: Command, session: Session): void => {
  const webhooks = program.command('webhooks').description('The inbox of the payment provider’s webhooks')

  webhooks
    .command('list')
    .description('List webhooks, newest first')
    .addOption(new Option('--state <state>').choices(['pending', 'applied', 'ignored', 'retrying', 'dead']))
    .option('--tenant <tenant>')
    .option('--limit <count>', 'how many', limitOf, 50)
    .action(async (options: { state?: InboxEntry['state']; tenant?: string; limit: number }) => {
      const { state, tenant: tenantId, limit } = options
      const { data } = await session.client().listWebhooks({
        query: { limit, ...(state ? { state } : {}), ...(tenantId ? { tenantId } : {}) },
      })
      session.show(
        data,
        table(
          ['id', 'received', 'type', 'state', 'tenant', 'attempts', 'outcome'],
          data.map((entry) => [
            entry.id,
            entry.receivedAt,
            entry.type,
            entry.state,
            entry.tenantId,
            entry.attempts,
            entry.lastError ?? entry.outcome,
          ]),
          'No webhooks.',
        ),
      )
    })

  webhooks
    .command('replay <id>')
    .description('Work on a webhook once more')
    .action(async (webhookId: string) => {
      const { data } = await session.client().replayWebhook({ params: { webhookId } })
      session.show(data, [
        `Webhook ${data.id} will be worked on again.`,
        ...facts([
          ['type', data.type],
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
