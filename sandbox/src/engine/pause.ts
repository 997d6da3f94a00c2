import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { need } from '../objects/common.ts'
import { itemsOf } from '../objects/render.ts'
import type { Customer, Invoice, Price, Subscription } from '../objects/types.ts'
import { load, save, type Tx } from '../store/transact.ts'
import { invalid } from '../wire/errors.ts'
import { finalizeInvoice, payInvoice } from './collect.ts'
import { draftInvoice, type LineDraft } from './draftInvoice.ts'
import { notePeriodEnd, periodLine } from './items.ts'
import { periodAt } from './period.ts'

/** No service, no invoices, until it is resumed. */
export function pauseSubscription(tx: Tx, id: string): Subscription {
  const subscription = need<Subscription>(tx, 'subscription', id)
  if (subscription.status !== 'active' && subscription.status !== 'trialing' && subscription.status !== 'past_due')
    throw invalid(`You cannot pause a subscription that is ${subscription.status}.`)
  if (subscription.schedule) throw invalid('You cannot pause a subscription that is managed by a schedule.')
  const before = snapshot(tx, subscription)
  subscription.status = 'paused'
  subscription.status_details = {
    paused: { subscription: { type: 'pause_requested' }, transitioned_at: tx.now, type: 'subscription' },
  }
  save(tx, subscription)
  emitUpdate(tx, 'customer.subscription.updated', subscription, before)
  emit(tx, 'customer.subscription.paused', subscription)
  return subscription
}

/** Starts a new period now when the old one is over or when asked to; otherwise the paid one goes on. */
export function resumeSubscription(
  tx: Tx,
  id: string,
  params: { billing_cycle_anchor?: { type: string } | string },
): Subscription {
  const subscription = need<Subscription>(tx, 'subscription', id)
  if (subscription.status !== 'paused')
    throw invalid(`Only subscriptions with status paused can be resumed; this one is ${subscription.status}.`)
  const before = snapshot(tx, subscription)
  const wanted =
    typeof params.billing_cycle_anchor === 'object' ? params.billing_cycle_anchor.type : params.billing_cycle_anchor
  const restarts = wanted !== 'unchanged' || tx.now >= subscription._.nextPeriodEnd
  subscription.status = 'active'
  delete subscription.status_details
  if (restarts) {
    if (wanted !== 'unchanged') subscription.billing_cycle_anchor = tx.now
    for (const item of itemsOf(tx, id)) {
      const period = periodAt(subscription.billing_cycle_anchor, load<Price>(tx, item.price).recurring!, tx.now)
      save(tx, {
        ...item,
        current_period_start: wanted === 'unchanged' ? period.start : tx.now,
        current_period_end: period.end,
      })
    }
    notePeriodEnd(tx, subscription)
  }
  save(tx, subscription)
  if (restarts) billResumption(tx, subscription)
  const resumed = load<Subscription>(tx, id)
  emit(tx, 'customer.subscription.resumed', resumed)
  emitUpdate(tx, 'customer.subscription.updated', resumed, before)
  return resumed
}

function billResumption(tx: Tx, subscription: Subscription): void {
  const lines = itemsOf(tx, subscription.id)
    .map((item) => periodLine(tx, item, { start: item.current_period_start, end: item.current_period_end }))
    .filter((line): line is LineDraft => line !== null)
  if (lines.length === 0) return
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
  subscription.latest_invoice = invoice.id
  save(tx, subscription)
  const open = finalizeInvoice(tx, invoice)
  if (open.status === 'open' && open.collection_method === 'charge_automatically')
    payInvoice(tx, load<Invoice>(tx, invoice.id), { offSession: true, scheduled: true })
}
