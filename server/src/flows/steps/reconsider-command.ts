import { canonicalJson } from '../../core/canonical.ts'
import { Failure } from '../../core/errors.ts'
import { instantOf } from '../../core/period.ts'
import { type CommandRecord, findCommand } from '../../modules/commands/index.ts'
import { findCustomer, lockCustomer } from '../../modules/customers/index.ts'
import { findSubscriptionById } from '../../modules/subscriptions/index.ts'
import type { Actor } from '../../platform/audit.ts'
import { transact } from '../../platform/db.ts'
import type { Deps } from '../deps.ts'
import { isSilence } from './ask-command.ts'
import { gatherCommand } from './gather-command.ts'
import { failCommand } from './settle-commands.ts'

/** Whether the rules still make the same order of a wish that was not carried out yet; else the world went on without it. */
export const isStillMeant = async (deps: Deps, command: CommandRecord): Promise<boolean> => {
  const { tenantId, subscriptionId, wish, decision } = command
  const customer = await findCustomer(deps.db, tenantId)
  if (!customer) return false
  // What begins at once is computed to the second that was agreed on.
  const prorationAt = decision.timing === 'now' ? instantOf(decision.effectiveAt) : deps.clock.now()
  try {
    const today = await gatherCommand(deps.db, deps, { customer, subscriptionId }, wish, prorationAt)
    return canonicalJson(today.decision.order) === canonicalJson(decision.order)
  } catch (error) {
    if (error instanceof Failure && !isSilence(error)) return false
    throw error
  }
}

/** Ends a command that was not carried out and will not be. */
export const giveUpCommand = (
  deps: Deps,
  actor: Actor,
  command: CommandRecord,
  failure: 'not_possible' | 'not_executed',
): Promise<CommandRecord> =>
  transact(deps.db, async (tx) => {
    await lockCustomer(tx, command.tenantId)
    const current = (await findCommand(tx, command.tenantId, command.commandId)) ?? command
    if (current.settledAt !== null) return current
    const record = current.subscriptionId === null ? null : await findSubscriptionById(tx, current.subscriptionId)
    // The change was accepted and only waits for its money.
    const unpaid = current.decision.order.kind === 'change_now' && record?.pendingChange?.kind === 'payment_required'
    return failCommand(tx, deps, current, unpaid ? 'payment_failed' : failure, null, actor)
  })
