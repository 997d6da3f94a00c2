import type { InboxEntry, WebhookReplay, WebhookReplayResult } from '@turnpike/contract'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { facts, table } from '../print.ts'
import type { Session } from '../session.ts'
import { UsageError } from '../usage-error.ts'

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
    .command('show <id>')
    .description('One webhook with what went wrong at each try')
    .action(async (webhookId: string) => {
      const { data } = await session.client().getWebhook({ params: { webhookId } })
      session.show(data, [
        ...facts([
          ['id', data.id],
          ['event', data.eventId],
          ['type', data.type],
          ['object', data.objectId],
          ['customer', data.providerCustomerId],
          ['tenant', data.tenantId],
          ['state', data.state],
          ['outcome', data.outcome],
          ['made', data.eventAt],
          ['received', data.receivedAt],
          ['applied', data.appliedAt],
          ['next try', data.nextAttemptAt],
          ['attempts', data.attempts],
          ['waited for the provider', data.holds],
          ['deliveries', data.deliveries],
          ['trace', data.traceId],
          ['correlation', data.correlationId],
        ]),
        '',
        ...table(
          ['at', 'error', 'cost an attempt'],
          data.errors.map((entry) => [entry.at, entry.error, !entry.held]),
          'No try has failed.',
        ),
      ])
    })

  webhooks
    .command('replay [id]')
    .description('Work on a webhook once more, or on all of an object, a tenant, a time, or the dead letters')
    .option('--object <id>', 'the provider’s id of the object')
    .option('--tenant <tenant>')
    .option('--from <instant>', 'received at or after')
    .option('--to <instant>', 'received before')
    .option('--dead', 'the dead letters')
    .addOption(new Option('--state <state...>').choices(['applied', 'ignored', 'retrying', 'dead']))
    .option('--dry-run', 'only count')
    .action(async (webhookId: string | undefined, options: ReplayOptions) => {
      const wanted = bodyOf(options)
      if (webhookId !== undefined) {
        if (Object.keys(wanted).length > 0) throw new UsageError('Give an id, or what to choose by, not both.')
        const { data } = await session.client().replayWebhook({ params: { webhookId } })
        return session.show(data, [
          `Webhook ${data.id} will be worked on again.`,
          ...facts([
            ['type', data.type],
            ['state', data.state],
          ]),
        ])
      }
      if (Object.keys(wanted).filter((name) => name !== 'dryRun').length === 0)
        throw new UsageError('Give an id, or --object, --tenant, --from, --to, --state or --dead.')
      // Part by part: what was interrupted goes on with the same command.
      const counts: Record<string, number> = {}
      let cursor: string | null = null
      do {
        const { data }: { data: WebhookReplayResult } = await session
          .client()
          .replayWebhooks({ body: { ...wanted, ...(cursor === null ? {} : { cursor }) } })
        for (const [state, count] of Object.entries(data.webhooks)) counts[state] = (counts[state] ?? 0) + count
        cursor = data.cursor
      } while (cursor !== null)
      const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
      session.show({ dryRun: options.dryRun === true, total, webhooks: counts }, [
        `${total} webhooks ${options.dryRun ? 'would be' : 'will be'} worked on again.`,
        ...facts(Object.entries(counts)),
      ])
    })
}

type ReplayOptions = {
  object?: string
  tenant?: string
  from?: string
  to?: string
  dead?: boolean
  state?: ('applied' | 'ignored' | 'retrying' | 'dead')[]
  dryRun?: boolean
}

const bodyOf = ({ object, tenant, from, to, dead, state, dryRun }: ReplayOptions): WebhookReplay => {
  const states = [...new Set([...(state ?? []), ...(dead ? ['dead' as const] : [])])]
  return {
    ...(object === undefined ? {} : { objectId: object }),
    ...(tenant === undefined ? {} : { tenantId: tenant }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(states.length === 0 ? {} : { states }),
    ...(dryRun ? { dryRun } : {}),
  }
}

const limitOf = (text: string): number => {
  const limit = Number(text)
  if (!Number.isInteger(limit) || limit < 1 || limit > 200)
    throw new InvalidArgumentError('Give a number from 1 to 200.')
  return limit
}
