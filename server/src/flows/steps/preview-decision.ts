import type { CommandPreview } from '@turnpike/contract'
import { canonicalJson, sha256 } from '../../core/canonical.ts'
import { fail } from '../../core/errors.ts'
import { newId } from '../../core/ids.ts'
import { findPlan, intervalOf, intervalText } from '../../modules/catalog/index.ts'
import type { Decision, Terms, Wish } from '../../modules/commands/index.ts'
import { compareSnapshots, findOverrides, resolve, type SnapshotContent } from '../../modules/entitlements/index.ts'
import type { InvoicePreview, OrderPreview } from '../../modules/payments/index.ts'
import {
  findSubscriptions,
  isTerminal,
  readOnlyUntil,
  type SubscriptionRecord,
} from '../../modules/subscriptions/index.ts'
import type { Deps } from '../deps.ts'
import { roleOf } from './ask-command.ts'
import { entitlementView } from './entitlement-view.ts'
import { restraintsOf } from './refresh-entitlements.ts'
import { planRef } from './views.ts'

/** What a preview is about: who, what is held, what is wished and what the rules made of it. */
export type Previewed = {
  tenantId: string
  providerCustomerId: string
  held: SubscriptionRecord | null
  wish: Wish
  decision: Decision
  prorationAt: Temporal.Instant
}

/** Asks the provider what an order would bring. */
export const previewOrder = (deps: Deps, about: Previewed): Promise<OrderPreview> =>
  deps.provider.previewOrder({
    tenantId: about.tenantId,
    providerCustomerId: about.providerCustomerId,
    providerSubscriptionId: about.held?.providerSubscriptionId ?? null,
    order: about.decision.order,
    roleOf: roleOf(deps),
  })

const minutesToDecide = 15

/** Ties an apply to what its preview showed (SUB-4). */
export const sealPreview = async (
  deps: Deps,
  about: Previewed,
  shown: OrderPreview,
): Promise<{ previewToken: string; expiresAt: Temporal.Instant }> => {
  const expiresAt = deps.clock.now().add({ minutes: minutesToDecide })
  const content = { hash: hashOf(deps, about, shown), prorationAt: about.prorationAt.toString() }
  return { previewToken: await deps.seal.close('change-preview', content, expiresAt), expiresAt }
}

/** The second for which a preview was made; refused when it has ended or was not made here. */
export const openPreview = async (
  deps: Deps,
  token: string,
): Promise<{ hash: string; prorationAt: Temporal.Instant }> => {
  const content = await deps.seal.open('change-preview', token, deps.clock.now())
  if (typeof content?.hash !== 'string' || typeof content.prorationAt !== 'string') throw fail('preview_stale')
  return { hash: content.hash, prorationAt: Temporal.Instant.from(content.prorationAt) }
}

/** Refuses when what would happen now is not what was shown. */
export const refuseStalePreview = async (deps: Deps, about: Previewed, hash: string): Promise<void> => {
  if (hashOf(deps, about, await previewOrder(deps, about)) !== hash) throw fail('preview_stale')
}

/** Everything that a customer has agreed to when they agree to a preview. */
const hashOf = (deps: Deps, { tenantId, held, wish, decision }: Previewed, shown: OrderPreview): string => {
  // What begins when it is done begins later than in its preview, at the same price: only changes are pinned to a second.
  const isPinned = decision.order.kind === 'change_now' || decision.order.kind === 'change_at_period_end'
  return sha256(
    canonicalJson({
      tenantId,
      held: held && substanceOf(held),
      wish,
      order: decision.order,
      after: decision.after,
      timing: decision.timing,
      catalog: deps.catalog().version,
      now: shown.now && plain(shown.now, isPinned),
      renewal: shown.renewal && {
        ...(isPinned ? { at: shown.renewal.at.toString() } : {}),
        invoice: plain(shown.renewal.invoice, isPinned),
      },
    }),
  ).toString('base64url')
}

/** What a decision was made on. Whatever else was looked at since does not matter. */
export const substanceOf = (record: SubscriptionRecord): Record<string, unknown> => ({
  subscriptionId: record.subscriptionId,
  status: record.status,
  plan: record.plan,
  planVersion: record.planVersion,
  price: record.price,
  seats: record.seats,
  addOns: record.addOns,
  periodStart: record.period.start.toString(),
  periodEnd: record.period.end.toString(),
  trialEndsAt: record.trialEndsAt?.toString() ?? null,
  endsAt: record.endsAt?.toString() ?? null,
  pendingChange: record.pendingChange,
})

const plain = (invoice: InvoicePreview, isPinned: boolean): Record<string, unknown> => ({
  ...invoice,
  lines: invoice.lines.map((line) => ({
    ...line,
    amount: String(line.amount),
    period: isPinned ? [line.period.start.toString(), line.period.end.toString()] : null,
  })),
  subtotal: String(invoice.subtotal),
  tax: invoice.tax === null ? null : String(invoice.tax),
  total: String(invoice.total),
  amountDue: String(invoice.amountDue),
})

