import type { CommandResult, NextAction } from '@turnpike/contract'
import { canonicalJson } from '../core/canonical.ts'
import { fail } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import {
  type CommandRecord,
  findCommand,
  findCommandDone,
  findCommandUnderWay,
  insertCommand,
  isSafeLater,
  type Wish,
} from '../modules/commands/index.ts'
import { lockCustomer } from '../modules/customers/index.ts'
import { findProviderCustomer } from '../modules/payments/index.ts'
import { findSubscriptionById } from '../modules/subscriptions/index.ts'
import { type Actor, appendAudit } from '../platform/audit.ts'
import { transact } from '../platform/db.ts'
import type { Deps } from './deps.ts'
import { readStatus } from './read-status.ts'
import { askCommand, isSilence } from './steps/ask-command.ts'
import { gatherCommand, guardDowngrade, prorationTime, type Subject } from './steps/gather-command.ts'
import { openPreview, refuseStalePreview, substanceOf } from './steps/preview-decision.ts'
import { giveUpCommand, isStillMeant } from './steps/reconsider-command.ts'
import { commandView, subscriptionView } from './steps/views.ts'
import { syncTenant } from './sync-customer.ts'

export type CommandOptions = {
  previewToken: string | undefined
  /** Who repeats with this goes on with the same command while it is under way. */
  repeatKey: string | null
}

/**
 * Carries out a command on a customer's subscription (SUB-3, SUB-7): on what the provider says now, decided by the rules,
 * saved with its audit, asked, fetched, settled. When the provider is silent what is safe later is queued; what charges
 * fails as retryable, and a repeat goes on with the same command, so that it never charges twice.
 */
export const commandSubscription = async (
  deps: Deps,
  actor: Actor,
  subject: Subject,
  wish: Wish,
  options: CommandOptions,
): Promise<CommandResult> => {
  const { tenantId } = subject.customer
  // The answer of a request that was carried out may have been lost with the process that was about to give it.
  const done =
    options.repeatKey === null ? null : await findCommandDone(deps.db, tenantId, options.repeatKey, repeatsSince(deps))
  if (done && canonicalJson(done.wish) === canonicalJson(wish)) return answerOf(deps, done)
  const earlier = await findCommandUnderWay(deps.db, tenantId)
  const repeats =
    earlier !== null &&
    options.repeatKey !== null &&
    earlier.repeatKey === options.repeatKey &&
    canonicalJson(earlier.wish) === canonicalJson(wish)
  const settled = repeats
    ? await continueCommand(deps, actor, earlier)
    : await beginCommand(deps, actor, subject, wish, options)
  return answerOf(deps, settled)
}

/** As long as answers are kept for their keys; later the same key is another request. */
const repeatsSince = (deps: Deps): Temporal.Instant => deps.clock.now().subtract({ hours: 48 })

const beginCommand = async (
  deps: Deps,
  actor: Actor,
  subject: Subject,
  wish: Wish,
  options: CommandOptions,
): Promise<CommandRecord> => {
  const { customer, subscriptionId } = subject
  const { tenantId } = customer
  const silent = await syncOrSilence(deps, tenantId, actor)
  const preview = options.previewToken === undefined ? null : await openPreview(deps, options.previewToken)
  const known = subscriptionId === null ? null : await findSubscriptionById(deps.db, subscriptionId)
  const prorationAt = preview?.prorationAt ?? prorationTime(deps, known)
  const { held, decision } = await gatherCommand(deps.db, deps, subject, wish, prorationAt)
  // Without its word only what is safe however late may be agreed to.
  if (silent !== null && !isSafeLater(decision.order)) throw silent
  const guard = await guardDowngrade(deps.db, deps, { customer, held, decision })
  if (guard.blocked) throw fail('downgrade_blocked', { extra: { guardrails: guard.findings } })
  if (silent === null) {
    const providerCustomerId = await findProviderCustomer(deps.db, tenantId, deps.provider.name)
    if (wish.action === 'create' || decision.order.kind === 'end_trial')
      if (
        providerCustomerId === null ||
        !(await deps.provider.hasPaymentMethod(providerCustomerId, held?.providerSubscriptionId ?? null))
      )
        throw noPaymentMethod()
    if (preview && providerCustomerId !== null)
      await refuseStalePreview(deps, { tenantId, providerCustomerId, held, wish, decision, prorationAt }, preview.hash)
  }
  const command = await transact(deps.db, async (tx) => {
    await lockCustomer(tx, tenantId)
    const underWay = await findCommandUnderWay(tx, tenantId)
    if (underWay) throw fail('change_under_way', { extra: { commandId: underWay.commandId } })
    // Decided again on what is held now: a webhook may have been applied meanwhile.
    const current = await gatherCommand(tx, deps, subject, wish, prorationAt)
    if (
      preview &&
      current.held &&
      held &&
      canonicalJson(substanceOf(current.held)) !== canonicalJson(substanceOf(held))
    )
      throw fail('preview_stale')
    const at = deps.clock.now()
    const saved: CommandRecord = {
      tenantId,
      commandId: newId('command'),
      subscriptionId,
      action: wish.action,
      wish,
      decision: current.decision,
      state: silent === null ? 'asking' : 'queued',
      repeatKey: options.repeatKey,
      actor: { kind: actor.kind, id: actor.id },
      attempts: 0,
      requestedAt: at,
      askedAt: null,
      settledAt: null,
      resumesAt: wish.action === 'pause' && wish.resumesAt ? Temporal.Instant.from(wish.resumesAt) : null,
      failure: null,
      invoiceUrl: null,
    }
    await insertCommand(tx, saved)
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: `subscription.${wish.action}.requested`,
      object: subscriptionId ?? saved.commandId,
      before: current.held && substanceOf(current.held),
      after: { command: saved.commandId, ...wish, timing: current.decision.timing, terms: current.decision.after },
    })
    return saved
  })
  return silent === null ? askCommand(deps, actor, command) : command
}

