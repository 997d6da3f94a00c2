import type { CatalogDunning } from '@turnpike/contract'
import { newId } from '../../core/ids.ts'
import { type Catalog, findPlan } from '../../modules/catalog/index.ts'
import {
  cancelAt,
  type DunningCase,
  dueSince,
  endsAfter,
  findOpenCases,
  followCase,
  type Moment,
  momentsBetween,
  nextDue,
  saveCase,
} from '../../modules/dunning/index.ts'
import { findInvoice, findInvoicesOf, type InvoiceRecord } from '../../modules/invoices/index.ts'
import { findSubscriptions, type SubscriptionRecord } from '../../modules/subscriptions/index.ts'
import { type Actor, appendAudit, systemActor } from '../../platform/audit.ts'
import type { Db, Tx } from '../../platform/db.ts'
import type { EventData, NewEvent } from '../../platform/outbox.ts'
import type { Deps } from '../deps.ts'

type StepDeps = Pick<Deps, 'catalog' | 'clock'>

/** The plan's own rule, or that of the policies. */
export const dunningPolicyOf = (
  catalog: Catalog,
  held: Pick<SubscriptionRecord, 'plan' | 'planVersion'>,
): CatalogDunning => findPlan(catalog, held.plan, held.planVersion)?.content.dunning ?? catalog.file.policies.dunning

/**
 * Opens and closes cases of dunning with the provider's facts (DUN-1). The stages of a case that stays open are announced by
 * whoever resolves next: see `announceStages`. The caller holds the customer's row.
 */
export const followDunning = async (
  tx: Tx,
  deps: StepDeps,
  tenantId: string,
  subscriptions: readonly SubscriptionRecord[],
  actor: Actor,
): Promise<NewEvent[]> => {
  const open = await findOpenCases(tx, tenantId)
  const events: NewEvent[] = []
  for (const held of subscriptions) {
    const known = open.find(({ subscriptionId }) => subscriptionId === held.subscriptionId) ?? null
    if (!known && held.status !== 'past_due' && held.status !== 'unpaid') continue
    const invoices = await findInvoicesOf(tx, tenantId, held.providerSubscriptionId)
    const next = followCase(known, held.status, invoices)
    if (known && next.close) {
      const at = held.endedAt ?? deps.clock.now()
      const invoice = invoices.find(({ providerInvoiceId }) => providerInvoiceId === known.providerInvoiceId) ?? null
      // An end comes after the stages that led to it, also when nobody was there to tell them.
      if (next.close === 'canceled') events.push(...(await announce(tx, deps, known, held, invoice, at, actor)))
      await saveCase(tx, { ...known, announcedUntil: at, dueAt: null, closedAt: deps.clock.now(), outcome: next.close })
      await appendAudit(tx, deps.clock, {
        tenantId,
        actor,
        action: `dunning.${next.close}`,
        object: held.subscriptionId,
        before: { invoice: known.providerInvoiceId, startedAt: known.startedAt.toString() },
        after: { invoice: invoice?.status ?? null, subscription: held.status },
      })
      if (next.close === 'canceled')
        events.push({
          type: 'dunning.stage_reached',
          data: momentData(held, invoice, { stage: 'canceled', since: at, next: null, nextAt: null }),
        })
      // While another invoice is unpaid, nothing is well yet.
      else if (!next.open)
        events.push({
          type: 'dunning.recovered',
          data: {
            subscriptionId: held.subscriptionId,
            plan: held.plan,
            outcome: next.close,
            startedAt: known.startedAt.toString(),
            ...invoiceData(invoice),
          },
        })
    }
    if (next.open) {
      const startedAt = dueSince(next.open)
      await saveCase(tx, {
        tenantId,
        caseId: newId('dunning'),
        subscriptionId: held.subscriptionId,
        providerInvoiceId: next.open.providerInvoiceId,
        startedAt,
        announcedUntil: null,
        dueAt: startedAt,
        cancelAskedAt: null,
        closedAt: null,
        outcome: null,
      })
      await appendAudit(tx, deps.clock, {
        tenantId,
        actor,
        action: 'dunning.started',
        object: held.subscriptionId,
        after: { invoice: next.open.providerInvoiceId, startedAt: startedAt.toString() },
      })
    }
  }
  return events
}

