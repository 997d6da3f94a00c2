import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { expireSession } from '../objects/checkoutSession.ts'
import { settleRefund } from '../objects/refund.ts'
import { itemsOf, renderObject } from '../objects/render.ts'
import type {
  CheckoutSession,
  Customer,
  Invoice,
  PaymentIntent,
  Price,
  Refund,
  Stored,
  Subscription,
  SubscriptionItem,
  SubscriptionSchedule,
} from '../objects/types.ts'
import { find, load, rehearse, save, type Tx } from '../store/transact.ts'
import { cancelNow } from './cancel.ts'
import { finalizeInvoice, markUncollectible, methodOf, payInvoice, voidInvoice } from './collect.ts'
import { settleDebit } from './debit.ts'
import { draftInvoice, type LineDraft, lineOfInvoiceItem } from './draftInvoice.ts'
import { dueOf, incompleteLifetime, noticesRenewal, upcomingNotice } from './due.ts'
import { notePeriodEnd, periodLine, usageLine } from './items.ts'
import { share } from './money.ts'
import { expirePendingUpdate } from './pendingUpdate.ts'
import { nextBoundary } from './period.ts'
import { advanceSchedule } from './schedule.ts'
import { noticeTrialEnd, pendingItems, takePending, useOnceDiscounts } from './subscribe.ts'

/** Does the next thing that fell due for one object. Calling again does the one after it. */
export function tick(tx: Tx, id: string): void {
  const object = find<Stored>(tx, id)
  switch (object?.object) {
    case 'subscription':
      return void tickSubscription(tx, object as Subscription)
    case 'invoice':
      return void tickInvoice(tx, object as Invoice)
    case 'subscription_schedule':
      return void tickSchedule(tx, object as SubscriptionSchedule)
    case 'checkout.session':
      return void expireSession(tx, object as CheckoutSession)
    case 'payment_intent':
      return void settleDebit(tx, object as PaymentIntent)
    case 'refund':
      settleRefund(tx, object as Refund)
  }
}

// A phase that begins where a period does comes with the renewal: nobody sees new prices in the old period.
function tickSchedule(tx: Tx, schedule: SubscriptionSchedule): void {
  const { due } = dueOf(schedule)
  advanceSchedule(tx, schedule)
  const subscription = schedule.subscription ? find<Subscription>(tx, schedule.subscription) : undefined
  if (subscription && dueOf(subscription).due === due) tickSubscription(tx, subscription)
}

function tickSubscription(tx: Tx, subscription: Subscription): void {
  const before = snapshot(tx, subscription)
  const own = subscription._
  const { now } = tx
  if (subscription.status === 'incomplete') {
    if (now >= subscription.created + incompleteLifetime) expireIncomplete(tx, subscription, before)
    return
  }
  if (own.resumption && now >= own.resumption.expiresAt) {
    const asked = load<Invoice>(tx, own.resumption.invoice)
    if (asked.status === 'open') return void voidInvoice(tx, asked)
    delete own.resumption
    save(tx, subscription)
    return
  }
  if (subscription.pending_update && now >= subscription.pending_update.expires_at)
    return void expirePendingUpdate(tx, subscription)
  if (subscription.pause_collection?.resumes_at && now >= subscription.pause_collection.resumes_at) {
    subscription.pause_collection = null
    save(tx, subscription)
    emitUpdate(tx, 'customer.subscription.updated', subscription, before)
    return
  }
  if (subscription.cancel_at !== null && now >= subscription.cancel_at)
    return void cancelNow(tx, subscription, { atItsEnd: true })
  if (now >= own.nextPeriodEnd) {
    if (subscription.status === 'trialing' && subscription.trial_end !== null && now >= subscription.trial_end)
      return void endTrial(tx, subscription, before)
    return void renew(tx, subscription, before)
  }
  if (noticeTrialEnd(tx, subscription)) return
  if (noticesRenewal(subscription) && now >= own.nextPeriodEnd - upcomingNotice) {
    own.upcomingNoticeFor = own.nextPeriodEnd
    save(tx, subscription)
    const upcoming = rehearse(tx, () => previewRenewal(tx, load<Subscription>(tx, subscription.id)))
    if (upcoming) {
      const { id, ...withoutId } = upcoming
      tx.events.push({ type: 'invoice.upcoming', object: withoutId, at: now })
    }
    return
  }
  // Nothing was due after all: note the true time, so that the engine does not come back at once.
  notePeriodEnd(tx, subscription)
  save(tx, subscription)
}

