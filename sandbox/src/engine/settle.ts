// What an invoice's fate means for its subscription and its customer.
import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import type { Customer, Invoice, PaymentIntent, Subscription } from '../objects/types.ts'
import { find, listOf, load, save, type Tx } from '../store/transact.ts'
import { cancelNow } from './cancel.ts'
import { day } from './due.ts'
import { settleResumption } from './pause.ts'
import { applyPendingUpdate, expirePendingUpdate } from './pendingUpdate.ts'

type Before = Record<string, unknown>

export function afterInvoicePaid(tx: Tx, invoice: Invoice): void {
  const subscription = invoice._.subscription ? find<Subscription>(tx, invoice._.subscription) : undefined
  if (subscription?._.resumption?.invoice === invoice.id) settleResumption(tx, subscription, invoice)
  else if (subscription) {
    const before = snapshot(tx, subscription)
    const newest = subscription.latest_invoice === invoice.id || subscription.latest_invoice === null
    if (subscription.status === 'incomplete')
      subscription.status = trialGoesOn(tx, subscription) ? 'trialing' : 'active'
    else if ((subscription.status === 'past_due' || subscription.status === 'unpaid') && newest)
      subscription.status = 'active'
    if (subscription.payment_settings.save_default_payment_method === 'on_subscription' && invoice._.intent) {
      const { payment_method: method } = load<PaymentIntent>(tx, invoice._.intent)
      if (method) subscription.default_payment_method = method
    }
    save(tx, subscription)
    emitUpdate(tx, 'customer.subscription.updated', subscription, before)
    if (subscription.pending_update && invoice._.applyOnPayment) applyPendingUpdate(tx, subscription)
  }
  setDelinquent(tx, invoice.customer, false)
}

export function afterInvoiceFailed(
  tx: Tx,
  invoice: Invoice,
  before: Before,
  scheduled: boolean,
  hasMethod = true,
): void {
  const { retryDays } = tx.world.settings
  const subscription = invoice._.subscription ? find<Subscription>(tx, invoice._.subscription) : undefined
  // Without any card there is nothing to try again: no further attempt is planned, and none is the last.
  const retries =
    hasMethod && invoice.auto_advance && subscription !== undefined && subscription.status !== 'incomplete'
  const wait = retryDays[invoice.attempt_count - 1]
  const exhausted = retries && scheduled && wait === undefined
  if (scheduled) invoice.next_payment_attempt = retries && wait !== undefined ? tx.now + wait * day : null
  if (invoice.status === 'open' || invoice.status === 'uncollectible') {
    save(tx, invoice)
    emitUpdate(tx, 'invoice.updated', invoice, before)
    emit(tx, 'invoice.payment_failed', invoice)
  }
  // A change that waits for its money puts only itself at stake.
  if (subscription && !invoice._.applyOnPayment) fail(tx, subscription, exhausted)
  setDelinquent(tx, invoice.customer, true)
}

/** A bank debit is under way: its subscription is served meanwhile, as Stripe does. */
export function afterInvoiceProcessing(tx: Tx, invoice: Invoice, invoiceBefore: Before): void {
  save(tx, invoice)
  emitUpdate(tx, 'invoice.updated', invoice, invoiceBefore)
  const subscription = invoice._.subscription ? find<Subscription>(tx, invoice._.subscription) : undefined
  if (subscription?.status !== 'incomplete') return
  const before = snapshot(tx, subscription)
  subscription.status = trialGoesOn(tx, subscription) ? 'trialing' : 'active'
  save(tx, subscription)
  emitUpdate(tx, 'customer.subscription.updated', subscription, before)
}

/** The bank wants to hear from the customer: a failed attempt that no machine can mend. */
export function afterInvoiceRequiresAction(
  tx: Tx,
  invoice: Invoice,
  before: Before,
  paying: { scheduled?: boolean; offSession: boolean },
): void {
  save(tx, invoice)
  emit(tx, 'invoice.payment_action_required', invoice)
  if (!paying.offSession) {
    emitUpdate(tx, 'invoice.updated', invoice, before)
    return
  }
  invoice.attempt_count += 1
  afterInvoiceFailed(tx, invoice, before, paying.scheduled ?? false)
}

/** Void or uncollectible: the newest invoice no longer holds its subscription back. */
export function afterInvoiceClosed(tx: Tx, invoice: Invoice): void {
  const subscription = invoice._.subscription ? find<Subscription>(tx, invoice._.subscription) : undefined
  if (subscription?.latest_invoice === invoice.id && subscription.status === 'past_due') {
    const before = snapshot(tx, subscription)
    subscription.status = 'active'
    save(tx, subscription)
    emitUpdate(tx, 'customer.subscription.updated', subscription, before)
  }
  // Without its invoice a waiting change can no longer be paid for.
  if (subscription?.pending_update && invoice._.applyOnPayment) expirePendingUpdate(tx, subscription)
  if (subscription?._.resumption?.invoice === invoice.id) settleResumption(tx, subscription, invoice)
  if (subscription?.status === 'incomplete' && invoice.status === 'void') {
    const before = snapshot(tx, subscription)
    subscription.status = 'incomplete_expired'
    subscription.ended_at = tx.now
    subscription.canceled_at = tx.now
    save(tx, subscription)
    emitUpdate(tx, 'customer.subscription.updated', subscription, before)
  }
  setDelinquent(tx, invoice.customer, false)
}

function fail(tx: Tx, subscription: Subscription, exhausted: boolean): void {
  // What is over stays over, whatever becomes of its last invoice.
  if (subscription.status === 'canceled' || subscription.status === 'incomplete_expired') return
  const before = snapshot(tx, subscription)
  if (subscription.status === 'active' || subscription.status === 'trialing') subscription.status = 'past_due'
  if (!exhausted) {
    save(tx, subscription)
    emitUpdate(tx, 'customer.subscription.updated', subscription, before)
    return
  }
  const { afterRetries } = tx.world.settings
  if (afterRetries === 'cancel') cancelNow(tx, subscription, { reason: 'payment_failed' })
  else {
    if (afterRetries === 'unpaid') subscription.status = 'unpaid'
    save(tx, subscription)
    emitUpdate(tx, 'customer.subscription.updated', subscription, before)
  }
}

function trialGoesOn(tx: Tx, subscription: Subscription): boolean {
  return subscription.trial_end !== null && subscription.trial_end > tx.now
}

function setDelinquent(tx: Tx, customerId: string, delinquent: boolean): void {
  const customer = find<Customer>(tx, customerId)
  if (!customer || customer._?.deleted || customer.delinquent === delinquent) return
  // Another unpaid invoice whose payment already failed keeps the customer delinquent.
  if (
    !delinquent &&
    listOf<Invoice>(tx, 'invoice', { customer: customerId }).some(
      (each) => each.status === 'open' && each.attempt_count > 0,
    )
  )
    return
  const before = snapshot(tx, customer)
  customer.delinquent = delinquent
  save(tx, customer)
  emitUpdate(tx, 'customer.updated', customer, before)
}