/**
 * Announces what the open cases of a customer have reached by a time, each stage and reminder once and in order, with its own
 * time as data (DUN-1). The caller holds the customer's row and resolves afterwards.
 */
export const announceStages = async (
  tx: Tx,
  deps: StepDeps,
  tenantId: string,
  at: Temporal.Instant,
  correlationId: string,
): Promise<NewEvent[]> => {
  const cases = await findOpenCases(tx, tenantId)
  if (cases.length === 0) return []
  const subscriptions = await findSubscriptions(tx, tenantId)
  const actor = systemActor('dunning', correlationId)
  const events: NewEvent[] = []
  for (const known of cases) {
    const held = subscriptions.find(({ subscriptionId }) => subscriptionId === known.subscriptionId)
    if (!held) continue
    const invoice = await findInvoice(tx, tenantId, known.providerInvoiceId)
    const told = await announce(tx, deps, known, held, invoice, at, actor)
    const dueAt = await caseDue(tx, deps, known, held, at)
    if (told.length > 0 || dueAt?.toString() !== known.dueAt?.toString())
      await saveCase(tx, { ...known, announcedUntil: at, dueAt })
    events.push(...told)
  }
  return events
}

const announce = async (
  tx: Tx,
  deps: StepDeps,
  known: DunningCase,
  held: SubscriptionRecord,
  invoice: InvoiceRecord | null,
  until: Temporal.Instant,
  actor: Actor,
): Promise<NewEvent[]> => {
  const policy = dunningPolicyOf(deps.catalog(), held)
  const events: NewEvent[] = []
  for (const moment of momentsBetween(policy, known.startedAt, known.announcedUntil, until)) {
    const type = moment.kind === 'stage' ? 'dunning.stage_reached' : 'dunning.reminded'
    // Before the first stage there is nothing to remind of.
    if (moment.stage === null) continue
    await appendAudit(tx, deps.clock, {
      tenantId: known.tenantId,
      actor,
      action: type,
      object: known.subscriptionId,
      after: { stage: moment.stage, at: moment.at.toString(), invoice: known.providerInvoiceId },
    })
    events.push({ type, data: momentData(held, invoice, moment) })
  }
  return events
}

/** When the subscription of a case may be ended; null when the policy never ends it. */
export const caseEnd = async (
  on: Db | Tx,
  deps: Pick<Deps, 'catalog'>,
  known: DunningCase,
  held: SubscriptionRecord,
): Promise<Temporal.Instant | null> => {
  const ends = endsAfter(dunningPolicyOf(deps.catalog(), held), known.startedAt)
  const invoice = ends && (await findInvoice(on, known.tenantId, known.providerInvoiceId))
  return ends && cancelAt(ends, invoice?.status === 'open' ? invoice.nextAttemptAt : null)
}

const caseDue = async (
  tx: Tx,
  deps: StepDeps,
  known: DunningCase,
  held: SubscriptionRecord,
  at: Temporal.Instant,
): Promise<Temporal.Instant | null> => {
  const policy = dunningPolicyOf(deps.catalog(), held)
  const due = nextDue(policy, known.startedAt, at)
  const ends = endsAfter(policy, known.startedAt)
  return due && ends && Temporal.Instant.compare(due, ends) === 0 ? caseEnd(tx, deps, known, held) : due
}

const momentData = (
  held: SubscriptionRecord,
  invoice: InvoiceRecord | null,
  moment: Pick<Moment, 'since' | 'nextAt'> & { stage: Moment['stage'] | 'canceled'; next: Moment['next'] } & {
    at?: Temporal.Instant
  },
): EventData<'dunning.stage_reached'> => ({
  subscriptionId: held.subscriptionId,
  plan: held.plan,
  stage: moment.stage ?? 'grace',
  since: (moment.since ?? moment.at)!.toString(),
  ...invoiceData(invoice),
  nextStage: moment.next,
  nextAt: moment.nextAt?.toString() ?? null,
})

const invoiceData = (invoice: InvoiceRecord | null) => ({
  invoiceUrl: invoice?.hostedInvoiceUrl ?? null,
  amount: invoice && {
    amountMinor: String(invoice.amountDue - invoice.amountPaid),
    currency: invoice.currency,
  },
})
