import type { Command } from 'commander'
import { clean } from '../print.ts'
import type { Session } from '../session.ts'

export const addEventCommands = (program: Command, session: Session): void => {
  const events = program.command('events').description('The feed of domain events')

  events
    .command('tail')
    .description('Print events as they happen, until interrupted')
    .option('--after <position>', 'go on after this position; from the beginning when left out')
    .option('--new', 'only events from now on')
    .option('--tenant <tenant>', 'of one tenant')
    .action(async (options: { after?: string; new?: boolean; tenant?: string }) => {
      const client = session.client()
      // A gateway's first look says where the feed is now.
      const after = options.new
        ? (await client.getGatewaySnapshot({ query: { limit: 1 } })).data.position
        : options.after
      const stream = {
        signal: session.signal,
        ...(after ? { after } : {}),
        ...(options.tenant ? { tenantId: options.tenant } : {}),
      }
      for await (const event of client.streamEvents(stream))
        session.line(
          event,
          clean(
            `${event.position}  ${event.time}  ${event.tenantid} ${event.sequence}  ${event.type}  ${JSON.stringify(event.data)}`,
          ),
        )
    })
}
