import type { ProviderDifference } from '@turnpike/contract'
import { canonicalJson } from '../../core/canonical.ts'
import type { CheckoutRecord } from '../payments/index.ts'
import type { Difference } from './finding.ts'

type Content = { plan: unknown; accessLevel: unknown }

/** The entitlements in force against what everything stored resolves to (ENT-3). */
export const compareSnapshot = (
  stored: { version: number; content: Content } | null,
  resolved: Content,
): Difference[] =>
  stored && canonicalJson(stored.content) === canonicalJson(resolved)
    ? []
    : [
        {
          kind: 'snapshot_differs',
          object: 'entitlements',
          here: stored && {
            version: stored.version,
            plan: stored.content.plan,
            accessLevel: stored.content.accessLevel,
          },
          there: { plan: resolved.plan, accessLevel: resolved.accessLevel },
          repair: 'recompute',
        },
      ]

/** A counter against its records (USE-4); the query has found that they differ. */
export const counterDifference = (counter: {
  meter: string
  span: string
  windowStart: string
  counted: string
  recorded: string
}): Difference => ({
  kind: 'counter_differs',
  object: [
    counter.meter,
    Temporal.Instant.from(counter.windowStart.replace(' ', 'T')).toString(),
    ...(counter.span === 'period' ? [] : [counter.span]),
  ].join(' '),
  here: { counted: shortened(counter.counted) },
  there: { recorded: shortened(counter.recorded) },
  repair: 'rebuild_counter',
})

const shortened = (digits: string): string => (digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits)

/** A checkout that waits longer than it may: for the provider's address, its confirmation, or its end. */
export const compareCheckout = (
  checkout: Pick<CheckoutRecord, 'checkoutId' | 'state' | 'openedAt' | 'returnedAt' | 'expiresAt'>,
  waitingBefore: Temporal.Instant,
): Difference[] => {
  const { state, openedAt, returnedAt, expiresAt } = checkout
  const since = state === 'opening' ? openedAt : state === 'pending_sync' ? (returnedAt ?? openedAt) : expiresAt
  if (since === null || Temporal.Instant.compare(since, waitingBefore) > 0) return []
  return [
    {
      kind: 'checkout_stuck',
      object: checkout.checkoutId,
      here: { state, since: since.toString() },
      there: null,
      repair: 'resync',
    },
  ]
}

/** A command that the provider was asked for, or is to be asked for, and of which nothing is known for too long. */
export const compareCommand = (
  command: { commandId: string; state: string; requestedAt: Temporal.Instant } | null,
  waitingBefore: Temporal.Instant,
): Difference[] =>
  command === null || Temporal.Instant.compare(command.requestedAt, waitingBefore) > 0
    ? []
    : [
        {
          kind: 'command_stuck',
          object: command.commandId,
          here: { state: command.state, since: command.requestedAt.toString() },
          there: null,
          repair: 'resync',
        },
      ]

/** What a push does not heal was changed there by somebody, for a reason. */
export const catalogDifference = (found: ProviderDifference): Difference => ({
  kind: 'catalog_differs',
  object: `${found.object} ${found.key}${found.field === null ? '' : ` ${found.field}`}`,
  here: { value: found.ours },
  there: { value: found.theirs, difference: found.kind },
  repair: isPushed(found) ? 'push_catalog' : 'by_hand',
})

// Pushing makes what is missing and brings the words on our products up to date.
const isPushed = ({ kind, object, field }: ProviderDifference): boolean =>
  kind === 'missing_at_provider' || (object === 'product' && (field === 'name' || field === 'description'))

export const deadWebhook = (webhook: { webhookId: bigint; type: string; lastError: string | null }): Difference => ({
  kind: 'webhook_dead',
  object: String(webhook.webhookId),
  here: { type: webhook.type, error: webhook.lastError },
  there: null,
  repair: 'replay_webhook',
})