/** Periods advance first, whatever becomes of the payment; the invoice stays a draft for an hour. */
function renew(tx: Tx, subscription: Subscription, before: Record<string, unknown>): void {
  const ended = {
    start: Math.min(...itemsOf(tx, subscription.id).map((item) => item.current_period_start)),
    end: subscription._.nextPeriodEnd,
  }
  const renewed = advanceItems(tx, subscription, subscription._.nextPeriodEnd)
  const invoice = draftCycle(tx, subscription, renewed, ended)
  emitUpdate(tx, 'customer.subscription.updated', load<Subscription>(tx, subscription.id), before)
  if (invoice) settlePause(tx, load<Subscription>(tx, subscription.id), invoice)
}

function endTrial(tx: Tx, subscription: Subscription, before: Record<string, unknown>): void {
  const hasMethod = methodOf(tx, subscription.customer, [subscription.default_payment_method]) !== null
  const missing = subscription.trial_settings?.end_behavior.missing_payment_method ?? 'create_invoice'
  if (!hasMethod && subscription.collection_method === 'charge_automatically' && missing !== 'create_invoice') {
    if (missing === 'cancel') return void cancelNow(tx, subscription, {})
    subscription.status = 'paused'
    save(tx, subscription)
    emitUpdate(tx, 'customer.subscription.updated', subscription, before)
    emit(tx, 'customer.subscription.paused', subscription)
    return
  }
  subscription.status = 'active'
  const ended = { start: subscription.trial_start!, end: subscription.trial_end! }
  const renewed = advanceItems(tx, subscription, subscription._.nextPeriodEnd)
  const invoice = draftCycle(tx, subscription, renewed, ended)
  emitUpdate(tx, 'customer.subscription.updated', load<Subscription>(tx, subscription.id), before)
  if (invoice) settlePause(tx, load<Subscription>(tx, subscription.id), invoice)
}

/** Items whose period ended by `at` enter the next one of the anchored cycle. */
function advanceItems(tx: Tx, subscription: Subscription, at: number): SubscriptionItem[] {
  const renewed: SubscriptionItem[] = []
  for (const item of itemsOf(tx, subscription.id)) {
    if (item.current_period_end > at) continue
    const start = item.current_period_end
    const price = load<Price>(tx, item.price)
    item.current_period_start = start
    item.current_period_end = nextBoundary(subscription.billing_cycle_anchor, price.recurring!, start)
    save(tx, item)
    renewed.push(item)
  }
  notePeriodEnd(tx, subscription)
  save(tx, subscription)
  return renewed
}

