import type { CommandPreview } from '@turnpike/contract'
import { fail } from '../core/errors.ts'
import type { Wish } from '../modules/commands/index.ts'
import { findProviderCustomer } from '../modules/payments/index.ts'
import { findSubscriptionById } from '../modules/subscriptions/index.ts'
import type { Actor } from '../platform/audit.ts'
import type { Deps } from './deps.ts'
import { ensureProviderCustomer } from './steps/ask-provider.ts'
import { gatherCommand, guardDowngrade, prorationTime, type Subject } from './steps/gather-command.ts'
import {
  entitlementsAfter,
  invoiceView,
  previewOrder,
  retentionAfter,
  sealPreview,
  termsView,
} from './steps/preview-decision.ts'
import { syncTenant } from './sync-customer.ts'

/**
 * What a command would do (SUB-4): the same way as applying it, on what the provider says now, stopped before anything is
 * saved. Its token makes an apply refuse if the world has changed.
 */
export const previewCommand = async (
  deps: Deps,
  actor: Actor,
  subject: Subject,
  wish: Wish,
): Promise<CommandPreview> => {
  const { customer, subscriptionId } = subject
  const { tenantId } = customer
  // Only a first subscription of a customer can be previewed before the provider knows them.
  const providerCustomerId =
    wish.action === 'create'
      ? await ensureProviderCustomer(deps, customer)
      : await findProviderCustomer(deps.db, tenantId, deps.provider.name)
  if (providerCustomerId === null) throw fail('not_found')
  await syncTenant(deps, tenantId, actor)
  const known = subscriptionId === null ? null : await findSubscriptionById(deps.db, subscriptionId)
  const prorationAt = prorationTime(deps, known)
  const { held, decision } = await gatherCommand(deps.db, deps, subject, wish, prorationAt)
  const about = { tenantId, providerCustomerId, held, wish, decision, prorationAt }
  const shown = await previewOrder(deps, about)
  const { previewToken, expiresAt } = await sealPreview(deps, about, shown)
  const { findings, policy, deadline } = await guardDowngrade(deps.db, deps, { customer, held, decision })
  return {
    action: wish.action,
    timing: decision.timing,
    effectiveAt: decision.effectiveAt,
    before: held && termsView(deps, held),
    after: decision.after && termsView(deps, decision.after),
    dueNow: shown.now && invoiceView(shown.now),
    nextRenewal: shown.renewal && { at: shown.renewal.at.toString(), invoice: invoiceView(shown.renewal.invoice) },
    entitlements: await entitlementsAfter(deps, about, customer.customerId),
    guardrails: findings,
    overLimit: findings.length === 0 ? null : { policy, deadline },
    retention: await retentionAfter(deps, about),
    previewToken,
    expiresAt: expiresAt.toString(),
  }
}
