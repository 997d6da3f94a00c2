import type { BillingStatus, NextAction } from '@turnpike/contract'
import { fail } from '../core/errors.ts'
import { instantOf } from '../core/period.ts'
import { type Catalog, findPlan, intervalText } from '../modules/catalog/index.ts'
import { type CommandRecord, findCommandUnderWay, findPauseEnd } from '../modules/commands/index.ts'
import { findCustomer } from '../modules/customers/index.ts'
import { findOpenRemediations } from '../modules/downgrades/index.ts'
import { findOpenCases, stageAt } from '../modules/dunning/index.ts'
import { newestSnapshot } from '../modules/entitlements/index.ts'
import { findFailedInvoices, type InvoiceRecord } from '../modules/invoices/index.ts'
import { type CheckoutRecord, findUnfinishedCheckouts, isUnderWay } from '../modules/payments/index.ts'
import { findRetention, type RetentionRecord } from '../modules/privacy/index.ts'
import { findSubscriptions, leadingSubscription, type SubscriptionRecord } from '../modules/subscriptions/index.ts'
import { readInOneView, type Tx } from '../platform/db.ts'
import type { Deps } from './deps.ts'
import { lapse } from './lapse-entitlements.ts'
import { amountHeld } from './steps/amount-held.ts'
import { caseEnd, dunningPolicyOf } from './steps/follow-dunning.ts'
import { stillOver } from './steps/follow-remediations.ts'
import { retentionView } from './steps/follow-retention.ts'
import { commandView, planRef, subscriptionView } from './steps/views.ts'

/**
 * Status, plan, renewal, pending changes, problems and next actions, from our own state only (PAY-2), all as of one moment: a
 * plan never stands beside what belongs to the next one.
 */
export const readStatus = async (deps: Deps, tenantId: string): Promise<BillingStatus> => {
  await replaceRunOut(deps, tenantId)
  return readInOneView(deps.db, (tx) => statusIn(tx, deps, tenantId))
}

const statusIn = async (tx: Tx, deps: Deps, tenantId: string): Promise<BillingStatus> => {
  const customer = await findCustomer(tx, tenantId)
  const snapshot = await newestSnapshot(tx, tenantId)
  const subscriptions = await findSubscriptions(tx, tenantId)
  const checkouts = await findUnfinishedCheckouts(tx, tenantId)
  const failed = await findFailedInvoices(tx, tenantId)
  const retained = await findRetention(tx, tenantId)
  const command = await findCommandUnderWay(tx, tenantId)
  if (!customer || !snapshot) throw fail('not_found')
  const at = deps.clock.now()
  const retention = retained && (retained.state === 'waiting' || retained.state === 'deleting') ? retained : null
  const catalog = deps.catalog()
  const leading = leadingSubscription(subscriptions, catalog.file.policies.access)
  const view = leading && subscriptionView(catalog, leading)
  const { content } = snapshot
  const waiting = checkouts.find((checkout) => checkout.state === 'pending_sync') ?? null
  const open =
    checkouts.find(
      (checkout) =>
        isUnderWay(checkout.state) &&
        (checkout.expiresAt === null || Temporal.Instant.compare(at, checkout.expiresAt) < 0),
    ) ?? null
  const held = leading && findPlan(catalog, leading.plan, leading.planVersion)
  const problem = leading ? paymentProblem(leading, failed) : null
  const dunning = leading && (await dunningView(tx, deps, leading, at))
  const remediation = leading && (await remediationView(tx, deps, leading, at))
  // A return without its webhook is told apart from having nothing, and from a plan that already runs (REC-3).
  const status =
    waiting && (!leading || waiting.kind === 'plan_change') ? 'pending_sync' : (leading?.status ?? 'no_subscription')
  return {
    tenantId,
    customerId: customer.customerId,
    status,
    accessLevel: content.accessLevel,
    plan: planRef(catalog, content.plan, content.planVersion),
    price: leading?.price ?? null,
    amount: leading && amountHeld(catalog, leading),
    interval: leading && intervalText(leading.interval),
    seats:
      leading && held?.content.seats
        ? { held: leading.seats, included: held.content.seats.included, max: held.content.seats.max ?? null }
        : null,
    period: view?.period ?? null,
    trialEndsAt: view?.trialEndsAt ?? null,
    renewsAt: view?.renewsAt ?? null,
    endsAt: view?.endsAt ?? null,
    pendingChange: view?.pendingChange ?? null,
    pendingSync: waiting && {
      since: (waiting.returnedAt ?? waiting.openedAt).toString(),
      checkoutId: waiting.checkoutId,
    },
    openCheckout: open && {
      checkoutId: open.checkoutId,
      kind: open.kind,
      plan: open.plan,
      sessionUrl: open.sessionUrl,
      expiresAt: open.expiresAt?.toString() ?? null,
    },
    paymentProblem: problem,
    subscription: view,
    dunning,
    remediation,
    command: command && openCommand(command),
    resumesAt:
      leading?.status === 'paused'
        ? ((await findPauseEnd(tx, tenantId, leading.subscriptionId))?.toString() ?? null)
        : null,
    retention: retention && retentionView(retention),
    nextActions: nextActions(leading, open, waiting, problem, content.plan, catalog, retention, dunning, remediation),
    snapshotVersion: snapshot.version,
    asOf: at.toString(),
  }
}

