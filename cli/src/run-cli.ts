import { TurnpikeError } from '@turnpike/client'
import { Command, CommanderError } from 'commander'
import { addCatalogCommands } from './commands/catalog.ts'
import { addCreditCommands } from './commands/credits.ts'
import { addCustomerCommands } from './commands/customer.ts'
import { addEventCommands } from './commands/events.ts'
import { addKeyCommands } from './commands/keys.ts'
import { addNoticeCommands } from './commands/notices.ts'
import { addReconcileCommands } from './commands/reconcile.ts'
import { addRefundCommands } from './commands/refunds.ts'
import { addReservationCommands } from './commands/reservations.ts'
import { addWebhookCommands } from './commands/webhooks.ts'
import { clean } from './print.ts'
import { createSession, type Surroundings } from './session.ts'
import { UsageError } from './usage-error.ts'

/** What the exit code says, so that scripts need not read the text. */
const exit = { done: 0, no: 1, usage: 2, refused: 3, unreachable: 4 } as const

const help = `
Where and who:
  The service at --server, TURNPIKE_URL, or that of the demonstration (.turnpike/demo.json), or http://127.0.0.1:4000.
  The key in TURNPIKE_KEY, or the operator key of the demonstration when its service is asked.

Exit codes:
  0 done   1 the answer is no (mistakes, blocked changes, differences)   2 wrong use   3 refused by the service
  4 the service could not be reached
`

/** Runs one command line and gives its exit code. Answers go to `write`, everything else to `writeError`. */
export const runCli = async (words: readonly string[], surroundings: Surroundings): Promise<number> => {
  let code: number = exit.done
  const program = new Command('turnpike')
    .description('Operate Turnpike: the catalog, customers, webhooks, keys and events.')
    .option('--server <url>', 'address of the service')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', help)
    .exitOverride()
    .configureOutput({ writeOut: surroundings.write, writeErr: surroundings.writeError })
    .showHelpAfterError('Say "turnpike help" for the commands.')
  const session = createSession(program, surroundings, () => {
    code = exit.no
  })
  for (const add of [
    addCatalogCommands,
    addCustomerCommands,
    addWebhookCommands,
    addReconcileCommands,
    addCreditCommands,
    addRefundCommands,
    addReservationCommands,
    addNoticeCommands,
    addKeyCommands,
    addEventCommands,
  ])
    add(program, session)
  try {
    await program.parseAsync(words, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exit.done : exit.usage
    if (error instanceof UsageError) {
      surroundings.writeError(`${clean(error.message)}\n`)
      return exit.usage
    }
    if (!(error instanceof TurnpikeError)) throw error
    if (surroundings.signal.aborted) return exit.done
    surroundings.writeError(`${explain(error)}\n`)
    return error.status === 0 ? exit.unreachable : exit.refused
  }
}

/** Code, sentence, each place that is wrong, and what to do next. */
const explain = (error: TurnpikeError): string =>
  [
    `${error.code}: ${error.message}`,
    ...error.errors.map(({ field, message }) => `  ${field}: ${message}`),
    ...(error.next === '' ? [] : [error.next]),
    ...(error.requestId ? [`request ${error.requestId}`] : []),
  ]
    .map(clean)
    .join('\n')
