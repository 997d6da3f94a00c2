import { Failure } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import { isBefore } from '../core/period.ts'
import {
  type CommandRecord,
  findCommand,
  findEndedPauses,
  findWaitingCommands,
  isSafeLater,
  saveCommand,
} from '../modules/commands/index.ts'
import { findCustomer, lockCustomer } from '../modules/customers/index.ts'
import { type Actor, systemActor } from '../platform/audit.ts'
import { transact } from '../platform/db.ts'
import { commandSubscription } from './command-subscription.ts'
import type { Deps } from './deps.ts'
import { askCommand, isSilence } from './steps/ask-command.ts'
import { giveUpCommand, isStillMeant } from './steps/reconsider-command.ts'
import { syncTenant } from './sync-customer.ts'

const pageSize = 100
/** A command that nobody has touched for so long has lost who began it. */
const forgottenAfterSeconds = 45
/** By then a request that was on its way has arrived or never will. */
const settleAfterMinutes = 5
/** The provider remembers keys for a day; nothing is asked later than that. */
const giveUpAfterHours = 20

/**
 * Finishes what was agreed to while the provider was silent, and finds out what became of requests without an answer
 * (SUB-3): by looking. What is safe later is asked again with the same key; what charges is not, it failed when nothing of it
 * is to be seen. Also resumes what was paused until now. A repeat finds nothing to do.
 */
export const sweepCommands = async (deps: Deps): Promise<number> => {
  const at = deps.clock.now()
  const actor = systemActor('command sweep', newId('request'))
  const attempt = async (work: typeof finish, command: CommandRecord) => {
    try {
      await work(deps, actor, command)
    } catch (error) {
      deps.log.warn({ err: error, commandId: command.commandId }, 'a command waits on; the next sweep tries again')
    }
  }
  let done = 0
  for (let after = ''; ; ) {
    const waiting = await findWaitingCommands(deps.db, at.subtract({ seconds: forgottenAfterSeconds }), after, pageSize)
    for (const command of waiting) await attempt(finish, command)
    done += waiting.length
    if (waiting.length < pageSize) break
    after = waiting.at(-1)!.commandId
  }
  const ended = await findEndedPauses(deps.db, at, pageSize)
  for (const command of ended) await attempt(resume, command)
  return done + ended.length
}

const finish = async (deps: Deps, actor: Actor, waiting: CommandRecord): Promise<void> => {
  const { tenantId, commandId } = waiting
  await syncTenant(deps, tenantId, actor)
  const command = await findCommand(deps.db, tenantId, commandId)
  if (!command || command.settledAt !== null) return
  const at = deps.clock.now()
  const isLate = (since: Temporal.Instant, limit: Temporal.DurationLike) => !isBefore(at, since.add(limit))
  const { order } = command.decision
  if (isSafeLater(order) && !isLate(command.requestedAt, { hours: giveUpAfterHours })) {
    if (await isStillMeant(deps, command)) await askCommand(deps, actor, command)
    else await giveUpCommand(deps, actor, command, 'not_possible')
    return
  }
  const touched = command.askedAt ?? command.requestedAt
  if (isLate(touched, { minutes: settleAfterMinutes })) await giveUpCommand(deps, actor, command, 'not_executed')
}

/** The pause has lasted as long as it was to last. */
const resume = async (deps: Deps, actor: Actor, pause: CommandRecord): Promise<void> => {
  const customer = await findCustomer(deps.db, pause.tenantId)
  if (!customer || pause.subscriptionId === null) return
  const repeatKey = `resume ${pause.commandId}`
  const over = () =>
    transact(deps.db, async (tx) => {
      await lockCustomer(tx, pause.tenantId)
      const current = await findCommand(tx, pause.tenantId, pause.commandId)
      if (current) await saveCommand(tx, { ...current, resumesAt: null })
    })
  try {
    await commandSubscription(
      deps,
      actor,
      { customer, subscriptionId: pause.subscriptionId },
      { action: 'resume' },
      { previewToken: undefined, repeatKey },
    )
    await over()
  } catch (error) {
    // Resumed by hand, ended, or not paid: it was tried once, and each further try would be another charge and another letter.
    if (error instanceof Failure && error.code !== 'change_under_way' && !isSilence(error)) return over()
    throw error
  }
}