/** What the customer would gain and lose, by the same rules that will decide it. */
export const entitlementsAfter = async (
  deps: Deps,
  { tenantId, held, decision, prorationAt }: Previewed,
  customerId: string,
): Promise<CommandPreview['entitlements']> => {
  const [subscriptions, overrides] = [
    await findSubscriptions(deps.db, tenantId),
    await findOverrides(deps.db, tenantId),
  ]
  const at = deps.clock.now()
  const others = subscriptions.filter(({ subscriptionId }) => subscriptionId !== held?.subscriptionId)
  const then = hypothetical(deps, tenantId, customerId, held, decision, prorationAt)
  const restraints = await restraintsOf(deps.db, deps, tenantId, subscriptions, at)
  // Other terms have limits of their own; what is in use above them is told as guardrails.
  const remediations = decision.order.kind.startsWith('change') ? [] : restraints.remediations
  const before = resolve(deps.catalog(), subscriptions, overrides, at, restraints)
  const after = resolve(deps.catalog(), then ? [then, ...others] : others, overrides, at, {
    ...restraints,
    remediations,
  })
  const difference = compareSnapshots(before, after)
  const sideOf = (content: SnapshotContent, feature: string) => {
    const found = content.entitlements.find((entitlement) => entitlement.feature === feature)
    return found ? entitlementView(content, found, at) : null
  }
  return {
    ...difference,
    differences: (['gained', 'lost', 'changed'] as const).flatMap((change) =>
      difference[change].map((feature) => {
        const sides = { before: sideOf(before, feature), after: sideOf(after, feature) }
        return { feature, name: (sides.after ?? sides.before)?.name ?? feature, change, ...sides }
      }),
    ),
    accessLevel: { before: before.accessLevel, after: after.accessLevel },
  }
}

/** What would be counted from the end on, when it is the end of the last subscription (SUB-6). */
export const retentionAfter = async (
  deps: Deps,
  { tenantId, held, wish, decision }: Previewed,
): Promise<CommandPreview['retention']> => {
  if (wish.action !== 'cancel' || held === null) return null
  const others = (await findSubscriptions(deps.db, tenantId)).filter(
    ({ subscriptionId, status }) => subscriptionId !== held.subscriptionId && !isTerminal(status),
  )
  if (others.length > 0) return null
  const policy = deps.catalog().file.policies.cancellation
  const endedAt = Temporal.Instant.from(decision.effectiveAt)
  const deleteAt = endedAt.add({ hours: 24 * policy.retentionDays }).toString()
  return {
    endedAt: endedAt.toString(),
    readOnlyUntil: readOnlyUntil(endedAt, policy)?.toString() ?? null,
    exportUntil: deleteAt,
    deleteAt,
  }
}

const hypothetical = (
  deps: Deps,
  tenantId: string,
  customerId: string,
  held: SubscriptionRecord | null,
  { order, after, effectiveAt }: Decision,
  at: Temporal.Instant,
): SubscriptionRecord | null => {
  // Who has left may look on for a while.
  if (!after) return held && { ...held, status: 'canceled', endsAt: null, endedAt: Temporal.Instant.from(effectiveAt) }
  const base: SubscriptionRecord = held ?? {
    ...after,
    tenantId,
    subscriptionId: newId('subscription'),
    customerId,
    provider: deps.provider.name,
    providerSubscriptionId: '',
    interval: { unit: 'month', count: 1 },
    status: 'active',
    period: { start: at, end: at.add({ hours: 24 }) },
    anchor: at,
    trialEndsAt: null,
    endsAt: null,
    endedAt: null,
    pendingChange: null,
    standing: { paymentMethodOnFile: true, paused: null, collectionPaused: null },
    noted: null,
    startedAt: Temporal.Instant.from(effectiveAt),
    updatedAt: at,
  }
  const status =
    order.kind === 'pause' ? 'paused' : order.kind === 'resume' || order.kind === 'end_trial' ? 'active' : base.status
  return { ...base, ...after, status }
}

export const termsView = (deps: Deps, terms: Terms): NonNullable<CommandPreview['after']> => {
  const catalog = deps.catalog()
  const price = findPlan(catalog, terms.plan, terms.planVersion)?.content.prices?.[terms.price]
  return {
    plan: planRef(catalog, terms.plan, terms.planVersion),
    price: terms.price,
    interval: price ? intervalText(intervalOf(price)) : 'month',
    currency: terms.currency,
    seats: terms.seats,
    addOns: terms.addOns,
  }
}

export const invoiceView = ({ currency, ...invoice }: InvoicePreview): NonNullable<CommandPreview['dueNow']> => {
  const money = (amount: bigint) => ({ amountMinor: String(amount), currency })
  const owed = invoice.total > 0n ? invoice.total : 0n
  return {
    lines: invoice.lines.map(({ amount, period, ...line }) => ({
      ...line,
      amount: money(amount),
      period: { start: period.start.toString(), end: period.end.toString() },
    })),
    subtotal: money(invoice.subtotal),
    tax: invoice.tax === null ? null : money(invoice.tax),
    total: money(invoice.total),
    creditApplied: money(owed > invoice.amountDue ? owed - invoice.amountDue : 0n),
    amountDue: money(invoice.amountDue),
  }
}
