import {
  type CommandRecord,
  findCommandUnderWay,
  forgetPauseEnds,
  saveCommand,
  tookEffect,
} from '../../modules/commands/index.ts'
import { findCustomer } from '../../modules/customers/index.ts'
import type { SubscriptionFact } from '../../modules/payments/index.ts'
import { findSubscriptionById, type SubscriptionRecord } from '../../modules/subscriptions/index.ts'
import { type Actor, appendAudit } from '../../platform/audit.ts'
import type { Tx } from '../../platform/db.ts'
import { appendEvents, type NewEvent } from '../../platform/outbox.ts'
import type { Deps } from '../deps.ts'
import { subscriptionView } from './views.ts'

/** Ends the command that is under way if what was fetched shows its effect (SUB-3). The caller holds the customer's row. */
export const settleCommands = async (
  tx: Tx,
  deps: Pick<Deps, 'clock'>,
  tenantId: string,
  facts: readonly SubscriptionFact[],
  current: readonly SubscriptionRecord[],
  actor: Actor,
): Promise<void> => {
  const command = await findCommandUnderWay(tx, tenantId)
  if (!command) return
  const record = subjectOf(command, facts, current)
  if (tookEffect(command.decision, record))
    await completeCommand(tx, deps, { ...command, subscriptionId: record?.subscriptionId ?? null }, actor)
}

const subjectOf = (
  command: CommandRecord,
  facts: readonly SubscriptionFact[],
  current: readonly SubscriptionRecord[],
): SubscriptionRecord | null => {
  if (command.subscriptionId !== null)
    return current.find(({ subscriptionId }) => subscriptionId === command.subscriptionId) ?? null
  const made = facts.find(({ orderedBy }) => orderedBy === command.commandId)
  return current.find(({ providerSubscriptionId }) => providerSubscriptionId === made?.providerSubscriptionId) ?? null
}

/** It was carried out. What it changed is announced by the facts themselves. */
export const completeCommand = async (
  tx: Tx,
  deps: Pick<Deps, 'clock'>,
  command: CommandRecord,
  actor: Actor,
): Promise<CommandRecord> => {
  const done: CommandRecord = { ...command, state: 'done', settledAt: deps.clock.now() }
  await saveCommand(tx, done)
  if (command.action === 'pause' || command.action === 'resume') await forgetPauseEnds(tx, command)
  await appendAudit(tx, deps.clock, {
    tenantId: command.tenantId,
    actor,
    action: `subscription.${command.action}.done`,
    object: command.subscriptionId ?? command.commandId,
    after: { command: command.commandId, attempts: command.attempts },
  })
  return done
}

/** It was not and will not be carried out: what was held before stays, and that is announced. */
export const failCommand = async (
  tx: Tx,
  deps: Pick<Deps, 'clock' | 'catalog'>,
  command: CommandRecord,
  failure: string,
  invoiceUrl: string | null,
  actor: Actor,
): Promise<CommandRecord> => {
  const failed: CommandRecord = {
    ...command,
    state: 'failed',
    settledAt: deps.clock.now(),
    resumesAt: null,
    failure,
    invoiceUrl,
  }
  await saveCommand(tx, failed)
  await appendAudit(tx, deps.clock, {
    tenantId: command.tenantId,
    actor,
    action: `subscription.${command.action}.failed`,
    object: command.subscriptionId ?? command.commandId,
    after: { command: command.commandId, failure },
  })
  const customer = await findCustomer(tx, command.tenantId)
  const record = command.subscriptionId === null ? null : await findSubscriptionById(tx, command.subscriptionId)
  const event: NewEvent = {
    type: 'subscription.change_failed',
    data: {
      subscription: record && subscriptionView(deps.catalog(), record),
      action: command.action,
      code: failure,
      invoiceUrl,
    },
  }
  if (customer) await appendEvents(tx, deps.clock, customer, actor.requestId, [event])
  return failed
}