/** What was asked for and is not known to have happened. */
const openCommand = (command: CommandRecord): BillingStatus['command'] => {
  const { id, action, requestedAt, effectiveAt } = commandView(command)
  return { id, action, state: command.state === 'queued' ? 'queued' : 'under_way', requestedAt, effectiveAt }
}

const paymentProblem = (
  leading: SubscriptionRecord,
  failed: readonly InvoiceRecord[],
): BillingStatus['paymentProblem'] => {
  const invoice =
    failed.find((candidate) => candidate.providerSubscriptionId === leading.providerSubscriptionId) ?? null
  const troubled = leading.status === 'past_due' || leading.status === 'unpaid' || leading.status === 'incomplete'
  if (!troubled && !invoice) return null
  if (!troubled && invoice?.status !== 'open') return null
  return {
    kind: invoice?.actionRequired ? 'action_required' : 'payment_failed',
    since: (invoice?.createdAt ?? leading.updatedAt).toString(),
    invoiceUrl: invoice?.hostedInvoiceUrl ?? null,
  }
}

const nextActions = (
  leading: SubscriptionRecord | null,
  open: CheckoutRecord | null,
  waiting: CheckoutRecord | null,
  problem: BillingStatus['paymentProblem'],
  plan: string,
  catalog: Catalog,
  retention: RetentionRecord | null,
  dunning: BillingStatus['dunning'],
  remediation: BillingStatus['remediation'],
): NextAction[] => {
  const actions: NextAction[] = []
  if (waiting)
    actions.push({
      action: 'wait_for_provider',
      sentence: 'Waiting for confirmation from the payment provider. Nothing needs to be done.',
      url: null,
    })
  else if (open)
    actions.push({ action: 'finish_checkout', sentence: 'Finish the checkout that is open.', url: open.sessionUrl })
  if (problem?.invoiceUrl)
    actions.push({
      action: 'pay_invoice',
      sentence: `${problem.kind === 'action_required' ? 'Confirm the payment with your bank.' : 'Pay the open invoice.'}${consequence(dunning)}`,
      url: problem.invoiceUrl,
    })
  if (problem)
    actions.push({ action: 'update_payment_method', sentence: 'Update the payment method in the portal.', url: null })
  if (remediation)
    actions.push({
      action: 'reduce_usage',
      sentence: `Reduce what is in use to what ${remediation.plan.name} allows${remediation.deadline && !remediation.enforced ? ` before ${remediation.deadline}` : ''}: ${remediation.items.map(({ name, reduceBy }) => `${name} by ${reduceBy}`).join(', ')}.`,
      url: null,
    })
  if (leading?.endsAt)
    actions.push({
      action: 'undo_cancellation',
      sentence: `The subscription ends on ${leading.endsAt}. It can be kept.`,
      url: null,
    })
  else if (leading?.pendingChange)
    actions.push({
      action: 'undo_change',
      sentence:
        leading.pendingChange.kind === 'payment_required'
          ? `The change waits for its payment until ${leading.pendingChange.effectiveAt}. It can be taken back.`
          : `The change on ${leading.pendingChange.effectiveAt} can be taken back.`,
      url: null,
    })
  if (leading?.status === 'paused')
    actions.push({ action: 'resume', sentence: 'The subscription is paused. It can be resumed.', url: null })
  if (!leading && !open && !waiting) actions.push({ action: 'choose_plan', sentence: 'Choose a plan.', url: null })
  if (retention)
    actions.push({
      action: 'export_data',
      sentence: `Export the data before ${retention.deleteAfter}: what may be deleted will be deleted then.`,
      url: null,
    })
  const rank = catalog.file.plans[plan]?.rank ?? 0
  if (
    leading &&
    !problem &&
    Object.values(catalog.file.plans).some((other) => other.status === 'active' && other.rank > rank)
  )
    actions.push({ action: 'upgrade_plan', sentence: 'A larger plan is available.', url: null })
  return actions
}