/** The invoice of a new period with everything that waited for it; null when there is nothing to bill. */
function draftCycle(
  tx: Tx,
  subscription: Subscription,
  renewed: SubscriptionItem[],
  ended: { start: number; end: number },
  silent = false,
): Invoice | null {
  const pending = pendingItems(tx, subscription)
  const lines: LineDraft[] = pending.map((item) => lineOfInvoiceItem(tx, item))
  for (const item of renewed) {
    const period = { start: item.current_period_start, end: item.current_period_end }
    const line = periodLine(tx, item, period) ?? usageLine(tx, item, subscription.customer, ended)
    if (line) lines.push(line.period === period ? untilItsEnd(subscription, line) : line)
  }
  if (lines.length === 0) return null
  const collects = subscription.status !== 'unpaid' && subscription.pause_collection === null
  const invoice = draftInvoice(
    tx,
    {
      customer: load<Customer>(tx, subscription.customer),
      subscription: { id: subscription.id, metadata: subscription.metadata },
      reason: 'subscription_cycle',
      currency: subscription.currency,
      collectionMethod: subscription.collection_method,
      daysUntilDue: subscription.days_until_due,
      autoAdvance: collects,
      finalizesAt: tx.now + tx.world.settings.draftSeconds,
      period: ended,
      lines,
      discounts: subscription.discounts,
    },
    silent,
  )
  takePending(tx, pending, invoice)
  useOnceDiscounts(tx, subscription)
  subscription.latest_invoice = invoice.id
  save(tx, subscription)
  return invoice
}

// A period that will be cut short costs its share.
function untilItsEnd(subscription: Subscription, line: LineDraft): LineDraft {
  const { start, end } = line.period
  const last = subscription.cancel_at
  if (last === null || last >= end) return line
  return {
    ...line,
    amount: share(line.amount, last - start, end - start),
    period: { start, end: last },
    proration: true,
    unitAmountDecimal: null,
  }
}

/** The next renewal's invoice as it would be now. Only inside a rehearsal: it changes what it looks at. */
export function previewRenewal(tx: Tx, known: Subscription): Record<string, unknown> | null {
  const end = known._.nextPeriodEnd
  const schedule = known.schedule ? find<SubscriptionSchedule>(tx, known.schedule) : undefined
  // A schedule that changes prices at the boundary does so before the renewal bills them.
  if (schedule?.current_phase && schedule.current_phase.end_date <= end) advanceSchedule(tx, schedule, end)
  const subscription = load<Subscription>(tx, known.id)
  if (subscription.status === 'canceled' || subscription.status === 'paused') return null
  const ended = { start: Math.min(...itemsOf(tx, subscription.id).map((item) => item.current_period_start)), end }
  if (subscription.status === 'trialing') subscription.status = 'active'
  const renewed = advanceItems(tx, subscription, end)
  const invoice = draftCycle(tx, subscription, renewed, ended, true)
  if (!invoice) return null
  invoice.billing_reason = 'upcoming'
  invoice.next_payment_attempt =
    invoice.collection_method === 'charge_automatically' ? end + tx.world.settings.draftSeconds : null
  return renderObject(tx, invoice)
}

// Collection that is paused settles the invoice the moment it is made.
function settlePause(tx: Tx, subscription: Subscription, invoice: Invoice): void {
  const pause = subscription.pause_collection
  if (!pause || pause.behavior === 'keep_as_draft') return
  finalizeInvoice(tx, invoice)
  const open = load<Invoice>(tx, invoice.id)
  if (open.status !== 'open') return
  if (pause.behavior === 'void') voidInvoice(tx, open)
  else markUncollectible(tx, open)
}

function expireIncomplete(tx: Tx, subscription: Subscription, before: Record<string, unknown>): void {
  subscription.status = 'incomplete_expired'
  subscription.canceled_at = tx.now
  subscription.ended_at = tx.now
  save(tx, subscription)
  emitUpdate(tx, 'customer.subscription.updated', subscription, before)
  const invoice = subscription.latest_invoice ? find<Invoice>(tx, subscription.latest_invoice) : undefined
  if (invoice?.status === 'open') voidInvoice(tx, invoice)
}

function tickInvoice(tx: Tx, invoice: Invoice): void {
  if (invoice.status === 'draft') {
    finalizeInvoice(tx, invoice)
    const open = load<Invoice>(tx, invoice.id)
    if (open.status === 'open' && open.collection_method === 'charge_automatically')
      payInvoice(tx, open, { offSession: true, scheduled: true })
    return
  }
  invoice.next_payment_attempt = null
  payInvoice(tx, invoice, { offSession: true, scheduled: true })
}
