import type Stripe from 'stripe'
import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { need } from '../objects/common.ts'
import { itemsOf } from '../objects/render.ts'
import type { Customer, Invoice, Price, Subscription } from '../objects/types.ts'
import { load, save, type Tx } from '../store/transact.ts'
import { invalid } from '../wire/errors.ts'
import { giveBack, invoiceRest } from './cancel.ts'
import { finalizeInvoice, methodFor, payInvoice } from './collect.ts'
import { draftInvoice, type LineDraft, lineOfInvoiceItem } from './draftInvoice.ts'
import { incompleteLifetime } from './due.ts'
import { createInvoiceItem } from './invoiceItem.ts'
import { notePeriodEnd, periodLine } from './items.ts'
import { periodAt } from './period.ts'
import { debitForItem } from './proration.ts'
import { pendingItems, takePending } from './subscribe.ts'

/** No service, no invoices, until it is resumed. The unused time is given back unless the caller says otherwise. */
export function pauseSubscription(tx: Tx, id: string, params: Stripe.SubscriptionPauseParams): Subscription {
  const subscription = need<Subscription>(tx, 'subscription', id)
  if (subscription.status !== 'active' && subscription.status !== 'trialing' && subscription.status !== 'past_due')
    throw invalid(`You cannot pause a subscription that is ${subscription.status}.`)
  if (subscription.schedule) throw invalid('You cannot pause a subscription that is managed by a schedule.')
  const before = snapshot(tx, subscription)
  const from = params.bill_for?.unused_time_from?.type ?? 'now'
  const starts = itemsOf(tx, id).map((item) => item.current_period_start)
  if (from !== 'none') {
    const at = from === 'now' ? tx.now : Math.min(...starts)
    giveBack(tx, subscription, at)
    subscription._.creditedFrom = at
  }
  subscription.status = 'paused'
  subscription.status_details = {
    paused: { subscription: { type: 'pause_requested' }, transitioned_at: tx.now, type: 'subscription' },
  }
  save(tx, subscription)
  if (params.invoicing_behavior === 'invoice') invoiceRest(tx, subscription)
  emitUpdate(tx, 'customer.subscription.updated', subscription, before)
  emit(tx, 'customer.subscription.paused', subscription)
  return subscription
}

/**
 * Starts a new period now, or goes on with the anchored cycle and charges the rest of its running period. An invoice that
 * is due at once decides: paid it wakes the subscription, and without any attempt the subscription stays paused.
 */
export function resumeSubscription(tx: Tx, id: string, params: Stripe.SubscriptionResumeParams): Subscription {
  const subscription = need<Subscription>(tx, 'subscription', id)
  if (subscription.status !== 'paused')
    throw invalid(`Only subscriptions with status paused can be resumed; this one is ${subscription.status}.`)
  const before = snapshot(tx, subscription)
  const invoice = draftResumption(tx, subscription, params)
  if (!invoice) return wake(tx, subscription, before)
  finalizeInvoice(tx, invoice)
  const open = load<Invoice>(tx, invoice.id)
  if (open.status === 'paid') return wake(tx, load<Subscription>(tx, id), before)
  const onAttempt = params.payment_behavior !== 'resume_on_payment_success'
  if (onAttempt && methodFor(tx, open)) {
    const resumed = wake(tx, load<Subscription>(tx, id), before)
    payInvoice(tx, open, { offSession: true, scheduled: true })
    return load<Subscription>(tx, resumed.id)
  }
  const waiting = load<Subscription>(tx, id)
  waiting._.resumption = { invoice: open.id, expiresAt: tx.now + incompleteLifetime }
  save(tx, waiting)
  emitUpdate(tx, 'customer.subscription.updated', waiting, before)
  if (methodFor(tx, open)) payInvoice(tx, open, { offSession: true, scheduled: false })
  return load<Subscription>(tx, id)
}

/** Moves the periods and drafts what resuming costs at once; null when nothing is due. */
export function draftResumption(
  tx: Tx,
  subscription: Subscription,
  params: Stripe.SubscriptionResumeParams,
): Invoice | null {
  const wanted = params.billing_cycle_anchor
  const kind = typeof wanted === 'object' ? wanted.type : (wanted ?? 'now')
  const behavior = params.proration_behavior ?? 'create_prorations'
  const at = params.proration_date ?? tx.now
  const lines: LineDraft[] = []
  if (kind !== 'unchanged') subscription.billing_cycle_anchor = tx.now
  const credited = subscription._.creditedFrom !== undefined
  for (const known of itemsOf(tx, subscription.id)) {
    const price = load<Price>(tx, known.price)
    const runs = kind === 'unchanged' && tx.now < known.current_period_end
    const period = runs
      ? { start: known.current_period_start, end: known.current_period_end }
      : periodAt(subscription.billing_cycle_anchor, price.recurring!, tx.now)
    const item = save(tx, { ...known, current_period_start: period.start, current_period_end: period.end })
    if (kind !== 'unchanged') {
      const line = periodLine(tx, item, period)
      if (line) lines.push(line)
    } else if (behavior !== 'none' && item.quantity !== undefined && (credited || !runs)) {
      // The running period was paid for and not given back: it simply goes on. Otherwise its rest is charged.
      const rest = debitForItem(tx, subscription, { id: item.id, quantity: item.quantity, price }, period, at)
      if (rest)
        createInvoiceItem(tx, {
          customer: subscription.customer,
          subscription: subscription.id,
          amount: rest.amount,
          currency: subscription.currency,
          description: rest.description,
          period: rest.period,
          quantity: item.quantity,
          proration: { item: item.id, creditedItems: null, price },
        })
    }
  }
  delete subscription._.creditedFrom
  notePeriodEnd(tx, subscription)
  save(tx, subscription)
  if (kind === 'unchanged' && behavior !== 'always_invoice') return null
  const pending = pendingItems(tx, subscription)
  lines.unshift(...pending.map((item) => lineOfInvoiceItem(tx, item)))
  if (lines.length === 0) return null
  const invoice = draftInvoice(tx, {
    customer: load<Customer>(tx, subscription.customer),
    subscription: { id: subscription.id, metadata: subscription.metadata },
    reason: 'subscription_update',
    currency: subscription.currency,
    collectionMethod: subscription.collection_method,
    daysUntilDue: subscription.days_until_due,
    autoAdvance: true,
    finalizesAt: null,
    period: { start: tx.now, end: tx.now },
    lines,
    discounts: subscription.discounts,
  })
  takePending(tx, pending, invoice)
  subscription.latest_invoice = invoice.id
  save(tx, subscription)
  return invoice
}

/** The invoice that stood in the way has its fate: paid or given up it wakes the subscription, void it does not. */
export function settleResumption(tx: Tx, subscription: Subscription, invoice: Invoice): void {
  const before = snapshot(tx, subscription)
  delete subscription._.resumption
  save(tx, subscription)
  if (subscription.status === 'paused' && invoice.status !== 'void') wake(tx, subscription, before)
}

function wake(tx: Tx, subscription: Subscription, before: Record<string, unknown>): Subscription {
  subscription.status = 'active'
  delete subscription.status_details
  save(tx, subscription)
  emit(tx, 'customer.subscription.resumed', subscription)
  emitUpdate(tx, 'customer.subscription.updated', subscription, before)
  return subscription
}