/** A repeat while the first is still open: a look first, which may show that it was done; then the same command once more. */
const continueCommand = async (deps: Deps, actor: Actor, command: CommandRecord): Promise<CommandRecord> => {
  const silent = await syncOrSilence(deps, command.tenantId, actor)
  if (silent === null) {
    const current = (await findCommand(deps.db, command.tenantId, command.commandId)) ?? command
    if (current.settledAt !== null) return current
    return (await isStillMeant(deps, current))
      ? askCommand(deps, actor, current)
      : giveUpCommand(deps, actor, current, 'not_possible')
  }
  if (isSafeLater(command.decision.order)) return command
  throw silent
}

const syncOrSilence = async (deps: Deps, tenantId: string, actor: Actor): Promise<unknown> => {
  try {
    await syncTenant(deps, tenantId, actor)
    return null
  } catch (error) {
    if (isSilence(error)) return error
    throw error
  }
}

const noPaymentMethod = () =>
  fail('payment_method_required', {
    extra: {
      nextActions: [
        {
          action: 'open_session',
          sentence: 'Open a session: the hosted page asks for a payment method.',
          url: null,
        } satisfies NextAction,
      ],
    },
  })

const answerOf = async (deps: Deps, command: CommandRecord): Promise<CommandResult> => {
  const { tenantId, commandId } = command
  if (command.state === 'failed' && command.action !== 'create') throw failureOf(command)
  if (command.state === 'failed' && command.subscriptionId === null) throw failureOf(command)
  if (command.state === 'unknown' || command.state === 'asking')
    throw fail('provider_unavailable', { extra: { commandId } })
  const record = command.subscriptionId === null ? null : await findSubscriptionById(deps.db, command.subscriptionId)
  if (!record) throw fail('provider_unavailable', { extra: { commandId } })
  const { nextActions } = await readStatus(deps, tenantId)
  return {
    subscription: subscriptionView(deps.catalog(), record),
    command: commandView(command),
    nextActions:
      command.invoiceUrl !== null && !nextActions.some(({ action }) => action === 'pay_invoice')
        ? [payInvoice(command), ...nextActions]
        : nextActions,
  }
}

const payInvoice = ({ failure, invoiceUrl }: CommandRecord): NextAction => ({
  action: 'pay_invoice',
  sentence: failure === 'action_required' ? 'Confirm the payment with your bank.' : 'Pay the open invoice.',
  url: invoiceUrl,
})

const failureOf = (command: CommandRecord) => {
  const { commandId, failure, invoiceUrl } = command
  if (failure === 'payment_failed' || failure === 'action_required')
    return fail('payment_failed', {
      extra: {
        commandId,
        invoiceUrl,
        actionRequired: failure === 'action_required',
        nextActions: [
          ...(invoiceUrl === null ? [] : [payInvoice(command)]),
          { action: 'update_payment_method', sentence: 'Update the payment method in the portal.', url: null },
        ],
      },
    })
  if (failure === 'payment_method_required') return noPaymentMethod()
  if (failure === 'not_possible') return fail('command_not_allowed', { extra: { commandId, reason: 'status' } })
  return fail('provider_refused', { extra: { commandId } })
}