/** What comes next while nothing is paid. */
const consequence = (dunning: BillingStatus['dunning']): string => {
  if (!dunning?.nextStage || !dunning.nextAt) return ''
  return dunning.nextStage === 'canceled'
    ? ` Unpaid, the subscription ends on ${dunning.cancelAt}.`
    : ` Unpaid, access becomes ${dunning.nextStage.replace('_', '-')} on ${dunning.nextAt}.`
}

/** What has run out by time is replaced before anything is shown. */
const replaceRunOut = async (deps: Deps, tenantId: string): Promise<void> => {
  const until = (await newestSnapshot(deps.db, tenantId))?.content.validUntil ?? null
  if (until !== null && Temporal.Instant.compare(instantOf(until), deps.clock.now()) <= 0) await lapse(deps, tenantId)
}

const dunningView = async (
  tx: Tx,
  deps: Deps,
  held: SubscriptionRecord,
  at: Temporal.Instant,
): Promise<BillingStatus['dunning']> => {
  const known = (await findOpenCases(tx, held.tenantId)).find(
    ({ subscriptionId }) => subscriptionId === held.subscriptionId,
  )
  if (!known) return null
  const { stage, since, next, nextAt } = stageAt(dunningPolicyOf(deps.catalog(), held), known.startedAt, at)
  const end = await caseEnd(tx, deps, known, held)
  return {
    stage,
    since: since?.toString() ?? null,
    nextStage: next,
    nextAt: (next === 'canceled' ? end : nextAt)?.toString() ?? null,
    cancelAt: end?.toString() ?? null,
  }
}

const remediationView = async (
  tx: Tx,
  deps: Deps,
  held: SubscriptionRecord,
  at: Temporal.Instant,
): Promise<BillingStatus['remediation']> => {
  const open = (await findOpenRemediations(tx, held.tenantId)).find(
    ({ subscriptionId }) => subscriptionId === held.subscriptionId,
  )
  if (!open) return null
  const items = await stillOver(tx, deps, open, at)
  // What fits is done, whether or not it was written down yet.
  if (items.length === 0) return null
  return {
    kind: open.kind,
    plan: planRef(deps.catalog(), open.plan, open.planVersion),
    startedAt: open.startedAt.toString(),
    deadline: open.deadline?.toString() ?? null,
    enforced: open.deadline === null || Temporal.Instant.compare(open.deadline, at) <= 0,
    items,
  }
}
