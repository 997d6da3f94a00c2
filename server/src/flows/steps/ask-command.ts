import { Failure } from '../../core/errors.ts'
import { resolveLookupKey } from '../../modules/catalog/index.ts'
import { type CommandRecord, findCommand, isSafeLater, saveCommand } from '../../modules/commands/index.ts'
import { lockCustomer } from '../../modules/customers/index.ts'
import { findProviderCustomer, type OrderOutcome, type RoleOf } from '../../modules/payments/index.ts'
import { findSubscriptionById } from '../../modules/subscriptions/index.ts'
import type { Actor } from '../../platform/audit.ts'
import { type Tx, transact } from '../../platform/db.ts'
import type { Deps } from '../deps.ts'
import { syncTenant } from '../sync-customer.ts'
import { completeCommand, failCommand } from './settle-commands.ts'

/** The provider did not answer as it should: what became of the request is not known. */
export const isSilence = (error: unknown): boolean =>
  error instanceof Failure &&
  (error.code === 'provider_unavailable' || error.code === 'provider_data_invalid' || error.code === 'unavailable')

/**
 * Asks the provider to carry out a saved command, fetches what came of it and settles the command (SUB-3). Without an
 * answer the command stays: `queued` when it may be asked again by itself, else `unknown` until a look tells.
 */
export const askCommand = async (deps: Deps, actor: Actor, asked: CommandRecord): Promise<CommandRecord> => {
  const command = await change(deps, asked, async (tx, current) => {
    const next = { ...current, attempts: current.attempts + 1, askedAt: deps.clock.now() }
    await saveCommand(tx, next)
    return next
  })
  if (command.settledAt !== null) return command
  let outcome: OrderOutcome
  try {
    outcome = await carryOut(deps, command)
    await syncTenant(deps, command.tenantId, actor)
  } catch (error) {
    if (!isSilence(error)) throw error
    return change(deps, command, async (tx, current) => {
      const waiting: CommandRecord = { ...current, state: isSafeLater(current.decision.order) ? 'queued' : 'unknown' }
      await saveCommand(tx, waiting)
      return waiting
    })
  }
  if (command.action === 'create' && outcome.kind === 'payment_failed')
    return noteUnpaid(deps, command, outcome.actionRequired ? 'action_required' : 'payment_failed', outcome.invoiceUrl)
  return change(deps, command, (tx, current) => {
    switch (outcome.kind) {
      case 'done':
        return completeCommand(tx, deps, current, actor)
      case 'payment_failed':
        return failCommand(
          tx,
          deps,
          current,
          outcome.actionRequired ? 'action_required' : 'payment_failed',
          outcome.invoiceUrl,
          actor,
        )
      case 'payment_method_required':
        return failCommand(tx, deps, current, 'payment_method_required', null, actor)
      case 'refused':
        deps.log.warn({ commandId: current.commandId, reason: outcome.reason }, 'the provider refused a command')
        return failCommand(tx, deps, current, 'provider_refused', null, actor)
    }
  })
}

/** The subscription is there and waits for its first payment: the command is done, and says what is left to do. */
const noteUnpaid = (deps: Deps, command: CommandRecord, failure: string, invoiceUrl: string | null) =>
  transact(deps.db, async (tx) => {
    await lockCustomer(tx, command.tenantId)
    const current = (await findCommand(tx, command.tenantId, command.commandId)) ?? command
    const noted: CommandRecord = { ...current, failure, invoiceUrl }
    await saveCommand(tx, noted)
    return noted
  })

/** Under the customer's lock, unless somebody else has settled it meanwhile. */
const change = (
  deps: Deps,
  command: CommandRecord,
  work: (tx: Tx, current: CommandRecord) => Promise<CommandRecord>,
): Promise<CommandRecord> =>
  transact(deps.db, async (tx) => {
    await lockCustomer(tx, command.tenantId)
    const current = (await findCommand(tx, command.tenantId, command.commandId)) ?? command
    return current.settledAt === null ? work(tx, current) : current
  })

const carryOut = async (deps: Deps, command: CommandRecord): Promise<OrderOutcome> => {
  const { tenantId, commandId, attempts: attempt, subscriptionId, decision } = command
  const [providerCustomerId, record] = [
    await findProviderCustomer(deps.db, tenantId, deps.provider.name),
    subscriptionId === null ? null : await findSubscriptionById(deps.db, subscriptionId),
  ]
  if (providerCustomerId === null) return { kind: 'payment_method_required' }
  return deps.provider.carryOut({
    tenantId,
    commandId,
    attempt,
    providerCustomerId,
    providerSubscriptionId: record?.providerSubscriptionId ?? null,
    order: decision.order,
    roleOf: roleOf(deps),
  })
}

/** What the items of a subscription are for, so that the provider's can be matched with those of an order. */
export const roleOf =
  (deps: Pick<Deps, 'catalog'>): RoleOf =>
  (lookupKey) => {
    const ref = resolveLookupKey(deps.catalog(), lookupKey)?.ref
    if (!ref || ref.kind === 'product') return null
    return ref.kind === 'add_on' ? `add_on:${ref.addOn}` : ref.kind
  }
